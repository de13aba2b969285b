#include "tests/sim/simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "tests/support/slowdown.hpp"

namespace reach::sim {
namespace {

using std::chrono::seconds;

std::optional<std::uint64_t> the_seed;  // --seed=N: only this one
std::uint64_t seeds_wanted = 0;         // --seeds=N, REACH_SEEDS; 0: as many as the test means

/// Runs `check` for each seed and says how to run a failing one again. Of the `usual` ones fewer where all is slow.
void for_each_seed(std::uint64_t usual, const std::function<void(std::uint64_t)>& check) {
  const auto few = std::max<std::uint64_t>(2, usual / static_cast<std::uint64_t>(test::slowdown()));
  const std::uint64_t first = the_seed.value_or(1), last = the_seed ? first : seeds_wanted > 0 ? seeds_wanted : few;
  auto told = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    try {
      check(seed);
    } catch (const std::exception& violation) {
      ADD_FAILURE() << violation.what();
    }
    if (testing::Test::HasFailure()) {
      const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
      ADD_FAILURE() << "seed " << seed
                    << "; again with: tests/sim/simulation --gtest_filter=" << test->test_suite_name() << '.'
                    << test->name() << " --seed=" << seed;
      return;
    }
    if (const auto now = std::chrono::steady_clock::now(); now - told > seconds(10)) {
      told = now;
      std::cout << "seed " << seed << " of " << last << std::endl;
    }
  }
}

class Total {
 public:
  void add(const Outcome& outcome) {
    for (const auto& [what, times] : outcome.happened) happened_[what] += times;
    records_ += outcome.records;
    alerts_ += outcome.alerts.size();
  }
  ~Total() {
    std::cout << records_ << " records, " << alerts_ << " revisions of alerts";
    for (const auto& [what, times] : happened_) std::cout << ", " << times << " × " << what;
    std::cout << std::endl;
  }

 private:
  std::map<std::string, int> happened_;
  std::uint64_t records_ = 0, alerts_ = 0;
};

std::string what_it_says(const v1::Alert& alert) {
  return alert.kind() + ' ' + alert.segment() + ' ' + alert.objective() + ' ' + alert.subject() + " revision " +
         std::to_string(alert.revision()) + ' ' + alert.state() + ' ' + alert.reason();
}

/// Every revision: kind, subject, state, order and instants.
void expect_same_alerts(const std::vector<v1::Alert>& disturbed, const std::vector<v1::Alert>& calm) {
  for (std::size_t i = 0; i < std::min(disturbed.size(), calm.size()); ++i) {
    const auto apart = static_cast<std::int64_t>(disturbed[i].changed_ns() - calm[i].changed_ns());
    ASSERT_EQ(what_it_says(disturbed[i]), what_it_says(calm[i]))
        << "alert " << i << ", " << apart << " ns apart, disturbed:\n"
        << disturbed[i].ShortDebugString() << "\ncalm:\n"
        << calm[i].ShortDebugString();
    ASSERT_LT(std::abs(apart), 1'000'000) << "alert " << i << ", disturbed:\n"
                                          << disturbed[i].ShortDebugString() << "\ncalm:\n"
                                          << calm[i].ShortDebugString();
  }
  EXPECT_EQ(disturbed.size(), calm.size());
}

TEST(Simulation, CountsAsFromScratchWhenNothingGoesWrong) {
  Total total;
  for_each_seed(20, [&](std::uint64_t seed) { total.add(Simulation(seed, Faults{}).run()); });
}

TEST(Simulation, DeathsOfTheDaemonLeaveNoTrace) {
  Total total;
  for_each_seed(10, [&](std::uint64_t seed) {
    // Live, what is heard of at the instant of a deadline is heard a moment after it, and corrects what time decided;
    // caught up with, it comes before it. Both are right, and the alerts differ: so nothing happens on the dot here.
    Faults faults;
    faults.on_the_dot = false;
    const Outcome calm = Simulation(seed, faults).run();
    faults.daemon = true;
    const Outcome disturbed = Simulation(seed, faults).run();
    total.add(disturbed);
    EXPECT_EQ(difference(disturbed.counts, calm.counts), "");
    expect_same_alerts(disturbed.alerts, calm.alerts);
  });
}

TEST(Simulation, LosesNothingWhateverGoesWrong) {
  Total total;
  for_each_seed(25, [&](std::uint64_t seed) {
    Faults faults;
    faults.daemon = faults.long_down = faults.disk = faults.network = faults.adapters = true;
    faults.every = seconds(seed % 2 == 0 ? 4 : 15);
    total.add(Simulation(seed, faults).run());
  });
}

TEST(Simulation, LosesNothingWhenOldFilesGo) {
  Total total;
  for_each_seed(20, [&](std::uint64_t seed) {
    Faults faults;
    faults.daemon = faults.disk = faults.network = faults.retention = true;
    total.add(Simulation(seed, faults).run());
  });
}

TEST(Simulation, LosesNothingWhenClocksAreSet) {
  Total total;
  for_each_seed(12, [&](std::uint64_t seed) {
    Faults faults;
    faults.daemon = faults.network = faults.adapters = faults.clocks = true;
    total.add(Simulation(seed, faults).run());
  });
}

}  // namespace
}  // namespace reach::sim

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto number = [](std::string_view text, auto& into) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    into = value;
  };
  if (const char* const wanted = std::getenv("REACH_SEEDS")) number(wanted, reach::sim::seeds_wanted);
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--seed=")) number(argument.substr(7), reach::sim::the_seed);
    if (argument.starts_with("--seeds=")) number(argument.substr(8), reach::sim::seeds_wanted);
  }
  return RUN_ALL_TESTS();
}
