#include "daemon/staffing/erlang.hpp"

#include <algorithm>
#include <cmath>

#include "daemon/staffing/log_concave.hpp"

namespace reach::staffing {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// s + e^-s - 1, which is s²/2 near 0, without cancellation.
double convex_rest(double s) noexcept {
  if (std::fabs(s) > 0.1) return s + std::expm1(-s);
  double series = 1;
  for (int k = 10; k > 2; --k) series = 1 - s / k * series;
  return s * s / 2 * series;
}

/// e - log(1 + e), which is e²/2 near 0; e > -1.
double log_rest(double e) noexcept {
  if (std::fabs(e) > 0.1) return e - std::log1p(e);
  double series = 0;
  for (int k = 16; k >= 2; --k) series = 1.0 / k - e * series;
  return e * e * series;
}

/// Jagerman's integrand (1 + t/a)^n e^-t.
struct LossShape {
  double a, n;
  [[nodiscard]] double peak() const { return std::max(0.0, n - a); }
  [[nodiscard]] double height(double t) const {
    if (n <= a) return (n - a) / a * t - n * log_rest(t / a);
    return -n * log_rest((t - (n - a)) / n);
  }
  [[nodiscard]] double slope(double t) const { return (n - a - t) / (a + t); }
  [[nodiscard]] double curvature(double t) const { return n / ((a + t) * (a + t)); }
  [[nodiscard]] double scale(double t) const { return 2 * (a + t); }
};

/// log(1/B), which has a value where B itself has none.
double log_inverse_erlang_b(double a, double n) noexcept {
  if (n == 0) return 0;
  double sum = 0;
  for_each_node(LossShape{a, n}, infinity, [&](double, double weight) { sum += weight; });
  const double peak_log = n <= a ? 0.0 : a < n / 2 ? n * std::log(n / a) - (n - a) : n * log_rest((a - n) / n);
  return peak_log + std::log(sum);
}

/// Density of the offered wait V given V > 0, up to a factor, in s = θ·V with x = nμ/θ and y = λ/θ:
/// exp{y(1 - e^-s) - x·s}. In overload (y > x) it peaks where the queue is in balance.
struct WaitShape {
  double x, y;
  double balance = y > x ? std::log1p((y - x) / x) : 0;
  double abandoning_until = 45 + balance + std::log1p(y);  // from here on a plain exponential
  [[nodiscard]] double peak() const { return balance; }
  [[nodiscard]] double height(double s) const {
    if (y > x) return -x * convex_rest(s - balance);
    return (y - x) * s - y * convex_rest(s);
  }
  [[nodiscard]] double slope(double s) const {
    return y > x ? x * std::expm1(balance - s) : (y - x) + y * std::expm1(-s);
  }
  [[nodiscard]] double curvature(double s) const { return y * std::exp(-s); }
  [[nodiscard]] double scale(double s) const { return s < abandoning_until ? 2 : infinity; }
  /// Height of the peak over s = 0, in the logarithm.
  [[nodiscard]] double peak_log() const { return y > x ? x * log_rest((y - x) / x) : 0; }
};

CallFigures without_agents(const CallLoad& load, double threshold_s) noexcept {
  const double gone_within = -std::expm1(-threshold_s / load.patience_s);
  CallFigures f;
  f.p_wait = f.p_abandon = 1;
  f.p_served = f.sl_offered = f.sl_answered = f.sl_ignored = f.sl_virtual = 0;
  f.p_abandon_within = f.sl_positive = gone_within;
  f.wait_all_s = load.patience_s;
  f.waiting = load.arrivals_per_hour / 3600 * load.patience_s;
  return f;
}

double measured(const CallFigures& f, Measure measure) noexcept {
  switch (measure) {
    case Measure::offered:
    case Measure::negative:
      return f.sl_offered;
    case Measure::ignored:
      return f.sl_ignored;
    case Measure::positive:
      return f.sl_positive;
    case Measure::answered:
      return f.sl_answered;
    case Measure::virtual_wait:
      return f.sl_virtual;
    case Measure::served:
      return f.p_served;
  }
  return f.sl_offered;
}

double goal_level(const CallLoad& load, std::int64_t agents, const Goal& goal, const CallFigures& f) noexcept {
  const bool leaves_short_out = goal.measure == Measure::negative || goal.measure == Measure::positive;
  if (!leaves_short_out || goal.short_abandon_s <= 0) return measured(f, goal.measure);
  const double short_abandons = erlang_a(load, agents, goal.short_abandon_s).p_abandon_within;
  if (short_abandons >= 1) return 0;
  const double met = goal.measure == Measure::negative ? f.sl_offered : f.sl_positive - short_abandons;
  return met / (1 - short_abandons);
}

bool reaches(const CallLoad& load, std::int64_t agents, const Goal& goal) noexcept {
  if (agents < goal.min_staff) return false;
  if (load.arrivals_per_hour == 0) return true;
  if (std::isinf(load.patience_s) && static_cast<double>(agents) <= load.erlangs()) return false;
  const CallFigures f = erlang_a(load, agents, goal.threshold_s);
  if (goal.max_occupancy && f.occupancy > *goal.max_occupancy) return false;
  if (goal.max_abandon && f.p_abandon > *goal.max_abandon) return false;
  if (goal.max_asa_s && f.asa_s > *goal.max_asa_s) return false;
  return goal_level(load, agents, goal, f) >= goal.service_level;
}

/// The least n in [0, limit] for which `holds`, which is monotone. The square-root rule gives the first guess.
template <class Holds>
std::optional<std::int64_t> least(double erlangs, std::int64_t limit, Holds holds) noexcept {
  const double guess = std::ceil(erlangs + std::sqrt(erlangs)) + 1;
  std::int64_t low = -1;  // holds(low) is false
  std::int64_t high = guess < static_cast<double>(limit) ? static_cast<std::int64_t>(guess) : limit;
  for (std::int64_t step = static_cast<std::int64_t>(std::sqrt(static_cast<double>(high))) + 1; !holds(high);
       step *= 2) {
    if (high >= limit) return std::nullopt;
    low = high;
    high = std::min(limit, high + step);
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (holds(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

double erlang_b(double erlangs, double lines) noexcept {
  if (erlangs <= 0) return lines <= 0 ? 1 : 0;
  return std::exp(-log_inverse_erlang_b(erlangs, lines));
}

double erlang_b_load(double blocking, std::int64_t lines) noexcept {
  const auto n = static_cast<double>(lines);
  double low = 0;
  double high = n / (1 - blocking);  // carried traffic is at most n, so B(a) >= 1 - n/a
  for (int i = 0; i < 100 && high - low > 1e-15 * high; ++i) {
    const double middle = (low + high) / 2;
    (erlang_b(middle, n) >= blocking ? high : low) = middle;
  }
  return (low + high) / 2;
}

std::optional<std::int64_t> min_lines(double erlangs, double blocking, std::int64_t limit) noexcept {
  return least(erlangs, limit, [&](std::int64_t n) { return erlang_b(erlangs, static_cast<double>(n)) <= blocking; });
}

CallFigures erlang_c(const CallLoad& load, std::int64_t agents, double threshold_s) noexcept {
  const double a = load.erlangs();
  const auto n = static_cast<double>(agents);
  CallFigures f;
  if (a <= 0) return f;
  if (n <= a) {
    f.p_wait = f.occupancy = 1;
    f.sl_offered = f.sl_answered = f.sl_ignored = f.sl_positive = f.sl_virtual = 0;
    f.asa_s = f.wait_all_s = f.waiting = infinity;
    return f;
  }
  const double odds = a / (n - a) * erlang_b(a, n - 1);  // of having to wait
  const double drain_s = load.aht_s / (n - a);           // mean wait of those who wait
  f.p_wait = odds / (1 + odds);
  const double within = 1 / (1 + odds) - f.p_wait * std::expm1(-threshold_s / drain_s);
  f.sl_offered = f.sl_answered = f.sl_ignored = f.sl_positive = f.sl_virtual = std::min(1.0, within);
  f.asa_s = f.wait_all_s = f.p_wait * drain_s;
  f.waiting = load.arrivals_per_hour / 3600 * f.asa_s;
  f.occupancy = a / n;
  return f;
}

CallFigures erlang_a(const CallLoad& load, std::int64_t agents, double threshold_s) noexcept {
  if (std::isinf(load.patience_s)) return erlang_c(load, agents, threshold_s);
  const double a = load.erlangs();
  const auto n = static_cast<double>(agents);
  if (a <= 0) return {};
  if (agents <= 0) return without_agents(load, threshold_s);

  const WaitShape shape{n * load.patience_s / load.aht_s, load.arrivals_per_hour * load.patience_s / 3600};
  const double threshold = threshold_s / load.patience_s;
  double all = 0, late = 0, gone = 0, gone_within = 0, served = 0, served_within = 0, served_wait = 0;
  for_each_node(shape, threshold, [&](double s, double weight) {
    const double gives_up = -std::expm1(-s);
    const double stays = 1 - gives_up;
    all += weight;
    gone += weight * gives_up;
    served += weight * stays;
    served_wait += weight * stays * s;
    if (s < threshold) {
      served_within += weight * stays;
      gone_within += weight * gives_up;
    } else {
      late += weight;
    }
  });
  // P(V > 0) : P(V = 0), from p_n = p_(n-1)·λ/(nμ) and P(at most n-1 in the system) = p_(n-1) / B(n-1, a).
  const double odds = shape.y * all * std::exp(shape.peak_log() - log_inverse_erlang_b(a, n - 1));
  const double at_once = 1 / (1 + odds);
  const double threshold_gone = -std::expm1(-threshold);

  CallFigures f;
  f.p_wait = odds > 1 ? 1 / (1 + 1 / odds) : odds / (1 + odds);
  const double per_weight = f.p_wait / all;
  f.p_abandon = per_weight * gone;
  f.p_served = at_once + per_weight * served;
  f.p_abandon_within = per_weight * (gone_within + threshold_gone * late);
  f.sl_offered = at_once + per_weight * served_within;
  f.sl_answered = f.p_served > 0 ? std::min(1.0, f.sl_offered / f.p_served) : 0;
  f.sl_ignored = std::min(1.0, f.sl_offered / (1 - f.p_abandon_within));
  f.sl_virtual = at_once + per_weight * (all - late);
  f.sl_positive = f.sl_offered + f.p_abandon_within;
  f.asa_s = f.p_served > 0 ? per_weight * served_wait / f.p_served * load.patience_s : 0;
  f.wait_all_s = f.p_abandon * load.patience_s;
  f.waiting = load.arrivals_per_hour / 3600 * f.wait_all_s;
  f.occupancy = std::min(1.0, a * f.p_served / n);
  return f;
}

double wait_quantile_s(const CallLoad& load, std::int64_t agents, double p) noexcept {
  const CallFigures at_once = erlang_a(load, agents, 0);
  if (at_once.sl_virtual >= p) return 0;
  if (std::isinf(at_once.wait_all_s)) return infinity;
  if (std::isinf(load.patience_s))
    return std::log(at_once.p_wait / (1 - p)) * load.aht_s / (static_cast<double>(agents) - load.erlangs());
  double low = 0;
  double high = -std::log1p(-p) * load.patience_s;  // nobody waits longer than the patience
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (erlang_a(load, agents, middle).sl_positive >= p ? high : low) = middle;
  }
  return high;
}

double service_level(const CallLoad& load, std::int64_t agents, const Goal& goal) noexcept {
  return goal_level(load, agents, goal, erlang_a(load, agents, goal.threshold_s));
}

std::optional<std::int64_t> min_agents(const CallLoad& load, const Goal& goal, std::int64_t limit) noexcept {
  return least(load.erlangs(), limit, [&](std::int64_t n) { return reaches(load, n, goal); });
}

std::int64_t scheduled(std::int64_t agents, double shrinkage) noexcept {
  // The available share as the simplest fraction p/q within rounding error, by its continued fraction.
  std::int64_t p = 1, q = 0, p_before = 0, q_before = 1;
  double rest = shrinkage;
  for (int i = 0; i < 40; ++i) {
    const double whole = std::floor(rest);
    const auto term = static_cast<std::int64_t>(whole);
    const std::int64_t q_next = term * q + q_before;
    if (q > 0 && q_next > 10'000'000) break;
    const std::int64_t p_next = term * p + p_before;
    p_before = p, q_before = q, p = p_next, q = q_next;
    if (std::fabs(static_cast<double>(p) / static_cast<double>(q) - shrinkage) < 1e-14 || rest - whole < 1e-12) break;
    rest = 1 / (rest - whole);
  }
  const std::int64_t available = std::max<std::int64_t>(1, q - p);  // of q
  const std::int64_t whole_part = agents / available;
  return whole_part * q + ((agents % available) * q + available - 1) / available;
}

std::optional<Pooling> pooling(std::span<const CallLoad> loads, const Goal& goal, std::int64_t limit) {
  Pooling result;
  double arrivals = 0, work = 0, giving_up = 0;
  for (const CallLoad& load : loads) {
    const auto alone = min_agents(load, goal, limit);
    if (!alone) return std::nullopt;
    result.separate.push_back(*alone);
    result.separate_total += *alone;
    arrivals += load.arrivals_per_hour;
    work += load.arrivals_per_hour * load.aht_s;
    giving_up += load.arrivals_per_hour / load.patience_s;
  }
  CallLoad together{arrivals, 1, infinity};
  if (arrivals > 0) together = {arrivals, work / arrivals, giving_up > 0 ? arrivals / giving_up : infinity};
  const auto pooled = min_agents(together, goal, limit);
  if (!pooled) return std::nullopt;
  result.pooled = *pooled;
  result.saving = result.separate_total - result.pooled;
  return result;
}

}  // namespace reach::staffing
