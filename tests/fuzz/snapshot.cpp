// Snapshot files, the archive that their content is, and the replica in it. A content is tried under a right checksum,
// too: nothing but the checksum stands between the disk and what reads the content.
#include "daemon/core/archive.hpp"
#include "daemon/log/snapshots.hpp"
#include "daemon/replica/replica.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/memory_disk.hpp"

namespace {

using namespace reach;

/// Something of every form that an archive knows.
struct Everything {
  std::string text;
  std::vector<std::pair<std::string, std::optional<double>>> pairs;
  std::deque<std::array<std::int64_t, 3>> numbers;
  std::optional<std::vector<std::string>> maybe;
  Time time;
  Duration span;
  template <class A>
  void visit(A& archive) {
    archive(text, pairs, numbers, maybe, time, span);
  }
};

void try_archive(std::string_view bytes) {
  Everything everything;
  try {
    ArchiveReader reader(bytes);
    reader(everything);
  } catch (const ArchiveError&) {
    return;
  }
  std::string again;
  ArchiveWriter writer([&again](std::string_view piece) { again += piece; });
  writer(everything);
  writer.finish();
  Everything back;
  ArchiveReader reader(again);
  reader(back);
  fuzz::require(back.text == everything.text && back.numbers == everything.numbers && back.maybe == everything.maybe,
                "what was written is read back");
}

std::string bytes_of(const replica::Replica& replica) {
  std::string bytes;
  replica.save([&bytes](std::string_view piece) { bytes += piece; });
  return bytes;
}

void try_replica(std::string_view bytes) {
  replica::Replica replica({}, {.staffing = false});
  try {
    replica.load(bytes);
  } catch (const ArchiveError&) {
    return;
  }
  const std::string saved = bytes_of(replica);
  replica::Replica again({}, {.staffing = false});
  again.load(saved);
  fuzz::require(bytes_of(again) == saved, "what was loaded is saved, and loaded again");
}

void try_file(std::string_view bytes) {
  const auto disk = fuzz::memory_disk();
  fuzz::put_file(*disk, "00000000000000000002.snapshot", bytes);
  for (const log::SnapshotFile& file : log::snapshot_files(*disk)) (void)log::read_snapshot(*disk, file);
  log::write_snapshot(*disk, 3, [bytes](const auto& append) { append(bytes); });
  const auto content = log::read_snapshot(*disk, log::snapshot_files(*disk).back());
  fuzz::require(content == bytes, "the content of a file whose checksum is right is read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  try_file(bytes);
  try_archive(bytes);
  try_replica(bytes);
  return 0;
}
