// The clock on the office wall and what depends on it: how much arrives at which hour.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/time.hpp"

namespace reach::simulator {

/// A moment of the office's week.
struct DayTime {
  int day = 0;      ///< working days since the start, 0 = the first
  int weekday = 0;  ///< 0 = Monday … 6 = Sunday
  double hour = 0;  ///< 0 ≤ hour < 24
};

/// "Monday 08:45".
[[nodiscard]] std::string to_text(const DayTime& time);
/// "monday", "Mon" … as 0..6; nullopt for anything else.
[[nodiscard]] std::optional<int> weekday_from(std::string_view text);
/// "08:30" as hours (8.5); nullopt for anything else.
[[nodiscard]] std::optional<double> hour_from(std::string_view text);

/// Maps the world's time (in which people wait and talk) onto the office's day.
///
/// `speed` 1: both run alike, nights and weekends included. `speed` N > 1: the day passes N times as fast, and the
/// hours in which nobody works (18:30 to 07:30, Saturday, Sunday) are left out. The offset to UTC does not change
/// during a run: a run over a change to or from summer time is an hour off afterwards.
class DayClock {
 public:
  /// At `start` the office's clock shows `hour` on `weekday`. With speed > 1 an hour outside the working day is moved
  /// to its nearer end, a Saturday or Sunday to Monday.
  DayClock(Time start, int weekday, double hour, double speed);
  [[nodiscard]] DayTime at(Time t) const;
  /// When the clock shows `hour` on working day `day`; may lie before the start.
  [[nodiscard]] Time when(int day, double hour) const;
  [[nodiscard]] int weekday_of(int day) const;
  /// World time that `hours` of the office's day take.
  [[nodiscard]] Duration span(double hours) const;
  [[nodiscard]] double speed() const noexcept { return speed_; }

 private:
  Time start_;
  int weekday_;
  double hour_, speed_;
  double begin_ = 0, length_ = 24;  ///< hours of a day that are lived through
};

/// Arrivals of the hour relative to the mean of 08:00 to 18:00: two peaks, at 10:00 (1.5) and 15:00 (1.3), 0 outside
/// 07:30 to 18:30. Linear between full hours. Its integral from 8 to 18 is 10.
[[nodiscard]] double day_curve(double hour);
/// Its highest value, for thinning.
inline constexpr double day_curve_peak = 1.5;

/// Volume of the weekday relative to the mean working day: Monday 1.15 … Friday 0.85, weekend 0.
[[nodiscard]] double weekday_factor(int weekday);

}  // namespace reach::simulator
