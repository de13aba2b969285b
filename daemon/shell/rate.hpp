// How many events a second somebody may send, on average over ten seconds.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "daemon/base/time.hpp"

namespace reach::shell {

/// A bucket that holds ten seconds' worth and fills at the rate. What is there may be taken at once; a batch may take
/// more than is there, once, so that a batch of any size gets through and is paid for afterwards.
class RateLimit {
 public:
  /// Whether anything may be taken at `now`. `per_second`: > 0; another one than before holds from here on.
  [[nodiscard]] bool open(Time now, std::int64_t per_second) {
    const double most = 10.0 * static_cast<double>(per_second);
    const double since = last_ == Time{} ? 10.0 : std::max(0.0, seconds_of(now - last_));
    last_ = now;
    left_ = std::min(most, left_ + since * static_cast<double>(per_second));
    return left_ >= 1;
  }
  void take(std::int64_t events) { left_ -= static_cast<double>(events); }

 private:
  Time last_{};
  double left_ = 0;
};

}  // namespace reach::shell
