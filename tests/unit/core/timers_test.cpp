#include "daemon/core/timers.hpp"

#include <gtest/gtest.h>

namespace reach {
namespace {

Time at(int second) {
  return Time(std::chrono::seconds(second));
}

TEST(Timers, GiveWhatIsDueInOrderWithBoundariesFirst) {
  Timers timers;
  timers.arm(TimerKind::line, 1, at(20));
  timers.arm(TimerKind::period, 0, at(20));
  timers.arm(TimerKind::line, 2, at(10));
  EXPECT_EQ(timers.next(), at(10));
  EXPECT_EQ(timers.take(at(20), false)->subject, 2U);
  EXPECT_EQ(timers.take(at(20), false)->kind, TimerKind::period);
  EXPECT_FALSE(timers.take(at(20), false).has_value());  // events of that instant come first
  EXPECT_EQ(timers.take(at(20), true)->kind, TimerKind::line);
  EXPECT_EQ(timers.next(), never);
}

TEST(Timers, MoveWhenArmedAgainAndAreGoneWhenCancelled) {
  Timers timers;
  for (std::uint32_t i = 0; i < 100; ++i) timers.arm(TimerKind::alert, i, at(static_cast<int>(1000 - i)));
  timers.arm(TimerKind::alert, 99, at(2000));
  timers.cancel(TimerKind::alert, 98);
  timers.arm(TimerKind::alert, 97, never);
  EXPECT_EQ(timers.take(at(5000), true)->subject, 96U);
  int left = 0;
  Time last{};
  while (const auto due = timers.take(at(5000), true)) {
    EXPECT_LE(last, due->at);
    last = due->at;
    ++left;
  }
  EXPECT_EQ(left, 97);
}

}  // namespace
}  // namespace reach
