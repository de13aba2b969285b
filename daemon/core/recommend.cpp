// Recommended staffing of a pool and its segments, from the rates measured now (staffing.md, part 1).
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

struct Work {
  staffing::Measured measured;
  double handle_s = 0, waited_s = 0;
  std::int64_t abandons = 0;
};

void finish(Work& work, double expected_handling_s) {
  work.measured.aht_s =
      work.measured.handled > 0 ? work.handle_s / static_cast<double>(work.measured.handled) : expected_handling_s;
  work.measured.patience = staffing::estimate_patience(work.waited_s, work.abandons);
}

void add(Work& to, const Work& from) {
  to.measured.arrivals_per_hour += from.measured.arrivals_per_hour;
  to.measured.calls += from.measured.calls;
  to.measured.handled += from.measured.handled;
  to.measured.items_work_s += from.measured.items_work_s;
  to.handle_s += from.handle_s;
  to.waited_s += from.waited_s;
  to.abandons += from.abandons;
}

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

void Engine::State::recommend(std::uint32_t index) {
  Pool& pool = pools[index];
  const PoolConfig& promised = config.pools[index];
  timers.arm(TimerKind::pool, index, now + every);
  accrue(index, now);

  // The goal: of the segments' service-level objectives the strictest, so that one pool keeps every promise.
  const auto goal_of = [&](const std::vector<std::uint32_t>& of) {
    staffing::Goal goal;
    bool promised_any = false;
    for (const std::uint32_t s : of) {
      for (const std::uint32_t o : segments[s].objectives) {
        const ObjectiveConfig& objective = *objectives[o].config;
        if (objective.figure != Figure::service_level) continue;
        const std::uint32_t service =
            objectives[o].service != none ? objectives[o].service : only_service(Medium::call);
        if (service == none) continue;
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
    goal.max_occupancy = promised.max_occupancy;
    return goal;
  };

  std::vector<Work> works;
  Work all;
  double expected_handling_s = 0;
  bool known = false, open = false;
  for (const std::uint32_t s : pool.segments) {
    Segment& segment = segments[s];
    advance_windows(segment);
    open = open || calendar_state(segment) == CalendarState::open;
    for (const std::uint32_t source : segment.sources) known = known || sources[source].tells_agents;
    const Tally& recent = segment.scope.rolling_window(measured_over)->tally();
    const Tally today = segment.scope.calendar.tally(Period::day);
    Work work;
    const Duration span = std::min<Duration>(measured_over, clocks[segment.clock].at(now) - segment.first_open);
    work.measured.calls = recent[Counter::offered];
    if (span > Duration::zero())
      work.measured.arrivals_per_hour = static_cast<double>(recent[Counter::offered]) * 3600 / seconds_of(span);
    const Tally& handled = recent[Counter::handled] >= staffing::min_samples ? recent : today;
    work.measured.handled = handled[Counter::handled];
    work.handle_s = static_cast<double>(handled[Counter::handle_ns]) / 1e9;
    work.waited_s = static_cast<double>(today[Counter::waited_ns]) / 1e9;
    work.abandons = today[Counter::abandoned];
    for (const Slot& slot : segment.slots) {
      const ServiceConfig& service = config.services[slot.service];
      if (service.medium == Medium::item) {
        work.measured.items_work_s += static_cast<double>(lines[slot.line].waiting.size) * seconds_of(service.handling);
        work.measured.items_within_s = std::max(work.measured.items_within_s, seconds_of(service.due_in));
      } else {
        expected_handling_s = seconds_of(service.handling);
      }
    }
    all.measured.items_within_s = std::max(all.measured.items_within_s, work.measured.items_within_s);
    add(all, work);
    finish(work, expected_handling_s);
    works.push_back(work);
  }
  finish(all, expected_handling_s);

  const AgentCounts people = pool.people.counts(known);
  const std::optional<std::int64_t> present = known ? std::optional(people.logged_in - people.paused) : std::nullopt;
  StaffingView advice;
  advice.pool = promised.id;
  advice.time = now;
  advice.agents = people;
  const auto put = [&](const staffing::Advice& a, const Work& work, std::optional<std::int64_t> there,
                       std::string segment) {
    RecommendationView view = view_of(a, work, there);
    view.pool = promised.id;
    view.segment = std::move(segment);
    view.interval_start = now;
    view.interval_s = config.interval.count() / 1'000'000'000;
    advice.recommendations.push_back(std::move(view));
  };
  put(staffing::recommend(all.measured, goal_of(pool.segments), promised.shrinkage, present), all, present, {});
  double apart = 0;
  bool all_known = true;
  for (std::size_t i = 0; i < works.size(); ++i) {
    const std::uint32_t s = pool.segments[i];
    const AgentCounts there = segments[s].people.counts(known);
    put(staffing::recommend(works[i].measured, goal_of({s}), promised.shrinkage,
                            known ? std::optional(there.logged_in - there.paused) : std::nullopt),
        works[i], known ? std::optional(there.logged_in - there.paused) : std::nullopt, config.segments[s].id);
    const auto& required = advice.recommendations.back().required;
    all_known = all_known && required;
    apart += static_cast<double>(required.value_or(0));
  }
  RecommendationView& whole = advice.recommendations.front();
  if (all_known && whole.required && works.size() > 1)
    whole.pooling_gain = apart - static_cast<double>(*whole.required);

  // Published when it changes by a whole person and that lasts, or by more at once, and at least every minute while
  // open; it never flutters.
  const std::int64_t required = whole.required.value_or(-1);
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
