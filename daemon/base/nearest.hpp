// "Did you mean …?"
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace reach {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, upper and lower case alike.
/// O(|a| · |b|); texts over 64 characters are cut. Once it is clear that so many are `enough`, some number from it on.
[[nodiscard]] int edit_distance(std::string_view a, std::string_view b, int enough = 2 * 64);

/// The candidate nearest to `text`, or one that it is the beginning of; empty if none is near enough: at most a third
/// of its letters differ, and no more than 4.
[[nodiscard]] std::string nearest(std::string_view text, const std::vector<std::string>& candidates);

}  // namespace reach
