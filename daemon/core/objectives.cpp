// Objectives against figures, and the alerts that follow.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "daemon/core/state.hpp"

namespace reach {
namespace {

constexpr std::size_t evidence_limit = 10;
/// Time alone makes an objective be looked at again after this at the earliest: figures are rounded, and what looks as
/// if it were about to pass its target must not be looked at every nanosecond.
constexpr Duration woken_at_least = std::chrono::milliseconds(1);
/// Nobody waits for longer than a century; the instant would lie beyond what a Time holds.
constexpr double longest_target_s = 100.0 * 366 * 86400;

std::string hex_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a, 64 bit
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  std::array<char, 17> hex{};
  std::snprintf(hex.data(), hex.size(), "%016llx", static_cast<unsigned long long>(hash));
  return hex.data();
}

bool is_ratio(Figure figure) {
  switch (figure) {
    case Figure::service_level:
    case Figure::reachability:
    case Figure::abandon_rate:
    case Figure::on_time_rate:
    case Figure::respond_on_time_rate:
      return true;
    default:
      return false;
  }
}

std::string value_text(Figure figure, double value) {
  std::array<char, 48> text{};
  if (is_ratio(figure))
    std::snprintf(text.data(), text.size(), "%.1f %%", value * 100);
  else if (to_text(figure).ends_with("_s"))
    std::snprintf(text.data(), text.size(), "%.0f s", value);
  else
    std::snprintf(text.data(), text.size(), "%.0f", value);
  return text.data();
}

std::string figure_text(Figure figure) {
  switch (figure) {
    case Figure::service_level:
      return "service level";
    case Figure::reachability:
      return "reachability";
    case Figure::abandon_rate:
      return "abandon rate";
    case Figure::asa_s:
      return "speed of answer";
    case Figure::wait_p90_s:
      return "wait of nine in ten";
    case Figure::longest_wait_s:
      return "longest wait";
    case Figure::waiting:
      return "callers waiting";
    case Figure::on_time_rate:
      return "on-time rate";
    case Figure::respond_on_time_rate:
      return "first responses on time";
    case Figure::backlog:
      return "backlog";
    case Figure::overdue:
      return "overdue items";
    case Figure::oldest_age_s:
      return "age of the oldest item";
  }
  return {};
}

}  // namespace

AlertKind alert_kind_of(Figure figure) {
  switch (figure) {
    case Figure::longest_wait_s:
      return AlertKind::longest_wait;
    case Figure::backlog:
    case Figure::overdue:
    case Figure::oldest_age_s:
      return AlertKind::backlog_overdue;
    default:
      return AlertKind::sla_breach;
  }
}

std::uint32_t Engine::State::watch_of(AlertKind kind, std::string subject_key, AlertRule rule) {
  const auto index = static_cast<std::uint32_t>(watches.size());
  watches.emplace_back();
  Watch& watch = watches.back();
  watch.kind = kind;
  watch.rule = rule;
  watch.subject_key = std::string(to_text(kind)) + '|' + subject_key;
  watch.alert.kind = kind;
  watch.alert.fingerprint = hex_of(watch.subject_key);
  return index;
}

CalendarState Engine::State::calendar_state(const Segment& segment) const {
  const OpenClock& clock = clocks[segment.clock];
  if (clock.calendar.always_open() || clock.open) return CalendarState::open;
  for (const Slot& slot : segment.slots)
    if (config.services[slot.service].medium == Medium::call && lines[slot.line].waiting.size > 0)
      return CalendarState::closing;
  return CalendarState::closed;
}

Engine::State::Measure Engine::State::measure(const Objective& objective, Time at) {
  Segment& segment = segments[objective.segment];
  const ObjectiveConfig& promised = *objective.config;
  Slot* slot = nullptr;
  for (Slot& candidate : segment.slots)
    if (candidate.service == objective.service) slot = &candidate;
  if (objective.service != none && slot == nullptr) return {};

  if (is_instant(promised.figure)) {
    Figures f;
    for (const Slot& candidate : segment.slots)
      if (slot == nullptr || &candidate == slot) live_figures(f, candidate, at);
    switch (promised.figure) {
      case Figure::longest_wait_s:
        return {f.longest_wait_s, f.waiting};
      case Figure::waiting:
        return {static_cast<double>(f.waiting), f.waiting};
      case Figure::backlog:
        return {static_cast<double>(f.backlog), f.backlog};
      case Figure::overdue:
        return {static_cast<double>(f.overdue), f.backlog};
      case Figure::oldest_age_s:
        return {f.oldest_age_s, f.backlog};
      default:
        return {};
    }
  }
  Scope& scope = slot != nullptr ? slot->scope : segment.scope;
  if (promised.figure == Figure::wait_p90_s) {
    const Tally t = tally(scope, objective.segment, promised.window);
    const auto wait = t.waits.quantile(0.9);
    return {wait ? std::optional(seconds_of(*wait)) : std::nullopt, t[Counter::answered]};
  }
  const Between t = counts(scope, objective.segment, promised.window);
  switch (promised.figure) {
    case Figure::service_level:
      return {service_level(t), t[Counter::met] + t[Counter::missed]};
    case Figure::reachability:
      return {reachability(t), served_or_lost(t)};
    case Figure::abandon_rate:
      return {abandon_rate(t), served_or_lost(t)};
    case Figure::asa_s:
      return {asa_s(t), t[Counter::answered]};
    case Figure::on_time_rate:
      return {on_time_rate(t), t[Counter::items_met] + t[Counter::items_missed]};
    case Figure::respond_on_time_rate:
      return {respond_on_time_rate(t), t[Counter::responded_met] + t[Counter::responded_missed]};
    default:
      return {};
  }
}

void Engine::State::note_miss(std::uint32_t segment, std::uint32_t service, const Contact& contact) {
  for (const std::uint32_t index : segments[segment].objectives) {
    Objective& objective = objectives[index];
    if (objective.service != none && objective.service != service) continue;
    objective.evidence.push_back(contact_name(contact));
    if (objective.evidence.size() > evidence_limit) objective.evidence.pop_front();
  }
}

/// A miss turned out to be none: it is evidence no more, and an open alert that rested on it says so from now on.
void Engine::State::take_back_miss(std::uint32_t segment, const Contact& contact) {
  const std::string name = contact_name(contact);
  for (const std::uint32_t index : segments[segment].objectives) {
    std::erase(objectives[index].evidence, name);
    Watch& watch = watches[objectives[index].watch];
    const bool open = watch.life.state() == AlertState::pending || watch.life.state() == AlertState::firing;
    if (open && std::ranges::find(watch.alert.evidence, name) != watch.alert.evidence.end())
      watch.alert.corrected = true;
  }
}

/// Slides the rolling windows of the segment and its services to now.
void Engine::State::advance_windows(Segment& segment) {
  const Duration open_now = clocks[segment.clock].at(now);
  fresh(segment.scope).slide(open_now);
  for (Slot& slot : segment.slots) fresh(slot.scope).slide(open_now);
}

/// Expects advance_windows() to have been called for this instant.
void Engine::State::evaluate(std::uint32_t index) {
  Objective& objective = objectives[index];
  const Segment& segment = segments[objective.segment];
  const ObjectiveConfig& promised = *objective.config;
  const OpenClock& clock = clocks[segment.clock];
  const bool instant = is_instant(promised.figure);
  const bool at_most = lower_is_better(promised.figure);
  const CalendarState calendar = calendar_state(segment);

  const Measure m = measure(objective, now);
  Condition condition = Condition::unknown;
  if (is_stale(segment)) {
    objective.status = ObjectiveStatus::stale;
  } else if (calendar == CalendarState::closed && !(promised.window.kind == Window::Kind::calendar)) {
    objective.status = ObjectiveStatus::closed;
  } else if (instant && !m.value) {
    condition = Condition::good;  // nobody waits, nothing is open
    objective.status = ObjectiveStatus::met;
  } else if (!m.value || (!instant && m.samples < promised.min_samples)) {
    objective.status = ObjectiveStatus::no_data;
  } else {
    const bool bad = at_most ? *m.value > promised.target : *m.value < promised.target;
    const bool good = at_most ? *m.value <= promised.clear : *m.value >= promised.clear;
    condition = bad ? Condition::bad : good ? Condition::good : Condition::between;
    objective.status = bad ? ObjectiveStatus::breached : ObjectiveStatus::met;
    if (calendar == CalendarState::closing) objective.status = ObjectiveStatus::closing;
    if (calendar == CalendarState::closed) objective.status = ObjectiveStatus::closed;
  }
  Watch& watch = watches[objective.watch];
  watch.value = m.value;
  watch.samples = m.samples;
  const bool stale = objective.status == ObjectiveStatus::stale;
  const bool firing = watch.life.state() == AlertState::firing;
  if (promised.figure == Figure::longest_wait_s && condition == Condition::bad) {
    std::uint32_t longest = none;
    for (const Slot& slot : segment.slots) {
      if (objective.service != none && slot.service != objective.service) continue;
      const std::uint32_t first = lines[slot.line].waiting.head(stays);
      if (first != none && config.services[slot.service].medium == Medium::call &&
          (longest == none || stays[first].start < stays[longest].start))
        longest = first;
    }
    if (longest != none) objective.evidence.assign(1, contact_name(contacts[stays[longest].contact]));
  }
  observe(objective.watch, condition);
  if (firing && stale != watch.alert.stale) {
    watch.alert.stale = stale;
    say(objective.watch, stale ? AlertReason::stale : AlertReason::fresh);
  }

  // The next instant at which time alone changes the value.
  Time next = never;
  if (promised.window.kind == Window::Kind::rolling) {
    Duration change = Duration::max();
    const Duration length = promised.window.length;
    if (objective.service == none) {
      change = segment.scope.next_change(length);
    } else {
      for (const Slot& slot : segment.slots)
        if (slot.service == objective.service) change = slot.scope.next_change(length);
    }
    if (change != Duration::max()) next = clock.calendar.advance(now, std::max(change - clock.at(now), Duration(1)));
  } else if (promised.window.kind == Window::Kind::calendar) {
    if (m.samples > 0) next = periods[promised.window.period].to;
  } else if (m.value && *m.value <= promised.target) {
    next = passes_target(objective);
  }
  if (next != never) next = std::max(next, objective.woken + woken_at_least);
  timers.arm(TimerKind::rolling, index, next);
}

/// The first instant after the target of a wait or an age: time alone makes it bad then. `never` for what does not grow
/// with time, as the age of an item whose clock stands.
Time Engine::State::passes_target(const Objective& objective) const {
  const Segment& segment = segments[objective.segment];
  const OpenClock& clock = clocks[segment.clock];
  const Figure figure = objective.config->figure;
  Time next = never;
  if (objective.config->target > longest_target_s) return next;
  const Duration after = Duration(std::llround(objective.config->target * 1e9) + 1);
  for (const Slot& slot : segment.slots) {
    const std::uint32_t first = lines[slot.line].waiting.head(stays);
    if (first == none || (objective.service != none && slot.service != objective.service)) continue;
    const Contact& contact = contacts[stays[first].contact];
    if (contact.item == none) {
      if (figure == Figure::longest_wait_s) next = std::min(next, stays[first].start + after);
    } else if (const Item& item = items[contact.item]; figure == Figure::oldest_age_s && !item.clock_stands) {
      next = std::min(next, clock.calendar.advance(now, after - age_of(item, contact, now)));
    }
  }
  return next;
}

void Engine::State::observe(std::uint32_t index, Condition condition) {
  Watch& watch = watches[index];
  if (const auto reason = watch.life.observe(condition, watch.rule, happened_at)) say(index, *reason);
  timers.arm(TimerKind::alert, index, watch.life.next(watch.rule));
}

void Engine::State::pass_alert(std::uint32_t index) {
  Watch& watch = watches[index];
  while (const auto reason = watch.life.pass(watch.rule, happened_at)) say(index, *reason);
  timers.arm(TimerKind::alert, index, watch.life.next(watch.rule));
}

/// Fills in the sentence that says what is wrong and the one that says what would help.
void Engine::State::describe(Watch& watch) {
  Alert& alert = watch.alert;
  const Objective& objective = objectives[watch.objective];
  const ObjectiveConfig& promised = *objective.config;
  alert.evidence.assign(objective.evidence.begin(), objective.evidence.end());
  alert.summary = alert.segment + ": " + figure_text(promised.figure);
  if (alert.value) alert.summary += ' ' + value_text(promised.figure, *alert.value);
  if (!is_instant(promised.figure)) alert.summary += " of " + std::to_string(alert.samples) + " decided";
  alert.summary += ", target " + value_text(promised.figure, promised.target);
  if (promised.window.kind != Window::Kind::now) alert.summary += " (" + alert.window + ")";
  alert.help.clear();
  alert.inhibited_by.clear();
  const std::uint32_t index = segments[objective.segment].pool;
  if (index == none) return;
  const Pool& pool = pools[index];
  if (!pool.advice.recommendations.empty()) {
    const RecommendationView& advice = pool.advice.recommendations.front();
    if (advice.gap && *advice.gap > 0)
      alert.help =
          std::to_string(*advice.gap) + (*advice.gap == 1 ? " more person" : " more people") + " for " + advice.pool;
  }
  const Watch& cause = watches[pool.no_agents];
  if (cause.life.state() == AlertState::firing) alert.inhibited_by = cause.alert.id;
}

void Engine::State::say(std::uint32_t index, AlertReason reason) {
  Watch& watch = watches[index];
  Alert& alert = watch.alert;
  const bool opens =
      reason == AlertReason::pending || (reason == AlertReason::fired && alert.state != AlertState::pending);
  if (opens) {
    alert.revision = 0;
    alert.acknowledged.reset();
    alert.fired.reset();
    alert.resolved.reset();
    alert.stale = alert.corrected = false;
    alert.pending_since = watch.life.pending_since();
    watch.opened_late += alert.pending_since <= watch.last_opened ? 1 : 0;
  }
  if (watch.objective != none) {
    alert.value = watch.value;
    alert.samples = watch.samples;
    describe(watch);
  }
  if (opens) {
    alert.id =
        hex_of(watch.subject_key + '|' + std::to_string(ns_of(alert.pending_since)) + '|' +
               (alert.evidence.empty() ? std::string() : alert.evidence.back()) +
               (alert.pending_since <= watch.last_opened ? '|' + std::to_string(watch.opened_late) : std::string()));
    watch.last_opened = std::max(watch.last_opened, alert.pending_since);
    open_alerts[alert.id] = index;
  }
  alert.state = watch.life.state();
  alert.reason = reason;
  alert.changed = now;
  ++alert.revision;
  if (reason == AlertReason::fired) {
    alert.fired = std::max(happened_at, alert.pending_since);
    ++totals.alerts_fired;
  }
  if (reason == AlertReason::resolved) {
    alert.resolved = std::max(happened_at, alert.fired.value_or(alert.pending_since));
    open_alerts.erase(alert.id);
    resolved.push_back(alert);
    if (resolved.size() > most_resolved) resolved.pop_front();
  }
  out->push_back(AlertChanged{alert});
  if (watch.objective != none) announce_segment(objectives[watch.objective].segment);
}

/// Alerts about the people of a pool: nobody there at all; fewer than recommended.
void Engine::State::evaluate_pool(std::uint32_t index) {
  Pool& pool = pools[index];
  const AgentCounts people = pool.people.counts(true);
  const bool known = tells_agents(pool.sources);
  const bool open = std::ranges::any_of(pool.clocks, [this](std::uint32_t c) { return clocks[c].open; });
  const bool stale = std::ranges::any_of(
      pool.sources, [this](std::uint32_t s) { return sources[s].view.condition != SourceCondition::connected; });
  const std::int64_t present = people.logged_in - people.paused;
  Watch& nobody = watches[pool.no_agents];
  nobody.alert.value = static_cast<double>(present);
  nobody.alert.summary = "pool " + config.pools[index].id + ": nobody is there to answer (" +
                         std::to_string(people.logged_in) + " logged in, " + std::to_string(people.paused) + " paused)";
  observe(pool.no_agents, !known || stale || !open ? Condition::unknown
                          : present == 0           ? Condition::bad
                                                   : Condition::good);

  Watch& gap = watches[pool.staffing_gap];
  Condition condition = Condition::unknown;
  if (!pool.advice.recommendations.empty() && pool.advice.recommendations.front().required && known && !stale && open) {
    const std::int64_t required = *pool.advice.recommendations.front().required;
    condition = present < required ? Condition::bad : Condition::good;
    gap.alert.value = static_cast<double>(present);
    gap.alert.target = static_cast<double>(required);
    gap.alert.summary = "pool " + config.pools[index].id + ": " + std::to_string(present) + " there, " +
                        std::to_string(required) + " needed";
    gap.alert.help = pool.advice.recommendations.front().reason;
  }
  observe(pool.staffing_gap, condition);
}

Acknowledged Engine::State::acknowledge(const Acknowledge& input) {
  const auto found = open_alerts.find(input.alert);
  if (found == open_alerts.end())
    return {false, "no open alert has the id \"" + input.alert + "\"; `reachctl alerts` lists them"};
  if (input.by.empty()) return {false, "an acknowledgement needs the name of who takes it"};
  Watch& watch = watches[found->second];
  watch.life.acknowledge(input.until);
  watch.alert.acknowledged = Acknowledgement{input.by, input.note, now, input.until};
  say(found->second, AlertReason::acknowledged);
  timers.arm(TimerKind::alert, found->second, watch.life.next(watch.rule));
  return {true, {}};
}

}  // namespace reach
