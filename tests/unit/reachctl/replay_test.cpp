#include "clients/reachctl/replay.hpp"

#include <gtest/gtest.h>

#include "daemon/settings/settings.hpp"

namespace reach::ctl {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time eight = time_from_ns(1'795'420'800'000'000'000);  // 2026-11-23T08:00:00Z, a Monday

class ReplayTest : public testing::Test {
 protected:
  static Config config() {
    auto loaded = settings::load_text(R"([[segment]]
id = "sales"
queues = ["sales"]
[[service]]
id = "phone"
medium = "call"
threshold = "20s"
[[contract]]
id = "c"
client = "field sales"
segments = ["sales"]
  [[contract.objective]]
  figure = "service_level"
  service = "phone"
  target = 0.8
  window = "30m"
  min_samples = 1
)",
                                      "test");
    for (const auto& problem : loaded.problems) ADD_FAILURE() << settings::render(problem);
    return loaded.core;
  }
  Replay replay(ReplayOptions options) {
    ReplayCalls calls;
    calls.status = [this](v1::Status status) { statuses.push_back(std::move(status)); };
    calls.alert = [this](const Alert& alert) { alerts.push_back(alert); };
    return {config(), options, calls};
  }
  static ReplayOptions hourly(std::optional<Time> until = {}) {
    ReplayOptions options;
    options.every = Period::hour;
    options.until = until;
    return options;
  }
  static Input event(EventKind kind, Time at, const char* contact) {
    Event made;
    made.kind = kind;
    made.at = at;
    made.source = "pbx";
    made.contact = contact;
    made.queue = kind == EventKind::offered ? "sales" : "";
    return made;
  }
  const v1::Figures& figures(std::size_t i) const { return statuses.at(i).segments(0).figures(); }
  static std::uint64_t ns(Time t) { return static_cast<std::uint64_t>(ns_of(t)); }

  std::vector<v1::Status> statuses;
  std::vector<Alert> alerts;
};

TEST_F(ReplayTest, SaysEachPeriodOnceEmptyOnesIncluded) {
  Replay r = replay(hourly());
  r.take(event(EventKind::offered, eight, "c1"), eight);
  r.take(event(EventKind::answered, eight + seconds(5), "c1"), eight + seconds(5));
  r.take(event(EventKind::ended, eight + hours(2) + minutes(1), "c1"), eight + hours(2) + minutes(1));
  r.finish();
  ASSERT_EQ(statuses.size(), 3u);
  EXPECT_EQ(figures(0).offered(), 1);
  EXPECT_EQ(figures(1).offered(), 0);
  EXPECT_EQ(statuses[0].period().from_ns(), ns(eight));
  EXPECT_EQ(statuses[0].period().to_ns(), ns(eight + hours(1)));
  EXPECT_FALSE(statuses[1].period().partial());
  EXPECT_TRUE(statuses[2].period().partial());
  EXPECT_EQ(statuses[2].period().to_ns(), ns(eight + hours(3))) << "the nominal end";
}

TEST_F(ReplayTest, GivesWhatHappensAtTheEndOfAPeriodToTheNext) {
  Replay r = replay(hourly());
  const Time nine = eight + hours(1);
  r.take(event(EventKind::offered, nine - seconds(20), "c1"), nine - seconds(20));  // passes the threshold at nine
  r.take(event(EventKind::offered, nine, "c2"), nine);
  r.take(event(EventKind::answered, nine + seconds(1), "c2"), nine + seconds(1));
  r.finish();
  ASSERT_EQ(statuses.size(), 2u);
  EXPECT_EQ(figures(0).offered(), 1);
  EXPECT_EQ(figures(0).missed(), 0);
  EXPECT_EQ(figures(0).waiting(), 1);
  EXPECT_DOUBLE_EQ(figures(0).longest_wait_s(), 20);
  EXPECT_EQ(figures(1).offered(), 1);
  EXPECT_EQ(figures(1).missed(), 1);
}

TEST_F(ReplayTest, RunsOnUntilATimeAndStopsThere) {
  Replay r = replay(hourly(eight + hours(2)));
  EXPECT_TRUE(r.take(event(EventKind::offered, eight, "c1"), eight));
  EXPECT_FALSE(r.take(event(EventKind::answered, eight + hours(2), "c1"), eight + hours(2))) << "that is not before it";
  r.finish();
  ASSERT_EQ(statuses.size(), 2u) << "the third hour has not begun";
  EXPECT_EQ(figures(1).waiting(), 1);
  EXPECT_DOUBLE_EQ(figures(1).longest_wait_s(), 7200);
  EXPECT_FALSE(statuses[1].period().partial());
  EXPECT_EQ(figures(0).missed(), 1);
}

TEST_F(ReplayTest, TellsAlertsAsTheyHappen) {
  Replay r = replay({});
  r.take(event(EventKind::offered, eight, "c1"), eight);
  r.take(event(EventKind::answered, eight + seconds(30), "c1"), eight + seconds(30));
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].changed, eight + seconds(20))
      << "when the wait passed the threshold, not when the next event came";
}

TEST_F(ReplayTest, CountsLinesThatStepBackAndAppliesThem) {
  Replay r = replay({});
  r.take(event(EventKind::offered, eight, "c1"), eight);
  r.take(event(EventKind::offered, eight + seconds(60), "c2"), eight + seconds(60));
  r.take(event(EventKind::answered, eight + seconds(10), "c1"), eight + seconds(10));
  r.finish();
  EXPECT_EQ(r.stepped_back(), 1);
  EXPECT_EQ(figures(0).met(), 1);
  EXPECT_EQ(figures(0).missed(), 0);
}

TEST_F(ReplayTest, SaysNothingOfNothing) {
  Replay r = replay({});
  r.finish();
  EXPECT_FALSE(r.started());
  EXPECT_TRUE(statuses.empty());
}

TEST_F(ReplayTest, GivesTheSameAlertsEveryTime) {
  const auto run = [this] {
    alerts.clear();
    Replay r = replay({});
    for (int i = 0; i < 5; ++i) {
      const std::string contact = "c" + std::to_string(i);
      r.take(event(EventKind::offered, eight + minutes(i), contact.c_str()), eight + minutes(i));
    }
    r.take(event(EventKind::offered, eight + hours(1), "last"), eight + hours(1));
    r.finish();
    std::string ids;
    for (const Alert& alert : alerts) ids += alert.id + ' ' + std::to_string(alert.revision) + '\n';
    return ids;
  };
  const std::string first = run();
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, run());
}

}  // namespace
}  // namespace reach::ctl
