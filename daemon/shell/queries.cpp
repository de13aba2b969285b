#include "daemon/shell/queries.hpp"

#include <algorithm>

#include "daemon/program/program.hpp"

namespace reach::shell {
namespace {

std::string software() {
  return std::string("reachd ") + program::version;
}
std::uint64_t wire_time(Time t) {
  return static_cast<std::uint64_t>(ns_of(t));
}

v1::Error no_segment(const Engine& engine, const std::string& id) {
  std::string known;
  for (const SegmentConfig& segment : engine.config().segments) {
    if (known.size() > 200) {
      known += " …";
      break;
    }
    known += (known.empty() ? "" : ", ") + segment.id;
  }
  return error("not_found", "no segment \"" + id + "\" is configured; there are: " + known);
}

}  // namespace

v1::Error error(const std::string& code, const std::string& message) {
  v1::Error out;
  out.set_code(code);
  out.set_message(message);
  return out;
}

std::optional<v1::Error> not_allowed(const v1::Request& request, const keys::PublicKey& key) {
  const auto refusal = [&](const char* who) {
    return error("not_allowed", "the key " + key.name + " has the role " + std::string(keys::to_text(key.role)) +
                                    ", and " + kind_of(request) + " is for " + who);
  };
  switch (request.request_case()) {
    case v1::Request::kPing:
    case v1::Request::REQUEST_NOT_SET:
      return std::nullopt;
    case v1::Request::kSnapshot:
    case v1::Request::kAlerts:
    case v1::Request::kStaffing:
    case v1::Request::kHistory:
      if (keys::may_read(key.role)) return std::nullopt;
      return refusal("viewers, supervisors and operators");
    case v1::Request::kAcknowledge:
      break;
  }
  // Whatever changes something, and every request that is new.
  if (keys::may_change(key.role)) return std::nullopt;
  return refusal("supervisors and operators");
}

const char* kind_of(const v1::Request& request) {
  switch (request.request_case()) {
    case v1::Request::kPing:
      return "ping";
    case v1::Request::kSnapshot:
      return "snapshot";
    case v1::Request::kAlerts:
      return "alerts";
    case v1::Request::kAcknowledge:
      return "acknowledge";
    case v1::Request::kStaffing:
      return "staffing";
    case v1::Request::kHistory:
      return "history";
    case v1::Request::REQUEST_NOT_SET:
      break;
  }
  return "unknown";
}

std::optional<v1::Error> answer_query(const Engine& engine, const Publisher& publisher, const v1::Request& request,
                                      Time now, v1::Reply& out) {
  now = std::max(now, engine.now());
  const auto staffing_of = [&](std::uint32_t pool, v1::Staffing& into) {
    wire::to_proto(engine.view_staffing(pool, now), into);
  };
  switch (request.request_case()) {
    case v1::Request::kPing:
      out.mutable_pong()->set_time_ns(wire_time(now));
      out.mutable_pong()->set_software(software());
      return std::nullopt;

    case v1::Request::kSnapshot: {
      const v1::SnapshotRequest& asked = request.snapshot();
      const auto window = asked.window().empty() ? std::optional<Window>(Window{}) : window_from(asked.window());
      if (!window) {
        return error("bad_request", "\"" + asked.window() +
                                        "\" is no window; expected day, hour, interval, week, month, or a span of time "
                                        "from 1s to 31d such as 30m");
      }
      std::optional<std::uint32_t> segment;
      if (!asked.segment().empty()) {
        segment = engine.find_segment(asked.segment());
        if (!segment) return no_segment(engine, asked.segment());
      }
      for (std::uint32_t i = 0; i < engine.segment_count(); ++i) {
        if ((segment && *segment != i) || engine.keeps(i, *window)) continue;
        return error("bad_request", "no figures of the window \"" + asked.window() + "\" are kept for the segment \"" +
                                        engine.config().segments[i].id +
                                        "\"; calendar periods, 30m and the windows of its objectives are");
      }
      v1::Snapshot& snapshot = *out.mutable_snapshot();
      *snapshot.mutable_status() = wire::status_of(engine, *window, now, segment);
      snapshot.mutable_status()->set_software(software());
      for (v1::SourceState& source : *snapshot.mutable_status()->mutable_sources()) publisher.complete(source);
      publisher.fill(snapshot);
      for (std::uint32_t i = 0; i < engine.pool_count(); ++i) staffing_of(i, *snapshot.add_staffing());
      return std::nullopt;
    }

    case v1::Request::kAlerts: {
      const v1::AlertsRequest& asked = request.alerts();
      if (!asked.segment().empty() && !engine.find_segment(asked.segment())) {
        return no_segment(engine, asked.segment());
      }
      v1::Alerts& alerts = *out.mutable_alerts();
      alerts.set_time_ns(wire_time(now));
      std::size_t resolved = 0;
      Time first_resolved = never;
      for (const Alert& alert : engine.alerts(asked.all())) {
        if (alert.state == AlertState::resolved) {
          ++resolved;
          first_resolved = std::min(first_resolved, alert.changed);
        }
        if (asked.segment().empty() || alert.segment == asked.segment()) wire::to_proto(alert, *alerts.add_alerts());
      }
      // Fewer than the engine remembers: none was forgotten yet.
      if (resolved >= most_resolved) alerts.set_complete_since_ns(wire_time(first_resolved));
      return std::nullopt;
    }

    case v1::Request::kStaffing: {
      v1::StaffingList& list = *out.mutable_staffing();
      list.set_time_ns(wire_time(now));
      if (const std::string& pool = request.staffing().pool(); !pool.empty()) {
        const auto found = engine.find_pool(pool);
        if (!found) return error("not_found", "no pool \"" + pool + "\" is configured; ask without one to see all");
        staffing_of(*found, *list.add_pools());
      } else {
        for (std::uint32_t i = 0; i < engine.pool_count(); ++i) staffing_of(i, *list.add_pools());
      }
      return std::nullopt;
    }

    case v1::Request::kHistory: {
      const v1::HistoryRequest& asked = request.history();
      const auto found = engine.find_segment(asked.segment());
      if (!found) return no_segment(engine, asked.segment());
      if (asked.from_ns() > wire::latest_ns) return error("bad_request", "from_ns lies after the year 2100");
      v1::History& history = *out.mutable_history();
      history.set_segment(asked.segment());
      history.set_interval_s(std::chrono::duration_cast<std::chrono::seconds>(engine.config().interval).count());
      for (const TrendView& point : engine.history(*found, time_from_ns(static_cast<std::int64_t>(asked.from_ns())))) {
        wire::to_proto(point, *history.add_points());
      }
      return std::nullopt;
    }

    case v1::Request::kAcknowledge:
    case v1::Request::REQUEST_NOT_SET:
      break;
  }
  return error("bad_request",
               "this is no Request message of reachd.v1 (see query.proto), or one this reachd does not know");
}

}  // namespace reach::shell
