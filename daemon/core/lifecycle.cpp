#include "daemon/core/lifecycle.hpp"

#include <algorithm>

namespace reach {

std::optional<AlertReason> AlertLifecycle::observe(Condition condition, const AlertRule& rule, Time now) {
  condition_ = condition;
  if (condition == Condition::unknown) {
    good_since_.reset();  // recovery must be seen without a break
    return std::nullopt;
  }
  switch (state_) {
    case AlertState::inactive:
    case AlertState::resolved:
      if (condition != Condition::bad) return std::nullopt;
      pending_since_ = now;
      good_since_.reset();
      acknowledged_ = false;
      if (rule.hold > Duration::zero()) {
        state_ = AlertState::pending;
        return AlertReason::pending;
      }
      state_ = AlertState::firing;
      fired_at_ = said_at_ = now;
      return AlertReason::fired;
    case AlertState::pending:
      if (condition == Condition::bad) return std::nullopt;
      state_ = AlertState::resolved;
      return AlertReason::resolved;
    case AlertState::firing:
      if (condition != Condition::good) {
        good_since_.reset();
        return std::nullopt;
      }
      if (!good_since_) good_since_ = now;
      if (rule.clear_for > Duration::zero()) return std::nullopt;
      state_ = AlertState::resolved;
      return AlertReason::resolved;
  }
  return std::nullopt;
}

Time AlertLifecycle::repeat_at(const AlertRule& rule) const noexcept {
  if (rule.repeat <= Duration::zero()) return never;
  if (!acknowledged_) return said_at_ + rule.repeat;
  return acknowledged_until_ ? std::max(*acknowledged_until_, said_at_ + rule.repeat) : never;
}

Time AlertLifecycle::next(const AlertRule& rule) const noexcept {
  // A pending alert whose data went away waits for data, not for time.
  if (state_ == AlertState::pending) return condition_ == Condition::bad ? pending_since_ + rule.hold : never;
  if (state_ != AlertState::firing) return never;
  // What is not known to be true any more is not said again.
  Time next = condition_ == Condition::unknown ? never : repeat_at(rule);
  if (good_since_) next = std::min(next, *good_since_ + rule.clear_for);
  return next;
}

std::optional<AlertReason> AlertLifecycle::pass(const AlertRule& rule, Time now) {
  if (next(rule) > now) return std::nullopt;
  if (state_ == AlertState::pending) {
    state_ = AlertState::firing;
    fired_at_ = said_at_ = now;
    return AlertReason::fired;
  }
  if (good_since_ && *good_since_ + rule.clear_for <= now) {
    state_ = AlertState::resolved;
    return AlertReason::resolved;
  }
  if (acknowledged_until_ && *acknowledged_until_ <= now) acknowledged_ = false;
  said_at_ = now;
  return AlertReason::repeat;
}

void AlertLifecycle::acknowledge(std::optional<Time> until) noexcept {
  acknowledged_ = true;
  acknowledged_until_ = until;
}

}  // namespace reach
