#include "clients/adapters/simulator/day.hpp"

#include <gtest/gtest.h>

namespace reach::simulator {
namespace {

using std::chrono::minutes;

TEST(DayCurve, AveragesToOneOverTheOpenHours) {
  double sum = 0;
  for (int minute = 8 * 60; minute < 18 * 60; ++minute) sum += day_curve((minute + 0.5) / 60) / 60;
  EXPECT_NEAR(sum, 10, 1e-9);
}

TEST(DayCurve, HasTwoPeaksAndIsSilentAtNight) {
  EXPECT_GT(day_curve(10), day_curve(9));
  EXPECT_GT(day_curve(10), day_curve(13));
  EXPECT_GT(day_curve(15), day_curve(13));
  EXPECT_GT(day_curve(15), day_curve(17));
  EXPECT_EQ(day_curve(7), 0);
  EXPECT_EQ(day_curve(22), 0);
  for (int minute = 0; minute < 24 * 60; ++minute) EXPECT_LE(day_curve(minute / 60.0), day_curve_peak);
}

TEST(DayClock, ReadsAndPlansTheSameHour) {
  const Time start = time_from_ns(0);
  const DayClock clock(start, 0, 8.5, 20);
  EXPECT_EQ(clock.when(0, 8.75), start + std::chrono::seconds(45));
  const DayTime time = clock.at(clock.when(3, 14.25));
  EXPECT_EQ(time.day, 3);
  EXPECT_EQ(time.weekday, 3);
  EXPECT_NEAR(time.hour, 14.25, 1e-6);
}

TEST(DayClock, LeavesOutNightsAndWeekendsOnlyWhenFast) {
  const Time start = time_from_ns(0);
  const DayClock real(start, 4, 18, 1);
  EXPECT_EQ(real.at(start + minutes(60)).hour, 19);
  EXPECT_EQ(real.at(start + minutes(24 * 60)).weekday, 5);
  const DayClock fast(start, 4, 18, 60);
  const DayTime later = fast.at(start + minutes(1));
  EXPECT_EQ(later.weekday, 0);  // Friday 18:30 is followed by Monday 07:30
  EXPECT_NEAR(later.hour, 8.0, 1e-6);
}

TEST(DayClock, MovesANightStartIntoTheDayWhenFast) {
  const DayClock clock(time_from_ns(0), 6, 3, 20);
  const DayTime time = clock.at(time_from_ns(0));
  EXPECT_EQ(time.weekday, 0);
  EXPECT_NEAR(time.hour, 7.5, 1e-6);
}

TEST(DayTexts, AreReadAndWritten) {
  EXPECT_EQ(to_text({0, 0, 8.75}), "Monday 08:45");
  EXPECT_EQ(weekday_from("monday"), 0);
  EXPECT_EQ(weekday_from("Fri"), 4);
  EXPECT_EQ(weekday_from("mo"), std::nullopt);
  EXPECT_EQ(hour_from("08:30"), 8.5);
  EXPECT_EQ(hour_from("24:00"), std::nullopt);
  EXPECT_EQ(hour_from("8h"), std::nullopt);
}

}  // namespace
}  // namespace reach::simulator
