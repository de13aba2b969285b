// Records of the event log into a replica.
#include "daemon/replica/replica.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"
#include "tests/unit/core/world.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  static const Config config = test::small_config();
  replica::Replica replica(config, {.staffing = false});
  Decisions decisions;
  log::Lsn number = 0;
  static v1::LogRecord record;
  fuzz::for_each_piece(fuzz::text_of(data, size), [&](unsigned control, std::string_view payload) {
    number += control == 0 ? 1 : control;
    // Letting years pass takes long, and is no work of a small input: the daemon's clock wrote the times.
    if (!record.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
    constexpr auto day_ns = static_cast<std::uint64_t>(Duration(std::chrono::hours(24)).count());
    if (record.received_ns() - static_cast<std::uint64_t>(ns_of(fuzz::monday)) > day_ns) return;
    if (replica.engine() == nullptr && record.at_event_times()) return;  // no log begins before its daemon
    try {
      replica.apply(number, payload, decisions);
    } catch (const log::LogError&) {
    }
    decisions.clear();
  });
  if (replica.engine() != nullptr) (void)wire::status_of(*replica.engine(), {}, replica.engine()->now());
  return 0;
}
