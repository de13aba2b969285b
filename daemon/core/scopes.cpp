// Where things are counted: every wait counts in its queue, or in its segment, service and site.
#include "daemon/core/state.hpp"

namespace reach {
namespace {
// Sites with figures of their own in a segment: they are looked through at every event, and told in every state.
constexpr std::size_t sites_of_segment_at_most = 64;
}  // namespace

Duration OpenClock::at(Time t) const {
  if (calendar.always_open()) return t.time_since_epoch();
  if (t >= since) return open ? open_at + (t - since) : open_at;
  return open_at - calendar.open_between(t, since);
}

Duration Engine::State::open_at(std::uint32_t segment, Time t) const {
  return clocks[segments[segment].clock].at(t);
}

/// Brings the scope's windows to the current periods; done lazily so that the end of an interval scans nothing.
Scope& Engine::State::fresh(Scope& scope) {
  scope.roll(periods);
  return scope;
}

Scope Engine::State::new_scope(std::uint32_t segment) const {
  Scope scope;
  scope.keep(std::chrono::minutes(30));
  for (const std::uint32_t objective : segments[segment].objectives) {
    const Window& window = objectives[objective].config->window;
    if (window.kind == Window::Kind::rolling) scope.keep(window.length);
  }
  return scope;
}

Slot& Engine::State::slot(std::uint32_t segment, std::uint32_t service) {
  auto& slots = segments[segment].slots;
  for (auto& slot : slots)
    if (slot.service == service) return slot;
  const ServiceConfig& promised = config.services[service];
  Line line;
  line.segment = segment;
  line.service = service;
  line.threshold = promised.threshold;
  line.short_abandon = promised.short_abandon;
  line.abandons = promised.abandons;
  lines.push_back(line);
  slots.push_back({service, static_cast<std::uint32_t>(lines.size() - 1), new_scope(segment)});
  return slots.back();
}

/// Sites beyond the bound count as the others do, but for those that the configuration names.
Scope& Engine::State::site_scope(Segment& segment, std::uint32_t site) {
  for (auto& entry : segment.sites)
    if (entry.site == site) return entry.scope;
  if (segment.sites.size() >= sites_of_segment_at_most && sites[site].source != none)
    return site_scope(segment, other_sites);
  segment.sites.push_back({site, new_scope(static_cast<std::uint32_t>(&segment - segments.data()))});
  return segment.sites.back().scope;
}

void Engine::State::count_segment(std::uint32_t index, std::uint32_t service, std::uint32_t site,
                                  const Changes& changes, Time at, bool correction) {
  Segment& segment = segments[index];
  const Duration open = open_at(index, at);
  fresh(segment.scope).add(changes, at, open, correction);
  if (service != none) fresh(slot(index, service).scope).add(changes, at, open, correction);
  if (site != none) fresh(site_scope(segment, site)).add(changes, at, open, correction);
  if (segment.pool != none) {
    Pool& pool = pools[segment.pool];
    fresh(pool.scope).add(changes, at, clocks[pool.clock()].at(at), correction);
  }
  touch(index);
}

void Engine::State::count(const Stay& stay, const Changes& changes, Time at, bool correction) {
  const Line& line = lines[stay.line];
  if (line.queue == none) {
    count_segment(line.segment, line.service, contacts[stay.contact].site, changes, at, correction);
    return;
  }
  fresh(queues[line.queue].scope).add(changes, at, open_at(line.segment, at), correction);
  touch(line.segment);
}

void Engine::State::count_wait(const Stay& stay, Duration wait, Time at, std::int64_t n, bool correction) {
  const Line& line = lines[stay.line];
  const Duration open = open_at(line.segment, at);
  if (line.queue != none) {
    fresh(queues[line.queue].scope).add_wait(wait, n, at, open, correction);
    return;
  }
  Segment& segment = segments[line.segment];
  fresh(segment.scope).add_wait(wait, n, at, open, correction);
  fresh(slot(line.segment, line.service).scope).add_wait(wait, n, at, open, correction);
  if (const auto site = contacts[stay.contact].site; site != none)
    fresh(site_scope(segment, site)).add_wait(wait, n, at, open, correction);
}

}  // namespace reach
