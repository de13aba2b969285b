#include "daemon/core/config.hpp"

#include <array>
#include <utility>

namespace reach {
namespace {

constexpr std::array<std::pair<Figure, std::string_view>, 12> figure_names{{
    {Figure::service_level, "service_level"},
    {Figure::reachability, "reachability"},
    {Figure::abandon_rate, "abandon_rate"},
    {Figure::asa_s, "asa_s"},
    {Figure::wait_p90_s, "wait_p90_s"},
    {Figure::longest_wait_s, "longest_wait_s"},
    {Figure::waiting, "waiting"},
    {Figure::on_time_rate, "on_time_rate"},
    {Figure::respond_on_time_rate, "respond_on_time_rate"},
    {Figure::backlog, "backlog"},
    {Figure::overdue, "overdue"},
    {Figure::oldest_age_s, "oldest_age_s"},
}};

constexpr std::array<std::pair<Period, std::string_view>, 4> period_names{{
    {Period::hour, "hour"},
    {Period::day, "day"},
    {Period::week, "week"},
    {Period::month, "month"},
}};

}  // namespace

std::string_view to_text(Figure figure) noexcept {
  for (const auto& [value, name] : figure_names) {
    if (value == figure) return name;
  }
  return "";
}

std::optional<Figure> figure_from(std::string_view text) noexcept {
  for (const auto& [value, name] : figure_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool lower_is_better(Figure figure) noexcept {
  switch (figure) {
    case Figure::service_level:
    case Figure::reachability:
    case Figure::on_time_rate:
    case Figure::respond_on_time_rate:
      return false;
    default:
      return true;
  }
}

bool is_instant(Figure figure) noexcept {
  switch (figure) {
    case Figure::longest_wait_s:
    case Figure::waiting:
    case Figure::backlog:
    case Figure::overdue:
    case Figure::oldest_age_s:
      return true;
    default:
      return false;
  }
}

std::optional<Window> window_from(std::string_view text) {
  using Kind = Window::Kind;
  if (text == "now") return Window{.kind = Kind::now};
  if (text == "15m interval" || text == "30m interval") {
    return Window{.kind = Kind::calendar, .period = Period::interval};
  }
  for (const auto& [period, name] : period_names) {
    if (name == text) return Window{.kind = Kind::calendar, .period = period};
  }
  const auto length = parse_duration(text);
  if (!length || *length < std::chrono::seconds(1) || *length > std::chrono::days(31)) return std::nullopt;
  return Window{.kind = Kind::rolling, .length = *length};
}

std::string to_text(const Window& window, Duration interval) {
  if (window.kind == Window::Kind::now) return "now";
  if (window.kind == Window::Kind::rolling) return format_duration(window.length);
  for (const auto& [period, name] : period_names) {
    if (period == window.period) return std::string(name);
  }
  return format_duration(interval) + " interval";
}

}  // namespace reach
