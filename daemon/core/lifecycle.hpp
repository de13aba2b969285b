// The life of one alert: inactive, pending, firing, resolved. Pure: conditions and times in, what to say out.
#pragma once
#include <cstdint>
#include <optional>

#include "daemon/base/time.hpp"
#include "daemon/core/alert.hpp"

namespace reach {

/// What is true of the thing watched. `between` the target and the recovery value nothing changes; `unknown` (no
/// data, stale, closed) neither fires nor resolves: no data never looks like recovery.
enum class Condition : std::uint8_t { bad, between, good, unknown };

/// Times of an alert rule, all >= 0; repeat 0: never said again.
struct AlertRule {
  Duration hold{};       ///< `for`: bad for so long before it fires
  Duration clear_for{};  ///< good for so long before it resolves
  Duration repeat{};     ///< said again while firing and not acknowledged
};

class AlertLifecycle {
 public:
  /// The condition is `condition` from `now` on. Returns what to say, if anything.
  [[nodiscard]] std::optional<AlertReason> observe(Condition condition, const AlertRule& rule, Time now);
  /// Time came to `now`: what falls due. Call again until it returns nothing.
  [[nodiscard]] std::optional<AlertReason> pass(const AlertRule& rule, Time now);
  /// The next instant at which pass() has something to say; `never` if none.
  [[nodiscard]] Time next(const AlertRule& rule) const noexcept;
  /// A person has it until `until` (absent: until it resolves): no repeats meanwhile.
  void acknowledge(std::optional<Time> until) noexcept;

  [[nodiscard]] AlertState state() const noexcept { return state_; }
  [[nodiscard]] Time pending_since() const noexcept { return pending_since_; }
  [[nodiscard]] Time fired_at() const noexcept { return fired_at_; }
  template <class A>
  void visit(A& archive) {
    archive(state_, condition_, pending_since_, fired_at_, said_at_, good_since_, acknowledged_, acknowledged_until_);
  }

 private:
  [[nodiscard]] Time repeat_at(const AlertRule& rule) const noexcept;

  AlertState state_ = AlertState::inactive;
  Condition condition_ = Condition::unknown;
  Time pending_since_{}, fired_at_{}, said_at_{};
  std::optional<Time> good_since_;
  bool acknowledged_ = false;
  std::optional<Time> acknowledged_until_;
};

}  // namespace reach
