// "Did you mean …?"
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace reach::settings {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, upper and lower case alike.
/// O(|a| · |b|); texts over 64 characters are cut. Once it is clear that so many are `enough`, some number from it on.
[[nodiscard]] int edit_distance(std::string_view a, std::string_view b, int enough = 2 * 64);

/// The candidate nearest to `text`; empty if none is near enough (a third of its length, at most
/// 4).
[[nodiscard]] std::string nearest(std::string_view text, const std::vector<std::string>& candidates);

}  // namespace reach::settings
