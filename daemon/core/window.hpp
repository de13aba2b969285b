// Windows over time: calendar periods and rolling windows of open time. Adding is O(1); nothing is ever scanned.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "daemon/core/calendar.hpp"
#include "daemon/core/tally.hpp"
#include "daemon/core/view.hpp"

namespace reach {

/// The calendar periods that hold one instant.
struct Periods {
  std::array<TimeRange, period_count> range{};
  [[nodiscard]] const TimeRange& operator[](Period p) const noexcept { return range[static_cast<std::size_t>(p)]; }
};
[[nodiscard]] Periods periods_at(const Zone& zone, Duration interval, Time t);

/// Tallies of the current interval, hour, day, week and month.
///
/// A fact is booked in the period in which it becomes known: one that is learnt after its interval closed counts in
/// the current interval, so that sums over intervals are exact. What takes back an earlier fact (`correction`) is
/// taken off only where that earlier fact's period is still open.
class CalendarWindows {
 public:
  void roll(const Periods& now);
  void add(Counter counter, Time at, std::int64_t n, bool correction);
  void add_wait(WaitHistogram::Bucket bucket, Time at, std::int64_t n, bool correction);
  /// The tally of the current period of `kind`. Call roll() first.
  [[nodiscard]] Tally tally(Period kind) const;
  /// Its counts alone: cheap enough for every event.
  [[nodiscard]] Counts counts(Period kind) const noexcept;
  [[nodiscard]] const std::deque<TrendView>& history() const noexcept { return history_; }
  template <class A>
  void visit(A& archive) {
    archive(periods_.range, current_, closed_, history_);
  }

 private:
  template <class Apply>
  void book(Time at, bool correction, const Apply& apply);

  Periods periods_{};
  Tally current_;                           // of the interval
  std::array<Tally, period_count> closed_;  // of the closed intervals of each longer period; [interval] stays empty
  std::deque<TrendView> history_;           // closed intervals in which something happened, at most 7 days of them
};

/// The last `length` of open time, in buckets of max(1 s, length / 600): the figure may differ from the exact
/// sliding window by one bucket at its old end.
class RollingWindow {
 public:
  explicit RollingWindow(Duration length);
  RollingWindow() : RollingWindow(Duration(1)) {}  ///< to be read into
  [[nodiscard]] Duration length() const noexcept { return length_; }
  /// `open_now`: the open-time clock. Drops what is older than the window.
  void advance(Duration open_now);
  /// Adds at open time `at`; ignored if that has left the window already.
  void add(Counter counter, Duration at, std::int64_t n);
  void add_wait(WaitHistogram::Bucket bucket, Duration at, std::int64_t n);
  [[nodiscard]] const Tally& tally() const noexcept { return total_; }
  /// Open time at which the oldest bucket leaves; Duration::max() if the window is empty.
  [[nodiscard]] Duration next_change() const noexcept;
  template <class A>
  void visit(A& archive) {
    archive(length_, bucket_, total_, newest_, newest_slot_, oldest_kept_, entries_);
  }

 private:
  // A counter, or from counter_count on a bucket of waits.
  using Key = std::uint16_t;
  struct Entry {
    std::int64_t slot;
    std::int64_t n;
    Key key;
    template <class A>
    void visit(A& archive) {
      archive(slot, n, key);
    }
  };
  void begin_slot(std::int64_t slot);
  void change(Key key, Duration at, std::int64_t n);
  void apply(Key key, std::int64_t n);

  Duration length_, bucket_;
  Tally total_, newest_;  // newest_: of the slot that is being filled
  std::int64_t newest_slot_ = 0;
  std::int64_t oldest_kept_ = INT64_MIN;
  std::deque<Entry> entries_;  // of the slots before, ascending
};

/// One place where figures are kept: a segment, a service in it, a site in it, a queue, a pool.
struct Scope {
  CalendarWindows calendar;
  std::vector<RollingWindow> rolling;

  /// `open_at`: the open-time clock at `at`.
  void add(Counter counter, Time at, Duration open_at, std::int64_t n, bool correction = false);
  void add_wait(Duration wait, Time at, Duration open_at, std::int64_t n, bool correction = false);
  [[nodiscard]] RollingWindow* rolling_window(Duration length) noexcept;
};

}  // namespace reach
