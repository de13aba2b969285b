#include "clients/reachctl/alerts.hpp"

#include <gtest/gtest.h>

namespace reach::ctl {
namespace {

v1::Alert alert(const std::string& id, std::uint32_t revision, const std::string& state = "firing") {
  v1::Alert made;
  made.set_id(id);
  made.set_revision(revision);
  made.set_state(state);
  made.set_segment(id.substr(0, id.find('-')));
  made.set_changed_ns(revision);
  return made;
}

v1::Alerts alerts(const std::vector<v1::Alert>& all) {
  v1::Alerts list;
  for (const v1::Alert& each : all) *list.add_alerts() = each;
  return list;
}

using Ids = std::vector<std::string>;
Ids ids(const std::vector<v1::Alert>& picked) {
  Ids out;
  for (const v1::Alert& each : picked) out.push_back(each.id());
  return out;
}

TEST(FollowedAlerts, BeginsWithWhatIsOpenAndGoesOnWithEveryChange) {
  FollowedAlerts followed("", false);
  EXPECT_EQ(ids(followed.pick(alerts({alert("sales-1", 1), alert("sales-0", 3, "resolved"), alert("mail-1", 2)}))),
            (Ids{"sales-1", "mail-1"}));
  EXPECT_TRUE(followed.pick(alert("sales-1", 2, "resolved")));
  EXPECT_TRUE(followed.pick(alert("new", 1)));
}

TEST(FollowedAlerts, BeginsWithTheResolvedOnesTooIfAsked) {
  FollowedAlerts followed("", true);
  EXPECT_EQ(ids(followed.pick(alerts({alert("sales-0", 3, "resolved"), alert("sales-1", 1)}))),
            (Ids{"sales-0", "sales-1"}));
}

TEST(FollowedAlerts, PicksOfOneSegmentOnly) {
  FollowedAlerts followed("sales", false);
  EXPECT_EQ(ids(followed.pick(alerts({alert("mail-1", 1), alert("sales-1", 1)}))), Ids{"sales-1"});
  EXPECT_FALSE(followed.pick(alert("mail-1", 2)));
  EXPECT_TRUE(followed.pick(alert("sales-1", 2)));
}

TEST(FollowedAlerts, PicksNothingTwice) {
  FollowedAlerts followed("", false);
  EXPECT_EQ(ids(followed.pick(alerts({alert("sales-1", 2), alert("sales-0", 3, "resolved")}))), Ids{"sales-1"});
  EXPECT_EQ(ids(followed.pick(alerts({alert("sales-1", 2), alert("sales-2", 1)}))), Ids{}) << "the rest is said";
  EXPECT_FALSE(followed.pick(alert("sales-1", 2)));
  EXPECT_FALSE(followed.pick(alert("sales-0", 3, "resolved")));
  EXPECT_TRUE(followed.pick(alert("sales-2", 1)));
  v1::Alert after_power_cut = alert("sales-1", 2);
  after_power_cut.set_changed_ns(9);
  EXPECT_TRUE(followed.pick(after_power_cut));
}

}  // namespace
}  // namespace reach::ctl
