// Timers as data: what is due when, in an order that is the same in every run.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/base/time.hpp"

namespace reach {

/// What a timer is for; `subject` is an index into the table of that kind. At one instant they come in this order.
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
  expiry,   ///< the oldest live call of a source expires
  count_
};

/// Timers by (time, before events, kind, subject): at one instant the order does not depend on what came before. One
/// timer per (kind, subject): arming again moves it. arm and cancel are O(log timers).
class Timers {
 public:
  struct Due {
    Time at;
    TimerKind kind;
    std::uint32_t subject;
  };
  void arm(TimerKind kind, std::uint32_t subject, Time at);
  /// It is due at `at` at the latest: an earlier time stays. For what moves on with every event; who takes such a timer
  /// looks whether it is time yet.
  void arm_by(TimerKind kind, std::uint32_t subject, Time at);
  void cancel(TimerKind kind, std::uint32_t subject);
  /// The next due timer, taken out: strictly before `limit`, or at it if it comes before events, or (with `inclusive`)
  /// at it in any case.
  [[nodiscard]] std::optional<Due> take(Time limit, bool inclusive);
  [[nodiscard]] Time next() const noexcept { return heap_.empty() ? never : heap_.front().at; }
  /// Calls `look` with each timer, in no order.
  template <class Look>
  void for_each(const Look& look) const {
    for (const Entry& entry : heap_) look(Due{entry.at, entry.kind(), entry.subject()});
  }
  /// Whether they are in the order in which they are taken, each known by its kind and subject: false only of what was
  /// read from bytes that are none of ours.
  [[nodiscard]] bool in_order() const noexcept;
  template <class A>
  void visit(A& archive) {
    archive(heap_, positions_);
  }

 private:
  struct Entry {
    Time at;
    std::uint64_t key;  // kind and subject; boundaries come first among the kinds
    [[nodiscard]] TimerKind kind() const noexcept { return static_cast<TimerKind>(key >> 32); }
    [[nodiscard]] std::uint32_t subject() const noexcept { return static_cast<std::uint32_t>(key); }
    [[nodiscard]] bool before(const Entry& other) const noexcept {
      return at != other.at ? at < other.at : key < other.key;
    }
    template <class A>
    void visit(A& archive) {
      archive(at, key);
    }
  };
  [[nodiscard]] std::uint32_t find(TimerKind kind, std::uint32_t subject) const noexcept;
  void set_position(TimerKind kind, std::uint32_t subject, std::uint32_t index);
  void place(std::size_t index, const Entry& entry);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  void remove(std::size_t index);

  std::vector<Entry> heap_;
  std::array<std::vector<std::uint32_t>, static_cast<std::size_t>(TimerKind::count_)> positions_;  // index in heap_
};

}  // namespace reach
