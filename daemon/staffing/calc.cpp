#include "daemon/staffing/calc.hpp"

#include <cmath>
#include <limits>

#include "daemon/staffing/erlang.hpp"

namespace reach::staffing {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

bool is_ratio(double x) {
  return x > 0 && x < 1;
}  // false for NaN too

std::vector<std::string> errors_of(const CalcOptions& o) {
  std::vector<std::string> errors;
  const auto expect = [&](bool holds, const char* otherwise) {
    if (!holds) errors.emplace_back(otherwise);
  };
  const auto is_time = [](double seconds) { return seconds >= 1e-6 && seconds <= 1e9; };  // as CallLoad wants it
  expect(o.arrivals_per_hour >= 0 && o.arrivals_per_hour <= 1e12,
         "Arrivals per hour must be a number of calls from 0 to 1e12.");
  expect(is_time(o.aht_s), "The mean handling time must be more than 0 seconds and at most 1e9.");
  expect(!o.patience_s || is_time(*o.patience_s) || *o.patience_s == infinity,
         "The patience must be more than 0 seconds and at most 1e9; leave it out when callers never give up.");
  expect(o.within_s >= 0 && o.within_s <= 1e9, "The threshold must be 0 seconds or more and at most 1e9.");
  expect(o.service_level.has_value() != o.agents.has_value(),
         "Give either the service level to reach or the number of agents, not both and not neither.");
  expect(
      !o.service_level || is_ratio(*o.service_level),
      "The service level must be a ratio between 0 and 1: 0.8 is 80 %. Calls come at random, so 1 cannot be promised.");
  expect(!o.agents || (*o.agents >= 0 && *o.agents <= agents_limit),
         "Agents must be a whole number from 0 to 10000000.");
  expect(!o.max_occupancy || is_ratio(*o.max_occupancy) || *o.max_occupancy == 1,
         "The highest occupancy must be a ratio above 0 and at most 1: 0.85 is 85 %.");
  expect(o.shrinkage == 0 || is_ratio(o.shrinkage), "Shrinkage must be a ratio from 0 to less than 1: 0.3 is 30 %.");
  return errors;
}

}  // namespace

CalcAnswer calc(const CalcOptions& options) {
  CalcAnswer answer;
  answer.errors = errors_of(options);
  if (!answer.errors.empty()) {
    answer.wrong_usage = true;
    return answer;
  }
  const CallLoad load{options.arrivals_per_hour, options.aht_s, options.patience_s.value_or(infinity)};
  std::optional<std::int64_t> agents = options.agents;
  if (!agents) {
    Goal goal;
    goal.service_level = *options.service_level;
    goal.threshold_s = options.within_s;
    goal.max_occupancy = options.max_occupancy;
    agents = min_agents(load, goal);
  }
  if (!agents) {
    answer.errors.emplace_back(
        "Even 10000000 agents would not reach this goal: check the arrivals, the handling time and the highest "
        "occupancy.");
    return answer;
  }
  const CallFigures f = erlang_a(load, *agents, options.within_s);
  answer.result = CalcResult{.agents = *agents,
                             .model = std::isinf(load.patience_s) ? "erlang-c" : "erlang-a",
                             .service_level = f.sl_offered,
                             .asa_s = f.asa_s,
                             .p_wait = f.p_wait,
                             .p_abandon = f.p_abandon,
                             .occupancy = f.occupancy,
                             .scheduled = scheduled(*agents, options.shrinkage)};
  return answer;
}

}  // namespace reach::staffing
