// What reachd publishes, complete: last values first, gaps noticed and repaired.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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
  std::string window;                                   ///< of the snapshot's figures; empty: day
  /// Nothing heard for so long means lost; the daemon repeats its states every second.
  std::chrono::milliseconds silence{3000};
};

/// Called from the subscriber's thread, one at a time, in stream order. Leave empty what you do not need.
struct SubscriberCalls {
  /// After connecting and after each gap: the whole state. What came before is in it.
  std::function<void(const v1::Snapshot&)> snapshot;
  std::function<void(const v1::SegmentState&)> segment;
  /// Every revision once, in order. Of revisions lost in a gap or while disconnected, each alert's last one follows the
  /// snapshot. Alerts from before the first snapshot come only in it.
  std::function<void(const v1::Alert&)> alert;
  std::function<void(const v1::Staffing&)> staffing;
  std::function<void(const v1::SourceState&)> source;
  /// True after each snapshot that follows (re)connecting; false with the reason when the daemon is lost or was not
  /// found: a wallboard turns grey.
  std::function<void(bool connected, const std::string& why)> connection;
};

struct SubscriberState {
  bool connected = false;
  std::uint64_t messages = 0;  ///< taken; repetitions are not
  std::uint64_t repeated = 0;  ///< dropped: the same last value again, or older than the snapshot
  std::uint64_t gaps = 0;      ///< times a number of a topic was missing
  std::uint64_t repaired = 0;  ///< snapshots taken for them
};

/// Owns one thread with the sockets. Subscribes first, then asks for a snapshot and applies only what is newer, topic
/// by topic; a missing number leads to a new snapshot. Reconnects for ever.
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
