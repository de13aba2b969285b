#include "clients/library/mailbox.hpp"

#include <gtest/gtest.h>

namespace reach::client {
namespace {

v1::SegmentState segment(const std::string& id, std::uint64_t time) {
  v1::SegmentState made;
  made.set_id(id);
  made.set_time_ns(time);
  return made;
}
v1::Alert alert(const std::string& id) {
  v1::Alert made;
  made.set_id(id);
  return made;
}
v1::Snapshot snapshot(std::uint64_t number) {
  v1::Snapshot made;
  made.set_global_sequence(number);
  return made;
}

v1::Alerts all_alerts(std::uint64_t time) {
  v1::Alerts made;
  made.set_time_ns(time);
  return made;
}

/// Empties it, a word for each item.
std::vector<std::string> content(Mailbox& mailbox) {
  struct {
    std::string operator()(const v1::Snapshot& s) const { return "snapshot" + std::to_string(s.global_sequence()); }
    std::string operator()(const v1::Alerts& a) const { return "all" + std::to_string(a.time_ns()); }
    std::string operator()(const v1::SegmentState& s) const { return s.id() + std::to_string(s.time_ns()); }
    std::string operator()(const v1::Staffing& s) const { return s.pool(); }
    std::string operator()(const v1::SourceState& s) const { return s.id(); }
    std::string operator()(const v1::Alert& a) const { return "!" + a.id(); }
    std::string operator()(const AlertsLost&) const { return "!lost"; }
    std::string operator()(const ConnectionChange& c) const { return c.connected ? "up" : "down"; }
  } const word;
  std::vector<std::string> out;
  while (auto item = mailbox.take()) out.push_back(std::visit(word, *item));
  return out;
}
using Words = std::vector<std::string>;

TEST(Mailbox, HoldsTheNewestOfEachStateInItsPlaceAndEveryAlertInOrder) {
  Mailbox mailbox;
  mailbox.put(segment("a", 1));
  mailbox.put(alert("x"));
  mailbox.put(segment("b", 1));
  mailbox.put(segment("a", 2));
  mailbox.put(alert("x"));
  mailbox.put(segment("a", 3));
  EXPECT_EQ(mailbox.alerts(), 2U);
  EXPECT_EQ(content(mailbox), (Words{"a3", "!x", "b1", "!x"}));
  EXPECT_EQ(mailbox.replaced(), 2U);
  EXPECT_EQ(mailbox.alerts(), 0U);
  mailbox.put(segment("a", 4));
  EXPECT_EQ(content(mailbox), Words{"a4"});
}

TEST(Mailbox, ASnapshotReplacesTheStatesAndTheSnapshotBefore) {
  Mailbox mailbox;
  mailbox.put(snapshot(1));
  mailbox.put(all_alerts(1));
  mailbox.put(ConnectionChange{true, {}});
  mailbox.put(segment("a", 1));
  mailbox.put(alert("x"));
  mailbox.put(snapshot(2));
  mailbox.put(all_alerts(2));
  mailbox.put(segment("a", 2));
  EXPECT_EQ(mailbox.alerts(), 1U);
  EXPECT_EQ(content(mailbox), (Words{"snapshot2", "all2", "up", "!x", "a2"}));
}

TEST(Mailbox, ALostConnectionTakesTheOldStatesAwayAndKeepsTheAlerts) {
  Mailbox mailbox;
  mailbox.put(snapshot(1));
  mailbox.put(all_alerts(1));
  mailbox.put(ConnectionChange{true, {}});
  mailbox.put(alert("x"));
  mailbox.put(segment("a", 1));
  mailbox.put(AlertsLost{});
  mailbox.put(ConnectionChange{false, "gone"});
  EXPECT_EQ(mailbox.alerts(), 2U);
  EXPECT_EQ(content(mailbox), (Words{"!x", "!lost", "down"}));
  mailbox.put(ConnectionChange{false, "gone"});
  mailbox.put(snapshot(2));
  mailbox.put(ConnectionChange{true, {}});
  mailbox.put(segment("a", 2));
  EXPECT_EQ(content(mailbox), (Words{"snapshot2", "up", "a2"}));
}

TEST(Mailbox, IsBoundedByWhatThereIsHoweverMuchComes) {
  Mailbox mailbox;
  for (std::uint64_t i = 0; i < 3'000; ++i) mailbox.put(segment(std::string(1, static_cast<char>('a' + i % 3)), i));
  EXPECT_EQ(content(mailbox), (Words{"a2997", "b2998", "c2999"}));
}

}  // namespace
}  // namespace reach::client
