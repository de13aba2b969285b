#include "daemon/base/nearest.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>

namespace reach {
namespace {

constexpr std::size_t longest = 64;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Which letters there are, upper and lower case alike; a set bit may stand for several characters.
std::uint32_t letters(std::string_view text) {
  std::uint32_t set = 0;
  for (const char c : text) set |= std::uint32_t{1} << (static_cast<unsigned char>(c) & 31);
  return set;
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b, int enough) {
  a = a.substr(0, longest);
  b = b.substr(0, longest);
  // Each step brings in one letter at most, and takes away one.
  const std::uint32_t of_a = letters(a), of_b = letters(b);
  if (const int apart = std::max(std::popcount(of_a & ~of_b), std::popcount(of_b & ~of_a)); apart >= enough)
    return apart;
  std::array<char, longest> lower_a, lower_b;  // NOLINT: set as far as they are read, as all of these
  std::transform(a.begin(), a.end(), lower_a.begin(), lower);
  std::transform(b.begin(), b.end(), lower_b.begin(), lower);
  // What it costs to make each beginning of `b` out of the first i - 2, i - 1, i letters of `a`.
  std::array<int, longest + 1> before_last, last, now;  // NOLINT
  for (std::size_t k = 0; k <= b.size(); ++k) last[k] = static_cast<int>(k);
  int least_of_last = 0;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int least = now[0] = static_cast<int>(i);
    for (std::size_t k = 1; k <= b.size(); ++k) {
      int cost = std::min(last[k], now[k - 1]) + 1;
      cost = std::min(cost, last[k - 1] + (lower_a[i - 1] == lower_b[k - 1] ? 0 : 1));
      if (i > 1 && k > 1 && lower_a[i - 1] == lower_b[k - 2] && lower_a[i - 2] == lower_b[k - 1])
        cost = std::min(cost, before_last[k - 2] + 1);
      now[k] = cost;
      least = std::min(least, cost);
    }
    if (least >= enough && least_of_last >= enough) return least;  // it becomes no less
    least_of_last = least;
    std::copy_n(last.begin(), b.size() + 1, before_last.begin());
    std::copy_n(now.begin(), b.size() + 1, last.begin());
  }
  return last[b.size()];
}

std::string nearest(std::string_view text, const std::vector<std::string>& candidates) {
  std::string found;
  // Of one or two letters nothing but upper and lower case may differ.
  int least = text.size() < 3 ? 1 : std::clamp(static_cast<int>(text.size()) / 3, 1, 4) + 1;
  for (const auto& candidate : candidates) {
    if (found.empty() && text.size() > 2 && candidate.starts_with(text)) found = candidate;  // until one is near
    if (std::abs(static_cast<int>(text.size()) - static_cast<int>(candidate.size())) >= least) continue;
    const int distance = edit_distance(text, candidate, least);
    if (distance >= least) continue;
    least = distance;
    found = candidate;
  }
  return found;
}

}  // namespace reach
