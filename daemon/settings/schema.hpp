// The sections and keys of the configuration, and what they are read into before names are resolved.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/config.hpp"
#include "daemon/settings/keys.hpp"
#include "daemon/settings/settings.hpp"

namespace reach::settings {

struct HolidayDraft {
  std::chrono::sys_days date;
  std::string name;
  Calendar::Day hours;
  Place place;
};

struct CalendarDraft {
  std::string id;
  std::vector<std::string> open;
  std::vector<HolidayDraft> holidays;
};

struct ContractDraft : ContractConfig {
  std::string timezone;
  std::string calendar_id;
  std::vector<std::string> open;
  std::vector<Item<ObjectiveConfig>> objective_items;
};

/// Everything as it was written, each thing with its place.
struct Draft {
  std::string timezone = "UTC";
  Duration interval = Config{}.interval;
  Duration stale_after = Config{}.stale_after;
  Duration expire_after = Config{}.expire_after;
  std::int64_t minimum_group = Config{}.minimum_group;
  std::vector<Item<SegmentConfig>> segments;
  std::vector<Item<ServiceConfig>> services;
  std::vector<Item<CalendarDraft>> calendars;
  std::vector<Item<ContractDraft>> contracts;
  std::vector<Item<PoolConfig>> pools;
  std::vector<Item<SourceConfig>> sources;
  DaemonSettings daemon;
};

/// The root section: all others hang below it.
[[nodiscard]] const Section<Draft>& schema();

/// The title of a section that has a key of this name, "[[service]]"; empty if none has.
[[nodiscard]] std::string section_with(std::string_view key);

/// Resolves names, fills in what is derived, and checks everything that concerns more than one value.
[[nodiscard]] Config resolve(const Draft& draft, Checker& checker);

}  // namespace reach::settings
