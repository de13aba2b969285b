#include "daemon/shell/clock.hpp"

#include <gtest/gtest.h>

namespace reach::shell {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const Time noon = time_from_ns(1'764'000'000'000'000'000);
const CoreClock::Steady boot{};

TEST(CoreClock, RunsWithTheWallClock) {
  CoreClock clock(noon, boot, {});
  for (int s = 1; s <= 100; ++s) EXPECT_EQ(clock.advance(noon + seconds(s), boot + seconds(s)), noon + seconds(s));
}

TEST(CoreClock, IsNotStartledByAnHourEitherWay) {
  for (const Duration step : {Duration(hours(1)), Duration(hours(-1))}) {
    CoreClock clock(noon, boot, {});
    const Time before = clock.advance(noon + seconds(1), boot + seconds(1));
    const Time after = clock.advance(noon + step + seconds(21), boot + seconds(21));
    const Duration felt = after - before;
    EXPECT_GE(felt, seconds(19)) << "a caller waits 20 s, whatever the clock on the wall says";
    EXPECT_LE(felt, seconds(21));
    EXPECT_GT(std::chrono::abs(clock.behind_wall()), minutes(59));
  }
}

TEST(CoreClock, FollowsWithinADayAndNeverStepsBack) {
  CoreClock clock(noon, boot, {});
  Time last = noon;
  for (int minute = 1; minute <= 24 * 60; ++minute) {
    const Time now = clock.advance(noon - hours(1) + minutes(minute), boot + minutes(minute));
    EXPECT_GT(now, last);
    last = now;
  }
  EXPECT_EQ(clock.behind_wall(), Duration{});
}

TEST(CoreClock, BeginsWhereTheLogEnded) {
  CoreClock clock(noon, boot, noon + seconds(5));
  EXPECT_GE(clock.advance(noon, boot), noon + seconds(5));
}

TEST(ClockOffset, IsZeroForClocksThatAgree) {
  ClockOffset offset;
  for (int s = 0; s < 600; ++s) {
    offset.sample(noon + seconds(s), noon + seconds(s) + milliseconds(s % 19));
    EXPECT_EQ(offset.applied(), Duration{});
  }
}

TEST(ClockOffset, FindsAClockThatIsAhead) {
  ClockOffset offset;
  for (int s = 0; s < 10; ++s) {
    offset.sample(noon + seconds(s) + minutes(3), noon + seconds(s) + milliseconds(1 + 40 * (s % 3)));
  }
  EXPECT_NEAR(seconds_of(offset.applied()), 180, 0.005);
}

TEST(ClockOffset, IsExactlyZeroAgainAfterTheClocksCameTogether) {
  ClockOffset offset;
  for (int s = 0; s < 10; ++s) offset.sample(noon + seconds(s) - seconds(60), noon + seconds(s));
  EXPECT_EQ(offset.applied(), -seconds(60));
  offset.sample(noon + seconds(10), noon + seconds(10) + milliseconds(2));
  EXPECT_EQ(offset.applied(), Duration{});
}

TEST(ClockOffset, IsNotMovedByOneSlowMessage) {
  ClockOffset offset;
  for (int s = 0; s < 100; ++s) {
    offset.sample(noon + seconds(s), noon + seconds(s) + (s == 50 ? Duration(seconds(30)) : Duration(milliseconds(2))));
  }
  EXPECT_EQ(offset.applied(), Duration{});
}

TEST(ClockOffset, IsNotMovedByASlowFirstMessage) {
  // A daemon under load reads the Hello late, and what is sent behind it waits in the same queue.
  ClockOffset offset;
  for (int ms = 0; ms < 400; ms += 10) {
    offset.sample(noon, noon + milliseconds(400 + ms));
    EXPECT_EQ(offset.applied(), Duration{});
  }
}

TEST(ClockOffset, KeepsWhatWasKnownThroughASlowReconnect) {
  ClockOffset offset(minutes(3));
  offset.sample(noon + minutes(3), noon + milliseconds(800));
  EXPECT_EQ(offset.applied(), minutes(3));
}

TEST(ClockOffset, BelievesAClockThatLagsByLittleWhenItLasts) {
  ClockOffset offset;
  for (int s = 0; s < 119; ++s) offset.sample(noon + seconds(s) - milliseconds(300), noon + seconds(s));
  EXPECT_EQ(offset.applied(), Duration{});
  for (int s = 119; s < 125; ++s) offset.sample(noon + seconds(s) - milliseconds(300), noon + seconds(s));
  EXPECT_EQ(offset.applied(), -milliseconds(300));
}

TEST(ClockOffset, FollowsAClockThatWasSetWithinSeconds) {
  for (const Duration step : {Duration(hours(1)), Duration(hours(-1))}) {
    ClockOffset offset;
    for (int s = 0; s < 60; ++s) offset.sample(noon + seconds(s), noon + seconds(s));
    for (int s = 60; s < 70; ++s) offset.sample(noon + seconds(s) + step, noon + seconds(s));
    EXPECT_EQ(offset.applied(), step);
  }
}

}  // namespace
}  // namespace reach::shell
