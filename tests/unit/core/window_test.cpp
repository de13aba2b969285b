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

constexpr Duration half_hour = minutes(30);
const Window rolling{Window::Kind::rolling, half_hour};
Window calendar(Period period) {
  return {.period = period};
}

/// A scope whose clock is always open.
struct Scoped {
  Scope scope;
  void add(Counter counter, Time t, std::int64_t n = 1, bool correction = false) {
    scope.add({{counter, n}}, t, t.time_since_epoch(), correction);
  }
  void roll(Time t) { scope.roll(periods_at(Zone{}, minutes(15), t)); }
  [[nodiscard]] std::int64_t count(Counter counter, const Window& window) const {
    return scope.counts(window)[counter];
  }
};

TEST(RollingWindow, EqualsTheExactWindowWithinOneBucket) {
  const unsigned seed = 7;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Scoped s;
  s.scope.keep(half_hour);
  std::vector<double> facts;
  double t = 0;
  for (int i = 0; i < 5000; ++i) {
    t += std::exponential_distribution<double>(0.3)(random);
    const double fact = std::max(0.0, t - std::uniform_real_distribution<double>(0, 20)(random));  // some learnt late
    s.scope.slide(Duration(std::llround(t * 1e9)));
    s.add(Counter::met, Time(Duration(std::llround(fact * 1e9))));
    s.scope.add_wait(seconds(1), 1, Time{}, Duration(std::llround(fact * 1e9)));
    facts.push_back(fact);
    std::int64_t exact = 0, with_a_bucket = 0;
    for (const double f : facts) {
      exact += f > t - 1800;
      with_a_bucket += f > t - 1803;
    }
    const Tally tally = s.scope.tally(rolling);
    ASSERT_GE(tally[Counter::met], exact) << "at " << t;
    ASSERT_LE(tally[Counter::met], with_a_bucket) << "at " << t;
    ASSERT_EQ(tally[Counter::met], tally.waits.count());
  }
  s.scope.slide(s.scope.next_change(half_hour) + minutes(60));
  EXPECT_EQ(s.count(Counter::met, rolling), 0);
  EXPECT_EQ(s.scope.tally(rolling).waits.count(), 0);
}

TEST(RollingWindow, ForgetsBefore1970AsAfter) {
  Scoped s;
  s.scope.keep(half_hour);
  const Duration long_ago = -std::chrono::hours(24 * 365 * 200);
  s.scope.slide(long_ago);
  s.add(Counter::met, Time(long_ago));
  EXPECT_EQ(s.count(Counter::met, rolling), 1);
  s.scope.slide(s.scope.next_change(half_hour));
  EXPECT_EQ(s.count(Counter::met, rolling), 0);
  EXPECT_EQ(s.scope.next_change(half_hour), Duration::max());
}

TEST(RollingWindow, LeavesOutWhatIsOlderThanItAndTakesBackWhatItHolds) {
  Scoped s;
  s.scope.keep(half_hour);
  s.scope.slide(seconds(10'000));
  s.add(Counter::met, at(10'000 - 1'900));
  EXPECT_EQ(s.count(Counter::met, rolling), 0);
  s.add(Counter::met, at(10'000 - 600));
  s.scope.slide(seconds(11'000));
  s.add(Counter::met, at(10'000 - 600), -1, true);
  EXPECT_EQ(s.count(Counter::met, rolling), 0);
  s.scope.slide(seconds(20'000));
  EXPECT_EQ(s.count(Counter::met, rolling), 0);
  EXPECT_EQ(s.scope.next_change(half_hour), Duration::max());
}

TEST(RollingWindow, StaysExactWhenASumGoesRound64Bits) {
  Scoped s;
  s.scope.keep(half_hour);
  for (int i = 0; i < 40; ++i) {
    s.scope.slide(seconds(i * 1'000));
    s.add(Counter::busy_ns, at(i * 1'000), std::int64_t{1} << 61);
  }
  EXPECT_EQ(s.count(Counter::busy_ns, rolling), std::int64_t{1} << 62);
}

TEST(RollingWindow, StaysExactWithYearsOfWaiting) {
  Scoped s;
  s.scope.keep(half_hour);
  s.scope.slide(seconds(9'000));
  // A telephone system whose clock stood at 1970 when the call came: in the newest second, in the one before, late.
  const std::int64_t years_ns = 1'795'420'578'122'093'056;
  for (const int second : {9'000, 9'100, 9'050, 9'050}) {
    s.scope.slide(seconds(std::max(second, 9'100)));
    s.add(Counter::answer_wait_ns, at(second), years_ns);
  }
  s.scope.slide(seconds(9'200));
  EXPECT_EQ(static_cast<std::uint64_t>(s.count(Counter::answer_wait_ns, rolling)),
            4 * static_cast<std::uint64_t>(years_ns));
  s.add(Counter::answer_wait_ns, at(9'050), -years_ns, true);
  s.add(Counter::answer_wait_ns, at(9'050), -years_ns, true);
  EXPECT_EQ(s.count(Counter::answer_wait_ns, rolling), 2 * years_ns);
  s.scope.slide(seconds(9'000 + 1'803));  // the oldest of the two left has gone
  EXPECT_EQ(s.count(Counter::answer_wait_ns, rolling), years_ns);
  s.scope.slide(seconds(20'000));
  EXPECT_EQ(s.count(Counter::answer_wait_ns, rolling), 0);
}

TEST(CalendarWindows, BooksAFactWhereItBecomesKnownAndACorrectionWhereTheFactWas) {
  Scoped s;
  s.roll(at(0));
  s.add(Counter::missed, at(10));
  s.roll(at(1000));
  s.add(Counter::offered, at(20));           // learnt late: counts in this interval
  s.add(Counter::missed, at(10), -1, true);  // that interval is closed: taken off the day only
  EXPECT_EQ(s.count(Counter::offered, calendar(Period::interval)), 1);
  EXPECT_EQ(s.count(Counter::missed, calendar(Period::interval)), 0);
  EXPECT_EQ(s.count(Counter::missed, calendar(Period::day)), 0);
  s.roll(at(86'400));
  s.add(Counter::missed, at(10), -1, true);  // the day is closed, too
  EXPECT_EQ(s.count(Counter::missed, calendar(Period::day)), 0);
  EXPECT_EQ(s.count(Counter::missed, calendar(Period::month)), -1);
  ASSERT_EQ(s.scope.history().size(), 2U);
  EXPECT_EQ(s.scope.history()[0].missed, 1);
}

TEST(CalendarWindows, DayIsTheSumOfItsIntervalsAndEndsWithThem) {
  Scoped s;
  for (int i = 0; i < 96; ++i) {
    s.roll(at(i * 900));
    s.add(Counter::offered, at(i * 900));
    s.scope.add_wait(seconds(i), 1, at(i * 900), seconds(i * 900));
  }
  EXPECT_EQ(s.count(Counter::offered, calendar(Period::day)), 96);
  EXPECT_EQ(s.count(Counter::offered, calendar(Period::hour)), 4);
  EXPECT_EQ(s.scope.tally(calendar(Period::hour)).waits.count(), 4);
  s.roll(at(86400));
  EXPECT_EQ(s.count(Counter::offered, calendar(Period::day)), 0);
  EXPECT_EQ(s.count(Counter::offered, calendar(Period::month)), 96);
  EXPECT_EQ(s.scope.tally(calendar(Period::month)).waits.count(), 96);
}

TEST(CalendarWindows, GoOnInAnotherScopeThatKeepsOtherWindows) {
  Scoped old;
  old.scope.keep(half_hour);
  old.roll(at(0));
  old.add(Counter::offered, at(1));
  Scoped next;
  next.scope.keep(half_hour);
  next.scope.keep(minutes(5));
  next.scope.inherit(old.scope);
  next.add(Counter::offered, at(2));
  EXPECT_EQ(next.count(Counter::offered, calendar(Period::day)), 2);
  EXPECT_EQ(next.count(Counter::offered, rolling), 2);
  EXPECT_EQ(next.count(Counter::offered, {Window::Kind::rolling, minutes(5)}), 1);
  EXPECT_EQ(next.count(Counter::offered, {Window::Kind::rolling, minutes(7)}), 0);  // not kept
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
