// How many people a stream of calls needs, and what callers meet with a given number: Erlang B, C and A, exactly.
//
// Every figure costs the same few microseconds at 1 or 100,000 agents, at any load: nothing is summed over agents,
// nothing is a factorial or a power, and what is too small for a double is 0, never NaN.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace reach::staffing {

/// A stationary stream of calls: Poisson arrivals, exponential handling times, exponential patience.
/// The figures are exact within the ranges given; outside them they may be NaN (nothing loops or overflows).
struct CallLoad {
  double arrivals_per_hour = 0;                                 ///< 0 to 1e12
  double aht_s = 0;                                             ///< mean handling time, 1e-6 to 1e9
  double patience_s = std::numeric_limits<double>::infinity();  ///< mean, 1e-6 to 1e9, or infinity: nobody gives up

  /// Offered load a in Erlang: the mean number of people at work if nobody had to wait.
  [[nodiscard]] double erlangs() const noexcept { return arrivals_per_hour * aht_s / 3600; }
};

/// What callers and agents meet in the long run. V is the wait a caller with endless patience would have, R the
/// patience, T the threshold; a caller is served iff V <= R and waits W = min(V, R). Ratios are in [0, 1].
struct CallFigures {
  double p_wait = 0;            ///< P(V > 0): not answered at once
  double p_abandon = 0;         ///< P(V > R)
  double p_served = 1;          ///< 1 - p_abandon
  double p_abandon_within = 0;  ///< P(V > R and R <= T)
  double sl_offered = 1;        ///< P(served and V <= T), over all calls
  double sl_answered = 1;       ///< P(V <= T | served)
  double sl_ignored = 1;        ///< answered within T / (all - abandoned within T)
  double sl_positive = 1;       ///< P(W <= T): who gives up within T counts as met
  double sl_virtual = 1;        ///< P(V <= T): of a caller with endless patience among the others
  double asa_s = 0;             ///< E[V | served], waits of zero included; infinite in overload without abandons
  double wait_all_s = 0;        ///< E[W], who gave up included; infinite likewise
  double waiting = 0;           ///< mean number of callers waiting; infinite likewise
  double occupancy = 0;         ///< busy share of the agents' time; 0 without agents
};

/// Which ratio "service level" means. The names of config/figures.md: what a call abandoned within T does to the ratio.
/// Short abandons (`Goal::short_abandon_s`) are never in the ratio of ignored, negative and positive.
enum class Measure : std::uint8_t {
  offered,       ///< over all offered calls, short abandons too: what `reachctl staffing calc` prints
  ignored,       ///< abandoned within T: not in the ratio
  negative,      ///< abandoned within T: missed
  positive,      ///< abandoned within T: met
  answered,      ///< over the answered calls only
  virtual_wait,  ///< P(V <= T)
  served,        ///< answered at all, T does not matter
};

/// What a number of agents has to reach. All conditions hold together.
struct Goal {
  double service_level = 0.8;  ///< at least this ratio, in (0, 1)
  double threshold_s = 20;     ///< T >= 0
  Measure measure = Measure::offered;
  double short_abandon_s = 0;  ///< >= 0 and <= T; callers gone before count neither way (see Measure)
  std::optional<double> max_occupancy = std::nullopt;  ///< at most this ratio, in (0, 1]
  std::optional<double> max_abandon = std::nullopt;    ///< p_abandon at most this ratio
  std::optional<double> max_asa_s = std::nullopt;      ///< asa_s at most this
  std::int64_t min_staff = 1;                          ///< never fewer than this, even without a call; >= 0
};

/// Agents a search looks at before it says that a goal is out of reach.
inline constexpr std::int64_t agents_limit = 10'000'000;

/// Blocking probability of M/M/n/n at an offered load of `erlangs` >= 0, for real `lines` >= 0.
/// Source: Jagerman, Some properties of the Erlang loss function, Bell Syst. Tech. J. 53 (1974): 1/B = ∫ e^-t (1+t/a)^n
/// dt. Relative error below 1e-12; values under 1e-308 are 0. Pinned by the vectors erlang_b.
[[nodiscard]] double erlang_b(double erlangs, double lines) noexcept;

/// The offered load at which `lines` >= 1 block the share `blocking` in (0, 1): the inverse of erlang_b.
/// Pinned by the vectors erlang_b_load.
[[nodiscard]] double erlang_b_load(double blocking, std::int64_t lines) noexcept;

/// The least number of lines that block at most the share `blocking` in (0, 1), or nullopt above `limit`.
/// Pinned by the vectors min_lines.
[[nodiscard]] std::optional<std::int64_t> min_lines(double erlangs, double blocking,
                                                    std::int64_t limit = agents_limit) noexcept;

/// Erlang C, M/M/n: nobody gives up (`load.patience_s` is not looked at). With agents <= load the queue grows
/// without end: p_wait 1, service levels 0, waits infinite, occupancy 1.
/// Source: Cooper, Introduction to Queueing Theory, 2nd ed. (1981), 3.4. Pinned by the vectors erlang_c.
[[nodiscard]] CallFigures erlang_c(const CallLoad& load, std::int64_t agents, double threshold_s) noexcept;

/// Erlang A, M/M/n+M: callers give up after an exponential patience. Exact at any load, `agents` >= 0 may be far
/// below it. Without agents everybody gives up; where nobody is answered, asa_s and sl_answered are 0. Infinite
/// patience is Erlang C. Source: Palm (1957); Garnett, Mandelbaum & Reiman, Designing a call center with impatient
/// customers, M&SOM 4 (2002); the densities of V as in Mandelbaum & Zeltyn, Service engineering in action (2007).
/// Pinned by the vectors erlang_a (relative error below 1e-10 from 1 to 100,000 agents, load 0.3 to 1.5).
[[nodiscard]] CallFigures erlang_a(const CallLoad& load, std::int64_t agents, double threshold_s) noexcept;

/// The wait W that the share `p` in (0, 1) of all callers does not exceed, those who give up included; 0 when so
/// many need not wait, infinite in overload without abandons. Pinned by w90 of the vectors erlang_c.
[[nodiscard]] double wait_quantile_s(const CallLoad& load, std::int64_t agents, double p) noexcept;

/// The service level as `goal` measures it, with `agents`: comparable with the measured figure of the same policy.
[[nodiscard]] double service_level(const CallLoad& load, std::int64_t agents, const Goal& goal) noexcept;

/// The least number of agents that reaches `goal`, or nullopt when more than `limit` would be needed. With infinite
/// patience always more than the load; with finite patience possibly far fewer. Brackets by the square-root rule
/// (Halfin & Whitt 1981), then bisects from 0: about 20 evaluations. Pinned by the vectors min_agents.
[[nodiscard]] std::optional<std::int64_t> min_agents(const CallLoad& load, const Goal& goal,
                                                     std::int64_t limit = agents_limit) noexcept;

/// People to schedule so that `agents` are there when the share `shrinkage` in [0, 1) of paid time is not available:
/// ⌈agents / (1 - shrinkage)⌉ with the shrinkage read as the fraction it was meant to be (0.3 is 3/10), since in
/// doubles 21 / 0.7 is 30.000000000000004 and would become 31. Pinned by `rostered` of the vectors min_agents.
[[nodiscard]] std::int64_t scheduled(std::int64_t agents, double shrinkage) noexcept;

/// What one team saves over several that each reach the same goal alone.
struct Pooling {
  std::vector<std::int64_t> separate;  ///< least agents of each load alone
  std::int64_t separate_total = 0;
  std::int64_t pooled = 0;  ///< least agents for all calls together
  std::int64_t saving = 0;  ///< separate_total - pooled
};

/// Compares separate teams with one for all. The calls together have the mean handling time and the mean rate of
/// giving up, each weighted by arrivals. nullopt when a goal is out of reach. Pinned by the vectors pooling.
[[nodiscard]] std::optional<Pooling> pooling(std::span<const CallLoad> loads, const Goal& goal,
                                             std::int64_t limit = agents_limit);

}  // namespace reach::staffing
