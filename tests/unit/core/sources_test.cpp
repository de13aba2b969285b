// What sources say about themselves and about people.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "tests/unit/core/world.hpp"

namespace reach::test {
namespace {

void lost(World& w, std::uint64_t count) {
  Event event;
  event.lost_count = count;
  w.at(0, EventKind::events_lost, "", event);
}

TEST(Source, CountsLostEventsUpToTheLargestNumber) {
  World w;
  const auto events_lost = [&w] { return w.engine.view_source(0, w.engine.now()).events_lost; };
  lost(w, 0);
  EXPECT_EQ(events_lost(), 1);
  lost(w, 41);
  EXPECT_EQ(events_lost(), 42);
  lost(w, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(events_lost(), std::numeric_limits<std::int64_t>::max());
  lost(w, std::uint64_t{1} << 63);
  lost(w, 0);
  EXPECT_EQ(events_lost(), std::numeric_limits<std::int64_t>::max());
}

TEST(Agent, ServesSoManyQueuesAndNoMore) {
  Config config = small_config();
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) {
    names.push_back("q" + std::to_string(i));
    config.segments.emplace_back();
    config.segments.back().id = names.back();
    config.segments.back().queues = {{"", names.back(), ""}};
    config.pools[0].segments.push_back(names.back());
  }
  const std::vector<std::string_view> queues(names.begin(), names.end());
  World w(config);
  Event login;
  login.agent = "a1";
  login.list = queues;
  w.at(0, EventKind::logged_in, "", login);
  EXPECT_EQ(w.view("q0").agents.available, 1);
  EXPECT_EQ(w.view("q255").agents.available, 1);
  EXPECT_EQ(w.view("q256").agents.available, 0);
  EXPECT_EQ(w.engine.totals().contradictions, 1);
  int remarks = 0;
  for (const Decision& decision : w.decisions)
    if (const auto* remark = std::get_if<Remark>(&decision); remark != nullptr && remark->kind == "contradiction") {
      ++remarks;
      EXPECT_EQ(remark->text,
                "source pbx, agent a1: an event that logs into more queues than 256; counted, and the others are left "
                "out");
    }
  EXPECT_EQ(remarks, 1);
  login.list = std::span(queues).first(256);
  w.at(1, EventKind::logged_in, "", login);
  EXPECT_EQ(w.engine.totals().contradictions, 1);
}

/// What people do changes what is shown of each segment they serve, once until it was shown.
TEST(Agent, MakesTheStatesOfItsSegmentsOutOfDate) {
  World w;
  Event login;
  login.agent = "a1";
  const std::array<std::string_view, 2> queues = {"sales", "dealers"};
  login.list = queues;
  w.at(0, EventKind::logged_in, "", login);
  w.engine.published_segment(0);
  w.engine.published_segment(1);
  w.decisions.clear();
  Event pause;
  pause.agent = "a1";
  w.at(1, EventKind::agent_paused, "", pause);
  w.at(2, EventKind::agent_resumed, "", pause);
  EXPECT_EQ(
      std::ranges::count_if(w.decisions, [](const Decision& d) { return std::holds_alternative<SegmentChanged>(d); }),
      2);
}

}  // namespace
}  // namespace reach::test
