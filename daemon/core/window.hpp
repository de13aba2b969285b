// Windows over time: calendar periods and rolling windows of open time. Adding is O(1); nothing is ever scanned.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "daemon/core/calendar.hpp"
#include "daemon/core/config.hpp"
#include "daemon/core/tally.hpp"
#include "daemon/core/view.hpp"

namespace reach {

/// The calendar periods that hold one instant.
struct Periods {
  std::array<TimeRange, period_count> range{};
  [[nodiscard]] const TimeRange& operator[](Period p) const noexcept { return range[static_cast<std::size_t>(p)]; }
};
[[nodiscard]] Periods periods_at(const Zone& zone, Duration interval, Time t);

/// Where a scope's counters stood at one moment. They only run on, like a meter: what a window holds is the difference
/// of two readings, which stays right when a sum of nanoseconds has gone round 64 bits.
struct Reading {
  std::array<std::uint64_t, counter_count> of{};
  std::uint64_t& operator[](Counter c) noexcept { return of[static_cast<std::size_t>(c)]; }
  void add(const Changes& changes) noexcept {
    for (const Change& change : changes) (*this)[change.counter] += static_cast<std::uint64_t>(change.n);
  }
  friend bool operator==(const Reading&, const Reading&) = default;
};

/// What was counted between two readings; copies neither.
class Between {
 public:
  Between(const Reading& from, const Reading& to) : from_(&from), to_(&to) {}
  [[nodiscard]] std::int64_t operator[](Counter c) const noexcept {
    const auto i = static_cast<std::size_t>(c);
    return static_cast<std::int64_t>(to_->of[i] - from_->of[i]);
  }
  [[nodiscard]] Counts copy() const noexcept;

 private:
  const Reading *from_, *to_;
};

/// One place where figures are kept: a segment, a service in it, a site in it, a queue, a pool. It has one meter for
/// each counter; every window remembers the reading at its beginning.
///
/// *Calendar periods.* A fact is booked in the period in which it becomes known: one that is learnt after its interval
/// closed counts in the current interval, so that sums over intervals are exact. What takes back an earlier fact
/// (`correction`) is taken off only where that earlier fact's period is still open.
///
/// *Rolling windows* of open time go in buckets of max(1 s, length / 600): a figure may differ from the exact sliding
/// window by one bucket at its old end. A fact counts at its own time, if the window still holds that.
class Scope {
 public:
  /// From now on there is a rolling window of this length, too.
  void keep(Duration length);
  [[nodiscard]] bool keeps(Duration length) const noexcept { return find(length) != nullptr; }

  /// Brings the calendar periods up to date. Call before adding and before looking.
  void roll(const Periods& now) {
    if (interval_ != now[Period::interval]) begin_interval(now);
  }
  /// Brings the rolling windows up to `open_now`, the open-time clock. Call before looking.
  void slide(Duration open_now) {
    for (Rolling& window : rolling_) window.slide(open_now, now_);
  }

  /// `open_at`: the open-time clock at `at`.
  void add(const Changes& changes, Time at, Duration open_at, bool correction = false) {
    if (correction && at < interval_.from) take_off_closed(changes, at);
    for (Rolling& window : rolling_)
      if (open_at < window.newest_begin || open_at >= window.newest_end) window.go_to(changes, open_at, now_);
    now_.add(changes);
  }
  void add_wait(Duration wait, std::int64_t n, Time at, Duration open_at, bool correction = false);

  /// What the window holds; of a rolling window that is not kept, and of "now": nothing.
  [[nodiscard]] Between counts(const Window& window) const noexcept;
  [[nodiscard]] Tally tally(const Window& window) const;
  /// Open time at which the oldest bucket leaves the rolling window; Duration::max() if it is empty or not kept.
  [[nodiscard]] Duration next_change(Duration length) const noexcept;
  /// Closed intervals in which something happened, oldest first, at most 7 days of them.
  [[nodiscard]] const std::vector<TrendView>& history() const noexcept { return calendar_->history; }

  /// Whether its parts fit together: false only of what was read from bytes that are none of ours.
  [[nodiscard]] bool is_whole() const noexcept;

  /// Goes on with the counts of `from`, and with those of its rolling windows that this scope keeps, too.
  void inherit(Scope& from);

  template <class A>
  void visit(A& archive) {
    archive(now_, interval_.from, interval_.to, *calendar_, waits_, rolling_);
  }

 private:
  struct Rolling {
    Rolling() = default;  ///< to be read into
    explicit Rolling(Duration window_length);
    void slide(Duration open_now, const Reading& now) {
      if (open_now >= newest_end) begin_slot(slot_of(open_now), now);
      if (open_now >= oldest_end || open_now < oldest_end - bucket) forget(open_now);
    }
    /// For facts that are not of the newest slot: begins a newer one, or books them in an older one.
    void go_to(const Changes& changes, Duration at, const Reading& now);
    void add_wait(WaitHistogram::Bucket wait, std::int64_t n, Duration at, const Reading& now);
    [[nodiscard]] Duration next_change(const Reading& now) const noexcept;
    [[nodiscard]] bool is_whole() const noexcept;
    template <class A>
    void visit(A& archive) {
      tidy();
      archive(length, bucket, newest, newest_begin, newest_end, oldest_kept, oldest_end, before, newest_reading, waits,
              newest_waits, slots, facts);
    }

    // A counter, or from counter_count on a bucket of waits.
    using Key = std::uint16_t;
    /// How much of a counter is of one slot, in 48 bits; more than fits, years of waiting, is a coarse and a fine one.
    class Fact {
     public:
      /// Of a coarse fact this is set in its kind, and it counts in units of 2^coarse_bits.
      static constexpr Key coarse = 0x8000;
      static constexpr int coarse_bits = 40;
      static constexpr std::int64_t most = (std::int64_t{1} << 47) - 1;

      Fact() = default;  ///< to be read into
      Fact(Key kind, std::int64_t n) : bits_(static_cast<std::uint64_t>(n) << 16 | kind) {}
      [[nodiscard]] Key key() const noexcept { return static_cast<Key>(kind() & ~coarse); }
      [[nodiscard]] std::int64_t amount() const noexcept {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(n()) << ((kind() & coarse) != 0 ? coarse_bits : 0));
      }
      /// Adds one of the same kind; false: what both are together does not fit.
      [[nodiscard]] bool join(Fact other) noexcept {
        if (kind() != other.kind() || n() + other.n() > most || n() + other.n() < -most) return false;
        *this = Fact(kind(), n() + other.n());
        return true;
      }
      template <class A>
      void visit(A& archive) {
        Key k = kind();
        std::int64_t count = n();
        archive(k, count);
        *this = Fact(k, count);
      }

     private:
      [[nodiscard]] Key kind() const noexcept { return static_cast<Key>(bits_); }
      [[nodiscard]] std::int64_t n() const noexcept { return static_cast<std::int64_t>(bits_) >> 16; }
      std::uint64_t bits_ = 0;
    };
    /// Calls `take` with the facts that are `n` of `key`: none, one or two.
    template <class Take>
    static void facts_of(Key key, std::int64_t n, const Take& take);
    struct Slot {
      std::int64_t number = 0;
      std::uint32_t size = 0;  // so many facts
      template <class A>
      void visit(A& archive) {
        archive(number, size);
      }
    };
    [[nodiscard]] std::int64_t slot_of(Duration at) const noexcept;
    void begin_slot(std::int64_t slot, const Reading& now);
    void forget(Duration open_now);
    void keep(Key key, std::int64_t n);
    void book(Key key, std::int64_t slot, std::int64_t n);
    void tidy();

    Duration length{}, bucket{1};
    std::int64_t newest = 0;                                                   // the slot that is being filled …
    Duration newest_begin{}, newest_end{};                                     // … holds these open times
    std::int64_t oldest_kept = 0;                                              // older slots have left
    Duration oldest_end = Duration::min();                                     // when the next one will
    Reading before;                                                            // what has left, or never was in it
    Reading newest_reading;                                                    // at the beginning of the newest slot
    WaitHistogram waits;                                                       // all of the window's
    std::vector<std::pair<WaitHistogram::Bucket, std::int64_t>> newest_waits;  // of the newest slot
    std::vector<Slot> slots;                                                   // before it, ascending …
    std::vector<Fact> facts;                                                   // … and what is of them, in order
    std::size_t first_slot = 0, first_fact = 0;                                // those before have left
  };

  /// What is needed once an interval.
  struct CalendarWindows {
    std::array<TimeRange, period_count> range{};
    std::array<Reading, period_count> begin;        // at the beginning of each period
    std::array<WaitHistogram, period_count> waits;  // of its closed intervals
    std::vector<TrendView> history;
    template <class A>
    void visit(A& archive) {
      for (TimeRange& r : range) archive(r.from, r.to);
      archive(begin, waits, history);
    }
  };
  [[nodiscard]] const Rolling* find(Duration length) const noexcept;
  void begin_interval(const Periods& now);
  void take_off_closed(const Changes& changes, Time at);

  TimeRange interval_;  // the current one
  std::vector<Rolling> rolling_;
  std::unique_ptr<CalendarWindows> calendar_ = std::make_unique<CalendarWindows>();
  WaitHistogram waits_;  // of the current interval
  Reading now_;
};

template <class A>
void visit(A& archive, Reading& reading) {
  archive(reading.of);
}

}  // namespace reach
