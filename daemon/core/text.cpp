// The words for the core's enumerations, as they stand on the wire and in JSON.
#include <array>

#include "daemon/core/alert.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/view.hpp"

namespace reach {
namespace {
constexpr std::array<std::string_view, 10> forward_reasons = {
    "timeout", "empty", "full", "rejected", "key", "callback", "voicemail", "overflow", "redirected", "other"};
template <std::size_t n, class Enum>
std::string_view word(const std::array<std::string_view, n>& words, Enum value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < n ? words[index] : std::string_view("?");
}
}  // namespace

std::optional<ForwardReason> forward_reason_from(std::string_view text) noexcept {
  for (std::size_t i = 0; i < forward_reasons.size(); ++i)
    if (forward_reasons[i] == text) return static_cast<ForwardReason>(i);
  return std::nullopt;
}
std::string_view to_text(ForwardReason reason) noexcept {
  return word(forward_reasons, reason);
}

std::string_view to_text(AlertKind kind) noexcept {
  static constexpr std::array<std::string_view, 7> words = {
      "sla_breach", "longest_wait", "backlog_overdue", "staffing_gap", "no_agents", "source_stale", "log_failed"};
  return word(words, kind);
}
std::string_view to_text(AlertState state) noexcept {
  static constexpr std::array<std::string_view, 4> words = {"inactive", "pending", "firing", "resolved"};
  return word(words, state);
}
std::string_view to_text(AlertReason reason) noexcept {
  static constexpr std::array<std::string_view, 8> words = {"pending", "fired", "repeat",    "acknowledged",
                                                            "stale",   "fresh", "inhibited", "resolved"};
  return word(words, reason);
}
std::string_view to_text(ObjectiveStatus status) noexcept {
  static constexpr std::array<std::string_view, 7> words = {"met",   "at_risk", "breached", "no_data",
                                                            "stale", "closing", "closed"};
  return word(words, status);
}
std::string_view to_text(CalendarState state) noexcept {
  static constexpr std::array<std::string_view, 3> words = {"open", "closing", "closed"};
  return word(words, state);
}
std::string_view to_text(SourceCondition condition) noexcept {
  static constexpr std::array<std::string_view, 4> words = {"never_heard", "connected", "upstream_lost", "stale"};
  return word(words, condition);
}

}  // namespace reach
