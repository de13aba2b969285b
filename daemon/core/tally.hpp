// What is counted in one scope over one window, and the figures that follow from it.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>

#include "daemon/base/time.hpp"
#include "daemon/core/figures.hpp"
#include "daemon/core/histogram.hpp"

namespace reach {

/// Everything that is ever added up. *_ns are sums of nanoseconds. What every call changes comes first: it shares a
/// line of the processor's cache.
enum class Counter : std::uint8_t {
  offered,
  answered,
  met,
  answer_wait_ns,  // of answered offers
  waited_ns,       // of all offers that ended, for the patience
  handled,
  handle_ns,  // ended conversations: talk + hold + wrap-up
  work_ns,    // agent time with ringing
  missed,
  abandoned,
  short_abandons,
  forwarded_choice,
  forwarded_failure,
  forwarded_agreed,
  unknown,
  unknown_undecided,  // of unknown: those whose verdict is open, for the bounds of the service level
  ring_no_answer,
  transferred_in,
  overflow_in,
  offered_closed,
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

struct Change {
  Counter counter{};
  std::int64_t n = 1;
};

/// What one fact changes, wherever it is counted: a few counters at once. Counters not named keep their value.
class Changes {
 public:
  Changes() = default;
  Changes(std::initializer_list<Change> list) {
    for (const Change& change : list) add(change.counter, change.n);
  }
  /// At most 8 in all.
  void add(Counter counter, std::int64_t n = 1) { list_[size_++] = {counter, n}; }
  void add(const Changes& more) {
    for (const Change& change : more) add(change.counter, change.n);
  }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] const Change* begin() const noexcept { return list_.data(); }
  [[nodiscard]] const Change* end() const noexcept { return list_.data() + size_; }

 private:
  std::array<Change, 8> list_;  // NOLINT: set as far as size_ goes
  std::size_t size_ = 0;
};

struct Counts {
  std::array<std::int64_t, counter_count> counts{};
  [[nodiscard]] std::int64_t operator[](Counter c) const noexcept { return counts[static_cast<std::size_t>(c)]; }
  std::int64_t& operator[](Counter c) noexcept { return counts[static_cast<std::size_t>(c)]; }
};

/// Counts and the waits behind them.
struct Tally : Counts {
  WaitHistogram waits;  ///< of answered offers
};

// The ratios. `T` is anything that gives a count for a Counter; nullopt where the denominator is 0: a quiet interval is
// neither 0 % nor 100 %.

[[nodiscard]] inline std::optional<double> ratio(std::int64_t part, std::int64_t whole) noexcept {
  if (whole <= 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}
[[nodiscard]] inline std::optional<double> mean_s(std::int64_t sum_ns, std::int64_t count) noexcept {
  if (count <= 0) return std::nullopt;
  return static_cast<double>(sum_ns) / 1e9 / static_cast<double>(count);
}
template <class T>
[[nodiscard]] std::int64_t forwarded(const T& t) noexcept {
  return t[Counter::forwarded_choice] + t[Counter::forwarded_failure] + t[Counter::forwarded_agreed];
}
/// Offers that ended their wait and were not short abandons: what reachability and abandon rate are shares of.
template <class T>
[[nodiscard]] std::int64_t served_or_lost(const T& t) noexcept {
  return t[Counter::answered] + t[Counter::abandoned] + forwarded(t) - t[Counter::short_abandons];
}
/// met / (met + missed).
template <class T>
[[nodiscard]] std::optional<double> service_level(const T& t) noexcept {
  return ratio(t[Counter::met], t[Counter::met] + t[Counter::missed]);
}
/// answered / (answered + abandoned + forwarded - short abandons).
template <class T>
[[nodiscard]] std::optional<double> reachability(const T& t) noexcept {
  return ratio(t[Counter::answered], served_or_lost(t));
}
/// (abandoned - short) / the same denominator.
template <class T>
[[nodiscard]] std::optional<double> abandon_rate(const T& t) noexcept {
  return ratio(t[Counter::abandoned] - t[Counter::short_abandons], served_or_lost(t));
}
/// Mean wait of answered offers in seconds.
template <class T>
[[nodiscard]] std::optional<double> asa_s(const T& t) noexcept {
  return mean_s(t[Counter::answer_wait_ns], t[Counter::answered]);
}
/// Mean handling time of ended conversations in seconds.
template <class T>
[[nodiscard]] std::optional<double> aht_s(const T& t) noexcept {
  return mean_s(t[Counter::handle_ns], t[Counter::handled]);
}
/// Mean patience in seconds: time waited by all over callers who gave up, the maximum-likelihood estimate for
/// exponential patience under censoring (answered calls had at least that much). nullopt when nobody gave up.
template <class T>
[[nodiscard]] std::optional<double> patience_s(const T& t) noexcept {
  return mean_s(t[Counter::waited_ns], t[Counter::abandoned]);
}
/// items_met / (items_met + items_missed).
template <class T>
[[nodiscard]] std::optional<double> on_time_rate(const T& t) noexcept {
  return ratio(t[Counter::items_met], t[Counter::items_met] + t[Counter::items_missed]);
}
template <class T>
[[nodiscard]] std::optional<double> respond_on_time_rate(const T& t) noexcept {
  return ratio(t[Counter::responded_met], t[Counter::responded_met] + t[Counter::responded_missed]);
}

/// All figures that follow from the counts; those of this instant (waiting, backlog …) stay at their defaults.
[[nodiscard]] Figures figures_of(const Tally& tally);

}  // namespace reach
