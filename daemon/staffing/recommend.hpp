// From what was measured to a sentence a supervisor can act on: how many people are needed, against who is there.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "daemon/staffing/erlang.hpp"

namespace reach::staffing {

/// Fewer calls, or fewer ended calls, than this say too little about the rate and the handling time.
inline constexpr std::int64_t min_samples = 10;

/// The mean patience behind observed waits, and how much is behind it.
struct Patience {
  double mean_s = std::numeric_limits<double>::infinity();  ///< infinite: nobody was seen to give up
  std::int64_t abandons = 0;                                ///< its relative standard error is 1/√abandons
};

/// Estimates the mean patience from totals over ended waits. Who was answered had at least the patience to wait that
/// long, so those waits count in full: mean = total time waited, by answered and abandoned callers / abandons (the
/// maximum-likelihood estimate for exponential patience with censoring; Mandelbaum & Zeltyn 2007, 7).
/// `waited_s` >= 0. Callers that gave up without having waited count as a wait of at least 1 s in all.
[[nodiscard]] Patience estimate_patience(double waited_s, std::int64_t abandons) noexcept;

/// What is known of the work, with the size of the sample behind each number.
struct Measured {
  double arrivals_per_hour = 0;
  std::int64_t calls = 0;    ///< counted for the rate; a forecast that is trusted gives its own basis here
  double aht_s = 0;          ///< mean handling time, or the agent-seconds per call where it is known (workload_s)
  std::int64_t handled = 0;  ///< ended calls behind it
  Patience patience;
  double items_work_s = 0;      ///< work content of the open work items, agent-seconds
  double items_within_s = 900;  ///< until when it must be done; less than 60 is taken as 60
};

/// What callers would meet.
struct Expected {
  std::int64_t agents = 0;
  double service_level = 0;  ///< as the goal measures it
  double asa_s = 0;          ///< infinite when the queue would grow without end
  double occupancy = 0;
  double p_abandon = 0;
};

/// Absent numbers are unknown, never 0.
struct Advice {
  std::optional<std::int64_t> required;  ///< for_calls + for_items
  std::optional<std::int64_t> for_calls;
  std::optional<std::int64_t> for_items;
  std::optional<std::int64_t> scheduled;  ///< required / (1 - shrinkage), rounded up
  std::optional<std::int64_t> gap;        ///< required - present: more than 0 means people are missing
  std::optional<Expected> at_current;     ///< with everybody present on the calls
  std::optional<Expected> at_required;    ///< with for_calls people on the calls
  std::string model;                      ///< "erlang-a", or "erlang-c" when nobody gives up
  std::vector<std::string> assumptions;   ///< sentences
  bool not_enough_data = false;           ///< then nothing above but the model and the assumptions is present
  std::string reason;                     ///< one sentence for a supervisor, always present
};

/// Recommends the people for one stationary stretch of time: Erlang A from the measured rate, handling time and
/// patience; Erlang C when nobody was seen to give up.
///
/// `goal`       as min_agents() takes it
/// `shrinkage`  in [0, 1)
/// `present`    people logged in and not paused, if known
///
/// Work items by the basic rule: people = work content / time until it must be done, rounded up, beside those for the
/// calls. It does not count on the idle time between calls, so it rather asks for too many than too few.
/// Less than a millisecond at any size. Never throws on numbers; what is not a usable number is "not enough data".
[[nodiscard]] Advice recommend(const Measured& measured, const Goal& goal, double shrinkage,
                               std::optional<std::int64_t> present);

}  // namespace reach::staffing
