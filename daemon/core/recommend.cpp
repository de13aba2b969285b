// Recommended staffing of a pool and its segments, from the rates measured now.
#include "daemon/staffing/recommend.hpp"

#include <algorithm>
#include <cmath>

#include "daemon/core/state.hpp"

namespace reach {
namespace {

constexpr Duration every = std::chrono::seconds(15);
constexpr Duration say_at_least = std::chrono::minutes(1);
constexpr Duration must_persist = std::chrono::seconds(60);  // a change of one person; larger ones are said at once
constexpr Duration measured_over = std::chrono::minutes(30);

// A pool of more segments than this gets one recommendation for all, not one for each as well.
constexpr std::size_t segments_advised = 64;

struct Work {
  staffing::Measured measured;
  std::int64_t abandons = 0;
};

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

ExpectedView view_of(const std::optional<staffing::Expected>& expected) {
  if (!expected) return {};
  return {finite(expected->service_level), finite(expected->asa_s), finite(expected->occupancy),
          finite(expected->p_abandon)};
}

RecommendationView view_of(const staffing::Advice& advice, const Work& work, std::optional<std::int64_t> present) {
  RecommendationView view;
  view.required = advice.required;
  view.available = present;
  view.gap = advice.gap;
  view.scheduled = advice.scheduled;
  view.for_calls = advice.for_calls;
  view.for_items = advice.for_items;
  view.at_current = view_of(advice.at_current);
  view.at_required = view_of(advice.at_required);
  view.calls = work.measured.arrivals_per_hour / 4;
  view.aht_s = finite(work.measured.aht_s);
  view.patience_s = finite(work.measured.patience.mean_s);
  view.basis = std::to_string(work.measured.calls) + " calls of the last 30 minutes, " +
               std::to_string(work.measured.handled) + " conversations, " + std::to_string(work.abandons) +
               " callers who gave up today";
  view.model = advice.model;
  view.reason = advice.reason;
  view.assumptions = advice.assumptions;
  view.not_enough_data = advice.not_enough_data;
  return view;
}

}  // namespace

bool Engine::State::tells_agents(const std::vector<std::uint32_t>& of) const {
  return std::ranges::any_of(of, [this](std::uint32_t source) { return sources[source].tells_agents; });
}

/// The goal: of the segments' service-level objectives the strictest, so that one team keeps every promise.
staffing::Goal Engine::State::goal_of(std::span<const std::uint32_t> of) const {
  staffing::Goal goal;
  bool promised_any = false;
  for (const std::uint32_t s : of) {
    for (const std::uint32_t o : segments[s].objectives) {
      const ObjectiveConfig& objective = *objectives[o].config;
      const std::uint32_t service = objectives[o].service != none ? objectives[o].service : only_service(Medium::call);
      if (objective.figure != Figure::service_level || service == none) continue;
      const ServiceConfig& terms = config.services[service];
      const double threshold_s = seconds_of(terms.threshold);
      goal.service_level = promised_any ? std::max(goal.service_level, objective.target) : objective.target;
      goal.threshold_s = promised_any ? std::min(goal.threshold_s, threshold_s) : threshold_s;
      goal.short_abandon_s = std::min(seconds_of(terms.short_abandon), goal.threshold_s);
      goal.measure = terms.abandons == Abandons::negative   ? staffing::Measure::negative
                     : terms.abandons == Abandons::positive ? staffing::Measure::positive
                                                            : staffing::Measure::ignored;
      promised_any = true;
    }
  }
  goal.service_level = std::clamp(goal.service_level, 0.01, 0.9999);
  if (!of.empty() && segments[of.front()].pool != none)
    goal.max_occupancy = config.pools[segments[of.front()].pool].max_occupancy;
  return goal;
}

void Engine::State::recommend(std::uint32_t index) {
  Pool& pool = pools[index];
  const PoolConfig& promised = config.pools[index];
  // At full quarters of a minute, whenever it began: the same data give the same advice at the same instant.
  timers.arm(TimerKind::pool, index, now - now.time_since_epoch() % every + every);
  accrue(index, now);

  const auto work_of = [&](Scope& scope, std::uint32_t clock, Duration since, double items_load,
                           Duration expected_handling) {
    fresh(scope).slide(clocks[clock].at(now));
    const Between recent = scope.counts({Window::Kind::rolling, measured_over});
    const Between today = scope.counts(Window{});
    const Between& handled = recent[Counter::handled] >= staffing::min_samples ? recent : today;
    Work work;
    work.measured.calls = recent[Counter::offered];
    const Duration span = std::min<Duration>(measured_over, clocks[clock].at(now) - since);
    if (span > Duration::zero())
      work.measured.arrivals_per_hour = static_cast<double>(recent[Counter::offered]) * 3600 / seconds_of(span);
    work.measured.handled = handled[Counter::handled];
    work.measured.aht_s = handled[Counter::handled] > 0 ? static_cast<double>(handled[Counter::handle_ns]) / 1e9 /
                                                              static_cast<double>(handled[Counter::handled])
                                                        : seconds_of(expected_handling);
    work.abandons = today[Counter::abandoned];
    work.measured.patience =
        staffing::estimate_patience(static_cast<double>(today[Counter::waited_ns]) / 1e9, work.abandons);
    work.measured.items_within_s = 3600;
    work.measured.items_work_s = items_load * 3600;
    return work;
  };
  const auto handling_of = [&](const Segment& segment) {
    for (const Slot& slot : segment.slots)
      if (config.services[slot.service].medium == Medium::call) return config.services[slot.service].handling;
    return ServiceConfig{}.handling;
  };

  const bool known = tells_agents(pool.sources);
  const bool open = std::ranges::any_of(pool.clocks, [this](std::uint32_t c) { return clocks[c].open; });
  const AgentCounts people = pool.people.counts(known);
  StaffingView advice;
  advice.pool = promised.id;
  advice.time = now;
  advice.agents = people;
  const auto put = [&](const Work& work, const staffing::Goal& goal, const AgentCounts& there, std::string segment) {
    const std::optional<std::int64_t> present = known ? std::optional(there.logged_in - there.paused) : std::nullopt;
    RecommendationView view =
        view_of(staffing::recommend(work.measured, goal, promised.shrinkage, present), work, present);
    view.pool = promised.id;
    view.segment = std::move(segment);
    view.interval_start = now;
    view.interval_s = config.interval.count() / 1'000'000'000;
    advice.recommendations.push_back(std::move(view));
  };
  const Segment& first = segments[pool.segments.front()];
  put(work_of(pool.scope, pool.clock(), pool.first_open, static_cast<double>(pool.items_load) / 1e6,
              handling_of(first)),
      pool.goal, people, {});
  if (pool.segments.size() <= segments_advised) {
    double apart = 0;
    bool all_known = true;
    for (const std::uint32_t s : pool.segments) {
      Segment& segment = segments[s];
      double items_load = 0;
      for (const Slot& slot : segment.slots) {
        const ServiceConfig& service = config.services[slot.service];
        if (service.medium == Medium::item)
          items_load += static_cast<double>(lines[slot.line].waiting.size) * seconds_of(service.handling) /
                        std::max(seconds_of(service.due_in), 60.0);
      }
      put(work_of(segment.scope, segment.clock, segment.first_open, items_load, handling_of(segment)), goal_of({&s, 1}),
          segment.people.counts(known), config.segments[s].id);
      const auto& required = advice.recommendations.back().required;
      all_known = all_known && required;
      apart += static_cast<double>(required.value_or(0));
    }
    auto& whole = advice.recommendations.front();
    if (all_known && whole.required && pool.segments.size() > 1)
      whole.pooling_gain = apart - static_cast<double>(*whole.required);
  }

  // Published when it changes by a whole person and that lasts, or by more at once, and at least every minute while
  // open; it never flutters.
  const std::int64_t required = advice.recommendations.front().required.value_or(-1);
  const std::int64_t before =
      pool.advice.recommendations.empty() ? -2 : pool.advice.recommendations.front().required.value_or(-1);
  bool publish = before == -2 || (required < 0) != (before < 0) || std::abs(required - before) >= 2;
  if (!publish && required != before) {
    if (pool.wanted != required) {
      pool.wanted = required;
      pool.wanted_since = now;
    }
    publish = now - pool.wanted_since >= must_persist;
  }
  if (required == before) {
    pool.wanted = -1;
    publish = open && now - pool.published >= say_at_least;
  }
  if (publish) {
    pool.advice = std::move(advice);
    pool.published = now;
    pool.wanted = -1;
    out->push_back(StaffingChanged{index});
  }
  evaluate_pool(index);
}

}  // namespace reach
