#include "daemon/staffing/recommend.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace reach::staffing {
namespace {

Measured measured() {
  return {
      .arrivals_per_hour = 38, .calls = 76, .aht_s = 240, .handled = 70, .patience = {.mean_s = 120, .abandons = 16}};
}

const Goal goal{.service_level = 0.8, .threshold_s = 20};

bool says(const Advice& advice, const std::string& part) {
  for (const std::string& sentence : advice.assumptions)
    if (sentence.find(part) != std::string::npos) return true;
  return false;
}

TEST(EstimatePatience, CountsTheWaitsOfTheAnsweredToo) {
  const Patience patience = estimate_patience(1200, 8);
  EXPECT_EQ(patience.mean_s, 150);
  EXPECT_EQ(patience.abandons, 8);
}

TEST(EstimatePatience, IsEndlessWhenNobodyGaveUp) {
  EXPECT_TRUE(std::isinf(estimate_patience(1200, 0).mean_s));
  EXPECT_GT(estimate_patience(0, 3).mean_s, 0);
}

TEST(Recommend, SaysHowManyMoreAndWhy) {
  const Advice advice = recommend(measured(), goal, 0.3, 2);
  EXPECT_EQ(advice.required, 4);
  EXPECT_EQ(advice.gap, 2);
  EXPECT_EQ(advice.scheduled, 6);
  EXPECT_EQ(advice.model, "erlang-a");
  EXPECT_EQ(advice.reason,
            "2 more people: 38 calls/h of 240 s need 4; 2 are here and would answer 40 % within 20 s; 4 answer 81 %");
  EXPECT_TRUE(says(advice, "120 s on average before they give up, from 16 who did (± 25 %)"));
  ASSERT_TRUE(advice.at_current && advice.at_required);
  EXPECT_LT(advice.at_current->service_level, 0.8);
  EXPECT_GE(advice.at_required->service_level, 0.8);
  EXPECT_EQ(advice.at_current->agents, 2);
}

TEST(Recommend, SaysWhenThereAreEnough) {
  EXPECT_EQ(recommend(measured(), goal, 0, 4).reason,
            "4 people are enough: 38 calls/h of 240 s need 4; 4 answer 81 % within 20 s");
  const Advice many = recommend(measured(), goal, 0, 5);
  EXPECT_EQ(many.gap, -1);
  EXPECT_EQ(many.reason.substr(0, 28), "1 person more than needed: 3");
}

TEST(Recommend, LeavesTheGapOutWhenNobodyKnowsWhoIsThere) {
  const Advice advice = recommend(measured(), goal, 0, std::nullopt);
  EXPECT_EQ(advice.required, 4);
  EXPECT_FALSE(advice.gap);
  EXPECT_FALSE(advice.at_current);
  EXPECT_EQ(advice.reason, "4 people: 38 calls/h of 240 s need 4; 4 answer 81 % within 20 s");
}

TEST(Recommend, NeverReadsAsMetWhatIsNot) {
  // 79.56 % with 13 people rounds to 80 %, but is not.
  Measured m = measured();
  m.arrivals_per_hour = 200;
  m.aht_s = 180;
  m.patience = {};
  EXPECT_NE(recommend(m, goal, 0, 13).reason.find("13 are here and would answer 79 %"), std::string::npos);
}

TEST(Recommend, UsesErlangCWhenNobodyGivesUpAndSaysWhatOverloadMeans) {
  Measured m = measured();
  m.patience = estimate_patience(300, 0);
  const Advice advice = recommend(m, goal, 0, 2);
  EXPECT_EQ(advice.model, "erlang-c");
  EXPECT_EQ(advice.at_current->service_level, 0);
  EXPECT_TRUE(std::isinf(advice.at_current->asa_s));
  EXPECT_TRUE(says(advice, "the queue would grow"));
  EXPECT_FALSE(says(recommend(m, goal, 0, 6), "the queue would grow"));
}

TEST(Recommend, AddsPeopleForOpenItems) {
  Measured m = measured();
  m.items_work_s = 5400;
  m.items_within_s = 3600;
  const Advice advice = recommend(m, goal, 0, 4);
  EXPECT_EQ(advice.for_calls, 4);
  EXPECT_EQ(advice.for_items, 2);
  EXPECT_EQ(advice.required, 6);
  EXPECT_NE(advice.reason.find("2 more people: 38 calls/h of 240 s need 4, open work items need 2"), std::string::npos)
      << advice.reason;
  EXPECT_TRUE(says(advice, "90 min of work within 60 min"));
}

TEST(Recommend, DoesNotDivideByADueTimeThatHasPassed) {
  Measured m = measured();
  m.items_work_s = 90;
  m.items_within_s = -5;
  EXPECT_EQ(recommend(m, goal, 0, 4).for_items, 2);
}

TEST(Recommend, SaysNothingOnTooFewCalls) {
  Measured m = measured();
  m.calls = 3;
  const Advice few = recommend(m, goal, 0.3, 4);
  EXPECT_TRUE(few.not_enough_data);
  EXPECT_FALSE(few.required);
  EXPECT_FALSE(few.gap);
  EXPECT_EQ(few.reason, "Not enough data: 3 calls so far, 10 are needed to speak of a rate.");
  m = measured();
  m.handled = 1;
  EXPECT_EQ(recommend(m, goal, 0.3, 4).reason,
            "Not enough data: 1 call has ended so far, 10 are needed to speak of a handling time.");
  m = measured();
  m.arrivals_per_hour = NAN;
  EXPECT_TRUE(recommend(m, goal, 0.3, 4).not_enough_data);
}

TEST(Recommend, SaysWhenNoNumberOfPeopleIsEnough) {
  const Goal impossible{.service_level = 0.8, .max_occupancy = 0.0};
  const Advice advice = recommend(measured(), impossible, 0, 4);
  EXPECT_FALSE(advice.required);
  EXPECT_FALSE(advice.not_enough_data);
  EXPECT_NE(advice.reason.find("No number of people"), std::string::npos);
}

}  // namespace
}  // namespace reach::staffing
