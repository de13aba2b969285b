// Objectives at the instants at which time alone decides.
#include <gtest/gtest.h>

#include "tests/unit/core/world.hpp"

namespace reach::test {
namespace {

constexpr double hour = 3600;

/// One objective on the items of both segments.
Config with_age_target(double target_s) {
  Config config = small_config();
  ObjectiveConfig& objective = config.contracts[0].objectives[0];
  objective.figure = Figure::oldest_age_s;
  objective.service = "";
  objective.target = objective.clear = target_s;
  objective.window = {Window::Kind::now, {}, Period::day};
  config.services[1].due_in = std::chrono::hours(24 * 1000);  // nothing falls due meanwhile
  config.segments[0].queues.push_back({"", "parcels", "parcel"});
  config.services.push_back(config.services[1]);
  config.services.back().id = "parcel";
  return config;
}

void item(World& w, double second, EventKind kind, std::string_view contact, std::string_view queue = {}) {
  Event event;
  event.queue = queue;
  w.at(second, kind, contact, event);
}

/// Sleeps and wakes as the daemon does, until `second`; so many times, at most 1,000.
int wakes(World& w, double second) {
  int n = 0;
  for (; w.engine.next_wakeup() <= World::time(second) && n < 1000; ++n)
    w.engine.step(TimePassed{}, w.engine.next_wakeup(), w.decisions);
  w.pass(second);
  return n;
}

bool is_breached(World& w) {
  return w.view().objectives.front().status == ObjectiveStatus::breached;
}

TEST(OldestAge, WakesNobodyWhileTheClockOfTheItemStands) {
  for (const double short_of_it : {0.0, 1e-9, 1e-6, 1.0}) {
    SCOPED_TRACE(short_of_it);
    World w(with_age_target(hour));
    item(w, 0, EventKind::received, "m1", "letters");
    item(w, hour - short_of_it, EventKind::paused, "m1");
    EXPECT_LT(wakes(w, 3 * hour), 20);  // the ends of intervals
    EXPECT_FALSE(is_breached(w));
    item(w, 3 * hour, EventKind::resumed, "m1");
    EXPECT_LT(wakes(w, 3 * hour + short_of_it), 3);
    EXPECT_FALSE(is_breached(w));
    w.pass(3 * hour + short_of_it + 1e-9);
    EXPECT_TRUE(is_breached(w));
  }
}

TEST(OldestAge, IsBreachedByTheItemThatGrowsOlderBesideOneThatStands) {
  World w(with_age_target(hour));
  item(w, 0, EventKind::received, "m1", "letters");
  item(w, 1800, EventKind::received, "p1", "parcels");
  item(w, hour, EventKind::paused, "m1");
  EXPECT_LT(wakes(w, 1800 + hour), 10);
  EXPECT_FALSE(is_breached(w));
  w.pass(1800 + hour + 1e-9);
  EXPECT_TRUE(is_breached(w));
}

/// An age of decades is rounded to a quarter of a microsecond: it passes its target some time after the target.
TEST(OldestAge, WakesOnceWhereRoundingHidesThatTheTargetHasPassed) {
  const double age_s = seconds_of(World::time(0).time_since_epoch());
  World w(with_age_target(age_s + 1));
  Event event;
  event.queue = "letters";
  event.received_at = Time{};
  w.at(0, EventKind::received, "m1", event);
  EXPECT_LT(wakes(w, 2), 4);
  EXPECT_TRUE(is_breached(w));
}

TEST(OldestAge, StandsWhileItIsClosed) {
  Config config = with_age_target(hour);
  std::array<Calendar::Day, 7> week;
  for (Calendar::Day& day : week) day = {{std::chrono::hours(8), std::chrono::hours(9)}};
  config.contracts[0].calendar = Calendar(Zone(), week, {});
  World w(config);
  item(w, 0, EventKind::received, "m1", "letters");
  EXPECT_LT(wakes(w, 24 * hour), 200);
  EXPECT_FALSE(is_breached(w));
  w.pass(24 * hour + 1e-9);
  EXPECT_TRUE(is_breached(w));
}

TEST(OldestAge, CountsNoPauseBeforeTheReceiptAndNoneTwice) {
  const double in_1970 = -seconds_of(World::time(0).time_since_epoch()) + 1;
  for (const bool old : {false, true}) {
    SCOPED_TRACE(old);
    World w(with_age_target(1e9));
    Event event;
    event.queue = "letters";
    event.received_at = old ? World::time(in_1970) : World::time(1e9);  // a receipt to come is one of now
    w.at(0, EventKind::received, "m1", event);
    w.pass(100);
    for (int i = 0; i < 8; ++i) {
      for (const auto& [at, kind] : {std::pair(in_1970, EventKind::paused), std::pair(100.0, EventKind::resumed)}) {
        Event late;
        late.kind = kind;
        late.at = World::time(at);
        late.source = "pbx";
        late.contact = "m1";
        w.input(100, late);
      }
    }
    w.pass(400);
    EXPECT_EQ(w.view().figures.oldest_age_s, 300);  // all before was one long pause
  }
}

}  // namespace
}  // namespace reach::test
