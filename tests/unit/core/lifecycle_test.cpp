#include "daemon/core/lifecycle.hpp"

#include <gtest/gtest.h>

namespace reach {
namespace {

using std::chrono::seconds;
constexpr AlertRule rule{seconds(60), seconds(120), seconds(900)};
Time at(int second) {
  return Time(seconds(second));
}

TEST(AlertLifecycle, GoesThroughPendingToFiringToResolved) {
  AlertLifecycle life;
  EXPECT_EQ(life.observe(Condition::bad, rule, at(0)), AlertReason::pending);
  EXPECT_EQ(life.next(rule), at(60));
  EXPECT_EQ(life.pass(rule, at(59)), std::nullopt);
  EXPECT_EQ(life.pass(rule, at(60)), AlertReason::fired);
  EXPECT_EQ(life.observe(Condition::good, rule, at(100)), std::nullopt);
  EXPECT_EQ(life.next(rule), at(220));
  EXPECT_EQ(life.pass(rule, at(220)), AlertReason::resolved);
  EXPECT_EQ(life.state(), AlertState::resolved);
}

TEST(AlertLifecycle, StartsTheRecoveryAnewAfterARelapseAndAfterAGapInTheData) {
  for (const Condition relapse : {Condition::bad, Condition::between, Condition::unknown}) {
    AlertLifecycle life;
    (void)life.observe(Condition::bad, rule, at(0));
    (void)life.pass(rule, at(60));
    (void)life.observe(Condition::good, rule, at(100));
    (void)life.observe(relapse, rule, at(150));
    EXPECT_EQ(life.pass(rule, at(230)), std::nullopt);
    (void)life.observe(Condition::good, rule, at(240));
    EXPECT_EQ(life.pass(rule, at(359)), std::nullopt);
    EXPECT_EQ(life.pass(rule, at(360)), AlertReason::resolved);
  }
}

TEST(AlertLifecycle, NeverFiresOrResolvesWithoutData) {
  AlertLifecycle life;
  EXPECT_EQ(life.observe(Condition::unknown, rule, at(0)), std::nullopt);
  (void)life.observe(Condition::bad, rule, at(1));
  (void)life.observe(Condition::unknown, rule, at(2));
  EXPECT_EQ(life.next(rule), never);
  EXPECT_EQ(life.pass(rule, at(10000)), std::nullopt);
  EXPECT_EQ(life.state(), AlertState::pending);
}

TEST(AlertLifecycle, RepeatsUntilAcknowledgedAndAgainAfterItsEnd) {
  AlertLifecycle life;
  const AlertRule at_once{{}, seconds(120), seconds(900)};
  EXPECT_EQ(life.observe(Condition::bad, at_once, at(0)), AlertReason::fired);
  EXPECT_EQ(life.pass(at_once, at(900)), AlertReason::repeat);
  life.acknowledge(at(5000));
  EXPECT_EQ(life.pass(at_once, at(4999)), std::nullopt);
  EXPECT_EQ(life.pass(at_once, at(5000)), AlertReason::repeat);
  EXPECT_EQ(life.next(at_once), at(5900));
}

}  // namespace
}  // namespace reach
