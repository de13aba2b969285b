// The figures once more, from all events from the beginning, by their definitions (config/figures.md) and nothing else:
// no timer, no order of arrival, no window. For worlds of tests/sim/world.hpp only.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daemon/core/engine.hpp"
#include "reachd/v1/event.pb.h"

namespace reach::sim {

namespace v1 = ::reachd::v1;

/// An event as the daemon took it: `at` is its time on the core's clock.
struct Taken {
  std::uint64_t record = 0;  ///< of the log
  std::string source;
  v1::Event event;
  Time at{};
};

struct Count {
  std::int64_t offered = 0, answered = 0, abandoned = 0, short_abandons = 0, forwarded = 0, unknown = 0, waiting = 0;
  std::int64_t met = 0, missed = 0, transferred_in = 0, overflow_in = 0;
  std::int64_t items_received = 0, items_completed = 0, items_met = 0, items_missed = 0, backlog = 0, overdue = 0;
  double answer_wait_s = 0;
  friend bool operator==(const Count&, const Count&) = default;
};
[[nodiscard]] std::string to_text(const Count& count);

/// By scope: "a" a segment, "a/phone" a service of it, "pbx1/a1" a queue.
using Counts = std::map<std::string, Count>;

/// What `taken` means at the instant `now`, all that is due up to and including it having happened.
[[nodiscard]] Counts count_from_scratch(const std::vector<Taken>& taken, const Config& config, Time now);
/// The same of the engine: this month's figures at engine.now().
[[nodiscard]] Counts counts_of(const Engine& engine);
/// Where they differ, a line each; empty: nowhere. A scope of zeros is as good as none.
[[nodiscard]] std::string difference(const Counts& engine, const Counts& reference);

}  // namespace reach::sim
