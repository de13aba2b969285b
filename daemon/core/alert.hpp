// An alert: what is wrong, since when, who has taken it. Condition and handling are two things.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/time.hpp"

namespace reach {

enum class AlertKind : std::uint8_t {
  sla_breach,
  longest_wait,
  backlog_overdue,
  staffing_gap,
  no_agents,
  source_stale,
  log_failed  ///< the event log cannot be written
};
enum class AlertState : std::uint8_t { inactive, pending, firing, resolved };
/// Why this revision of the alert was said.
enum class AlertReason : std::uint8_t { pending, fired, repeat, acknowledged, stale, fresh, inhibited, resolved };
[[nodiscard]] std::string_view to_text(AlertKind kind) noexcept;
[[nodiscard]] std::string_view to_text(AlertState state) noexcept;
[[nodiscard]] std::string_view to_text(AlertReason reason) noexcept;

struct Acknowledgement {
  std::string by, note;
  Time at{};
  std::optional<Time> until;  ///< absent: until it resolves
};

/// One alert at one revision. Value type: what is published, stored and shown.
struct Alert {
  std::string id;           ///< from the objective and the event that opened it: a replay gives the same
  std::string fingerprint;  ///< the same for every alert of this objective and kind
  std::uint32_t revision = 0;
  AlertKind kind{};
  AlertState state{};
  AlertReason reason{};
  std::string segment;  ///< empty for alerts of a pool or source
  std::string contract, objective;
  std::string subject;  ///< pool or source
  std::string figure, window;
  std::optional<double> value, target;
  std::int64_t samples = 0;
  Time pending_since{};
  std::optional<Time> fired, resolved;
  Time changed{};
  std::vector<std::string> evidence;  ///< "SOURCE/CONTACT", newest last, at most 10
  std::string help, summary;
  bool stale = false;
  bool corrected = false;
  std::optional<Acknowledgement> acknowledged;
  std::string inhibited_by;  ///< id of the alert it follows from
};

}  // namespace reach
