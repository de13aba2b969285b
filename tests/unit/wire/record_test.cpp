#include <gtest/gtest.h>

#include "daemon/wire/wire.hpp"

namespace reach::wire {
namespace {

using std::chrono::milliseconds;

const Time noon = time_from_ns(1'764'000'000'000'000'000);

v1::ToDaemon message() {
  v1::ToDaemon out;
  v1::EventBatch& batch = *out.mutable_batch();
  batch.set_source("pbx");
  batch.set_epoch(3);
  batch.set_first_sequence(10);
  for (const char* contact : {"c1", "", "c3"}) {
    v1::Event& event = *batch.add_events();
    event.set_time_ns(static_cast<std::uint64_t>(ns_of(noon)));
    event.set_contact(contact);
    event.mutable_abandoned();
  }
  return out;
}

TEST(BatchRecord, HoldsTheSameBatchWhetherCopiedOrSerialized) {
  const v1::ToDaemon in = message();
  const std::string frame = in.SerializeAsString();
  ASSERT_TRUE(bare_batch(frame).has_value());
  for (const std::string& with : {frame, std::string()}) {
    v1::LogRecord record;
    ASSERT_TRUE(record.ParseFromString(batch_record(with, in.batch(), noon, milliseconds(-5))));
    EXPECT_EQ(record.batch().SerializeAsString(), in.batch().SerializeAsString());
    EXPECT_EQ(received_of(record), noon);
    EXPECT_EQ(record.clock_offset_ns(), -5'000'000);
  }
}

TEST(BatchRecord, CopiesNothingThatStandsBesideABatch) {
  v1::LogRecord smuggled;  // its fields would mean something else in the log
  smuggled.set_received_ns(1);
  smuggled.mutable_trouble()->set_problem("x");
  const v1::ToDaemon in = message();
  const std::string frame = in.SerializeAsString() + smuggled.SerializeAsString();
  EXPECT_FALSE(bare_batch(frame).has_value());
  v1::LogRecord record;
  ASSERT_TRUE(record.ParseFromString(batch_record(frame, in.batch(), noon, {})));
  EXPECT_TRUE(record.has_batch());
  EXPECT_EQ(received_of(record), noon);
}

TEST(BareBatch, IsNotFooledByLengths) {
  const std::string frame = message().SerializeAsString();
  for (std::size_t n = 0; n < frame.size(); ++n) EXPECT_FALSE(bare_batch(frame.substr(0, n)).has_value());
  EXPECT_FALSE(bare_batch(frame + "x").has_value());
}

TEST(BareBatch, TellsWhetherItHasMoreEventsWithoutParsingThem) {
  v1::EventBatch batch = message().batch();  // three
  const auto more_than = [&](int most) { return has_more_events(batch.SerializeAsString(), most); };
  EXPECT_TRUE(more_than(2));
  EXPECT_FALSE(more_than(3));
  for (int i = 0; i < 10'000; ++i) batch.add_events();
  batch.GetReflection()->MutableUnknownFields(&batch)->AddLengthDelimited(99, "a later version's");
  EXPECT_TRUE(more_than(10'002));
  EXPECT_FALSE(more_than(10'003));
  const std::string cut = batch.SerializeAsString().substr(0, 20'000);
  EXPECT_FALSE(has_more_events(cut, 9'999)) << "what is no batch at all";
  EXPECT_FALSE(has_more_events(std::string(30'000, '\xff'), 10'000));
}

TEST(ForEachInput, GivesEventsInOrderAndRefusesTheRest) {
  v1::LogRecord record;
  *record.mutable_batch() = message().batch();
  record.set_received_ns(static_cast<std::uint64_t>(ns_of(noon)));
  Scratch scratch;
  std::string seen;
  for_each_input(
      record, scratch, [&](const Input& input, Time) { seen += std::string(std::get<Event>(input).contact) + " "; },
      [&](const v1::Event&, const std::string&) { seen += "refused "; });
  EXPECT_EQ(seen, "c1 refused c3 ");
}

TEST(ForEachInput, ReadsTheOtherRecords) {
  const auto kind_of = [](const v1::LogRecord& record) {
    Scratch scratch;
    std::size_t kind = std::variant_npos;
    for_each_input(
        record, scratch, [&](const Input& input, Time) { kind = input.index(); },
        [](const v1::Event&, const std::string&) {});
    return kind;
  };
  v1::LogRecord record;
  record.mutable_hello()->set_source("pbx");
  EXPECT_EQ(kind_of(record), Input(SourceConnected{}).index());
  record.mutable_seen()->set_source("pbx");
  EXPECT_EQ(kind_of(record), Input(SourceHeard{}).index());
  record.mutable_gone()->set_source("pbx");
  EXPECT_EQ(kind_of(record), Input(SourceLost{}).index());
  record.mutable_acknowledge()->set_alert("a");
  EXPECT_EQ(kind_of(record), Input(Acknowledge{}).index());
  record.mutable_configuration()->set_fingerprint("x");
  EXPECT_EQ(kind_of(record), std::variant_npos);
}

}  // namespace
}  // namespace reach::wire
