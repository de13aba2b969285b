#include "daemon/staffing/recommend.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace reach::staffing {
namespace {

/// "38", "0.5": at most one decimal.
std::string number(double x) {
  char text[64];
  const double tenths = std::round(x * 10) / 10;
  std::snprintf(text, sizeof text, tenths == std::round(tenths) ? "%.0f" : "%.1f", tenths);
  return text;
}

/// Whole percent, rounded down: what falls short of 80 % must not read "80 %".
std::string percent(double ratio) {
  return number(std::floor(ratio * 100 + 1e-9)) + " %";
}

/// The ratio of a goal or limit, which people wrote themselves: "80 %", "82.5 %".
std::string written_percent(double ratio) {
  return number(ratio * 100) + " %";
}

/// "1 person", "2 people".
std::string counted(std::int64_t n, const char* one, const char* several) {
  return std::to_string(n) + " " + (n == 1 ? one : several);
}
std::string people(std::int64_t n) {
  return counted(n, "person", "people");
}

std::string measured_as(const Goal& goal) {
  switch (goal.measure) {
    case Measure::offered:
      return "of all calls";
    case Measure::ignored:
      return "of all calls without those given up earlier";
    case Measure::negative:
      return "of all calls, those given up earlier counting as missed";
    case Measure::positive:
      return "of all calls, those given up earlier counting as met";
    case Measure::answered:
      return "of the answered calls";
    case Measure::virtual_wait:
      return "of calls with endless patience";
    case Measure::served:
      return "of all calls answered at any time";
  }
  return {};
}

Expected expected(const CallLoad& load, std::int64_t agents, const Goal& goal) {
  const CallFigures f = erlang_a(load, agents, goal.threshold_s);
  return {agents, service_level(load, agents, goal), f.asa_s, f.occupancy, f.p_abandon};
}

/// Why nothing can be said, or empty.
std::string missing(const Measured& m) {
  const bool usable = m.arrivals_per_hour >= 0 && m.arrivals_per_hour <= 1e12 && m.patience.mean_s >= 1e-6;
  if (m.calls < min_samples || !usable)
    return "Not enough data: " + counted(m.calls, "call", "calls") + " so far, " + std::to_string(min_samples) +
           " are needed to speak of a rate.";
  if (m.handled < min_samples || !(m.aht_s >= 1e-6 && m.aht_s <= 1e9))
    return "Not enough data: " + counted(m.handled, "call has", "calls have") + " ended so far, " +
           std::to_string(min_samples) + " are needed to speak of a handling time.";
  if (!(m.items_work_s >= 0) || !std::isfinite(m.items_work_s))
    return "Not enough data: the work content of the open items is not known.";
  return {};
}

void state_assumptions(const Measured& m, const CallLoad& load, const Goal& goal, std::optional<std::int64_t> present,
                       std::vector<std::string>& out) {
  std::string aim = "The goal is " + written_percent(goal.service_level) + " " + measured_as(goal);
  if (goal.measure != Measure::served) aim += ", within " + number(goal.threshold_s) + " s";
  if (goal.max_occupancy) aim += "; people busy at most " + written_percent(*goal.max_occupancy) + " of the time";
  if (goal.max_abandon) aim += "; at most " + written_percent(*goal.max_abandon) + " of the callers giving up";
  if (goal.max_asa_s) aim += "; a mean wait of at most " + number(*goal.max_asa_s) + " s";
  out.push_back(aim + ".");
  out.push_back("Calls go on at the rate of the last " + std::to_string(m.calls) +
                " calls, with the handling time of the last " + std::to_string(m.handled) + ".");
  if (std::isfinite(load.patience_s)) {
    out.push_back("Callers wait " + number(load.patience_s) + " s on average before they give up, from " +
                  std::to_string(m.patience.abandons) + " who did (± " +
                  number(100 / std::sqrt(static_cast<double>(std::max<std::int64_t>(1, m.patience.abandons)))) +
                  " %).");
  } else {
    out.emplace_back("Nobody was seen to give up, so callers are taken to wait for as long as it takes (Erlang C).");
    if (present && load.arrivals_per_hour > 0 && load.erlangs() >= static_cast<double>(*present))
      out.emplace_back(
          "The load is at or above the people here: the queue would grow for as long as this lasts, until callers do "
          "give up.");
  }
  if (m.items_work_s > 0)
    out.push_back("Work items are done by people beside those on the calls: " + number(m.items_work_s / 60) +
                  " min of work within " + number(std::max(60.0, m.items_within_s) / 60) + " min.");
}

std::string reason(const Measured& m, const Goal& goal, const Advice& a, std::optional<std::int64_t> present) {
  const std::string within = goal.measure == Measure::served ? "" : " within " + number(goal.threshold_s) + " s";
  const std::string then = counted(*a.for_calls, "answers", "answer") + " " + percent(a.at_required->service_level);
  std::string need =
      number(m.arrivals_per_hour) + " calls/h of " + number(m.aht_s) + " s need " + std::to_string(*a.for_calls);
  if (*a.for_items > 0) need += ", open work items need " + std::to_string(*a.for_items);

  if (!present) return people(*a.required) + ": " + need + "; " + then + within;
  if (*a.gap == 0) return counted(*a.required, "person is", "people are") + " enough: " + need + "; " + then + within;
  const std::string change = *a.gap > 0 ? counted(*a.gap, "more person", "more people")
                                        : counted(-*a.gap, "person", "people") + " more than needed";
  return change + ": " + need + "; " + counted(*present, "is", "are") + " here and would answer " +
         percent(a.at_current->service_level) + within + "; " + then;
}

}  // namespace

Patience estimate_patience(double waited_s, std::int64_t abandons) noexcept {
  if (abandons <= 0) return {};
  return {std::max(1.0, waited_s) / static_cast<double>(abandons), abandons};
}

Advice recommend(const Measured& measured, const Goal& goal, double shrinkage, std::optional<std::int64_t> present) {
  Advice advice;
  CallLoad load{measured.arrivals_per_hour, measured.aht_s, measured.patience.mean_s};
  if (load.patience_s > 1e9) load.patience_s = std::numeric_limits<double>::infinity();
  advice.model = std::isinf(load.patience_s) ? "erlang-c" : "erlang-a";
  advice.reason = missing(measured);
  advice.not_enough_data = !advice.reason.empty();
  if (advice.not_enough_data) return advice;
  state_assumptions(measured, load, goal, present, advice.assumptions);

  advice.for_calls = min_agents(load, goal);
  const double items = std::ceil(measured.items_work_s / std::max(60.0, measured.items_within_s) - 1e-9);
  if (!advice.for_calls || items > static_cast<double>(agents_limit)) {
    advice.for_calls.reset();
    advice.reason = "No number of people up to " + std::to_string(agents_limit) +
                    " reaches the goal: check its limits and the measured load.";
    return advice;
  }
  advice.for_items = static_cast<std::int64_t>(items);
  advice.required = *advice.for_calls + *advice.for_items;
  advice.scheduled = scheduled(*advice.required, shrinkage);
  advice.at_required = expected(load, *advice.for_calls, goal);
  if (present) {
    advice.gap = *advice.required - *present;
    advice.at_current = expected(load, *present, goal);
  }
  advice.reason = reason(measured, goal, advice, present);
  return advice;
}

}  // namespace reach::staffing
