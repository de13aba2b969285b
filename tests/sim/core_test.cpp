#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "daemon/core/engine.hpp"
#include "daemon/settings/settings.hpp"

namespace reach {
namespace {

constexpr Time eight = time_from_ns(1'795'420'800'000'000'000);  // 2026-11-23T08:00:00Z

constexpr const char* configuration = R"(
[[segment]]
id = "a"
queues = ["a1", "a2"]
overflow_to = ["b"]
[[segment]]
id = "b"
queues = ["b1"]
overflow_to = ["a"]
[[service]]
id = "phone"
medium = "call"
threshold = "20s"
[[service]]
id = "mail"
medium = "item"
due_in = "1h"
[[contract]]
id = "k"
client = "field sales"
segments = ["a"]
  [[contract.objective]]
  id = "level"
  service = "phone"
  figure = "service_level"
  target = 0.8
  window = "30m"
  min_samples = 2
  [[contract.objective]]
  id = "wait"
  service = "phone"
  figure = "longest_wait_s"
  target = "60s"
  window = "now"
  [[contract.objective]]
  id = "on_time"
  service = "mail"
  figure = "on_time_rate"
  target = 0.9
  window = "day"
  min_samples = 2
)";

Config config() {
  auto loaded = settings::load_text(configuration, "simulation");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << settings::render(problem);
  return loaded.core;
}

/// A back office gone mad: few names used for everything, any event at any time, a tenth of them told late.
class Madness {
 public:
  explicit Madness(unsigned seed) : random_(seed), contacts_(pick(4) * 25 + 5) {}

  /// The next event; its texts live until the one after it. `now`: when it becomes known.
  const Event& next(Time& now) {
    static constexpr std::array<long, 7> steps_ms = {0, 0, 100, 1000, 3000, 10'000, 40'000};
    now += std::chrono::milliseconds(steps_ms[pick(steps_ms.size())]);
    event_ = {};
    event_.at = pick(10) == 0 ? now - std::chrono::seconds(pick(600)) : now;
    event_.source = pick(10) == 0 ? "pbx2" : "pbx";
    event_.kind = kind();
    contact_ = "c" + std::to_string(pick(contacts_) + count_++ / 200 * contacts_ / 2);
    event_.contact = contact_;
    event_.agent = one_of({"x1", "x2", "x3", ""});
    event_.queue = one_of({"a1", "a2", "b1", "a1", "a2", "b1", "nowhere"});
    event_.to = one_of({"a", "b", "a2", "b1", ""});
    event_.service = pick(20) == 0 ? one_of({"phone", "mail", "holidays"}) : "";
    event_.forward_reason = static_cast<ForwardReason>(pick(10));
    event_.direction = pick(50) == 0 ? Direction::outbound : Direction::inbound;
    event_.certainty = static_cast<Certainty>(pick(3));
    if (event_.kind == EventKind::due_changed) event_.due = now + std::chrono::minutes(static_cast<int>(pick(90)) - 10);
    if (event_.kind == EventKind::resync_end) {
      kept_ = {"c1", "c2", "c3"};
      event_.list = kept_;
    }
    if (event_.kind == EventKind::logged_in) {
      kept_ = {event_.queue};
      event_.list = kept_;
    }
    return event_;
  }

 private:
  std::size_t pick(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  const char* one_of(std::initializer_list<const char*> words) { return words.begin()[pick(words.size())]; }
  EventKind kind() {
    using enum EventKind;
    static constexpr std::array<EventKind, 8> usual = {offered,   offered, answered, abandoned,
                                                       forwarded, ended,   received, completed};
    if (pick(2) == 0) return usual[pick(usual.size())];
    const auto any = static_cast<EventKind>(pick(static_cast<std::size_t>(lead) + 1));
    // Cutting everything off every few events would leave nothing to look at.
    return (any == resync_end || any == upstream_lost) && pick(5) != 0 ? offered : any;
  }

  std::mt19937 random_;
  std::size_t contacts_, count_ = 0;
  std::string contact_;
  std::vector<std::string_view> kept_;
  Event event_;
};

void expect_accounted_for(const Figures& f, const std::string& where) {
  EXPECT_EQ(f.offered, f.answered + f.abandoned + f.forwarded + f.unknown + f.waiting) << where;
  EXPECT_LE(f.met + f.missed, f.offered) << where;
  EXPECT_LE(f.items_met + f.items_missed, f.items_received) << where;
  EXPECT_LE(f.overdue, f.backlog) << where;
  for (const std::int64_t count : {f.offered, f.answered, f.abandoned, f.short_abandons, f.forwarded, f.unknown, f.met,
                                   f.missed, f.waiting, f.backlog, f.overdue, f.items_met, f.items_missed}) {
    EXPECT_GE(count, 0) << where;
  }
}

/// 20 minutes of calls, each answered after 0 to 39 s.
std::vector<Event> twenty_minutes(std::vector<std::string>& names) {
  std::vector<Event> events;
  for (int i = 0; i < 1200; ++i) names.push_back("c" + std::to_string(i));
  for (int i = 0; i < 1200; ++i) {
    Event event;
    event.source = "pbx";
    event.contact = names[static_cast<std::size_t>(i)];
    event.queue = "a1";
    event.kind = EventKind::offered;
    event.at = eight + std::chrono::seconds(i);
    events.push_back(event);
    event.kind = EventKind::answered;
    event.at += std::chrono::seconds(i * 7 % 40);
    events.push_back(event);
  }
  return events;
}

TEST(Backlog, GivesTheSameRollingFiguresAsLive) {
  std::vector<std::string> names;
  std::vector<Event> events = twenty_minutes(names);
  const auto figures_after = [&](bool late) {
    Engine engine(config(), EngineOptions{false, false}, eight);
    Decisions decisions;
    for (const Event& event : events)
      engine.step(event, eight + (late ? std::chrono::minutes(25) : event.at - eight), decisions);
    engine.step(TimePassed{}, eight + std::chrono::minutes(40), decisions);
    const Window half_an_hour{Window::Kind::rolling, std::chrono::minutes(30), {}};
    return engine.view_segment(0, half_an_hour, engine.now()).figures;
  };
  const Figures late = figures_after(true);  // the adapter was cut off, and sends everything 25 minutes later
  std::ranges::stable_sort(events, {}, &Event::at);
  const Figures live = figures_after(false);
  EXPECT_GT(live.met, 100);
  EXPECT_GT(live.missed, 100);
  EXPECT_EQ(late.met, live.met);
  EXPECT_EQ(late.missed, live.missed);
  EXPECT_EQ(late.answered, live.answered);
  EXPECT_EQ(late.asa_s, live.asa_s);
  EXPECT_EQ(late.wait_p90_s, live.wait_p90_s);
}

class Simulation : public testing::TestWithParam<unsigned> {};

TEST_P(Simulation, EveryOfferedCallIsAccountedForExactlyOnce) {
  Engine engine(config(), EngineOptions{false, false}, eight);
  Madness madness(GetParam());
  const Window month{Window::Kind::calendar, {}, Period::month};
  Decisions decisions;
  Time now = eight;
  for (int i = 0; i < 2000 && !HasFailure(); ++i) {
    decisions.clear();
    engine.step(madness.next(now), now, decisions);
    if (i % 20 != 0) continue;
    for (std::uint32_t s = 0; s < engine.segment_count(); ++s) {
      const SegmentView view = engine.view_segment(s, month, now);
      const std::string where = "seed " + std::to_string(GetParam()) + ", event " + std::to_string(i) + ", ";
      expect_accounted_for(view.figures, where + view.id);
      for (const ScopeView& queue : view.queues) expect_accounted_for(queue.figures, where + queue.id);
      for (const ScopeView& service : view.services) expect_accounted_for(service.figures, where + service.id);
      EXPECT_EQ(view.longest_wait_since.has_value(), view.figures.waiting > 0) << where << view.id;
    }
  }
}

TEST_P(Simulation, TheSameEventsGiveTheSameAlerts) {
  const auto alerts = [](unsigned seed) {
    Engine engine(config(), EngineOptions{false, false}, eight);
    Madness madness(seed);
    Decisions decisions;
    Time now = eight;
    for (int i = 0; i < 1000; ++i) engine.step(madness.next(now), now, decisions);
    std::string said;
    for (const Decision& decision : decisions) {
      if (const auto* changed = std::get_if<AlertChanged>(&decision)) {
        said += changed->alert.id + ' ' + std::to_string(changed->alert.revision) + ' ' + changed->alert.summary + '\n';
      }
    }
    return said;
  };
  EXPECT_EQ(alerts(GetParam()), alerts(GetParam())) << "seed " << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, testing::Range(1U, 41U));

}  // namespace
}  // namespace reach
