#include "daemon/staffing/calc.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace reach::staffing {
namespace {

TEST(Calc, SearchesTheLeastAgents) {
  const auto answer = calc({.arrivals_per_hour = 200,
                            .aht_s = 180,
                            .within_s = 20,
                            .service_level = 0.8,
                            .max_occupancy = 0.85,
                            .shrinkage = 0.3});
  ASSERT_TRUE(answer.result);
  EXPECT_EQ(answer.result->agents, 14);
  EXPECT_EQ(answer.result->scheduled, 20);
  EXPECT_EQ(answer.result->model, "erlang-c");
  EXPECT_NEAR(answer.result->service_level, 0.888350019179, 1e-11);
  EXPECT_NEAR(answer.result->asa_s, 7.83593701178, 1e-9);
  EXPECT_NEAR(answer.result->occupancy, 0.714285714286, 1e-11);
  EXPECT_EQ(answer.result->p_abandon, 0);
}

TEST(Calc, KeepsTheHighestOccupancy) {
  const auto answer = calc({.arrivals_per_hour = 200, .aht_s = 180, .service_level = 0.5, .max_occupancy = 0.7});
  ASSERT_TRUE(answer.result);
  EXPECT_EQ(answer.result->agents, 15);  // 10 Erlang / 0.7
}

TEST(Calc, EvaluatesGivenAgentsWithPatience) {
  const auto answer = calc({.arrivals_per_hour = 200, .aht_s = 180, .patience_s = 300, .within_s = 20, .agents = 14});
  ASSERT_TRUE(answer.result);
  EXPECT_EQ(answer.result->model, "erlang-a");
  EXPECT_NEAR(answer.result->service_level, 0.916792091864, 1e-11);
  EXPECT_NEAR(answer.result->p_wait, 0.145260114296, 1e-11);
  EXPECT_NEAR(answer.result->p_abandon, 0.0139837441224, 1e-12);
}

TEST(Calc, AnswersInOverload) {
  const auto answer = calc({.arrivals_per_hour = 260, .aht_s = 180, .within_s = 20, .agents = 10});
  ASSERT_TRUE(answer.result);
  EXPECT_EQ(answer.result->service_level, 0);
  EXPECT_TRUE(std::isinf(answer.result->asa_s));
}

TEST(Calc, TakesInfinitePatienceForErlangC) {
  const auto answer = calc(
      {.arrivals_per_hour = 200, .aht_s = 180, .patience_s = std::numeric_limits<double>::infinity(), .agents = 14});
  ASSERT_TRUE(answer.result);
  EXPECT_EQ(answer.result->model, "erlang-c");
}

TEST(Calc, NamesEverythingThatIsWrong) {
  const auto answer = calc({.arrivals_per_hour = -1,
                            .aht_s = 0,
                            .patience_s = 0,
                            .within_s = NAN,
                            .service_level = 80,
                            .agents = -2,
                            .max_occupancy = 0,
                            .shrinkage = 1});
  EXPECT_FALSE(answer.result);
  EXPECT_TRUE(answer.wrong_usage);
  EXPECT_EQ(answer.errors.size(), 9U);
}

TEST(Calc, WantsAServiceLevelOrAgents) {
  const auto answer = calc({.arrivals_per_hour = 200, .aht_s = 180});
  ASSERT_EQ(answer.errors.size(), 1U);
  EXPECT_NE(answer.errors[0].find("either the service level"), std::string::npos);
}

TEST(Calc, SaysWhenTheGoalIsOutOfReach) {
  const auto answer = calc({.arrivals_per_hour = 1e12, .aht_s = 180, .service_level = 0.8});
  EXPECT_FALSE(answer.result);
  EXPECT_FALSE(answer.wrong_usage);
  ASSERT_EQ(answer.errors.size(), 1U);
  EXPECT_NE(answer.errors[0].find("would not reach"), std::string::npos);
}

}  // namespace
}  // namespace reach::staffing
