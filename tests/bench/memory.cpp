// Bytes in memory per live contact, and per segment that keeps a 30-minute window: what the allocator has given out.
#include <malloc.h>

#include "daemon/core/tally.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/load.hpp"

namespace reach::bench {
namespace {

double in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

const Time begin = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23)) + std::chrono::hours(8);

void run(Engine& engine, Calls& calls, std::int64_t events) {
  Decisions decisions;
  for (; events > 0; --events) {
    const Event& event = calls.next();
    decisions.clear();
    engine.step(event, event.at, decisions);
  }
}

/// With every part of a 30-minute window in use.
double bytes_of_segments(int segments) {
  const std::string toml = configuration(segments);
  const double before = in_use();
  Engine engine(loaded(toml), EngineOptions{.staleness = false}, begin);
  Calls calls(segments, 10, 5, begin, std::chrono::seconds(31 * 60) / (60 * segments));
  run(engine, calls, 60LL * segments);
  return in_use() - before;
}

}  // namespace

void memory(const Options& options, Report& report) {
  const std::int64_t contacts = options.quick ? 20'000 : 1'000'000;
  constexpr int segments = 1'000;
  double bytes = 0;
  double message = 0;
  {
    Engine engine(loaded(configuration(segments)), EngineOptions{.staleness = false}, begin);
    Calls first(segments, 10, 5, begin, std::chrono::milliseconds(100));
    run(engine, first, 20'000);  // segments, windows and tables are there
    const double before = in_use();
    const std::int64_t there = engine.totals().live_contacts;
    Calls calls(segments, contacts, waiting_of(contacts), first.now(), std::chrono::microseconds(100), "2026-11-24-");
    run(engine, calls, calls.warm_up());
    bytes = (in_use() - before) / static_cast<double>(engine.totals().live_contacts - there);
    v1::Event event;
    Calls(segments, 10, 5, begin, std::chrono::milliseconds(1)).next(event);
    message = static_cast<double>(event.ByteSizeLong());
  }
  report.add(
      {"memory", "live contact, of " + std::to_string(contacts), bytes, "B", message, 256.0, Row::Goal::value_at_most});
  const int few = options.quick ? 100 : 1'000;
  const int many = options.quick ? 200 : 5'000;
  const double each = (bytes_of_segments(many) - bytes_of_segments(few)) / (many - few);
  // Five calendar periods and the window, nothing but the counters.
  constexpr double plain = (period_count + 1) * sizeof(Counts);
  report.add({"memory", "segment with a 30-minute window", each, "B", plain, {}, {}});
}

}  // namespace reach::bench
