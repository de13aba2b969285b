#include "clients/wallboard/board.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace reach::wallboard {
namespace {

using nlohmann::json;

v1::Snapshot snapshot(const std::vector<std::string>& segments) {
  v1::Snapshot s;
  s.mutable_status()->set_time_ns(1'000'000'000);
  s.mutable_status()->set_software("0.1.0");
  for (const std::string& id : segments) s.mutable_status()->add_segments()->set_id(id);
  s.add_staffing()->set_pool("p");
  return s;
}

v1::Alert alert(const std::string& id, std::uint32_t revision, const std::string& state = "firing") {
  v1::Alert a;
  a.set_id(id);
  a.set_revision(revision);
  a.set_state(state);
  a.set_changed_ns(revision);
  return a;
}

v1::Alerts alerts(const std::vector<v1::Alert>& all) {
  v1::Alerts list;
  for (const v1::Alert& a : all) *list.add_alerts() = a;
  return list;
}

std::vector<std::string> ids(const std::string& text, const char* list) {
  std::vector<std::string> found;
  const json whole = json::parse(text);
  for (const json& one : whole.at(list)) found.push_back(one.at("id"));
  return found;
}

using Ids = std::vector<std::string>;

TEST(Board, WritesTheStatusShape) {
  Board board;
  EXPECT_FALSE(board.has_snapshot());
  board.set_snapshot(snapshot({"b", "a"}));
  const json state = json::parse(board.state(false));
  EXPECT_EQ(state.at("time"), "1970-01-01T00:00:01Z");
  EXPECT_EQ(ids(board.state(false), "segments"), (Ids{"b", "a"}));
  EXPECT_EQ(state.at("sources"), json::array());
  EXPECT_EQ(state.at("software"), "0.1.0");
  EXPECT_FALSE(state.contains("complete"));
  EXPECT_EQ(json::parse(board.state(true)).at("complete"), true);
}

TEST(Board, ReplacesASegmentInItsPlace) {
  Board board;
  board.set_snapshot(snapshot({"a", "b"}));
  v1::SegmentState changed;
  changed.set_id("a");
  changed.set_stale(true);
  changed.set_time_ns(3'000'000'000);
  const Json said = board.set_segment(changed);
  EXPECT_EQ(json::parse(*said).at("stale"), true);
  const json state = json::parse(board.state(false));
  EXPECT_EQ(state.at("segments").at(0).at("stale"), true);
  EXPECT_EQ(state.at("segments").size(), 2U);
  EXPECT_EQ(state.at("time"), "1970-01-01T00:00:03Z");
}

TEST(Board, ForgetsSegmentsThatASnapshotDoesNotName) {
  Board board;
  board.set_snapshot(snapshot({"a", "b"}));
  board.set_snapshot(snapshot({"b"}));
  EXPECT_FALSE(board.has_segment("a"));
  EXPECT_TRUE(board.has_segment("b"));
}

TEST(Board, TakesNoOlderRevisionOfAnAlert) {
  Board board;
  EXPECT_NE(board.set_alert(alert("x", 3)), nullptr);
  EXPECT_EQ(board.set_alert(alert("x", 2)), nullptr);
  EXPECT_NE(board.set_alert(alert("x", 3)), nullptr);
}

TEST(Board, ForgetsAlertsThatTheListOfAllDoesNotName) {
  Board board;
  board.set_alert(alert("gone", 1));
  board.set_alert(alert("unsaid", 5));
  board.set_snapshot(snapshot({}));
  EXPECT_EQ(ids(board.alerts(), "alerts"), (Ids{"gone", "unsaid"})) << "a snapshot says nothing of alerts";
  board.set_alerts(alerts({alert("listed", 1), alert("unsaid", 4)}));
  EXPECT_EQ(ids(board.alerts(), "alerts"), (Ids{"listed", "unsaid"}));
  EXPECT_EQ(json::parse(board.alerts()).at("alerts").at(1).at("revision"), 4) << "what the daemon says now is so";
}

TEST(Board, TakesOverTheRestOfTheStatusAlone) {
  Board board;
  board.set_snapshot(snapshot({"a", "b"}));
  v1::Status status = snapshot({"b"}).status();
  status.set_time_ns(5'000'000'000);
  status.set_outside_catalogue(3);
  status.add_unrouted()->set_id("pbx/nobodys");
  board.set_rest(status);
  const json state = json::parse(board.state(false));
  EXPECT_EQ(state.at("outside_catalogue"), 3);
  EXPECT_EQ(state.at("unrouted").at(0).at("id"), "pbx/nobodys");
  EXPECT_EQ(state.at("time"), "1970-01-01T00:00:01Z") << "the time is that of the figures";
  EXPECT_EQ(ids(board.state(false), "segments"), (Ids{"a", "b"}));
  EXPECT_NE(board.state_event()->find("nobodys"), std::string::npos);
}

TEST(Board, ForgetsTheOldestResolvedAlertsOnly) {
  Board board;
  board.set_alert(alert("open", 1));
  for (std::uint32_t i = 2; i < Board::resolved_max + 12; ++i) {
    board.set_alert(alert("r" + std::to_string(i), i, "resolved"));
  }
  const Ids known = ids(board.alerts(), "alerts");
  EXPECT_EQ(known.size(), Board::resolved_max + 1);
  EXPECT_EQ(known.front(), "open");
  EXPECT_EQ(known.at(1), "r12");
}

}  // namespace
}  // namespace reach::wallboard
