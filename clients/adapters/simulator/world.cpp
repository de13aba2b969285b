// The scheduler, chance, and the office's day.
#include "clients/adapters/simulator/world.hpp"

#include <cstdio>

namespace reach::simulator {

World::World(Company c, Options o)
    : company(std::move(c)),
      options(o),
      clock(o.start, o.weekday, o.hour, o.speed),
      random(o.seed),
      work_pace(std::min(o.speed, fastest_work)),
      now(o.start) {
  // Contact ids must not meet those of an earlier run under the same source name.
  const auto start_s = std::chrono::floor<std::chrono::seconds>(o.start).time_since_epoch().count();
  char text[32];
  std::snprintf(text, sizeof text, "%llx-", static_cast<unsigned long long>(start_s));
  id_prefix = text;
  waiting.resize(company.queues.size());
  closed.resize(company.queues.size());
  inbox.resize(company.inboxes.size());
  for (const AgentSpec& spec : company.agents) {
    Agent& agent = agents.emplace_back();
    agent.spec = &spec;
    for (const std::string& name : spec.queues) agent.queues.push_back(find_queue(spec.source, name));
  }
  at(now, [this] { open_office(); });
}

double World::skewed(double mean) {
  const double variance = std::log(1 + 0.7 * 0.7);
  const double normal = std::normal_distribution<>(0, 1)(random);
  return mean * std::exp(normal * std::sqrt(variance) - variance / 2);
}

v1::Event& World::say(const std::string& source) {
  v1::Event& event = out->emplace_back();
  event.set_time_ns(static_cast<std::uint64_t>(ns_of(now)));
  event.set_source(source);
  ++tally.events;
  return event;
}

v1::Event& World::say(const Call& call) {
  const QueueSpec& queue = company.queues[call.queue];
  v1::Event& event = say(queue.source);
  event.set_contact(call.id);
  event.set_journey(call.journey);
  event.set_caller_class(queue.caller_class);
  event.set_site(queue.source);
  return event;
}

v1::Event& World::say(const Item& item) {
  const InboxSpec& spec = company.inboxes[item.inbox];
  v1::Event& event = say(spec.source);
  event.set_contact(item.id);
  event.set_site(spec.source);
  return event;
}

v1::Event& World::say(const Agent& agent) {
  v1::Event& event = say(agent.spec->source);
  event.set_agent(agent.spec->id);
  event.set_site(agent.spec->source);
  return event;
}

std::size_t World::find_queue(const std::string& source, const std::string& name) const {
  for (std::size_t i = 0; i < company.queues.size(); ++i) {
    if (company.queues[i].source == source && company.queues[i].name == name) return i;
  }
  return company.queues.size();
}

void World::open_office() {
  for (const std::string& source : company.sources) say(source).mutable_resync_begin()->set_reason("connect");
  for (const QueueSpec& queue : company.queues) say(queue.source).mutable_queue_opened()->set_queue(queue.name);
  plan_day(clock.at(now).day);
  // Whoever should be here already sits down before the listing ends.
  for (std::size_t i = 0; i < agents.size(); ++i) {
    if (on_shift(i)) log_in(i);
  }
  for (const std::string& source : company.sources) say(source).mutable_resync_end();
  for (std::size_t q = 0; q < company.queues.size(); ++q) plan_arrival(q);
  for (std::size_t i = 0; i < company.inboxes.size(); ++i) plan_receipt(i);
}

bool World::on_shift(std::size_t agent) const {
  const DayTime time = clock.at(now);
  const AgentSpec& spec = *agents[agent].spec;
  return time.weekday < 5 && !ill(agent, time.day) && time.hour >= spec.from_h && time.hour < spec.to_h;
}

void World::plan_day(int day) {
  // A minute before the first shift of the next day, so that every plan lies ahead.
  at(clock.when(day + 1, 7.6), [this, day] { plan_day(day + 1); });
  const auto plan = [&](double hour, std::function<void()> run) {
    const Time t = clock.when(day, hour);
    if (t > now) at(t, std::move(run));
  };
  if (clock.weekday_of(day) > 4) return;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    const AgentSpec& spec = *agents[i].spec;
    // Drawn for everybody, so that who is ill does not change the others' day.
    const double arrives = spec.from_h + uniform(0, 5.0 / 60);
    const double coffee = uniform(10.5, 11.5);
    const double lunch = uniform(11.75, 13.25);
    if (ill(i, day)) continue;
    plan(arrives, [this, i] { log_in(i); });
    plan(coffee, [this, i] { take_break(i, "break", 0.25); });
    plan(lunch, [this, i] { take_break(i, "lunch", 0.5); });
    if (i % 5 == 0) plan(15.5, [this, i] { take_break(i, "meeting", 0.5); });
    plan(spec.to_h, [this, i] { go_home(i); });
  }
  if (clock.weekday_of(day) != 0) return;
  for (const OutageSpec& outage : company.outages) {
    const std::size_t q = find_queue(outage.source, outage.queue);
    plan(outage.from_h, [this, q] { close_queue(q); });
    plan(outage.to_h, [this, q] { open_queue(q); });
  }
}

}  // namespace reach::simulator
