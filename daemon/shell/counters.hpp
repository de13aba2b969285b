// What the engine thread counts, and the copy of it that a scrape gets.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/buckets.hpp"
#include "daemon/base/time.hpp"
#include "daemon/core/view.hpp"
#include "daemon/log/event_log.hpp"
#include "daemon/shell/ingest.hpp"
#include "daemon/shell/snapshots.hpp"

namespace reach::shell {

/// Plain numbers of the engine thread: no lock, no atomic.
struct Counters {
  std::int64_t adapters_connected = 0, adapters_disconnected = 0, handshakes_failed = 0;
  std::map<std::string, std::int64_t> queries;  ///< by kind of request
  std::int64_t bad_queries = 0;
  std::map<std::string, std::int64_t> refused;  ///< what nobody may do, by reason
  std::int64_t replies_dropped = 0;
  Buckets event_to_alert;  ///< from receipt (or the instant at which time decided) to publication of a firing alert
};

/// A value copy, made on the engine thread, read by whoever asked.
struct MetricsCopy {
  Counters counters;
  Ingest::Counters ingest;
  struct Source {
    std::string id;
    std::int64_t received = 0, duplicates = 0, gaps = 0, wait_timeouts = 0;
    std::optional<Time> last_heard;
    double clock_offset_s = 0;
    bool connected = false;
  };
  std::vector<Source> sources;
  std::map<std::string, std::size_t> connections;  ///< by socket
  struct Segment {
    std::string id;
    std::optional<double> service_level, longest_wait_s;
    std::int64_t waiting = 0;
    bool stale = false;
  };
  std::vector<Segment> segments;  ///< at most metric_segments of them: a metric per segment has its price
  std::map<std::string, std::int64_t> alerts_firing;  ///< by kind
  Totals totals;
  std::uint64_t published = 0, resent = 0;
  log::Statistics log;
  std::string log_problem;
  SnapshotCounts snapshots;
  std::optional<BehindView> behind;
  bool catching_up = false;
  double clock_difference_s = 0;
};
inline constexpr std::size_t metric_segments = 500;

}  // namespace reach::shell
