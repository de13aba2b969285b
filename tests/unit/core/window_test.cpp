#include "daemon/core/window.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace reach {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
Time at(std::int64_t second) {
  return Time(seconds(second));
}

TEST(RollingWindow, EqualsTheExactWindowWithinOneBucket) {
  const unsigned seed = 7;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  RollingWindow window(minutes(30));
  std::vector<double> facts;
  double t = 0;
  for (int i = 0; i < 5000; ++i) {
    t += std::exponential_distribution<double>(0.3)(random);
    const double fact = std::max(0.0, t - std::uniform_real_distribution<double>(0, 20)(random));  // some learnt late
    window.advance(Duration(std::llround(t * 1e9)));
    window.add(Counter::met, Duration(std::llround(fact * 1e9)), 1);
    facts.push_back(fact);
    std::int64_t exact = 0, with_a_bucket = 0;
    for (const double f : facts) {
      exact += f > t - 1800;
      with_a_bucket += f > t - 1803;
    }
    ASSERT_GE(window.tally()[Counter::met], exact) << "at " << t;
    ASSERT_LE(window.tally()[Counter::met], with_a_bucket) << "at " << t;
  }
  window.advance(window.next_change() + minutes(60));
  EXPECT_TRUE(window.tally().empty());
}

TEST(RollingWindow, ForgetsBefore1970AsAfter) {
  RollingWindow window(minutes(30));
  const Duration long_ago = -std::chrono::hours(24 * 365 * 200);
  window.advance(long_ago);
  window.add(Counter::met, long_ago, 1);
  EXPECT_EQ(window.tally()[Counter::met], 1);
  window.advance(window.next_change());
  EXPECT_EQ(window.tally()[Counter::met], 0);
  EXPECT_EQ(window.next_change(), Duration::max());
}

TEST(CalendarWindows, BooksAFactWhereItBecomesKnownAndACorrectionWhereTheFactWas) {
  const Zone utc;
  CalendarWindows windows;
  windows.roll(periods_at(utc, minutes(15), at(0)));
  windows.add(Counter::missed, at(10), 1, false);
  windows.roll(periods_at(utc, minutes(15), at(1000)));
  windows.add(Counter::offered, at(20), 1, false);  // learnt late: counts in this interval
  windows.add(Counter::missed, at(10), -1, true);   // that interval is closed: taken off the day only
  EXPECT_EQ(windows.tally(Period::interval)[Counter::offered], 1);
  EXPECT_EQ(windows.tally(Period::interval)[Counter::missed], 0);
  EXPECT_EQ(windows.tally(Period::day)[Counter::missed], 0);
  ASSERT_EQ(windows.history().size(), 1U);
  EXPECT_EQ(windows.history()[0].missed, 1);
}

TEST(CalendarWindows, DayIsTheSumOfItsIntervalsAndEndsWithThem) {
  const Zone utc;
  CalendarWindows windows;
  for (int i = 0; i < 96; ++i) {
    windows.roll(periods_at(utc, minutes(15), at(i * 900)));
    windows.add(Counter::offered, at(i * 900), 1, false);
  }
  EXPECT_EQ(windows.tally(Period::day)[Counter::offered], 96);
  EXPECT_EQ(windows.tally(Period::hour)[Counter::offered], 4);
  windows.roll(periods_at(utc, minutes(15), at(86400)));
  EXPECT_EQ(windows.tally(Period::day)[Counter::offered], 0);
  EXPECT_EQ(windows.tally(Period::month)[Counter::offered], 96);
}

TEST(WaitHistogram, KeepsTheRelativeErrorOfQuantilesUnderOnePercent) {
  WaitHistogram waits;
  for (int ms = 0; ms < 200000; ms += 37) waits.add(WaitHistogram::bucket_of(std::chrono::milliseconds(ms)), 1);
  for (const double p : {0.1, 0.5, 0.9, 0.99}) {
    const double exact_s = p * 200;
    EXPECT_NEAR(seconds_of(waits.quantile(p).value()), exact_s, exact_s * 0.01) << p;
  }
  EXPECT_EQ(WaitHistogram{}.quantile(0.5), std::nullopt);
}

}  // namespace
}  // namespace reach
