// Work items: received, worked on, done by their due time or not.
#include <algorithm>

#include "daemon/core/state.hpp"

namespace reach {

/// Business time since the receipt, pauses taken out; negative before the receipt.
Duration Engine::State::age_of(const Item& item, const Contact& contact, Time at) const {
  const OpenClock& clock = clocks[segments[contact.segment].clock];
  const Time until = item.clock_stands ? item.paused_at : at;
  return clock.at(until) - clock.at(item.received) - item.paused_open;
}

void Engine::State::arm_item(std::uint32_t index) {
  const Item& item = items[index];
  const bool open = contacts[item.contact].stage == Stage::open_item && !item.clock_stands;
  timers.arm(TimerKind::item_due, index, open && item.verdict == Verdict::undecided ? item.due : never);
  timers.arm(TimerKind::item_response, index,
             open && !item.responded && item.respond_verdict == Verdict::undecided ? item.respond_due : never);
}

void Engine::State::decide_item(std::uint32_t index, Verdict verdict, Time at) {
  Item& item = items[index];
  const Contact& contact = contacts[item.contact];
  const auto counter = [](Verdict v) { return v == Verdict::met ? Counter::items_met : Counter::items_missed; };
  if (item.verdict == verdict) return;
  if (item.verdict != Verdict::undecided && item.verdict != Verdict::excluded)
    count_segment(contact.segment, contact.service, contact.site, {{counter(item.verdict), -1}}, item.decided_at, true);
  if (verdict != Verdict::undecided && verdict != Verdict::excluded) {
    count_segment(contact.segment, contact.service, contact.site, {{counter(verdict)}}, at);
    if (verdict == Verdict::missed) note_miss(contact.segment, contact.service, contact);
  }
  item.verdict = verdict;
  item.decided_at = at;
}

void Engine::State::decide_response(std::uint32_t index, Verdict verdict, Time at) {
  Item& item = items[index];
  if (item.respond_verdict != Verdict::undecided) return;
  item.respond_verdict = verdict;
  const Contact& contact = contacts[item.contact];
  if (verdict == Verdict::met || verdict == Verdict::missed)
    count_segment(contact.segment, contact.service, contact.site,
                  {{verdict == Verdict::met ? Counter::responded_met : Counter::responded_missed}}, at);
}

void Engine::State::set_overdue(std::uint32_t index, bool overdue) {
  Item& item = items[index];
  if (item.overdue == overdue) return;
  item.overdue = overdue;
  const Contact& contact = contacts[item.contact];
  slot(contact.segment, contact.service).overdue += overdue ? 1 : -1;
  touch(contact.segment);
}

/// An item of the contact's service joins (+1) or leaves (-1) what the pool has to do.
void Engine::State::load_pool(const Contact& contact, std::int64_t joins) {
  if (segments[contact.segment].pool == none) return;
  const ServiceConfig& service = config.services[contact.service];
  const double share = seconds_of(service.handling) / std::max(seconds_of(service.due_in), 60.0);
  pools[segments[contact.segment].pool].items_load += joins * static_cast<std::int64_t>(share * 1e6);
}

/// Takes an item out of the backlog.
void Engine::State::close_item(std::uint32_t index, Time at) {
  Contact& contact = contacts[index];
  Stay& stay = stays[contact.offer];
  unlink_waiting(stays, lines[stay.line].waiting, contact.offer);
  load_pool(contact, -1);
  stay.outcome = Outcome::answered;
  stay.ended_at = at;
  set_overdue(contact.item, false);
  let_go(index, at, false);
  contact.stage = Stage::done_item;
  arm_item(contact.item);
  move_to_list(index, done_items);
  touch(contact.segment);
}

void Engine::State::on_item(const Event& event, std::uint32_t source) {
  std::uint32_t index = find_contact(source, event.contact);
  if (event.kind == EventKind::received) {
    if (index != none && contacts[index].stage == Stage::open_item) {
      if (!sources[source].in_resync) contradiction(event, "of an item that is open already");
      return;
    }
    if (index != none && contacts[index].list == live_calls && contacts[index].stage != Stage::aside) {
      contradiction(event, "of work items, but the contact is a call");
      return;
    }
    if (index != none) forget_contact(index);  // the name is used again
    index = add_contact(source, event.contact);
    if (index == none) return;
    Contact& contact = contacts[index];
    if (!event.site.empty()) contact.site = site_of(source, event.site);
    const std::uint32_t queue = queue_of(source, event.queue);
    contact.queue = queue;
    const std::uint32_t segment = queues[queue].segment;
    if (segment == none) {
      ++queues[queue].unrouted_events;
      ++totals.unrouted;
      contact.stage = Stage::aside;
      return;
    }
    link_source(source, segment);
    const std::uint32_t service = service_for(event, queues[queue], Medium::item);
    if (service == none) {
      ++totals.outside_catalogue;
      count_segment(segment, none, contact.site, {{Counter::outside_catalogue}}, event.at);
      contact.stage = Stage::aside;
      return;
    }
    contact.segment = segment;
    contact.service = service;
    const Time received = std::min(event.received_at.value_or(event.at), event.at);
    const std::uint32_t line = slot(segment, service).line;
    const std::uint32_t stay = stays.add();
    stays[stay].start = received;
    stays[stay].offered_at = event.at;
    stays[stay].contact = index;
    stays[stay].line = line;
    contact.offer = stay;
    link_waiting_stay(stay);
    contact.stage = Stage::open_item;
    load_pool(contact, 1);
    move_to_list(index, open_items);
    contact.item = items.add();
    Item& item = items[contact.item];
    item.contact = index;
    item.received = item.paused_at = received;
    const ServiceConfig& promised = config.services[service];
    const Calendar& calendar = clocks[segments[segment].clock].calendar;
    item.due = event.due.value_or(calendar.advance(received, promised.due_in));
    if (promised.respond_in) item.respond_due = calendar.advance(received, *promised.respond_in);
    count_segment(segment, service, contact.site, {{Counter::items_received}}, event.at);
    arm_item(contact.item);
    return;
  }

  if (index == none) {
    ++totals.unknown_contacts;
    ++sources[source].view.unknown_contacts;
    contradiction(event, "of an item that was never received");
    return;
  }
  Contact& contact = contacts[index];
  if (contact.stage == Stage::aside) return;
  if (contact.item == none) {
    contradiction(event, "of a contact that is no work item");
    return;
  }
  Item& item = items[contact.item];
  const bool open = contact.stage == Stage::open_item;
  if (!open && event.kind != EventKind::reopened) {
    contradiction(event, "of an item that is done");
    return;
  }
  const ServiceConfig& promised = config.services[contact.service];
  const OpenClock& clock = clocks[segments[contact.segment].clock];

  switch (event.kind) {
    case EventKind::assigned:
      break;
    case EventKind::started:
      if (!event.agent.empty()) contact.agent = none;  // items are done beside the calls: nobody is made busy
      break;
    case EventKind::paused: {
      const auto& reasons = promised.pausing_reasons;
      const bool stands = reasons.empty() || std::ranges::find(reasons, event.reason) != reasons.end();
      if (item.paused) break;
      item.paused = true;
      item.clock_stands = stands;
      item.paused_at = std::max(event.at, item.paused_at);  // not before the receipt, nor in an earlier pause
      if (stands && item.verdict == Verdict::missed &&
          item.paused_at <= item.due) {  // heard of late: it stood when it fell due
        decide_item(contact.item, Verdict::undecided, event.at);
        set_overdue(contact.item, false);
        ++totals.corrected;
        ++sources[source].view.corrected;
      }
      arm_item(contact.item);
      touch(contact.segment);
      break;
    }
    case EventKind::resumed: {
      if (!item.paused) {
        contradiction(event, "of an item that is not paused");
        break;
      }
      const Time until = std::max(event.at, item.paused_at);
      if (item.clock_stands) {
        const Duration stood = clock.at(until) - clock.at(item.paused_at);
        item.paused_open += stood;
        const auto shift = [&](Time& due) {
          if (due != never) due = clock.calendar.advance(due, stood);
        };
        if (item.verdict == Verdict::undecided) shift(item.due);
        if (item.respond_verdict == Verdict::undecided) shift(item.respond_due);
      }
      item.paused = item.clock_stands = false;
      item.paused_at = until;
      arm_item(contact.item);
      touch(contact.segment);
      break;
    }
    case EventKind::responded:
      item.responded = true;
      if (item.respond_due != never)
        decide_response(contact.item, event.at <= item.respond_due ? Verdict::met : Verdict::missed, event.at);
      arm_item(contact.item);
      break;
    case EventKind::due_changed:
      if (!event.due) break;
      item.due = *event.due;
      if (item.verdict == Verdict::missed && item.due > event.at) {
        decide_item(contact.item, Verdict::undecided, event.at);
        ++totals.corrected;
        ++sources[source].view.corrected;
      }
      set_overdue(contact.item, item.due < now && !item.clock_stands);
      arm_item(contact.item);
      break;
    case EventKind::rerouted:
    case EventKind::reclassified: {
      std::uint32_t segment = contact.segment, service = contact.service;
      if (event.kind == EventKind::rerouted) {
        const std::uint32_t queue = queue_of(source, event.queue);
        contact.queue = queue;
        segment = queues[queue].segment;
        if (segment != none && queues[queue].service != none) service = queues[queue].service;
      } else {
        service = service_index(event.service);
      }
      const bool counts = segment != none && service != none && config.services[service].medium == Medium::item;
      if (segment == contact.segment && service == contact.service) break;
      // It leaves the old backlog with its verdict; what is still open moves on with its own due time.
      const bool overdue = item.overdue;
      set_overdue(contact.item, false);
      load_pool(contact, -1);
      unlink_waiting(stays, lines[stays[contact.offer].line].waiting, contact.offer);
      touch(contact.segment);
      if (!counts) {
        if (segment != none) count_segment(segment, none, contact.site, {{Counter::outside_catalogue}}, event.at);
        ++(segment == none ? totals.unrouted : totals.outside_catalogue);
        timers.cancel(TimerKind::item_due, contact.item);
        timers.cancel(TimerKind::item_response, contact.item);
        contact.stage = Stage::aside;
        move_to_list(index, done_items);
        break;
      }
      link_source(source, segment);
      contact.segment = segment;
      contact.service = service;
      load_pool(contact, 1);
      stays[contact.offer].line = slot(segment, service).line;
      link_waiting_stay(contact.offer);
      count_segment(segment, service, contact.site, {{Counter::items_received}}, event.at);
      if (event.kind == EventKind::reclassified && item.verdict == Verdict::undecided) {
        const auto& calendar = clocks[segments[segment].clock].calendar;
        item.due = calendar.advance(item.received, config.services[service].due_in + item.paused_open);
        arm_item(contact.item);
      }
      set_overdue(contact.item, overdue);
      break;
    }
    case EventKind::completed: {
      // While it is paused its clock stands; but a due time that had passed before has passed.
      const bool in_time = event.at <= item.due || (item.clock_stands && item.paused_at <= item.due);
      if (in_time && item.verdict == Verdict::missed) {  // learnt late that it was done in time
        ++totals.corrected;
        ++sources[source].view.corrected;
      }
      decide_item(contact.item, in_time ? Verdict::met : Verdict::missed, in_time ? event.at : item.due);
      if (!item.responded && item.respond_due != never)
        decide_response(contact.item, event.at <= item.respond_due ? Verdict::met : Verdict::missed, event.at);
      count_segment(contact.segment, contact.service, contact.site, {{Counter::items_completed}}, event.at);
      item.completed_at = event.at;
      close_item(index, event.at);
      break;
    }
    case EventKind::cancelled:
    case EventKind::merged:  // not in the ratio, whatever was decided before
      decide_item(contact.item, Verdict::excluded, event.at);
      item.completed_at = Time{};
      close_item(index, event.at);
      break;
    case EventKind::reopened: {
      if (open) {
        contradiction(event, "of an item that is open");
        break;
      }
      const bool soon = item.completed_at != Time{} && event.at - item.completed_at <= promised.reopen_within;
      contact.stage = Stage::open_item;
      load_pool(contact, 1);
      move_to_list(index, open_items);
      stays[contact.offer].outcome = Outcome::waiting;
      link_waiting_stay(contact.offer);
      touch(contact.segment);
      if (soon && item.verdict == Verdict::met) {  // it was not done after all
        decide_item(contact.item, Verdict::undecided, event.at);
        ++totals.corrected;
        ++sources[source].view.corrected;
      } else if (!soon) {  // a concern of its own
        item.verdict = Verdict::undecided;
        item.due = clock.calendar.advance(event.at, promised.due_in);
        count_segment(contact.segment, contact.service, contact.site, {{Counter::items_received}}, event.at);
      }
      if (item.due < event.at) {
        if (item.verdict == Verdict::undecided) decide_item(contact.item, Verdict::missed, event.at);
        set_overdue(contact.item, true);
      }
      arm_item(contact.item);
      break;
    }
    default:
      break;
  }
}

}  // namespace reach
