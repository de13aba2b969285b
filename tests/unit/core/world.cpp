#include "tests/unit/core/world.hpp"

#include <cmath>

namespace reach::test {

Config small_config() {
  Config config;
  config.services.resize(2);
  config.services[0].id = "phone";
  config.services[1].id = "mail";
  config.services[1].medium = Medium::item;
  config.services[1].due_in = std::chrono::hours(1);
  config.segments.resize(2);
  config.segments[0].id = "sales";
  config.segments[0].queues = {{"", "sales", ""}, {"", "offers", ""}, {"", "letters", "mail"}};
  config.segments[0].overflow_to = {"dealers"};
  config.segments[1].id = "dealers";
  config.segments[1].queues = {{"", "dealers", ""}};
  config.pools.resize(1);
  config.pools[0].id = "all";
  config.pools[0].segments = {"sales", "dealers"};
  config.contracts.resize(1);
  ContractConfig& contract = config.contracts[0];
  contract.id = "contract";
  contract.segments = {"sales", "dealers"};
  ObjectiveConfig objective;
  objective.id = "sl";
  objective.service = "phone";
  objective.window = {Window::Kind::rolling, std::chrono::minutes(30), Period::day};
  objective.min_samples = 2;
  contract.objectives.push_back(objective);
  return config;
}

Time World::time(double second) {
  return Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23)) + std::chrono::hours(8) +
         Duration(static_cast<std::int64_t>(std::llround(second * 1e9)));
}

World::World(Config config, EngineOptions options) : engine(std::move(config), options, time(0)) {}

void World::input(double second, const Input& what) {
  engine.step(what, time(second), decisions);
}

void World::at(double second, EventKind kind, std::string_view contact, Event with) {
  with.kind = kind;
  with.at = time(second);
  if (with.source.empty()) with.source = "pbx";
  with.contact = contact;
  input(second, with);
}

void World::offered(double second, std::string_view contact, std::string_view queue) {
  Event event;
  event.queue = queue;
  at(second, EventKind::offered, contact, event);
}
void World::answered(double second, std::string_view contact, std::string_view agent) {
  Event event;
  event.agent = agent;
  at(second, EventKind::answered, contact, event);
}
void World::abandoned(double second, std::string_view contact) {
  at(second, EventKind::abandoned, contact);
}
void World::forwarded(double second, std::string_view contact, ForwardReason reason, std::string_view to) {
  Event event;
  event.forward_reason = reason;
  event.to = to;
  at(second, EventKind::forwarded, contact, event);
}
void World::pass(double second) {
  input(second, TimePassed{});
}

Figures World::figures(std::string_view segment, Period period) {
  return engine.view_segment(engine.find_segment(segment).value(), {Window::Kind::calendar, {}, period}, engine.now())
      .figures;
}
SegmentView World::view(std::string_view segment) {
  return engine.view_segment(engine.find_segment(segment).value(), {}, engine.now());
}
std::vector<Alert> World::take_alerts() {
  std::vector<Alert> alerts;
  for (const auto& decision : decisions)
    if (const auto* changed = std::get_if<AlertChanged>(&decision)) alerts.push_back(changed->alert);
  decisions.clear();
  return alerts;
}

}  // namespace reach::test
