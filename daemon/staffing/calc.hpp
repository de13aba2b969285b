// The answer behind `reachctl staffing calc`: numbers in, numbers out, no daemon.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reach::staffing {

/// What the command line says. Exactly one of `service_level` and `agents` is wanted.
struct CalcOptions {
  double arrivals_per_hour = 0;  ///< 0 to 1e12
  double aht_s = 0;              ///< mean handling time, more than 0 (1e-6) to 1e9
  /// Mean patience, more than 0 (1e-6) to 1e9; absent or infinite: nobody gives up, which is Erlang C.
  std::optional<double> patience_s = std::nullopt;
  double within_s = 20;  ///< the threshold T, 0 to 1e9
  /// Wanted: search the least agents that reach this ratio, in (0, 1).
  std::optional<double> service_level = std::nullopt;
  /// Given: evaluate these, 0 to agents_limit.
  std::optional<std::int64_t> agents = std::nullopt;
  /// A side condition of the search, ratio in (0, 1]; not looked at when agents are given.
  std::optional<double> max_occupancy = std::nullopt;
  double shrinkage = 0;  ///< in [0, 1)
};

/// Fields and names as `staffing calc --json` prints them; infinite is printed as null.
struct CalcResult {
  std::int64_t agents = 0;
  std::string model;         ///< "erlang-a" with a finite patience, else "erlang-c"
  double service_level = 0;  ///< P(answered within T) over all offered calls
  double asa_s = 0;          ///< mean wait of the answered; infinite when the queue grows without end
  double p_wait = 0;
  double p_abandon = 0;
  double occupancy = 0;
  std::int64_t scheduled = 0;  ///< agents / (1 - shrinkage), rounded up
};

/// Either a result or at least one error, each a sentence that says what to change.
struct CalcAnswer {
  std::optional<CalcResult> result;
  std::vector<std::string> errors;  ///< all that is wrong with the options, or that the goal is out of reach
  bool wrong_usage = false;         ///< the options are wrong (exit code 64), not the goal out of reach (1)
};

/// Evaluates or searches; see CalcOptions. Any input gets an answer; a few hundred microseconds at most.
[[nodiscard]] CalcAnswer calc(const CalcOptions& options);

}  // namespace reach::staffing
