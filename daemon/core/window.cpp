#include "daemon/core/window.hpp"

#include <algorithm>

namespace reach {
namespace {
constexpr std::size_t history_limit = 7 * 96;  // a week of quarters of an hour
/// The slot of length `width` that holds `at`; before 1970 too.
std::int64_t slot_of(Duration at, Duration width) {
  return at / width - (at % width < Duration::zero() ? 1 : 0);
}
constexpr auto interval_index = static_cast<std::size_t>(Period::interval);
}  // namespace

Periods periods_at(const Zone& zone, Duration interval, Time t) {
  Periods p;
  for (std::size_t i = 0; i < period_count; ++i) p.range[i] = period_at(zone, static_cast<Period>(i), interval, t);
  return p;
}

void CalendarWindows::roll(const Periods& now) {
  if (periods_[Period::interval] == now[Period::interval]) return;
  if (!current_.empty()) {
    const Tally& t = current_;
    history_.push_back({periods_[Period::interval].from, t[Counter::offered], t[Counter::answered],
                        t[Counter::abandoned], t[Counter::met], t[Counter::missed]});
    if (history_.size() > history_limit) history_.pop_front();
  }
  for (std::size_t i = 0; i < period_count; ++i) {
    if (i == interval_index) continue;
    if (periods_.range[i] == now.range[i])
      closed_[i].add(current_);
    else
      closed_[i].clear();
  }
  current_.clear();
  periods_ = now;
}

template <class Apply>
void CalendarWindows::book(Time at, bool correction, const Apply& apply) {
  if (!correction || at >= periods_[Period::interval].from) {
    apply(current_);
    return;
  }
  for (std::size_t i = 0; i < period_count; ++i)
    if (i != interval_index && at >= periods_.range[i].from) apply(closed_[i]);
}

void CalendarWindows::add(Counter counter, Time at, std::int64_t n, bool correction) {
  book(at, correction, [&](Tally& t) { t[counter] += n; });
}

void CalendarWindows::add_wait(WaitHistogram::Bucket bucket, Time at, std::int64_t n, bool correction) {
  book(at, correction, [&](Tally& t) { t.waits.add(bucket, n); });
}

Tally CalendarWindows::tally(Period kind) const {
  Tally t = current_;
  t.add(closed_[static_cast<std::size_t>(kind)]);
  return t;
}

Counts CalendarWindows::counts(Period kind) const noexcept {
  Counts c = current_;
  c.add(closed_[static_cast<std::size_t>(kind)]);
  return c;
}

RollingWindow::RollingWindow(Duration length)
    : length_(length), bucket_(std::max<Duration>(std::chrono::seconds(1), length / 600)) {}

void RollingWindow::apply(Key key, std::int64_t n) {
  if (key < counter_count)
    total_.counts[key] += n;
  else
    total_.waits.add(static_cast<WaitHistogram::Bucket>(key - counter_count), n);
}

/// Closes the slot that was being filled, if `slot` is a newer one.
void RollingWindow::begin_slot(std::int64_t slot) {
  if (slot <= newest_slot_) return;
  for (std::size_t i = 0; i < counter_count; ++i)
    if (newest_.counts[i] != 0) entries_.push_back({newest_slot_, newest_.counts[i], static_cast<Key>(i)});
  for (const auto& [bucket, n] : newest_.waits.used())
    entries_.push_back({newest_slot_, n, static_cast<Key>(counter_count + bucket)});
  newest_.clear();
  newest_slot_ = slot;
}

void RollingWindow::advance(Duration open_now) {
  begin_slot(slot_of(open_now, bucket_));
  // A slot leaves when its end is `length` ago.
  oldest_kept_ = slot_of(open_now - length_, bucket_);
  while (!entries_.empty() && entries_.front().slot < oldest_kept_) {
    apply(entries_.front().key, -entries_.front().n);
    entries_.pop_front();
  }
}

void RollingWindow::change(Key key, Duration at, std::int64_t n) {
  const std::int64_t slot = slot_of(at, bucket_);
  if (slot < oldest_kept_) return;
  apply(key, n);
  begin_slot(slot);  // what is first of its slot must not leave with an older one
  if (slot == newest_slot_) {
    if (key < counter_count)
      newest_.counts[key] += n;
    else
      newest_.waits.add(static_cast<WaitHistogram::Bucket>(key - counter_count), n);
    return;
  }
  // A late fact joins its like in its slot: a backlog of hours, sent at once after an outage, costs no more than live.
  auto place = std::ranges::lower_bound(entries_, slot, {}, &Entry::slot);
  for (; place != entries_.end() && place->slot == slot; ++place) {
    if (place->key != key) continue;
    place->n += n;
    return;
  }
  entries_.insert(place, {slot, n, key});
}

void RollingWindow::add(Counter counter, Duration at, std::int64_t n) {
  change(static_cast<Key>(counter), at, n);
}

void RollingWindow::add_wait(WaitHistogram::Bucket bucket, Duration at, std::int64_t n) {
  change(static_cast<Key>(counter_count + bucket), at, n);
}

Duration RollingWindow::next_change() const noexcept {
  std::int64_t oldest = 0;
  if (!entries_.empty())
    oldest = entries_.front().slot;
  else if (!newest_.empty())
    oldest = newest_slot_;
  else
    return Duration::max();
  return (oldest + 1) * bucket_ + length_;
}

void Scope::add(Counter counter, Time at, Duration open_at, std::int64_t n, bool correction) {
  calendar.add(counter, at, n, correction);
  for (auto& window : rolling) window.add(counter, open_at, n);
}

void Scope::add_wait(Duration wait, Time at, Duration open_at, std::int64_t n, bool correction) {
  const auto bucket = WaitHistogram::bucket_of(wait);
  calendar.add_wait(bucket, at, n, correction);
  for (auto& window : rolling) window.add_wait(bucket, open_at, n);
}

RollingWindow* Scope::rolling_window(Duration length) noexcept {
  for (auto& window : rolling)
    if (window.length() == length) return &window;
  return nullptr;
}

}  // namespace reach
