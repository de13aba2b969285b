// What the engine shows of itself.
#include <algorithm>

#include "daemon/core/state.hpp"

namespace reach {

/// Brings the scope's windows up to now, which changes no figure, and returns one of them.
Tally Engine::State::tally(Scope& scope, std::uint32_t segment, const Window& window) {
  fresh(scope).slide(open_at(segment, now));
  return scope.tally(window.kind == Window::Kind::now ? Window{} : window);
}

/// The counts alone, for what is evaluated at every event.
Between Engine::State::counts(Scope& scope, std::uint32_t segment, const Window& window) {
  fresh(scope).slide(open_at(segment, now));
  return scope.counts(window);
}

void Engine::State::live_figures(Figures& f, const Slot& slot, Time at) const {
  const Line& line = lines[slot.line];
  const ServiceConfig& service = config.services[slot.service];
  const std::uint32_t first = line.waiting.head(stays);
  if (service.medium == Medium::call) {
    f.waiting += line.waiting.size;
    if (first != none) {
      const double wait = seconds_of(std::max(at - stays[first].start, Duration::zero()));
      f.longest_wait_s = std::max(f.longest_wait_s.value_or(0), wait);
    }
    return;
  }
  f.backlog += line.waiting.size;
  f.overdue += slot.overdue;
  f.work_content_s =
      f.work_content_s.value_or(0) + static_cast<double>(line.waiting.size) * seconds_of(service.handling);
  if (first != none) {
    const Contact& contact = contacts[stays[first].contact];
    const double age = seconds_of(std::max(age_of(items[contact.item], contact, at), Duration::zero()));
    f.oldest_age_s = std::max(f.oldest_age_s.value_or(0), age);
  }
}

Figures Engine::State::segment_figures(std::uint32_t index, const Window& window, Time at) {
  Segment& segment = segments[index];
  Figures f = figures_of(tally(segment.scope, index, window));
  for (const Slot& slot : segment.slots) live_figures(f, slot, at);
  return f;
}

// ---- Engine's views

std::size_t Engine::segment_count() const noexcept {
  return state_->segments.size();
}

std::optional<std::uint32_t> Engine::find_segment(std::string_view id) const {
  const auto found = state_->segment_index.find(id);
  return found == state_->segment_index.end() ? std::nullopt : std::optional(found->second);
}

SegmentView Engine::view_segment(std::uint32_t index, const Window& window, Time at) const {
  State& s = *state_;
  Segment& segment = s.segments[index];
  SegmentView view;
  view.id = s.config.segments[index].id;
  view.name = s.config.segments[index].name;
  if (segment.pool != none) view.pool = s.config.pools[segment.pool].id;
  view.time = at;
  view.stale = s.is_stale(segment);
  for (const std::uint32_t source : segment.sources) {
    const SourceView& fed_by = s.sources[source].view;
    if (fed_by.last_heard && (!view.fresh || *fed_by.last_heard < *view.fresh)) view.fresh = fed_by.last_heard;
    if (fed_by.condition != SourceCondition::connected)
      view.stale_reason += (view.stale_reason.empty() ? "source " : ", source ") + fed_by.id + ": " +
                           std::string(to_text(fed_by.condition));
  }
  if (view.stale && view.stale_reason.empty()) view.stale_reason = "no source is connected";
  view.calendar = s.calendar_state(segment);
  view.window = to_text(window, s.config.interval);
  if (window.kind == Window::Kind::calendar) view.period = s.periods[window.period];
  view.figures = s.segment_figures(index, window, at);

  for (const std::uint32_t q : segment.queues) {
    Queue& queue = s.queues[q];
    const Line& line = s.lines[queue.line];
    Figures f = figures_of(s.tally(queue.scope, index, window));
    f.waiting = line.waiting.size;
    if (const std::uint32_t first = line.waiting.head(s.stays); first != none)
      f.longest_wait_s = seconds_of(std::max(at - s.stays[first].start, Duration::zero()));
    view.queues.push_back({s.sources[queue.source].view.id + '/' + queue.name, f});
  }
  for (Slot& slot : segment.slots) {
    Figures f = figures_of(s.tally(slot.scope, index, window));
    s.live_figures(f, slot, at);
    view.services.push_back({s.config.services[slot.service].id, f});
    const std::uint32_t first = s.lines[slot.line].waiting.head(s.stays);
    if (s.config.services[slot.service].medium == Medium::call && first != none) {
      const Time since = s.stays[first].start;
      if (!view.longest_wait_since || since < *view.longest_wait_since) view.longest_wait_since = since;
    }
  }
  for (SiteScope& site : segment.sites)
    view.sites.push_back({s.sites[site.site].name, figures_of(s.tally(site.scope, index, window))});
  view.agents = segment.people.counts(s.tells_agents(segment.sources));
  for (const std::uint32_t o : segment.objectives) {
    const Objective& objective = s.objectives[o];
    const ObjectiveConfig& promised = *objective.config;
    const State::Measure m = s.measure(objective, at);
    view.objectives.push_back({promised.id, s.config.contracts[objective.contract].id, promised.service,
                               std::string(to_text(promised.figure)), to_text(promised.window, s.config.interval),
                               objective.status, m.value, promised.target, m.samples, promised.min_samples,
                               lower_is_better(promised.figure)});
    const Watch& watch = s.watches[objective.watch];
    if (watch.life.state() == AlertState::pending || watch.life.state() == AlertState::firing)
      view.alerts.push_back(watch.alert);
  }
  return view;
}

bool Engine::keeps(std::uint32_t index, const Window& window) const {
  if (window.kind != Window::Kind::rolling) return window.kind == Window::Kind::calendar;
  return state_->segments[index].scope.keeps(window.length);
}

void Engine::published_segment(std::uint32_t index) {
  state_->segments[index].announced = false;
}
std::size_t Engine::source_count() const noexcept {
  return state_->sources.size();
}
SourceView Engine::view_source(std::uint32_t index, Time /*at*/) const {
  return state_->sources[index].view;
}
void Engine::published_source(std::uint32_t index) {
  state_->sources[index].announced = false;
}
std::size_t Engine::pool_count() const noexcept {
  return state_->pools.size();
}

std::optional<std::uint32_t> Engine::find_pool(std::string_view id) const {
  const auto found = state_->pool_index.find(id);
  return found == state_->pool_index.end() ? std::nullopt : std::optional(found->second);
}

StaffingView Engine::view_staffing(std::uint32_t index, Time at) const {
  State& s = *state_;
  const Pool& pool = s.pools[index];
  StaffingView view = pool.advice;
  view.pool = s.config.pools[index].id;
  if (view.time == Time{}) view.time = at;
  const bool known = s.tells_agents(pool.sources);
  view.agents = pool.people.counts(known);
  // A figure about people: of groups only.
  if (known && view.agents.logged_in >= s.config.minimum_group) {
    s.accrue(index, s.now);
    const Between t = pool.scope.counts(Window{});
    const std::int64_t staffed = t[Counter::busy_ns] + t[Counter::idle_ns];
    if (staffed > 0) view.occupancy = static_cast<double>(t[Counter::busy_ns]) / static_cast<double>(staffed);
  }
  return view;
}

std::vector<Alert> Engine::alerts(bool resolved_too) const {
  std::vector<Alert> list;
  if (resolved_too) list.assign(state_->resolved.begin(), state_->resolved.end());
  for (const Watch& watch : state_->watches)
    if (watch.life.state() == AlertState::pending || watch.life.state() == AlertState::firing)
      list.push_back(watch.alert);
  std::ranges::stable_sort(list, {}, &Alert::pending_since);
  return list;
}

std::vector<UnroutedView> Engine::unrouted() const {
  std::vector<UnroutedView> list;
  for (const Queue& queue : state_->queues)
    if (queue.line == none)
      list.push_back({state_->sources[queue.source].view.id + '/' + queue.name, queue.unrouted_events});
  return list;
}

std::vector<TrendView> Engine::history(std::uint32_t index, Time from) const {
  const Scope& scope = state_->fresh(state_->segments[index].scope);
  std::vector<TrendView> list;
  for (const TrendView& point : scope.history())
    if (point.from >= from) list.push_back(point);
  return list;
}

const Totals& Engine::totals() const noexcept {
  return state_->totals;
}
const std::optional<BehindView>& Engine::behind() const noexcept {
  return state_->behind;
}
const Config& Engine::config() const noexcept {
  return state_->config;
}
const Acknowledged& Engine::last_acknowledge() const noexcept {
  return state_->last_acknowledge;
}
Time Engine::now() const noexcept {
  return state_->now;
}
Time Engine::next_wakeup() const noexcept {
  return state_->timers.next();
}

}  // namespace reach
