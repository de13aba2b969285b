// The key figures as values. Definitions: config/figures.md. Absent is absent, never 0 or 100 %.
#pragma once
#include <cstdint>
#include <optional>

namespace reach {

/// Every figure of one scope (segment, queue, service, site) over one window, computed at one instant.
/// Counts are exact; ratios are 0..1; *_s are seconds.
struct Figures {
  std::int64_t offered = 0, answered = 0, abandoned = 0, short_abandons = 0, forwarded = 0, unknown = 0;
  std::int64_t met = 0, missed = 0;
  std::optional<double> service_level, service_level_low, service_level_high;
  std::optional<double> reachability, abandon_rate;
  std::optional<double> asa_s, wait_p50_s, wait_p90_s, wait_p99_s;
  std::optional<double> aht_s, workload_s, occupancy;
  std::int64_t waiting = 0;
  std::optional<double> longest_wait_s;
  std::int64_t ring_no_answer = 0, transferred_in = 0, overflow_in = 0, offered_closed = 0;
  std::int64_t backlog = 0, overdue = 0;
  std::optional<double> oldest_age_s, work_content_s;
  std::int64_t items_received = 0, items_completed = 0, items_met = 0, items_missed = 0;
  std::optional<double> on_time_rate, respond_on_time_rate;
  std::int64_t leads = 0, leads_asked = 0, outside_catalogue = 0;
  std::int64_t forwarded_choice = 0, forwarded_failure = 0, forwarded_agreed = 0;
  std::optional<double> patience_s;
  std::int64_t handled = 0;
};

/// Live counts of people. An agent in several queues counts once per segment and once per pool.
struct AgentCounts {
  std::int64_t available = 0, ringing = 0, busy = 0, wrap_up = 0, paused = 0, logged_in = 0;
  bool known = false;  ///< false: no source tells about agents, the counts say nothing
};

}  // namespace reach
