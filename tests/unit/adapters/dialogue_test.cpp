#include "clients/adapters/asterisk/dialogue.hpp"

#include <gtest/gtest.h>

#include "tests/unit/adapters/said.hpp"

namespace reach::asterisk {
namespace {

using namespace std::chrono_literals;

/// Asterisk's side of the conversation.
class Conversation {
 public:
  explicit Conversation(DialogueSettings settings = default_settings())
      : dialogue(std::move(settings), AmiTranslator({}, adapter::Pseudonyms("sixteen bytes key"))) {}
  static DialogueSettings default_settings() {
    DialogueSettings settings;
    settings.user = "reachd";
    settings.secret = "word";
    settings.secret_file = "ami-secret";
    return settings;
  }

  void hears(const std::string& text) {
    AmiParser parser;
    parser.feed(text + "\r\n\r\n", [&](const AmiMessage& message) { dialogue.take(message, now, out); });
  }
  void answers(const std::string& action, const std::string& more = "") {
    hears("Response: Success\r\nActionID: reachd-" + action + more);
  }
  void passes(Duration span) {
    const Time end = now + span;
    while (out.close.empty() && dialogue.next_wakeup() <= end) {
      now = std::max(now, dialogue.next_wakeup());
      dialogue.pass(now, out);
    }
    now = end;
  }
  void clock_is_set(Duration by) {
    now += by;
    dialogue.clock_stepped(by);
  }
  /// Names of the actions asked for since the last call.
  Story asked() {
    Story actions;
    const std::string text = std::exchange(out.send, {});
    for (std::size_t i = text.find("Action: "); i != std::string::npos; i = text.find("\nAction: ", i)) {
      i = text.find(": ", i) + 2;
      actions.push_back(text.substr(i, text.find('\r', i) - i));
    }
    return actions;
  }
  void log_in(const std::string& startup = "\r\nCoreStartupDate: 2026-11-23\r\nCoreStartupTime: 08:00:00") {
    dialogue.connected(now);
    hears("Asterisk Call Manager/11.0.0\r\n");
    answers("Login");
    hears("Event: FullyBooted");
    answers("CoreStatus", startup);
  }
  void list() {
    hears("Event: QueueStatusComplete");
    hears("Event: CoreShowChannelsComplete");
    passes(1s);
  }

  AmiDialogue dialogue;
  DialogueOutput out;
  Time now = Time(1000s);
};

TEST(AmiDialogue, LogsInQuietlyAndListsEverythingOnceItHears) {
  Conversation asterisk;
  asterisk.log_in();
  EXPECT_NE(asterisk.out.send.find("Secret: word\r\nEvents: system\r\n"), std::string::npos) << asterisk.out.send;
  EXPECT_EQ(asterisk.asked(), (Story{"Login", "CoreStatus", "Events", "QueueStatus", "CoreShowChannels"}));
  EXPECT_TRUE(asterisk.dialogue.hears());
  asterisk.list();
  EXPECT_EQ(said(asterisk.out.events), (Story{"1000 resyncBegin connect", "1001 resyncEnd"}));
}

TEST(AmiDialogue, LeavesNobodyInWrapUpWhenItEnds) {
  Conversation asterisk;
  asterisk.log_in();
  asterisk.hears("Event: QueueMember\r\nQueue: sales\r\nLocation: PJSIP/7\r\nStatus: 1\r\nWrapuptime: 20");
  asterisk.list();
  asterisk.hears("Event: QueueCallerJoin\r\nQueue: sales\r\nUniqueid: 1.1");
  asterisk.hears("Event: AgentConnect\r\nQueue: sales\r\nUniqueid: 1.1\r\nInterface: PJSIP/7");
  asterisk.hears("Event: AgentComplete\r\nQueue: sales\r\nUniqueid: 1.1\r\nInterface: PJSIP/7\r\nReason: agent");
  asterisk.hears("Event: QueueCallerJoin\r\nQueue: sales\r\nUniqueid: 1.2");
  asterisk.hears("Event: QueueCallerAbandon\r\nQueue: sales\r\nUniqueid: 1.2");
  asterisk.passes(1s);
  asterisk.out = {};
  asterisk.dialogue.end(asterisk.now, asterisk.out);
  EXPECT_EQ(said(asterisk.out.events), (Story{"1001 1.2 abandoned ?", "1002 1.1 wrapUpEnded ?"}));
}

TEST(AmiDialogue, TellsARestartFromABrokenLine) {
  Conversation asterisk;
  asterisk.log_in();
  asterisk.list();
  asterisk.dialogue.disconnected("cut", asterisk.now, asterisk.out);
  EXPECT_FALSE(asterisk.dialogue.hears());
  asterisk.out = {};
  asterisk.log_in();
  EXPECT_EQ(said(asterisk.out.events), (Story{"1001 resyncBegin gap"}));
  asterisk.dialogue.disconnected("cut", asterisk.now, asterisk.out);
  asterisk.out = {};
  asterisk.log_in("\r\nCoreStartupDate: 2026-11-23\r\nCoreStartupTime: 09:30:00");
  EXPECT_EQ(said(asterisk.out.events), (Story{"1001 resyncBegin restart"}));
}

TEST(AmiDialogue, SaysWhichLineToChangeForAWrongPassword) {
  Conversation asterisk;
  asterisk.dialogue.connected(asterisk.now);
  asterisk.hears("Asterisk Call Manager/11.0.0\r\n");
  asterisk.hears("Response: Error\r\nActionID: reachd-Login\r\nMessage: Authentication failed");
  EXPECT_NE(asterisk.out.close.find("manager.conf, section [reachd]: secret = the content of ami-secret"),
            std::string::npos)
      << asterisk.out.close;
  EXPECT_EQ(asterisk.out.close.find("word"), std::string::npos);
}

TEST(AmiDialogue, GoesOnWithoutTheRightToListChannels) {
  Conversation asterisk;
  asterisk.log_in();
  asterisk.hears("Response: Error\r\nActionID: reachd-CoreShowChannels\r\nMessage: Permission denied");
  asterisk.hears("Event: QueueStatusComplete");
  asterisk.passes(1s);
  ASSERT_EQ(asterisk.out.problems.size(), 1U);
  EXPECT_NE(asterisk.out.problems[0].find("section [reachd]: write = reporting"), std::string::npos);
  EXPECT_EQ(said(asterisk.out.events).back(), "1001 resyncEnd");
}

TEST(AmiDialogue, AsksWhenFullyBootedMayNotBeHeard) {
  Conversation asterisk;
  asterisk.dialogue.connected(asterisk.now);
  asterisk.hears("Asterisk Call Manager/11.0.0\r\n");
  asterisk.answers("Login");
  asterisk.asked();
  asterisk.passes(5s);
  EXPECT_EQ(asterisk.asked(), Story{"CoreStatus"});
}

TEST(AmiDialogue, NoticesAPortThatIsNoManagerInterface) {
  Conversation asterisk;
  asterisk.dialogue.connected(asterisk.now);
  asterisk.hears("SSH-2.0: hello");
  EXPECT_NE(asterisk.out.close.find("is no Asterisk manager interface"), std::string::npos);
}

TEST(AmiDialogue, GivesUpADeadLine) {
  Conversation asterisk;
  asterisk.log_in();
  asterisk.list();
  asterisk.asked();
  asterisk.passes(10s);
  EXPECT_EQ(asterisk.asked(), Story{"Ping"});
  EXPECT_EQ(asterisk.out.close, "");
  asterisk.passes(5s);
  EXPECT_NE(asterisk.out.close.find("the line is dead"), std::string::npos);
}

TEST(AmiDialogue, ListsAnewWhenQueueSummaryDiffersTwice) {
  Conversation asterisk;
  asterisk.log_in();
  asterisk.list();
  asterisk.asked();
  const auto summary = [&] {
    asterisk.hears("Event: QueueSummary\r\nQueue: sales\r\nCallers: 1");
    asterisk.hears("Event: QueueSummaryComplete");
  };
  for (int i = 0; i < 7; ++i) {
    asterisk.passes(8700ms);
    asterisk.answers("Ping");
  }
  EXPECT_EQ(asterisk.asked(), Story{"QueueSummary"});
  summary();
  EXPECT_EQ(asterisk.asked(), Story{});
  asterisk.passes(2s);
  EXPECT_EQ(asterisk.asked(), Story{"QueueSummary"});
  summary();
  EXPECT_EQ(asterisk.asked(), (Story{"Events", "QueueStatus", "CoreShowChannels"}));
  ASSERT_FALSE(asterisk.out.problems.empty());  // no queue event was ever heard
  EXPECT_NE(asterisk.out.problems[0].find("read = agent,call,dialplan,system"), std::string::npos);
}

TEST(AmiDialogue, NoticesThatVariablesAreMissing) {
  Conversation asterisk;
  asterisk.log_in();
  asterisk.list();
  for (int i = 0; i < 3; ++i)
    asterisk.hears("Event: QueueCallerJoin\r\nTimestamp: 1001.0\r\nQueue: q\r\nUniqueid: 1." + std::to_string(i));
  asterisk.hears("Event: Newexten\r\nUniqueid: 1.0");
  asterisk.hears("Event: Newchannel\r\nUniqueid: 1.0");
  asterisk.hears("Event: QueueSummaryComplete");
  ASSERT_EQ(asterisk.out.problems.size(), 1U);
  EXPECT_NE(asterisk.out.problems[0].find("eventfilter(name(VarSet))"), std::string::npos);
}

TEST(AmiDialogue, SaysThatTimestampsAreMissing) {
  Conversation asterisk;
  asterisk.log_in();
  asterisk.list();
  asterisk.hears("Event: QueueCallerJoin\r\nQueue: q\r\nUniqueid: 1.0");
  ASSERT_EQ(asterisk.out.problems.size(), 1U);
  EXPECT_NE(asterisk.out.problems[0].find("timestampevents = yes"), std::string::npos);
}

TEST(AmiDialogue, TellsOfCutMessagesAtMostOnceAMinute) {
  Conversation asterisk;
  asterisk.log_in();
  asterisk.list();
  asterisk.out = {};
  const auto problems = [&] {
    Story told = std::exchange(asterisk.out.problems, {});
    for (std::string& sentence : told) sentence = sentence.substr(sentence.rfind(": ") + 2);
    return told;
  };
  const auto hears_cut = [&] {
    AmiMessage message;
    message.cut = true;
    asterisk.dialogue.take(message, asterisk.now, asterisk.out);
  };
  for (int i = 0; i < 3; ++i) hears_cut();
  asterisk.passes(0s);
  EXPECT_EQ(problems(), Story{"3; calls among them may be missing or wrong"});
  EXPECT_EQ(asterisk.out.events.size(), 3U);
  for (int i = 0; i < 59; ++i) {
    hears_cut();
    asterisk.passes(1s);
  }
  EXPECT_EQ(problems(), Story{});
  asterisk.passes(1s);
  EXPECT_EQ(problems(), Story{"59; calls among them may be missing or wrong"});
}

TEST(AmiDialogue, GoesOnWhenTheClockIsSet) {
  for (const Duration by : {-1h, 1h}) {
    Conversation asterisk;
    asterisk.now += 2h;
    asterisk.log_in();
    asterisk.list();
    asterisk.hears("Event: QueueCallerJoin\r\nQueue: q\r\nUniqueid: c1");
    asterisk.passes(5s);
    asterisk.hears("Event: QueueCallerLeave\r\nQueue: q\r\nUniqueid: c1");
    asterisk.passes(1s);
    asterisk.asked();
    asterisk.out = {};
    asterisk.clock_is_set(by);
    asterisk.passes(999ms);
    EXPECT_EQ(said(asterisk.out.events), Story{}) << "a verdict waits as long as it would have";
    asterisk.passes(1ms);
    const auto at = [&](auto span) { return std::to_string((span + by) / 1s) + ' '; };
    EXPECT_EQ(said(asterisk.out.events), Story{at(8206s) + "c1 forwarded key ?"});
    asterisk.passes(7999ms);
    EXPECT_EQ(asterisk.asked(), Story{});
    asterisk.passes(1ms);
    EXPECT_EQ(asterisk.asked(), Story{"Ping"}) << "ten seconds after the last word";
    for (int i = 0; i < 33; ++i) {
      asterisk.answers("Ping");
      asterisk.passes(9s);
    }
    EXPECT_EQ(asterisk.out.close, "");
    const Story asked = asterisk.asked();
    EXPECT_EQ(std::ranges::count(asked, "QueueStatus"), 1) << "listed again after five minutes";
  }
}

TEST(AmiDialogue, EndsAListingInWhichTheClockIsSetBack) {
  Conversation asterisk;
  asterisk.now += 2h;
  asterisk.log_in();
  asterisk.hears("Event: QueueStatusComplete");
  asterisk.hears("Event: CoreShowChannelsComplete");
  asterisk.clock_is_set(-1h);
  asterisk.passes(1s);
  EXPECT_EQ(said(asterisk.out.events).back(), "4601 resyncEnd");
}

TEST(ClockSteps, AreDifferencesToAMonotonicClock) {
  ClockSteps steps;
  EXPECT_EQ(steps.since_last(Time(5000s), 10s), 0s);
  EXPECT_EQ(steps.since_last(Time(5100s), 110s), 0s);
  EXPECT_EQ(steps.since_last(Time(1500s), 110s), -1h);
  EXPECT_EQ(steps.since_last(Time(1501s), 111s), 0s);
  EXPECT_EQ(steps.since_last(Time(5101s), 111s), 1h);
  for (int i = 1; i < 100; ++i)
    EXPECT_EQ(steps.since_last(Time(5101s + 10s * i), 111s + 9900ms * i), 0s) << "NTP corrects slowly";
}

TEST(PbxClock, IsBelievedUpToHalfASecond) {
  PbxClock clock;
  EXPECT_EQ(clock.local(Time(1000s), Time(1000s + 3ms)), Time(1000s));
  EXPECT_EQ(clock.local(Time(1001s), Time(1001s + 300ms)), Time(1001s));
  EXPECT_EQ(clock.local(Time(1002s), Time(1002s - 100ms)), Time(1002s - 100ms));  // never in the future
}

TEST(PbxClock, TakesOutAnHour) {
  PbxClock clock;
  EXPECT_EQ(clock.local(Time(1000s), Time(1000s + 1h)), Time(1000s + 1h));
  EXPECT_EQ(clock.local(Time(1010s), Time(1010s + 1h + 20ms)), Time(1010s + 1h));
  EXPECT_EQ(clock.behind(), 1h);
}

}  // namespace
}  // namespace reach::asterisk
