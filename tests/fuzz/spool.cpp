// The files of an adapter's spool: what earlier runs left, with its bookmark.
#include "clients/library/spool.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/memory_disk.hpp"
#include "tests/fuzz/quiet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  auto disk = fuzz::memory_disk();
  constexpr const char* names[] = {"5-1-0.events",
                                   "5-3-0.events",
                                   "5-3-1.events",
                                   "7-1-0.events",
                                   "7-4-0.events",
                                   "18446744073709551615-2-0.events",
                                   "5-18446744073709551615-0.events",
                                   "lock"};
  fuzz::for_each_piece(fuzz::text_of(data, size), [&](unsigned control, std::string_view content) {
    fuzz::put_file(*disk, names[control % 8], content);
  });
  const auto spool = client::file_spool(std::move(disk), 9);
  (void)spool->bookmark();
  v1::Event event;
  event.mutable_abandoned();
  spool->append({&event, 1}, "here");
  for (int i = 0; i < 20 && spool->size() > 0; ++i) {
    const client::Stretch stretch = spool->stretch();
    spool->settle();
    std::uint64_t last = stretch.first - 1;
    spool->read(stretch.first, [&last](std::uint64_t number, std::string_view) {
      fuzz::require(number == last + 1, "the numbers of a stretch have no gaps");
      last = number;
      return true;
    });
    spool->acknowledged(last);
    if (!stretch.is_last && spool->stretch().first == spool->stretch().next) spool->begin_next_stretch();
  }
  return 0;
}
