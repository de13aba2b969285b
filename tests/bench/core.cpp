// ns per event inside the process: nothing may grow with the number of segments or contacts but what the processor's
// caches make of it.
#include "tests/bench/bench.hpp"
#include "tests/bench/load.hpp"

namespace reach::bench {
namespace {

constexpr int portion = 20'000;
constexpr Duration step = std::chrono::microseconds(100);  // 10,000 events/s, a very large centre

/// Events made before the clock runs, with their texts.
struct Portion {
  struct Kept {
    Event event;
    std::string contact, agent, queue;
  };
  std::vector<Kept> kept = std::vector<Kept>(portion);

  void fill(Calls& calls) {
    for (Kept& each : kept) {
      each.event = calls.next();
      each.contact = each.event.contact;
      each.agent = each.event.agent;
      each.queue = each.event.queue;
      each.event.contact = each.contact;
      each.event.agent = each.agent;
      each.event.queue = each.queue;
    }
  }
};

double ns_per_event(int segments, std::int64_t live, int portions) {
  const Time begin = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23)) + std::chrono::hours(8);
  Engine engine(loaded(configuration(segments)), EngineOptions{.staleness = false}, begin);
  Calls calls(segments, live, waiting_of(live), begin, step);
  Decisions decisions;
  const auto take = [&](const Event& event) {
    decisions.clear();
    engine.step(event, event.at, decisions);
  };
  for (std::int64_t i = calls.warm_up() + 10 * segments; i > 0; --i) take(calls.next());
  Portion events;
  std::vector<double> runs;
  for (int i = 0; i < portions; ++i) {
    events.fill(calls);
    const double seconds = cpu_seconds_of_work([&] {
      for (const Portion::Kept& each : events.kept) take(each.event);
    });
    runs.push_back(seconds * 1e9 / portion);
  }
  return median(runs);
}

}  // namespace

void core(const Options& options, Report& report) {
  const std::vector<int> segments = options.quick ? std::vector<int>{10, 100} : std::vector<int>{10, 1'000, 10'000};
  const std::vector<std::int64_t> contacts =
      options.quick ? std::vector<std::int64_t>{1'000, 10'000} : std::vector<std::int64_t>{1'000, 100'000, 1'000'000};
  std::optional<double> smallest;
  for (const int s : segments) {
    for (const std::int64_t c : contacts) {
      const double value = ns_per_event(s, c, options.quick ? 5 : 31);
      if (!smallest) smallest = value;
      report.add({"core", "segments=" + std::to_string(s) + " contacts=" + std::to_string(c), value, "ns/event",
                  smallest, 2.0, Row::Goal::ratio_at_most});
    }
  }
}

}  // namespace reach::bench
