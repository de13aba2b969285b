// Time and dispatch: the one place where inputs enter and decisions leave.
#include "daemon/core/engine.hpp"

#include <algorithm>

#include "daemon/core/state.hpp"

namespace reach {
namespace {
// Nobody there at all is said once it has lasted this long: shifts change in a moment.
constexpr Duration no_agents_hold = std::chrono::seconds(30);
constexpr Duration gap_clear_for = std::chrono::minutes(2);
constexpr Duration gap_repeat = std::chrono::minutes(15);
/// A source that was heard and sent nothing late for so long has caught up.
constexpr Duration lateness_over_after = std::chrono::seconds(2);
constexpr Duration log_failed_repeat = std::chrono::minutes(15);
constexpr Duration first_advice_after = std::chrono::seconds(5);
}  // namespace

Engine::State::State(Config configuration, EngineOptions engine_options, Time start)
    : config(std::move(configuration)), options(engine_options), now(start), happened_at(start) {
  team_of({});
  add_site(the_others, none);
  for (const SourceConfig& source : config.sources)
    if (!source.site.empty()) add_site(source.site, none);
  for (const PoolConfig& pool : config.pools)
    for (const std::string& site : pool.sites) add_site(site, none);
  periods = periods_at(config.zone, config.interval, now);
  timers.arm(TimerKind::period, 0, periods[Period::interval].to);
  if (only_service(Medium::call) == none &&
      std::ranges::none_of(config.services, [](const auto& s) { return s.medium == Medium::call; })) {
    config.services.emplace_back();
    config.services.back().id = "phone";
  }
  for (std::uint32_t i = 0; i < config.services.size(); ++i) service_by_id[config.services[i].id] = i;

  clocks.emplace_back();
  for (std::uint32_t c = 0; c < config.contracts.size(); ++c) {
    OpenClock clock;
    clock.calendar = config.contracts[c].calendar;
    clock.since = now;
    clock.open_at = now.time_since_epoch();  // any beginning serves: only differences count
    clock.open = clock.calendar.is_open(now);
    clocks.push_back(std::move(clock));
    if (!clocks.back().calendar.always_open())
      timers.arm(TimerKind::calendar, c + 1, clocks.back().calendar.next_change(now));
  }
  log_watch = watch_of(AlertKind::log_failed, "event_log", {{}, {}, log_failed_repeat});
  watches[log_watch].alert.subject = "event_log";
  segments.resize(config.segments.size());
  for (std::uint32_t s = 0; s < segments.size(); ++s) {
    segment_index[config.segments[s].id] = s;
    segments[s].clock = 0;
    for (const QueueRoute& route : config.segments[s].queues)
      routes[route.source.empty() ? route.queue : route.source + '/' + route.queue] = {
          s, route.service.empty() ? none : service_index(route.service)};
  }
  for (std::uint32_t s = 0; s < segments.size(); ++s)
    for (const std::string& to : config.segments[s].overflow_to)
      if (const auto found = segment_index.find(to); found != segment_index.end())
        segments[s].overflow_to.push_back(found->second);

  for (std::uint32_t c = 0; c < config.contracts.size(); ++c) {
    const ContractConfig& contract = config.contracts[c];
    for (const std::string& id : contract.segments) {
      const std::uint32_t s = segment_index.at(id);
      segments[s].clock = c + 1;
      segments[s].contract = c;
      for (const ObjectiveConfig& promised : contract.objectives) {
        const auto index = static_cast<std::uint32_t>(objectives.size());
        Objective objective;
        objective.config = &promised;
        objective.contract = c;
        objective.segment = s;
        objective.service = promised.service.empty() ? none : service_index(promised.service);
        objective.watch = watch_of(alert_kind_of(promised.figure), id + '|' + promised.id,
                                   {promised.hold, promised.clear_for, promised.repeat});
        Watch& watch = watches[objective.watch];
        watch.objective = index;
        watch.alert.segment = id;
        watch.alert.contract = contract.id;
        watch.alert.objective = promised.id;
        watch.alert.figure = to_text(promised.figure);
        watch.alert.window = to_text(promised.window, config.interval);
        watch.alert.target = promised.target;
        objectives.push_back(std::move(objective));
        segments[s].objectives.push_back(index);
      }
    }
  }
  for (std::uint32_t p = 0; p < config.pools.size(); ++p) {
    const PoolConfig& promised = config.pools[p];
    pool_index[promised.id] = p;
    Pool pool;
    pool.accrued = now;
    pool.scope.keep(std::chrono::minutes(30));
    for (const std::string& id : promised.segments) {
      const std::uint32_t s = segment_index.at(id);
      pool.segments.push_back(s);
      if (std::ranges::find(pool.clocks, segments[s].clock) == pool.clocks.end())
        pool.clocks.push_back(segments[s].clock);
      segments[s].pool = p;
    }
    pool.no_agents = watch_of(AlertKind::no_agents, promised.id, {no_agents_hold, {}, {}});
    pool.staffing_gap =
        watch_of(AlertKind::staffing_gap, promised.id, {promised.staffing_gap_for, gap_clear_for, gap_repeat});
    for (const std::uint32_t watch : {pool.no_agents, pool.staffing_gap}) watches[watch].alert.subject = promised.id;
    pools.push_back(std::move(pool));
    if (options.staffing) timers.arm(TimerKind::pool, p, now + first_advice_after);
  }
  for (std::uint32_t s = 0; s < segments.size(); ++s) {
    segments[s].scope = new_scope(s);
    segments[s].first_open = clocks[segments[s].clock].at(now);
    for (const std::uint32_t o : segments[s].objectives)
      if (objectives[o].service != none) slot(s, objectives[o].service);
  }
  for (Pool& pool : pools) {
    pool.goal = goal_of(pool.segments);
    pool.first_open = clocks[pool.clock()].at(now);
  }
}

void Engine::State::touch(std::uint32_t segment) {
  if (segments[segment].touched) return;
  segments[segment].touched = true;
  touched.push_back(segment);
}

void Engine::State::announce_segment(std::uint32_t index) {
  if (segments[index].announced) return;
  segments[index].announced = true;
  out->push_back(SegmentChanged{index});
}

/// Evaluates what this instant touched. Observing may touch further segments; each is evaluated once an instant.
void Engine::State::evaluate_touched() {
  for (std::size_t i = 0; i < touched.size(); ++i) {
    Segment& segment = segments[touched[i]];
    if (!segment.objectives.empty()) {
      advance_windows(segment);
      for (const std::uint32_t objective : segment.objectives) evaluate(objective);
    }
    segment.touched = false;
    announce_segment(touched[i]);
  }
  touched.clear();
}

void Engine::State::fire(const Timers::Due& due) {
  switch (due.kind) {
    case TimerKind::period:
      for (std::uint32_t p = 0; p < pools.size(); ++p) accrue(p, due.at);
      periods = periods_at(config.zone, config.interval, now);
      timers.arm(TimerKind::period, 0, periods[Period::interval].to);
      break;
    case TimerKind::calendar: {
      OpenClock& clock = clocks[due.subject];
      clock.open_at = clock.at(due.at);
      clock.since = due.at;
      clock.open = clock.calendar.is_open(due.at);
      timers.arm(TimerKind::calendar, due.subject, clock.calendar.next_change(due.at));
      for (const std::string& id : config.contracts[due.subject - 1].segments) touch(segment_index.at(id));
      break;
    }
    case TimerKind::line:
      pass_threshold(due.subject);
      break;
    case TimerKind::requeue:
      settle_move(due.subject);
      break;
    case TimerKind::item_due:
      decide_item(due.subject, Verdict::missed, due.at);
      set_overdue(due.subject, true);
      break;
    case TimerKind::item_response:
      decide_response(due.subject, Verdict::missed, due.at);
      break;
    case TimerKind::rolling:
      objectives[due.subject].woken = due.at;
      touch(objectives[due.subject].segment);
      break;
    case TimerKind::alert:
      pass_alert(due.subject);
      break;
    case TimerKind::source:
      if (const Time silent =
              sources[due.subject].view.last_heard.value_or(due.at - config.stale_after) + config.stale_after;
          silent > due.at && !catching_up) {
        timers.arm(TimerKind::source, due.subject, silent);
        break;
      }
      lost(due.subject, SourceCondition::stale,
           "nothing heard for " + format_duration(config.stale_after) + "; its figures are stale");
      break;
    case TimerKind::pool:
      recommend(due.subject);
      break;
    case TimerKind::expiry:
      while (sources[due.subject].live_calls.first != none) {
        const std::uint32_t oldest = sources[due.subject].live_calls.first;
        if (contacts[oldest].touched + config.expire_after > now) break;
        ++totals.contacts_expired;
        on_outcome_unknown(oldest, now);
      }
      arm_expiry(due.subject);
      break;
    case TimerKind::count_:
      break;
  }
}

/// Lets time pass: everything due happens at its own instant, in order. Boundaries of periods and calendars at `to`
/// happen in any case, what else is due at `to` only if `inclusive`: events of that instant come before it.
void Engine::State::advance(Time to, bool inclusive) {
  while (const auto due = timers.take(to, inclusive)) {
    now = std::max(now, due->at);
    happened_at = due->at;
    fire(*due);
    evaluate_touched();
  }
  now = happened_at = std::max(now, to);
}

void Engine::State::remark(std::string_view kind, std::string text) {
  auto [last, first_time] = last_remark.try_emplace(std::string(kind), now);
  if (!first_time && now - last->second < std::chrono::minutes(1)) return;
  last->second = now;
  out->push_back(Remark{std::string(kind), std::move(text)});
}

void Engine::State::contradiction(const Event& event, std::string_view what, std::string_view then) {
  const std::uint32_t source = source_of(event.source);
  ++totals.contradictions;
  ++sources[source].view.contradictions;
  const std::string who =
      event.contact.empty() ? "agent " + std::string(event.agent) : "contact " + std::string(event.contact);
  remark("contradiction", "source " + sources[source].view.id + ", " + who + ": an event " + std::string(what) + "; " +
                              std::string(then));
}

/// An event would begin something that its source has enough of: `limit` is the key of the configuration.
void Engine::State::over_limit(std::uint32_t index, std::int64_t& total, const char* limit) {
  ++total;
  ++sources[index].view.over_limit;
  announce_source(index);
  remark(limit, "source " + sources[index].view.id + " has as many as [ingest] " + limit +
                    " lets it have: further ones are left out of all figures");
}

void Engine::State::apply(const Event& event) {
  const std::uint32_t index = source_of(event.source);
  Source& source = sources[index];
  ++totals.events;
  ++source.view.events;
  if (event.certainty != Certainty::seen) {
    ++totals.inferred;
    ++source.view.inferred;
  }
  if (event.at < source.last_event || (!options.staleness && event.at < now)) {
    ++totals.late;
    ++source.view.late;
  }
  source.last_event = std::max(source.last_event, event.at);
  // Live, heartbeats say whether the source hears its PBX; in a file there are none, and an event is the sign of life.
  if (options.staleness) watch_lateness(index, event.at);
  if (catching_up && behind) {
    if (behind->events++ == 0) behind->from = event.at;
    behind->to = std::max(behind->to, event.at);
  }
  const bool sign_of_life = event.kind != EventKind::upstream_lost;
  if (options.staleness)
    heard(index, sign_of_life && source.view.condition != SourceCondition::upstream_lost);
  else if (sign_of_life && source.view.condition != SourceCondition::connected)
    heard(index, true);

  if (event.kind == EventKind::lead) {
    const std::uint32_t contact = find_contact(index, event.contact);
    if (contact == none || contacts[contact].segment == none) {
      ++totals.unknown_contacts;
      ++source.view.unknown_contacts;
      return;
    }
    const Contact& of = contacts[contact];
    if (event.state.empty())  // what field sales made of it later is not a new lead
      count_segment(of.segment, of.service, of.site,
                    {{event.reason == "asked" ? Counter::leads_asked : Counter::leads}}, event.at);
  } else if (event.kind <= EventKind::wrap_up_ended) {
    on_call(event, index);
  } else if (event.kind <= EventKind::reopened) {
    on_item(event, index);
  } else if (event.kind <= EventKind::agent_state) {
    on_agent(event, index);
  } else {
    on_source(event, index);
  }
}

void Engine::State::on_log_trouble(const std::string& problem) {
  if (!problem.empty())
    watches[log_watch].alert.summary = "the event log cannot be written, nothing is acknowledged: " + problem;
  observe(log_watch, problem.empty() ? Condition::good : Condition::bad);
}

void Engine::State::catch_up(bool begins) {
  if (begins == catching_up) return;
  catching_up = begins;
  if (begins) {
    behind = BehindView{now, now, {}, 0};
  } else {
    behind->until = now;
    if (behind->events == 0) behind->to = now;
  }
  for (std::uint32_t i = 0; i < sources.size(); ++i) {
    Source& source = sources[i];
    if (begins) {
      timers.cancel(TimerKind::source, i);
      source.heard_meanwhile = false;
    } else if (options.staleness && source.view.condition == SourceCondition::connected) {
      // What was heard while time stood still was heard now.
      const Time heard_at = source.heard_meanwhile ? now : source.view.last_heard.value_or(now);
      timers.arm(TimerKind::source, i, std::max(now, heard_at + config.stale_after));
    }
  }
}

void Engine::State::take(const Event& event, Time at, Decisions& decisions) {
  out = &decisions;
  advance(std::max(at, now), false);
  // What is later than that is a correction, and says nothing about the present.
  if (event.at < now && now - event.at <= config.stale_after) happened_at = event.at;
  apply(event);
  evaluate_touched();
  out = nullptr;
}

void Engine::State::take(const Input& input, Time at, Decisions& decisions) {
  if (const auto* event = std::get_if<Event>(&input)) return take(*event, at, decisions);
  out = &decisions;
  const Time t = std::max(at, now);
  if (std::holds_alternative<TimePassed>(input)) {
    advance(t, true);
  } else if (std::holds_alternative<TimeUpTo>(input)) {
    advance(t - Duration(1), true);
  } else if (const auto* hello = std::get_if<SourceConnected>(&input)) {
    advance(t, false);
    const std::uint32_t index = source_of(hello->source);
    SourceView& view = sources[index].view;
    view.software = hello->software;
    view.capabilities = hello->capabilities;
    sources[index].tells_wrap_up = std::ranges::find(view.capabilities, "wrap_up") != view.capabilities.end();
    heard(index, true);
    announce_source(index);
  } else if (const auto* sign = std::get_if<SourceHeard>(&input)) {
    advance(t, false);
    const std::uint32_t index = source_of(sign->source);
    heard(index, sign->upstream);
    if (now - sources[index].last_late >= lateness_over_after) end_lateness(index);
  } else if (const auto* trouble = std::get_if<LogTrouble>(&input)) {
    advance(t, false);
    on_log_trouble(trouble->problem);
  } else if (const auto* change = std::get_if<CatchUp>(&input)) {
    advance(t, false);
    catch_up(change->begins);
  } else if (const auto* gone = std::get_if<SourceLost>(&input)) {
    advance(t, false);
    lost(source_of(gone->source), SourceCondition::stale, gone->reason);
  } else if (const auto* taken = std::get_if<Acknowledge>(&input)) {
    advance(t, false);
    last_acknowledge = acknowledge(*taken);
  }
  evaluate_touched();
  out = nullptr;
}

Engine::Engine(Config config, EngineOptions options, Time start)
    : state_(std::make_unique<State>(std::move(config), options, start)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::step(const Event& event, Time now, Decisions& out) {
  state_->take(event, now, out);
}

void Engine::step(const Input& input, Time now, Decisions& out) {
  state_->take(input, now, out);
}

}  // namespace reach
