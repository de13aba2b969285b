#include <array>
#include <charconv>
#include <cmath>

#include "daemon/base/time.hpp"

namespace reach {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::array<Unit, 5> units{{{"d", 86'400'000'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000}}};

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double total_ns = 0;
  std::int64_t smaller_than = INT64_MAX;
  while (!text.empty()) {
    if (text.front() < '0' || text.front() > '9') return std::nullopt;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !(number >= 0)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto length = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view name = text.substr(0, length);
    text.remove_prefix(length);
    const Unit* unit = nullptr;
    for (const auto& candidate : units)
      if (candidate.name == name) unit = &candidate;
    if (unit == nullptr || unit->ns >= smaller_than) return std::nullopt;
    smaller_than = unit->ns;
    total_ns += number * static_cast<double>(unit->ns);
  }
  if (total_ns > 9.2e18) return std::nullopt;
  return Duration(std::llround(total_ns));
}

std::string format_duration(Duration d) {
  std::int64_t rest = d.count() / 1'000'000 * 1'000'000;
  if (rest <= 0) return "0s";
  std::string text;
  for (const auto& unit : units) {
    const std::int64_t count = rest / unit.ns;
    if (count == 0) continue;
    text += std::to_string(count);
    text += unit.name;
    rest -= count * unit.ns;
  }
  return text;
}

}  // namespace reach
