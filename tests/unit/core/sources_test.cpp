// What sources say about themselves and about people.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
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

void of_agent(World& w, double second, EventKind kind, std::string_view agent, std::string_view source = "pbx") {
  const std::array<std::string_view, 1> queues = {"sales"};
  Event event;
  event.source = source;
  event.agent = agent;
  event.list = queues;
  w.at(second, kind, kind == EventKind::ringing ? "c1" : "", event);
}

/// Who was there and is not named is gone, again and again, and nobody else is.
TEST(Listing, EndsThePresenceOfThoseWhomItDoesNotName) {
  World w;
  w.offered(0, "c1", "sales");
  for (const std::string_view agent : {"a1", "a2", "a3", "a4"}) of_agent(w, 0, EventKind::logged_in, agent);
  of_agent(w, 0, EventKind::logged_in, "b1", "pbx2");
  of_agent(w, 1, EventKind::ringing, "a1");
  of_agent(w, 1, EventKind::ringing, "a4");
  EXPECT_EQ(w.view().agents.ringing, 2);
  const auto list = [&w](double second, std::initializer_list<std::string_view> agents) {
    w.at(second, EventKind::resync_begin, "");
    for (const std::string_view agent : agents) of_agent(w, second, EventKind::logged_in, agent);
    Event end;
    const std::array<std::string_view, 1> calls = {"c1"};
    end.list = calls;
    w.at(second, EventKind::resync_end, "", end);
  };
  list(2, {"a1", "a2"});
  EXPECT_EQ(w.view().agents.available, 3);  // nobody rings after a listing unless it says so
  EXPECT_EQ(w.view().agents.logged_in, 3);
  EXPECT_EQ(w.view().figures.waiting, 1);
  list(3, {"a2", "a3"});
  EXPECT_EQ(w.view().agents.logged_in, 3);
  of_agent(w, 4, EventKind::logged_in, "a4");
  EXPECT_EQ(w.view().agents.logged_in, 4);
  of_agent(w, 5, EventKind::ringing, "a1");  // not there, whatever rings
  EXPECT_EQ(w.view().agents.logged_in, 4);
  list(6, {});
  EXPECT_EQ(w.view().agents.logged_in, 1);
  w.at(7, EventKind::resync_end, "");  // without a beginning
  EXPECT_EQ(w.view().agents.logged_in, 1);
  EXPECT_EQ(w.view().figures.waiting, 1);
  w.pass(86400 + 8);  // and forgotten after a day
  of_agent(w, 86400 + 8, EventKind::logged_in, "a5");
  of_agent(w, 86400 + 8, EventKind::logged_in, "a6");
  EXPECT_EQ(w.engine.totals().agents, 3);
  list(86400 + 9, {"a6"});
  EXPECT_EQ(w.view().agents.logged_in, 2);
}

TEST(Listing, EndsOnlyTheCallsOfItsSource) {
  World w;
  for (const std::string_view source : {"pbx", "pbx2"}) {
    for (const std::string_view contact : {"c1", "c2", "c3"}) {
      Event event;
      event.source = source;
      event.queue = "sales";
      w.at(0, EventKind::offered, contact, event);
    }
  }
  w.at(1, EventKind::resync_begin, "");
  Event end;
  const std::array<std::string_view, 1> calls = {"c2"};
  end.list = calls;
  w.at(1, EventKind::resync_end, "", end);
  EXPECT_EQ(w.figures().waiting, 4);
  EXPECT_EQ(w.figures().unknown, 2);
  w.pass(5 * 3600);  // each source's expire
  EXPECT_EQ(w.figures().waiting, 0);
  EXPECT_EQ(w.engine.totals().contacts_expired, 4);
}

}  // namespace
}  // namespace reach::test
