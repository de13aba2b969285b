#include "daemon/shell/publisher.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace reach::shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Time noon = time_from_ns(1'764'000'000'000'000'000);

Config three_segments() {
  Config config;
  for (const char* id : {"a", "b", "c"}) {
    SegmentConfig segment;
    segment.id = id;
    segment.queues = {{"", std::string("queue-") + id, ""}};
    config.segments.push_back(segment);
  }
  PoolConfig pool;
  pool.id = "all";
  pool.segments = {"a", "b", "c"};
  config.pools.push_back(pool);
  config.services.emplace_back().id = "phone";
  return config;
}

class PublisherTest : public testing::Test {
 protected:
  /// Topics sent up to `now`, in order.
  std::vector<std::string> topics(Time now) {
    sent.clear();
    while (publisher.work(now)) {
    }
    std::vector<std::string> out;
    for (const Message& message : sent) out.push_back(message.topic);
    return out;
  }
  static Alert alert(const std::string& id, const std::string& segment, AlertState state) {
    Alert out;
    out.id = id;
    out.segment = segment;
    out.state = state;
    return out;
  }
  std::ptrdiff_t count(const std::vector<std::string>& in, const std::string& topic) {
    return std::count(in.begin(), in.end(), topic);
  }

  Engine engine{three_segments(), {}, noon};
  std::vector<Message> sent;
  Publisher publisher{engine, milliseconds(200), noon, [this](const Message& m) { sent.push_back(m); },
                      [](v1::SourceState&) {}};
};

TEST_F(PublisherTest, SaysEveryStateAtTheStart) {
  const auto first = topics(noon);
  for (const char* topic : {"state/a", "state/b", "state/c", "staffing/all", "system/_daemon"}) {
    EXPECT_EQ(count(first, topic), 1) << topic;
  }
}

TEST_F(PublisherTest, SaysAStateOnceAnIntervalHoweverOftenItChanged) {
  topics(noon);
  for (int i = 0; i < 10; ++i) publisher.segment_changed(1);
  EXPECT_EQ(count(topics(noon + milliseconds(100)), "state/b"), 0);
  EXPECT_EQ(count(topics(noon + milliseconds(200)), "state/b"), 1);
  EXPECT_EQ(count(topics(noon + milliseconds(400)), "state/b"), 0);
}

TEST_F(PublisherTest, TellsEverybodyThatASegmentIsGone) {
  topics(noon);
  std::uint64_t number = 0;
  for (const Message& message : sent)
    if (message.topic == "state/c") number = message.sequence;
  Config fewer = three_segments();
  fewer.segments.pop_back();
  fewer.pools[0].segments.pop_back();
  Decisions decisions;
  engine.reconfigure(std::move(fewer), noon, decisions);
  publisher.restart(milliseconds(200), noon);
  EXPECT_EQ(count(topics(noon + seconds(1)), "state/c"), 0);
  const auto last_pulse = [&] {
    v1::Pulse pulse;
    for (const Message& message : sent) {
      if (message.topic == "system/_daemon") pulse.ParseFromString(message.payload);
    }
    return pulse;
  };
  std::uint64_t told = 0;
  const v1::Pulse first = last_pulse();
  for (const auto& each : first.said())
    if (each.topic() == "state/c") told = each.sequence();
  EXPECT_EQ(told, number + 1) << "a number that nobody got: a gap, and reason to ask for a snapshot";
  publisher.restart(milliseconds(200), noon);
  topics(noon + seconds(2));
  const v1::Pulse second = last_pulse();
  for (const auto& each : second.said()) EXPECT_NE(each.topic(), "state/c") << "told once";
}

TEST_F(PublisherTest, RepeatsEverythingWhereTooManyPrefixesWereAskedFor) {
  topics(noon);
  for (int i = 0; i < 5000; ++i) publisher.subscribed("state/nobody-" + std::to_string(i));
  EXPECT_EQ(count(topics(noon + milliseconds(150)), "state/b"), 1);
}

TEST_F(PublisherTest, PulsesEverySecond) {
  topics(noon);
  EXPECT_LE(publisher.next(), noon + seconds(1));
  EXPECT_EQ(count(topics(noon + milliseconds(999)), "system/_daemon"), 0);
  EXPECT_EQ(count(topics(noon + seconds(1)), "system/_daemon"), 1);
}

TEST_F(PublisherTest, NamesInThePulseTheNumbersOfWhatSpokeSinceTheOneBefore) {
  const auto said = [&](Time now) {
    topics(now);
    std::map<std::string, std::uint64_t> out;
    for (const Message& message : sent) {
      v1::Pulse pulse;
      if (message.topic != "system/_daemon" || !pulse.ParseFromString(message.payload)) continue;
      for (const auto& each : pulse.said()) out[each.topic()] = each.sequence();
    }
    return out;
  };
  std::map<std::string, std::uint64_t> number;
  said(noon);
  for (const Message& message : sent) number[message.topic] = message.sequence;
  number.erase("system/_daemon");
  EXPECT_EQ(said(noon + seconds(1)), number) << "the first states came after the first pulse";
  EXPECT_TRUE(said(noon + seconds(2)).empty()) << "nothing happened";
  sent.clear();
  publisher.alert(alert("x", "a", AlertState::firing));
  publisher.alert(alert("y", "a", AlertState::firing));
  publisher.segment_changed(1);
  topics(noon + milliseconds(2500));
  EXPECT_EQ(said(noon + seconds(3)), (std::map<std::string, std::uint64_t>{{"alert/a", number["state/b"] + 1},
                                                                           {"state/b", number["state/b"] + 1}}))
      << "both kinds began with the same number";
}

TEST_F(PublisherTest, NumbersEachTopicAndTheStreamWithoutGaps) {
  v1::Snapshot before;
  publisher.fill(before);
  std::map<std::string, std::uint64_t> number;
  for (const auto& topic : before.topics()) number[topic.topic()] = topic.sequence();
  std::uint64_t global = before.global_sequence();
  for (int tick = 0; tick < 20; ++tick) {
    publisher.segment_changed(static_cast<std::uint32_t>(tick % 3));
    sent.clear();
    publisher.alert(alert("x" + std::to_string(tick), "a", AlertState::firing));
    while (publisher.work(noon + tick * milliseconds(200))) {
    }
    for (const Message& message : sent) {
      ASSERT_TRUE(number.contains(message.topic)) << message.topic << " is missing in the snapshot";
      EXPECT_EQ(message.sequence, ++number[message.topic]);
      EXPECT_EQ(message.global, ++global);
    }
  }
}

TEST_F(PublisherTest, BeginsATopicThatIsBornLaterWithOne) {
  topics(noon);
  Decisions decisions;
  engine.step(SourceConnected{"pbx", "", {}}, noon, decisions);
  publisher.source_changed(0);
  v1::Snapshot snapshot;
  publisher.fill(snapshot);
  EXPECT_TRUE(std::any_of(snapshot.topics().begin(), snapshot.topics().end(), [](const v1::TopicSequence& topic) {
    return topic.topic() == "system/pbx" && topic.sequence() == 0;
  }));
  EXPECT_EQ(count(topics(noon + milliseconds(200)), "system/pbx"), 1);
  for (const Message& message : sent) {
    if (message.topic == "system/pbx") {
      EXPECT_EQ(message.sequence, 1U);
    }
  }
}

TEST_F(PublisherTest, RepeatsLastValuesWithTheirNumbers) {
  topics(noon);
  const std::vector<Message> first = sent;
  publisher.alert(alert("open", "a", AlertState::firing));
  publisher.alert(alert("over", "a", AlertState::firing));
  publisher.alert(alert("over", "a", AlertState::resolved));
  publisher.subscribed("state/");
  publisher.subscribed("state/");
  publisher.subscribed("alert/");
  EXPECT_EQ(topics(noon + milliseconds(100)), (std::vector<std::string>{"state/a", "state/b", "state/c", "alert/a"}));
  for (const Message& message : sent) {
    const auto same =
        std::find_if(first.begin(), first.end(), [&](const Message& other) { return other.topic == message.topic; });
    if (same == first.end()) continue;
    EXPECT_EQ(message.sequence, same->sequence);
    EXPECT_EQ(message.global, same->global);
    EXPECT_EQ(message.payload, same->payload);
  }
  publisher.subscribed("state/none");
  EXPECT_TRUE(topics(noon + milliseconds(150)).empty());
}

TEST_F(PublisherTest, RepeatsForASubscriberOfOneTopicThatOneAlone) {
  topics(noon);
  publisher.alert(alert("in a", "a", AlertState::firing));
  publisher.alert(alert("in b", "b", AlertState::firing));
  publisher.subscribed("state/b");
  publisher.subscribed("alert/b");
  EXPECT_EQ(topics(noon + milliseconds(100)), (std::vector<std::string>{"state/b", "alert/b"}));
}

TEST_F(PublisherTest, RepeatsNoValueThatWasSaidAnewMeanwhile) {
  Config config = three_segments();
  for (int i = 0; i < 200; ++i) {
    SegmentConfig segment;
    segment.id = "s" + std::to_string(i);
    config.pools[0].segments.push_back(segment.id);
    config.segments.push_back(segment);
  }
  Engine many(config, {}, noon);
  std::vector<std::pair<std::string, std::uint64_t>> said;
  Publisher busy(
      many, milliseconds(200), noon, [&](const Message& m) { said.emplace_back(m.topic, m.sequence); },
      [](v1::SourceState&) {});
  while (busy.work(noon)) {
  }
  said.clear();
  busy.subscribed("state/");
  EXPECT_TRUE(busy.work(noon + milliseconds(200))) << "the first of the last values went out";
  busy.segment_changed(202);
  while (busy.work(noon + milliseconds(400))) {
  }
  const auto times =
      std::count_if(said.begin(), said.end(), [](const auto& each) { return each.first == "state/s199"; });
  EXPECT_EQ(times, 1);
  EXPECT_EQ(said.size(), 203U);
}

TEST_F(PublisherTest, RepeatsInPausesAsLongAsItTakes) {
  topics(noon);
  publisher.subscribed("state/");
  EXPECT_EQ(topics(noon + milliseconds(100)).size(), 3U);
  publisher.subscribed("state/");
  EXPECT_TRUE(topics(noon + milliseconds(150)).empty());
  EXPECT_EQ(publisher.next(), noon + milliseconds(200));
  EXPECT_EQ(topics(noon + milliseconds(200)).size(), 3U);
}

TEST_F(PublisherTest, SaysAlertsWithoutASegmentUnderTheirOwnTopic) {
  publisher.alert(alert("s", "", AlertState::firing));
  EXPECT_EQ(sent.at(0).topic, "alert/_");
}

TEST_F(PublisherTest, WorksInSlices) {
  Config config = three_segments();
  for (int i = 0; i < 500; ++i) {
    SegmentConfig segment;
    segment.id = "s" + std::to_string(i);
    config.pools[0].segments.push_back(segment.id);
    config.segments.push_back(segment);
  }
  Engine many(config, {}, noon);
  std::size_t said = 0;
  Publisher slow(
      many, milliseconds(200), noon, [&](const Message&) { ++said; }, [](v1::SourceState&) {});
  EXPECT_TRUE(slow.work(noon));
  EXPECT_LE(said, 60U) << "an event must not wait behind 500 states";
  EXPECT_EQ(slow.next(), Time{}) << "and goes on at once";
  while (slow.work(noon)) {
  }
  EXPECT_EQ(said, 505U);
}

TEST_F(PublisherTest, ForgetsNoStateWhenAnIntervalIsTooShortForAll) {
  Config config = three_segments();
  for (int i = 0; i < 200; ++i) {
    SegmentConfig segment;
    segment.id = "s" + std::to_string(i);
    config.pools[0].segments.push_back(segment.id);
    config.segments.push_back(segment);
  }
  Engine many(config, {}, noon);
  std::vector<std::string> said;
  Publisher slow(
      many, milliseconds(200), noon, [&](const Message& m) { said.push_back(m.topic); }, [](v1::SourceState&) {});
  for (int tick = 0; tick < 10; ++tick) {
    slow.segment_changed(0);
    slow.work(noon + tick * milliseconds(200));
  }
  for (const SegmentConfig& segment : config.segments) {
    EXPECT_GE(count(said, "state/" + segment.id), 1) << segment.id;
  }
}

}  // namespace
}  // namespace reach::shell
