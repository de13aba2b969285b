// What reachd publishes, complete: last values first, gaps noticed and repaired.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "clients/library/keys.hpp"
#include "reachd/v1/alert.pb.h"
#include "reachd/v1/query.pb.h"
#include "reachd/v1/staffing.pb.h"
#include "reachd/v1/state.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::client {

struct SubscriberOptions {
  std::string publish_endpoint = "tcp://127.0.0.1:5571";
  std::string query_endpoint = "tcp://127.0.0.1:5572";  ///< for the snapshot and the repair of gaps
  ClientKeys keys;                                      ///< where the endpoints speak CURVE
  std::string window;                                   ///< of the snapshot's figures; empty: day
  /// Nothing heard for so long means lost; the daemon's pulse comes every second.
  std::chrono::milliseconds silence{3000};
  /// Alerts that wait for slow calls; beyond, the stream is not read on before there is room. At least 1.
  std::size_t alert_queue = 50'000;
};

/// Alerts may have come and gone unseen between two instants of core time: more of them resolved than reachd remembers.
struct AlertsLost {
  std::uint64_t from_ns = 0, to_ns = 0;  ///< equal: only `over` is to be told
  std::vector<std::string> over;  ///< ids of alerts that were said to be open; they ended, their last revision is gone
};

/// Called from one thread of the subscriber's, one at a time. Leave empty what you do not need.
///
/// Slow calls lose nothing but old states: while a state waits for its call, a newer one of the same segment, source or
/// pool takes its place. Alerts wait in order, each revision, up to `alert_queue`; if calls do not take them for
/// `silence` at that bound, the connection counts as lost and what was not read is asked for again.
struct SubscriberCalls {
  /// After connecting and after each gap: the whole state. What came before is in it.
  std::function<void(const v1::Snapshot&)> snapshot;
  /// With each snapshot, before connection(true): all alerts that reachd remembers, also resolved ones. If calls are
  /// slow, an older revision of one may follow.
  std::function<void(const v1::Alerts&)> alerts;
  std::function<void(const v1::SegmentState&)> segment;
  /// Every revision once, in order. Of revisions lost in a gap or while disconnected, each alert's last one follows
  /// `alerts`. Alerts from before the first snapshot come only there. If reachd's machine lost power, what it said last
  /// may be lost with it: after `alerts` such an alert is said as it is now, with the same or a lower revision.
  std::function<void(const v1::Alert&)> alert;
  std::function<void(const AlertsLost&)> alerts_lost;
  std::function<void(const v1::Staffing&)> staffing;
  std::function<void(const v1::SourceState&)> source;
  /// True after each snapshot that follows (re)connecting; false with the reason when the daemon is lost or was not
  /// found: a wallboard turns grey.
  std::function<void(bool connected, const std::string& why)> connection;
};

struct SubscriberState {
  bool connected = false;
  std::uint64_t messages = 0;     ///< taken; repetitions are not
  std::uint64_t repeated = 0;     ///< dropped: the same last value again, or older than the snapshot
  std::uint64_t gaps = 0;         ///< times a number of a topic was missing
  std::uint64_t repaired = 0;     ///< snapshots taken for them
  std::uint64_t alerts_lost = 0;  ///< times AlertsLost was told
  std::uint64_t replaced = 0;     ///< states that a newer one replaced before a slow call took them
};

/// Subscribes first, then asks for a snapshot and applies only what is newer, topic by topic; a missing number leads to
/// a new snapshot (follower.hpp). Reconnects for ever. One thread reads the sockets, however long calls take; another
/// one calls.
class Subscriber {
 public:
  Subscriber(SubscriberOptions options, SubscriberCalls calls);
  ~Subscriber();  ///< stops at once; no call after it
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  [[nodiscard]] SubscriberState state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reach::client
