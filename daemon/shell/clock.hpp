// The daemon's clock, and those of its sources.
#pragma once
#include <chrono>
#include <optional>

#include "daemon/base/time.hpp"

namespace reach::shell {

/// Core time: runs evenly whatever happens to the system's wall clock. It begins at the wall clock's time, goes on
/// with the monotonic clock and drifts after the wall clock by at most one part in twenty, so that a clock set by an
/// hour makes nobody wait an hour longer; it is then followed within a day. It never steps back.
class CoreClock {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  /// `at_least`: core time already reached (the last record of the log).
  CoreClock(Time wall, Steady steady, Time at_least) noexcept;
  /// Reads the two clocks of the system. Each call gives a later time than the one before.
  [[nodiscard]] Time now() noexcept;
  /// The same with the clocks given: `steady` must not step back.
  Time advance(Time wall, Steady steady) noexcept;
  /// How far the wall clock is ahead of core time; over a second only after it was set.
  [[nodiscard]] Duration behind_wall() const noexcept { return behind_; }

 private:
  Time now_;
  Steady steady_;
  Duration behind_{};
};

/// How far the clock of one source is ahead of ours, from the send times it tells. What comes before it was sent proves
/// a clock that is ahead, at once. What comes late may be a clock that is behind or a slow network, and a network is
/// slow for a while: only lateness that lasts is believed, for what a busy machine or a reconnect does to one message
/// must not move the instants of calls.
class ClockOffset {
 public:
  /// `known`: what was applied before, if anything was.
  explicit ClockOffset(std::optional<Duration> known = {}) noexcept
      : applied_(known.value_or(Duration{})), known_(known.has_value()) {}
  /// One message, sent at `sent` by the source's clock and received at `received` by ours.
  void sample(Time sent, Time received) noexcept;
  /// What is to be taken off the source's times. Moves only in steps of over 20 ms: a jitter of the network must not
  /// make a wait of 20.000 s one of 20.0001 s. 0 for clocks that agree.
  [[nodiscard]] Duration applied() const noexcept { return applied_; }

 private:
  Duration applied_;
  bool known_;    ///< false: nothing was heard yet
  int late_ = 0;  ///< samples in a row that came later than a clock ahead by applied_ explains
  Time late_since_{};
  Duration least_late_{};  ///< the smallest received - sent of these
};

}  // namespace reach::shell
