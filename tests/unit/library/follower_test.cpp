#include "clients/library/follower.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace reach::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

v1::Alert alert(const std::string& id, std::uint32_t revision, const std::string& state = "firing") {
  v1::Alert made;
  made.set_id(id);
  made.set_revision(revision);
  made.set_state(state);
  return made;
}

v1::Pulse pulse(std::uint64_t time, const std::map<std::string, std::uint64_t>& said) {
  v1::Pulse made;
  made.set_last_heard_ns(time);
  for (const auto& [topic, number] : said) {
    made.add_said()->set_topic(topic);
    made.mutable_said(made.said_size() - 1)->set_sequence(number);
  }
  return made;
}

/// A follower, and what it says as lines.
class FollowerTest : public testing::Test {
 protected:
  std::vector<std::string> said;
  std::vector<std::string> all;  ///< the ids of the last list of all alerts
  std::vector<v1::Request> requests;
  int reopened = 0;
  Follower::TimePoint now{seconds(1000)};
  Follower follower{
      {}, calls(), {[this](const v1::Request& r) { requests.push_back(r); }, [this] { ++reopened; }}, now};

  SubscriberCalls calls() {
    SubscriberCalls made;
    made.snapshot = [this](const v1::Snapshot&) { said.push_back("snapshot"); };
    made.alerts = [this](const v1::Alerts& alerts) {
      EXPECT_EQ(said.back(), "snapshot") << "they go together";
      all.clear();
      for (const v1::Alert& each : alerts.alerts()) all.push_back(each.id());
    };
    made.segment = [this](const v1::SegmentState& s) { said.push_back(s.id() + ' ' + std::to_string(s.time_ns())); };
    made.alert = [this](const v1::Alert& a) { said.push_back(a.id() + ' ' + std::to_string(a.revision())); };
    made.alerts_lost = [this](const AlertsLost& lost) {
      std::string line = "lost " + std::to_string(lost.from_ns) + '-' + std::to_string(lost.to_ns);
      for (const std::string& id : lost.over) line += ' ' + id;
      said.push_back(line);
    };
    made.connection = [this](bool connected, const std::string& why) {
      said.push_back(connected ? "connected" : "lost: " + why);
    };
    return made;
  }
  void take(const std::string& topic, std::uint64_t number, const google::protobuf::Message& message) {
    const std::string payload = message.SerializeAsString();
    follower.take({topic, number, payload}, now);
  }
  void take_segment(std::uint64_t number) {
    v1::SegmentState state;
    state.set_id("sales");
    state.set_time_ns(number);
    take("state/sales", number, state);
  }
  /// Answers the last two requests.
  void answer(const std::map<std::string, std::uint64_t>& topics, v1::Alerts alerts = {}) {
    ASSERT_GE(requests.size(), 2U);
    v1::Reply first, second;
    first.set_id(requests[requests.size() - 2].id());
    for (const auto& [topic, number] : topics) {
      v1::TopicSequence& each = *first.mutable_snapshot()->add_topics();
      each.set_topic(topic);
      each.set_sequence(number);
    }
    first.mutable_snapshot();
    follower.take(first, now);
    second.set_id(requests.back().id());
    *second.mutable_alerts() = std::move(alerts);
    follower.take(second, now);
  }
  static v1::Alerts alerts(std::uint64_t time, std::uint64_t complete_since, const std::vector<v1::Alert>& list) {
    v1::Alerts made;
    made.set_time_ns(time);
    made.set_complete_since_ns(complete_since);
    for (const v1::Alert& each : list) *made.add_alerts() = each;
    return made;
  }
  std::vector<std::string> lines() { return std::exchange(said, {}); }
  using Lines = std::vector<std::string>;
  void connect(const std::map<std::string, std::uint64_t>& topics, v1::Alerts known = {}) {
    take("system/_daemon", 1, pulse(0, {}));
    answer(topics, std::move(known));
    lines();
  }
};

TEST_F(FollowerTest, AsksWhenItHearsSomethingAndLeavesTheStreamUntilItIsAnswered) {
  EXPECT_TRUE(follower.wants_stream());
  EXPECT_TRUE(requests.empty());
  take_segment(5);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[0].has_snapshot());
  EXPECT_TRUE(requests[1].alerts().all());
  EXPECT_FALSE(follower.wants_stream());
  answer({{"state/sales", 6}});
  EXPECT_TRUE(follower.wants_stream());
  take_segment(6);
  take_segment(7);
  EXPECT_EQ(lines(), (Lines{"snapshot", "connected", "sales 7"}));
}

TEST_F(FollowerTest, HandsOverAllAlertsWithEachSnapshot) {
  connect({{"alert/sales", 1}}, alerts(10, 0, {alert("open", 1), alert("over", 2, "resolved")}));
  EXPECT_EQ(all, (Lines{"open", "over"}));
  take("alert/sales", 3, alert("late", 1));  // a gap
  answer({{"alert/sales", 3}}, alerts(20, 0, {alert("missed", 1), alert("late", 1)}));
  EXPECT_EQ(all, (Lines{"missed", "late"}));
  EXPECT_EQ(lines(), (Lines{"late 1", "snapshot", "lost 10-10 open", "missed 1"}));
}

TEST_F(FollowerTest, NoticesByThePulseWhatWasLostAtTheEnd) {
  connect({{"state/sales", 4}, {"alert/sales", 0}, {"system/_daemon", 1}});
  take_segment(5);
  take("system/_daemon", 2, pulse(10, {{"state/sales", 5}}));
  EXPECT_TRUE(follower.wants_stream()) << "all is there";
  take("system/_daemon", 3, pulse(20, {{"alert/sales", 2}}));  // two alerts that never came, and none follows
  EXPECT_FALSE(follower.wants_stream());
  EXPECT_EQ(follower.state().gaps, 1U);
  lines();
  answer({{"state/sales", 5}, {"alert/sales", 2}, {"system/_daemon", 3}}, alerts(25, 0, {alert("a", 2, "resolved")}));
  EXPECT_EQ(lines(), (Lines{"snapshot", "a 2"}));
  EXPECT_EQ(follower.state().repaired, 1U);
}

TEST_F(FollowerTest, SaysWhichTimeOfAlertsNobodyRemembers) {
  connect({{"alert/sales", 1}, {"system/_daemon", 1}}, alerts(100, 0, {alert("open", 1), alert("still", 1)}));
  take("system/_daemon", 2, pulse(200, {}));
  take("system/_daemon", 9, pulse(900, {}));  // it stood still for a while
  answer({{"alert/sales", 5000}, {"system/_daemon", 9}},
         alerts(950, 700, {alert("still", 2), alert("late", 2, "resolved")}));
  EXPECT_EQ(lines(), (Lines{"snapshot", "lost 200-700 open", "still 2", "late 2"}));
  EXPECT_EQ(follower.state().alerts_lost, 1U);
  take("system/_daemon", 10, pulse(1000, {}));
  take("system/_daemon", 12, pulse(1200, {}));
  answer({{"alert/sales", 5000}, {"system/_daemon", 12}}, alerts(1250, 700, {alert("still", 2)}));
  EXPECT_EQ(lines(), Lines{"snapshot"}) << "what was told once, and what is remembered, is no loss";
}

TEST_F(FollowerTest, IsCompleteWhereReachdRemembersAll) {
  connect({{"alert/sales", 1}, {"system/_daemon", 1}}, alerts(100, 0, {alert("a", 1)}));
  take("system/_daemon", 5, pulse(500, {}));
  answer({{"system/_daemon", 5}}, alerts(550, 100, {alert("a", 3, "resolved")}));
  EXPECT_EQ(lines(), (Lines{"snapshot", "a 3"}));
}

TEST_F(FollowerTest, SaysAnAlertThatASnapshotOvertookOnTheWay) {
  connect({{"alert/sales", 1}, {"state/sales", 1}});
  take_segment(3);  // a gap
  answer({{"alert/sales", 4}, {"state/sales", 3}}, alerts(10, 0, {alert("a", 2)}));
  lines();
  take("alert/sales", 2, alert("a", 1));              // older than what the answer said
  take("alert/sales", 3, alert("a", 2));              // the same
  take("alert/sales", 4, alert("b", 1, "resolved"));  // not in the answer: it may have been forgotten already
  take("alert/sales", 5, alert("a", 3));
  EXPECT_EQ(lines(), (Lines{"b 1", "a 3"}));
}

TEST_F(FollowerTest, TakesReachdsWordForWhatAPowerCutUnsaid) {
  const auto at = [](v1::Alert alert, std::uint64_t changed) {
    alert.set_changed_ns(changed);
    return alert;
  };
  connect({{"alert/sales", 0}, {"system/_daemon", 1}});
  take("alert/sales", 1, at(alert("a", 1), 10));
  take("alert/sales", 2, at(alert("a", 2), 20));
  take("alert/sales", 3, at(alert("b", 1), 30));
  lines();
  follower.lose("cut", now);
  take("system/_daemon", 1001, pulse(40, {}));
  answer({{"alert/sales", 1001}}, alerts(40, 0, {at(alert("a", 1), 10), at(alert("b", 1, "resolved"), 35)}));
  take("alert/sales", 1002, at(alert("a", 2, "resolved"), 50));
  EXPECT_EQ(lines(), (Lines{"lost: cut", "snapshot", "a 1", "b 1", "connected", "a 2"}));
}

TEST_F(FollowerTest, SaysNothingTwiceHoweverManyAlertsThereWere) {
  connect({{"alert/sales", 0}});
  constexpr std::uint64_t many = 12'000;
  take("alert/sales", 1, alert("open", 1));
  for (std::uint64_t i = 2; i <= many; ++i) take("alert/sales", i, alert("a" + std::to_string(i), 1, "resolved"));
  EXPECT_EQ(lines().size(), many);
  take("alert/sales", many + 2, alert("next", 1));
  lines();
  answer({{"alert/sales", many + 2}},
         alerts(10, 0, {alert("open", 1), alert("a" + std::to_string(many), 1, "resolved"), alert("next", 1)}));
  EXPECT_EQ(lines(), Lines{"snapshot"});
}

TEST_F(FollowerTest, BeginsAnewWithoutReadingWhatWaitedTooLong) {
  connect({{"state/sales", 1}});
  EXPECT_EQ(follower.deadline(), now + seconds(3));
  now += milliseconds(2999);
  follower.pass(now);
  take_segment(2);
  now += milliseconds(2999);
  follower.pass(now);
  EXPECT_EQ(reopened, 0) << "news counts";
  now += seconds(60);  // the program stood still; old states wait in its socket
  follower.pass(now);
  EXPECT_EQ(reopened, 1);
  EXPECT_FALSE(follower.state().connected);
  EXPECT_EQ(lines(), (Lines{"sales 2", "lost: nothing was heard from reachd at tcp://127.0.0.1:5571 for 3000 ms"}));
  now += seconds(3);
  follower.pass(now);
  EXPECT_EQ(lines(), Lines{}) << "said once";
  take_segment(9);
  answer({{"state/sales", 9}});
  EXPECT_EQ(lines(), (Lines{"snapshot", "connected"}));
}

TEST_F(FollowerTest, GivesUpAnAnswerThatDoesNotCome) {
  take_segment(1);
  now += seconds(3);
  follower.pass(now);
  EXPECT_EQ(reopened, 1);
  EXPECT_EQ(lines(), Lines{"lost: reachd does not answer at tcp://127.0.0.1:5572"});
  const auto old = requests;
  take_segment(1);
  v1::Reply late;
  late.set_id(old[0].id());
  late.mutable_snapshot();
  follower.take(late, now);
  late.set_id(old[1].id());
  late.mutable_alerts();
  follower.take(late, now);
  EXPECT_EQ(lines(), Lines{}) << "an answer to an older question";
}

TEST_F(FollowerTest, SaysWhyItIsRefusedAndDoesNotAskAgainAtOnce) {
  take_segment(1);
  v1::Reply refusal;
  refusal.set_id(requests.back().id());
  refusal.mutable_error()->set_message("answers wait to be read");
  follower.take(refusal, now);
  EXPECT_FALSE(follower.wants_stream());
  now += milliseconds(2999);
  follower.pass(now);
  EXPECT_EQ(requests.size(), 2U);
  EXPECT_EQ(lines(), Lines{});
  now += milliseconds(1);
  follower.pass(now);
  EXPECT_EQ(lines(), Lines{"lost: reachd refuses at tcp://127.0.0.1:5572: answers wait to be read"});
  take_segment(3);
  answer({{"state/sales", 3}});
  EXPECT_EQ(lines(), (Lines{"snapshot", "connected"}));
}

// A stream with losses anywhere: the last state and the last revision of every alert arrive all the same, each revision
// once, none that steps back.
TEST_F(FollowerTest, EndsWithTheTruthWhateverIsLost) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto chance = [&](int percent) { return std::uniform_int_distribution(1, 100)(random) <= percent; };
    std::map<std::string, std::uint64_t> numbers, since_pulse, states, seen_states;
    std::map<std::string, v1::Alert> open;
    std::map<std::string, std::uint32_t> last_revision, seen;
    std::vector<v1::Request> asked;
    std::map<std::string, std::uint64_t> snapshot_states;
    SubscriberCalls to;
    to.snapshot = [&](const v1::Snapshot&) { seen_states = snapshot_states; };
    to.segment = [&](const v1::SegmentState& s) {
      EXPECT_GT(s.time_ns(), seen_states[s.id()]);
      seen_states[s.id()] = s.time_ns();
    };
    to.alert = [&](const v1::Alert& a) {
      EXPECT_GT(a.revision(), seen[a.id()]);
      seen[a.id()] = a.revision();
    };
    to.alerts_lost = [](const AlertsLost&) { ADD_FAILURE() << "all are remembered here"; };
    Follower one({}, to, {[&](const v1::Request& r) { asked.push_back(r); }, [] {}}, now);
    std::deque<std::tuple<std::string, std::uint64_t, std::string>> queue;
    bool full = false;
    const auto publish = [&](const std::string& topic, const google::protobuf::Message& message) {
      const auto number = ++numbers[topic];
      since_pulse[topic] = number;
      if (!full) queue.emplace_back(topic, number, message.SerializeAsString());
    };
    const auto read = [&] {
      while (one.wants_stream() && !queue.empty()) {
        const auto [topic, number, payload] = queue.front();
        queue.pop_front();
        one.take({topic, number, payload}, now);
      }
    };
    const auto reply = [&] {
      for (const v1::Request& request : std::exchange(asked, {})) {
        v1::Reply out;
        out.set_id(request.id());
        if (request.has_snapshot()) {
          snapshot_states = states;
          out.mutable_snapshot();
          for (const auto& [topic, number] : numbers) {
            v1::TopicSequence& each = *out.mutable_snapshot()->add_topics();
            each.set_topic(topic);
            each.set_sequence(number);
          }
        } else {
          out.mutable_alerts();
          for (const auto& [id, each] : open) *out.mutable_alerts()->add_alerts() = each;
        }
        one.take(std::move(out), now);
      }
    };
    const auto beat = [&] {
      const v1::Pulse made = pulse(1, std::exchange(since_pulse, {}));
      publish("system/_daemon", made);
    };
    beat();
    read();
    reply();
    for (int step = 0; step < 300; ++step) {
      if (chance(3)) full = !full;
      const std::string name(1, static_cast<char>('a' + std::uniform_int_distribution(0, 4)(random)));
      if (chance(50)) {
        v1::SegmentState state;
        state.set_id(name);
        state.set_time_ns(++states[name]);
        publish("state/" + name, state);
      } else {
        v1::Alert& each = open[name + std::to_string(std::uniform_int_distribution(0, 3)(random))];
        if (each.id().empty()) each = alert(name + std::to_string(open.size()) + "x" + std::to_string(step), 0);
        each.set_revision(each.revision() + 1);
        last_revision[each.id()] = each.revision();
        publish("alert/" + name, each);
      }
      if (chance(10)) beat();
      if (chance(40)) read();
      if (chance(40)) reply();
    }
    full = false;
    beat();
    for (int round = 0; round < 3; ++round) {
      read();
      reply();
    }
    EXPECT_EQ(seen_states, states);
    EXPECT_EQ(seen, last_revision);
    EXPECT_EQ(one.state().gaps, one.state().repaired);
  }
}

}  // namespace
}  // namespace reach::client
