#include "daemon/core/timers.hpp"

#include <algorithm>

namespace reach {
namespace {
constexpr std::uint32_t nowhere = UINT32_MAX;
bool before_events(TimerKind kind) {
  return kind == TimerKind::period || kind == TimerKind::calendar;
}
}  // namespace

std::uint32_t Timers::find(TimerKind kind, std::uint32_t subject) const noexcept {
  const auto& of_kind = positions_[static_cast<std::size_t>(kind)];
  return subject < of_kind.size() ? of_kind[subject] : nowhere;
}

void Timers::set_position(TimerKind kind, std::uint32_t subject, std::uint32_t index) {
  auto& of_kind = positions_[static_cast<std::size_t>(kind)];
  if (of_kind.size() <= subject) of_kind.resize(subject + 1, nowhere);
  of_kind[subject] = index;
}

void Timers::place(std::size_t index, const Entry& entry) {
  heap_[index] = entry;
  set_position(entry.kind(), entry.subject(), static_cast<std::uint32_t>(index));
}

void Timers::sift_up(std::size_t index) {
  const Entry entry = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!entry.before(heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, entry);
}

void Timers::sift_down(std::size_t index) {
  const Entry entry = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
    if (!heap_[child].before(entry)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, entry);
}

void Timers::arm(TimerKind kind, std::uint32_t subject, Time at) {
  if (at == never) return cancel(kind, subject);
  const std::uint32_t index = find(kind, subject);
  if (index == nowhere) {
    heap_.push_back({at, static_cast<std::uint64_t>(kind) << 32 | subject});
    sift_up(heap_.size() - 1);
    return;
  }
  const Time was = heap_[index].at;
  heap_[index].at = at;
  if (at < was)
    sift_up(index);
  else if (at > was)
    sift_down(index);
}

void Timers::arm_by(TimerKind kind, std::uint32_t subject, Time at) {
  if (const std::uint32_t index = find(kind, subject); index == nowhere || heap_[index].at > at) arm(kind, subject, at);
}

void Timers::remove(std::size_t index) {
  set_position(heap_[index].kind(), heap_[index].subject(), nowhere);
  const Entry last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  place(index, last);
  sift_up(index);
  sift_down(find(last.kind(), last.subject()));
}

void Timers::cancel(TimerKind kind, std::uint32_t subject) {
  if (const std::uint32_t index = find(kind, subject); index != nowhere) remove(index);
}

bool Timers::in_order() const noexcept {
  for (std::size_t i = 0; i < heap_.size(); ++i) {
    if (heap_[i].key >> 32 >= positions_.size() || find(heap_[i].kind(), heap_[i].subject()) != i) return false;
    if (i > 0 && heap_[i].before(heap_[(i - 1) / 2])) return false;
  }
  std::size_t known = 0;
  for (const auto& of_kind : positions_) known += of_kind.size() - std::ranges::count(of_kind, nowhere);
  return known == heap_.size();
}

std::optional<Timers::Due> Timers::take(Time limit, bool inclusive) {
  if (heap_.empty()) return std::nullopt;
  const Entry& first = heap_.front();
  if (first.at > limit || (first.at == limit && !inclusive && !before_events(first.kind()))) return std::nullopt;
  const Due due{first.at, first.kind(), first.subject()};
  remove(0);
  return due;
}

}  // namespace reach
