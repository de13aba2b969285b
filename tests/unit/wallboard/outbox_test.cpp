#include "clients/wallboard/outbox.hpp"

#include <gtest/gtest.h>

namespace reach::wallboard {
namespace {

Json text(std::string json) {
  return std::make_shared<const std::string>(std::move(json));
}

std::string taken(Outbox& outbox) {
  std::string all;
  for (const Json& piece : outbox.take()) all += *piece;
  return all;
}

TEST(Outbox, KeepsTheLastValueOfEachSegment) {
  Outbox outbox;
  EXPECT_TRUE(outbox.empty());
  for (int i = 0; i < 1000; ++i) outbox.put_segment("a", text("{\"n\":" + std::to_string(i) + "}"));
  outbox.put_segment("b", text("{}"));
  EXPECT_EQ(taken(outbox),
            "event: state\ndata: {\"time\":null,\"complete\":false,\"segments\":[{\"n\":999},{}],\"sources\":[]}\n\n");
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, KeepsEveryAlertInOrder) {
  Outbox outbox;
  outbox.put_alert(text("1"));
  outbox.put_alert(text("2"));
  outbox.put_staffing("p", text("3"));
  EXPECT_EQ(taken(outbox), "event: alert\ndata: 1\n\nevent: alert\ndata: 2\n\nevent: staffing\ndata: 3\n\n");
}

TEST(Outbox, SaysConnectionFirstAndTheWholeBoardBeforeChanges) {
  v1::Snapshot snapshot;
  snapshot.mutable_status()->add_segments()->set_id("a");
  snapshot.add_staffing()->set_pool("p");
  Board board;
  board.set_snapshot(snapshot);
  Outbox outbox;
  outbox.put_segment("before", text("{}"));
  outbox.put_board(board);
  outbox.put_segment("after", text("{}"));
  outbox.put_connection("{}");
  const std::string all = taken(outbox);
  EXPECT_EQ(all.find("event: connection"), 0U);
  const auto whole = all.find("\"complete\":true");
  const auto change = all.find("\"complete\":false");
  ASSERT_NE(whole, std::string::npos);
  ASSERT_NE(change, std::string::npos);
  EXPECT_LT(whole, change);
  EXPECT_LT(change, all.find("event: staffing"));
  EXPECT_NE(all.find("\"segments\":[{}]"), std::string::npos) << "only what changed after the board";
}

TEST(Outbox, SharesTheWholeBoardWithAllOthers) {
  v1::Snapshot snapshot;
  snapshot.mutable_status()->add_segments()->set_id("a");
  Board board;
  board.set_snapshot(snapshot);
  Outbox one, another;
  for (Outbox* each : {&one, &another}) {
    each->put_board(board);
    each->put_alerts(board.alerts_event());
  }
  EXPECT_EQ(one.take(), another.take()) << "the same texts, not equal ones";
  const Json before = board.state_event();
  board.set_segment(snapshot.status().segments(0));
  EXPECT_NE(board.state_event(), before);
}

TEST(Outbox, ReplacesWaitingAlertsByTheListOfAll) {
  Outbox outbox;
  outbox.put_alert(text("1"));
  outbox.put_alerts(text(event_text("alerts", "[1]")));
  outbox.put_alert(text("2"));
  EXPECT_EQ(taken(outbox), "event: alerts\ndata: [1]\n\nevent: alert\ndata: 2\n\n");
}

TEST(Outbox, SaysResyncInsteadOfDroppingAlerts) {
  Outbox outbox;
  const Json big = text(std::string(Outbox::alert_bytes_max / 4, 'x'));
  for (int i = 0; i < 4; ++i) outbox.put_alert(big);
  EXPECT_FALSE(outbox.finished());
  outbox.put_alert(big);
  EXPECT_TRUE(outbox.finished());
  EXPECT_EQ(big.use_count(), 1) << "what waited is let go";
  outbox.put_alert(big);
  outbox.put_segment("a", big);
  EXPECT_EQ(taken(outbox).find("event: resync"), 0U);
  EXPECT_EQ(big.use_count(), 1);
}

}  // namespace
}  // namespace reach::wallboard
