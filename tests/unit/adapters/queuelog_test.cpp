#include "clients/adapters/queuelog/queuelog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/unit/adapters/said.hpp"

namespace reach::queuelog {
namespace {

Story told(const std::vector<std::string>& lines, Options options = {}) {
  QueueLog log(adapter::Pseudonyms("sixteen bytes key"), std::move(options));
  std::vector<v1::Event> events;
  for (const std::string& line : lines) log.take(line, events);
  log.finish(events);
  return said(events);
}

TEST(QueueLog, TellsACallFromOfferToEnd) {
  EXPECT_EQ(told({"10|c1|sales|NONE|ENTERQUEUE||0891|1", "12|c1|sales|Eva|CONNECT|2|leg|1",
                  "20|c1|sales|Eva|COMPLETECALLER|2|8|1"}),
            (Story{"10 c1 offered sales", "12 c1 answered", "12 agent loggedIn sales ?", "20 c1 ended caller"}));
}

TEST(QueueLog, SaysUtf8OfALogInLatin1) {
  EXPECT_EQ(told({"10|c1|K\xf6ln|NONE|ENTERQUEUE||0891|1"}), (Story{"10 c1 offered K\u00f6ln"}));
}

TEST(QueueLog, TellsEveryWayOut) {
  for (const auto& [line, story] : {std::pair{"ABANDON|1|1|3", "abandoned"},
                                    {"EXITWITHTIMEOUT|1|1|3", "forwarded timeout"},
                                    {"EXITEMPTY|1|1|3", "forwarded empty"},
                                    {"EXITWITHKEY|1|1|1|3", "forwarded key"},
                                    {"WITHDRAW|1|1|3|info", "forwarded redirected"},
                                    {"SYSCOMPAT", "forwarded other"}}) {
    const Story all = told({"10|c1|sales|NONE|ENTERQUEUE||0891|1", std::string("13|c1|sales|NONE|") + line});
    ASSERT_EQ(all.size(), 2U) << line;
    EXPECT_EQ(all[1], std::string("13 c1 ") + story);
  }
}

TEST(QueueLog, NamesTheNextQueueOfAnOverflow) {
  EXPECT_EQ(told({"10|c1|sales|NONE|ENTERQUEUE||0891|1", "13|c1|sales|NONE|EXITWITHTIMEOUT|1|1|3",
                  "13|c1|service|NONE|ENTERQUEUE||0891|1"}),
            (Story{"10 c1 offered sales", "13 c1 forwarded timeout service", "13 c1 offered service"}));
}

TEST(QueueLog, KnowsThatACallerWhoComesBackHadNotAbandoned) {
  EXPECT_EQ(told({"10|c1|sales|NONE|ENTERQUEUE||0891|1", "13|c1|sales|NONE|ABANDON|1|1|3",
                  "14|c1|service|NONE|ENTERQUEUE||0891|1"})[1],
            "13 c1 forwarded redirected service ?");
}

TEST(QueueLog, KeepsTheSecondEntryThroughALateTransferLine) {
  EXPECT_EQ(told({"10|c1|sales|NONE|ENTERQUEUE||0891|1", "12|c1|sales|Eva|CONNECT|2|leg|1",
                  "20|c1|sales|NONE|ENTERQUEUE||0891|1", "20|c1|sales|Eva|BLINDTRANSFER|51|in|2|8|1",
                  "21|c1|sales|Eva|CONNECT|1|leg|1", "30|c1|sales|Eva|COMPLETEAGENT|1|9|1"}),
            (Story{"10 c1 offered sales", "12 c1 answered", "12 agent loggedIn sales ?", "20 c1 ended transfer ?",
                   "20 c1 offered sales", "21 c1 answered", "30 c1 ended agent"}));
}

TEST(QueueLog, GivesANewPseudonymOnANewDayOnceNoCallIsTornApart) {
  QueueLog log(adapter::Pseudonyms("sixteen bytes key"));
  std::vector<v1::Event> events;
  for (const char* line : {"86300|NONE|sales|Eva|ADDMEMBER|", "86350|c1|sales|NONE|ENTERQUEUE||0891|1",
                           "86390|c1|sales|Eva|CONNECT|40|leg|1", "86500|c1|sales|Eva|COMPLETECALLER|40|110|1",
                           "86600|NONE|sales|Eva|PAUSE|lunch", "90000|NONE|sales|Eva|REMOVEMEMBER|"})
    log.take(line, events);
  log.finish(events);
  EXPECT_EQ(said(events), (Story{"86300 agent loggedIn sales", "86350 c1 offered sales", "86390 c1 answered",
                                 "86500 c1 ended caller", "86600 agent loggedIn sales ?", "86600 agent loggedOut ?",
                                 "86600 agent agentPaused lunch", "90000 agent loggedOut"}));
  const std::string old = events[0].agent(), fresh = events[4].agent();
  EXPECT_NE(old, fresh);
  EXPECT_EQ(events[2].answered().agent(), old);
  EXPECT_EQ(events[5].agent(), old) << "logged out";
  EXPECT_EQ(events[6].agent(), fresh);
  EXPECT_EQ(events[7].agent(), fresh);
}

TEST(QueueLog, LogsOutWhomAFormerLifeLeftUnderAnOlderPseudonym) {
  Options options;
  options.resumed = true;
  QueueLog log(adapter::Pseudonyms("sixteen bytes key"), options);
  std::vector<v1::Event> events;
  log.take("864000|NONE|sales|Eva|PAUSE|lunch", events);
  log.take("864001|NONE|sales|Eva|UNPAUSE|", events);
  log.finish(events);
  std::set<std::string> gone;
  for (const v1::Event& event : events)
    if (event.has_logged_out()) gone.insert(event.agent());
  const adapter::Pseudonyms names("sixteen bytes key");
  for (int days = 1; days <= 7; ++days)
    EXPECT_TRUE(gone.contains(names.agent("Eva", time_from_ns(0) + std::chrono::days(10 - days)))) << days;
  EXPECT_FALSE(gone.contains(names.agent("Eva", time_from_ns(0) + std::chrono::days(10))));
  EXPECT_EQ(gone.size(), 7U) << "once";
}

TEST(QueueLog, TellsTransfers) {
  const Story blind = told(
      {"10|c1|q|NONE|ENTERQUEUE||0891|1", "12|c1|q|Eva|CONNECT|2|leg|1", "20|c1|q|Eva|BLINDTRANSFER|52|inbound|2|8|1"});
  EXPECT_EQ(blind[3], "20 c1 transferred");
  const Story attended = told({"10|c1|q|NONE|ENTERQUEUE||0891|1", "12|c1|q|Eva|CONNECT|2|leg|1",
                               "20|c1|q|Eva|ATTENDEDTRANSFER|BRIDGE|2c9adf0d|2|8|1"});
  EXPECT_EQ(attended[3], "20 c1 transferred attended=true");
  EXPECT_EQ(attended[4], "20 c1 ended transfer");
}

TEST(QueueLog, MatchesAMasqueradedCallByQueuePositionAndTime) {
  EXPECT_EQ(told({"10|c1|sales|NONE|ENTERQUEUE||0891|2", "15|zombie|sales|NONE|ABANDON|1|2|5"}),
            (Story{"10 c1 offered sales", "15 c1 abandoned"}));
}

TEST(QueueLog, FollowsACustomerWhoTakesThePlaceOfTheAgentsConsultation) {
  const Story story = told({"10|c1|sales|NONE|ENTERQUEUE||0891|1", "11|c1|sales|Eva|CONNECT|1|leg|1",
                            "15|leg2|service|NONE|ENTERQUEUE||7|1", "18|c1|sales|Eva|ATTENDEDTRANSFER|APP|Queue|1|7|1",
                            "20|c1|service|Ida|CONNECT|5|leg|1", "30|c1|service|Ida|COMPLETECALLER|5|10|1"});
  EXPECT_EQ(story[3], "15 leg2 offered service");
  EXPECT_EQ(story[5], "18 c1 ended transfer");
  EXPECT_EQ(story[6], "20 leg2 answered");
  EXPECT_EQ(story.back(), "30 leg2 ended caller");
}

TEST(QueueLog, TellsCallsThatCameBeforeTheFileBegan) {
  EXPECT_EQ(told({"30|c1|sales|Eva|COMPLETEAGENT|5|10|1"}),
            (Story{"15 c1 offered sales ?", "20 c1 answered ?", "30 agent loggedIn sales ?", "30 c1 ended agent"}));
}

TEST(QueueLog, EndsOpenCallsAtARestart) {
  EXPECT_EQ(told({"10|c1|sales|NONE|ENTERQUEUE||0891|1", "20|NONE|NONE|NONE|QUEUESTART|",
                  "30|c1|sales|Eva|COMPLETEAGENT|1|1|1"})[1],
            "20 resyncBegin restart");
}

TEST(QueueLog, TellsAnewWhoIsThereAfterARestart) {
  EXPECT_EQ(told({"1|M|a|Eva|ADDMEMBER|", "20|NONE|NONE|NONE|QUEUESTART|", "30|M|a|Eva|PAUSE|lunch"}),
            (Story{"1 agent loggedIn a", "20 resyncBegin restart", "20 resyncEnd", "30 agent loggedIn a ?",
                   "30 agent agentPaused lunch ?"}));
}

TEST(QueueLog, TellsPausesOncePerPerson) {
  EXPECT_EQ(told({"1|M|a|Eva|ADDMEMBER|", "1|M|b|Eva|ADDMEMBER|", "2|NONE|NONE|Eva|PAUSEALL|lunch",
                  "2|NONE|a|Eva|PAUSE|lunch", "2|NONE|b|Eva|PAUSE|lunch", "3|NONE|a|Eva|UNPAUSE|",
                  "3|NONE|b|Eva|UNPAUSE|", "4|M|a|Eva|REMOVEMEMBER|", "4|M|b|Eva|REMOVEMEMBER|"}),
            (Story{"1 agent loggedIn a", "1 agent loggedIn a b", "2 agent loggedIn b", "2 agent agentPaused lunch",
                   "3 agent loggedIn a", "3 agent agentResumed", "3 agent loggedIn a b", "4 agent loggedIn b",
                   "4 agent loggedOut"}));
}

TEST(QueueLog, HoldsVerdictsAndRemembersCallsThroughStepsOfTheClock) {
  const std::vector<std::string> redirect{"5000|c1|sales|NONE|ENTERQUEUE||0891|1", "5009|c1|sales|NONE|ABANDON|1|1|9",
                                          "5009|c2|sales|NONE|ENTERQUEUE||0892|1",
                                          "5010|c1|service|NONE|ENTERQUEUE||0891|1"};
  const std::vector<std::string> repeated{"5020|c3|sales|NONE|ENTERQUEUE||0893|1", "5021|c3|sales|Eva|CONNECT|1|leg|1",
                                          "5030|c3|sales|Eva|COMPLETECALLER|1|9|1",
                                          "5030|c3|sales|Eva|COMPLETECALLER|1|9|1"};
  for (const char* wrong : {"8600|z|sales|NONE|ENTERQUEUE||7|1", "1400|z|sales|NONE|ENTERQUEUE||7|1"}) {
    SCOPED_TRACE(wrong);
    std::vector<std::string> lines = redirect;
    lines.insert(lines.begin(), wrong);
    Story story = told(lines);
    EXPECT_EQ(std::count(story.begin(), story.end(), "5009 c1 forwarded redirected service ?"), 1);
    lines = repeated;
    lines.insert(lines.begin() + 3, wrong);
    story = told(lines);
    EXPECT_EQ(std::count_if(story.begin(), story.end(),
                            [](const std::string& each) { return each.find(" c3 offered") != std::string::npos; }),
              1);
  }
}

TEST(QueueLog, DecidesByTheClockAfterAStepBack) {
  Options options;
  options.sorted = false;
  QueueLog log(adapter::Pseudonyms("sixteen bytes key"), options);
  std::vector<v1::Event> events;
  for (const char* line : {"8600|c1|sales|NONE|ENTERQUEUE||0891|1", "8605|c1|sales|NONE|ABANDON|1|1|5",
                           "5000|c2|sales|NONE|ENTERQUEUE||0892|1", "5001|c2|sales|NONE|ABANDON|1|1|1"})
    log.take(line, events);
  EXPECT_EQ(events.size(), 2U);
  log.pass(time_from_ns(5'002'500'000'000), events);
  EXPECT_EQ(said(events).back(), "8605 c1 abandoned") << "its two seconds are over, at whatever time they began";
  log.pass(time_from_ns(5'003'500'000'000), events);
  EXPECT_EQ(said(events).back(), "5001 c2 abandoned");
}

TEST(QueueLog, CountsWhatItCannotRead) {
  QueueLog log(adapter::Pseudonyms("sixteen bytes key"));
  std::vector<v1::Event> events;
  EXPECT_FALSE(log.take("no line", events));
  EXPECT_FALSE(log.take("x|a|b|c|ENTERQUEUE", events));
  EXPECT_FALSE(log.take("99999999999999|a|b|c|ENTERQUEUE", events));
  EXPECT_TRUE(log.take("10|a|b|c|MYOWN|data", events));
  EXPECT_TRUE(log.take("", events));
  EXPECT_EQ(log.counts().malformed, 3U);
  EXPECT_EQ(log.counts().unknown, 1U);
}

TEST(QueueLog, TakesMicrosecondsOfRealtimeExports) {
  EXPECT_EQ(told({"10.25|c1|sales|NONE|ENTERQUEUE||0891|1"})[0], "10.25 c1 offered sales");
}

TEST(QueueLog, NeverTellsExcludedExtensions) {
  Options options;
  options.excluded = {"0891", "7"};
  EXPECT_EQ(told({"10|c1|sales|NONE|ENTERQUEUE||0891|1", "12|c1|sales|PJSIP/7|CONNECT|2|leg|1",
                  "13|M|sales|PJSIP/7|ADDMEMBER|"},
                 options),
            Story{});
}

}  // namespace
}  // namespace reach::queuelog
