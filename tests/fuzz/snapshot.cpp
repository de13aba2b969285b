// Snapshot files, and the archive that their content is: what has a wrong checksum goes no further, so the meaning of
// the content is not tried here.
#include "daemon/core/archive.hpp"
#include "daemon/log/snapshots.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/memory_disk.hpp"

namespace {

/// Something of every form that an archive knows.
struct Everything {
  std::string text;
  std::vector<std::pair<std::string, std::optional<double>>> pairs;
  std::deque<std::array<std::int64_t, 3>> numbers;
  std::optional<std::vector<std::string>> maybe;
  reach::Time time;
  reach::Duration span;
  template <class A>
  void visit(A& archive) {
    archive(text, pairs, numbers, maybe, time, span);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  const std::string_view bytes = fuzz::text_of(data, size);
  const auto disk = fuzz::memory_disk();
  fuzz::put_file(*disk, "00000000000000000002.snapshot", bytes);
  for (const log::SnapshotFile& file : log::snapshot_files(*disk)) (void)log::read_snapshot(*disk, file);
  Everything everything;
  try {
    ArchiveReader reader(bytes);
    reader(everything);
  } catch (const ArchiveError&) {
    return 0;
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
  return 0;
}
