// The last values of everything the daemon publishes, as the JSON that browsers get.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reachd/v1/query.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}

namespace reach::wallboard {

/// A JSON value, written once and shared by every connection it waits for.
using Json = std::shared_ptr<const std::string>;

/// "event: NAME\ndata: JSON\n\n", a server-sent event. `json` has no line breaks.
[[nodiscard]] std::string event_text(std::string_view name, std::string_view json);

/// Not thread-safe. Costs: one JSON text per segment, pool, source and alert. Resolved alerts are kept up to
/// `resolved_max`, the oldest leave first.
class Board {
 public:
  static constexpr std::size_t resolved_max = 200;

  /// Replaces everything but the alerts; what is published from here on is newer.
  void set_snapshot(const v1::Snapshot& snapshot);
  /// All alerts that there are: others are forgotten.
  void set_alerts(const v1::Alerts& alerts);
  /// Takes over what is never published: all of the status but its time, segments and sources.
  void set_rest(v1::Status status);
  /// Each returns the value as JSON, for those who follow.
  Json set_segment(const v1::SegmentState& segment);
  Json set_source(const v1::SourceState& source);
  Json set_staffing(const v1::Staffing& staffing);
  /// nullptr if a newer revision is known.
  Json set_alert(const v1::Alert& alert);

  [[nodiscard]] bool has_snapshot() const { return has_snapshot_; }
  [[nodiscard]] bool has_segment(const std::string& id) const { return segment_index_.count(id) != 0; }

  /// `status --json`: {"time", "segments", "sources", …}; with `complete`, as the stream's first event of it.
  [[nodiscard]] std::string state(bool complete) const;
  [[nodiscard]] std::string alerts() const;  ///< {"time", "alerts"}, oldest first
  /// The events with which a stream begins, "state" with "complete" and "alerts". Written once for all streams, until
  /// something changes.
  [[nodiscard]] Json state_event() const;
  [[nodiscard]] Json alerts_event() const;
  [[nodiscard]] std::string staffing() const;               ///< {"time", "pools"}
  [[nodiscard]] std::map<std::string, Json> pools() const;  ///< by id

 private:
  struct KnownAlert {
    std::uint32_t revision;
    std::uint64_t changed_ns;
    bool resolved;
    Json json;
  };
  template <typename Value>
  Json put(std::vector<Json>& list, std::map<std::string, std::size_t>& index, const std::string& id, const Value& v);
  void keep_alert(const v1::Alert& alert, const Json& json);
  void saw(std::uint64_t time_ns);
  void changed() { state_event_ = alerts_event_ = nullptr; }

  bool has_snapshot_ = false;
  std::uint64_t time_ns_ = 0;  ///< the latest core time seen
  std::string rest_ = "{}";    ///< the members of the status besides time, segments and sources
  std::vector<Json> segments_, sources_, staffing_;
  std::map<std::string, std::size_t> segment_index_, source_index_, staffing_index_;
  std::map<std::string, KnownAlert> alerts_;
  mutable Json state_event_, alerts_event_;  ///< nullptr: to be written
};

/// {"time":…,"complete":false,"segments":[…],"sources":[…]}: the stream's event of what changed. Either may be empty.
[[nodiscard]] std::string changes_json(const std::map<std::string, Json>& segments,
                                       const std::map<std::string, Json>& sources);

}  // namespace reach::wallboard
