// Opening hours as people write them: "Mon-Fri 08:00-18:00", "Mon,Wed 08:00-12:00,13:00-17:00".
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/calendar.hpp"

namespace reach::settings {

/// Adds a line "DAYS HOURS" to `week` ([0] is Monday). DAYS: names, ranges and lists of them; HOURS as below.
/// Returns what is wrong with it, or nullopt. Overlapping hours are wrong.
[[nodiscard]] std::optional<std::string> add_opening(std::string_view line, std::array<Calendar::Day, 7>& week);

/// Adds "08:00-12:00" or a list "08:00-12:00,13:00-24:00" to `day`. Returns what is wrong with it, or nullopt.
[[nodiscard]] std::optional<std::string> add_hours(std::string_view text, Calendar::Day& day);

}  // namespace reach::settings
