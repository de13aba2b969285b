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

namespace reach::client {

struct SubscriberOptions {
  std::string publish_endpoint = "tcp://127.0.0.1:5571";
  std::string query_endpoint = "tcp://127.0.0.1:5572";  ///< for the snapshot and the repair of gaps
  std::vector<std::string> topics = {"state/", "alert/", "staffing/", "system/"};  ///< prefixes
  std::chrono::milliseconds silence{3000};  ///< nothing heard for so long (the daemon says something every second): lost
};

/// Called from the subscriber's thread, one at a time, in stream order. Leave empty what you do not need.
struct SubscriberCalls {
  std::function<void(const v1::SegmentState&)> segment;
  std::function<void(const v1::Alert&)> alert;          ///< every revision, none twice
  std::function<void(const v1::Staffing&)> staffing;
  std::function<void(const v1::SourceState&)> source;
  std::function<void(const v1::Snapshot&)> snapshot;     ///< after connecting and after each gap: the whole state
  std::function<void(bool connected, const std::string& why)> connection;  ///< a wallboard turns grey on false
};

struct SubscriberState {
  bool connected = false;
  std::uint64_t messages = 0, gaps = 0, repaired = 0;
};

class Subscriber {
 public:
  Subscriber(SubscriberOptions options, SubscriberCalls calls);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  [[nodiscard]] SubscriberState state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reach::client
