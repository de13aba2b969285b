#include "daemon/settings/hours.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "daemon/settings/document.hpp"

namespace reach::settings {
namespace {

constexpr std::array<std::string_view, 7> day_names{"monday", "tuesday",  "wednesday", "thursday",
                                                    "friday", "saturday", "sunday"};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    auto part = text.substr(0, end);
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    part = part.substr(0, part.find_last_not_of(' ') + 1);
    parts.push_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// "Mon", "monday" … → 0 to 6.
std::optional<std::size_t> weekday_from(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (std::size_t i = 0; i < day_names.size(); ++i) {
    if (lower == day_names[i] || lower == day_names[i].substr(0, 3)) return i;
  }
  return std::nullopt;
}

/// "08:00" to "24:00".
std::optional<Duration> time_from(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 2 || text.size() != colon + 3) return std::nullopt;
  const auto number = [](std::string_view digits) {
    int value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() ? value : -1;
  };
  const int hour = number(text.substr(0, colon));
  const int minute = number(text.substr(colon + 1));
  if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > 24 * 60) return std::nullopt;
  return std::chrono::minutes(hour * 60 + minute);
}

std::optional<std::string> add_range(Calendar::Hours hours, Calendar::Day& day) {
  const auto next = std::lower_bound(day.begin(), day.end(), hours.from,
                                     [](const Calendar::Hours& a, Duration from) { return a.from < from; });
  const bool overlaps =
      (next != day.end() && next->from < hours.to) || (next != day.begin() && std::prev(next)->to > hours.from);
  if (overlaps) return "overlaps other hours of the same day";
  day.insert(next, hours);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> add_hours(std::string_view text, Calendar::Day& day) {
  for (const auto part : split(text, ',')) {
    const auto ends = split(part, '-');
    if (ends.size() != 2) return "has " + in_quotes(part) + " where hours belong";
    const auto from = time_from(ends[0]);
    const auto to = time_from(ends[1]);
    if (!from || !to) return "has " + in_quotes(part) + " where hours belong";
    if (*from == *to) return "opens and closes at the same time";
    if (*from > *to)
      return "closes before it opens (past midnight: write \"22:00-24:00\" and, for the next day, \"00:00-06:00\")";
    if (auto problem = add_range({*from, *to}, day)) return problem;
  }
  return std::nullopt;
}

std::optional<std::string> add_opening(std::string_view line, std::array<Calendar::Day, 7>& week) {
  // Days end where the first digit begins.
  const auto digit = line.find_first_of("0123456789");
  if (digit == std::string_view::npos) return "has no hours";
  std::array<bool, 7> meant{};
  for (const auto part : split(line.substr(0, digit), ',')) {
    const auto ends = split(part, '-');
    const auto first = weekday_from(ends.front());
    const auto last = weekday_from(ends.back());
    if (!first || !last || ends.size() > 2) return "has " + in_quotes(part) + " where days belong";
    for (auto i = *first;; i = (i + 1) % 7) {  // Sat-Mon goes over the end of the week
      meant[i] = true;
      if (i == *last) break;
    }
  }
  for (std::size_t i = 0; i < week.size(); ++i) {
    if (!meant[i]) continue;
    if (auto problem = add_hours(line.substr(digit), week[i])) return problem;
  }
  return std::nullopt;
}

}  // namespace reach::settings
