// The calls that reach-load sends: a pure function of (seed, source, number of the event), so a generator that was
// killed goes on exactly where it was, and what the figures must be is known without any daemon.
//
// Ordinary sources are telephone lines side by side. Each line has one call after the other, and every call four events
// at even steps (offered, ringing, answered, ended; or arrived, offered, ringing, abandoned; …). The lines are dealt
// into sixteen banks, from quick to slow, so waits are between half a second and half a minute.
//
// One more source, "incidents", tells scripted stories, each in a segment of its own and slow enough that events which
// come up to `incident_guard` late change no decision. Their alerts are decided by the passing of time alone and are
// therefore equal to the nanosecond however often anything was killed:
//
//   at  0.0 s  12 calls, a tenth of a second apart, answered after 1 s
//   at 10.0 s   6 calls that nobody answers: at 20.3 s the fourth of them is the one too many for the service level,
//               at 22.0 s the first has waited too long
//   at 32.0 s   they are answered and give up by turns: the second to give up is too many for the abandon rate
//   at 43.0 s  40 calls, a tenth of a second apart, answered after 1 s: everything is good again
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/base/time.hpp"
#include "reachd/v1/event.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::load {

inline constexpr auto threshold = std::chrono::seconds(10);     // of the service level, in the configuration below
inline constexpr auto short_abandon = std::chrono::seconds(2);  // likewise
inline constexpr auto incident_guard = std::chrono::seconds(9);
inline constexpr auto incident_length = std::chrono::seconds(53);

struct Plan {
  std::uint64_t seed = 1;
  std::uint32_t sources = 4;     ///< ordinary ones, 1 to 64: "load-0", "load-1", …
  std::uint32_t segments = 100;  ///< ordinary ones, >= 1: "s0", "s1", …, with the queues "q0", "q1", …
  std::uint32_t incidents = 10;  ///< segments "i0", "i1", … with the queues "p0", "p1", …; 0: no such source
  std::uint64_t rate = 50'000;   ///< events/s of all ordinary sources together, >= sources
  double seconds = 60;           ///< > 0; incidents begin as long as they end within
  Time start{};
};

/// What must be counted in one segment at the end.
struct Account {
  std::int64_t offered = 0, answered = 0, abandoned = 0, short_abandons = 0, forwarded_choice = 0,
               forwarded_failure = 0, met = 0, missed = 0, handled = 0;
  Duration answer_wait{}, handling{};
};

/// The events of one source, numbered from 0, in the order of their times.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  [[nodiscard]] virtual Time time(std::uint64_t number) const = 0;
  /// Overwrites `event`.
  virtual void event(std::uint64_t number, v1::Event& event) const = 0;
  /// Adds what the whole source means to the accounts of its segments.
  virtual void account(std::map<std::string, Account>& accounts) const = 0;
};

[[nodiscard]] std::vector<std::unique_ptr<Source>> sources_of(const Plan& plan);

/// An alert that passing time decides, to the nanosecond.
struct Expected {
  std::string segment, objective;
  Time pending_since{}, fired{};
  std::string contact;  ///< that decided it
};
/// In the order in which they fire.
[[nodiscard]] std::vector<Expected> expected_alerts(const Plan& plan);

/// The configuration of the world: everything but endpoints and event log. `timezone`: one in which the run does not
/// cross midnight.
[[nodiscard]] std::string configuration(const Plan& plan, const std::string& timezone);

}  // namespace reach::load
