// One wait, decided exactly once: at the answer, when it passes the threshold, or when it is lost.
#include <algorithm>

#include "daemon/core/state.hpp"

namespace reach {
namespace {

constexpr auto no_wait = Duration::zero();

bool is_decision(Verdict verdict) {
  return verdict == Verdict::met || verdict == Verdict::missed;
}
Counter decision_counter(Verdict verdict) {
  return verdict == Verdict::met ? Counter::met : Counter::missed;
}

/// What a wait of at most the threshold is decided to be by how it ended (config/figures.md, Service level).
Verdict verdict_within(Outcome outcome, Abandons abandons) {
  switch (outcome) {
    case Outcome::answered:
      return Verdict::met;
    case Outcome::abandoned:
      if (abandons == Abandons::negative) return Verdict::missed;
      return abandons == Abandons::positive ? Verdict::met : Verdict::excluded;
    case Outcome::forwarded_failure:
      return Verdict::missed;
    case Outcome::forwarded_agreed:
      return Verdict::undecided;  // the clock runs on
    case Outcome::short_abandon:
    case Outcome::forwarded_choice:
    case Outcome::unknown:
      return Verdict::excluded;
    case Outcome::waiting:
      return Verdict::undecided;
  }
  return Verdict::undecided;
}

Counter counter_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered:
      return Counter::answered;
    case Outcome::abandoned:
    case Outcome::short_abandon:
      return Counter::abandoned;
    case Outcome::forwarded_choice:
      return Counter::forwarded_choice;
    case Outcome::forwarded_failure:
      return Counter::forwarded_failure;
    case Outcome::forwarded_agreed:
      return Counter::forwarded_agreed;
    case Outcome::unknown:
    case Outcome::waiting:
      return Counter::unknown;
  }
  return Counter::unknown;
}

/// What the end of a wait counts, `n` times; the decision comes on top.
Changes changes_of(Outcome outcome, Duration wait, std::int64_t n) {
  Changes changes{{counter_of(outcome), n}, {Counter::waited_ns, n * wait.count()}};
  if (outcome == Outcome::short_abandon) changes.add(Counter::short_abandons, n);
  if (outcome == Outcome::answered) changes.add(Counter::answer_wait_ns, n * wait.count());
  return changes;
}

}  // namespace

void Engine::State::arm_line(std::uint32_t index) {
  const Line& line = lines[index];
  if (const std::uint32_t first = line.undecided.head(stays); first != none)
    timers.arm_by(TimerKind::line, index, stays[first].start + line.threshold);
}

void Engine::State::link_waiting_stay(std::uint32_t stay) {
  link_waiting(stays, lines[stays[stay].line].waiting, stay);
}

void Engine::State::link_undecided_stay(std::uint32_t stay) {
  link_undecided(stays, lines[stays[stay].line].undecided, stay);
  arm_line(stays[stay].line);
}

std::uint32_t Engine::State::begin_stay(std::uint32_t line, std::uint32_t contact, Time start, Time offered_at,
                                        bool while_open) {
  const std::uint32_t index = stays.add();
  Stay& stay = stays[index];
  stay.start = start;
  stay.offered_at = offered_at;
  stay.contact = contact;
  stay.line = line;
  stay.while_open = while_open;
  count(stay, {{while_open ? Counter::offered : Counter::offered_closed}}, offered_at);
  if (while_open) {
    link_waiting_stay(index);
    link_undecided_stay(index);
  }
  return index;
}

/// Notes the verdict; returns what is to be counted at `at` because of it.
Changes Engine::State::note_verdict(std::uint32_t index, Verdict verdict, Time at) {
  Stay& stay = stays[index];
  if (stay.verdict != Verdict::undecided || verdict == Verdict::undecided) return {};
  const std::uint32_t line = stay.line;
  unlink_undecided(stays, lines[line].undecided, index);
  arm_line(line);
  stay.verdict = verdict;
  stay.decided_at = at;
  if (!stay.while_open || !is_decision(verdict)) return {};
  if (verdict == Verdict::missed && lines[line].queue == none)
    note_miss(lines[line].segment, lines[line].service, contacts[stay.contact]);
  return {{decision_counter(verdict)}};
}

void Engine::State::decide(std::uint32_t index, Verdict verdict, Time at) {
  const Changes changes = note_verdict(index, verdict, at);
  if (!changes.empty()) count(stays[index], changes, at);
}

void Engine::State::retract_decision(std::uint32_t index) {
  Stay& stay = stays[index];
  if (stay.while_open && is_decision(stay.verdict))
    count(stay, {{decision_counter(stay.verdict), -1}}, stay.decided_at, true);
  if (stay.verdict == Verdict::missed && lines[stay.line].queue == none)
    take_back_miss(lines[stay.line].segment, contacts[stay.contact]);
  stay.verdict = Verdict::undecided;
}

/// The oldest waits of the line pass the threshold at this very instant.
void Engine::State::pass_threshold(std::uint32_t line) {
  for (;;) {
    const std::uint32_t first = lines[line].undecided.head(stays);
    if (first == none) break;
    const Time deadline = stays[first].start + lines[line].threshold;
    if (deadline > now) break;
    decide(first, Verdict::missed, deadline);
  }
  arm_line(line);
}

void Engine::State::end_stay(std::uint32_t index, Outcome outcome, Time at) {
  Stay& stay = stays[index];
  if (stay.outcome != Outcome::waiting) return;
  const Line& line = lines[stay.line];
  const Duration wait = std::max(at - stay.start, no_wait);
  if (outcome == Outcome::abandoned && wait < line.short_abandon) outcome = Outcome::short_abandon;
  stay.outcome = outcome;
  stay.ended_at = at;
  unlink_waiting(stays, lines[stay.line].waiting, index);
  if (!stay.while_open) return;

  Changes changes = changes_of(outcome, wait, 1);
  if (outcome == Outcome::answered) count_wait(stay, wait, at, 1, false);
  if (wait > line.threshold) {
    count(stay, changes, at);
    decide(index, Verdict::missed, stay.start + line.threshold);
    return;
  }
  if (stay.verdict == Verdict::missed) {  // decided by time before this event was known: taken back
    retract_decision(index);
    if (line.queue == none) {
      ++totals.corrected;
      ++sources[contacts[stay.contact].source].view.corrected;
    }
    if (outcome == Outcome::forwarded_agreed) link_undecided_stay(index);
  }
  if (outcome == Outcome::unknown) changes.add(Counter::unknown_undecided);
  changes.add(note_verdict(index, verdict_within(outcome, line.abandons), at));
  count(stay, changes, at);
}

/// The wait goes on after all: what its end had counted is taken back.
void Engine::State::reopen_stay(std::uint32_t index) {
  Stay& stay = stays[index];
  if (stay.outcome == Outcome::waiting) return;
  const Line& line = lines[stay.line];
  const Duration wait = std::max(stay.ended_at - stay.start, no_wait);
  const Outcome was = stay.outcome;
  stay.outcome = Outcome::waiting;
  if (!stay.while_open) return;
  Changes changes = changes_of(was, wait, -1);
  if (was == Outcome::answered) count_wait(stay, wait, stay.ended_at, -1, true);
  if (was == Outcome::unknown && wait <= line.threshold) changes.add(Counter::unknown_undecided, -1);
  count(stay, changes, stay.ended_at, true);
  link_waiting_stay(index);
  if (stay.verdict == Verdict::undecided || wait <= line.threshold) {
    unlink_undecided(stays, lines[stay.line].undecided, index);
    retract_decision(index);
    link_undecided_stay(index);
  }
}

/// Forgets a stay that is no longer needed for corrections. Takes the origins of its overflow along.
void Engine::State::drop_stay(std::uint32_t index) {
  while (index != none) {
    Stay& stay = stays[index];
    const std::uint32_t origin = stay.origin;
    unlink_waiting(stays, lines[stay.line].waiting, index);
    unlink_undecided(stays, lines[stay.line].undecided, index);
    arm_line(stay.line);
    stays.erase(index);
    index = origin;
  }
}

}  // namespace reach
