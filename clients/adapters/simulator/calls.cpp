// The life of a call: arrives, waits, rings, is answered or lost.
#include <cstdio>

#include "clients/adapters/simulator/world.hpp"

namespace reach::simulator {

double World::rate_per_s(std::size_t q, const DayTime& time) const {
  const QueueSpec& queue = company.queues[q];
  double rate = queue.calls_per_hour / 3600 * work_pace * weekday_factor(time.weekday) * day_curve(time.hour);
  for (const MailingSpec& mailing : company.mailings) {
    if (time.weekday == 0 && time.hour >= mailing.from_h && time.hour < mailing.to_h &&
        std::find(mailing.segments.begin(), mailing.segments.end(), queue.segment) != mailing.segments.end()) {
      rate *= mailing.factor;
    }
  }
  return rate;
}

void World::plan_arrival(std::size_t q) {
  double peak = company.queues[q].calls_per_hour / 3600 * work_pace * weekday_factor(0) * day_curve_peak;
  for (const MailingSpec& mailing : company.mailings) peak *= std::max(1.0, mailing.factor);
  after(seconds(exponential(1 / peak)), [this, q, peak] {
    if (chance(rate_per_s(q, clock.at(now)) / peak)) {
      char caller[16];
      std::snprintf(caller, sizeof caller, "p:%04x", static_cast<unsigned>(random() & 0xffff));
      Call call;
      call.dialled = q;
      call.caller = chance(0.08) ? "" : caller;  // withheld
      arrive(std::move(call));
    }
    plan_arrival(q);
  });
}

void World::arrive(Call call) {
  call.id = next_id("c");
  const std::size_t number = last_number;
  call.queue = call.dialled;
  if (call.journey.empty()) call.journey = call.id;
  auto& arrived = *say(call).mutable_arrived();
  arrived.set_dialled(company.queues[call.queue].dialled);
  arrived.set_caller(call.caller);
  calls.emplace(number, std::move(call));
  after(seconds(uniform(3, 6)), [this, number] { ask_in(number); });  // the greeting
}

bool World::staffed(std::size_t q) const {
  return std::any_of(agents.begin(), agents.end(), [q](const Agent& agent) {
    return agent.doing != Doing::away && std::find(agent.queues.begin(), agent.queues.end(), q) != agent.queues.end();
  });
}

void World::ask_in(std::size_t number) {
  Call& call = calls.at(number);
  const QueueSpec& queue = company.queues[call.queue];
  ++tally.calls;
  if (call.redial) ++tally.redials;
  const char* why_not = closed[call.queue]                         ? "rejected"
                        : !staffed(call.queue)                     ? "empty"
                        : waiting[call.queue].size() >= queue.room ? "full"
                                                                   : nullptr;
  if (why_not == nullptr) {
    enter_queue(number);
    return;
  }
  auto& rejected = *say(call).mutable_rejected();
  rejected.set_reason(why_not);
  rejected.set_queue(queue.name);
  rejected.set_dialled(queue.dialled);
  rejected.set_caller(call.caller);
  ++tally.rejected;
  perhaps_redial(call);
  calls.erase(number);
}

void World::enter_queue(std::size_t number) {
  Call& call = calls.at(number);
  const QueueSpec& queue = company.queues[call.queue];
  auto& offered = *say(call).mutable_offered();
  offered.set_queue(queue.name);
  offered.set_dialled(queue.dialled);
  offered.set_caller(call.caller);
  offered.set_priority(queue.priority);
  call.waiting = true;
  call.agent = agents.size();
  call.offered = now;
  ++call.step;
  waiting[call.queue].push_back(number);

  while_waiting(number, seconds(patience(queue.patience_s)), [this, number] { give_up(number); });
  while_waiting(number, seconds(queue.timeout_s), [this, number] { leave_queue(number, "timeout", "voicemail"); });
  if (!queue.overflow_to.empty()) {
    while_waiting(number, seconds(queue.overflow_s), [this, number] { overflow(number); });
  }
  if (chance(0.12)) {  // listens to the menu that is offered after half a minute
    const double choice = uniform();
    while_waiting(number, seconds(uniform(30, 50)), [this, number, choice] {
      if (choice < 0.5) {
        leave_queue(number, "callback", "callback");
      } else if (choice < 0.8) {
        leave_queue(number, "key", "reception");
      } else {
        leave_queue(number, "voicemail", "voicemail");
      }
    });
  }
  if (const std::size_t a = best_idle_agent(call.queue); a < agents.size()) ring(number, a);
}

void World::while_waiting(std::size_t number, Duration d, std::function<void()> then) {
  after(d, [this, number, entry = calls.at(number).offered, then = std::move(then)] {
    const auto call = calls.find(number);
    if (call != calls.end() && call->second.waiting && call->second.offered == entry) then();
  });
}

std::size_t World::best_idle_agent(std::size_t q) const {
  std::size_t best = agents.size();
  for (std::size_t a = 0; a < agents.size(); ++a) {
    const Agent& agent = agents[a];
    if (agent.doing != Doing::idle || !agent.wants_break.empty() || agent.wants_home) continue;
    const auto skill = std::find(agent.queues.begin(), agent.queues.end(), q);
    if (skill == agent.queues.end()) continue;
    const auto rank = [q](const Agent& x) {
      return std::tuple(x.item != 0, std::find(x.queues.begin(), x.queues.end(), q) - x.queues.begin(), x.since);
    };
    if (best == agents.size() || rank(agent) < rank(agents[best])) best = a;
  }
  return best;
}

void World::ring(std::size_t number, std::size_t a) {
  Call& call = calls.at(number);
  Agent& agent = agents[a];
  agent.doing = Doing::ringing;
  std::erase(waiting[call.queue], number);
  call.agent = a;
  ++call.step;
  say(call).mutable_ringing()->set_agent(agent.spec->id);
  const bool sleeps = chance(0.03);
  after(seconds(sleeps ? 12 : uniform(1.5, 5)), [this, number, sleeps, step = call.step] {
    const auto found = calls.find(number);
    if (found == calls.end() || found->second.step != step) return;
    if (sleeps) {
      not_answered(number);
    } else {
      answer(number);
    }
  });
}

void World::not_answered(std::size_t number) {
  Call& call = calls.at(number);
  const std::size_t a = call.agent;
  say(call).mutable_ring_no_answer()->set_agent(agents[a].spec->id);
  call.agent = agents.size();
  ++call.step;
  waiting[call.queue].push_front(number);
  // The PBX takes someone who does not answer out of the queues for a moment.
  agents[a].doing = Doing::wrap_up;
  after(seconds(10), [this, a] { become_free(a); });
  if (const std::size_t other = best_idle_agent(call.queue); other < agents.size()) ring(number, other);
}

void World::answer(std::size_t number) {
  Call& call = calls.at(number);
  Agent& agent = agents[call.agent];
  const QueueSpec& queue = company.queues[call.queue];
  call.waiting = false;
  ++call.step;
  ++tally.answered;
  agent.doing = Doing::talking;
  say(call).mutable_answered()->set_agent(agent.spec->id);
  stop_item(call.agent, "call");

  const double talk = skewed(queue.talk_s / work_pace);
  if (chance(0.2) && talk > 6) {
    const double from = talk * uniform(0.2, 0.5);
    const double to = from + talk * uniform(0.1, 0.3);
    talking(number, from, [this](Call& c) { say(c).mutable_held(); });
    talking(number, to, [this](Call& c) { say(c).mutable_retrieved(); });
  }
  if (chance(0.08)) {
    const bool handed_over = chance(0.4);
    talking(number, talk * 0.9, [this, handed_over](Call& c) {
      say(c).mutable_lead()->set_kind("asked");
      if (handed_over) say(c).mutable_lead()->set_kind("handed_over");
    });
  }
  const bool wrong_team = !queue.transfer_to.empty() && !call.transferred && chance(0.06);
  const bool asks_colleague = !wrong_team && chance(0.03);
  if (asks_colleague) talking(number, talk * 0.6, [this, number, talk](Call&) { ask_colleague(number, talk * 0.3); });
  talking(number, talk, [this, number, wrong_team](Call& c) {
    if (wrong_team) {
      transfer(number);
    } else {
      say(c).mutable_ended()->set_by(chance(0.6) ? "caller" : "agent");
      hang_up(number);
    }
  });
}

void World::talking(std::size_t number, double after_s, std::function<void(Call&)> then) {
  after(seconds(after_s), [this, number, step = calls.at(number).step, then = std::move(then)] {
    const auto found = calls.find(number);
    if (found != calls.end() && found->second.step == step) then(found->second);
  });
}

void World::ask_colleague(std::size_t number, double length_s) {
  Call& call = calls.at(number);
  const std::size_t other = best_idle_agent(call.queue);
  if (other == agents.size()) return;
  agents[other].doing = Doing::talking;
  say(call).mutable_consult_started()->set_agent(agents[other].spec->id);
  stop_item(other, "call");
  after(seconds(length_s), [this, number, other] {
    say(calls.at(number)).mutable_consult_ended()->set_agent(agents[other].spec->id);
    become_free(other);
  });
}

void World::hang_up(std::size_t number) {
  wrap_up(number);
  calls.erase(number);
}

void World::wrap_up(std::size_t number) {
  const Call& call = calls.at(number);
  const std::size_t a = call.agent;
  agents[a].doing = Doing::wrap_up;
  const double length = skewed(company.queues[call.queue].wrap_up_s / work_pace);
  after(seconds(length), [this, a, ended = call] {
    say(ended).mutable_wrap_up_ended()->set_agent(agents[a].spec->id);
    become_free(a);
  });
}

void World::transfer(std::size_t number) {
  Call& call = calls.at(number);
  const QueueSpec& queue = company.queues[call.queue];
  auto& transferred = *say(call).mutable_transferred();
  transferred.set_to(queue.transfer_to);
  transferred.set_to_queue(queue.transfer_to);
  wrap_up(number);
  call.transferred = true;
  call.queue = find_queue(queue.source, queue.transfer_to);
  if (closed[call.queue] || !staffed(call.queue)) {
    auto& rejected = *say(call).mutable_rejected();
    rejected.set_reason(closed[call.queue] ? "rejected" : "empty");
    rejected.set_queue(company.queues[call.queue].name);
    ++tally.rejected;
    calls.erase(number);
    return;
  }
  enter_queue(number);
}

void World::stop_waiting(Call& call, std::size_t number, const char* cause) {
  call.waiting = false;
  ++call.step;
  std::erase(waiting[call.queue], number);
  if (call.agent == agents.size()) return;
  auto& ring_ended = *say(call).mutable_ring_ended();
  ring_ended.set_agent(agents[call.agent].spec->id);
  ring_ended.set_cause(cause);
  at(now, [this, a = call.agent] { become_free(a); });
  call.agent = agents.size();
}

void World::give_up(std::size_t number) {
  Call& call = calls.at(number);
  stop_waiting(call, number, "caller_left");
  say(call).mutable_abandoned();
  ++tally.abandoned;
  perhaps_redial(call);
  calls.erase(number);
}

void World::perhaps_redial(const Call& call) {
  if (!chance(call.redial ? 0.25 : 0.45)) return;
  Call again;
  again.dialled = call.dialled;
  again.journey = call.journey;
  again.caller = call.caller;
  again.redial = true;
  after(seconds(uniform(20, 120)), [this, again] { arrive(again); });
}

void World::leave_queue(std::size_t number, const char* reason, const char* to) {
  Call& call = calls.at(number);
  stop_waiting(call, number, "other");
  auto& forwarded = *say(call).mutable_forwarded();
  forwarded.set_reason(reason);
  forwarded.set_to(to);
  ++tally.forwarded;
  if (std::string_view(to) == "voicemail") say(call).mutable_voicemail_left();
  if (std::string_view(to) == "callback") say(call).mutable_callback_requested();
  calls.erase(number);
}

void World::overflow(std::size_t number) {
  Call& call = calls.at(number);
  const QueueSpec& queue = company.queues[call.queue];
  const std::size_t other = find_queue(queue.source, queue.overflow_to);
  if (call.agent != agents.size() || closed[other]) return;  // it rings already, or there is no better place
  stop_waiting(call, number, "other");
  auto& forwarded = *say(call).mutable_forwarded();
  forwarded.set_reason("overflow");
  forwarded.set_to(queue.overflow_to);
  call.queue = other;
  enter_queue(number);
}

void World::close_queue(std::size_t q) {
  closed[q] = true;
  say(company.queues[q].source).mutable_queue_closed()->set_queue(company.queues[q].name);
  while (!waiting[q].empty()) leave_queue(waiting[q].front(), "other", "");
}

void World::open_queue(std::size_t q) {
  closed[q] = false;
  say(company.queues[q].source).mutable_queue_opened()->set_queue(company.queues[q].name);
}

}  // namespace reach::simulator
