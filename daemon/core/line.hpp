// Who waits, and against which threshold: the waits of one queue, or of one service in one segment.
#pragma once
#include <absl/container/btree_set.h>

#include <cstdint>
#include <utility>

#include "daemon/base/time.hpp"
#include "daemon/core/config.hpp"
#include "daemon/core/slab.hpp"

namespace reach {

/// What a wait was decided to be. `excluded`: not in the ratio.
enum class Verdict : std::uint8_t { undecided, met, missed, excluded };

/// How a wait ended.
enum class Outcome : std::uint8_t {
  waiting,
  answered,
  abandoned,
  short_abandon,
  forwarded_choice,
  forwarded_failure,
  forwarded_agreed,
  unknown,
};

/// One wait in one line: an offer of a contact to a segment, or its entry in a queue. Decided exactly once.
struct Stay {
  Time start{};       ///< from here the wait runs
  Time offered_at{};  ///< when it was counted as offered
  Time decided_at{};
  Time ended_at{};
  std::uint32_t contact = none;
  std::uint32_t line = none;
  std::uint32_t before_waiting = none, after_waiting = none;  // neighbours in the line, by start
  std::uint32_t before_undecided = none, after_undecided = none;
  std::uint32_t origin = none;  ///< of an offer that came by agreed overflow: the offer it came from
  Verdict verdict = Verdict::undecided;
  Outcome outcome = Outcome::waiting;
  bool while_open = true;  ///< offered in opening hours: counts
};

/// Stays by their start. They come nearly in that order, so they are linked, ascending, and the links live in them. A
/// stay whose place is not among the last few is kept apart, in a set: none is searched for among all that wait.
struct StayList {
  std::uint32_t first = none, last = none;                  ///< of those that are linked
  std::uint32_t size = 0;                                   ///< of all
  absl::btree_set<std::pair<Time, std::uint32_t>> apart{};  ///< start and row of the others

  /// The one that began first; none: there is none.
  [[nodiscard]] std::uint32_t head(const Slab<Stay>& stays) const {
    if (apart.empty()) return first;
    const auto& [start, stay] = *apart.begin();
    return first == none || start < stays[first].start ? stay : first;
  }
};
/// Both links of a stay that is kept apart.
inline constexpr std::uint32_t kept_apart = none - 1;

/// The waits of one queue or of one service in one segment.
struct Line {
  std::uint32_t segment = none;
  std::uint32_t service = none;  ///< index into Config::services; none: a queue whose service is not known
  std::uint32_t queue = none;    ///< for a queue's own line
  Duration threshold = std::chrono::seconds(20);
  Duration short_abandon = std::chrono::seconds(5);
  Abandons abandons = Abandons::ignored;
  StayList waiting;    ///< head: the longest wait
  StayList undecided;  ///< head: the next to pass the threshold
};

/// Puts `stay` into its place; O(1) for one of the newest, O(log stays) otherwise.
void link_waiting(Slab<Stay>& stays, StayList& list, std::uint32_t stay);
void unlink_waiting(Slab<Stay>& stays, StayList& list, std::uint32_t stay);
void link_undecided(Slab<Stay>& stays, StayList& list, std::uint32_t stay);
void unlink_undecided(Slab<Stay>& stays, StayList& list, std::uint32_t stay);

}  // namespace reach
