// The event log's files: looked at, opened, and repaired; what was repaired can be read.
#include "daemon/log/segments.hpp"
#include "daemon/log/snapshots.hpp"
#include "daemon/log/verify.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/memory_disk.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  const std::shared_ptr<log::Disk> disk = fuzz::memory_disk();
  constexpr const char* names[] = {"00000000000000000001.log", "00000000000000000003.log", "00000000000000000007.log",
                                   "00000000000000000002.snapshot"};
  fuzz::for_each_piece(fuzz::text_of(data, size), [&](unsigned control, std::string_view content) {
    fuzz::put_file(*disk, names[control % 4], content);
  });
  const auto read_all = [&disk](log::Tail tail) {
    const log::Segments segments(disk, 4096, tail);
    const std::vector<log::SegmentFile> files = log::segment_files(*disk);
    const log::Lsn first = files.empty() ? 1 : files.front().first;
    log::read_records(*disk, first, segments.durable(), [](log::Lsn, std::string_view) {});
  };
  const log::Inspection found = log::inspect(*disk);
  for (const log::SnapshotFile& file : log::snapshot_files(*disk)) (void)log::read_snapshot(*disk, file);
  try {
    read_all(log::Tail::leave);
  } catch (const log::LogError& problem) {
    bool told = false;
    for (const log::Finding& finding : found.findings) told = told || finding.is_damage();
    if (!told) std::fprintf(stderr, "%s\n", problem.what());
    fuzz::require(told, "what the daemon refuses to start with, verify tells");
  }
  try {
    log::accept_damage(*disk, fuzz::monday);
  } catch (const log::LogError&) {
    return 0;  // of a newer version: not to be repaired
  }
  try {
    read_all(log::Tail::cut);
  } catch (const log::LogError& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    fuzz::require(false, "a log whose damage was accepted can be read");
  }
  return 0;
}
