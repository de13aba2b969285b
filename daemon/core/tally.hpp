// What is counted in one scope over one window, and the figures that follow from it.
#pragma once
#include <array>
#include <cstdint>

#include "daemon/base/time.hpp"
#include "daemon/core/figures.hpp"
#include "daemon/core/histogram.hpp"

namespace reach {

/// Everything that is ever added up. *_ns are sums of nanoseconds.
enum class Counter : std::uint8_t {
  offered,
  answered,
  abandoned,
  short_abandons,
  forwarded_choice,
  forwarded_failure,
  forwarded_agreed,
  unknown,
  unknown_undecided,  // of unknown: those whose verdict is open, for the bounds of the service level
  met,
  missed,
  ring_no_answer,
  transferred_in,
  overflow_in,
  offered_closed,
  answer_wait_ns,  // of answered offers
  waited_ns,       // of all offers that ended, for the patience
  handled,
  handle_ns,  // ended conversations: talk + hold + wrap-up
  work_ns,    // agent time with ringing
  items_received,
  items_completed,
  items_met,
  items_missed,
  responded_met,
  responded_missed,
  leads,
  leads_asked,
  outside_catalogue,
  busy_ns,
  idle_ns,  // people: of pools only
  count_
};
inline constexpr std::size_t counter_count = static_cast<std::size_t>(Counter::count_);

struct Counts {
  std::array<std::int64_t, counter_count> counts{};
  [[nodiscard]] std::int64_t operator[](Counter c) const noexcept { return counts[static_cast<std::size_t>(c)]; }
  std::int64_t& operator[](Counter c) noexcept { return counts[static_cast<std::size_t>(c)]; }
  void add(const Counts& other) noexcept;
};

/// Counts and the waits behind them.
struct Tally : Counts {
  WaitHistogram waits;  ///< of answered offers

  void add(const Tally& other);
  void clear() noexcept;
  [[nodiscard]] bool empty() const noexcept;
};

/// met / (met + missed), or nullopt when nothing was decided: a quiet interval is neither 0 % nor 100 %.
[[nodiscard]] std::optional<double> service_level(const Counts& tally) noexcept;
/// Offers that ended their wait and were not short abandons: what reachability and abandon rate are shares of.
[[nodiscard]] std::int64_t served_or_lost(const Counts& t) noexcept;
/// answered / (answered + abandoned + forwarded - short abandons); nullopt when that is 0.
[[nodiscard]] std::optional<double> reachability(const Counts& tally) noexcept;
/// (abandoned - short) / the same denominator.
[[nodiscard]] std::optional<double> abandon_rate(const Counts& tally) noexcept;
/// Mean wait of answered offers in seconds.
[[nodiscard]] std::optional<double> asa_s(const Counts& tally) noexcept;
/// Mean handling time of ended conversations in seconds.
[[nodiscard]] std::optional<double> aht_s(const Counts& tally) noexcept;
/// Mean patience in seconds: time waited by all over callers who gave up, the maximum-likelihood estimate for
/// exponential patience under censoring (answered calls had at least that much). nullopt when nobody gave up.
[[nodiscard]] std::optional<double> patience_s(const Counts& tally) noexcept;
/// items_met / (items_met + items_missed).
[[nodiscard]] std::optional<double> on_time_rate(const Counts& tally) noexcept;
[[nodiscard]] std::optional<double> respond_on_time_rate(const Counts& tally) noexcept;

/// All figures that follow from the counts; those of this instant (waiting, backlog …) stay at their defaults.
[[nodiscard]] Figures figures_of(const Tally& tally);

}  // namespace reach
