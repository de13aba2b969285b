#include "daemon/base/time.hpp"

#include <array>
#include <cstdio>

namespace reach {
namespace {

using std::chrono::days;

/// Reads exactly `width` digits at `pos` and moves on; -1 if there are none.
int digits(std::string_view text, std::size_t& pos, std::size_t width) {
  if (pos + width > text.size()) return -1;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const char c = text[pos + i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  pos += width;
  return value;
}

bool literal(std::string_view text, std::size_t& pos, std::string_view one_of) {
  if (pos >= text.size() || one_of.find(text[pos]) == std::string_view::npos) return false;
  ++pos;
  return true;
}

}  // namespace

std::string to_rfc3339(Time t) {
  const auto day = std::chrono::floor<days>(t);
  const std::chrono::year_month_day ymd(day);
  const auto of_day = std::chrono::floor<std::chrono::seconds>(t - day).count();
  const long long fraction = (t - std::chrono::floor<std::chrono::seconds>(t)).count();
  std::array<char, 48> text{};
  int n =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(ymd.year()),
                    static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                    static_cast<int>(of_day / 3600), static_cast<int>(of_day / 60 % 60), static_cast<int>(of_day % 60));
  const auto rest = static_cast<std::size_t>(n);
  if (fraction != 0) {
    if (fraction % 1'000'000 == 0)
      n += std::snprintf(text.data() + rest, text.size() - rest, ".%03lld", fraction / 1'000'000);
    else if (fraction % 1'000 == 0)
      n += std::snprintf(text.data() + rest, text.size() - rest, ".%06lld", fraction / 1'000);
    else
      n += std::snprintf(text.data() + rest, text.size() - rest, ".%09lld", fraction);
  }
  return std::string(text.data(), static_cast<std::size_t>(n)) + 'Z';
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  std::size_t pos = 0;
  const int year = digits(text, pos, 4);
  if (year < 1678 || year > 2261 || !literal(text, pos, "-")) return std::nullopt;
  const int month = digits(text, pos, 2);
  if (!literal(text, pos, "-")) return std::nullopt;
  const int day = digits(text, pos, 2);
  const std::chrono::year_month_day ymd{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                        std::chrono::day(static_cast<unsigned>(day))};
  if (month < 1 || day < 1 || !ymd.ok() || !literal(text, pos, "Tt ")) return std::nullopt;
  const int hour = digits(text, pos, 2);
  if (hour < 0 || hour > 23 || !literal(text, pos, ":")) return std::nullopt;
  const int minute = digits(text, pos, 2);
  if (minute < 0 || minute > 59 || !literal(text, pos, ":")) return std::nullopt;
  const int second = digits(text, pos, 2);
  if (second < 0 || second > 60) return std::nullopt;
  std::int64_t fraction = 0;
  if (pos < text.size() && text[pos] == '.') {
    ++pos;
    int count = 0;
    while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
      if (++count > 9) return std::nullopt;
      fraction = fraction * 10 + (text[pos++] - '0');
    }
    if (count == 0) return std::nullopt;
    for (; count < 9; ++count) fraction *= 10;
  }
  int offset_minutes = 0;
  if (!literal(text, pos, "Zz")) {
    if (pos >= text.size() || (text[pos] != '+' && text[pos] != '-')) return std::nullopt;
    const int sign = text[pos++] == '-' ? -1 : 1;
    const int hours = digits(text, pos, 2);
    if (hours < 0 || hours > 23 || !literal(text, pos, ":")) return std::nullopt;
    const int minutes = digits(text, pos, 2);
    if (minutes < 0 || minutes > 59) return std::nullopt;
    offset_minutes = sign * (hours * 60 + minutes);
  }
  if (pos != text.size()) return std::nullopt;
  return Time(std::chrono::sys_days(ymd)) + std::chrono::hours(hour) + std::chrono::minutes(minute - offset_minutes) +
         std::chrono::seconds(second) + Duration(fraction);
}

}  // namespace reach
