// The whole engine as bytes: every table of state.hpp, field by field, in the order of its declaration.
//
// A field that is added to one of these structs is added here, and `format` counts up: bytes of another format are
// refused, and the log is read from its beginning instead.
#include <algorithm>

#include "daemon/core/archive.hpp"
#include "daemon/core/snapshot_check.hpp"
#include "daemon/core/state.hpp"

namespace reach {
namespace {

constexpr std::int64_t format = 10;

}  // namespace

// ---- configuration

template <class A>
void visit(A& a, Zone::Change& v) {
  a(v.from, v.utc_offset);
}
template <class A>
void visit(A& a, Zone& v) {
  a(v.name, v.changes);
}
template <class A>
void visit(A& a, Calendar::Hours& v) {
  a(v.from, v.to);
}
template <class A>
void visit(A& a, Calendar::Exception& v) {
  a(v.date, v.hours, v.name);
}
template <class A>
void visit(A& a, Calendar& v) {
  Zone zone = v.zone();
  auto week = v.week();
  auto exceptions = v.exceptions();
  a(zone, week, exceptions);
  if constexpr (std::is_same_v<A, ArchiveReader>) {
    check_hours(zone, week, exceptions);
    v = Calendar(std::move(zone), std::move(week), std::move(exceptions));
  }
}
template <class A>
void visit(A& a, Window& v) {
  a(v.kind, v.length, v.period);
}
template <class A>
void visit(A& a, ServiceConfig& v) {
  a(v.id, v.medium, v.threshold, v.short_abandon, v.abandons, v.wait_clock, v.due_in, v.respond_in, v.reopen_within,
    v.pausing_reasons, v.handling);
}
template <class A>
void visit(A& a, QueueRoute& v) {
  a(v.source, v.queue, v.service);
}
template <class A>
void visit(A& a, SegmentConfig& v) {
  a(v.id, v.name, v.queues, v.overflow_to, v.requeue_within);
}
template <class A>
void visit(A& a, ObjectiveConfig& v) {
  a(v.id, v.service, v.figure, v.target, v.window, v.min_samples, v.hold, v.clear, v.clear_for, v.repeat);
}
template <class A>
void visit(A& a, ContractConfig& v) {
  a(v.id, v.client, v.segments, v.calendar, v.objectives);
}
template <class A>
void visit(A& a, PoolConfig& v) {
  a(v.id, v.segments, v.sites, v.shrinkage, v.max_occupancy, v.staffing_gap_for);
}
template <class A>
void visit(A& a, SourceConfig& v) {
  a(v.id, v.site);
}
template <class A>
void visit(A& a, Config& v) {
  a(v.zone, v.interval, v.stale_after, v.expire_after, v.minimum_group, v.max_contacts, v.max_agents, v.segments,
    v.services, v.contracts, v.pools, v.sources, v.fingerprint);
}

// ---- views that are kept

template <class A>
void visit(A& a, Acknowledgement& v) {
  a(v.by, v.note, v.at, v.until);
}
template <class A>
void visit(A& a, Alert& v) {
  a(v.id, v.fingerprint, v.revision, v.kind, v.state, v.reason, v.segment, v.contract, v.objective, v.subject, v.figure,
    v.window, v.value, v.target, v.samples, v.pending_since, v.fired, v.resolved, v.changed, v.evidence, v.help,
    v.summary, v.stale, v.corrected, v.acknowledged, v.inhibited_by);
}
template <class A>
void visit(A& a, BehindView& v) {
  a(v.from, v.to, v.until, v.events);
}
template <class A>
void visit(A& a, SourceView& v) {
  a(v.id, v.condition, v.last_heard, v.software, v.capabilities, v.events, v.late, v.corrected, v.inferred,
    v.contradictions, v.events_lost, v.unknown_contacts, v.over_limit, v.behind);
}
template <class A>
void visit(A& a, ExpectedView& v) {
  a(v.service_level, v.asa_s, v.occupancy, v.p_abandon);
}
template <class A>
void visit(A& a, RecommendationView& v) {
  a(v.pool, v.segment, v.interval_start, v.interval_s, v.required, v.available, v.gap, v.scheduled, v.for_calls,
    v.for_items, v.at_current, v.at_required, v.calls, v.aht_s, v.patience_s, v.basis, v.model, v.reason, v.assumptions,
    v.pooling_gain, v.not_enough_data);
}
template <class A>
void visit(A& a, AgentCounts& v) {
  a(v.available, v.ringing, v.busy, v.wrap_up, v.paused, v.logged_in, v.known);
}
template <class A>
void visit(A& a, StaffingView& v) {
  a(v.pool, v.time, v.agents, v.occupancy, v.recommendations);
}
template <class A>
void visit(A& a, TrendView& v) {
  a(v.from, v.offered, v.answered, v.abandoned, v.met, v.missed);
}
template <class A>
void visit(A& a, Totals& v) {
  a(v.events, v.late, v.corrected, v.inferred, v.contradictions, v.unknown_contacts, v.unrouted, v.outside_catalogue,
    v.alerts_fired, v.contacts_expired, v.over_max_contacts, v.over_max_agents, v.live_contacts, v.agents);
}

// ---- windows, lines and tables

template <class A>
void visit(A& a, TimeRange& v) {
  a(v.from, v.to);
}
template <class A>
void visit(A& a, StayList& v) {
  a(v.first, v.last, v.size);  // what is kept apart is known by its links
}
template <class A>
void visit(A& a, Stay& v) {
  a(v.start, v.offered_at, v.decided_at, v.ended_at, v.contact, v.line, v.before_waiting, v.after_waiting,
    v.before_undecided, v.after_undecided, v.origin, v.verdict, v.outcome, v.while_open);
}
template <class A>
void visit(A& a, Line& v) {
  a(v.segment, v.service, v.queue, v.threshold, v.short_abandon, v.abandons, v.waiting, v.undecided);
}
template <class A>
void visit(A& a, Contact& v) {
  a(v.id, v.source, v.queue, v.segment, v.service, v.site, v.offer, v.entry, v.agent, v.item, v.older, v.newer,
    v.touched, v.arrived, v.connected_at, v.left_at, v.stage, v.list, v.left_reason);
}
template <class A>
void visit(A& a, Item& v) {
  a(v.contact, v.received, v.due, v.respond_due, v.completed_at, v.paused_at, v.paused_open, v.paused, v.clock_stands,
    v.overdue, v.responded, v.verdict, v.respond_verdict, v.decided_at);
}
template <class A>
void visit(A& a, RowList& v) {
  a(v.first, v.last, v.size);
}
template <class A>
void visit(A& a, Queue& v) {
  a(v.name, v.source, v.segment, v.service, v.line, v.scope, v.unrouted_events);
}
template <class A>
void visit(A& a, Slot& v) {
  a(v.service, v.line, v.scope, v.overdue);
}
template <class A>
void visit(A& a, Site& v) {
  a(v.name, v.source);
}
template <class A>
void visit(A& a, SiteScope& v) {
  a(v.site, v.scope);
}
template <class A>
void visit(A& a, Team& v) {
  a(v.queues, v.segments, v.pools);
}
template <class A>
void visit(A& a, Agent& v) {
  a(v.id, v.source, v.site, v.team, v.older, v.newer, v.touched, v.logged_in, v.paused, v.wrap_up, v.unavailable,
    v.place, v.listing, v.listed, v.ringing, v.talking, v.state);
}
template <class A>
void visit(A& a, AlertRule& v) {
  a(v.hold, v.clear_for, v.repeat);
}
template <class A>
void visit(A& a, Watch& v) {
  a(v.kind, v.rule, v.life, v.alert, v.subject_key, v.objective, v.value, v.samples, v.last_opened, v.opened_late);
}
template <class A>
void visit(A& a, Source& v) {
  a(v.view, v.last_event, v.last_late, v.site, v.watch, v.segments, v.live_calls, v.agents, v.listings, v.tells_agents,
    v.tells_wrap_up, v.in_resync, v.heard_meanwhile);
}

// What follows from the configuration is made by the constructor; only what has happened since is written of these.
template <class A>
void visit(A& a, OpenClock& v) {
  a(v.since, v.open_at, v.open);
}
template <class A>
void visit(A& a, Objective& v) {
  a(v.evidence, v.status, v.woken);
}
template <class A>
void visit(A& a, Segment& v) {
  a(v.first_open, v.scope, v.slots, v.sites, v.queues, v.sources, v.people.in);
}
template <class A>
void visit(A& a, Pool& v) {
  a(v.sources, v.people.in, v.scope, v.first_open, v.items_load, v.accrued, v.advice, v.wanted, v.wanted_since,
    v.published);
}

/// All tables; look-ups by name follow from them.
template <class A>
void Engine::State::visit_tables(A& a) {
  a(now, happened_at, catching_up, behind, periods.range, timers, totals, lines, segments, clocks, queues, objectives,
    pools, sources, teams, agents, agent_list, sites, watches, resolved, contacts, stays, items, lists,
    last_acknowledge.done, last_acknowledge.problem);
  std::vector<std::pair<std::string, Time>> remarks(last_remark.begin(), last_remark.end());
  std::ranges::sort(remarks);
  a(remarks);
  last_remark.insert(remarks.begin(), remarks.end());
}

void Engine::save(const std::function<void(std::string_view)>& write) const {
  ArchiveWriter archive(write);
  std::int64_t written = format;
  archive(written, state_->config);
  state_->visit_tables(archive);
  archive.finish();
}

Engine Engine::load(std::string_view bytes, EngineOptions options) {
  ArchiveReader archive(bytes);
  std::int64_t written = 0;
  archive(written);
  if (written != format)
    throw ArchiveError("its format is " + std::to_string(written) + ", this version reads " + std::to_string(format));
  Config config;
  archive(config);
  check_config(config);
  Engine engine(std::move(config), options, Time{});
  State& s = *engine.state_;
  const std::vector<Site> named = s.sites;  // by the configuration
  const std::size_t made[] = {s.segments.size(), s.clocks.size(), s.objectives.size(), s.pools.size()};
  s.visit_tables(archive);
  if (!archive.at_end()) throw ArchiveError("it is longer than what it holds");
  const std::size_t read[] = {s.segments.size(), s.clocks.size(), s.objectives.size(), s.pools.size()};
  if (!std::ranges::equal(made, read) || s.sites.size() < named.size() ||
      !std::equal(named.begin(), named.end(), s.sites.begin()))
    throw ArchiveError("its tables do not fit its configuration");
  s.check_tables();

  for (std::uint32_t i = 0; i < s.stays.size(); ++i) {
    const Stay& stay = s.stays[i];
    if (stay.before_waiting == kept_apart) s.lines[stay.line].waiting.apart.emplace(stay.start, i);
    if (stay.before_undecided == kept_apart) s.lines[stay.line].undecided.apart.emplace(stay.start, i);
  }
  for (std::uint32_t i = 0; i < s.sources.size(); ++i) s.source_index[s.sources[i].view.id] = i;
  for (std::uint32_t i = 0; i < s.sites.size(); ++i) {
    s.site_index[s.sites[i].name] = i;
    if (s.sites[i].source != none) ++s.sources[s.sites[i].source].sites_named;
  }
  for (std::uint32_t i = 0; i < s.queues.size(); ++i) {
    s.queue_index[{s.queues[i].source, s.queues[i].name}] = i;
    if (s.queues[i].line == none) ++s.sources[s.queues[i].source].queues_named;
  }
  for (std::uint32_t i = s.agent_list.first; i != none; i = s.agents[i].newer) {
    s.agent_index.insert(i);
    ++s.sources[s.agents[i].source].people;
    if (s.agents[i].team != 0) ++s.teams[s.agents[i].team].people;
  }
  for (std::uint32_t i = 0; i < s.teams.size(); ++i)
    if (i == 0 || s.teams[i].people > 0) s.team_index[s.teams[i].queues] = i;
  s.contact_index.reserve(s.contacts.used());
  const auto take_in = [&s](const RowList& list) {
    for (std::uint32_t i = list.first; i != none; i = s.contacts[i].newer) s.contact_index.insert(i);
  };
  const auto count_live = [&s](const RowList& list) {
    for (std::uint32_t i = list.first; i != none; i = s.contacts[i].newer)
      ++s.sources[s.contacts[i].source].live_contacts;
  };
  for (const Source& source : s.sources) {
    take_in(source.live_calls);
    count_live(source.live_calls);
  }
  for (const RowList& list : s.lists) take_in(list);
  count_live(s.lists[open_items]);
  for (std::uint32_t w = 0; w < s.watches.size(); ++w) {
    const AlertState state = s.watches[w].life.state();
    if (state == AlertState::pending || state == AlertState::firing) s.open_alerts[s.watches[w].alert.id] = w;
  }
  return engine;
}

}  // namespace reach
