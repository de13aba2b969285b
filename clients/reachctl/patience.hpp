// How long to wait for a daemon that may not be there.
#pragma once
#include <chrono>

namespace reach::ctl {

/// Ends when there was no connection for `most` without a break. Pure: time is handed in.
class Patience {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  Patience(TimePoint::duration most, TimePoint now) : most_(most), connected_(now) {}

  /// How it is at `now`; true: no use to wait any longer.
  [[nodiscard]] bool ended(bool connected, TimePoint now) {
    if (connected) connected_ = now;
    return now - connected_ >= most_;
  }

 private:
  TimePoint::duration most_;
  TimePoint connected_;  ///< last seen so; at first the beginning
};

}  // namespace reach::ctl
