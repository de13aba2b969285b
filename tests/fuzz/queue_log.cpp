// Lines of Asterisk's queue_log.
#include "clients/adapters/queuelog/queuelog.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/sendable.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  static const adapter::Pseudonyms pseudonyms("sixteen bytes and more");
  std::vector<v1::Event> events;
  for (const bool sorted : {true, false}) {
    queuelog::QueueLog log(pseudonyms, {.excluded = {"199"}, .sorted = sorted});
    std::string_view rest = fuzz::text_of(data, size);
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      log.take(line, events);
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
    log.finish(events);
    fuzz::require_sendable(events);
  }
  return 0;
}
