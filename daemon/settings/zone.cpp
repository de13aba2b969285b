#include "daemon/settings/zone.hpp"

#include <absl/time/time.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

#include "daemon/settings/nearest.hpp"

namespace reach::settings {
namespace {

/// Only names that stay inside the database: its reader would open any file.
bool is_zone_name(std::string_view name) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("/_+-").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' && name != "localtime" &&
         std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

// Not date-tz: on Debian it reads the explicit changes only, which end in 2037, and knows no daylight saving after.
std::optional<Zone> zone_named(std::string_view name) {
  if (!is_zone_name(name)) return std::nullopt;
  absl::TimeZone source;
  if (!absl::LoadTimeZone(std::string(name), &source)) return std::nullopt;
  const auto offset_at = [&](absl::Time t) { return Duration(std::chrono::seconds(source.At(t).offset)); };

  Zone zone;
  zone.name = name;
  auto t = absl::UnixEpoch();
  zone.changes.push_back({Time{}, offset_at(t)});
  const auto end = absl::FromCivil(absl::CivilDay(2101, 1, 1), absl::UTCTimeZone());
  absl::TimeZone::CivilTransition change;
  while (source.NextTransition(t, &change)) {
    // Civil times name the instant but for one that is skipped or doubled, where both readings are at hand.
    const auto info = source.At(change.to);
    t = info.kind == absl::TimeZone::TimeInfo::REPEATED || info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans
                                                                                                          : info.pre;
    if (t >= end) break;
    const auto offset = offset_at(t);
    if (offset != zone.changes.back().utc_offset)
      zone.changes.push_back({Time(absl::ToChronoNanoseconds(t - absl::UnixEpoch())), offset});
  }
  if (zone.changes.size() == 1 && zone.changes.front().utc_offset == Duration{}) zone.changes.clear();
  return zone;
}

std::string nearest_zone_name(std::string_view name) {
  // Lines "Z NAME …" of zones and "L TARGET NAME" of their other names.
  std::ifstream list("/usr/share/zoneinfo/tzdata.zi");
  std::vector<std::string> names{"UTC"};
  for (std::string line; std::getline(list, line);) {
    std::istringstream words(line);
    std::string kind, first, second;
    words >> kind >> first >> second;
    if (kind == "Z") names.push_back(first);
    if (kind == "L") names.push_back(second);
  }
  if (auto found = nearest(name, names); !found.empty()) return found;
  for (const auto& candidate : names) {  // "Berlin"
    const auto slash = candidate.rfind('/');
    if (slash != std::string::npos && edit_distance(name, candidate.substr(slash + 1)) <= 1) return candidate;
  }
  return {};
}

}  // namespace reach::settings
