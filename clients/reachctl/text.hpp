// Text for people: numbers with their sample size, spans, times, aligned columns.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/time.hpp"

namespace reach::ctl {

/// What is absent: never 0, never 100 %.
inline constexpr const char* dash = "–";

/// 0.756 is "76 %"; a ratio that is not exactly 1 or 0 is never rounded to it ("> 99 %", "< 1 %").
[[nodiscard]] std::string percent(double ratio);
/// "75 % (3 of 4)"; the dash when nothing was decided.
[[nodiscard]] std::string percent_of(std::int64_t part, std::int64_t whole);
/// A ratio known with its sample size only: "75 % (3 of 4)"; the dash if absent.
[[nodiscard]] std::string percent_of(std::optional<double> ratio, std::int64_t samples);
/// Seconds as a wait is read: "0:07", "12:05", "1:02:05"; the dash if absent.
[[nodiscard]] std::string clock_text(std::optional<double> seconds);
/// A number with at most `digits` after the point, none that are 0.
[[nodiscard]] std::string number(double value, int digits = 1);
/// "2026-11-23 09:15:00" in the machine's own time zone; `date` false: the time of day only.
[[nodiscard]] std::string local_time(Time t, bool date = true);
/// The same for a *_ns field; the dash for 0.
[[nodiscard]] std::string local_time_ns(std::uint64_t ns, bool date = true);

/// Columns a terminal needs for `text` (UTF-8; East Asian wide characters count as one).
[[nodiscard]] std::size_t width_of(std::string_view text);
/// `text`, made printable, filled with blanks, or cut with an ellipsis, to exactly `width` columns.
[[nodiscard]] std::string fit(std::string_view text, std::size_t width, bool right = false);

/// Aligned columns of texts that are made printable. A column whose title begins with '>' is right-aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> titles);
  void add(std::vector<std::string> cells);  ///< as many as there are titles
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  /// One line a row, each begun with `indent` blanks, without blanks at the ends.
  [[nodiscard]] std::string text(std::size_t indent = 0) const;

 private:
  std::vector<std::string> titles_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace reach::ctl
