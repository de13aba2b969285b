// Time zones by name, compiled into the core's plain tables.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/calendar.hpp"

namespace reach::settings {

/// The zone called `name` in the system's time zone database ("Europe/Berlin", "UTC") with every change of its
/// offset from 1970 to 2100; nullopt if there is none. Reads the database once per name and process.
[[nodiscard]] std::optional<Zone> zone_named(std::string_view name);

/// The name in the database that `name` was probably meant to be; empty if none is near.
[[nodiscard]] std::string nearest_zone_name(std::string_view name);

}  // namespace reach::settings
