#include "daemon/shell/ingest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "daemon/program/program.hpp"

namespace reach::shell {
namespace {

using std::chrono::seconds;

const Time noon = time_from_ns(1'764'000'000'000'000'000);

struct FakeWorld final : IngestWorld {
  bool send(const std::string& peer, const v1::ToAdapter& message) override {
    if (gone == peer) return false;
    sent.emplace_back(peer, message);
    return true;
  }
  log::Lsn append(std::string record) override {
    if (!problem.empty()) return 0;
    records.push_back(std::move(record));
    return records.size();
  }
  std::string log_problem() const override { return problem; }
  void step(const Input& input, Time) override {
    if (const auto* event = std::get_if<Event>(&input)) {
      contacts.emplace_back(event->contact);
      times.push_back(event->at);
      lost += event->lost_count;
    }
    if (const auto* change = std::get_if<CatchUp>(&input)) catching_up = change->begins;
    if (const auto* sign = std::get_if<SourceHeard>(&input)) {
      ++heard;
      upstream.push_back(sign->upstream);
    }
  }
  Time reached() const override { return {}; }
  void remark(std::string_view, const std::string& text) override { remarks.push_back(text); }
  void note(const std::string& text) override { notes.push_back(text); }

  std::vector<std::pair<std::string, v1::ToAdapter>> sent;
  std::vector<std::string> records, contacts, remarks, notes;
  std::vector<Time> times;
  std::uint64_t lost = 0;
  std::vector<bool> upstream;
  int heard = 0;
  std::optional<bool> catching_up;  ///< as it was last told
  std::string problem, gone;
};

class IngestTest : public testing::Test {
 protected:
  v1::ToAdapter take(const v1::ToDaemon& message, const std::string& peer = "p", Time now = noon) {
    world.sent.clear();
    ingest.take(peer, message.SerializeAsString(), now);
    return world.sent.empty() ? v1::ToAdapter{} : world.sent.back().second;
  }
  static v1::ToDaemon hello(std::uint64_t epoch = 1, std::uint64_t next = 1, const std::string& source = "pbx") {
    v1::ToDaemon out;
    out.mutable_hello()->set_source(source);
    out.mutable_hello()->set_epoch(epoch);
    out.mutable_hello()->set_next_sequence(next);
    out.mutable_hello()->set_sent_ns(static_cast<std::uint64_t>(ns_of(noon)));
    return out;
  }
  /// Events first … first + count - 1, for the contacts c<number>.
  static v1::ToDaemon batch(std::uint64_t first, int count, std::uint64_t epoch = 1) {
    v1::ToDaemon out;
    out.mutable_batch()->set_source("pbx");
    out.mutable_batch()->set_epoch(epoch);
    out.mutable_batch()->set_first_sequence(first);
    for (int i = 0; i < count; ++i) {
      v1::Event& event = *out.mutable_batch()->add_events();
      event.set_time_ns(static_cast<std::uint64_t>(ns_of(noon - seconds(1))));
      event.set_contact("c" + std::to_string(first + static_cast<std::uint64_t>(i)));
      event.mutable_offered()->set_queue("sales");
    }
    return out;
  }
  std::vector<std::string> contacts() { return std::exchange(world.contacts, {}); }

  FakeWorld world;
  Ingest ingest{IngestLimits{10, 1000, seconds(10)}, world};
};

TEST_F(IngestTest, WelcomesAndAcknowledgesWhatIsDurable) {
  const v1::ToAdapter welcome = take(hello());
  ASSERT_TRUE(welcome.has_welcome());
  EXPECT_EQ(welcome.welcome().next_sequence(), 1U);
  EXPECT_EQ(welcome.welcome().credit(), 10U);
  EXPECT_EQ(take(batch(1, 3)).message_case(), v1::ToAdapter::MESSAGE_NOT_SET) << "no Ack before it is durable";
  EXPECT_EQ(contacts(), (std::vector<std::string>{"c1", "c2", "c3"})) << "but it is live";
  take(batch(4, 1));
  world.sent.clear();
  ingest.log_reached(2);  // the Hello and the first batch
  ASSERT_EQ(world.sent.size(), 1U);
  EXPECT_EQ(world.sent[0].second.ack().sequence(), 3U);
  world.sent.clear();
  ingest.log_reached(3);
  EXPECT_EQ(world.sent.at(0).second.ack().sequence(), 4U);
}

TEST_F(IngestTest, LeavesItToItsWorldWhatIsWrittenAboutBadBytes) {
  program::CommonOptions().start("reachd");
  testing::internal::CaptureStderr();
  ingest.take("p", "\x0a\x03\x0a\x01\xff", noon);  // a Hello whose source is no UTF-8
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(world.sent.back().second.reject().code(), v1::REJECT_CODE_MALFORMED);
}

TEST_F(IngestTest, MovesNoInstantsAfterASlowReconnect) {
  using std::chrono::milliseconds;
  const auto with_times = [](v1::ToDaemon message, Time sent) {
    const auto ns = static_cast<std::uint64_t>(ns_of(sent));
    if (message.has_hello()) message.mutable_hello()->set_sent_ns(ns);
    if (message.has_batch()) message.mutable_batch()->set_sent_ns(ns);
    return message;
  };
  // Its clock is three minutes ahead; then everything is 800 ms on its way: on a new connection, and to a new daemon.
  const Time sent = noon + std::chrono::minutes(3);
  take(with_times(hello(), sent));
  take(with_times(batch(1, 1), sent));
  world.gone = "p";
  take(with_times(hello(1, 2), sent + seconds(1)), "q", noon + seconds(1) + milliseconds(800));
  take(with_times(batch(2, 1), sent + seconds(1)), "q", noon + seconds(1) + milliseconds(800));
  FakeWorld after;
  Ingest recovered{IngestLimits{10, 1000, seconds(10)}, after};
  replica::RecordReader reader;
  log::Lsn number = 0;
  for (const std::string& bytes : world.records) reader.read(++number, bytes, {[](const Input&, Time) {}, {}, {}});
  recovered.resume(reader.numbers());
  recovered.take("r", with_times(hello(1, 3), sent + seconds(2)).SerializeAsString(),
                 noon + seconds(2) + milliseconds(800));
  recovered.take("r", with_times(batch(3, 1), sent + seconds(2)).SerializeAsString(),
                 noon + seconds(2) + milliseconds(800));
  const Time happened = noon - seconds(1) - std::chrono::minutes(3);
  EXPECT_EQ(world.times, (std::vector<Time>{happened, happened}));
  EXPECT_EQ(after.times, (std::vector<Time>{happened}));
}

TEST_F(IngestTest, TakesNothingTwice) {
  take(hello());
  take(batch(1, 3));
  ingest.log_reached(2);
  contacts();
  EXPECT_EQ(take(batch(1, 3)).ack().sequence(), 3U);
  EXPECT_EQ(contacts(), std::vector<std::string>{});
  take(batch(2, 4));
  EXPECT_EQ(contacts(), (std::vector<std::string>{"c4", "c5"}));
  EXPECT_EQ(ingest.sources().at("pbx").duplicates, 5);
  v1::LogRecord record;
  ASSERT_TRUE(record.ParseFromString(world.records.back()));
  EXPECT_EQ(record.batch().first_sequence(), 4U) << "the log holds the new ones only";
  EXPECT_EQ(record.batch().events_size(), 2);
}

TEST_F(IngestTest, RejectsAGapOnceWithTheNumberExpected) {
  take(hello());
  take(batch(1, 1));
  const v1::ToAdapter gap = take(batch(3, 1));
  EXPECT_EQ(gap.reject().code(), v1::REJECT_CODE_GAP);
  EXPECT_EQ(gap.reject().expected_sequence(), 2U);
  EXPECT_FALSE(take(batch(4, 1)).has_reject()) << "it was on its way already";
  EXPECT_TRUE(take(batch(4, 1), "p", noon + seconds(1)).has_reject());
  EXPECT_EQ(ingest.sources().at("pbx").gaps, 3);
  take(batch(2, 1));
  EXPECT_EQ(contacts(), (std::vector<std::string>{"c1", "c2"}));
}

TEST_F(IngestTest, WantsAHelloFirst) {
  EXPECT_EQ(take(batch(1, 1)).reject().code(), v1::REJECT_CODE_UNKNOWN_SOURCE);
  take(hello());
  EXPECT_EQ(take(batch(1, 1), "another peer").reject().code(), v1::REJECT_CODE_UNKNOWN_SOURCE);
  EXPECT_EQ(take(batch(1, 1, 2)).reject().code(), v1::REJECT_CODE_UNKNOWN_SOURCE) << "another epoch";
  EXPECT_TRUE(contacts().empty());
}

TEST_F(IngestTest, RejectsWhatItCannotRead) {
  ingest.take("p", "\xff\xff garbage", noon);
  EXPECT_EQ(world.sent.back().second.reject().code(), v1::REJECT_CODE_MALFORMED);
  ingest.take("p", "", noon);
  EXPECT_EQ(world.sent.back().second.reject().code(), v1::REJECT_CODE_MALFORMED);
  ingest.take("p", std::string(1001, 'x'), noon);
  EXPECT_EQ(world.sent.back().second.reject().code(), v1::REJECT_CODE_TOO_LARGE);
  EXPECT_EQ(take(hello(0)).reject().code(), v1::REJECT_CODE_MALFORMED);
  EXPECT_EQ(take(hello(1, 1, "no blanks")).reject().code(), v1::REJECT_CODE_MALFORMED);
  take(hello());
  EXPECT_EQ(take(batch(0, 1)).reject().code(), v1::REJECT_CODE_MALFORMED);
  EXPECT_EQ(ingest.counters().rejects[v1::REJECT_CODE_MALFORMED], 5);
}

TEST_F(IngestTest, NotesAHelloThatIsSaidAgainAndAgainOnce) {
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(take(hello()).has_welcome());
  EXPECT_EQ(world.notes.size(), 1U);
  world.gone = "p";
  EXPECT_TRUE(take(hello(), "q").has_welcome());
  EXPECT_EQ(world.notes.size(), 2U) << "another connection is news";
}

TEST_F(IngestTest, RejectsAHelloThatEverySubscriberWouldHaveToCarry) {
  ingest.set_limits({10, 1 << 20, seconds(10)});
  v1::ToDaemon large = hello();
  large.mutable_hello()->set_software(std::string(257, 'x'));
  EXPECT_EQ(take(large).reject().code(), v1::REJECT_CODE_MALFORMED);
  large = hello();
  for (int i = 0; i < 101; ++i) large.mutable_hello()->add_capabilities("c" + std::to_string(i));
  EXPECT_EQ(take(large).reject().code(), v1::REJECT_CODE_MALFORMED);
  large.mutable_hello()->set_software(std::string(20'000, 'x'));
  EXPECT_EQ(take(large).reject().code(), v1::REJECT_CODE_TOO_LARGE) << "whatever it is, it is no batch";
  EXPECT_TRUE(ingest.sources().empty());
}

TEST_F(IngestTest, RecordsOfAHelloOnlyWhatIsNew) {
  v1::ToDaemon message = hello();
  message.mutable_hello()->set_resumes(true);
  message.mutable_hello()->set_software("adapter 1");
  message.mutable_hello()->add_capabilities("calls");
  const auto hellos = [&] {
    return std::ranges::count_if(world.records, [](const std::string& bytes) {
      v1::LogRecord record;
      return record.ParseFromString(bytes) && record.has_hello();
    });
  };
  ingest.set_limits({10, 1000, seconds(10), Duration::zero()});
  for (int i = 0; i < 100; ++i) take(message);
  EXPECT_EQ(world.records.size(), 1U);
  world.gone = "p";
  EXPECT_TRUE(take(message, "q", noon + seconds(1)).has_welcome());
  EXPECT_EQ(hellos(), 1);
  EXPECT_EQ(world.heard, 1) << "another connection is a sign of life";
  message.mutable_hello()->set_software("adapter 2");
  take(message, "q", noon + seconds(2));
  EXPECT_EQ(hellos(), 2);
  message.mutable_hello()->add_capabilities("items");
  take(message, "q", noon + seconds(2));
  EXPECT_EQ(hellos(), 3);
  v1::ToDaemon goodbye;
  goodbye.mutable_heartbeat()->set_source("pbx");
  goodbye.mutable_heartbeat()->set_leaving(true);
  take(goodbye, "q", noon + seconds(2));
  take(message, "q", noon + seconds(2));
  EXPECT_EQ(hellos(), 4) << "it comes back again";
  for (std::uint64_t epoch = 2; epoch < 200; ++epoch) take(hello(epoch), "q", noon + seconds(2));
  EXPECT_LE(hellos(), 101) << "something new a hundred times at once, and ten times a second";
  EXPECT_EQ(world.sent.back().second.reject().code(), v1::REJECT_CODE_OVERLOADED);
  EXPECT_TRUE(take(hello(200), "q", noon + seconds(3)).has_welcome());
}

TEST_F(IngestTest, RecordsOfAHelloNothingThatItDoesNotKnow) {
  v1::ToDaemon message = hello();
  v1::Hello::GetReflection()
      ->MutableUnknownFields(message.mutable_hello())
      ->AddLengthDelimited(99, std::string(500, 'y'));
  EXPECT_TRUE(take(message).has_welcome());
  EXPECT_LT(world.records.at(0).size(), 100U);
}

TEST_F(IngestTest, RejectsABatchOfMoreEventsThanThereMayBe) {
  ingest.set_limits({100'000, 1 << 20, seconds(10)});
  take(hello());
  v1::ToDaemon message = batch(1, 0);
  for (int i = 0; i < most_events; ++i) message.mutable_batch()->add_events();
  EXPECT_FALSE(take(message).has_reject());
  EXPECT_EQ(ingest.counters().invalid_events, most_events);
  message.mutable_batch()->set_first_sequence(most_events + 1);
  message.mutable_batch()->add_events();
  EXPECT_EQ(take(message).reject().code(), v1::REJECT_CODE_TOO_LARGE);
  EXPECT_EQ(ingest.sources().at("pbx").accepted, static_cast<std::uint64_t>(most_events));
}

TEST_F(IngestTest, LeavesOutAnInvalidEventAndTakesTheRest) {
  take(hello());
  v1::ToDaemon message = batch(1, 3);
  message.mutable_batch()->mutable_events(1)->clear_contact();
  take(message);
  EXPECT_EQ(contacts(), (std::vector<std::string>{"c1", "c3"}));
  EXPECT_EQ(ingest.counters().invalid_events, 1);
  world.sent.clear();
  ingest.log_reached(2);
  EXPECT_EQ(world.sent.at(0).second.ack().sequence(), 3U) << "or it would come again for ever";
}

TEST_F(IngestTest, RefusesASecondAdapterWhileTheFirstIsThere) {
  take(hello(), "first");
  EXPECT_EQ(take(hello(2), "second").reject().code(), v1::REJECT_CODE_SOURCE_IN_USE);
  EXPECT_TRUE(take(hello(), "first").has_welcome()) << "the first may say it again";
  world.gone = "first";
  EXPECT_TRUE(take(hello(2), "second").has_welcome()) << "the first has left";
  world.gone.clear();
  EXPECT_TRUE(take(hello(3), "third", noon + seconds(11)).has_welcome()) << "the second fell silent";
}

TEST_F(IngestTest, KeepsToTheCredit) {
  take(hello());
  take(batch(1, 10));
  EXPECT_EQ(take(batch(11, 1)).reject().code(), v1::REJECT_CODE_OVERLOADED);
  ingest.log_reached(2);
  EXPECT_FALSE(take(batch(11, 1)).has_reject());
}

TEST_F(IngestTest, AppliesNothingThatTheLogDoesNotTake) {
  take(hello());
  world.problem = "disk full";
  const v1::ToAdapter answer = take(batch(1, 1));
  EXPECT_EQ(answer.reject().code(), v1::REJECT_CODE_LOG_FAILED);
  EXPECT_NE(answer.reject().reason().find("disk full"), std::string::npos);
  EXPECT_TRUE(contacts().empty());
  world.sent.clear();
  ingest.log_reached(1);
  EXPECT_EQ(world.sent.at(0).second.ack().credit(), credit_without_log) << "figures stay live for longer";
  world.problem.clear();
  take(batch(1, 1));
  EXPECT_EQ(contacts(), (std::vector<std::string>{"c1"}));
}

TEST_F(IngestTest, GoesOnAfterARestartWhereTheLogEnds) {
  take(hello(7, 5));
  take(batch(5, 3, 7));
  FakeWorld world2;
  Ingest restarted(IngestLimits{}, world2);
  replica::RecordReader reader;
  log::Lsn number = 0;
  for (const std::string& bytes : world.records) reader.read(++number, bytes, {[](const Input&, Time) {}, {}, {}});
  restarted.resume(reader.numbers());
  restarted.take("p", hello(7, 5).SerializeAsString(), noon);
  EXPECT_EQ(world2.sent.back().second.welcome().next_sequence(), 8U);
  restarted.take("p", batch(5, 4, 7).SerializeAsString(), noon);
  EXPECT_EQ(world2.contacts, (std::vector<std::string>{"c8"}));
}

TEST_F(IngestTest, CountsAcknowledgedEventsThatThisLogLacksAsLost) {
  take(hello());
  take(batch(1, 2));
  ingest.log_reached(2);
  EXPECT_EQ(take(hello(1, 10)).welcome().next_sequence(), 10U) << "an older log was put back";
  take(batch(10, 1));
  EXPECT_EQ(contacts(), (std::vector<std::string>{"c1", "c2", "", "c10"}));
  EXPECT_EQ(world.lost, 7U);
  FakeWorld later;
  replica::RecordReader reader;
  log::Lsn number = 0;
  for (const std::string& bytes : world.records)
    reader.read(++number, bytes, {[&](const Input& input, Time at) { later.step(input, at); }, {}, {}});
  EXPECT_EQ(later.contacts, (std::vector<std::string>{"c1", "c2", "", "c10"}));
  EXPECT_EQ(later.lost, 7U) << "who reads the log counts as many";
  EXPECT_EQ(reader.numbers().at("pbx").accepted, 10U);
}

TEST_F(IngestTest, TakesTheClockOffsetOffAndNeverLetsAnEventLieAhead) {
  v1::ToDaemon ahead = hello();
  ahead.mutable_hello()->set_sent_ns(static_cast<std::uint64_t>(ns_of(noon + seconds(60))));
  take(ahead);
  v1::ToDaemon message = batch(1, 2);
  message.mutable_batch()->mutable_events(0)->set_time_ns(static_cast<std::uint64_t>(ns_of(noon + seconds(58))));
  message.mutable_batch()->mutable_events(1)->set_time_ns(static_cast<std::uint64_t>(ns_of(noon + seconds(70))));
  take(message);
  EXPECT_EQ(world.times.at(0), noon - seconds(2));
  EXPECT_EQ(world.times.at(1), noon);
}

TEST_F(IngestTest, TakesWhatWaitedInOneOrderAndAcknowledgesItOnlyThen) {
  v1::ToDaemon one = hello(1, 1, "a"), two = hello(1, 1, "b");
  one.mutable_hello()->set_resumes(true);
  two.mutable_hello()->set_resumes(true);
  take(one, "pa");
  take(two, "pb");
  EXPECT_FALSE(ingest.catching_up());
  world.gone = "pb";
  ingest.look_for_gone(noon);
  EXPECT_TRUE(ingest.catching_up());
  const auto batch_of = [](const std::string& source, std::uint64_t first, std::vector<int> seconds_ago) {
    v1::ToDaemon out = batch(first, static_cast<int>(seconds_ago.size()));
    out.mutable_batch()->set_source(source);
    for (std::size_t i = 0; i < seconds_ago.size(); ++i) {
      v1::Event& event = *out.mutable_batch()->mutable_events(static_cast<int>(i));
      event.set_time_ns(static_cast<std::uint64_t>(ns_of(noon - seconds(seconds_ago[i]))));
      event.set_contact(source + std::to_string(seconds_ago[i]));
    }
    return out;
  };
  const std::size_t records = world.records.size();
  take(batch_of("a", 1, {9, 3}), "pa");
  EXPECT_FALSE(ingest.release(noon));
  EXPECT_EQ(world.records.size(), records) << "nothing is in the log, so nothing can be acknowledged";
  world.gone.clear();
  take(two, "pb2");
  take(batch_of("b", 1, {7, 5}), "pb2");
  EXPECT_EQ(take(batch_of("b", 1, {7, 5}), "pb2").ack().sequence(), 0U) << "known, but not durable";
  v1::ToDaemon beat;
  beat.mutable_heartbeat()->set_source("b");
  beat.mutable_heartbeat()->set_next_sequence(3);
  take(beat, "pb2");
  ingest.release(noon);
  EXPECT_FALSE(ingest.catching_up());
  EXPECT_EQ(contacts(), (std::vector<std::string>{"a9", "b7", "b5", "a3"}));
  world.sent.clear();
  ingest.log_reached(world.records.size());
  std::map<std::string, std::uint64_t> acknowledged;
  for (const auto& [peer, message] : world.sent) acknowledged[peer] = message.ack().sequence();
  EXPECT_EQ(acknowledged, (std::map<std::string, std::uint64_t>{{"pa", 2}, {"pb2", 2}}));
}

TEST_F(IngestTest, WaitsForASourceOnlySoLongAndNotAgainAtOnce) {
  v1::ToDaemon message = hello();
  message.mutable_hello()->set_resumes(true);
  take(message);
  world.gone = "p";
  ingest.look_for_gone(noon);
  ingest.release(noon + seconds(2));
  EXPECT_TRUE(ingest.catching_up());
  ingest.release(noon + seconds(3));
  EXPECT_FALSE(ingest.catching_up());
  world.gone.clear();
  take(message, "p2", noon + seconds(4));
  world.gone = "p2";
  ingest.look_for_gone(noon + seconds(5));
  EXPECT_FALSE(ingest.catching_up()) << "one that comes and goes must not hold up everybody";
}

TEST_F(IngestTest, MakesTimeStandStillNoLongerThanAgreedWhateverIsSaid) {
  using std::chrono::milliseconds;
  v1::ToDaemon message = hello();
  message.mutable_hello()->set_resumes(true);
  v1::ToDaemon beat;
  beat.mutable_heartbeat()->set_source("pbx");
  take(message);
  take(message);  // "it was here before"
  EXPECT_TRUE(ingest.catching_up());
  int stood = 0;
  std::uint64_t next = 1;
  for (int i = 1; i <= 600; ++i) {  // a minute of every sign of life that there is
    const Time now = noon + i * milliseconds(100);
    take(message, "p", now);
    beat.mutable_heartbeat()->set_next_sequence(1'000'000);
    take(beat, "p", now);
    take(batch(next, 1), "p", now);
    if (ingest.sources().at("pbx").accepted == next) ++next;
    while (ingest.release(now)) {
    }
    ingest.log_reached(world.records.size());
    if (ingest.catching_up()) ++stood;
  }
  EXPECT_LE(stood, 30) << "wait_for_source once";
  EXPECT_EQ(ingest.sources().at("pbx").wait_timeouts, 1);
  EXPECT_NE(world.notes.back().find("source pbx has not said"), std::string::npos) << world.notes.back();
  EXPECT_GT(next, 500U) << "its events are taken all the same";
}

TEST_F(IngestTest, WaitsForASourceThatCaughtUpAgainOnlyAfterAWhile) {
  using std::chrono::milliseconds;
  v1::ToDaemon message = hello();
  message.mutable_hello()->set_resumes(true);
  v1::ToDaemon all_sent;
  all_sent.mutable_heartbeat()->set_source("pbx");
  take(message);
  int stood = 0;
  for (int i = 1; i <= 600; ++i) {
    const Time now = noon + i * milliseconds(100);
    take(message, "p", now);
    if (ingest.catching_up() && i % 28 == 0) take(all_sent, "p", now);  // just before the limit
    ingest.release(now);
    if (ingest.catching_up()) ++stood;
  }
  EXPECT_LT(stood, 300);
  EXPECT_GT(stood, 30);
}

TEST_F(IngestTest, EndsACatchUpInWhichTheLogEndedIfNobodyIsLeftToWaitFor) {
  ingest.resume({{"pbx", {1, 5, false, {}}}});
  ingest.catch_up(noon - seconds(5), noon, true);
  EXPECT_FALSE(ingest.catching_up());
  EXPECT_EQ(world.catching_up, false) << "else no source would ever be taken for lost again";
  EXPECT_EQ(world.records.size(), 1U) << "and every reader of the log knows";
}

TEST_F(IngestTest, WaitsAtTheStartForAsLongAsABacklogComes) {
  v1::ToDaemon message = hello();
  message.mutable_hello()->set_resumes(true);
  replica::Numbers numbers;
  numbers["pbx"] = {1, 0, true, {}};
  ingest.resume(numbers);
  ingest.catch_up(noon - seconds(600), noon, false);
  take(message, "p", noon + seconds(1));
  std::uint64_t next = 1;
  int second = 2;
  for (; second < 90 && ingest.catching_up(); ++second) {
    take(batch(next++, 1), "p", noon + seconds(second));
    ingest.release(noon + seconds(second));
    ingest.log_reached(world.records.size());
  }
  EXPECT_EQ(second, 61) << "a minute";
  EXPECT_EQ(contacts().size(), 58U);
}

TEST_F(IngestTest, WaitsNotForASourceThatSaidGoodbye) {
  v1::ToDaemon message = hello();
  message.mutable_hello()->set_resumes(true);
  take(message);
  v1::ToDaemon goodbye;
  goodbye.mutable_heartbeat()->set_source("pbx");
  goodbye.mutable_heartbeat()->set_leaving(true);
  take(goodbye);
  world.gone = "p";
  ingest.look_for_gone(noon);
  EXPECT_FALSE(ingest.catching_up());
}

TEST_F(IngestTest, HeartbeatsAreRecordedAndAnswered) {
  v1::ToDaemon beat;
  beat.mutable_heartbeat()->set_source("pbx");
  beat.mutable_heartbeat()->set_upstream_connected(true);
  EXPECT_EQ(take(beat).reject().code(), v1::REJECT_CODE_UNKNOWN_SOURCE);
  take(hello());
  EXPECT_TRUE(take(beat, "p", noon + seconds(1)).has_ack());
  EXPECT_EQ(world.heard, 1);
  EXPECT_EQ(world.records.size(), 2U);
  take(beat, "p", noon + seconds(1));
  EXPECT_EQ(world.heard, 1) << "a flood of them says nothing new";
  world.sent.clear();
  ingest.pulse(noon + seconds(2));
  EXPECT_TRUE(world.sent.at(0).second.has_heartbeat());
}

TEST_F(IngestTest, TakesAChangeOfUpstreamAtMostOnceASecondAndTheLastOne) {
  using std::chrono::milliseconds;
  const auto beat = [&](bool upstream, Duration after) {
    v1::ToDaemon message;
    message.mutable_heartbeat()->set_source("pbx");
    message.mutable_heartbeat()->set_upstream_connected(upstream);
    EXPECT_TRUE(take(message, "p", noon + after).has_ack());
  };
  take(hello());
  for (int i = 0; i < 999; ++i) beat(i % 2 == 1, milliseconds(i));  // it ends with "not connected" …
  beat(true, milliseconds(999));                                    // … no, it is
  EXPECT_LE(world.upstream.size(), 6U);
  EXPECT_EQ(world.records.size(), 1 + world.upstream.size());
  EXPECT_EQ(std::ranges::count(world.upstream, true), 0) << "not connected was said first";
  ingest.pulse(noon + milliseconds(1000));
  EXPECT_TRUE(world.upstream.back()) << "no further heartbeat need come";
  ingest.pulse(noon + seconds(2));
  const std::size_t told = world.upstream.size();
  ingest.pulse(noon + seconds(3));
  EXPECT_EQ(world.upstream.size(), told);
  beat(false, seconds(3));
  EXPECT_FALSE(world.upstream.back()) << "a change after a while is told at once";
}

TEST_F(IngestTest, TellsThatASourceIsThereWhoseHeartbeatsComeFast) {
  using std::chrono::milliseconds;
  v1::ToDaemon beat;
  beat.mutable_heartbeat()->set_source("pbx");
  beat.mutable_heartbeat()->set_upstream_connected(true);
  beat.mutable_heartbeat()->set_leaving(true);  // which is told once
  take(hello());
  for (int i = 1; i <= 100; ++i) take(beat, "p", noon + i * milliseconds(100));
  EXPECT_EQ(world.heard, 50);
}

TEST_F(IngestTest, LetsAKeySpeakForItsOwnSourcesAlone) {
  const keys::PublicKey own{"pbx-key", keys::Role::adapter, {"pbx", "pbx-b"}, {}};
  const keys::PublicKey other{"other-key", keys::Role::adapter, {"pbx2"}, {}};
  const auto said = [&](const v1::ToDaemon& message, const keys::PublicKey& key, const std::string& peer) {
    world.sent.clear();
    ingest.take(peer, message.SerializeAsString(), noon, &key);
    return world.sent.empty() ? v1::ToAdapter{} : world.sent.back().second;
  };
  EXPECT_TRUE(said(hello(), own, "p").has_welcome());
  const v1::ToAdapter refused = said(hello(), other, "q");
  EXPECT_EQ(refused.reject().code(), v1::REJECT_CODE_UNKNOWN_SOURCE);
  EXPECT_EQ(refused.reject().reason(), "the key other-key may not send as \"pbx\"; its sources are pbx2");
  // Not even with the routing id of the one that may: a peer chooses that itself.
  EXPECT_EQ(said(batch(1, 1), other, "p").reject().code(), v1::REJECT_CODE_UNKNOWN_SOURCE);
  v1::ToDaemon beat;
  beat.mutable_heartbeat()->set_source("pbx");
  EXPECT_EQ(said(beat, other, "p").reject().code(), v1::REJECT_CODE_UNKNOWN_SOURCE);
  EXPECT_TRUE(contacts().empty());
  EXPECT_EQ(ingest.counters().foreign_sources, 3);
  EXPECT_FALSE(said(batch(1, 1), own, "p").has_reject());
  EXPECT_EQ(contacts(), (std::vector<std::string>{"c1"}));
}

TEST_F(IngestTest, LeavesOutEventsThatNameASourceOfAnother) {
  const keys::PublicKey own{"pbx-key", keys::Role::adapter, {"pbx", "pbx-b"}, {}};
  const auto taken = [&](const v1::ToDaemon& message) { ingest.take("p", message.SerializeAsString(), noon, &own); };
  taken(hello());
  v1::ToDaemon mixed = batch(1, 3);
  mixed.mutable_batch()->mutable_events(0)->set_source("pbx2");
  mixed.mutable_batch()->mutable_events(1)->set_source("pbx-b");
  taken(mixed);
  EXPECT_EQ(contacts(), (std::vector<std::string>{"c2", "c3"}));
  EXPECT_EQ(ingest.counters().foreign_sources, 1);
  EXPECT_EQ(world.remarks.at(0),
            "an event of pbx is left out: the key pbx-key may not send as \"pbx2\"; its sources are pbx, pbx-b");
  // Nor does it come back when the log is read.
  v1::LogRecord record;
  ASSERT_TRUE(record.ParseFromString(world.records.back()));
  EXPECT_EQ(record.batch().events_size(), 3) << "its number is taken";
  EXPECT_EQ(record.DebugString().find("pbx2"), std::string::npos);
  world.sent.clear();
  ingest.log_reached(2);
  EXPECT_EQ(world.sent.at(0).second.ack().sequence(), 3U) << "sending it again would not help";
}

TEST_F(IngestTest, CountsTheSourcesThatEventsNameAmongThoseThatThereMayBe) {
  IngestLimits limits{10, 1000, seconds(10)};
  limits.max_sources = 2;
  ingest.set_limits(limits);
  take(hello());
  v1::ToDaemon mixed = batch(1, 4);
  const char* const names[] = {"a", "b", "pbx", "a"};
  for (int i = 0; i < 4; ++i) mixed.mutable_batch()->mutable_events(i)->set_source(names[i]);
  take(mixed);
  EXPECT_EQ(contacts(), (std::vector<std::string>{"c1", "c3", "c4"}));
  EXPECT_NE(world.remarks.at(0).find("max_sources"), std::string::npos) << world.remarks.at(0);
  EXPECT_EQ(take(hello(1, 1, "c"), "pc").reject().code(), v1::REJECT_CODE_UNKNOWN_SOURCE);
  EXPECT_TRUE(take(hello(1, 1, "a"), "pa").has_welcome());
}

TEST_F(IngestTest, RejectsOneSourceMoreThanThereMayBe) {
  IngestLimits limits{10, 1000, seconds(10)};
  limits.max_sources = 2;
  ingest.set_limits(limits);
  EXPECT_TRUE(take(hello(1, 1, "a"), "pa").has_welcome());
  EXPECT_TRUE(take(hello(1, 1, "b"), "pb").has_welcome());
  EXPECT_EQ(take(hello(1, 1, "c"), "pc").reject().code(), v1::REJECT_CODE_UNKNOWN_SOURCE);
  EXPECT_TRUE(take(hello(1, 1, "a"), "pa").has_welcome()) << "those that are known are";
}

TEST_F(IngestTest, LetsASourceThatIsTooFastSendAgainLater) {
  IngestLimits limits{1000, 100'000, seconds(10)};
  limits.max_rate = 10;
  ingest.set_limits(limits);
  take(hello());
  EXPECT_FALSE(take(batch(1, 100)).has_reject()) << "ten seconds' worth may come at once";
  const v1::ToAdapter refused = take(batch(101, 5));
  EXPECT_EQ(refused.reject().code(), v1::REJECT_CODE_OVERLOADED);
  EXPECT_NE(refused.reject().reason().find("max_rate"), std::string::npos);
  EXPECT_EQ(contacts().size(), 100U);
  EXPECT_FALSE(take(batch(101, 5), "p", noon + seconds(1)).has_reject()) << "nothing is lost";
  EXPECT_EQ(contacts().back(), "c105");
  EXPECT_EQ(ingest.counters().over_rate, 1);
}

TEST_F(IngestTest, CountsAHelloAsAnEventOfTheRate) {
  IngestLimits limits{1000, 100'000, seconds(10)};
  limits.max_rate = 10;
  ingest.set_limits(limits);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(take(hello()).has_welcome()) << i;
  const std::size_t records = world.records.size();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(take(hello()).reject().code(), v1::REJECT_CODE_OVERLOADED) << i;
  EXPECT_EQ(world.records.size(), records);
  EXPECT_TRUE(take(hello(), "p", noon + seconds(1)).has_welcome());
}

}  // namespace
}  // namespace reach::shell
