#include "daemon/shell/backlog.hpp"

#include <algorithm>
#include <utility>

#include "daemon/wire/wire.hpp"

namespace reach::shell {
namespace {

constexpr int most_a_run = 1000;

}  // namespace

Time Backlog::Held::at(int i) const {
  const std::uint64_t ns = batch.events(i).time_ns();
  // An event of such a time is refused by who takes it next: it must not hold up the others.
  if (ns > wire::latest_ns) return Time{};
  return time_from_ns(static_cast<std::int64_t>(ns)) - offset;
}

void Backlog::expect(const std::string& source, Time deadline, Time most) {
  expected_[source] = {std::min(deadline, most), most};
}

void Backlog::advanced(std::string_view source, Time now) {
  const auto found = expected_.find(source);
  if (found == expected_.end()) return;
  auto& [deadline, most] = found->second;
  deadline = std::max(deadline, std::min(now + silence_most, most));
}

void Backlog::caught_up(std::string_view source) {
  if (const auto found = expected_.find(source); found != expected_.end()) expected_.erase(found);
}

std::vector<std::string> Backlog::give_up(Time now, const std::function<bool(const std::string&)>& waits_for_us) {
  std::vector<std::string> gone;
  for (auto& [source, wait] : expected_) {
    if (wait.deadline > now) continue;
    if (wait.most > now && waits_for_us(source)) {
      wait.deadline = std::min(now + silence_most, wait.most);
    } else {
      gone.push_back(source);
    }
  }
  for (const std::string& source : gone) expected_.erase(source);
  return gone;
}

std::vector<std::string> Backlog::give_up_all() {
  std::vector<std::string> gone;
  for (const auto& [source, wait] : expected_) gone.push_back(source);
  expected_.clear();
  return gone;
}

void Backlog::hold(v1::EventBatch batch, Duration offset) {
  if (batch.events_size() == 0) return;
  Held held;
  held.bytes = batch.ByteSizeLong() + 1;
  held.offset = offset;
  bytes_ += held.bytes;
  std::deque<Held>& of_source = held_[batch.source()];
  held.batch = std::move(batch);
  of_source.push_back(std::move(held));
}

std::optional<Backlog::Run> Backlog::next() {
  for (const auto& [source, wait] : expected_) {
    if (!held_.contains(source)) return std::nullopt;
  }
  // The source with the earliest event, and how far it may go: up to the next one's.
  auto first = held_.end();
  Time limit = never;
  for (auto each = held_.begin(); each != held_.end(); ++each) {
    const Time at = each->second.front().at(each->second.front().first);
    if (first == held_.end()) {
      first = each;
    } else if (const Time best = first->second.front().at(first->second.front().first); at < best) {
      limit = std::min(limit, best);
      first = each;
    } else {
      limit = std::min(limit, at);
    }
  }
  if (first == held_.end()) return std::nullopt;

  Held& held = first->second.front();
  const int begin = held.first, size = held.batch.events_size();
  int end = begin + 1;
  while (end < size && end - begin < most_a_run && held.at(end) <= limit) ++end;
  Run run;
  run.offset = held.offset;
  if (begin == 0 && end == size) {
    run.batch = std::move(held.batch);
  } else {
    run.batch.set_source(held.batch.source());
    run.batch.set_epoch(held.batch.epoch());
    run.batch.set_first_sequence(held.batch.first_sequence() + static_cast<std::uint64_t>(begin));
    for (int i = begin; i < end; ++i) run.batch.add_events()->Swap(held.batch.mutable_events(i));
  }
  held.first = end;
  if (end == size) {
    bytes_ -= held.bytes;
    first->second.pop_front();
    if (first->second.empty()) held_.erase(first);
  }
  return run;
}

void Backlog::put_back(Run run) {
  Held held;
  held.bytes = run.batch.ByteSizeLong() + 1;
  held.offset = run.offset;
  bytes_ += held.bytes;
  std::deque<Held>& of_source = held_[run.batch.source()];
  held.batch = std::move(run.batch);
  of_source.push_front(std::move(held));
}

}  // namespace reach::shell
