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

/// How far the clock of one source is ahead of ours, from the send times it tells: the smallest difference of the last
/// minutes is the one with the least transport in it.
class ClockOffset {
 public:
  /// One message, sent at `sent` by the source's clock and received at `received` by ours.
  void sample(Time sent, Time received) noexcept;
  /// What is to be taken off the source's times. Moves only in steps of over 20 ms: a jitter of the network must not
  /// make a wait of 20.000 s one of 20.0001 s. 0 for clocks that agree.
  [[nodiscard]] Duration applied() const noexcept { return applied_; }

 private:
  std::optional<Duration> recent_, before_;  ///< smallest received - sent of this and the last span
  Time span_began_{};
  int far_off_ = 0;  ///< samples in a row that only a clock that was set back explains
  std::optional<Duration> far_off_least_;
  Time far_off_since_{};
  Duration applied_{};
};

}  // namespace reach::shell
