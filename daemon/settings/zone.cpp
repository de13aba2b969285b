#include "daemon/settings/zone.hpp"

#include <absl/time/time.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <vector>

#include "daemon/base/nearest.hpp"

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

/// All names in the database, in its order; empty if there is no list of them. Read once.
const std::vector<std::string>& zone_names() {
  static const std::vector<std::string> names = [] {
    // Lines "Z NAME …" of zones and "L TARGET NAME" of their other names.
    std::ifstream list("/usr/share/zoneinfo/tzdata.zi");
    std::vector<std::string> found;
    for (std::string line; std::getline(list, line);) {
      std::istringstream words(line);
      std::string kind, first, second;
      words >> kind >> first >> second;
      if (kind == "Z") found.push_back(first);
      if (kind == "L") found.push_back(second);
    }
    if (!found.empty()) found.insert(found.begin(), "UTC");
    return found;
  }();
  return names;
}

// Not date-tz: on Debian it reads the explicit changes only, which end in 2037, and knows no daylight saving after.
std::optional<Zone> read_zone(std::string_view name) {
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

}  // namespace

std::optional<Zone> zone_named(std::string_view name) {
  if (!is_zone_name(name)) return std::nullopt;
  static const std::set<std::string_view> known(zone_names().begin(), zone_names().end());
  // Abseil remembers for ever whatever it was asked for: it is not asked for what is not there.
  if (!known.empty() && !known.contains(name)) return std::nullopt;
  static std::mutex mutex;
  static std::map<std::string, std::optional<Zone>, std::less<>> read;
  const std::lock_guard lock(mutex);
  const auto found = read.find(name);
  return found != read.end() ? found->second : read.emplace(name, read_zone(name)).first->second;
}

std::string nearest_zone_name(std::string_view name) {
  if (auto found = nearest(name, zone_names()); !found.empty()) return found;
  for (const std::string& candidate : zone_names()) {  // "Berlin"
    const auto slash = candidate.rfind('/');
    if (slash == std::string::npos) continue;
    const std::string_view city = std::string_view(candidate).substr(slash + 1);
    const bool as_long = city.size() <= name.size() + 1 && name.size() <= city.size() + 1;
    if (as_long && edit_distance(name, city, 2) <= 1) return candidate;
  }
  return {};
}

}  // namespace reach::settings
