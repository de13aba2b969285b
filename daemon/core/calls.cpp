// The life of a call: offered, perhaps moved on, answered or lost, ended.
#include <algorithm>

#include "daemon/core/state.hpp"

namespace reach {
namespace {

/// An offer keeps the offers it came from by agreed overflow, and all of them are decided with it. Where overflow is
/// agreed both ways, a call may go back and forth.
constexpr int most_overflows = 16;

Outcome outcome_of(ForwardReason reason) {
  switch (reason) {
    case ForwardReason::key:
    case ForwardReason::callback:
    case ForwardReason::voicemail:
      return Outcome::forwarded_choice;
    case ForwardReason::timeout:
    case ForwardReason::empty:
    case ForwardReason::full:
    case ForwardReason::rejected:
    case ForwardReason::overflow:  // not agreed: the provider's
    case ForwardReason::redirected:
    case ForwardReason::other:
      return Outcome::forwarded_failure;
  }
  return Outcome::forwarded_failure;
}

bool contains(const std::vector<std::uint32_t>& list, std::uint32_t wanted) {
  return std::ranges::find(list, wanted) != list.end();
}

}  // namespace

void Engine::State::on_call(const Event& event, std::uint32_t source) {
  std::uint32_t index = find_contact(source, event.contact);
  const bool begins =
      event.kind == EventKind::offered || event.kind == EventKind::arrived || event.kind == EventKind::rejected;
  if (index == none) {
    if (!begins) {
      ++totals.unknown_contacts;
      ++sources[source].view.unknown_contacts;
      contradiction(event, "of a contact that was never offered");
      return;
    }
    index = add_contact(source, event.contact);
    if (index == none) return;
    if (event.direction != Direction::inbound) contacts[index].stage = Stage::aside;
  }
  Contact& contact = contacts[index];
  if (contact.item != none) {
    contradiction(event, "of calls, but the contact is a work item");
    return;
  }
  if (contact.list == live_calls) move_to_list(index, live_calls);
  if (!event.site.empty()) contact.site = site_of(source, event.site);
  const bool is_over = contact.stage == Stage::ended;
  if (contact.stage == Stage::aside && !begins) {
    if (event.kind == EventKind::ended) {
      let_go(index, event.at, true);
      move_to_list(index, ended_calls);
    } else if (event.kind == EventKind::answered || event.kind == EventKind::picked_up) {
      on_answered(event, index);
    }
    if (contact.queue != none && queues[contact.queue].line == none) {
      ++queues[contact.queue].unrouted_events;
      ++totals.unrouted;
    }
    return;
  }

  switch (event.kind) {
    case EventKind::arrived:
      contact.arrived = event.at;
      break;
    case EventKind::offered:
      on_offered(event, index, source);
      break;
    case EventKind::rejected:
      on_rejected(event, index, source);
      break;
    case EventKind::answered:
    case EventKind::picked_up:
      on_answered(event, index);
      break;
    case EventKind::answer_retracted:
      on_answer_retracted(event, index);
      break;
    case EventKind::abandoned:
      on_abandoned(event, index);
      break;
    case EventKind::forwarded:
      on_forwarded(event, index);
      break;
    case EventKind::voicemail_left:
    case EventKind::callback_requested:
      if (contact.stage == Stage::waiting || contact.stage == Stage::moving) {
        Event choice = event;
        choice.forward_reason =
            event.kind == EventKind::voicemail_left ? ForwardReason::voicemail : ForwardReason::callback;
        choice.to = {};
        on_forwarded(choice, index);
      }
      break;
    case EventKind::outcome_unknown:
      if (!is_over) on_outcome_unknown(index, event.at);
      break;
    case EventKind::classified:
      on_classified(event, index);
      break;
    case EventKind::transferred:
      if (contact.stage == Stage::connected) {
        end_talk(index, event.at);
        let_go(index, event.at, true);
        contact.stage = Stage::handed_on;
      } else {
        contradiction(event, "of a call that is not connected");
      }
      break;
    case EventKind::ended:
      on_ended(event, index);
      break;
    case EventKind::ringing:
    case EventKind::ring_no_answer:
    case EventKind::ring_ended: {
      if (const std::uint32_t rung = event.agent.empty() ? none : agent_of(source, event.agent); rung != none) {
        Agent& agent = agents[rung];
        if (event.kind == EventKind::ringing)
          ++agent.ringing;
        else if (agent.ringing > 0)
          --agent.ringing;
        refresh_agent(rung);
      }
      if (event.kind == EventKind::ring_no_answer) {
        if (contact.entry != none) count(stays[contact.entry], {{Counter::ring_no_answer}}, event.at);
        if (contact.offer != none) count(stays[contact.offer], {{Counter::ring_no_answer}}, event.at);
      }
      break;
    }
    case EventKind::wrap_up_ended:
      if (contact.stage == Stage::ended && contact.connected_at != Time{} && contact.offer != none &&
          event.at > contact.left_at) {
        const std::int64_t wrap_up = (event.at - contact.left_at).count();
        count(stays[contact.offer], {{Counter::handle_ns, wrap_up}, {Counter::work_ns, wrap_up}}, event.at);
        contact.connected_at = Time{};  // once
      }
      if (const auto agent = event.agent.empty() ? contact.agent : agent_of(source, event.agent); agent != none) {
        agents[agent].wrap_up = false;
        refresh_agent(agent);
      }
      break;
    case EventKind::held:
    case EventKind::retrieved:
    case EventKind::consult_started:
    case EventKind::consult_ended:
      break;  // part of the conversation: the handling time runs on
    default:
      break;
  }
}

void Engine::State::begin_entry(const Event& event, std::uint32_t index, std::uint32_t queue) {
  drop_stay(contacts[index].entry);
  contacts[index].queue = queue;
  const bool open = stays[contacts[index].offer].while_open;
  contacts[index].entry = begin_stay(queues[queue].line, index, event.at, event.at, open);
}

void Engine::State::begin_offer(const Event& event, std::uint32_t index, std::uint32_t queue, std::uint32_t service) {
  Contact& contact = contacts[index];
  const std::uint32_t segment = queues[queue].segment;
  const ServiceConfig& promised = config.services[service];
  const bool back_after_answer = contact.connected_at != Time{};
  // Agreed overflow: the offer it came from stays beside the new one until both are decided.
  std::uint32_t origin = none;
  if (contact.stage == Stage::moving && contact.offer != none &&
      stays[contact.offer].outcome == Outcome::forwarded_agreed)
    origin = contact.offer;
  else
    drop_stay(contact.offer);

  contact.segment = segment;
  contact.service = service;
  Time start = event.at;
  if (promised.wait_clock == WaitClock::arrival && contact.arrived != Time{} && !back_after_answer && origin == none)
    start = std::min(contact.arrived, start);
  const bool open = clocks[segments[segment].clock].calendar.is_open(event.at);
  const std::uint32_t line = slot(segment, service).line;
  const std::uint32_t offer = begin_stay(line, index, start, event.at, open);
  stays[offer].origin = origin;
  contact.offer = offer;
  contact.connected_at = Time{};
  if (back_after_answer) count(stays[offer], {{Counter::transferred_in}}, event.at);
  if (origin != none) count(stays[offer], {{Counter::overflow_in}}, event.at);
  timers.cancel(TimerKind::requeue, index);
}

/// A call that waits in one queue turns up in another, of `segment`, and nobody said why: it moved on. A listing finds
/// it there after any time and anything: it may have been answered in between, so what the first queue did is unknown.
/// A wait that stays within the segment goes on.
void Engine::State::move_unseen(std::uint32_t index, std::uint32_t segment, Time at) {
  Contact& contact = contacts[index];
  const bool listed = sources[contact.source].in_resync;
  if (listed && contact.segment != segment) return on_outcome_unknown(index, at);
  end_stay(contact.entry, listed ? Outcome::unknown : Outcome::forwarded_agreed, at);
  if (!listed) decide(contact.entry, Verdict::excluded, at);
  contact.stage = Stage::moving;
  contact.left_at = at;
  contact.left_reason = ForwardReason::overflow;
}

void Engine::State::on_offered(const Event& event, std::uint32_t index, std::uint32_t source) {
  Contact& contact = contacts[index];
  const std::uint32_t queue = queue_of(source, event.queue);
  const std::uint32_t segment = queues[queue].segment;

  if (event.direction != Direction::inbound) {
    if (contact.offer == none)
      contact.stage = Stage::aside;
    else
      contradiction(event, "that makes a customer's call an outbound or internal one");
    return;
  }
  if (contact.stage == Stage::waiting) {
    if (contact.queue == queue) {  // told again: a listing after a reconnect
      if (!sources[source].in_resync) contradiction(event, "of a call that already waits there");
      return;
    }
    move_unseen(index, segment, event.at);
    ++totals.inferred;
    ++sources[source].view.inferred;
  }
  if (contact.stage == Stage::connected) {  // a transfer back into a queue
    end_talk(index, event.at);
    let_go(index, event.at, true);
  }
  if (segment == none) {
    if (contact.stage == Stage::moving) settle_move(index);
    ++queues[queue].unrouted_events;
    ++totals.unrouted;
    contact.queue = queue;
    contact.stage = Stage::aside;
    return;
  }
  link_source(source, segment);
  const std::uint32_t service = service_for(event, queues[queue], Medium::call);
  if (service == none) {
    if (contact.stage == Stage::moving) settle_move(index);
    count_segment(segment, none, contact.site, {{Counter::outside_catalogue}}, event.at);
    ++totals.outside_catalogue;
    contact.queue = queue;
    contact.stage = Stage::aside;
    return;
  }
  const SegmentConfig& promised = config.segments[segment];
  // Time gave him up before it was known that he had arrived.
  if (contact.stage == Stage::ended && contact.offer != none && contact.connected_at == Time{} &&
      stays[contact.offer].outcome == Outcome::forwarded_agreed &&
      event.at - contact.left_at <= promised.requeue_within)
    resume_move(index);
  const bool same_offer =
      contact.offer != none && contact.segment == segment && event.at - contact.left_at <= promised.requeue_within &&
      (contact.stage == Stage::moving || (contact.stage == Stage::ended && contact.connected_at == Time{} &&
                                          stays[contact.offer].outcome == Outcome::forwarded_failure));
  if (same_offer && stays[contact.offer].outcome != Outcome::forwarded_agreed) {
    // Moving on within the segment: the same offer, its clock runs on (or begins anew, wait_clock "entry").
    const std::uint32_t offer = contact.offer;
    if (stays[offer].outcome != Outcome::waiting) {  // heard of late: time, or a failure, had given him up
      reopen_stay(offer);
      take_back_loss(index, stays[offer].origin);
    }
    if (config.services[contact.service].wait_clock == WaitClock::entry && stays[offer].verdict == Verdict::undecided &&
        stays[offer].while_open) {
      Line& line = lines[stays[offer].line];
      unlink_waiting(stays, line.waiting, offer);
      unlink_undecided(stays, line.undecided, offer);
      stays[offer].start = event.at;
      link_waiting_stay(offer);
      link_undecided_stay(offer);
    }
    timers.cancel(TimerKind::requeue, index);
    begin_entry(event, index, queue);
  } else {
    if (contact.stage == Stage::moving && stays[contact.offer].outcome == Outcome::waiting) settle_move(index);
    begin_offer(event, index, queue, service);
    begin_entry(event, index, queue);
  }
  if (contact.list != live_calls) move_to_list(index, live_calls);  // after the move: settling it may end the call
  contact.stage = Stage::waiting;
  touch(segment);
}

void Engine::State::on_rejected(const Event& event, std::uint32_t index, std::uint32_t source) {
  Contact& contact = contacts[index];
  if (contact.stage != Stage::waiting) {
    if (event.queue.empty()) {
      contradiction(event, "names no queue");
      return;
    }
    // Never let in: it counts as offered all the same.
    on_offered(event, index, source);
    if (contacts[index].stage != Stage::waiting) return;
  }
  on_forwarded(event, index);
}

void Engine::State::on_answered(const Event& event, std::uint32_t index) {
  // Answered in a queue to which nobody saw it move. One that was answered before was transferred there.
  if (const Contact& was = contacts[index];
      !event.queue.empty() && was.stage != Stage::aside &&
      (was.stage == Stage::moving || queue_of(was.source, event.queue) != was.queue))
    on_offered(event, index, was.source);
  Contact& contact = contacts[index];
  if (!event.agent.empty()) {
    const std::uint32_t agent = agent_of(contact.source, event.agent);
    if (contact.agent != agent) {
      let_go(index, event.at, false);
      contact.agent = agent;
      if (agent != none) {
        if (agents[agent].ringing > 0) --agents[agent].ringing;
        ++agents[agent].talking;
        agents[agent].wrap_up = false;
        refresh_agent(agent);
      }
    }
  }
  if (contact.stage == Stage::connected || contact.stage == Stage::aside) return;  // handed from person to person
  if (contact.stage == Stage::arrived) {
    contact.stage = Stage::aside;  // never asked for in a queue
    return;
  }
  if (contact.stage == Stage::handed_on) {  // a colleague has it now: a conversation of its own, no new offer
    contact.stage = Stage::connected;
    contact.connected_at = event.at;
    return;
  }
  if (contact.stage == Stage::ended) {
    contradiction(event, "of a call that has ended");
    let_go(index, event.at, false);
    return;
  }
  timers.cancel(TimerKind::requeue, index);
  if (contact.entry != none) end_stay(contact.entry, Outcome::answered, event.at);
  end_stay(contact.offer, Outcome::answered, event.at);
  end_origins(stays[contact.offer].origin, Verdict::met, event.at);
  contact.stage = Stage::connected;
  contact.connected_at = event.at;
}

void Engine::State::on_answer_retracted(const Event& event, std::uint32_t index) {
  Contact& contact = contacts[index];
  if (contact.stage != Stage::connected) {
    contradiction(event, "of a call that is not connected");
    return;
  }
  let_go(index, event.at, false);
  if (contact.entry != none) reopen_stay(contact.entry);
  reopen_stay(contact.offer);
  for (std::uint32_t origin = stays[contact.offer].origin; origin != none; origin = stays[origin].origin) {
    retract_decision(origin);
    if (stays[origin].while_open) link_undecided_stay(origin);
  }
  contact.stage = Stage::waiting;
  contact.connected_at = Time{};
  ++totals.corrected;
  ++sources[contact.source].view.corrected;
}

/// The clock of an agreed overflow's origin ended at `at`, which decides it to be `within` if that was in time. What
/// time decided before this was known is taken back.
void Engine::State::end_origin(std::uint32_t origin, Verdict within, Time at) {
  const Time deadline = stays[origin].start + lines[stays[origin].line].threshold;
  if (at > deadline) return decide(origin, Verdict::missed, deadline);
  if (stays[origin].verdict == Verdict::missed && stays[origin].decided_at == deadline && within != Verdict::missed) {
    retract_decision(origin);
    ++totals.corrected;
    ++sources[contacts[stays[origin].contact].source].view.corrected;
  }
  decide(origin, within, at);
}

void Engine::State::end_origins(std::uint32_t first, Verdict within, Time at) {
  for (std::uint32_t origin = first; origin != none; origin = stays[origin].origin) end_origin(origin, within, at);
}

void Engine::State::on_abandoned(const Event& event, std::uint32_t index) {
  Contact& contact = contacts[index];
  if (contact.stage == Stage::arrived) {  // hung up before any queue
    contact.stage = Stage::ended;
    move_to_list(index, ended_calls);
    return;
  }
  if (contact.stage != Stage::waiting && contact.stage != Stage::moving) {
    contradiction(event, "of a call that does not wait");
    return;
  }
  timers.cancel(TimerKind::requeue, index);
  if (contact.stage == Stage::waiting) end_stay(contact.entry, Outcome::abandoned, event.at);
  // Lost on the way to the agreed segment, the offer is an origin itself. An origin's own policy decides.
  const bool on_the_way = stays[contact.offer].outcome == Outcome::forwarded_agreed;
  if (!on_the_way) end_stay(contact.offer, Outcome::abandoned, event.at);
  for (std::uint32_t origin = on_the_way ? contact.offer : stays[contact.offer].origin; origin != none;
       origin = stays[origin].origin) {
    const Line& line = lines[stays[origin].line];
    const Duration wait = event.at - stays[origin].start;
    Verdict verdict = Verdict::excluded;
    if (line.abandons == Abandons::negative && wait >= line.short_abandon)
      verdict = Verdict::missed;
    else if (line.abandons == Abandons::positive && wait >= line.short_abandon)
      verdict = Verdict::met;
    end_origin(origin, verdict, event.at);
  }
  contact.stage = Stage::ended;
  contact.left_at = event.at;
  move_to_list(index, ended_calls);
}

void Engine::State::on_forwarded(const Event& event, std::uint32_t index) {
  Contact& contact = contacts[index];
  if (contact.stage != Stage::waiting && contact.stage != Stage::moving) {
    contradiction(event, "of a call that does not wait");
    return;
  }
  const std::uint32_t segment = contact.segment;
  // Where to? A queue of this source that is known or routed, or a segment.
  std::uint32_t target = none;
  if (!event.to.empty()) {
    if (const auto known = segment_index.find(event.to); known != segment_index.end()) target = known->second;
    const std::string with_source = sources[contact.source].view.id + '/' + std::string(event.to);
    if (const auto route = routes.find(with_source); route != routes.end())
      target = route->second.segment;
    else if (const auto any = routes.find(event.to); any != routes.end())
      target = any->second.segment;
  }
  const bool by_choice = outcome_of(event.forward_reason) == Outcome::forwarded_choice;
  const bool within = !by_choice && target == segment;
  bool agreed = !by_choice && target != none && !within && contains(segments[segment].overflow_to, target);
  if (agreed && came_by_overflows(contact.offer) >= most_overflows) {
    contradiction(event, "that passes it on by agreed overflow once more after " + std::to_string(most_overflows),
                  "counted, and taken as not agreed");
    agreed = false;
  }
  const Outcome outcome = agreed || within ? Outcome::forwarded_agreed : outcome_of(event.forward_reason);

  if (contact.stage == Stage::waiting) {
    end_stay(contact.entry, outcome, event.at);
    decide(contact.entry, Verdict::excluded, event.at);  // moving on is no verdict on the queue
  }
  contact.left_at = event.at;
  contact.left_reason = event.forward_reason;
  if (within || agreed) {
    if (agreed) end_stay(contact.offer, Outcome::forwarded_agreed, event.at);
    contact.stage = Stage::moving;
    timers.arm(TimerKind::requeue, index, event.at + config.segments[segment].requeue_within);
    return;
  }
  if (stays[contact.offer].outcome == Outcome::forwarded_agreed) {  // on the way to the agreed segment, sent elsewhere
    end_origin(contact.offer, by_choice ? Verdict::excluded : Verdict::missed, event.at);
  } else {
    end_stay(contact.offer, outcome, event.at);
  }
  end_origins(stays[contact.offer].origin, by_choice ? Verdict::excluded : Verdict::missed, event.at);
  timers.cancel(TimerKind::requeue, index);
  contact.stage = Stage::ended;
  move_to_list(index, ended_calls);
}

/// So many agreed overflows, one after the other, brought the contact to this offer.
int Engine::State::came_by_overflows(std::uint32_t offer) const {
  int overflows = 0;
  for (std::uint32_t origin = stays[offer].origin; origin != none; origin = stays[origin].origin) ++overflows;
  return overflows;
}

/// A caller who left for another queue did not come: he is lost where he left.
void Engine::State::settle_move(std::uint32_t index) {
  Contact& contact = contacts[index];
  if (contact.stage != Stage::moving) return;
  if (stays[contact.offer].outcome == Outcome::waiting)
    end_stay(contact.offer, outcome_of(contact.left_reason), contact.left_at);
  else
    decide(contact.offer, Verdict::missed, contact.left_at);
  end_origins(stays[contact.offer].origin, Verdict::missed, contact.left_at);
  contact.stage = Stage::ended;
  move_to_list(index, ended_calls);
}

/// He had not been lost on the way: what settle_move() decided is taken back.
void Engine::State::resume_move(std::uint32_t index) {
  Contact& contact = contacts[index];
  contact.stage = Stage::moving;
  ++totals.corrected;
  ++sources[contact.source].view.corrected;
  take_back_loss(index, contact.offer);
}

/// Takes back, from `stay` on through its origins, what was decided because he was lost when he left.
void Engine::State::take_back_loss(std::uint32_t index, std::uint32_t stay) {
  for (; stay != none; stay = stays[stay].origin) {
    if (stays[stay].verdict != Verdict::missed || stays[stay].decided_at != contacts[index].left_at) continue;
    retract_decision(stay);
    if (stays[stay].while_open) link_undecided_stay(stay);
    touch(lines[stays[stay].line].segment);
  }
}

void Engine::State::on_outcome_unknown(std::uint32_t index, Time at) {
  Contact& contact = contacts[index];
  timers.cancel(TimerKind::requeue, index);
  if (contact.stage == Stage::waiting && contact.entry != none) end_stay(contact.entry, Outcome::unknown, at);
  if (contact.stage == Stage::waiting || contact.stage == Stage::moving) {
    if (stays[contact.offer].outcome == Outcome::forwarded_agreed)
      end_origin(contact.offer, Verdict::excluded, at);
    else
      end_stay(contact.offer, Outcome::unknown, at);
    end_origins(stays[contact.offer].origin, Verdict::excluded, at);
  }
  let_go(index, at, false);
  contact.stage = Stage::ended;
  contact.left_at = at;
  contact.connected_at = Time{};
  move_to_list(index, ended_calls);
}

void Engine::State::end_talk(std::uint32_t index, Time at) {
  Contact& contact = contacts[index];
  if (contact.stage != Stage::connected || contact.offer == none || contact.connected_at == Time{}) return;
  const std::int64_t talk = std::max(at - contact.connected_at, Duration::zero()).count();
  const Stay& offer = stays[contact.offer];
  if (offer.while_open) {
    count(offer, {{Counter::handled}, {Counter::handle_ns, talk}, {Counter::work_ns, talk}}, at);
  }
  if (contact.entry != none && stays[contact.entry].while_open) {
    count(stays[contact.entry], {{Counter::handled}, {Counter::handle_ns, talk}}, at);
  }
}

/// The agent of the contact is free again, or in wrap-up where the source tells its end.
void Engine::State::let_go(std::uint32_t index, Time /*at*/, bool wrap_up) {
  Contact& contact = contacts[index];
  if (contact.agent == none) return;
  Agent& agent = agents[contact.agent];
  if (agent.talking > 0) --agent.talking;
  agent.wrap_up = wrap_up && sources[contact.source].tells_wrap_up && agent.talking == 0;
  refresh_agent(contact.agent);
  if (!agent.wrap_up) contact.agent = none;
}

void Engine::State::on_ended(const Event& event, std::uint32_t index) {
  Contact& contact = contacts[index];
  switch (contact.stage) {
    case Stage::waiting:
    case Stage::moving:  // nobody said how: a caller who is gone without an answer has abandoned
      ++totals.inferred;
      ++sources[contact.source].view.inferred;
      on_abandoned(event, index);
      return;
    case Stage::connected:
      end_talk(index, event.at);
      let_go(index, event.at, true);
      break;
    case Stage::ended:
      return;  // abandoned or forwarded before, now hung up
    default:
      break;
  }
  contact.stage = Stage::ended;
  contact.left_at = event.at;
  move_to_list(index, ended_calls);
}

void Engine::State::on_classified(const Event& event, std::uint32_t index) {
  Contact& contact = contacts[index];
  const std::uint32_t service = service_index(event.service);
  if (service == none || config.services[service].medium != Medium::call) {
    if (contact.segment != none)
      count_segment(contact.segment, none, contact.site, {{Counter::outside_catalogue}}, event.at);
    ++totals.outside_catalogue;
    return;
  }
  if (contact.stage != Stage::waiting || contact.service == service || contact.offer == none) return;
  // The offer moves to the other service with its clock; what the first one counted is taken back.
  const Stay was = stays[contact.offer];
  if (was.verdict != Verdict::undecided) return;  // decided under the first service: it stays there
  count(was, {{was.while_open ? Counter::offered : Counter::offered_closed, -1}}, was.offered_at, true);
  const std::uint32_t origin = was.origin;
  stays[contact.offer].origin = none;
  drop_stay(contact.offer);
  contact.service = service;
  contact.offer = begin_stay(slot(contact.segment, service).line, index, was.start, was.offered_at, was.while_open);
  stays[contact.offer].origin = origin;
}

}  // namespace reach
