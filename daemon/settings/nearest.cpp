#include "daemon/settings/nearest.hpp"

#include <algorithm>
#include <array>

namespace reach::settings {
namespace {

constexpr std::size_t longest = 64;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, longest);
  b = b.substr(0, longest);
  std::array<std::array<int, longest + 1>, longest + 1> cost{};
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t k = 0; k <= b.size(); ++k) {
      auto& best = cost[i][k];
      if (i == 0 || k == 0) {
        best = static_cast<int>(i + k);
        continue;
      }
      const bool same = lower(a[i - 1]) == lower(b[k - 1]);
      best = std::min({cost[i - 1][k] + 1, cost[i][k - 1] + 1, cost[i - 1][k - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && k > 1 && lower(a[i - 1]) == lower(b[k - 2]) && lower(a[i - 2]) == lower(b[k - 1]);
      if (swapped) best = std::min(best, cost[i - 2][k - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::string nearest(std::string_view text, const std::vector<std::string>& candidates) {
  std::string found;
  // Of one or two letters nothing but upper and lower case may differ.
  int least = text.size() < 3 ? 1 : std::clamp(static_cast<int>(text.size()) / 3, 1, 4) + 1;
  for (const auto& candidate : candidates) {
    const int distance = edit_distance(text, candidate);
    if (distance >= least) continue;
    least = distance;
    found = candidate;
  }
  return found;
}

}  // namespace reach::settings
