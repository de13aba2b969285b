// Messages of adapters: the protocol, the events in them, and the core behind it.
#include "daemon/shell/ingest.hpp"

#include <optional>
#include <string>

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"
#include "tests/unit/core/world.hpp"

namespace {

using namespace reach;

struct World final : shell::IngestWorld {
  bool send(const std::string& peer, const v1::ToAdapter&) override { return peer != gone; }
  log::Lsn append(std::string bytes) override {
    fuzz::require(record.ParseFromString(bytes), "every record of the log can be read");
    return log_fails ? 0 : ++records;
  }
  std::string log_problem() const override { return log_fails ? "the disk is full" : ""; }
  void step(const Input& input, Time now) override {
    // Made for the first input: what is refused before needs none. No staffing: it costs most of the time, and takes
    // nothing from outside.
    static const Config config = test::small_config();
    if (!engine) engine.emplace(config, EngineOptions{.staffing = false}, fuzz::monday);
    engine->step(input, now, decisions);
    decisions.clear();
  }
  Time reached() const override { return engine ? engine->now() : fuzz::monday; }
  void remark(std::string_view, const std::string&) override {}
  void note(const std::string&) override {}

  std::optional<Engine> engine;
  Decisions decisions;
  v1::LogRecord record;
  std::string gone;
  log::Lsn records = 0;
  bool log_fails = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono;
  World world;
  shell::Ingest ingest({.credit = 100}, world);
  Time now = fuzz::monday;
  fuzz::for_each_piece(fuzz::text_of(data, size), [&](unsigned control, std::string_view frame) {
    constexpr Duration steps[] = {milliseconds(1), milliseconds(100), seconds(5), seconds(30)};
    now += steps[control >> 6];
    world.gone = (control & 2) != 0 ? "a" : "";
    world.log_fails = (control & 4) != 0;
    ingest.take((control & 1) != 0 ? "b" : "a", frame, now);
    if ((control & 8) == 0) ingest.log_reached(world.records);
    if ((control & 16) != 0) ingest.pulse(now);
    if ((control & 32) != 0) ingest.look_for_gone(now);
    for (int i = 0; i < 100 && ingest.release(now); ++i) {
    }
    if (world.engine && !ingest.catching_up()) world.step(TimePassed{}, now);
  });
  if (world.engine) (void)wire::status_of(*world.engine, {}, std::max(now, world.engine->now()));
  return 0;
}
