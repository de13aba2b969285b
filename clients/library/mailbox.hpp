// What waits for a subscriber's calls: the newest state of everything, and every alert. Not thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "clients/library/subscriber.hpp"

namespace reach::client {

/// A call of connection().
struct ConnectionChange {
  bool connected = false;
  std::string why;
};

/// A queue in which a newer state takes the place of the older one that still waits: it holds at most one item for each
/// segment, source and pool, one snapshot, one list of all alerts and one connection change, however slowly it is
/// emptied. Single alerts are all kept, in order; bounding them is up to who fills it.
class Mailbox {
 public:
  using Item = std::variant<v1::Snapshot, v1::Alerts, v1::SegmentState, v1::Staffing, v1::SourceState, v1::Alert,
                            AlertsLost, ConnectionChange>;

  /// A snapshot also replaces the states that wait: they are in it. A lost connection takes the states, the snapshot
  /// and the list of all alerts away: they are old now.
  void put(Item item);
  /// The first one; nullopt if nothing waits.
  [[nodiscard]] std::optional<Item> take();

  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  /// Alert and AlertsLost items that wait.
  [[nodiscard]] std::size_t alerts() const noexcept { return alerts_; }
  /// States that were replaced or taken away so far.
  [[nodiscard]] std::uint64_t replaced() const noexcept { return replaced_; }

 private:
  struct Entry {
    std::string key;  ///< of what may be replaced; empty: nothing
    Item item;
  };
  using Entries = std::list<Entry>;

  void drop_states(bool snapshot_too);

  Entries items_;
  std::unordered_map<std::string, Entries::iterator> replaceable_;  ///< by key
  std::size_t alerts_ = 0;
  std::uint64_t replaced_ = 0;
};

}  // namespace reach::client
