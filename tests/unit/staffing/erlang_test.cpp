// The formulas against values that need no file: closed forms, published examples, and laws that hold everywhere.
#include "daemon/staffing/erlang.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace reach::staffing {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A load of `erlangs` with calls of 300 s.
CallLoad load_of(double erlangs, double patience_s = infinity) {
  return {erlangs * 12, 300, patience_s};
}

TEST(ErlangB, MatchesTheRecursion) {
  double blocking = 1;
  for (int n = 1; n <= 400; ++n) {
    blocking = 200 * blocking / (n + 200 * blocking);
    EXPECT_NEAR(erlang_b(200, n) / blocking, 1, 1e-12) << n << " lines";
  }
}

TEST(ErlangB, AcceptsRealLines) {
  EXPECT_NEAR(erlang_b(6, 7.25), 0.167679514496, 1e-12);
}

TEST(ErlangB, HasItsLimits) {
  EXPECT_EQ(erlang_b(0, 0), 1);
  EXPECT_EQ(erlang_b(0, 5), 0);
  EXPECT_NEAR(erlang_b(3, 0), 1, 1e-15);
  EXPECT_EQ(erlang_b(60'000, 100'000), 0);  // 10^-4000 and less has no double
  EXPECT_NEAR(erlang_b(100'500, 100'000), 0.00631584971151, 1e-13);
}

TEST(ErlangB, LoadIsItsInverse) {
  for (const double blocking : {0.001, 0.05, 0.5, 0.99})
    for (const int lines : {1, 15, 900})
      EXPECT_NEAR(erlang_b(erlang_b_load(blocking, lines), lines) / blocking, 1, 1e-12);
}

TEST(ErlangB, MinLinesIsTheLeast) {
  EXPECT_EQ(min_lines(33.333, 0.01), 45);
  EXPECT_EQ(min_lines(708, 0.01), 736);
  EXPECT_EQ(min_lines(0, 0.01), 1);
  EXPECT_EQ(min_lines(708, 0.01, 735), std::nullopt);
}

TEST(ErlangC, WithOneAgentIsTheClosedFormOfMM1) {
  const CallFigures f = erlang_c(load_of(0.75), 1, 100);
  EXPECT_NEAR(f.p_wait, 0.75, 1e-14);
  EXPECT_NEAR(f.sl_offered, 1 - 0.75 * std::exp(-0.25 * 100 / 300), 1e-14);
  EXPECT_NEAR(f.asa_s, 900, 1e-10);
  EXPECT_NEAR(f.waiting, 2.25, 1e-12);
  EXPECT_NEAR(wait_quantile_s(load_of(0.75), 1, 0.9), 1200 * std::log(7.5), 1e-9);
}

TEST(ErlangC, HasNoSteadyStateInOverload) {
  for (const double erlangs : {10.0, 13.0}) {
    const CallFigures f = erlang_c(load_of(erlangs), 10, 20);
    EXPECT_EQ(f.p_wait, 1);
    EXPECT_EQ(f.sl_offered, 0);
    EXPECT_EQ(f.asa_s, infinity);
    EXPECT_EQ(f.waiting, infinity);
    EXPECT_EQ(f.occupancy, 1);
    EXPECT_EQ(wait_quantile_s(load_of(erlangs), 10, 0.9), infinity);
  }
}

// With equal handling time and patience everybody leaves at the same rate: the number in the system is Poisson.
TEST(ErlangA, IsPoissonWhenPatienceEqualsHandlingTime) {
  const double erlangs = 12;
  double below = 0, probability = std::exp(-erlangs), busy = 0;
  for (int j = 0; j < 10; ++j) {
    below += probability;
    busy += j * probability;
    probability *= erlangs / (j + 1);
  }
  busy += 10 * (1 - below);
  const CallFigures f = erlang_a(load_of(erlangs, 300), 10, 20);
  EXPECT_NEAR(f.p_wait, 1 - below, 1e-13);
  EXPECT_NEAR(f.occupancy, busy / 10, 1e-13);
  EXPECT_NEAR(f.waiting, erlangs - busy, 1e-12);
}

TEST(ErlangA, BecomesErlangCWithEndlessPatience) {
  const CallFigures c = erlang_a(load_of(27), 30, 20);
  const CallFigures a = erlang_a(load_of(27, 1e12), 30, 20);
  EXPECT_NEAR(a.p_wait, c.p_wait, 1e-7);
  EXPECT_NEAR(a.asa_s, c.asa_s, 1e-5);
  EXPECT_NEAR(a.sl_offered, c.sl_offered, 1e-7);
}

TEST(ErlangA, BecomesErlangBWithNoPatience) {
  EXPECT_NEAR(erlang_a(load_of(27, 1e-9), 30, 20).p_abandon, erlang_b(27, 30), 1e-9);
}

// What keeps the agents busy, counted over the states, is what the served callers bring.
TEST(ErlangA, BalancesWorkAtAnyLoadAndSize) {
  for (const double n : {1.0, 7.0, 90.0, 3000.0, 100'000.0})
    for (const double rho : {0.01, 0.3, 0.9, 0.999, 1.0, 1.01, 1.5, 20.0})
      for (const double patience_s : {0.5, 10.0, 120.0, 3600.0, 1e6}) {
        const double erlangs = rho * n;
        const CallFigures f = erlang_a(load_of(erlangs, patience_s), static_cast<std::int64_t>(n), 20);
        SCOPED_TRACE(testing::Message() << n << " agents, load " << rho << ", patience " << patience_s << " s");
        EXPECT_NEAR(f.p_served + f.p_abandon, 1, 1e-12);
        const double idle_states = 1 - f.p_wait;
        const double busy = n * f.p_wait + erlangs * idle_states * (1 - erlang_b(erlangs, n - 1));
        EXPECT_NEAR(busy / (erlangs * f.p_served), 1, 1e-10);
        EXPECT_GE(f.sl_offered, 0);
        EXPECT_LE(f.sl_offered, f.sl_ignored + 1e-12);
        EXPECT_LE(f.sl_ignored, f.sl_positive + 1e-12);
      }
}

TEST(ErlangA, AnswersNobodyWithoutAgentsAndEverybodyWithoutCalls) {
  const CallFigures alone = erlang_a(load_of(1.5, 90), 0, 20);
  EXPECT_EQ(alone.p_abandon, 1);
  EXPECT_EQ(alone.sl_offered, 0);
  EXPECT_EQ(alone.wait_all_s, 90);
  const CallFigures quiet = erlang_a(load_of(0, 90), 5, 20);
  EXPECT_EQ(quiet.sl_offered, 1);
  EXPECT_EQ(quiet.occupancy, 0);
}

TEST(ErlangA, WaitQuantileIsWhereSoManyHaveStoppedWaiting) {
  const CallLoad load{200, 180, 300};
  const double w90 = wait_quantile_s(load, 12, 0.9);
  EXPECT_GT(w90, 0);
  EXPECT_NEAR(erlang_a(load, 12, w90).sl_positive, 0.9, 1e-12);
  EXPECT_EQ(wait_quantile_s(load, 40, 0.9), 0);
}

TEST(ServiceLevel, LeavesShortAbandonsOutAsMeasurementDoes) {
  const CallLoad load{200, 180, 60};
  const CallFigures at_20 = erlang_a(load, 10, 20);
  const double short_ones = erlang_a(load, 10, 5).p_abandon_within;
  Goal goal{.service_level = 0.8, .threshold_s = 20, .measure = Measure::negative, .short_abandon_s = 5};
  EXPECT_NEAR(service_level(load, 10, goal), at_20.sl_offered / (1 - short_ones), 1e-14);
  goal.measure = Measure::positive;
  EXPECT_NEAR(service_level(load, 10, goal),
              (at_20.sl_offered + at_20.p_abandon_within - short_ones) / (1 - short_ones), 1e-14);
  goal.measure = Measure::ignored;
  EXPECT_NEAR(service_level(load, 10, goal), at_20.sl_ignored, 1e-14);
}

TEST(MinAgents, IsTheLeastThatReachesTheGoal) {
  for (const double erlangs : {0.01, 1.0, 10.0, 500.0, 90'000.0})
    for (const double patience_s : {30.0, 300.0, infinity}) {
      const CallLoad load = load_of(erlangs, patience_s);
      const Goal goal{.service_level = 0.8, .threshold_s = 20};
      const auto n = min_agents(load, goal);
      ASSERT_TRUE(n) << erlangs << " Erlang";
      EXPECT_GE(service_level(load, *n, goal), 0.8);
      if (*n > 1) {
        EXPECT_LT(service_level(load, *n - 1, goal), 0.8) << erlangs << " Erlang, " << *n << " agents";
      }
    }
}

TEST(MinAgents, LooksBelowTheLoad) {
  EXPECT_EQ(min_agents({1'100'000, 300, 120}, {.service_level = 0.8, .threshold_s = 20}), 78'268);  // 91,667 Erlang
}

TEST(MinAgents, KeepsTheSideConditions) {
  EXPECT_EQ(min_agents({7808, 409, infinity}, {.service_level = 0.5, .threshold_s = 20, .max_occupancy = 0.8}), 1109);
  EXPECT_EQ(min_agents({60, 600, infinity}, {.service_level = 0.9, .threshold_s = 30, .max_asa_s = 10}), 16);
  EXPECT_EQ(min_agents({44, 119, 20}, {.service_level = 0.01, .threshold_s = 20, .max_abandon = 0.05}), 4);
  EXPECT_EQ(min_agents({0, 300, 120}, {.min_staff = 2}), 2);
}

TEST(MinAgents, SaysWhenTheGoalIsOutOfReach) {
  EXPECT_EQ(min_agents(load_of(100), {.service_level = 0.8, .threshold_s = 20}, 100), std::nullopt);
  EXPECT_EQ(min_agents(load_of(1), {.max_occupancy = 0.0}), std::nullopt);
}

TEST(Scheduled, IsRoundedUpFromExactFractions) {
  EXPECT_EQ(scheduled(21, 0.3), 30);  // 21 / 0.7 is more than 30 in doubles
  EXPECT_EQ(scheduled(14, 0.3), 20);
  EXPECT_EQ(scheduled(2, 1.0 / 3), 3);
  EXPECT_EQ(scheduled(1, 2.0 / 3), 3);
  EXPECT_EQ(scheduled(78'268, 0.25), 104'358);
  EXPECT_EQ(scheduled(7, 0), 7);
  EXPECT_EQ(scheduled(0, 0.5), 0);
  EXPECT_EQ(scheduled(10, 0.123456), 12);
}

TEST(Scheduled, AgreesWithIntegersForEveryPercent) {
  for (int percent = 0; percent < 100; ++percent)
    for (int n = 0; n < 300; ++n)
      ASSERT_EQ(scheduled(n, percent / 100.0), (n * 100 + 99 - percent) / (100 - percent))
          << n << " at " << percent << " %";
}

TEST(Pooling, SavesPeople) {
  const std::vector<CallLoad> sites(4, CallLoad{100, 240, infinity});
  const auto saved = pooling(sites, {.service_level = 0.8, .threshold_s = 20});
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->separate_total, 40);
  EXPECT_EQ(saved->pooled, 32);
  EXPECT_EQ(saved->saving, 8);
}

TEST(Pooling, MixesHandlingTimesByCalls) {
  const std::vector<CallLoad> sites = {{100, 120, 60}, {300, 360, 60}};
  const auto saved = pooling(sites, {.service_level = 0.8, .threshold_s = 20});
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->pooled, min_agents({400, 300, 60}, {.service_level = 0.8, .threshold_s = 20}));
}

}  // namespace
}  // namespace reach::staffing
