#include "clients/reachctl/scenario.hpp"

#include <gtest/gtest.h>

namespace reach::ctl {
namespace {

const std::string configuration = R"(config
[[segment]]
id = "sales"
queues = ["sales"]
[[service]]
id = "phone"
medium = "call"
threshold = "20s"
[[contract]]
id = "c"
client = "field sales"
segments = ["sales"]
  [[contract.objective]]
  id = "low_sl"
  figure = "service_level"
  service = "phone"
  target = 0.8
  window = "30m"
  min_samples = 1
end
)";
constexpr int first_line = 21;  // of what follows the configuration

ScenarioResult run(const std::string& lines) {
  return run_scenario(configuration + lines, "test.scn");
}

TEST(Scenario, DoesNotLetCenturiesPass) {
  EXPECT_EQ(run("at 2100-01-01T00:00:00Z offered sales c1\n").failures.at(0).got,
            "this lies over 400d after the start");
}

TEST(Scenario, GivesAResultForTextThatIsNoUtf8) {
  EXPECT_TRUE(run("at 0s offered sales \xff\n").passed());
}

/// What is said of the only failure: "LINE: GOT".
std::string failure(const std::string& lines) {
  const ScenarioResult result = run(lines);
  if (result.failures.size() != 1) return std::to_string(result.failures.size()) + " failures";
  return std::to_string(result.failures[0].line - first_line + 1) + ": " + result.failures[0].got;
}

TEST(Scenario, ExpectsNothingOfASourceThatWasNeverHeard) {
  EXPECT_EQ(failure("expect at 5s source nobody late 0\n"), "1: no source of that name was heard");
  EXPECT_EQ(failure("expect at 5s source nobody unrouted 7\n"), "1: no source of that name was heard");
}

TEST(Scenario, PassesWhenEverythingIsAsExpected) {
  const ScenarioResult result =
      run("at 0s offered sales c1\n"
          "expect at 20s sales service_level 0 % (0 of 1)  # a comment\n"
          "expect at 20s alert low_sl firing\n"
          "expect at 19s sales service_level none\n");
  EXPECT_TRUE(result.passed());
  EXPECT_EQ(result.expectations, 3);
}

TEST(Scenario, TellsTheDifferenceAndTheNumbersBehindIt) {
  const ScenarioResult result = run("at 0s offered sales c1\nexpect at 20s sales service_level 80 %\n");
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].line, first_line + 1);
  EXPECT_EQ(result.failures[0].expected, "expect at 20s sales service_level 80 %");
  EXPECT_EQ(result.failures[0].got, "0 %");
  EXPECT_NE(result.failures[0].behind.find("offered 1"), std::string::npos) << result.failures[0].behind;
  EXPECT_NE(result.failures[0].behind.find("missed 1"), std::string::npos) << result.failures[0].behind;
}

TEST(Scenario, ComparesWithTheDecimalsWritten) {
  const std::string calls =
      "at 0s offered sales c1\nat 1s answered c1\nat 2s offered sales c2\nat 3s answered c2\nat 4s offered sales c3\n";
  EXPECT_TRUE(run(calls + "expect at 30s sales service_level 67 %").passed());
  EXPECT_TRUE(run(calls + "expect at 30s sales service_level 66.7 % (2 of 3)").passed());
  EXPECT_EQ(failure(calls + "expect at 30s sales service_level 66.6 %"), "6: 66.7 %");
  EXPECT_EQ(failure(calls + "expect at 30s sales service_level 67 % (3 of 3)"), "6: 2 of 3");
  EXPECT_EQ(failure(calls + "expect at 30s sales asa_s 2s"), "6: 1s");
  EXPECT_EQ(failure(calls + "expect at 30s sales offered 4"), "6: 3");
  EXPECT_EQ(failure(calls + "expect at 30s sales on_time_rate 0 %"), "6: none");
}

TEST(Scenario, ChecksStateAndFlagsOfAlertsExactly) {
  const std::string calls = "at 0s offered sales c1\nat 30s source lost\n";
  EXPECT_TRUE(run(calls + "expect at 31s alert low_sl firing, stale").passed());
  EXPECT_EQ(failure(calls + "expect at 31s alert low_sl firing"), "3: firing, stale");
  EXPECT_EQ(failure(calls + "expect at 21s alert low_sl resolved"), "3: firing");
  EXPECT_EQ(failure(calls + "expect at 21s alert other firing"), "3: none");
  EXPECT_EQ(failure(calls + "expect at 21s alert low_sl firing said 2"), "3: firing said 1");
}

TEST(Scenario, SaysWhatCannotBeReadAndRunsNothing) {
  EXPECT_EQ(failure("at 0s ofered sales c1"), "1: \"ofered\" is no event; did you mean \"offered\"?");
  EXPECT_EQ(failure("at soon offered sales c1").substr(0, 24), "1: \"soon\" is no time; ex");
  EXPECT_EQ(failure("expect at 0s sale offered 1"), "1: \"sale\" is no segment; did you mean \"sales\"?");
  EXPECT_EQ(failure("expect at 0s sales ofered 1"), "1: no figure is called \"ofered\"; did you mean \"offered\"?");
  EXPECT_EQ(failure("at 0s offered sales c1 colour red"), "1: unknown field \"colour\"");
  EXPECT_EQ(failure("at 0s forwarded c1 because timeouts").substr(0, 31), "1: the reason \"timeouts\" of \"fo");
  EXPECT_EQ(failure("expect at 1s alert low_sl fires").substr(0, 41), "1: \"fires\" is no state of an alert; expec");
  EXPECT_EQ(failure("wait 5s").substr(0, 31), "1: \"wait\" begins no line; expec");
  EXPECT_EQ(failure("at 0s offered"), "1: offered needs a queue and a contact");
  EXPECT_EQ(failure("at 401d offered sales c1"), "1: this lies over 400d after the start");
  EXPECT_EQ(failure("at 100000d offered sales c1"), "1: this lies over 400d after the start");
  EXPECT_EQ(failure("start 1969-12-31 23:00"),
            "1: \"1969-12-31 23:00\" is no time to start; expected is one from 1970 to 2199");
  EXPECT_EQ(failure("start 2199-12-31 23:00\nat 2261-01-01T00:00:00Z offered sales c1"),
            "2: this lies over 400d after the start");
}

TEST(Scenario, PointsIntoAConfigurationOfItsOwn) {
  const ScenarioResult result = run_scenario("# one\nconfig\n[[segment]]\nqueues = [\"a\"]\nid = 7\nend\n", "f.scn");
  ASSERT_FALSE(result.failures.empty());
  EXPECT_EQ(result.failures[0].line, 5);
  EXPECT_TRUE(result.failures[0].got.starts_with("f.scn:5:")) << result.failures[0].got;
}

TEST(Scenario, NeedsAConfiguration) {
  const ScenarioResult result = run_scenario("at 0s offered sales c1\n", "f.scn");
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_NE(result.failures[0].got.find("no config"), std::string::npos);
}

}  // namespace
}  // namespace reach::ctl
