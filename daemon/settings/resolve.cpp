// From what was written to what the core needs: names resolved, defaults derived, contradictions said.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "daemon/base/nearest.hpp"
#include "daemon/settings/endpoint.hpp"
#include "daemon/settings/hours.hpp"
#include "daemon/settings/schema.hpp"
#include "daemon/settings/zone.hpp"

namespace reach::settings {
namespace {

using Names = std::map<std::string, Place>;

template <class T>
Names names_of(const std::vector<Item<T>>& items, const std::string& kind, Checker& checker) {
  Names names;
  for (const auto& item : items) {
    if (item.made.id.empty()) continue;  // said to be missing already
    const auto place = item.spot.at("id");
    const auto [earlier, is_new] = names.emplace(item.made.id, place);
    if (!is_new) {
      checker.say(
          place,
          "the " + kind + " " + in_quotes(item.made.id) + " is already there " + checker.where(earlier->second, place),
          "expected each id once");
    }
  }
  return names;
}

bool check_name(const Names& names, const std::string& kind, const std::string& name, const Place& place,
                Checker& checker) {
  if (name.empty() || names.count(name) != 0) return true;
  std::vector<std::string> known;
  for (const auto& [id, where] : names) known.push_back(id);
  std::string expected;
  if (const auto near = nearest(name, known); !near.empty()) {
    expected = "did you mean " + in_quotes(near) + "?";
  } else if (known.empty()) {
    expected = "expected a [[" + kind + "]] with this id";
  } else {
    for (const auto& id : known) expected += (expected.empty() ? "expected one of " : ", ") + in_quotes(id);
  }
  checker.say_if_complete(place, "there is no " + kind + " " + in_quotes(name), expected);
  return false;
}

Zone zone_of(const std::string& name, const Place& place, Checker& checker) {
  if (auto zone = zone_named(name)) return std::move(*zone);
  const auto near = nearest_zone_name(name);
  checker.say(place, "there is no time zone " + in_quotes(name),
              near.empty() ? "expected a name such as \"Europe/Berlin\"" : "did you mean " + in_quotes(near) + "?");
  return {};
}

bool any_bad(const Spot& spot, std::initializer_list<std::string_view> keys, const Checker& checker) {
  return std::any_of(keys.begin(), keys.end(), [&](std::string_view key) { return checker.is_bad(spot.get(key)); });
}

// ---- segments, services, pools
// -------------------------------------------------------------------------------------------

void check_segments(const Draft& draft, const Names& segments, const Names& services, Checker& checker) {
  struct Owner {
    std::string segment;
    Place place;
  };
  std::map<std::pair<std::string, std::string>, Owner> owners;
  for (const auto& [segment, spot] : draft.segments) {
    for (std::size_t i = 0; i < segment.queues.size(); ++i) {
      const auto& route = segment.queues[i];
      const auto place = spot.at("queues", i);
      if (route.queue.empty()) continue;
      check_name(services, "service", route.service, place, checker);
      const auto [owner, is_new] = owners.emplace(std::pair(route.source, route.queue), Owner{segment.id, place});
      if (is_new) continue;
      checker.say(place,
                  "queue " + in_quotes(route.source.empty() ? route.queue : route.source + "/" + route.queue) +
                      " already belongs to segment " + in_quotes(owner->second.segment) + " " +
                      checker.where(owner->second.place, place),
                  "expected each queue in one segment, once");
    }
    const auto* list = spot.get("queues");
    if (list != nullptr && list->is_array() && segment.queues.empty()) {
      checker.say(spot.at("queues"), "segment " + in_quotes(segment.id) + " has no queues", "expected at least one");
    }
    for (std::size_t i = 0; i < segment.overflow_to.size(); ++i) {
      const auto place = spot.at("overflow_to", i);
      if (!segment.overflow_to[i].empty() && segment.overflow_to[i] == segment.id) {
        checker.say(place, "segment " + in_quotes(segment.id) + " overflows to itself", "expected another segment");
      } else {
        check_name(segments, "segment", segment.overflow_to[i], place, checker);
      }
    }
  }
}

void check_services(const Draft& draft, Checker& checker) {
  static const std::map<std::string, Medium> only_for{
      {"threshold", Medium::call},     {"short_abandon", Medium::call},  {"abandons", Medium::call},
      {"wait_clock", Medium::call},    {"due_in", Medium::item},         {"respond_in", Medium::item},
      {"reopen_within", Medium::item}, {"pausing_reasons", Medium::item}};
  for (const auto& [service, spot] : draft.services) {
    if (any_bad(spot, {"medium"}, checker)) continue;
    const bool calls = service.medium == Medium::call;
    for (const auto& [key, medium] : only_for) {
      if (spot.get(key) == nullptr || medium == service.medium) continue;
      checker.say(spot.at(key), key + " has no meaning for a service of medium " + (calls ? "\"call\"" : "\"item\""),
                  calls ? "expected it removed, or medium = \"item\"" : "expected it removed, or medium = \"call\"");
    }
    if (calls && service.short_abandon >= service.threshold &&
        !any_bad(spot, {"threshold", "short_abandon"}, checker)) {
      checker.say(spot.at(spot.get("short_abandon") != nullptr ? "short_abandon" : "threshold"),
                  "short_abandon (" + format_duration(service.short_abandon) + ") is not below threshold (" +
                      format_duration(service.threshold) + ")",
                  "expected a shorter short_abandon");
    }
    if (!calls && service.respond_in && *service.respond_in > service.due_in &&
        !any_bad(spot, {"respond_in", "due_in"}, checker)) {
      checker.say(spot.at("respond_in"),
                  "respond_in (" + format_duration(*service.respond_in) + ") is longer than due_in (" +
                      format_duration(service.due_in) + ")",
                  "expected the first response to be due no later than the whole");
    }
  }
}

/// Each segment in `items` at most once; where it was is returned.
template <class T>
Names check_membership(const std::vector<Item<T>>& items, const std::string& kind, const Names& segments,
                       Checker& checker) {
  Names members;
  std::map<std::string, std::string> owner;
  for (const auto& [item, spot] : items) {
    for (std::size_t i = 0; i < item.segments.size(); ++i) {
      const auto& name = item.segments[i];
      const auto place = spot.at("segments", i);
      if (name.empty() || !check_name(segments, "segment", name, place, checker)) continue;
      const auto [earlier, is_new] = members.emplace(name, place);
      if (is_new) {
        owner[name] = item.id;
        continue;
      }
      checker.say(place,
                  "segment " + in_quotes(name) + " already belongs to " + kind + " " + in_quotes(owner[name]) + " " +
                      checker.where(earlier->second, place),
                  "expected each segment in at most one " + kind);
    }
  }
  return members;
}

// ---- calendars
// -------------------------------------------------------------------------------------------------------------

std::array<Calendar::Day, 7> week_of(const std::vector<std::string>& lines, const Spot& spot, Checker& checker) {
  std::array<Calendar::Day, 7> week;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::array<Calendar::Day, 7> alone;
    if (add_opening(lines[i], alone)) continue;  // wrong by itself: said already
    if (const auto problem = add_opening(lines[i], week)) {
      checker.say(spot.at("open", i), "open = " + in_quotes(lines[i]) + " " + *problem, "expected each hour once");
    }
  }
  return week;
}

void check_holidays(const CalendarDraft& calendar, Checker& checker) {
  std::map<std::chrono::sys_days, Place> places;
  for (const auto& holiday : calendar.holidays) {
    const auto [earlier, is_new] = places.emplace(holiday.date, holiday.place);
    if (is_new) continue;
    checker.say(holiday.place, "the holiday is already in the list " + checker.where(earlier->second, holiday.place),
                "expected each date once");
  }
}

std::vector<Calendar::Exception> exceptions_of(const CalendarDraft& calendar) {
  std::map<std::chrono::sys_days, const HolidayDraft*> by_date;
  for (const auto& holiday : calendar.holidays) by_date.emplace(holiday.date, &holiday);
  std::vector<Calendar::Exception> exceptions;
  exceptions.reserve(by_date.size());
  for (const auto& [date, holiday] : by_date) exceptions.push_back({date, holiday->hours, holiday->name});
  return exceptions;
}

/// A list of opening hours that is there but empty would mean "always open", which nobody means by it.
template <class T>
void check_open_list(const Item<T>& item, Checker& checker) {
  const auto* list = item.spot.get("open");
  if (list != nullptr && list->is_array() && item.made.open.empty()) {
    checker.say(item.spot.at("open"), "open is an empty list", "expected hours, or no such key for always open");
  }
}

Calendar calendar_of(const Item<ContractDraft>& contract, const Draft& draft, const Zone& zone, Checker& checker) {
  const auto& [made, spot] = contract;
  auto own_zone = made.timezone.empty() ? zone : zone_of(made.timezone, spot.at("timezone"), checker);
  std::array<Calendar::Day, 7> week = week_of(made.open, spot, checker);
  std::vector<Calendar::Exception> exceptions;
  bool has_hours = !made.open.empty();
  for (const auto& [calendar, calendar_spot] : draft.calendars) {
    if (calendar.id != made.calendar_id || made.calendar_id.empty()) continue;
    for (const auto& line : calendar.open) {
      if (made.open.empty()) (void)add_opening(line, week);
    }
    has_hours = has_hours || !calendar.open.empty();
    exceptions = exceptions_of(calendar);
    break;
  }
  if (!has_hours) week.fill({{Duration{}, std::chrono::days(1)}});
  return {std::move(own_zone), std::move(week), std::move(exceptions)};
}

// ---- objectives
// ------------------------------------------------------------------------------------------------------------

enum class Unit { ratio, seconds, count };

Unit unit_of(Figure figure) {
  switch (figure) {
    case Figure::service_level:
    case Figure::reachability:
    case Figure::abandon_rate:
    case Figure::on_time_rate:
    case Figure::respond_on_time_rate:
      return Unit::ratio;
    case Figure::waiting:
    case Figure::backlog:
    case Figure::overdue:
      return Unit::count;
    default:
      return Unit::seconds;
  }
}

Medium medium_of(Figure figure) {
  switch (figure) {
    case Figure::on_time_rate:
    case Figure::respond_on_time_rate:
    case Figure::backlog:
    case Figure::overdue:
    case Figure::oldest_age_s:
      return Medium::item;
    default:
      return Medium::call;
  }
}

/// Whether `value`, written at `key`, can be a value of the figure; says why not.
bool check_value(std::string_view key, double value, Figure figure, const Spot& spot, Checker& checker) {
  constexpr double longest_s = 366 * 86400.0;
  constexpr double most = 1e6;
  const auto* node = spot.get(key);
  const auto bad = [&](const std::string& problem, const std::string& expected) {
    say_bad(checker, spot.document, key, *node, problem, expected);
    return false;
  };
  const auto name = std::string(to_text(figure));
  switch (unit_of(figure)) {
    case Unit::ratio: {
      const bool lower = lower_is_better(figure);
      if (!node->is_number()) return bad("is no ratio", "a number from 0 to 1 for " + name + ", such as 0.8 for 80 %");
      if (!(value >= 0 && value <= 1)) {
        const bool is_percent = value > 1 && value <= 100;
        return bad("is out of range", "a ratio from 0 to 1 for " + name + ", such as " +
                                          format_number(is_percent ? value / 100 : 0.8) + " for " +
                                          format_number(is_percent ? value : 80) + " %");
      }
      if (value == (lower ? 1 : 0)) return bad("is always kept", "a ratio that can be missed for " + name);
      return true;
    }
    case Unit::seconds:
      if (!(value >= 0 && value <= longest_s)) {
        return bad("is out of range", "a span of time (or seconds) up to 366d for " + name + ", such as \"2m\"");
      }
      return true;
    case Unit::count:
      if (!node->is_number() || !(value >= 0 && value <= most) || value != std::floor(value)) {
        return bad("is no count", "a whole number from 0 to 1000000 for " + name);
      }
      return true;
  }
  return true;
}

std::int64_t default_min_samples(Figure figure, double target) {
  if (is_instant(figure)) return 0;
  if (unit_of(figure) != Unit::ratio) return 10;
  const double misses = lower_is_better(figure) ? target : 1 - target;  // the share that may be missed
  if (misses < 1e-6) return 10;
  return std::max<std::int64_t>(10, std::llround(std::ceil(2 / misses - 1e-6)));  // 2 / (1 − 0.8) is 10, not 11
}

double default_clear(Figure figure, double target) {
  if (unit_of(figure) != Unit::ratio) return target;
  constexpr double two_points = 0.02;
  const double best = lower_is_better(figure) ? 0 : 1;
  const double room = std::abs(best - target);
  const double step = room > two_points + 1e-9 ? two_points : room / 2;
  const double clear = best > target ? target + step : target - step;
  return std::round(clear * 1e9) / 1e9;  // 0.82, not 0.8200000000000001
}

/// Fills in what an objective leaves open and says what does not fit.
ObjectiveConfig objective_of(const Item<ObjectiveConfig>& item, const Draft& draft, const Names& services,
                             Checker& checker) {
  auto made = item.made;
  const auto& spot = item.spot;
  if (spot.get("figure") == nullptr || any_bad(spot, {"figure"}, checker)) return made;
  const auto name = std::string(to_text(made.figure));

  const auto medium = medium_of(made.figure);
  const std::string medium_name = medium == Medium::call ? "call" : "item";
  if (check_name(services, "service", made.service, spot.at("service"), checker)) {
    bool has_service = false;
    bool has_response = false;
    for (const auto& [service, service_spot] : draft.services) {
      if (!made.service.empty() && service.id != made.service) continue;
      if (service.medium != medium) continue;
      has_service = true;
      has_response = has_response || service.respond_in.has_value();
    }
    if (!has_service && !made.service.empty()) {
      checker.say(
          spot.at("figure"), "figure " + in_quotes(name) + " does not fit service " + in_quotes(made.service),
          "expected a service of medium \"" + medium_name + "\", or a figure of " +
              (medium == Medium::call ? "work items: on_time_rate, respond_on_time_rate, backlog, overdue, oldest_age_s"
                                      : "calls: service_level, reachability, abandon_rate, asa_s, wait_p90_s, "
                                        "longest_wait_s, waiting"));
    } else if (!has_service) {
      checker.say_if_complete(spot.at("figure"),
                              "figure " + in_quotes(name) + " needs a service of medium \"" + medium_name + "\"",
                              "expected a [[service]] with medium = \"" + medium_name + "\"");
    } else if (made.figure == Figure::respond_on_time_rate && !has_response) {
      checker.say(spot.at("figure"), "no service promises a first response, which " + in_quotes(name) + " is about",
                  "expected respond_in in the [[service]]");
    }
  }

  const auto* window = spot.get("window");
  if (window == nullptr) {
    made.window = is_instant(made.figure) ? Window{.kind = Window::Kind::now} : Window{};
  } else if (!checker.is_bad(window)) {
    const auto text = window->value<std::string>().value_or("");
    const bool now = made.window.kind == Window::Kind::now;
    if (now != is_instant(made.figure)) {
      say_bad(checker, spot.document, "window", *window, "does not fit figure " + in_quotes(name),
              now ? "a length of time such as \"30m\" or \"day\"" : "\"now\": it is a figure of this instant");
    } else if (made.window.kind == Window::Kind::calendar && made.window.period == Period::interval &&
               text != to_text(made.window, draft.interval)) {
      say_bad(
          checker, spot.document, "window", *window, "is not the configured interval",
          "\"" + to_text(made.window, draft.interval) + "\", or interval = \"" + text.substr(0, 3) + "\" at the top");
    }
  }

  if (spot.get("target") == nullptr || any_bad(spot, {"target"}, checker) ||
      !check_value("target", made.target, made.figure, spot, checker)) {
    return made;
  }
  if (spot.get("min_samples") == nullptr) made.min_samples = default_min_samples(made.figure, made.target);
  if (spot.get("clear") == nullptr) {
    made.clear = default_clear(made.figure, made.target);
  } else if (!any_bad(spot, {"clear"}, checker) && check_value("clear", made.clear, made.figure, spot, checker)) {
    const bool lower = lower_is_better(made.figure);
    if (lower ? made.clear > made.target : made.clear < made.target) {
      say_bad(checker, spot.document, "clear", *spot.get("clear"),
              "is on the wrong side of target " + format_number(made.target),
              lower ? "the target or less: the alert ends when it is better again"
                    : "the target or more: the alert ends when it is better again");
    }
  }
  return made;
}

std::string derived_id(const ContractConfig& contract, const ObjectiveConfig& objective, Duration interval) {
  auto window = to_text(objective.window, interval);
  std::replace(window.begin(), window.end(), ' ', '-');
  const std::string of = !objective.service.empty()                    ? objective.service
                         : medium_of(objective.figure) == Medium::call ? "call"
                                                                       : "item";
  return contract.id + "/" + of + "/" + std::string(to_text(objective.figure)) + "/" + window;
}

// ---- endpoints
// -------------------------------------------------------------------------------------------------------------

/// Where a key of a section that may stand in several files was written; nullopt if nowhere.
std::optional<Place> written_at(const Checker& checker, std::string_view section, std::string_view key) {
  for (std::size_t i = 0; i < checker.documents().size(); ++i) {
    const auto* table = checker.documents()[i].root[section].as_table();
    const auto* value = table == nullptr ? nullptr : table->get(key);
    if (value != nullptr) return place_of(i, value->source());
  }
  return std::nullopt;
}

void check_endpoints(const DaemonSettings& daemon, Checker& checker) {
  const std::array<std::pair<std::string, std::string>, 4> endpoints{
      {{"ingest", daemon.ingest}, {"publish", daemon.publish}, {"query", daemon.query}, {"metrics", daemon.metrics}}};
  std::map<std::string, std::string> users;  // by what is listened on
  for (const auto& [name, endpoint] : endpoints) {
    if (endpoint.empty()) continue;
    if (daemon.key_file.empty() && leaves_machine(endpoint)) {
      checker.say_if_complete(
          written_at(checker, "endpoints", name).value_or(Place{}),
          name + " = " + in_quotes(endpoint) + " can be reached from other machines, which requires keys",
          "expected [security] with key_file and allowed_keys (reachctl keygen makes them), or a numeric loopback "
          "address such as \"tcp://127.0.0.1:PORT\", or \"ipc:///PATH\"");
    }
    const auto address = endpoint.starts_with("ipc://") ? endpoint : endpoint.substr(endpoint.find("://"));
    const auto [earlier, is_new] = users.emplace(address, name);
    if (is_new) continue;
    auto place = written_at(checker, "endpoints", name);
    if (!place) place = written_at(checker, "endpoints", earlier->second);
    checker.say(place.value_or(Place{}),
                name + " and " + earlier->second + " have the same endpoint " + in_quotes(endpoint),
                "expected another port or path for each");
  }
  if (const auto place = written_at(checker, "security", "allowed_keys"); place && daemon.key_file.empty()) {
    checker.say_if_complete(*place, "allowed_keys is of no use without the daemon's own key",
                            "expected key_file = \"FILE\" beside it: reachctl keygen reachd --role server");
  }
}

}  // namespace

Config resolve(const Draft& draft, Checker& checker) {
  Config config;
  const auto top = [&](std::string_view key) {
    for (std::size_t i = 0; i < checker.documents().size(); ++i) {
      const Spot spot{i, &checker.documents()[i].root};
      if (spot.get(key) != nullptr) return spot.at(key);
    }
    return Place{};
  };
  config.zone = zone_of(draft.timezone, top("timezone"), checker);
  config.interval = draft.interval;
  if (draft.interval != std::chrono::minutes(15) && draft.interval != std::chrono::minutes(30)) {
    checker.say(top("interval"), "interval = " + in_quotes(format_duration(draft.interval)) + " is no interval",
                "expected \"15m\" or \"30m\"");
  }
  config.stale_after = draft.stale_after;
  config.expire_after = draft.expire_after;
  config.minimum_group = draft.minimum_group;
  config.max_contacts = draft.daemon.max_contacts;
  config.max_agents = draft.daemon.max_agents;

  const auto segments = names_of(draft.segments, "segment", checker);
  const auto services = names_of(draft.services, "service", checker);
  const auto calendars = names_of(draft.calendars, "calendar", checker);
  names_of(draft.contracts, "contract", checker);
  names_of(draft.pools, "pool", checker);
  names_of(draft.sources, "source", checker);
  check_segments(draft, segments, services, checker);
  check_services(draft, checker);
  check_membership(draft.contracts, "contract", segments, checker);
  check_endpoints(draft.daemon, checker);

  for (const auto& [segment, spot] : draft.segments) {
    config.segments.push_back(segment);
    if (segment.name.empty()) config.segments.back().name = segment.id;
  }
  for (const auto& [service, spot] : draft.services) config.services.push_back(service);
  for (const auto& [source, spot] : draft.sources) config.sources.push_back(source);

  for (const auto& calendar : draft.calendars) {
    check_open_list(calendar, checker);
    (void)week_of(calendar.made.open, calendar.spot, checker);
    check_holidays(calendar.made, checker);
  }
  Names objectives;
  for (const auto& item : draft.contracts) {
    const auto& [contract, spot] = item;
    check_name(calendars, "calendar", contract.calendar_id, spot.at("calendar"), checker);
    check_open_list(item, checker);
    ContractConfig made = static_cast<const ContractConfig&>(contract);
    made.calendar = calendar_of(item, draft, config.zone, checker);
    for (const auto& objective_item : contract.objective_items) {
      auto objective = objective_of(objective_item, draft, services, checker);
      const bool is_given = !objective.id.empty();
      if (!is_given) objective.id = derived_id(made, objective, config.interval);
      const auto place = objective_item.spot.place();
      const auto [earlier, is_new] = objectives.emplace(objective.id, place);
      const auto& objective_spot = objective_item.spot;
      const bool is_known = is_given || (objective_spot.get("figure") != nullptr &&
                                         !any_bad(objective_spot, {"figure", "window", "service"}, checker));
      if (!is_new && is_known) {
        checker.say_if_complete(
            place,
            "the objective " + in_quotes(objective.id) + " is already there " + checker.where(earlier->second, place),
            "expected each once; two of the same figure and window need an id = \"…\" of their own");
      }
      made.objectives.push_back(std::move(objective));
    }
    config.contracts.push_back(std::move(made));
  }

  const auto in_pools = check_membership(draft.pools, "pool", segments, checker);
  for (const auto& [pool, spot] : draft.pools) {
    config.pools.push_back(pool);
    if (pool.segments.empty() && spot.get("segments") != nullptr)
      checker.say_if_complete(spot.at("segments"), "pool " + in_quotes(pool.id) + " serves no segment",
                              "expected the ids of one or more segments");
  }
  if (draft.pools.empty() && !config.segments.empty()) {
    PoolConfig all;
    all.id = "all";
    for (const auto& segment : config.segments) all.segments.push_back(segment.id);
    config.pools.push_back(std::move(all));
  } else {
    for (const auto& [segment, spot] : draft.segments) {
      if (segment.id.empty() || in_pools.count(segment.id) != 0) continue;
      checker.say_if_complete(spot.at("id"), "segment " + in_quotes(segment.id) + " belongs to no pool",
                              "expected it in the segments of one [[pool]]");
    }
  }
  return config;
}

}  // namespace reach::settings
