#include "daemon/core/line.hpp"

namespace reach {
namespace {

using Link = std::uint32_t Stay::*;

/// So many newer ones are passed in search of a place.
constexpr int most_passed = 16;

void link(Slab<Stay>& stays, StayList& list, std::uint32_t stay, Link before, Link after) {
  ++list.size;
  std::uint32_t left = list.last;
  for (int passed = 0; left != none && stays[left].start > stays[stay].start; left = stays[left].*before) {
    if (++passed <= most_passed) continue;
    list.apart.emplace(stays[stay].start, stay);
    stays[stay].*before = stays[stay].*after = kept_apart;
    return;
  }
  const std::uint32_t right = left == none ? list.first : stays[left].*after;
  stays[stay].*before = left;
  stays[stay].*after = right;
  (left == none ? list.first : stays[left].*after) = stay;
  (right == none ? list.last : stays[right].*before) = stay;
}

void unlink(Slab<Stay>& stays, StayList& list, std::uint32_t stay, Link before, Link after) {
  const std::uint32_t left = stays[stay].*before, right = stays[stay].*after;
  if (left == none && right == none && list.first != stay) return;  // not in the list
  if (left == kept_apart) {
    list.apart.erase({stays[stay].start, stay});
  } else {
    (left == none ? list.first : stays[left].*after) = right;
    (right == none ? list.last : stays[right].*before) = left;
  }
  stays[stay].*before = stays[stay].*after = none;
  --list.size;
}

}  // namespace

void link_waiting(Slab<Stay>& stays, StayList& list, std::uint32_t stay) {
  link(stays, list, stay, &Stay::before_waiting, &Stay::after_waiting);
}
void unlink_waiting(Slab<Stay>& stays, StayList& list, std::uint32_t stay) {
  unlink(stays, list, stay, &Stay::before_waiting, &Stay::after_waiting);
}
void link_undecided(Slab<Stay>& stays, StayList& list, std::uint32_t stay) {
  link(stays, list, stay, &Stay::before_undecided, &Stay::after_undecided);
}
void unlink_undecided(Slab<Stay>& stays, StayList& list, std::uint32_t stay) {
  unlink(stays, list, stay, &Stay::before_undecided, &Stay::after_undecided);
}

}  // namespace reach
