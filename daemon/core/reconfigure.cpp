// A new configuration on a running engine: what keeps its id keeps its state.
#include <algorithm>

#include "daemon/core/state.hpp"

namespace reach {
void Engine::reconfigure(Config config, Time at, Decisions& out) {
  state_->take(Input(TimePassed{}), at, out);
  State& old = *state_;
  auto next_state = std::make_unique<State>(std::move(config), old.options, old.now);
  State& next = *next_state;
  next.out = &out;

  next.happened_at = old.now;
  next.catching_up = old.catching_up;
  next.behind = old.behind;
  next.totals = old.totals;
  next.totals.live_contacts = next.totals.agents = 0;
  next.resolved = std::move(old.resolved);
  next.last_remark = std::move(old.last_remark);
  next.last_acknowledge = std::move(old.last_acknowledge);

  // The open-time clocks count from their own beginnings; only calendars that stay the same keep rolling windows.
  for (std::size_t c = 0; c < next.config.contracts.size(); ++c)
    for (std::size_t o = 0; o < old.config.contracts.size(); ++o)
      if (next.config.contracts[c].id == old.config.contracts[o].id) {
        OpenClock& clock = next.clocks[c + 1];
        clock.open_at = old.clocks[o + 1].at(next.now);
        clock.since = next.now;
      }

  std::vector<std::uint32_t> site_now;  // by the index in the old table
  for (const Site& site : old.sites) site_now.push_back(next.add_site(site.name, site.source));

  // Scopes by id.
  for (std::uint32_t s = 0; s < next.segments.size(); ++s) {
    const auto was = old.segment_index.find(next.config.segments[s].id);
    if (was == old.segment_index.end()) continue;
    Segment& from = old.segments[was->second];
    next.segments[s].first_open = from.first_open;
    next.segments[s].scope.inherit(from.scope);
    for (Slot& slot : from.slots) {
      const std::uint32_t service = next.service_index(old.config.services[slot.service].id);
      if (service != none) next.slot(s, service).scope.inherit(slot.scope);
    }
    for (SiteScope& site : from.sites) {  // which had figures of its own keeps them
      next.segments[s].sites.push_back({site_now[site.site], next.new_scope(s)});
      next.segments[s].sites.back().scope.inherit(site.scope);
    }
  }

  // Sources, queues and agents are told anew, in their old order.
  for (Source& source : old.sources) {
    const std::uint32_t index = next.source_of(source.view.id);
    Source& fresh = next.sources[index];
    fresh.view = source.view;
    fresh.last_event = source.last_event;
    fresh.last_late = source.last_late;
    fresh.tells_agents = source.tells_agents;
    fresh.tells_wrap_up = source.tells_wrap_up;
    fresh.in_resync = source.in_resync;
    fresh.heard_meanwhile = source.heard_meanwhile;
    fresh.listings = source.listings;
    next.watches[fresh.watch].life = old.watches[source.watch].life;
    next.watches[fresh.watch].last_opened = old.watches[source.watch].last_opened;
    next.watches[fresh.watch].opened_late = old.watches[source.watch].opened_late;
    next.watches[fresh.watch].alert = old.watches[source.watch].alert;
    if (next.options.staleness && !next.catching_up && fresh.view.condition == SourceCondition::connected)
      next.timers.arm(TimerKind::source, index, fresh.view.last_heard.value_or(next.now) + next.config.stale_after);
  }
  for (const Site& site : next.sites)
    if (site.source != none) ++next.sources[site.source].sites_named;
  for (Queue& queue : old.queues) {
    Queue& fresh = next.queues[next.add_queue(queue.source, queue.name)];
    fresh.unrouted_events = queue.unrouted_events;
    if (fresh.line != none && queue.line != none) fresh.scope.inherit(queue.scope);
    if (fresh.segment != none) next.link_source(queue.source, fresh.segment);
  }
  std::vector<std::uint32_t> agent_now;  // by the index in the old table
  for (std::uint32_t i = old.agent_list.first; i != none; i = old.agents[i].newer) {
    const Agent& agent = old.agents[i];
    const std::uint32_t index = next.add_agent(agent.source, view(agent.id));
    next.serve_queues(index, old.teams[agent.team].queues);  // queue indices are the same: they were told in order
    if (agent_now.size() <= i) agent_now.resize(i + 1, none);
    agent_now[i] = index;
    Agent& fresh = next.agents[index];
    fresh.touched = agent.touched;
    if (agent.site != none) fresh.site = site_now[agent.site];
    fresh.logged_in = agent.logged_in;
    fresh.paused = agent.paused;
    fresh.wrap_up = agent.wrap_up;
    fresh.unavailable = agent.unavailable;
    fresh.listing = agent.listing;
    fresh.listed = agent.listed;
    fresh.ringing = agent.ringing;
    fresh.talking = agent.talking;
    next.refresh_agent(index);
  }

  // Contacts keep their rows and their place in time; a wait whose segment or service is gone is counted no more.
  const auto take_over = [&](std::uint8_t list, std::uint32_t first) {
    for (std::uint32_t i = first; i != none; i = old.contacts[i].newer) {
      const Contact& was = old.contacts[i];
      const std::uint32_t index = next.contacts.add();
      Contact& contact = next.contacts[index];
      contact = was;
      contact.older = contact.newer = contact.offer = contact.entry = contact.item = none;
      if (was.agent != none) contact.agent = was.agent < agent_now.size() ? agent_now[was.agent] : none;
      if (was.site != none) contact.site = site_now[was.site];
      next.contact_index.insert(index);
      next.link_contact(index, list);
      contact.touched = was.touched;
      const auto segment =
          was.segment == none ? next.segment_index.end() : next.segment_index.find(old.config.segments[was.segment].id);
      contact.segment = segment == next.segment_index.end() ? none : segment->second;
      contact.service = was.service == none ? none : next.service_index(old.config.services[was.service].id);
      const bool kept = was.stage != Stage::aside && contact.segment != none && contact.service != none &&
                        was.offer != none &&
                        next.config.services[contact.service].medium == old.config.services[was.service].medium &&
                        (was.queue == none || next.queues[was.queue].line != none);
      if (!kept) {
        if (contact.stage != Stage::arrived) contact.stage = Stage::aside;
        if (list == open_items) next.move_to_list(index, live_calls);  // it expires, as what never had a segment
        continue;
      }
      const auto carry = [&](std::uint32_t from, std::uint32_t line) {
        const std::uint32_t stay = next.stays.add();
        Stay& fresh = next.stays[stay];
        fresh = old.stays[from];
        fresh.contact = index;
        fresh.line = line;
        fresh.origin = none;
        fresh.before_waiting = fresh.after_waiting = fresh.before_undecided = fresh.after_undecided = none;
        if (fresh.while_open && fresh.outcome == Outcome::waiting) next.link_waiting_stay(stay);
        if (fresh.while_open && fresh.verdict == Verdict::undecided && contact.stage != Stage::open_item &&
            contact.stage != Stage::done_item)
          next.link_undecided_stay(stay);
        return stay;
      };
      contact.offer = carry(was.offer, next.slot(contact.segment, contact.service).line);
      if (was.entry != none) contact.entry = carry(was.entry, next.queues[was.queue].line);
      if (contact.stage == Stage::moving)
        next.timers.arm(TimerKind::requeue, index,
                        contact.left_at + next.config.segments[contact.segment].requeue_within);
      if (contact.stage == Stage::open_item) next.load_pool(contact, 1);
      if (was.item != none) {
        contact.item = next.items.add();
        next.items[contact.item] = old.items[was.item];
        next.items[contact.item].contact = index;
        if (next.items[contact.item].overdue) {
          next.items[contact.item].overdue = false;
          next.set_overdue(contact.item, true);
        }
        next.arm_item(contact.item);
      }
    }
  };
  for (const Source& source : old.sources) take_over(live_calls, source.live_calls.first);
  for (const std::uint8_t list : {ended_calls, open_items, done_items}) take_over(list, old.lists[list].first);
  for (std::uint32_t source = 0; source < next.sources.size(); ++source) next.arm_expiry(source);

  // Alerts by fingerprint; those whose objective or pool is gone resolve.
  for (Watch& was : old.watches) {
    if (was.kind == AlertKind::source_stale) continue;
    const auto same = std::ranges::find(next.watches, was.subject_key, &Watch::subject_key);
    if (same != next.watches.end()) {
      same->life = was.life;
      same->last_opened = was.last_opened;
      same->opened_late = was.opened_late;
      const std::string id = same->alert.objective;
      const auto target = same->alert.target;
      const std::string window = same->alert.window;
      same->alert = was.alert;
      if (same->objective != none) {
        same->alert.target = target;
        same->alert.window = window;
      }
      continue;
    }
    if (was.life.state() != AlertState::pending && was.life.state() != AlertState::firing) continue;
    Alert gone = was.alert;
    gone.state = AlertState::resolved;
    gone.reason = AlertReason::resolved;
    gone.resolved = gone.changed = next.now;
    ++gone.revision;
    gone.summary += "; resolved because the configuration does not name it any more";
    next.resolved.push_back(gone);
    out.push_back(AlertChanged{std::move(gone)});
  }
  for (std::uint32_t w = 0; w < next.watches.size(); ++w) {
    const Watch& watch = next.watches[w];
    if (watch.life.state() == AlertState::pending || watch.life.state() == AlertState::firing)
      next.open_alerts[watch.alert.id] = w;
    next.timers.arm(TimerKind::alert, w, watch.life.next(watch.rule));
  }
  for (std::uint32_t o = 0; o < next.objectives.size(); ++o)
    for (Objective& was : old.objectives)
      if (was.config->id == next.objectives[o].config->id &&
          old.config.segments[was.segment].id == next.config.segments[next.objectives[o].segment].id)
        next.objectives[o].evidence = std::move(was.evidence);
  for (std::uint32_t p = 0; p < next.pools.size(); ++p)
    if (const auto was = old.pool_index.find(next.config.pools[p].id); was != old.pool_index.end()) {
      old.accrue(was->second, next.now);
      next.pools[p].scope.inherit(old.pools[was->second].scope);
    }

  state_ = std::move(next_state);
  for (std::uint32_t s = 0; s < next.segments.size(); ++s) next.touch(s);
  next.evaluate_touched();
  next.out = nullptr;
}

}  // namespace reach
