#include "tests/sim/reference.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>

namespace reach::sim {
namespace {

using std::chrono::seconds;

constexpr Duration threshold = seconds(20), short_abandon = seconds(5), requeue_within = seconds(2);
constexpr Duration due_in = std::chrono::minutes(4);

std::string segment_of(const std::string& queue) {
  return queue.starts_with("a") ? "a" : "b";
}

enum class Fate : std::uint8_t { waiting, answered, abandoned, choice, failure, moved, unknown };

/// One wait: an offer to a segment, or a stay in a queue.
struct Wait {
  std::string where;
  Time start{}, end{};
  Fate fate = Fate::waiting;
  bool transferred = false, from_overflow = false;
  bool has_next = false;  ///< an offer that moved by agreement: the next one is where its clock runs on
  bool lost = false;      ///< an offer that moved by agreement, and never came there
};

enum class Verdict : std::uint8_t { undecided, met, missed, excluded };

/// What a wait of this length that ended so is decided to be.
Verdict verdict_of(Fate fate, Duration wait, Abandons abandons) {
  wait = std::max(wait, Duration::zero());
  if (fate == Fate::waiting) return wait >= threshold ? Verdict::missed : Verdict::undecided;
  if (wait > threshold) return Verdict::missed;
  switch (fate) {
    case Fate::answered:
      return Verdict::met;
    case Fate::failure:
      return Verdict::missed;
    case Fate::abandoned:
      if (wait < short_abandon || abandons == Abandons::ignored) return Verdict::excluded;
      return abandons == Abandons::positive ? Verdict::met : Verdict::missed;
    default:
      return Verdict::excluded;
  }
}

/// A call from its first event to its last.
class Call {
 public:
  Call(std::string source, Abandons abandons) : source_(std::move(source)), abandons_(abandons) {}

  void take(const v1::Event& event, Time at) {
    switch (event.event_case()) {
      case v1::Event::kOffered:
        return offered(event.offered().queue(), at);
      case v1::Event::kAnswered:
        end(Fate::answered, at);
        talked_ = true;
        break;
      case v1::Event::kAbandoned:
      case v1::Event::kEnded:
        if (entry_waits()) end(Fate::abandoned, at);
        break;
      case v1::Event::kOutcomeUnknown:
        end(Fate::unknown, at);
        break;
      case v1::Event::kForwarded:
        forwarded(event.forwarded(), at);
        break;
      default:
        break;
    }
  }

  void count(Counts& counts, Time now) {
    if (moving_ && now - left_at_ >= requeue_within) lose_on_the_way();
    for (const Wait& entry : entries_) {
      Count& queue = counts[source_ + '/' + entry.where];
      add(queue, entry);
      decide(queue, verdict_of(entry.fate, (entry.fate == Fate::waiting ? now : entry.end) - entry.start, abandons_));
    }
    for (std::size_t i = 0; i < offers_.size(); ++i) {
      const Wait& offer = offers_[i];
      // Moved by agreement: decided by what became of the caller in the end.
      std::size_t last = i;
      while (offers_[last].has_next) ++last;
      Fate fate = offers_[last].fate;
      if (fate == Fate::moved) fate = offers_[last].lost ? Fate::failure : Fate::waiting;
      const Time until = fate == Fate::waiting ? now : offers_[last].end;
      const Verdict verdict = verdict_of(fate, until - offer.start, abandons_);
      for (Count* scope : {&counts[offer.where], &counts[offer.where + "/phone"]}) {
        add(*scope, offer);
        decide(*scope, verdict);
      }
    }
  }

 private:
  [[nodiscard]] bool entry_waits() const { return !entries_.empty() && entries_.back().fate == Fate::waiting; }

  void offered(const std::string& queue, Time at) {
    const std::string segment = segment_of(queue);
    const bool in_time = moving_ && at - left_at_ <= requeue_within;
    if (moving_ && !in_time) lose_on_the_way();
    const bool same_offer = in_time && offers_.back().fate == Fate::waiting && offers_.back().where == segment;
    if (!same_offer) {
      Wait offer{segment, at, {}, Fate::waiting, talked_, false, false, false};
      if (in_time) offers_.back().has_next = offer.from_overflow = true;
      offers_.push_back(offer);
    }
    moving_ = talked_ = false;
    entries_.push_back({queue, at, {}, Fate::waiting, false, false, false, false});
  }

  void forwarded(const v1::Forwarded& event, Time at) {
    if (event.reason() != "overflow")
      return end(event.reason() == "timeout" || event.reason() == "empty" ? Fate::failure : Fate::choice, at);
    entries_.back().fate = Fate::moved;
    entries_.back().end = at;
    if (segment_of(event.to()) != offers_.back().where) {
      offers_.back().fate = Fate::moved;
      offers_.back().end = at;
    }
    moving_ = true;
    left_at_ = at;
  }

  void end(Fate fate, Time at) {
    for (Wait* wait : {&entries_.back(), &offers_.back()}) {
      if (wait->fate != Fate::waiting) continue;
      wait->fate = fate;
      wait->end = at;
    }
  }

  void lose_on_the_way() {
    moving_ = false;
    Wait& offer = offers_.back();
    if (offer.fate == Fate::waiting) {
      offer.fate = Fate::failure;
      offer.end = left_at_;
    } else {
      offer.lost = true;
    }
  }

  static void add(Count& count, const Wait& wait) {
    ++count.offered;
    count.transferred_in += wait.transferred ? 1 : 0;
    count.overflow_in += wait.from_overflow ? 1 : 0;
    switch (wait.fate) {
      case Fate::waiting:
        ++count.waiting;
        break;
      case Fate::answered:
        ++count.answered;
        count.answer_wait_s += seconds_of(std::max(wait.end - wait.start, Duration::zero()));
        break;
      case Fate::abandoned:
        ++count.abandoned;
        count.short_abandons += wait.end - wait.start < short_abandon ? 1 : 0;
        break;
      case Fate::unknown:
        ++count.unknown;
        break;
      case Fate::choice:
      case Fate::failure:
      case Fate::moved:
        ++count.forwarded;
        break;
    }
  }
  static void decide(Count& count, Verdict verdict) {
    count.met += verdict == Verdict::met ? 1 : 0;
    count.missed += verdict == Verdict::missed ? 1 : 0;
  }

  std::string source_;
  Abandons abandons_;
  std::vector<Wait> offers_, entries_;
  bool moving_ = false, talked_ = false;
  Time left_at_{};
};

/// A work item from its receipt to its end.
class Item {
 public:
  void take(const v1::Event& event, Time at) {
    switch (event.event_case()) {
      case v1::Event::kReceived:
        segment_ = segment_of(event.received().queue());
        due_ = at + due_in;
        break;
      case v1::Event::kPaused:
        pass(at - Duration(1));
        paused_at_ = at;
        break;
      case v1::Event::kResumed:
        due_ += at - *paused_at_;
        paused_at_.reset();
        break;
      case v1::Event::kCompleted:
        pass(at - Duration(1));
        completed_ = true;
        break;
      case v1::Event::kCancelled:
        cancelled_ = true;
        break;
      default:
        break;
    }
  }

  void count(Counts& counts, Time now) {
    if (!completed_ && !cancelled_) pass(now);
    for (Count* scope : {&counts[segment_], &counts[segment_ + "/mail"]}) {
      ++scope->items_received;
      scope->items_completed += completed_ ? 1 : 0;
      scope->items_met += completed_ && !missed_ ? 1 : 0;
      scope->items_missed += missed_ && !cancelled_ ? 1 : 0;
      scope->backlog += !completed_ && !cancelled_ ? 1 : 0;
      scope->overdue += !completed_ && !cancelled_ && missed_ ? 1 : 0;
    }
  }

 private:
  /// The clock has come to `now`.
  void pass(Time now) { missed_ = missed_ || (!paused_at_ && due_ <= now); }

  std::string segment_;
  Time due_{};
  std::optional<Time> paused_at_;
  bool missed_ = false, completed_ = false, cancelled_ = false;
};

Count count_of(const Figures& f) {
  Count count;
  count.offered = f.offered;
  count.answered = f.answered;
  count.abandoned = f.abandoned;
  count.short_abandons = f.short_abandons;
  count.forwarded = f.forwarded;
  count.unknown = f.unknown;
  count.waiting = f.waiting;
  count.met = f.met;
  count.missed = f.missed;
  count.transferred_in = f.transferred_in;
  count.overflow_in = f.overflow_in;
  count.items_received = f.items_received;
  count.items_completed = f.items_completed;
  count.items_met = f.items_met;
  count.items_missed = f.items_missed;
  count.backlog = f.backlog;
  count.overdue = f.overdue;
  count.answer_wait_s = f.asa_s.value_or(0) * static_cast<double>(f.answered);
  return count;
}

}  // namespace

std::string to_text(const Count& c) {
  std::ostringstream out;
  const auto put = [&out](const char* name, std::int64_t value) {
    if (value != 0) out << ' ' << name << ' ' << value;
  };
  put("offered", c.offered);
  put("answered", c.answered);
  put("abandoned", c.abandoned);
  put("short", c.short_abandons);
  put("forwarded", c.forwarded);
  put("unknown", c.unknown);
  put("waiting", c.waiting);
  put("met", c.met);
  put("missed", c.missed);
  put("transferred_in", c.transferred_in);
  put("overflow_in", c.overflow_in);
  put("items_received", c.items_received);
  put("items_completed", c.items_completed);
  put("items_met", c.items_met);
  put("items_missed", c.items_missed);
  put("backlog", c.backlog);
  put("overdue", c.overdue);
  out << " answer_wait_s " << c.answer_wait_s;
  return out.str();
}

Counts count_from_scratch(const std::vector<Taken>& taken, const Config& config, Time now) {
  Abandons abandons = Abandons::ignored;
  for (const ServiceConfig& service : config.services) {
    if (service.id == "phone") abandons = service.abandons;
  }
  std::map<std::string, Call> calls;
  std::map<std::string, Item> items;
  for (const Taken& each : taken) {
    const std::string& contact = each.event.contact();
    if (contact.empty()) continue;
    const std::string key = each.source + '/' + contact;
    if (contact.starts_with("c")) {
      calls.try_emplace(key, each.source, abandons).first->second.take(each.event, each.at);
    } else {
      items[key].take(each.event, each.at);
    }
  }
  Counts counts;
  for (auto& [key, call] : calls) call.count(counts, now);
  for (auto& [key, item] : items) item.count(counts, now);
  return counts;
}

Counts counts_of(const Engine& engine) {
  Counts counts;
  const Window month{Window::Kind::calendar, {}, Period::month};
  for (std::uint32_t s = 0; s < engine.segment_count(); ++s) {
    const SegmentView view = engine.view_segment(s, month, engine.now());
    counts[view.id] = count_of(view.figures);
    for (const ScopeView& service : view.services) counts[view.id + '/' + service.id] = count_of(service.figures);
    for (const ScopeView& queue : view.queues) counts[queue.id] = count_of(queue.figures);
  }
  return counts;
}

std::string difference(const Counts& engine, const Counts& reference) {
  std::string text;
  Counts both = engine;
  both.insert(reference.begin(), reference.end());
  for (const auto& [scope, ignored] : both) {
    const auto of = [&scope](const Counts& counts) {
      const auto found = counts.find(scope);
      return found == counts.end() ? Count{} : found->second;
    };
    Count is = of(engine);
    const Count should = of(reference);
    if (std::abs(is.answer_wait_s - should.answer_wait_s) < 1e-5) is.answer_wait_s = should.answer_wait_s;
    if (is == should) continue;
    text += scope + "\n  engine   " + to_text(is) + "\n  reference" + to_text(should) + "\n";
  }
  return text;
}

}  // namespace reach::sim
