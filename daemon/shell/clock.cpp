#include "daemon/shell/clock.hpp"

#include <algorithm>

namespace reach::shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int drift = 20;  // one part in this many
constexpr Duration span = std::chrono::minutes(2);
constexpr Duration set_back = seconds(1);
constexpr Duration set_back_for = seconds(3);
constexpr int set_back_samples = 5;
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
  if (received - span_began_ >= span) {
    before_ = recent_;
    recent_.reset();
    span_began_ = received;
  }
  const std::optional<Duration> least =
      recent_ && before_ ? std::min(*recent_, *before_) : (recent_ ? recent_ : before_);
  if (least && took > *least + set_back) {
    // Late by a second: a slow network, or the source's clock was set back. The second lasts.
    if (far_off_++ == 0) far_off_since_ = received;
    far_off_least_ = std::min(far_off_least_.value_or(took), took);
    if (far_off_ < set_back_samples || received - far_off_since_ < set_back_for) return;
    before_.reset();
    recent_ = far_off_least_;
  } else {
    recent_ = std::min(recent_.value_or(took), took);
  }
  far_off_ = 0;
  far_off_least_.reset();
  const Duration ahead = -(before_ ? std::min(*recent_, *before_) : *recent_);
  const Duration meant = ahead < jitter && ahead > -jitter ? Duration{} : ahead;
  if (meant == Duration{} || meant - applied_ > jitter || applied_ - meant > jitter) applied_ = meant;
}

}  // namespace reach::shell
