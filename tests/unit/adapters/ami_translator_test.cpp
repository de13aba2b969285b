#include "clients/adapters/asterisk/ami_translator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "clients/adapters/asterisk/members.hpp"
#include "clients/adapters/asterisk/recent_map.hpp"
#include "clients/adapters/asterisk/recording.hpp"
#include "tests/unit/adapters/said.hpp"

namespace reach::asterisk {
namespace {

using namespace std::chrono_literals;

/// A PBX of few words: each event in one line, "SECONDS Event Field=Value ...".
class Pbx {
 public:
  explicit Pbx(TranslatorSettings settings = {})
      : translator(std::move(settings), adapter::Pseudonyms("sixteen bytes key")) {}

  void says(double at, const std::string& event, const std::string& fields) {
    std::string text = "Event: " + event + "\r\n";
    std::string field;
    for (const char c : fields + ' ') {
      if (c != ' ') {
        field += c == '_' ? ' ' : c;
        continue;
      }
      if (const auto is = field.find('='); is != std::string::npos)
        text += field.substr(0, is) + ": " + field.substr(is + 1) + "\r\n";
      field.clear();
    }
    AmiParser parser;
    parser.feed(text + "\r\n", [&](const AmiMessage& message) { translator.take(message, time(at), events); });
  }
  void passes(double at) {
    while (translator.next_wakeup() <= time(at)) translator.pass(translator.next_wakeup(), events);
    translator.pass(time(at), events);
  }
  Story story() {
    Story all;
    for (const std::string& line : said(events))
      if (line.find("queueOpened") == std::string::npos) all.push_back(line);
    events.clear();
    return all;
  }
  /// A resync whose list of members is Eva alone.
  void lists_eva(double at, const std::string& how) {
    passes(at);
    translator.begin_resync("periodic", time(at), events);
    says(at, "QueueParams", "Queue=sales");
    says(at, "QueueMember", "Queue=sales Location=PJSIP/7 Name=Eva " + how);
    translator.finish_listing(false, time(at), events);
    passes(at + 1);
  }
  static std::string at(double seconds) { return std::to_string(std::lround(seconds)); }
  static Time time(double seconds) {
    return Time(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
  }

  void joins(double at, const std::string& call, const std::string& queue) {
    says(at, "QueueCallerJoin",
         "Uniqueid=" + call + " Linkedid=" + call + " Queue=" + queue + " CallerIDNum=0891 Exten=51");
  }
  void rings(double at, const std::string& call, const std::string& queue, const std::string& who) {
    says(at, "AgentCalled", "Uniqueid=" + call + " Queue=" + queue + " Interface=" + who + " DestUniqueid=leg-" + who);
  }
  void connects(double at, const std::string& call, const std::string& queue, const std::string& who, int hold) {
    says(at, "DialEnd", "Uniqueid=" + call + " DestUniqueid=leg-" + who + " DialStatus=ANSWER");
    says(at, "QueueCallerLeave", "Uniqueid=" + call + " Queue=" + queue);
    says(at, "AgentConnect",
         "Uniqueid=" + call + " Queue=" + queue + " Interface=" + who + " DestUniqueid=leg-" + who +
             " HoldTime=" + std::to_string(hold));
  }
  void completes(double at, const std::string& call, const std::string& queue, const std::string& who, int talk,
                 const std::string& reason) {
    says(at, "AgentComplete",
         "Uniqueid=" + call + " Queue=" + queue + " Interface=" + who + " TalkTime=" + std::to_string(talk) +
             " HoldTime=1 Reason=" + reason);
  }
  void abandon_and_leave(double at, const std::string& call, const std::string& queue) {
    says(at, "QueueCallerAbandon", "Uniqueid=" + call + " Queue=" + queue + " HoldTime=3");
    says(at, "QueueCallerLeave", "Uniqueid=" + call + " Queue=" + queue);
  }
  void queue_status(double at, const std::string& call, const std::string& value) {
    says(at, "VarSet", "Uniqueid=" + call + " Variable=QUEUESTATUS Value=" + value);
  }

  AmiTranslator translator;
  Events events;
};

TEST(AmiTranslator, TellsACallFromOfferToEnd) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.rings(10, "c1", "sales", "PJSIP/7");
  pbx.connects(12.5, "c1", "sales", "PJSIP/7", 2);
  pbx.completes(20, "c1", "sales", "PJSIP/7", 7, "agent");
  pbx.says(20, "Hangup", "Uniqueid=c1");
  pbx.passes(100);
  EXPECT_EQ(pbx.story(), (Story{"10 c1 offered sales", "10 c1 ringing", "12.5 c1 answered", "20 c1 ended agent"}));
}

TEST(AmiTranslator, WaitsForTheHangUpBeforeItSaysAbandoned) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.abandon_and_leave(13, "c1", "sales");
  EXPECT_EQ(pbx.story(), Story{"10 c1 offered sales"});
  pbx.says(13.1, "Hangup", "Uniqueid=c1");
  EXPECT_EQ(pbx.story(), Story{"13 c1 abandoned"});
}

TEST(AmiTranslator, IsNotMisledByTheHExtension) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.abandon_and_leave(13, "c1", "sales");
  pbx.says(13, "Newexten", "Uniqueid=c1 Extension=h Application=NoOp");
  EXPECT_EQ(pbx.story().back(), "13 c1 abandoned");
}

TEST(AmiTranslator, DecidesByItselfWhenNoEvidenceComes) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.abandon_and_leave(13, "c1", "sales");
  pbx.passes(14.9);
  EXPECT_EQ(pbx.story().size(), 1U);
  pbx.passes(15);
  EXPECT_EQ(pbx.story(), Story{"13 c1 abandoned ?"});
}

TEST(AmiTranslator, TellsTimeOutEmptyAndWithdrawByQueueStatus) {
  for (const auto& [status, reason] : {std::pair{"TIMEOUT", "timeout"},
                                       {"LEAVEEMPTY", "empty"},
                                       {"LEAVEUNAVAIL", "empty"},
                                       {"WITHDRAW", "redirected"}}) {
    Pbx pbx;
    pbx.joins(10, "c1", "sales");
    pbx.abandon_and_leave(13, "c1", "sales");
    pbx.queue_status(13, "c1", status);
    pbx.says(13.2, "Hangup", "Uniqueid=c1");
    EXPECT_EQ(pbx.story().back(), std::string("13 c1 forwarded ") + reason) << status;
  }
}

TEST(AmiTranslator, NamesTheNextQueueOfAnOverflowBeforeTheNextOffer) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.abandon_and_leave(13, "c1", "sales");
  pbx.queue_status(13, "c1", "TIMEOUT");
  pbx.says(13.1, "Newexten", "Uniqueid=c1 Extension=51 Application=Playback AppData=sorry");
  pbx.joins(14, "c1", "service");
  EXPECT_EQ(pbx.story(), (Story{"10 c1 offered sales", "13 c1 forwarded timeout service", "14 c1 offered service"}));
}

TEST(AmiTranslator, ReadsALeaveAloneAsTheCallersKey) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.rings(10, "c1", "sales", "PJSIP/7");
  pbx.says(13, "DialEnd", "Uniqueid=c1 DestUniqueid=leg-PJSIP/7 DialStatus=CANCEL");
  pbx.says(13, "QueueCallerLeave", "Uniqueid=c1 Queue=sales");
  pbx.says(13, "Newexten", "Uniqueid=c1 Extension=1 Application=NoOp");
  pbx.passes(20);
  EXPECT_EQ(pbx.story(),
            (Story{"10 c1 offered sales", "10 c1 ringing", "13 c1 ringEnded caller_left", "13 c1 forwarded key ?"}));
}

TEST(AmiTranslator, KeepsAHeldVerdictThroughAListing) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.says(13, "QueueCallerLeave", "Uniqueid=c1 Queue=sales");
  pbx.says(13, "Newexten", "Uniqueid=c1 Extension=1 Application=NoOp");
  pbx.translator.begin_resync("periodic", Pbx::time(13.5), pbx.events);
  pbx.says(13.5, "QueueParams", "Queue=sales");
  pbx.says(13.5, "QueueStatusComplete", "");
  pbx.translator.finish_listing(true, Pbx::time(13.5), pbx.events);
  pbx.passes(14.5);
  pbx.passes(20);
  EXPECT_EQ(pbx.story(),
            (Story{"10 c1 offered sales", "13.5 resyncBegin periodic", "14.5 resyncEnd c1", "13 c1 forwarded key ?"}));
}

TEST(AmiTranslator, ReadsAKeyToTheMailboxAsVoicemail) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.says(13, "QueueCallerLeave", "Uniqueid=c1 Queue=sales");
  pbx.says(13, "Newexten", "Uniqueid=c1 Extension=1 Application=VoiceMail AppData=200");
  EXPECT_EQ(pbx.story().back(), "13 c1 forwarded voicemail voicemail ?");
}

TEST(AmiTranslator, WaitsForAnAnswerThroughALongAnnouncement) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.rings(10, "c1", "sales", "PJSIP/7");
  pbx.says(12, "DialEnd", "Uniqueid=c1 DestUniqueid=leg-PJSIP/7 DialStatus=ANSWER");
  pbx.says(12, "QueueCallerLeave", "Uniqueid=c1 Queue=sales");
  pbx.passes(40);
  EXPECT_EQ(pbx.story().size(), 2U);
  pbx.says(41, "AgentConnect", "Uniqueid=c1 Queue=sales Interface=PJSIP/7 HoldTime=2");
  EXPECT_EQ(pbx.story(), Story{"41 c1 answered"});
}

TEST(AmiTranslator, SeesARedirectWhereTheLogSaysAbandon) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.abandon_and_leave(13, "c1", "sales");
  pbx.says(13, "Newexten", "Uniqueid=c1 Extension=70 Application=Answer");
  pbx.passes(20);
  EXPECT_EQ(pbx.story().back(), "13 c1 forwarded redirected ?");
}

TEST(AmiTranslator, SeesACallerTakenOutIntoABridge) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.says(13, "BridgeEnter", "Uniqueid=c1");
  pbx.passes(20);
  EXPECT_EQ(pbx.story().back(), "13 c1 forwarded redirected ?");
}

TEST(AmiTranslator, CountsCallersWhoAreNotLetIn) {
  Pbx pbx;
  pbx.says(10, "Newchannel", "Uniqueid=c1 Channel=PJSIP/trunk-1 ChannelState=4 Exten=4711 CallerIDNum=0891");
  pbx.says(10, "Newexten", "Uniqueid=c1 Application=Queue AppData=sales,,,,9");
  pbx.queue_status(10, "c1", "FULL");
  pbx.says(11, "Newexten", "Uniqueid=c1 Application=Queue AppData=service");
  pbx.queue_status(11, "c1", "JOINUNAVAIL");
  EXPECT_EQ(pbx.story(), (Story{"10 c1 rejected full sales 4711", "11 c1 rejected empty service 4711"}));
}

TEST(AmiTranslator, DoesNotTakeAnEmptiedVariableForAVerdict) {
  Pbx pbx;
  pbx.queue_status(10, "c1", "");
  pbx.queue_status(10, "c1", "CONTINUE");
  EXPECT_EQ(pbx.story(), Story{});
}

TEST(AmiTranslator, KeepsTheSecondEntryThroughALateAgentComplete) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.connects(11, "c1", "sales", "PJSIP/7", 1);
  pbx.says(15, "BlindTransfer", "Result=Success TransfereeUniqueid=c1 Extension=52");
  pbx.joins(15.001, "c1", "sales");
  pbx.completes(15.002, "c1", "sales", "PJSIP/7", 4, "transfer");
  pbx.connects(16, "c1", "sales", "PJSIP/7", 1);
  pbx.completes(16.5, "c1", "sales", "PJSIP/7", 4, "transfer");  // even after the second answer
  pbx.completes(30, "c1", "sales", "PJSIP/7", 14, "caller");
  EXPECT_EQ(pbx.story(), (Story{"10 c1 offered sales", "11 c1 answered", "15 c1 transferred", "15 c1 ended transfer",
                                "15.001 c1 offered sales", "16 c1 answered", "30 c1 ended caller"}));
}

TEST(AmiTranslator, KeepsTheSecondEntryThroughALateAgentCompleteAndAListing) {
  Pbx pbx;
  pbx.joins(30, "c1", "sales");
  pbx.translator.begin_resync("periodic", Pbx::time(30.1), pbx.events);
  pbx.translator.finish_listing(true, Pbx::time(30.2), pbx.events);
  pbx.connects(30.3, "c1", "sales", "PJSIP/7", 0);
  pbx.says(30.5, "BlindTransfer", "Result=Success TransfereeUniqueid=c1 Extension=51");
  pbx.joins(30.6, "c1", "sales");
  pbx.story();
  pbx.completes(30.6, "c1", "sales", "PJSIP/7", 0, "transfer");
  EXPECT_EQ(pbx.story(), Story{});
}

TEST(AmiTranslator, NamesNoTelephoneNumberAsTheTransfersTarget) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.connects(11, "c1", "sales", "PJSIP/7", 1);
  pbx.says(15, "BlindTransfer", "Result=Success TransfereeUniqueid=c1 Extension=004989123456");
  EXPECT_EQ(pbx.story()[2], "15 c1 transferred");
}

TEST(AmiTranslator, ForgetsWhoIsInNoQueueAnyMore) {
  Pbx pbx;
  pbx.says(1, "QueueMemberAdded", "Queue=sales Interface=Local/4711@agents/n MemberName=Max Paused=0");
  pbx.says(2, "QueueMemberRemoved", "Queue=sales Interface=Local/4711@agents/n MemberName=Max");
  pbx.lists_eva(3, "Paused=0 Status=1");
  pbx.joins(10, "c1", "sales");
  pbx.connects(11, "c1", "sales", "PJSIP/7", 1);
  pbx.says(15, "BlindTransfer", "Result=Success TransfereeUniqueid=c1 Extension=4711");
  const Story story = pbx.story();
  EXPECT_EQ(story[story.size() - 2], "15 c1 transferred");
}

TEST(AmiTranslator, IgnoresMembersForWhomThereIsNoRoom) {
  Pbx pbx;
  const auto adds = [&](std::size_t from, std::size_t to, const std::string& who) {
    for (std::size_t i = from; i < to; ++i) {
      const std::string text = std::to_string(i);
      pbx.says(1, "QueueMemberAdded",
               "Queue=q" + text + " Interface=PJSIP/" + (who.empty() ? text : who) + " Paused=0");
      pbx.events.clear();
    }
    return pbx.translator.seen().members_ignored;
  };
  EXPECT_EQ(adds(0, Members::max_of_person + 3, "everywhere"), 3U);
  EXPECT_EQ(adds(Members::max_of_person, Members::max_members, ""), 3U);
  EXPECT_EQ(adds(Members::max_members, Members::max_members + 2, ""), 5U);
  pbx.says(2, "QueueMemberRemoved", "Queue=q0 Interface=PJSIP/everywhere");
  EXPECT_EQ(adds(Members::max_members, Members::max_members + 1, ""), 5U) << "there is room again";
}

TEST(AmiTranslator, NamesAnAgentAsTheTransfersTargetByPseudonymAlone) {
  Pbx pbx;
  pbx.says(1, "QueueMemberAdded", "Queue=sales Interface=Local/4711@agents/n MemberName=Max Paused=0");
  const std::string max = pbx.events.back().agent();
  pbx.joins(10, "c1", "sales");
  pbx.connects(11, "c1", "sales", "PJSIP/7", 1);
  pbx.says(15, "BlindTransfer", "Result=Success TransfereeUniqueid=c1 Extension=4711");
  EXPECT_EQ(pbx.story()[3], "15 c1 transferred " + max);
}

TEST(AmiTranslator, SaysInEveryResyncWhoIsThere) {
  Pbx pbx;  // reachd takes whoever is not named between ResyncBegin and ResyncEnd for gone
  for (const double at : {100., 400.}) {
    pbx.lists_eva(at, "Paused=0 Status=1");
    EXPECT_EQ(pbx.story(), (Story{pbx.at(at) + " resyncBegin periodic", pbx.at(at) + " agent loggedIn sales",
                                  pbx.at(at) + " agent agentResumed", pbx.at(at + 1) + " resyncEnd"}));
  }
  pbx.lists_eva(700, "Paused=1 PausedReason=lunch Status=1");
  pbx.story();
  pbx.lists_eva(1000, "Paused=1 PausedReason=lunch Status=1");
  EXPECT_EQ(pbx.story(), (Story{"1000 resyncBegin periodic", "1000 agent loggedIn sales",
                                "1000 agent agentPaused lunch", "1001 resyncEnd"}));
}

TEST(AmiTranslator, SaysOnceWhoIsFreeSinceAFormerLifeMayHaveLeftThemInWrapUp) {
  TranslatorSettings settings;
  settings.default_wrap_up = 20s;
  for (const std::string how : {"Paused=0 Status=1", "Paused=1 PausedReason=lunch Status=1"}) {
    const bool paused = how.starts_with("Paused=1");
    Pbx pbx(settings);
    pbx.lists_eva(40, how);
    EXPECT_EQ(pbx.story(),
              (Story{"40 resyncBegin periodic", "40 agent loggedIn sales",
                     paused ? "40 agent agentPaused lunch" : "40 agent agentResumed",
                     paused ? "40 agent agentState paused ?" : "40 agent agentState available ?", "41 resyncEnd"}));
    pbx.lists_eva(340, how);
    EXPECT_EQ(pbx.story().size(), 4U) << "this life says itself when wrap-ups end";
  }
}

TEST(AmiTranslator, SaysThatSomebodyIsFreeOnlyOnceHisTelephoneIsAndNoWrapUpRuns) {
  TranslatorSettings settings;
  settings.default_wrap_up = 20s;
  Pbx pbx(settings);
  const auto states = [&pbx](double at, const std::string& how) {
    pbx.lists_eva(at, how);
    const bool told = std::ranges::any_of(pbx.events, [](const v1::Event& event) { return event.has_agent_state(); });
    pbx.events.clear();
    return told;
  };
  EXPECT_FALSE(states(40, "Paused=0 Status=2")) << "he may talk to a caller of the former life";
  pbx.joins(300, "c1", "sales");
  pbx.connects(301, "c1", "sales", "PJSIP/7", 1);
  EXPECT_FALSE(states(340, "Paused=0 Status=1")) << "he talks";
  pbx.completes(630, "c1", "sales", "PJSIP/7", 329, "caller");
  EXPECT_FALSE(states(640, "Paused=0 Status=1")) << "in wrap-up";
  EXPECT_TRUE(states(940, "Paused=0 Status=1"));
  EXPECT_FALSE(states(1240, "Paused=0 Status=1"));
}

TEST(AmiTranslator, GivesANewPseudonymOnANewDayOnceNoCallIsTornApart) {
  constexpr double midnight = 86400;
  TranslatorSettings settings;
  settings.default_wrap_up = 60s;
  Pbx pbx(settings);
  pbx.lists_eva(midnight - 200, "Paused=0 Status=1");
  const std::string old = pbx.events[2].agent();  // after ResyncBegin and QueueOpened
  pbx.joins(midnight - 20, "c1", "sales");
  pbx.connects(midnight - 10, "c1", "sales", "PJSIP/7", 10);
  EXPECT_EQ(pbx.events.back().answered().agent(), old);
  pbx.story();
  const auto names = [&] {
    std::vector<std::string> all;
    for (const v1::Event& event : pbx.events)
      if (event.has_logged_in() || event.has_logged_out())
        all.push_back((event.has_logged_in() ? "in " : "out ") + event.agent());
    return all;
  };
  pbx.lists_eva(midnight + 100, "Paused=0 Status=2");
  EXPECT_EQ(names(), std::vector<std::string>{"in " + old}) << "the telephone is in use";
  pbx.story();
  pbx.completes(midnight + 390, "c1", "sales", "PJSIP/7", 400, "caller");
  pbx.lists_eva(midnight + 400, "Paused=0 Status=1");
  EXPECT_EQ(names(), std::vector<std::string>{"in " + old}) << "in wrap-up";
  pbx.story();
  pbx.lists_eva(midnight + 700, "Paused=1 PausedReason=lunch Status=1");
  ASSERT_EQ(pbx.events.size(), 6U);
  const std::string fresh = pbx.events[2].agent();
  EXPECT_NE(fresh, old);
  EXPECT_EQ(names(), (std::vector<std::string>{"in " + fresh, "out " + old})) << "nobody less in between";
  EXPECT_EQ(pbx.story(), (Story{"86850 c1 wrapUpEnded ?", "87100 resyncBegin periodic", "87100 agent loggedIn sales",
                                "87100 agent agentPaused lunch", "87100 agent loggedOut", "87101 resyncEnd"}));
  pbx.lists_eva(midnight + 1000, "Paused=0 Status=1");
  EXPECT_EQ(names(), std::vector<std::string>{"in " + fresh});
}

TEST(AmiTranslator, IgnoresAFailedTransfer) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.connects(11, "c1", "sales", "PJSIP/7", 1);
  pbx.says(15, "BlindTransfer", "Result=Fail TransfereeUniqueid=c1 Extension=52");
  EXPECT_EQ(pbx.story().back(), "11 c1 answered");
}

TEST(AmiTranslator, FollowsAnAttendedTransferIntoAQueue) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.connects(11, "c1", "sales", "PJSIP/7", 1);
  pbx.joins(20, "leg2", "service");  // the agent asks in another queue
  pbx.says(25, "AttendedTransfer",
           "Result=Success OrigTransfererUniqueid=leg-PJSIP/7 SecondTransfererUniqueid=leg2 TransfereeUniqueid=c1 "
           "DestType=App DestApp=Queue");
  pbx.says(25.1, "Hangup", "Uniqueid=leg2");  // the masquerade: the customer is in its place, under his own id
  pbx.passes(60);
  pbx.connects(61, "c1", "service", "PJSIP/8", 41);
  pbx.completes(70, "c1", "service", "PJSIP/8", 9, "caller");
  EXPECT_EQ(pbx.story(), (Story{"10 c1 offered sales", "11 c1 answered", "20 leg2 offered service",
                                "25 c1 transferred service attended=true", "25 c1 ended transfer", "61 leg2 answered",
                                "70 leg2 ended caller"}));
}

TEST(AmiTranslator, MatchesAMasqueradedCallByQueueAndTimeOfJoining) {
  Pbx pbx;
  pbx.joins(20, "c1", "sales");
  pbx.says(24.5, "Hangup", "Uniqueid=c1");
  pbx.says(25, "QueueCallerAbandon", "Uniqueid=other Queue=sales HoldTime=5");
  pbx.says(25, "QueueCallerLeave", "Uniqueid=other Queue=sales");
  pbx.says(25, "Hangup", "Uniqueid=other");
  pbx.passes(60);
  EXPECT_EQ(pbx.story(), (Story{"20 c1 offered sales", "25 c1 abandoned"}));
}

TEST(AmiTranslator, MatchesTheMasqueradedCallThatCameNearestToItsTime) {
  Pbx pbx;
  for (const auto& [call, at] : {std::pair{"c1", 18.}, {"c2", 19.2}, {"c3", 20.4}, {"elsewhere", 20.}})
    pbx.joins(at, call, call == std::string("elsewhere") ? "service" : "sales");
  pbx.joins(20, "lives", "sales");
  for (const std::string call : {"c1", "c2", "c3", "elsewhere"}) pbx.says(24.5, "Hangup", "Uniqueid=" + call);
  pbx.story();
  for (const std::string other : {"other", "another"}) {
    pbx.says(25, "QueueCallerAbandon", "Uniqueid=" + other + " Queue=sales HoldTime=5");
    pbx.says(25, "Hangup", "Uniqueid=" + other);
  }
  EXPECT_EQ(pbx.story(), (Story{"25 c3 abandoned", "25 c2 abandoned"}));
}

TEST(AmiTranslator, CountsLosersOfARingAllAgainstNobody) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.rings(10, "c1", "sales", "PJSIP/7");
  pbx.rings(10, "c1", "sales", "PJSIP/8");
  pbx.says(12, "DialEnd", "Uniqueid=c1 DestUniqueid=leg-PJSIP/8 DialStatus=ANSWER");
  pbx.says(12, "DialEnd", "Uniqueid=c1 DestUniqueid=leg-PJSIP/7 DialStatus=CANCEL");
  pbx.connects(12, "c1", "sales", "PJSIP/8", 2);
  EXPECT_EQ(pbx.story(), (Story{"10 c1 offered sales", "10 c1 ringing", "10 c1 ringing", "12 c1 ringEnded lost_race",
                                "12 c1 answered"}));
}

TEST(AmiTranslator, TakesABusyTelephoneAsNotAnsweredOnce) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.rings(10, "c1", "sales", "PJSIP/7");
  pbx.says(11, "DialEnd", "Uniqueid=c1 DestUniqueid=leg-PJSIP/7 DialStatus=BUSY");
  pbx.says(11, "AgentRingNoAnswer", "Uniqueid=c1 Queue=sales Interface=PJSIP/7 DestUniqueid=leg-PJSIP/7 RingTime=0");
  pbx.passes(13);
  EXPECT_EQ(pbx.story(), (Story{"10 c1 offered sales", "10 c1 ringing", "11 c1 ringNoAnswer"}));
}

TEST(AmiTranslator, LetsTheCallerWaitOnWhenTheAgentHangsUpInTheAnnouncement) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.rings(10, "c1", "sales", "PJSIP/7");
  pbx.says(12, "DialEnd", "Uniqueid=c1 DestUniqueid=leg-PJSIP/7 DialStatus=ANSWER");
  pbx.says(13, "AgentDump", "Uniqueid=c1 Queue=sales Interface=PJSIP/7");
  pbx.connects(20, "c1", "sales", "PJSIP/8", 10);
  EXPECT_EQ(pbx.story(), (Story{"10 c1 offered sales", "10 c1 ringing", "13 c1 ringEnded other", "20 c1 answered"}));
}

TEST(AmiTranslator, EndsACallWhoseAgentCompleteNamesNoChannel) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.connects(11, "c1", "sales", "PJSIP/7", 1);
  pbx.says(15, "Hangup", "Uniqueid=c1");
  pbx.says(15.1, "AgentComplete", "Queue=sales Interface=PJSIP/7 TalkTime=4 HoldTime=1 Reason=caller");
  pbx.passes(30);
  EXPECT_EQ(pbx.story().back(), "15.1 c1 ended caller");
}

TEST(AmiTranslator, EndsTheCallThatIsGoneWhereTheAgentHasAnother) {
  for (const std::string gone : {"c1", "c2", "c3"}) {
    Pbx pbx;
    for (const std::string call : {"c1", "c2", "c3"}) {
      pbx.joins(10, call, "sales");
      pbx.connects(11, call, "sales", "PJSIP/7", 1);
    }
    pbx.says(12, "Hangup", "Uniqueid=" + gone);
    pbx.story();
    pbx.says(12, "AgentComplete", "Queue=sales Interface=PJSIP/7 TalkTime=1 HoldTime=1 Reason=caller");
    EXPECT_EQ(pbx.story(), Story{"12 " + gone + " ended caller"});
  }
}

TEST(AmiTranslator, TellsACallThatCameBeforeItListened) {
  Pbx pbx;
  pbx.says(30, "AgentConnect", "Uniqueid=c1 Queue=sales Interface=PJSIP/7 HoldTime=12");
  pbx.completes(60, "c2", "service", "PJSIP/8", 20, "agent");
  EXPECT_EQ(pbx.story(), (Story{"18 c1 offered sales ?", "30 c1 answered", "39 c2 offered service ?",
                                "40 c2 answered service ?", "60 c2 ended agent"}));
}

TEST(AmiTranslator, EndsWrapUpByTheQueuesConfiguration) {
  TranslatorSettings settings;
  settings.wrap_up["sales"] = 20s;
  Pbx pbx(settings);
  pbx.joins(10, "c1", "sales");
  pbx.connects(11, "c1", "sales", "PJSIP/7", 1);
  pbx.completes(15, "c1", "sales", "PJSIP/7", 4, "agent");
  pbx.passes(34.9);
  EXPECT_EQ(pbx.story().back(), "15 c1 ended agent");
  pbx.passes(35);
  EXPECT_EQ(pbx.story(), Story{"35 c1 wrapUpEnded ?"});
}

TEST(AmiTranslator, LogsInPersonsNotInterfaces) {
  Pbx pbx;
  pbx.says(1, "QueueMemberAdded",
           "Queue=sales Interface=Local/7@a/n StateInterface=PJSIP/7 MemberName=Eva Paused=0 Status=1");
  pbx.says(2, "QueueMemberAdded",
           "Queue=service Interface=PJSIP/7 StateInterface=PJSIP/7 MemberName=Eva Paused=0 Status=1");
  pbx.says(3, "QueueMemberPause",
           "Queue=sales Interface=Local/7@a/n MemberName=Eva Paused=1 PausedReason=lunch Status=1");
  pbx.says(4, "QueueMemberPause",
           "Queue=service Interface=PJSIP/7 MemberName=Eva Paused=1 PausedReason=lunch Status=1");
  pbx.says(5, "QueueMemberStatus",
           "Queue=service Interface=PJSIP/7 MemberName=Eva Paused=1 PausedReason=lunch Status=2");
  pbx.says(6, "QueueMemberPause", "Queue=service Interface=PJSIP/7 MemberName=Eva Paused=0 Status=1");
  pbx.says(7, "QueueMemberRemoved", "Queue=service Interface=PJSIP/7 MemberName=Eva");
  pbx.says(8, "QueueMemberRemoved", "Queue=sales Interface=Local/7@a/n MemberName=Eva");
  EXPECT_EQ(pbx.story(), (Story{"1 agent loggedIn sales", "2 agent loggedIn sales service", "3 agent loggedIn service",
                                "4 agent agentPaused lunch", "6 agent agentResumed", "7 agent agentPaused lunch",
                                "8 agent loggedOut"}));
}

TEST(AmiTranslator, TakesAGoneTelephoneForABreak) {
  Pbx pbx;
  pbx.says(1, "QueueMemberAdded", "Queue=sales Interface=PJSIP/7 MemberName=Eva Paused=0 Status=1");
  pbx.says(2, "QueueMemberStatus", "Queue=sales Interface=PJSIP/7 MemberName=Eva Paused=0 Status=5");
  pbx.says(3, "QueueMemberStatus", "Queue=sales Interface=PJSIP/7 MemberName=Eva Paused=0 Status=1");
  EXPECT_EQ(pbx.story(), (Story{"1 agent loggedIn sales", "2 agent agentPaused unavailable", "3 agent agentResumed"}));
}

TEST(AmiTranslator, NeverTellsExcludedExtensions) {
  TranslatorSettings settings;
  settings.excluded = {"7", "0891"};
  Pbx pbx(settings);
  pbx.says(1, "QueueMemberAdded", "Queue=sales Interface=PJSIP/7 MemberName=Doctor Paused=0 Status=1");
  pbx.says(9, "QueueCallerJoin", "Uniqueid=c0 Queue=sales CallerIDNum=0892 Exten=51");
  pbx.rings(9, "c0", "sales", "PJSIP/7");
  pbx.connects(10, "c0", "sales", "PJSIP/7", 1);
  pbx.joins(10, "c1", "sales");
  pbx.abandon_and_leave(13, "c1", "sales");
  pbx.passes(20);
  EXPECT_EQ(pbx.story(), (Story{"9 c0 offered sales", "10 c0 answered"}));
}

TEST(AmiTranslator, NeverTellsCallsOfExcludedNumbersThatWereThereWhenItStarts) {
  for (const std::string who : {"CallerIDNum=0891", "CallerIDNum=0892 Exten=199"}) {
    TranslatorSettings settings;
    settings.excluded = {"0891", "199"};
    Pbx pbx(settings);
    pbx.translator.begin_resync("connect", Pbx::time(40), pbx.events);
    pbx.says(40, "QueueParams", "Queue=sales");
    pbx.says(40, "QueueEntry", "Queue=sales Uniqueid=waits Wait=30 CallerIDNum=0891");
    pbx.says(40, "QueueMember", "Queue=sales Location=PJSIP/7 Name=Eva Paused=0 Status=2");
    const auto lists = [&](const std::string& uniqueid, const std::string& more) {
      pbx.says(40, "CoreShowChannel",
               "Uniqueid=" + uniqueid + " Application=Queue ApplicationData=sales Channel=PJSIP/t-1 " + who + more);
    };
    lists("talks", " BridgeId=b");
    lists("ends", " BridgeId=c");
    lists("taken", "");
    pbx.says(40, "CoreShowChannel", "Uniqueid=a1 Application=AppQueue BridgeId=b Channel=PJSIP/7-0001");
    pbx.translator.finish_listing(true, Pbx::time(40), pbx.events);
    pbx.passes(41);
    pbx.says(43, "AgentConnect", "Uniqueid=taken Queue=sales Interface=PJSIP/7 HoldTime=12 " + who);
    pbx.completes(60, "talks", "sales", "PJSIP/7", 32, "caller");
    pbx.says(61, "Hangup", "Uniqueid=ends");
    pbx.passes(200);
    EXPECT_EQ(pbx.story(),
              (Story{"40 resyncBegin connect", "40 agent loggedIn sales", "40 agent agentResumed", "41 resyncEnd"}))
        << who;
  }
}

TEST(AmiTranslator, ListsWhoWaitsAfterConnectingAndForgetsNobody) {
  Pbx pbx;
  pbx.translator.begin_resync("connect", Pbx::time(100), pbx.events);
  pbx.says(100, "QueueParams", "Queue=sales");
  pbx.says(100, "QueueMember", "Queue=sales Location=PJSIP/7 Name=Eva Paused=0 Status=1");
  pbx.says(100, "QueueEntry", "Queue=sales Uniqueid=c1 Wait=30 CallerIDNum=0891 Priority=5");
  pbx.says(100, "QueueStatusComplete", "");
  pbx.says(100, "CoreShowChannel", "Uniqueid=c1 Linkedid=j1 Application=Queue Channel=PJSIP/trunk-1");
  pbx.translator.finish_listing(true, Pbx::time(100), pbx.events);
  pbx.joins(100.1, "c1", "sales");  // what was under way when the list was made
  pbx.passes(101);
  EXPECT_EQ(pbx.story(), (Story{"100 resyncBegin connect", "100 agent loggedIn sales", "100 agent agentResumed",
                                "70 c1 offered sales priority=5 ?", "101 resyncEnd c1"}));
}

TEST(AmiTranslator, DropsWhoEndedUnseenAndKeepsWhoIsHeardOf) {
  Pbx pbx;
  pbx.joins(10, "gone", "sales");
  pbx.joins(10, "waits", "sales");
  pbx.joins(10, "leaves", "sales");
  pbx.joins(10, "talks", "sales");
  pbx.connects(11, "talks", "sales", "PJSIP/7", 1);
  pbx.story();
  pbx.translator.upstream_lost("cut", Pbx::time(20), pbx.events);
  pbx.translator.begin_resync("gap", Pbx::time(40), pbx.events);
  pbx.says(40, "QueueParams", "Queue=sales");
  pbx.says(40, "QueueEntry", "Queue=sales Uniqueid=waits Wait=30");
  pbx.says(40, "QueueStatusComplete", "");
  pbx.says(40, "CoreShowChannel", "Uniqueid=talks Application=Queue BridgeId=b Channel=PJSIP/trunk-2");
  pbx.translator.finish_listing(true, Pbx::time(40), pbx.events);
  pbx.abandon_and_leave(40.1, "leaves", "sales");  // it left the list while the list was made
  pbx.says(40.1, "Hangup", "Uniqueid=leaves");
  pbx.passes(41);
  Story story = pbx.story();
  std::ranges::sort(story);  // the order of the contacts at the end means nothing
  EXPECT_EQ(story[0], "20 upstreamLost cut");
  EXPECT_EQ(story[1], "40 resyncBegin gap");
  EXPECT_EQ(story[2], "40.1 leaves abandoned");
  EXPECT_TRUE(story[3] == "41 resyncEnd waits talks" || story[3] == "41 resyncEnd talks waits") << story[3];
}

TEST(AmiTranslator, ForgetsACallOutsideOfQueuesWhoseHangUpWasMissed) {
  for (const bool listed : {false, true}) {
    TranslatorSettings settings;
    settings.arrival_contexts = {"in"};
    Pbx pbx(settings);
    pbx.says(10, "Newchannel", "Uniqueid=c1 Channel=PJSIP/trunk-1 ChannelState=4 Context=in Exten=600");
    pbx.translator.upstream_lost("cut", Pbx::time(20), pbx.events);
    pbx.story();
    pbx.translator.begin_resync("gap", Pbx::time(40), pbx.events);
    if (listed) pbx.says(40, "CoreShowChannel", "Uniqueid=c1 Application=Playback Channel=PJSIP/trunk-1");
    pbx.translator.finish_listing(true, Pbx::time(40), pbx.events);
    pbx.passes(41);
    EXPECT_EQ(pbx.story(), (Story{"40 resyncBegin gap", listed ? "41 resyncEnd c1" : "41 resyncEnd"}));
    pbx.passes(102);
    pbx.says(103, "Hangup", "Uniqueid=c1");
    EXPECT_EQ(pbx.story(), listed ? Story{"103 c1 ended"} : Story{});
  }
}

TEST(AmiTranslator, GivesUpTheCallNotHeardOfForTheLongestTime) {
  Pbx pbx;
  pbx.joins(1, "first", "sales");
  pbx.joins(2, "talks", "sales");
  pbx.connects(3, "talks", "sales", "PJSIP/7", 1);
  pbx.joins(4, "last", "sales");
  pbx.rings(5, "first", "sales", "PJSIP/8");
  for (std::size_t i = 3; i < AmiTranslator::max_calls; ++i) pbx.joins(6, 'c' + std::to_string(i), "sales");
  EXPECT_EQ(pbx.translator.seen().calls_given_up, 0U);
  pbx.events.clear();
  pbx.joins(10, "one", "sales");
  pbx.joins(11, "another", "sales");
  pbx.joins(12, "third", "sales");
  EXPECT_EQ(pbx.story(),
            (Story{"10 talks ended ?", "10 one offered sales", "11 last outcomeUnknown ?", "11 another offered sales",
                   "12 first ringEnded caller_left", "12 first outcomeUnknown ?", "12 third offered sales"}));
  EXPECT_EQ(pbx.translator.seen().calls_given_up, 3U);
}

TEST(AmiTranslator, FindsTheAgentOfACallAnsweredUnseen) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.translator.upstream_lost("cut", Pbx::time(20), pbx.events);
  pbx.story();
  pbx.translator.begin_resync("gap", Pbx::time(40), pbx.events);
  pbx.says(40, "QueueParams", "Queue=sales");
  pbx.says(40, "QueueMember", "Queue=sales Location=PJSIP/7 Name=Eva Paused=0 Status=2");
  pbx.says(40, "QueueStatusComplete", "");
  pbx.says(40, "CoreShowChannel",
           "Uniqueid=c1 Application=Queue ApplicationData=sales BridgeId=b Channel=PJSIP/trunk-1 Duration=00:00:30");
  pbx.says(40, "CoreShowChannel", "Uniqueid=a1 Application=AppQueue BridgeId=b Channel=PJSIP/7-0001 Duration=00:00:12");
  pbx.translator.finish_listing(true, Pbx::time(40), pbx.events);
  pbx.passes(41);
  pbx.completes(60, "c1", "sales", "PJSIP/7", 32, "caller");
  EXPECT_EQ(pbx.story(), (Story{"40 resyncBegin gap", "40 agent loggedIn sales", "40 agent agentResumed",
                                "29 c1 answered sales ??", "41 resyncEnd c1", "60 c1 ended caller"}));
}

TEST(AmiTranslator, ForgetsEverythingOfAFormerPbxProcess) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.story();
  pbx.translator.begin_resync("restart", Pbx::time(40), pbx.events);
  pbx.translator.finish_listing(true, Pbx::time(40), pbx.events);
  pbx.passes(50);
  EXPECT_EQ(pbx.story(), (Story{"40 resyncBegin restart", "41 resyncEnd"}));
}

TEST(AmiTranslator, ReportsByNumberHowManyChannelsCameUpUnseen) {
  Pbx pbx;
  pbx.says(10, "Newchannel", "Uniqueid=pbx-1700000000.41");
  pbx.translator.upstream_lost("cut", Pbx::time(20), pbx.events);
  pbx.story();
  pbx.says(40, "Newchannel", "Uniqueid=pbx-1700000030.52");
  pbx.says(41, "Newchannel", "Uniqueid=pbx-1700000031.53");
  const Story story = pbx.story();
  ASSERT_EQ(story.size(), 1U);
  EXPECT_TRUE(story[0].starts_with("40 eventsLost")) << story[0];
  EXPECT_NE(story[0].find("count=10"), std::string::npos) << story[0];
}

TEST(AmiTranslator, EndsACallOfItsFormerLifeWithoutTellingItsBeginningAgain) {
  Pbx pbx;
  pbx.translator.resume_after(10);
  pbx.translator.begin_resync("gap", Pbx::time(40), pbx.events);
  pbx.says(40, "QueueParams", "Queue=sales");
  pbx.says(40, "QueueMember", "Queue=sales Location=PJSIP/7 Name=Eva Paused=0 Status=2");
  pbx.says(40, "QueueStatusComplete", "");
  pbx.says(40, "CoreShowChannel",
           "Uniqueid=1.5 Application=Queue ApplicationData=sales,,,,9 BridgeId=b Channel=PJSIP/t-1");
  pbx.says(40, "CoreShowChannel",
           "Uniqueid=1.6 Application=AppQueue BridgeId=b Channel=PJSIP/7-0001 Duration=00:00:30");
  pbx.translator.finish_listing(true, Pbx::time(40), pbx.events);
  pbx.passes(41);
  pbx.completes(60, "1.5", "sales", "PJSIP/7", 32, "caller");
  pbx.says(61, "Newchannel", "Uniqueid=1.14");
  const Story story = pbx.story();
  ASSERT_EQ(story.size(), 7U);
  EXPECT_EQ(story[3], "10 1.5 answered sales ??");
  EXPECT_EQ(story[4], "41 resyncEnd 1.5");
  EXPECT_EQ(story[5], "60 1.5 ended caller");
  EXPECT_NE(story[6].find("count=3"), std::string::npos) << story[6];
}

TEST(AmiTranslator, OffersNoCallAgainThatEndsWhileItsFirstListIsMade) {
  Pbx pbx;
  pbx.translator.resume_after(10);
  pbx.translator.begin_resync("gap", Pbx::time(40), pbx.events);
  pbx.completes(40.01, "1.5", "sales", "PJSIP/7", 32, "caller");  // its former life said that it was answered
  pbx.says(40, "QueueParams", "Queue=sales");
  pbx.translator.finish_listing(true, Pbx::time(40), pbx.events);
  pbx.passes(42);
  EXPECT_EQ(pbx.story(),
            (Story{"40 resyncBegin gap", "8.01 1.5 answered sales ?", "40.01 1.5 ended caller", "41.01 resyncEnd"}));
}

TEST(AmiTranslator, WaitsForAnAnswerThroughALongSubroutineAndAListing) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.rings(12, "c1", "sales", "PJSIP/7");
  pbx.says(14, "DialEnd", "Uniqueid=c1 DestUniqueid=leg-PJSIP/7 DialStatus=ANSWER");
  pbx.says(14, "QueueCallerLeave", "Uniqueid=c1 Queue=sales");
  pbx.story();
  pbx.translator.begin_resync("periodic", Pbx::time(15), pbx.events);
  pbx.says(15, "QueueParams", "Queue=sales");
  pbx.says(15, "CoreShowChannel", "Uniqueid=c1 Application=Queue ApplicationData=sales Channel=PJSIP/trunk-1");
  pbx.translator.finish_listing(true, Pbx::time(15), pbx.events);
  pbx.passes(16);
  pbx.says(17, "AgentConnect", "Uniqueid=c1 Queue=sales Interface=PJSIP/7 DestUniqueid=leg-PJSIP/7 HoldTime=4");
  EXPECT_EQ(pbx.story(), (Story{"15 resyncBegin periodic", "16 resyncEnd c1", "17 c1 answered"}));
}

TEST(AmiTranslator, SaysThatACallMovedOnUnseenBeforeItWasAnswered) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.translator.upstream_lost("cut", Pbx::time(20), pbx.events);
  pbx.story();
  pbx.translator.begin_resync("gap", Pbx::time(40), pbx.events);
  pbx.says(40, "QueueParams", "Queue=service");
  pbx.says(40, "QueueMember", "Queue=service Location=PJSIP/7 Name=Eva Paused=0 Status=2");
  pbx.says(40, "CoreShowChannel",
           "Uniqueid=c1 Application=Queue ApplicationData=service,,,,9 BridgeId=b Channel=PJSIP/t-1 Duration=00:00:30");
  pbx.says(40, "CoreShowChannel", "Uniqueid=a1 Application=AppQueue BridgeId=b Channel=PJSIP/7-0001 Duration=00:00:12");
  pbx.translator.finish_listing(true, Pbx::time(40), pbx.events);
  pbx.passes(41);
  EXPECT_EQ(pbx.story(), (Story{"40 resyncBegin gap", "40 agent loggedIn service", "40 agent agentResumed",
                                "29 c1 answered service ??", "41 resyncEnd c1"}));
}

TEST(AmiTranslator, DoesNotGuessHowACallLeftAQueueUnseen) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.joins(10, "c2", "sales");
  pbx.translator.upstream_lost("cut", Pbx::time(20), pbx.events);
  pbx.story();
  pbx.translator.begin_resync("gap", Pbx::time(40), pbx.events);
  pbx.joins(40, "c2", "service");
  pbx.says(40, "QueueParams", "Queue=service");
  pbx.says(40, "QueueEntry", "Queue=service Uniqueid=c1 Wait=5");
  pbx.translator.finish_listing(true, Pbx::time(40), pbx.events);
  EXPECT_EQ(pbx.story(), (Story{"40 resyncBegin gap", "40 c2 offered service", "35 c1 offered service ?"}));
}

TEST(AmiTranslator, KeepsACallThatIsBeingTakenWhenItStarts) {
  Pbx pbx;
  const auto starts = [&pbx](double at) {
    pbx = Pbx();
    pbx.translator.begin_resync("gap", Pbx::time(at), pbx.events);
    pbx.says(at, "CoreShowChannel",
             "Uniqueid=c1 Application=Queue ApplicationData=sales Channel=PJSIP/t-1 Duration=00:00:20");
    pbx.translator.finish_listing(true, Pbx::time(at), pbx.events);
  };
  starts(40);
  pbx.passes(41);
  pbx.says(43, "AgentConnect", "Uniqueid=c1 Queue=sales Interface=PJSIP/7 HoldTime=12");
  EXPECT_EQ(pbx.story(), (Story{"40 resyncBegin gap", "41 resyncEnd c1", "43 c1 answered"}));
  starts(40);
  pbx.says(40.1, "AgentComplete", "Uniqueid=c1 Queue=sales Interface=PJSIP/7 HoldTime=2 TalkTime=9 Reason=agent");
  EXPECT_EQ(pbx.story(), (Story{"40 resyncBegin gap", "31.1 c1 answered sales ?", "40.1 c1 ended agent"}));
  starts(40);
  pbx.passes(41);
  pbx.says(44, "Hangup", "Uniqueid=c1");
  EXPECT_EQ(pbx.story(), (Story{"40 resyncBegin gap", "41 resyncEnd c1", "40 c1 outcomeUnknown ?"}));
}

TEST(AmiTranslator, SaysThatEventsMayBeLostWhereAMessageIsCut) {
  const std::string lost = "10 eventsLost count=1 a message of the PBX, or a line of it, was too long to be read";
  Pbx pbx;
  const auto take = [&](std::vector<std::pair<std::string_view, std::string_view>> fields) {
    pbx.translator.take({std::move(fields), true}, Pbx::time(10), pbx.events);
    return pbx.story();
  };
  EXPECT_EQ(take({}), Story{lost}) << "nobody knows what it was";
  EXPECT_EQ(take({{"Event", "QueueCallerJoin"}, {"Queue", "sales"}}), Story{lost});
  EXPECT_EQ(take({{"Event", "QueueCallerJoin"}, {"Queue", "sales"}, {"Uniqueid", "c1"}}),
            (Story{"10 c1 offered sales", lost}));
  EXPECT_EQ(take({{"Event", "QueueMemberStatus"}}), Story{lost});
  EXPECT_EQ(take({{"Event", "VarSet"}, {"Variable", "QUEUESTATUS"}}), Story{lost});
  EXPECT_EQ(take({{"Event", "VarSet"}, {"Variable", "CURL_RESULT"}}), Story{});
  EXPECT_EQ(take({{"Event", "RTCPSent"}}), Story{}) << "nobody listens to it";
  EXPECT_EQ(take({{"Response", "Success"}}), Story{});
}

TEST(AmiTranslator, HoldsAndRetrievesWithTheAgentsTelephone) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");
  pbx.connects(11, "c1", "sales", "PJSIP/7", 1);
  pbx.says(12, "Unhold", "Uniqueid=leg-PJSIP/7");
  pbx.says(13, "Hold", "Uniqueid=leg-PJSIP/7");
  pbx.says(15, "Unhold", "Uniqueid=leg-PJSIP/7");
  EXPECT_EQ(pbx.story(), (Story{"10 c1 offered sales", "11 c1 answered", "13 c1 held", "15 c1 retrieved"}));
}

TEST(AmiTranslator, NeverLetsANumberOutExceptAsPseudonym) {
  Pbx pbx;
  pbx.says(9, "Newchannel",
           "Uniqueid=c1 Channel=Local/+49891234567@cb-01;1 Exten=+49891234567 CallerIDNum=+49891234567");
  pbx.says(10, "QueueCallerJoin",
           "Uniqueid=c1 Linkedid=c1 Queue=sales Channel=Local/+49891234567@cb-01;1 CallerIDNum=+49891234567 Exten=s");
  for (const v1::Event& event : pbx.events)
    EXPECT_EQ(client::to_json_line(event).find("891234567"), std::string::npos) << client::to_json_line(event);
}

/// A channel begins and comes to a queue; what is told of where it began, without the word "offered".
std::string told_as_dialled(const std::string& channel, const std::string& exten, const std::string& numbers,
                            TranslatorSettings settings = {}) {
  Pbx pbx(std::move(settings));
  pbx.says(1, "QueueMemberAdded", "Queue=sales Interface=PJSIP/30 MemberName=Eva Paused=0 Status=1");
  pbx.story();
  pbx.says(9, "Newchannel", "Uniqueid=c1 Channel=" + channel + " Context=in Exten=" + exten + ' ' + numbers);
  pbx.says(10, "QueueCallerJoin", "Uniqueid=c1 Queue=sales Exten=" + exten + ' ' + numbers);
  return pbx.story().back().substr(std::string("10 c1 offered sales").size());
}

TEST(AmiTranslator, TellsTheNumberThatACustomerDialled) {
  EXPECT_EQ(told_as_dialled("PJSIP/trunk-1 ChannelState=4", "040123456", "CallerIDNum=+491711234567"), " 040123456");
  EXPECT_EQ(told_as_dialled("PJSIP/trunk-1 ChannelState=4", "040123456", "CallerIDNum=anonymous"), " 040123456");
  EXPECT_EQ(told_as_dialled("PJSIP/77-1 ChannelState=4", "600", "CallerIDNum=77"), " 600");
  TranslatorSettings settings;
  settings.arrival_contexts = {"in"};
  EXPECT_EQ(told_as_dialled("PJSIP/trunk-1 ChannelState=4", "600", "", settings), " 600");
}

TEST(AmiTranslator, TellsNoNumberAsDialledThatMayBeACustomersOwn) {
  const std::string number = "01719998877";
  EXPECT_EQ(told_as_dialled("Local/" + number + "@callback-1;1 ChannelState=0", number, "CallerIDNum=<unknown>"), "");
  EXPECT_EQ(told_as_dialled("Local/" + number + "@callback-1;2 ChannelState=4", number, "CallerIDNum=0401234"), "");
  EXPECT_EQ(told_as_dialled("PJSIP/trunk-1 ChannelState=0", number, "CallerIDNum=0401234"), "") << "called by the PBX";
  for (const std::string spelling : {"01719998877", "+491719998877", "00491719998877", "9998877", "998877"}) {
    EXPECT_EQ(told_as_dialled("PJSIP/trunk-1 ChannelState=4", number, "CallerIDNum=" + spelling), "") << spelling;
    EXPECT_EQ(told_as_dialled("PJSIP/trunk-1 ChannelState=4", number, "ConnectedLineNum=" + spelling), "") << spelling;
  }
  EXPECT_EQ(told_as_dialled("PJSIP/30-1 ChannelState=4", number, "CallerIDNum=anonymous"), "") << "by an agent";
  EXPECT_EQ(told_as_dialled("PJSIP/77-1 ChannelState=4", number, "CallerIDNum=77"), "") << "from within the house";
  TranslatorSettings settings;
  settings.arrival_contexts = {"from-trunk"};
  EXPECT_EQ(told_as_dialled("PJSIP/77-1 ChannelState=4", number, "CallerIDNum=anonymous", settings), "");
}

TEST(AmiTranslator, TellsNoNumberThatTheDialplanComesToLater) {
  Pbx pbx;
  pbx.joins(10, "c1", "sales");  // its beginning was not seen
  pbx.says(11, "Newchannel", "Uniqueid=c2 Channel=PJSIP/trunk-2 ChannelState=4 Exten=s CallerIDNum=0892");
  pbx.says(12, "QueueCallerJoin", "Uniqueid=c2 Queue=sales CallerIDNum=0892 Exten=01719998877");
  EXPECT_EQ(pbx.story(), (Story{"10 c1 offered sales", "12 c2 offered sales"}));
}

TEST(RecentMap, KnowsWhatWasNotUsedForTheLongestTime) {
  RecentMap<int> map;
  for (const char* key : {"a", "b", "c"}) map[key] = *key;
  EXPECT_EQ(map.oldest().first, "a");
  *map.use("a") = 1;
  EXPECT_EQ(map.oldest().first, "b");
  ASSERT_TRUE(map.find("b"));
  EXPECT_EQ(map.oldest().first, "b") << "looking is not using";
  map.erase(map.oldest().first);
  EXPECT_EQ(map.oldest().first, "c");
  EXPECT_FALSE(map.use("b"));
  map.erase_if([](const auto& entry) { return entry.second == 1; });
  EXPECT_EQ(map.size(), 1U);
}

TEST(Timestamp, KeepsMicroseconds) {
  AmiMessage message;
  message.fields = {{"Timestamp", "1795420133.830530"}};
  EXPECT_EQ(ns_of(timestamp_of(message).value()), 1'795'420'133'830'530'000);
  for (const char* bad : {"", "x", "12.3x", "-5", "99999999999999999999", "1795420133.8:3"}) {
    message.fields = {{"Timestamp", bad}};
    EXPECT_FALSE(timestamp_of(message)) << bad;
  }
}

}  // namespace
}  // namespace reach::asterisk
