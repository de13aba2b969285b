#include "daemon/core/window.hpp"

#include <algorithm>

namespace reach {
namespace {
constexpr Duration history_of = std::chrono::hours(24 * 7);
constexpr auto interval_index = static_cast<std::size_t>(Period::interval);
}  // namespace

Periods periods_at(const Zone& zone, Duration interval, Time t) {
  Periods p;
  for (std::size_t i = 0; i < period_count; ++i) p.range[i] = period_at(zone, static_cast<Period>(i), interval, t);
  return p;
}

Counts Between::copy() const noexcept {
  Counts counts;
  for (std::size_t i = 0; i < counter_count; ++i)
    counts.counts[i] = static_cast<std::int64_t>(to_->of[i] - from_->of[i]);
  return counts;
}

// ---- calendar periods

void Scope::begin_interval(const Periods& now) {
  CalendarWindows& c = *calendar_;
  if (const Between t(c.begin[interval_index], now_); c.begin[interval_index] != now_) {
    c.history.push_back({interval_.from, t[Counter::offered], t[Counter::answered], t[Counter::abandoned],
                         t[Counter::met], t[Counter::missed]});
    const auto kept = std::ranges::find_if(
        c.history, [&](const TrendView& point) { return point.from + history_of > interval_.from; });
    c.history.erase(c.history.begin(), kept);
  }
  for (std::size_t i = 0; i < period_count; ++i) {
    if (i != interval_index && c.range[i] == now.range[i]) {
      c.waits[i].add(waits_);
    } else {
      c.begin[i] = now_;
      c.waits[i].clear();
    }
  }
  waits_.clear();
  c.range = now.range;
  interval_ = now[Period::interval];
}

/// In periods that began after `at`, what is taken back was never counted: their beginnings move along.
void Scope::take_off_closed(const Changes& changes, Time at) {
  for (std::size_t i = 0; i < period_count; ++i)
    if (i == interval_index || at < calendar_->range[i].from) calendar_->begin[i].add(changes);
}

void Scope::add_wait(Duration wait, std::int64_t n, Time at, Duration open_at, bool correction) {
  const auto bucket = WaitHistogram::bucket_of(wait);
  if (!correction || at >= interval_.from) {
    waits_.add(bucket, n);
  } else {
    for (std::size_t i = 0; i < period_count; ++i)
      if (i != interval_index && at >= calendar_->range[i].from) calendar_->waits[i].add(bucket, n);
  }
  for (Rolling& window : rolling_) window.add_wait(bucket, n, open_at, now_);
}

// ---- rolling windows

Scope::Rolling::Rolling(Duration window_length)
    : length(window_length), bucket(std::max<Duration>(std::chrono::seconds(1), window_length / 600)) {
  newest_end = bucket;
}

/// The slot that holds `at`; before 1970 too.
std::int64_t Scope::Rolling::slot_of(Duration at) const noexcept {
  return at / bucket - (at % bucket < Duration::zero() ? 1 : 0);
}

template <class Take>
void Scope::Rolling::facts_of(Key key, std::int64_t n, const Take& take) {
  if (n == 0) return;
  if (n >= -Fact::most && n <= Fact::most) return take(Fact(key, n));
  constexpr std::int64_t fine = (std::int64_t{1} << Fact::coarse_bits) - 1;
  take(Fact(key | Fact::coarse, n >> Fact::coarse_bits));
  if ((n & fine) != 0) take(Fact(key, n & fine));
}

void Scope::Rolling::keep(Key key, std::int64_t n) {
  facts_of(key, n, [this](Fact fact) {
    facts.push_back(fact);
    ++slots.back().size;
  });
}

void Scope::Rolling::begin_slot(std::int64_t slot, const Reading& now) {
  slots.push_back({newest, 0});
  for (std::size_t i = 0; i < counter_count; ++i)
    keep(static_cast<Key>(i), static_cast<std::int64_t>(now.of[i] - newest_reading.of[i]));
  for (const auto& [wait, n] : newest_waits) keep(static_cast<Key>(counter_count + wait), n);
  if (slots.back().size == 0) slots.pop_back();
  newest_waits.clear();
  newest_reading = now;
  newest = slot;
  newest_begin = slot * bucket;
  newest_end = newest_begin + bucket;
}

/// A slot leaves when its end is `length` ago.
void Scope::Rolling::forget(Duration open_now) {
  oldest_kept = slot_of(open_now - length);
  oldest_end = (oldest_kept + 1) * bucket + length;
  for (; first_slot < slots.size() && slots[first_slot].number < oldest_kept; ++first_slot) {
    for (const std::size_t end = first_fact + slots[first_slot].size; first_fact < end; ++first_fact) {
      const Fact fact = facts[first_fact];
      if (fact.key() < counter_count)
        before.of[fact.key()] += static_cast<std::uint64_t>(fact.amount());
      else
        waits.add(static_cast<WaitHistogram::Bucket>(fact.key() - counter_count), -fact.amount());
    }
  }
  if (first_slot >= 16 && first_slot >= slots.size() / 2) tidy();
}

void Scope::Rolling::tidy() {
  slots.erase(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(first_slot));
  facts.erase(facts.begin(), facts.begin() + static_cast<std::ptrdiff_t>(first_fact));
  first_slot = first_fact = 0;
}

/// A late fact joins its like in its slot: a backlog of hours, sent at once after an outage, adds to what is there.
void Scope::Rolling::book(Key key, std::int64_t number, std::int64_t n) {
  std::size_t slot = slots.size(), end = facts.size();  // from the newest on: late is seldom very late
  while (slot > first_slot && slots[slot - 1].number > number) end -= slots[--slot].size;
  if (slot == first_slot || slots[slot - 1].number != number) {
    slots.insert(slots.begin() + static_cast<std::ptrdiff_t>(slot), {number, 0});
    ++slot;
  }
  facts_of(key, n, [&](Fact fact) {
    for (std::size_t i = end - slots[slot - 1].size; i < end; ++i)
      if (facts[i].join(fact)) return;
    facts.insert(facts.begin() + static_cast<std::ptrdiff_t>(end++), fact);
    ++slots[slot - 1].size;
  });
}

void Scope::Rolling::go_to(const Changes& changes, Duration at, const Reading& now) {
  const std::int64_t slot = slot_of(at);
  if (slot > newest) {  // what nobody looks at forgets, too
    begin_slot(slot, now);
    return forget(at);
  }
  newest_reading.add(changes);
  if (oldest_end != Duration::min() && slot < oldest_kept) return before.add(changes);
  for (const Change& change : changes)
    if (change.n != 0) book(static_cast<Key>(change.counter), slot, change.n);
}

void Scope::Rolling::add_wait(WaitHistogram::Bucket wait, std::int64_t n, Duration at, const Reading& now) {
  const std::int64_t slot = slot_of(at);
  if (oldest_end != Duration::min() && slot < oldest_kept) return;
  if (slot > newest) {
    begin_slot(slot, now);
    forget(at);
  }
  waits.add(wait, n);
  if (slot == newest)
    newest_waits.emplace_back(wait, n);
  else
    book(static_cast<Key>(counter_count + wait), slot, n);
}

Duration Scope::Rolling::next_change(const Reading& now) const noexcept {
  std::int64_t oldest = 0;
  if (first_slot < slots.size())
    oldest = slots[first_slot].number;
  else if (!newest_waits.empty() || newest_reading != now)
    oldest = newest;
  else
    return Duration::max();
  return (oldest + 1) * bucket + length;
}

bool Scope::Rolling::is_whole() const noexcept {
  if (length <= Duration::zero() || bucket != Rolling(length).bucket) return false;
  if (!waits.is_whole() ||
      !std::ranges::all_of(newest_waits, [](const auto& w) { return WaitHistogram::has(w.first); }))
    return false;
  std::size_t size = 0;
  for (const Slot& slot : slots) size += slot.size;
  return size == facts.size() && std::ranges::all_of(facts, [](const Fact& fact) {
           return fact.key() < counter_count || WaitHistogram::has(fact.key() - counter_count);
         });
}

void Scope::keep(Duration length) {
  if (!keeps(length)) rolling_.emplace_back(length);
}

const Scope::Rolling* Scope::find(Duration length) const noexcept {
  for (const Rolling& window : rolling_)
    if (window.length == length) return &window;
  return nullptr;
}

// ---- both

Between Scope::counts(const Window& window) const noexcept {
  if (window.kind == Window::Kind::calendar) return {calendar_->begin[static_cast<std::size_t>(window.period)], now_};
  const Rolling* rolling = window.kind == Window::Kind::rolling ? find(window.length) : nullptr;
  return {rolling != nullptr ? rolling->before : now_, now_};
}

Tally Scope::tally(const Window& window) const {
  Tally t{counts(window).copy(), {}};
  if (window.kind == Window::Kind::calendar) {
    t.waits = calendar_->waits[static_cast<std::size_t>(window.period)];
    t.waits.add(waits_);
  } else if (const Rolling* rolling = window.kind == Window::Kind::rolling ? find(window.length) : nullptr) {
    t.waits = rolling->waits;
  }
  return t;
}

Duration Scope::next_change(Duration length) const noexcept {
  const Rolling* rolling = find(length);
  return rolling == nullptr ? Duration::max() : rolling->next_change(now_);
}

bool Scope::is_whole() const noexcept {
  const auto whole = [](const auto& part) { return part.is_whole(); };
  return waits_.is_whole() && std::ranges::all_of(rolling_, whole) && std::ranges::all_of(calendar_->waits, whole);
}

void Scope::inherit(Scope& from) {
  interval_ = from.interval_;
  calendar_ = std::move(from.calendar_);
  from.calendar_ = std::make_unique<CalendarWindows>();
  waits_ = std::move(from.waits_);
  now_ = from.now_;
  for (Rolling& window : rolling_) {
    const auto same = std::ranges::find(from.rolling_, window.length, &Rolling::length);
    if (same != from.rolling_.end())
      window = std::move(*same);
    else
      window.before = window.newest_reading = now_;
  }
}

}  // namespace reach
