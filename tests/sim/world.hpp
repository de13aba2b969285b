// A random back office: what its telephone systems will say in the next minutes, whoever listens.
#pragma once
#include <string>
#include <vector>

#include "daemon/settings/settings.hpp"
#include "reachd/v1/event.pb.h"
#include "tests/sim/random.hpp"

namespace reach::sim {

namespace v1 = ::reachd::v1;

inline constexpr Time eight = time_from_ns(1'795'420'800'000'000'000);  // 2026-11-23T08:00:00Z

/// What one source says, in the order of its times, which are true ones. Each event has its number, from 1, as its
/// `journey`, so that it is found again wherever it went.
struct Script {
  std::string source;
  std::vector<v1::Event> events;
};
[[nodiscard]] Time time_of(const v1::Event& event);
/// Number of a script's event; 0: it is of no script.
[[nodiscard]] std::uint64_t number_of(const v1::Event& event);

struct World {
  settings::Loaded settings;
  std::vector<Script> scripts;
  Time begin = eight, end = eight;  ///< every event is before `end`
};
/// `length`: how long new contacts come; they all end within a quarter of an hour after it, but for a few that never
/// do. `on_the_dot`: some are answered, or done, at the very instant at which they would be missed.
[[nodiscard]] World make_world(Random& random, Duration length, bool on_the_dot);

}  // namespace reach::sim
