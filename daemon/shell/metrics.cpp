#include "daemon/shell/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "daemon/program/program.hpp"

namespace reach::shell {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

class Families {
 public:
  void begin(const std::string& name, const std::string& help, MetricType type) {
    families_.push_back({name, help, type, {}});
  }
  void add(double value, const Labels& labels = {}) {
    ClientMetric metric = labelled(labels);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_.back().metric.push_back(std::move(metric));
  }
  void add(std::int64_t value, const Labels& labels = {}) { add(static_cast<double>(value), labels); }
  void add(std::uint64_t value, const Labels& labels = {}) { add(static_cast<double>(value), labels); }
  void counter(const std::string& name, const std::string& help, auto value) {
    begin(name, help, MetricType::Counter);
    add(value);
  }
  void gauge(const std::string& name, const std::string& help, auto value) {
    begin(name, help, MetricType::Gauge);
    add(value);
  }
  void histogram(const std::string& name, const std::string& help, const Buckets& buckets) {
    begin(name, help, MetricType::Histogram);
    ClientMetric metric;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < buckets.counts.size(); ++i) {
      below += buckets.counts[i];
      const double bound =
          i < Buckets::bounds_s.size() ? Buckets::bounds_s[i] : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({below, bound});
    }
    metric.histogram.sample_count = below;
    metric.histogram.sample_sum = buckets.sum_s;
    families_.back().metric.push_back(std::move(metric));
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  static ClientMetric labelled(const Labels& labels) {
    ClientMetric metric;
    for (const auto& [name, value] : labels) metric.label.push_back({name, value});
    return metric;
  }
  std::vector<MetricFamily> families_;
};

void add_process(Families& out) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  out.counter("process_cpu_seconds_total", "Processor time used, user and system.",
              seconds(used.ru_utime) + seconds(used.ru_stime));
  std::ifstream statm("/proc/self/statm");
  double pages = 0, resident = 0;
  if (statm >> pages >> resident) {
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    out.gauge("process_virtual_memory_bytes", "Virtual memory.", pages * page);
    out.gauge("process_resident_memory_bytes", "Resident memory.", resident * page);
  }
  std::error_code problem;
  std::int64_t open = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", problem);
       !problem && it != std::filesystem::directory_iterator(); it.increment(problem)) {
    ++open;
  }
  out.gauge("process_open_fds", "Open file descriptors.", open);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  out.gauge("process_max_fds", "Limit of open file descriptors.", static_cast<double>(limit.rlim_cur));
}

const char* reject_reason(std::size_t code) {
  switch (static_cast<v1::RejectCode>(code)) {
    case v1::REJECT_CODE_MALFORMED:
      return "malformed";
    case v1::REJECT_CODE_TOO_LARGE:
      return "too_large";
    case v1::REJECT_CODE_GAP:
      return "gap";
    case v1::REJECT_CODE_UNKNOWN_SOURCE:
      return "unknown_source";
    case v1::REJECT_CODE_OVERLOADED:
      return "overloaded";
    case v1::REJECT_CODE_LOG_FAILED:
      return "log_failed";
    case v1::REJECT_CODE_SOURCE_IN_USE:
      return "source_in_use";
    default:
      return nullptr;
  }
}

}  // namespace

std::string metrics_text(const MetricsCopy& copy) {
  Families out;
  out.begin("reachd_build_info", "Always 1; the labels say what runs.", MetricType::Gauge);
  out.add(1.0, {{"version", program::version}});

  // Ingest
  out.begin("reachd_events_received_total", "Events taken, by source.", MetricType::Counter);
  for (const auto& source : copy.sources) out.add(source.received, {{"source", source.id}});
  out.begin("reachd_events_duplicate_total", "Events that came again and changed nothing, by source.",
            MetricType::Counter);
  for (const auto& source : copy.sources) out.add(source.duplicates, {{"source", source.id}});
  out.counter("reachd_events_invalid_total", "Events left out of good batches: a field they need is missing.",
              copy.ingest.invalid_events);
  out.begin("reachd_events_rejected_total", "Messages to the ingest socket that were rejected, by reason.",
            MetricType::Counter);
  for (std::size_t code = 0; code < copy.ingest.rejects.size(); ++code) {
    if (const char* reason = reject_reason(code)) out.add(copy.ingest.rejects[code], {{"reason", reason}});
  }
  std::int64_t gaps = 0;
  for (const auto& source : copy.sources) gaps += source.gaps;
  out.counter("reachd_ingest_gap_total", "Batches that came too early: events before them were missing.", gaps);
  out.counter("reachd_ingest_batches_total", "Batches taken.", copy.ingest.batches);
  out.counter("reachd_ingest_connections_total", "Adapters that connected.", copy.counters.adapters_connected);
  out.counter("reachd_ingest_disconnections_total",
              "Adapters that left or were cut off, for example for a message far over "
              "[ingest] max_frame.",
              copy.counters.adapters_disconnected);
  out.counter("reachd_ingest_handshakes_failed_total", "Peers that do not speak ZeroMQ.",
              copy.counters.handshakes_failed);
  out.begin("reachd_connections", "Clients connected, by socket.", MetricType::Gauge);
  for (const auto& [socket, count] : copy.connections) {
    out.add(static_cast<double>(count), {{"socket", socket}});
  }
  out.begin("reachd_refused_total", "What was refused because nobody may do it, or not so much of it, by reason.",
            MetricType::Counter);
  for (const char* reason :
       {"unknown_key", "role", "handshake", "no_key", "key_removed", "not_allowed", "too_many_connections",
        "too_many_subscriptions", "long_subscription", "unread_answers", "endless_message"}) {
    const auto found = copy.counters.refused.find(reason);
    out.add(found == copy.counters.refused.end() ? std::int64_t{0} : found->second, {{"reason", reason}});
  }
  out.add(copy.ingest.foreign_sources, {{"reason", "foreign_source"}});
  out.add(copy.ingest.over_rate, {{"reason", "rate"}});
  out.begin("reachd_source_last_heard_timestamp_seconds", "When each source was last heard.", MetricType::Gauge);
  for (const auto& source : copy.sources) {
    if (source.last_heard) {
      out.add(static_cast<double>(ns_of(*source.last_heard)) / 1e9, {{"source", source.id}});
    }
  }
  out.begin("reachd_source_connected", "1 while an adapter is connected for the source.", MetricType::Gauge);
  for (const auto& source : copy.sources) out.add(source.connected ? 1.0 : 0.0, {{"source", source.id}});
  out.begin("reachd_source_clock_offset_seconds", "How far the source's clock is ahead of the daemon's.",
            MetricType::Gauge);
  for (const auto& source : copy.sources) out.add(source.clock_offset_s, {{"source", source.id}});

  out.begin("reachd_source_wait_timeouts_total",
            "How often time stood still for the source, which was cut off or had events that waited, until a limit.",
            MetricType::Counter);
  for (const auto& source : copy.sources) out.add(source.wait_timeouts, {{"source", source.id}});

  // Event log
  out.histogram("reachd_log_sync_duration_seconds", "Time to write and sync one group of log records.", copy.log.sync);
  out.counter("reachd_log_records_total", "Records made durable.", copy.log.records);
  out.counter("reachd_log_bytes_total", "Bytes of the records made durable.", copy.log.bytes);
  out.counter("reachd_log_failures_total", "Attempts to write or sync that failed.", copy.log.failures);
  out.gauge("reachd_log_queue_bytes", "Records that wait for the disk.", copy.log.queued_bytes);
  out.gauge("reachd_log_failing", "1 while the event log cannot be written: nothing is acknowledged.",
            copy.log_problem.empty() ? 0.0 : 1.0);

  out.counter("reachd_snapshots_total", "Snapshots made since the start.", copy.snapshots.made);
  out.counter("reachd_snapshot_failures_total", "Snapshots that could not be made.", copy.snapshots.failed);
  out.gauge("reachd_snapshot_bytes", "Size of the last snapshot.", copy.snapshots.bytes);
  out.gauge("reachd_snapshot_duration_seconds", "Time that the last snapshot took.", copy.snapshots.seconds);
  out.gauge("reachd_catching_up", "1 while events that waited for the daemon are taken in their order.",
            copy.catching_up ? 1.0 : 0.0);

  // Core
  out.counter("reachd_events_total", "Events applied since the beginning of the log.", copy.totals.events);
  out.begin("reachd_events_odd_total", "Events that were applied by special rules, by kind.", MetricType::Counter);
  for (const auto& [kind, value] : {std::pair{"late", copy.totals.late},
                                    {"corrected", copy.totals.corrected},
                                    {"inferred", copy.totals.inferred},
                                    {"contradiction", copy.totals.contradictions},
                                    {"unknown_contact", copy.totals.unknown_contacts}}) {
    out.add(value, {{"kind", kind}});
  }
  out.counter("reachd_unrouted_events_total", "Events of queues that no segment names.", copy.totals.unrouted);
  out.counter("reachd_outside_catalogue_total", "Contacts whose service the catalogue does not have.",
              copy.totals.outside_catalogue);
  out.begin("reachd_events_over_limit_total",
            "Events of contacts and people left out because their source has as many as it may have, by limit.",
            MetricType::Counter);
  out.add(copy.totals.over_max_contacts, {{"limit", "max_contacts"}});
  out.add(copy.totals.over_max_agents, {{"limit", "max_agents"}});
  out.gauge("reachd_contacts_live", "Contacts that have not ended.", copy.totals.live_contacts);
  out.gauge("reachd_agents_known", "People known by name: heard of within a day, or logged in.", copy.totals.agents);

  // Figures, of the day
  out.begin("reachd_segment_service_level_ratio", "Service level of the day, 0 to 1; absent while nothing is decided.",
            MetricType::Gauge);
  for (const auto& segment : copy.segments) {
    if (segment.service_level) out.add(*segment.service_level, {{"segment", segment.id}});
  }
  out.begin("reachd_segment_waiting", "Callers waiting now.", MetricType::Gauge);
  for (const auto& segment : copy.segments) out.add(segment.waiting, {{"segment", segment.id}});
  out.begin("reachd_segment_longest_wait_seconds", "How long the first of them has waited; 0 if nobody waits.",
            MetricType::Gauge);
  for (const auto& segment : copy.segments) out.add(segment.longest_wait_s.value_or(0), {{"segment", segment.id}});
  out.begin("reachd_segment_stale", "1 while the segment's sources are not heard.", MetricType::Gauge);
  for (const auto& segment : copy.segments) out.add(segment.stale ? 1.0 : 0.0, {{"segment", segment.id}});
  out.begin("reachd_alerts_firing", "Alerts firing now, by kind.", MetricType::Gauge);
  for (const auto& [kind, count] : copy.alerts_firing) out.add(count, {{"kind", kind}});

  // Outputs
  out.histogram("reachd_event_to_alert_seconds",
                "From the receipt of an event, or the instant at which time decided, to the alert's publication.",
                copy.counters.event_to_alert);
  out.counter("reachd_published_total", "Messages published.", copy.published);
  out.counter("reachd_published_again_total", "Last values sent again for new subscribers.", copy.resent);
  out.begin("reachd_queries_total", "Requests answered, by kind.", MetricType::Counter);
  for (const auto& [kind, count] : copy.counters.queries) out.add(count, {{"kind", kind}});
  out.counter("reachd_queries_bad_total", "Requests answered with an error.", copy.counters.bad_queries);
  out.counter("reachd_answers_dropped_total", "Answers to adapters and askers that had gone or take nothing in.",
              copy.counters.replies_dropped);
  out.gauge("reachd_clock_difference_seconds", "How far the wall clock is ahead of core time; not 0 after it was set.",
            copy.clock_difference_s);

  add_process(out);
  return out.text();
}

}  // namespace reach::shell
