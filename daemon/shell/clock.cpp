#include "daemon/shell/clock.hpp"

#include <algorithm>
#include <utility>

namespace reach::shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int drift = 20;  // one part in this many
/// A clock that lags so much less than believed is noticed by its calls, so it is followed soon.
constexpr Duration far_off = seconds(1);
constexpr Duration far_off_for = seconds(3), lasts_for = std::chrono::minutes(2);
constexpr int late_samples = 5;
/// An adapter gives a connection up after three silent seconds: no message is in it for so long.
constexpr Duration no_network = seconds(5);
constexpr Duration jitter = milliseconds(20);

}  // namespace

CoreClock::CoreClock(Time wall, Steady steady, Time at_least) noexcept
    : now_(std::max(wall, at_least)), steady_(steady), behind_(wall - now_) {}

Time CoreClock::now() noexcept {
  const Time before = now_;
  advance(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()), std::chrono::steady_clock::now());
  // What came before, and what time decided up to then, must come before in the log's replay, too.
  return now_ = std::max(now_, before + Duration(1));
}

Time CoreClock::advance(Time wall, Steady steady) noexcept {
  const Duration passed = steady - steady_;
  steady_ = steady;
  now_ += passed;
  now_ += std::clamp<Duration>(wall - now_, -passed / drift, passed / drift);
  behind_ = wall - now_;
  return now_;
}

void ClockOffset::sample(Time sent, Time received) noexcept {
  const Duration took = received - sent;
  const auto believe = [this](Duration ahead) {
    applied_ = std::chrono::abs(ahead) < jitter ? Duration{} : ahead;
    late_ = 0;
  };
  const bool first = !std::exchange(known_, true);
  if (-took > applied_ + jitter || (first && took > no_network)) return believe(-took);
  if (took <= jitter - applied_) {
    late_ = 0;
    return;
  }
  if (late_++ == 0) late_since_ = received;
  least_late_ = late_ == 1 ? took : std::min(least_late_, took);
  const Duration needed = least_late_ + applied_ > far_off ? far_off_for : lasts_for;
  if (late_ >= late_samples && received - late_since_ >= needed) believe(-least_late_);
}

}  // namespace reach::shell
