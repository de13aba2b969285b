// Timers as data: what is due when, in an order that is the same in every run.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/base/time.hpp"

namespace reach {

/// What a timer is for; `subject` is an index into the table of that kind.
enum class TimerKind : std::uint8_t {
  period,    ///< the interval ends: before the events of that instant
  calendar,  ///< a calendar opens or closes: before the events of that instant
  line,      ///< the oldest undecided wait of a line passes its threshold
  requeue,   ///< a caller who left a queue did not come back in time
  item_due,
  item_response,
  rolling,  ///< a bucket leaves the window of an objective, or its instant figure crosses the target
  alert,    ///< an alert's hold, clear or repeat time is over
  source,   ///< a source was silent for stale_after
  pool,     ///< recommend anew
  expiry,   ///< the oldest contact expires
};

/// Timers by (time, before events, order of arming). One timer per (kind, subject): arming again moves it.
/// arm and cancel are O(log timers).
class Timers {
 public:
  struct Due {
    Time at;
    TimerKind kind;
    std::uint32_t subject;
  };
  void arm(TimerKind kind, std::uint32_t subject, Time at);
  void cancel(TimerKind kind, std::uint32_t subject);
  /// The next due timer, taken out: strictly before `limit`, or at it if it comes before events, or (with `inclusive`)
  /// at it in any case.
  [[nodiscard]] std::optional<Due> take(Time limit, bool inclusive);
  [[nodiscard]] Time next() const noexcept { return heap_.empty() ? never : heap_.front().at; }
  template <class A>
  void visit(A& archive) {
    archive(heap_, positions_, armed_);
  }

 private:
  struct Entry {
    Time at;
    std::uint64_t order;  // boundaries first at the same instant, then by arming
    TimerKind kind;
    std::uint32_t subject;
    [[nodiscard]] bool before(const Entry& other) const noexcept {
      return at != other.at ? at < other.at : order < other.order;
    }
    template <class A>
    void visit(A& archive) {
      archive(at, order, kind, subject);
    }
  };
  [[nodiscard]] std::uint32_t& position(TimerKind kind, std::uint32_t subject);
  void place(std::size_t index, const Entry& entry);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  void remove(std::size_t index);

  std::vector<Entry> heap_;
  std::vector<std::vector<std::uint32_t>> positions_;  // by kind and subject: index in heap_, or none
  std::uint64_t armed_ = 0;
};

}  // namespace reach
