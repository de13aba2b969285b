// People: they come, take breaks, decide what to do next, and go home.
#include "clients/adapters/simulator/world.hpp"

namespace reach::simulator {

void World::log_in(std::size_t a) {
  Agent& agent = agents[a];
  if (agent.doing != Doing::away) return;
  agent.wants_home = false;
  auto& logged_in = *say(agent).mutable_logged_in();
  for (const std::string& queue : agent.spec->queues) logged_in.add_queues(queue);
  std::set<std::string> inboxes;
  for (std::size_t i = 0; i < company.inboxes.size(); ++i) {
    if (reads(agent, i) && inboxes.insert(company.inboxes[i].name).second) {
      logged_in.add_queues(company.inboxes[i].name);
    }
  }
  for (const std::string& queue : agent.spec->queues) logged_in.add_skills(queue);
  logged_in.set_site(agent.spec->source);
  become_free(a);
}

void World::take_break(std::size_t a, const std::string& reason, double hours) {
  Agent& agent = agents[a];
  if (agent.doing == Doing::away || agent.doing == Doing::on_break) return;
  agent.wants_break = reason;
  agent.break_until = now + clock.span(hours);
  if (agent.doing == Doing::idle) become_free(a);
}

void World::go_home(std::size_t a) {
  Agent& agent = agents[a];
  agent.wants_home = true;
  if (agent.doing == Doing::idle || agent.doing == Doing::on_break) become_free(a);
}

void World::become_free(std::size_t a) {
  Agent& agent = agents[a];
  if (agent.doing == Doing::on_break) say(agent).mutable_agent_resumed();
  if (agent.wants_home) {
    put_back(a);
    agent.wants_home = false;
    agent.wants_break.clear();
    agent.doing = Doing::away;
    say(agent).mutable_logged_out();
    return;
  }
  if (!agent.wants_break.empty()) {
    stop_item(a, "break");
    agent.doing = Doing::on_break;
    say(agent).mutable_agent_paused()->set_reason(std::exchange(agent.wants_break, {}));
    const Time until = std::max(agent.break_until, now + clock.span(0.1));
    at(until, [this, a] {
      if (agents[a].doing == Doing::on_break) become_free(a);
    });
    return;
  }
  if (agent.doing != Doing::idle) agent.since = now;
  agent.doing = Doing::idle;
  if (take_waiting_call(a)) return;
  if (agent.item != 0) {
    run_item(a);
  } else {
    // Nobody opens the next letter the moment the receiver is down.
    after(seconds(uniform(4, 10)), [this, a] { look_into_inbox(a); });
  }
}

bool World::take_waiting_call(std::size_t a) {
  std::size_t best = company.queues.size();
  for (std::size_t q : agents[a].queues) {
    if (waiting[q].empty()) continue;
    if (best == company.queues.size()) {
      best = q;
      continue;
    }
    const auto rank = [&](std::size_t queue) {
      return std::pair(-company.queues[queue].priority, calls.at(waiting[queue].front()).offered);
    };
    if (rank(q) < rank(best)) best = q;
  }
  if (best == company.queues.size()) return false;
  ring(waiting[best].front(), a);
  return true;
}

}  // namespace reach::simulator
