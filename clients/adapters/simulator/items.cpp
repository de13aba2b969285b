// Work items: received, worked on between the calls, finished, reopened.
#include "clients/adapters/simulator/world.hpp"

namespace reach::simulator {

bool World::reads(const Agent& agent, std::size_t box) const {
  const InboxSpec& spec = company.inboxes[box];
  return spec.source == agent.spec->source && std::any_of(agent.queues.begin(), agent.queues.end(), [&](std::size_t q) {
           return company.queues[q].segment == spec.segment;
         });
}

void World::plan_receipt(std::size_t box) {
  const double peak = company.inboxes[box].items_per_hour / 3600 * work_pace * weekday_factor(0) * day_curve_peak;
  after(seconds(exponential(1 / peak)), [this, box, peak] {
    const DayTime time = clock.at(now);
    const double rate =
        company.inboxes[box].items_per_hour / 3600 * work_pace * weekday_factor(time.weekday) * day_curve(time.hour);
    if (chance(rate / peak)) receive(box);
    plan_receipt(box);
  });
}

void World::receive(std::size_t box) {
  const InboxSpec& spec = company.inboxes[box];
  Item item;
  item.id = next_id("w");
  const std::size_t number = last_number;
  item.inbox = box;
  item.due = now + clock.span(spec.due_h);
  item.work_s = skewed(spec.handling_s / work_pace);
  ++tally.items;
  v1::Event& event = say(item);
  event.set_service(spec.service);
  auto& received = *event.mutable_received();
  received.set_queue(spec.name);
  received.set_service(spec.service);
  received.set_due_ns(static_cast<std::uint64_t>(ns_of(item.due)));
  if (chance(0.03)) {
    after(seconds(uniform(5, 20)), [this, item] {
      say(item).mutable_cancelled()->set_reason("spam");
      ++tally.items_done;
    });
    return;
  }
  items.emplace(number, item);
  lay_into_inbox(number);
}

void World::lay_into_inbox(std::size_t number) {
  const Item& item = items.at(number);
  inbox[item.inbox].emplace(item.due, number);
  for (std::size_t a = 0; a < agents.size(); ++a) {
    if (agents[a].doing == Doing::idle && agents[a].item == 0 && reads(agents[a], item.inbox)) {
      after(seconds(uniform(2, 8)), [this, a] { look_into_inbox(a); });
      return;
    }
  }
}

void World::look_into_inbox(std::size_t a) {
  Agent& agent = agents[a];
  if (agent.doing != Doing::idle || agent.item != 0) return;
  std::size_t best = inbox.size();
  for (std::size_t box = 0; box < inbox.size(); ++box) {
    if (inbox[box].empty() || !reads(agent, box)) continue;
    if (best == inbox.size() || *inbox[box].begin() < *inbox[best].begin()) best = box;
  }
  if (best == inbox.size()) return;
  agent.item = inbox[best].begin()->second;
  inbox[best].erase(inbox[best].begin());
  Item& item = items.at(agent.item);
  if (item.assigned != a) say(item).mutable_assigned()->set_agent(agent.spec->id);
  item.assigned = a;
  run_item(a);
}

void World::run_item(std::size_t a) {
  Agent& agent = agents[a];
  if (agent.item_running) return;
  const std::size_t number = agent.item;
  Item& item = items.at(number);
  if (!item.started) {
    say(item).mutable_started()->set_agent(agent.spec->id);
    item.started = true;
  } else if (item.stopped) {
    v1::Event& event = say(item);
    event.set_agent(agent.spec->id);
    event.mutable_resumed();
  }
  item.stopped = false;
  agent.item_running = true;
  item.running_since = now;
  ++item.step;
  if (!item.responded && company.inboxes[item.inbox].service == "complaint") {
    after(seconds(std::min(item.work_s, 60 / work_pace)), [this, number, a, step = item.step] {
      const auto found = items.find(number);
      if (found == items.end() || found->second.step != step) return;
      found->second.responded = true;
      say(found->second).mutable_responded()->set_agent(agents[a].spec->id);
    });
  }
  after(seconds(item.work_s), [this, number, a, step = item.step] {
    const auto found = items.find(number);
    if (found != items.end() && found->second.step == step) finish_item(number, a);
  });
}

void World::stop_item(std::size_t a, const char* reason) {
  Agent& agent = agents[a];
  if (agent.item == 0 || !agent.item_running) return;
  Item& item = items.at(agent.item);
  agent.item_running = false;
  ++item.step;
  item.work_s = std::max(1.0, item.work_s - seconds_of(now - item.running_since));
  item.stopped = true;
  v1::Event& event = say(item);
  event.set_agent(agent.spec->id);
  event.mutable_paused()->set_reason(reason);
}

void World::put_back(std::size_t a) {
  Agent& agent = agents[a];
  if (agent.item == 0) return;
  stop_item(a, "shift_end");
  const std::size_t number = std::exchange(agent.item, 0);
  lay_into_inbox(number);
}

void World::finish_item(std::size_t number, std::size_t a) {
  Agent& agent = agents[a];
  Item& item = items.at(number);
  agent.item = 0;
  agent.item_running = false;
  ++item.step;
  if (chance(0.1)) {  // a question to the customer; the answer comes after half an hour to two hours
    say(item).mutable_paused()->set_reason("customer");
    item.work_s = skewed(90 / work_pace);
    item.responded = true;
    const Duration away = clock.span(uniform(0.5, 2));
    item.due += away;
    after(away, [this, number] {
      say(items.at(number)).mutable_resumed();
      lay_into_inbox(number);
    });
  } else {
    say(item).mutable_completed()->set_agent(agent.spec->id);
    ++tally.items_done;
    if (chance(0.03)) {  // it was not quite right
      after(clock.span(uniform(0.3, 1.5)), [this, number] {
        Item& again = items.at(number);
        say(again).mutable_reopened();
        --tally.items_done;
        again.work_s = skewed(120 / work_pace);
        again.started = false;
        again.assigned = SIZE_MAX;
        lay_into_inbox(number);
      });
    } else {
      items.erase(number);
    }
  }
  if (agent.doing == Doing::idle) become_free(a);
}

}  // namespace reach::simulator
