// Points and spans of time as every part of reachd uses them, and their text forms.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reach {

using Duration = std::chrono::nanoseconds;
/// A point in time: UTC nanoseconds since 1970-01-01 00:00:00, range 1678 to 2262.
using Time = std::chrono::sys_time<Duration>;

/// "Never": later than every point in time that can be meant.
inline constexpr Time never = Time::max();

[[nodiscard]] constexpr Time time_from_ns(std::int64_t ns) noexcept {
  return Time(Duration(ns));
}
[[nodiscard]] constexpr std::int64_t ns_of(Time t) noexcept {
  return t.time_since_epoch().count();
}
/// `d` in seconds, as figures and people want it.
[[nodiscard]] constexpr double seconds_of(Duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

/// RFC 3339 in UTC with as many fraction digits (0, 3, 6 or 9) as `t` needs: "2026-11-23T08:00:00.250Z".
[[nodiscard]] std::string to_rfc3339(Time t);

/// Reads RFC 3339 ("2026-11-23T08:00:00.250Z", "…+01:00", fraction of 0 to 9 digits, 'T' or blank).
/// Returns nullopt for anything else, impossible dates included. Leap second 60 is read as the next second.
[[nodiscard]] std::optional<Time> parse_rfc3339(std::string_view text);

/// Reads a span of time: one or more NUMBER UNIT pairs, largest first ("20s", "1h30m", "250ms", "1.5h", "2d").
/// Units: ms s m h d. Returns nullopt for anything else (a bare number too: it has no unit) and for negative spans.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

/// The shortest text that parse_duration() reads back: "20s", "1h30m", "250ms", "0s".
[[nodiscard]] std::string format_duration(Duration d);

}  // namespace reach
