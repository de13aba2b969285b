#include "clients/adapters/simulator/day.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace reach::simulator {

namespace {
constexpr std::array<std::string_view, 7> names = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};
// Half past seven, then every full hour from 8 to 18, then half past six.
constexpr std::array<double, 13> curve_hours = {7.5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 18.5};
constexpr std::array<double, 13> curve_values = {0, 0.55, 1.15, 1.5, 1.3, 0.85, 0.7, 1.15, 1.3, 1.075, 0.65, 0.1, 0};

Duration hours_to_duration(double hours) {
  return std::chrono::round<Duration>(std::chrono::duration<double, std::ratio<3600>>(hours));
}
double hours_of(Duration d) {
  return seconds_of(d) / 3600;
}
}  // namespace

std::string to_text(const DayTime& time) {
  const int minutes = static_cast<int>(std::floor(time.hour * 60 + 1e-6));
  char text[32];
  std::snprintf(text, sizeof text, "%s %02d:%02d", names[time.weekday].data(), minutes / 60, minutes % 60);
  return text;
}

std::optional<int> weekday_from(std::string_view text) {
  if (text.size() < 3) return std::nullopt;
  for (int day = 0; day < 7; ++day) {
    const std::string_view name = names[day];
    if (text.size() != 3 && text.size() != name.size()) continue;
    if (std::equal(text.begin(), text.end(), name.begin(),
                   [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); })) {
      return day;
    }
  }
  return std::nullopt;
}

std::optional<double> hour_from(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  int hour = 0;
  int minute = 0;
  const auto number = [](std::string_view part, int& value) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc() && end == part.data() + part.size();
  };
  if (!number(text.substr(0, colon), hour) || !number(text.substr(colon + 1), minute)) return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return std::nullopt;
  return hour + minute / 60.0;
}

DayClock::DayClock(Time start, int weekday, double hour, double speed)
    : start_(start), weekday_(weekday), hour_(hour), speed_(speed) {
  if (speed_ <= 1) return;
  begin_ = curve_hours.front();
  length_ = curve_hours.back() - begin_;
  hour_ = std::clamp(hour_, begin_, curve_hours.back());
  if (weekday_ > 4) weekday_ = 0;
}

DayTime DayClock::at(Time t) const {
  const double lived = hour_ - begin_ + hours_of(t - start_) * speed_;
  const double day = std::floor(lived / length_);
  DayTime result;
  result.day = static_cast<int>(day);
  result.weekday = weekday_of(result.day);
  result.hour = begin_ + (lived - day * length_);
  return result;
}

Time DayClock::when(int day, double hour) const {
  return start_ + span(day * length_ + hour - hour_);
}

int DayClock::weekday_of(int day) const {
  const int week = speed_ > 1 ? 5 : 7;
  return ((weekday_ + day) % week + week) % week;
}

Duration DayClock::span(double hours) const {
  return hours_to_duration(hours / speed_);
}

double day_curve(double hour) {
  if (hour <= curve_hours.front() || hour >= curve_hours.back()) return 0;
  const auto after = std::upper_bound(curve_hours.begin(), curve_hours.end(), hour);
  const auto i = static_cast<std::size_t>(after - curve_hours.begin());
  const double share = (hour - curve_hours[i - 1]) / (curve_hours[i] - curve_hours[i - 1]);
  return curve_values[i - 1] + share * (curve_values[i] - curve_values[i - 1]);
}

double weekday_factor(int weekday) {
  constexpr std::array<double, 7> factors = {1.15, 1.05, 1.0, 0.95, 0.85, 0, 0};
  return factors[weekday];
}

}  // namespace reach::simulator
