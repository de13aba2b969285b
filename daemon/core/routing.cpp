// Names to table indices, and the tables of contacts.
#include <algorithm>

#include "daemon/core/state.hpp"

namespace reach {
namespace {
// How long ended contacts are remembered for corrections and wrap-up, and how many at most.
constexpr Duration remember_ended = std::chrono::minutes(15);
constexpr Duration remember_items = std::chrono::hours(24 * 7);
constexpr std::size_t remembered_at_most = 100'000;
constexpr Duration remember_agents = std::chrono::hours(24);
constexpr Duration agent_touched_every = std::chrono::minutes(10);
// Names that only events bring along are kept for ever. A source that invents them without end must fill neither the
// memory nor the places of other sources.
constexpr std::uint32_t queues_of_source_at_most = 1'000, sites_of_source_at_most = 100;
}  // namespace

std::uint32_t Engine::State::source_of(std::string_view id) {
  if (last_source < sources.size() && sources[last_source].view.id == id) return last_source;  // mostly the same one
  if (const auto found = source_index.find(id); found != source_index.end()) return last_source = found->second;
  const auto index = static_cast<std::uint32_t>(sources.size());
  source_index.emplace(id, index);
  sources.emplace_back();
  sources.back().view.id = id;
  for (const auto& known : config.sources)
    if (known.id == id && !known.site.empty()) sources.back().site = add_site(known.site, none);
  const std::uint32_t watch = watch_of(AlertKind::source_stale, std::string(id), {});
  sources.back().watch = watch;
  watches[watch].alert.subject = id;
  return index;
}

/// The site that an event of the source names.
std::uint32_t Engine::State::site_of(std::uint32_t source, std::string_view name) {
  if (const auto found = site_index.find(name); found != site_index.end()) return found->second;
  if (sources[source].sites_named >= sites_of_source_at_most) return other_sites;
  ++sources[source].sites_named;
  return add_site(name, source);
}

std::uint32_t Engine::State::add_site(std::string_view name, std::uint32_t source) {
  const auto [site, is_new] = site_index.try_emplace(name, static_cast<std::uint32_t>(sites.size()));
  if (is_new) sites.push_back({std::string(name), source});
  return site->second;
}

std::uint32_t Engine::State::service_index(std::string_view id) const {
  const auto found = service_by_id.find(id);
  return found == service_by_id.end() ? none : found->second;
}

/// The one service of a medium; none where there are several.
std::uint32_t Engine::State::only_service(Medium medium) const {
  std::uint32_t only = none;
  for (std::uint32_t i = 0; i < config.services.size(); ++i) {
    if (config.services[i].medium != medium) continue;
    if (only != none) return none;
    only = i;
  }
  return only;
}

/// The service of a contact: what the event says, what its queue is routed to, the only one of the medium; none:
/// outside the catalogue.
std::uint32_t Engine::State::service_for(const Event& event, const Queue& queue, Medium medium) const {
  std::uint32_t service = none;
  if (!event.service.empty())
    service = service_index(event.service);
  else if (queue.service != none)
    service = queue.service;
  else
    service = only_service(medium);
  return service != none && config.services[service].medium == medium ? service : none;
}

std::uint32_t Engine::State::queue_of(std::uint32_t source, std::string_view name) {
  if (const auto found = queue_index.find(SourceName(source, name)); found != queue_index.end()) return found->second;
  const bool is_routed = routes.contains(name) || routes.contains(sources[source].view.id + '/' + std::string(name));
  if (!is_routed && sources[source].queues_named >= queues_of_source_at_most && name != the_others)
    return queue_of(source, the_others);
  return add_queue(source, name);
}

std::uint32_t Engine::State::add_queue(std::uint32_t source, std::string_view name) {
  const auto index = static_cast<std::uint32_t>(queues.size());
  Queue queue;
  queue.name = name;
  queue.source = source;
  auto route = routes.find(sources[source].view.id + '/' + queue.name);
  if (route == routes.end()) route = routes.find(queue.name);
  if (route != routes.end()) {
    queue.segment = route->second.segment;
    queue.service = route->second.service;
    Line line;
    line.segment = queue.segment;
    line.queue = index;
    const std::uint32_t service = queue.service != none ? queue.service : only_service(Medium::call);
    if (service != none) {
      line.threshold = config.services[service].threshold;
      line.short_abandon = config.services[service].short_abandon;
      line.abandons = config.services[service].abandons;
    }
    queue.line = static_cast<std::uint32_t>(lines.size());
    lines.push_back(line);
    queue.scope = new_scope(queue.segment);
    segments[queue.segment].queues.push_back(index);
  } else {
    ++sources[source].queues_named;
    remark("unrouted", "queue \"" + sources[source].view.id + '/' + queue.name +
                           "\" belongs to no segment: its contacts are counted as unrouted; name it in a segment's "
                           "queues to have them measured");
  }
  queues.push_back(std::move(queue));
  queue_index.emplace(std::pair(source, std::string(name)), index);
  return index;
}

/// none: the source has as many people as it may have.
std::uint32_t Engine::State::agent_of(std::uint32_t source, std::string_view id) {
  if (const auto found = agent_index.find(SourceName(source, id)); found != agent_index.end()) {
    if (now - agents[*found].touched >= agent_touched_every) touch_agent(*found);
    named_agent(*found);
    return *found;
  }
  if (sources[source].people < config.max_agents) return add_agent(source, id);
  over_limit(source, totals.over_max_agents, "max_agents");
  return none;
}

std::uint32_t Engine::State::add_agent(std::uint32_t source, std::string_view id) {
  const std::uint32_t index = agents.add();
  agents[index].id.assign(id.begin(), id.end());
  agents[index].source = source;
  agents[index].site = sources[source].site;
  agents[index].touched = now;
  agent_list.append(agents, index);
  agent_index.insert(index);
  named_agent(index);
  ++totals.agents;
  ++sources[source].people;
  return index;
}

void Engine::State::link_source(std::uint32_t source, std::uint32_t segment) {
  auto& linked = segments[segment].sources;
  for (const std::uint32_t known : linked)
    if (known == source) return;
  linked.push_back(source);
  sources[source].segments.push_back(segment);
  touch(segment);  // whether it is stale depends on this source, too
  if (segments[segment].pool == none) return;
  auto& of_pool = pools[segments[segment].pool].sources;
  if (std::ranges::find(of_pool, source) == of_pool.end()) of_pool.push_back(source);
}

void Engine::State::touch_agent(std::uint32_t index) {
  agent_list.remove(agents, index);
  agents[index].touched = now;
  agent_list.append(agents, index);
}

/// People's names change daily: who was not heard of for a day and does nothing is forgotten. A few each time, so that
/// no event pays for many.
void Engine::State::forget_old_agents() {
  for (int i = 0; i < 4 && agent_list.first != none; ++i) {
    const std::uint32_t index = agent_list.first;
    const Agent& agent = agents[index];
    if (agent.touched + remember_agents > now) return;
    const bool rings = agent.ringing > 0 && agent.listing == sources[agent.source].listings;
    if (agent.state != AgentState::logged_out || agent.talking > 0 || rings || agent.wrap_up) {
      touch_agent(index);
      continue;
    }
    serve_queues(index, {});
    no_agent(index);
    --sources[agent.source].people;
    agent_list.remove(agents, index);
    agent_index.erase(index);
    agents.erase(index);
    --totals.agents;
  }
}

std::string Engine::State::contact_name(const Contact& contact) const {
  return sources[contact.source].view.id + '/' + std::string(view(contact.id));
}

std::uint32_t Engine::State::find_contact(std::uint32_t source, std::string_view id) const {
  const auto found = contact_index.find(SourceName(source, id));
  return found == contact_index.end() ? none : *found;
}

RowList& Engine::State::list_of(std::uint32_t source, std::uint8_t list) {
  return list == live_calls ? sources[source].live_calls : lists[list];
}

void Engine::State::link_contact(std::uint32_t index, std::uint8_t to) {
  Contact& contact = contacts[index];
  RowList& list = list_of(contact.source, to);
  contact.list = to;
  contact.touched = now;
  list.append(contacts, index);
  if (to == live_calls || to == open_items) {
    ++totals.live_contacts;
    ++sources[contact.source].live_contacts;
  }
  if (to == live_calls && list.first == index) arm_expiry(contact.source);
}

void Engine::State::unlink_contact(std::uint32_t index) {
  const Contact& contact = contacts[index];
  list_of(contact.source, contact.list).remove(contacts, index);
  if (contact.list == live_calls || contact.list == open_items) {
    --totals.live_contacts;
    --sources[contact.source].live_contacts;
  }
}

void Engine::State::move_to_list(std::uint32_t index, std::uint8_t to) {
  unlink_contact(index);
  link_contact(index, to);
}

/// none: the source has as many live contacts as it may have.
std::uint32_t Engine::State::add_contact(std::uint32_t source, std::string_view id) {
  purge();
  if (sources[source].live_contacts >= config.max_contacts) {
    over_limit(source, totals.over_max_contacts, "max_contacts");
    return none;
  }
  const std::uint32_t index = contacts.add();
  Contact& contact = contacts[index];
  contact.id.assign(id.begin(), id.end());
  contact.source = source;
  contact.site = sources[source].site;
  contact_index.insert(index);
  link_contact(index, live_calls);
  return index;
}

void Engine::State::forget_contact(std::uint32_t index) {
  unlink_contact(index);
  const Contact& contact = contacts[index];
  timers.cancel(TimerKind::requeue, index);
  if (contact.item != none) {
    timers.cancel(TimerKind::item_due, contact.item);
    timers.cancel(TimerKind::item_response, contact.item);
    items.erase(contact.item);
  }
  drop_stay(contact.entry);
  drop_stay(contact.offer);
  contact_index.erase(index);
  contacts.erase(index);
}

/// Forgets what has been over for long enough.
void Engine::State::purge() {
  const auto drop_old = [this](RowList& list, Duration keep) {
    while (list.first != none && (list.size > remembered_at_most || contacts[list.first].touched + keep <= now))
      forget_contact(list.first);
  };
  drop_old(lists[ended_calls], remember_ended);
  drop_old(lists[done_items], remember_items);
  forget_old_agents();  // after the calls that name who had them
}

void Engine::State::arm_expiry(std::uint32_t source) {
  const std::uint32_t oldest = sources[source].live_calls.first;
  if (oldest != none) timers.arm_by(TimerKind::expiry, source, contacts[oldest].touched + config.expire_after);
}

}  // namespace reach
