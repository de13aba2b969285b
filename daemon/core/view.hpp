// What the core shows of itself: plain values, computed when asked.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/time.hpp"
#include "daemon/core/alert.hpp"
#include "daemon/core/calendar.hpp"
#include "daemon/core/figures.hpp"

namespace reach {

enum class ObjectiveStatus : std::uint8_t { met, at_risk, breached, no_data, stale, closing, closed };
[[nodiscard]] std::string_view to_text(ObjectiveStatus status) noexcept;
enum class CalendarState : std::uint8_t { open, closing, closed };
[[nodiscard]] std::string_view to_text(CalendarState state) noexcept;

struct ObjectiveView {
  std::string id, contract, service, figure, window;
  ObjectiveStatus status{};
  std::optional<double> value;
  double target = 0;
  std::int64_t samples = 0, min_samples = 0;
  bool at_most = false;  ///< the value must stay at or below the target
};
struct ScopeView {
  std::string id;
  Figures figures;
};
struct SegmentView {
  std::string id, pool;
  Time time{};
  bool stale = false;
  std::string stale_reason;
  std::optional<Time> fresh;  ///< when its sources were last heard
  CalendarState calendar{};
  std::string window;
  std::optional<TimeRange> period;  ///< of calendar windows
  Figures figures;
  std::vector<ScopeView> queues, services, sites;
  AgentCounts agents;
  std::vector<ObjectiveView> objectives;
  std::vector<Alert> alerts;
  std::optional<Time> longest_wait_since;
  std::string name;  ///< for people; empty: the id
};

/// Events from a time that was already over: until they came, the figures of that time were incomplete.
struct BehindView {
  Time from{}, to{};          ///< when these events happened, the first and the last
  std::optional<Time> until;  ///< when the last of them had come; absent: they are still coming
  std::int64_t events = 0;
};
enum class SourceCondition : std::uint8_t { never_heard, connected, upstream_lost, stale };
[[nodiscard]] std::string_view to_text(SourceCondition condition) noexcept;
struct SourceView {
  std::string id;
  SourceCondition condition{};
  std::optional<Time> last_heard;
  std::string software;
  std::vector<std::string> capabilities;
  std::int64_t events = 0, late = 0, corrected = 0, inferred = 0, contradictions = 0, events_lost = 0,
               unknown_contacts = 0,
               over_limit = 0;       ///< events of contacts and people that max_contacts, max_agents left out
  std::optional<BehindView> behind;  ///< the last time its events came late by more than stale_after
};

struct ExpectedView {
  std::optional<double> service_level, asa_s, occupancy, p_abandon;
};
/// Fields as in proto/reachd/v1/staffing.proto.
struct RecommendationView {
  std::string pool, segment;
  Time interval_start{};
  std::int64_t interval_s = 900;
  std::optional<std::int64_t> required, available, gap, scheduled, for_calls, for_items;
  ExpectedView at_current, at_required;
  std::optional<double> calls, aht_s, patience_s;
  std::string basis, model, reason;
  std::vector<std::string> assumptions;
  std::optional<double> pooling_gain;
  bool not_enough_data = false;
};
struct StaffingView {
  std::string pool;
  Time time{};
  AgentCounts agents;
  std::optional<double> occupancy;
  std::vector<RecommendationView> recommendations;  ///< the pool's first, then each segment's
};

struct UnroutedView {
  std::string id;  ///< SOURCE/QUEUE
  std::int64_t events = 0;
};
struct TrendView {
  Time from{};
  std::int64_t offered = 0, answered = 0, abandoned = 0, met = 0, missed = 0;
};

/// Counters of the whole engine since its start, for metrics.
struct Totals {
  std::int64_t events = 0, late = 0, corrected = 0, inferred = 0, contradictions = 0, unknown_contacts = 0,
               unrouted = 0, outside_catalogue = 0, alerts_fired = 0, contacts_expired = 0;
  std::int64_t over_max_contacts = 0, over_max_agents = 0;  ///< events of contacts and people that were left out
  std::int64_t live_contacts = 0, agents = 0;               ///< known now
};

}  // namespace reach
