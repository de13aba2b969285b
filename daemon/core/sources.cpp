// Sources: whether they are heard, what a silent one means, and what a listing after a reconnect tells.
#include <algorithm>

#include "daemon/core/state.hpp"

namespace reach {
namespace {

/// Adds what a source says that it lost, at least one; a count that has come to the largest number stays there.
void add_lost(std::int64_t& events_lost, std::uint64_t count) {
  const auto room = static_cast<std::uint64_t>(INT64_MAX) - static_cast<std::uint64_t>(events_lost);
  events_lost += static_cast<std::int64_t>(std::min(std::max<std::uint64_t>(count, 1), room));
}

}  // namespace

void Engine::State::announce_source(std::uint32_t index) {
  if (sources[index].announced) return;
  sources[index].announced = true;
  out->push_back(SourceChanged{index});
}

/// A segment is stale when a source that feeds it is not heard; before any source fed it, when none is heard at all.
bool Engine::State::is_stale(const Segment& segment) const {
  const auto fresh_source = [](const Source& source) { return source.view.condition == SourceCondition::connected; };
  if (!segment.sources.empty())
    return !std::ranges::all_of(segment.sources, [&](std::uint32_t s) { return fresh_source(sources[s]); });
  return options.staleness && std::ranges::none_of(sources, fresh_source);
}

void Engine::State::heard(std::uint32_t index, bool upstream) {
  Source& source = sources[index];
  source.view.last_heard = now;
  source.heard_meanwhile = true;
  if (options.staleness && !catching_up) timers.arm_by(TimerKind::source, index, now + config.stale_after);
  const SourceCondition condition = upstream ? SourceCondition::connected : SourceCondition::upstream_lost;
  if (source.view.condition == condition) return;
  if (!upstream) return lost(index, condition, "it does not hear its telephone system");
  source.view.condition = condition;
  announce_source(index);
  observe(source.watch, Condition::good);
  for (const std::uint32_t segment : source.segments) touch(segment);
  if (source.segments.empty())
    for (std::uint32_t s = 0; s < segments.size(); ++s)
      if (segments[s].sources.empty()) touch(s);
}

void Engine::State::lost(std::uint32_t index, SourceCondition condition, std::string_view reason) {
  Source& source = sources[index];
  if (source.view.condition == condition) return;
  source.view.condition = condition;
  timers.cancel(TimerKind::source, index);
  announce_source(index);
  watches[source.watch].alert.summary = "source " + source.view.id + ": " + std::string(reason);
  observe(source.watch, Condition::bad);
  for (const std::uint32_t segment : source.segments) touch(segment);
}

void Engine::State::watch_lateness(std::uint32_t index, Time at) {
  Source& source = sources[index];
  if (now - at <= config.stale_after) {
    if (source.view.behind && at > source.view.behind->to) end_lateness(index);
    return;
  }
  auto& behind_now = source.view.behind;
  if (!behind_now || behind_now->until) behind_now = BehindView{at, at, {}, 0};
  behind_now->from = std::min(behind_now->from, at);
  behind_now->to = std::max(behind_now->to, at);
  ++behind_now->events;
  source.last_late = now;
}

void Engine::State::end_lateness(std::uint32_t index) {
  Source& source = sources[index];
  auto& behind_now = source.view.behind;
  if (!behind_now || behind_now->until) return;
  behind_now->until = now;
  announce_source(index);
  remark("late events of " + source.view.id, std::to_string(behind_now->events) + " events of source " +
                                                 source.view.id + " came late: its figures from " +
                                                 to_rfc3339(behind_now->from) + " to " + to_rfc3339(behind_now->to) +
                                                 " were incomplete until " + to_rfc3339(now));
}

/// Contacts and agents of the source that a complete listing does not name are gone; how they ended was not seen. Looks
/// at those that it names and those that go, no others.
void Engine::State::end_unseen(std::uint32_t source, std::span<const std::string_view> still_there) {
  absl::flat_hash_set<std::string_view> there(still_there.begin(), still_there.end());
  std::vector<std::uint32_t> gone;
  for (std::uint32_t i = sources[source].live_calls.first; i != none; i = contacts[i].newer)
    if (!there.contains(view(contacts[i].id))) gone.push_back(i);
  for (const std::uint32_t contact : gone) on_outcome_unknown(contact, now);
  end_unlisted(source);
}

void Engine::State::on_source(const Event& event, std::uint32_t index) {
  switch (event.kind) {
    case EventKind::resync_begin:
      sources[index].in_resync = true;
      ++sources[index].listings;
      break;
    case EventKind::resync_end:
      if (sources[index].in_resync) end_unseen(index, event.list);
      sources[index].in_resync = false;
      break;
    case EventKind::upstream_lost:
      lost(index, SourceCondition::upstream_lost,
           event.reason.empty() ? "it does not hear its telephone system" : event.reason);
      break;
    case EventKind::events_lost:
      add_lost(sources[index].view.events_lost, event.lost_count);
      remark("events_lost", "source " + sources[index].view.id + " lost " + std::to_string(event.lost_count) +
                                " events: figures of that time are incomplete");
      announce_source(index);
      break;
    case EventKind::queue_opened:
      if (const std::uint32_t queue = queue_of(index, event.queue); queues[queue].segment != none)
        link_source(index, queues[queue].segment);
      break;
    case EventKind::queue_closed:
    case EventKind::watermark:
    default:
      break;
  }
}

}  // namespace reach
