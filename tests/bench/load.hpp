// A made-up contact centre that is as large as a benchmark wants, always in the same state: as many contacts begin as
// end. No randomness: the same sizes give the same events.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/core/engine.hpp"
#include "daemon/settings/settings.hpp"
#include "reachd/v1/event.pb.h"

namespace reach::bench {

namespace v1 = ::reachd::v1;

/// TOML of `segments` segments "s0", "s1" …, each with the queue "q0", "q1" …, one service, and one contract with a
/// service level over 30 minutes for each of them. Contacts are not given up for days.
[[nodiscard]] std::string configuration(int segments);
/// The same, loaded. Throws std::runtime_error if it has a mistake.
[[nodiscard]] Config loaded(const std::string& toml);

/// Calls in a circle: each is offered, answered once `waiting` others came after it, and ends once `live` others came
/// after it. From the `live`-th call on there are always `live` contacts, of which `waiting` wait.
class Calls {
 public:
  /// `live` > `waiting` > 0. Events are `step` apart, from `begin` on. `prefix`: of the contacts' names.
  Calls(int segments, std::int64_t live, std::int64_t waiting, Time begin, Duration step,
        std::string prefix = "2026-11-23-");

  /// Offers and answers until `live` contacts are there: so many events to come before the circle is closed.
  [[nodiscard]] std::int64_t warm_up() const { return 2 * live_ - waiting_; }

  /// The next event; its texts are in this object until the next call.
  const Event& next();
  /// The same as a message.
  void next(v1::Event& message);

  [[nodiscard]] Time now() const { return now_; }

 private:
  const int segments_;
  const std::int64_t live_, waiting_;
  const Duration step_;
  const std::string prefix_;
  Time now_;
  std::int64_t offered_ = 0, answered_ = 0, ended_ = 0;
  std::string contact_, agent_;
  std::vector<std::string> queues_;
  Event event_;
};

/// Waits that a service level of 20 s can promise: at most 30,000 callers wait, the others talk.
[[nodiscard]] inline std::int64_t waiting_of(std::int64_t live) {
  return live / 2 < 30'000 ? live / 2 : 30'000;
}

}  // namespace reach::bench
