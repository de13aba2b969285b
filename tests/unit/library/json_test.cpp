#include "clients/library/json.hpp"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "daemon/base/time.hpp"
#include "reachd/v1/ingest.pb.h"
#include "reachd/v1/log.pb.h"
#include "reachd/v1/state.pb.h"

namespace reach::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::util::MessageDifferencer;

constexpr std::uint64_t eight = 1'795'420'800'000'000'000;  // 2026-11-23T08:00:00Z

/// Fills every field of `message` with something that is not its default.
void fill(google::protobuf::Message& message) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->real_containing_oneof() != nullptr) continue;
    if (field->is_repeated()) {
      reflection->AddString(&message, field, "one");
      reflection->AddString(&message, field, "two");
      continue;
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        reflection->SetString(&message, field, "te\"xt ü");
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(&message, field, true);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(&message, field, -7);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(&message, field, field->name().ends_with("_ns") ? eight + 250'000'000 : 7);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection->SetEnumValue(&message, field, 2);
        break;
      default:
        FAIL() << "a kind of field the test does not know: " << field->full_name();
    }
  }
}

TEST(EventLine, EveryKindOfEventComesBackAsItWent) {
  const auto* oneof = v1::Event::descriptor()->oneof_decl(0);
  ASSERT_GT(oneof->field_count(), 40);
  for (int i = 0; i < oneof->field_count(); ++i) {
    v1::Event event;
    fill(event);
    auto* inner = event.GetReflection()->MutableMessage(&event, oneof->field(i));
    fill(*inner);
    if (event.has_forwarded()) event.mutable_forwarded()->set_reason("overflow");
    if (event.has_rejected()) event.mutable_rejected()->set_reason("full");
    const std::string line = to_json_line(event);
    v1::Event read;
    const auto problem = from_json_line(line, read);
    EXPECT_FALSE(problem) << line << "\n" << *problem;
    EXPECT_TRUE(MessageDifferencer::Equals(event, read)) << line << "\n" << to_json_line(read);
  }
}

TEST(EventLine, WritesTheDocumentedShape) {
  v1::Event event;
  event.set_time_ns(eight + 250'000'000);
  event.set_contact("c1");
  event.mutable_offered()->set_queue("sales");
  event.mutable_offered()->set_dialled("100");
  event.mutable_offered()->set_caller("p:7f3a");
  event.mutable_offered()->set_priority(1);
  EXPECT_EQ(to_json_line(event), R"({"time":"2026-11-23T08:00:00.250Z","contact":"c1","offered":)"
                                 R"({"queue":"sales","dialled":"100","caller":"p:7f3a","priority":1}})");
  event.Clear();
  event.set_time_ns(eight);
  event.set_agent("a7");
  event.set_certainty(v1::CERTAINTY_DERIVED);
  event.mutable_agent_state()->set_state("wrap_up");
  EXPECT_EQ(to_json_line(event),
            R"({"time":"2026-11-23T08:00:00Z","agent":"a7","certainty":"derived","agentState":{"state":"wrap_up"}})");
}

TEST(EventLine, ReadsTheDocumentedExamples) {
  for (
      const char* line : {
          R"({"time":"2026-11-23T08:00:03Z","contact":"c2","abandoned":{}})",
          R"({"time":"2026-11-23T08:00:40Z","source":"pbx2","contact":"c3","certainty":"derived","forwarded":{"reason":"timeout","to":"dealers"}})",
          R"({"time":"2026-11-23T08:03:12Z","contact":"c1","ended":{"by":"caller"}})",
          R"({"time":"2026-11-23T08:05:00Z","contact":"w1","received":{"queue":"mail","service":"complaint","due":"2026-11-23T12:05:00Z"}})",
          R"({"time":"2026-11-23T09:12:00Z","agent":"a7","loggedIn":{"queues":["sales"],"site":"hamburg"}})",
          R"({"time":"2026-11-23T09:12:00.5+01:00","contact":"c1","service":null,"held":{}})",
      }) {
    v1::Event event;
    const auto problem = from_json_line(line, event);
    EXPECT_FALSE(problem) << line << "\n" << *problem;
  }
}

std::string problem_of(const std::string& line) {
  v1::Event event;
  return from_json_line(line, event).value_or("no problem");
}

TEST(EventLine, SaysWhatIsWrongWhereAndWhatIsExpected) {
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","contact":"c1","ofered":{"queue":"q"}})"),
            R"(column 47: unknown field "ofered"; did you mean "offered"?)");
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","contact":"c1","offered":{"que":"q"}})"),
            R"(column 58: unknown field "que"; did you mean "queue"?)");
  EXPECT_EQ(problem_of(R"({"contact":"c1","offered":{"queue":"q"}})"),
            R"("time" is missing: expected is a time in RFC 3339, like "2026-11-23T08:00:00.250Z")");
  EXPECT_EQ(
      problem_of(R"({"time":"yesterday","contact":"c1","ended":{}})"),
      R"(column 2: "time" is "yesterday", expected is a time in RFC 3339 after 1970, like "2026-11-23T08:00:00.250Z")");
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","contact":7,"ended":{}})"),
            R"(column 32: "contact" is 7, expected is text in quotation marks)");
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","contact":"c1"})"),
            R"(no event: expected is exactly one event field, like "offered":{"queue":"sales"})");
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","contact":"c1","held":{},"ended":{}})"),
            R"(column 57: two events on one line, "held" and "ended"; write a line for each)");
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","answered":{}})"),
            R"("answered" needs a "contact", the call's or work item's id)");
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","loggedOut":{}})"),
            R"("loggedOut" needs an "agent" beside it, the person's pseudonym)");
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","contact":"c","offered":{}})"),
            R"("offered" needs a "queue", the name the telephone system gives it)");
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","contact":"c","certainty":"sure","held":{}})"),
            R"(column 46: "certainty" is "sure", expected is one of "seen", "derived", "guessed")");
  EXPECT_EQ(problem_of(R"({"time":"2026-11-23T08:00:00Z","contact":"c","forwarded":{"reason":"timeouts"}})"),
            R"(the reason "timeouts" of "forwarded" is none of timeout empty full rejected key callback voicemail )"
            R"(overflow redirected other; did you mean "timeout"?)");
  EXPECT_EQ(problem_of("[1]"), R"(expected is one JSON object a line, {"time":…,"contact":…,"offered":{…}})");
}

TEST(EventLine, SurvivesAnything) {
  for (const char* line :
       {"", "{", "nul", "{\"time\":", "\xff\xfe", "{\"time\":\"\xc3\"}", "1e999", "{\"a\":1}{", "[[[[[["}) {
    v1::Event event;
    const auto problem = from_json_line(line, event);
    ASSERT_TRUE(problem) << line;
    EXPECT_FALSE(problem->empty());
  }
  EXPECT_TRUE(problem_of("{\"time\":").starts_with("column 9: no JSON: ")) << problem_of("{\"time\":");
}

TEST(Json, WritesEveryFieldAndNullForWhatIsAbsent) {
  v1::SegmentState state;
  state.set_id("sales");
  state.set_time_ns(eight);
  state.mutable_figures()->set_offered(3);
  state.mutable_figures()->set_service_level(2.0 / 3);
  state.mutable_figures()->set_asa_s(std::numeric_limits<double>::infinity());
  const auto json = to_json(state);
  EXPECT_EQ(json["id"], "sales");
  EXPECT_EQ(json["time"], "2026-11-23T08:00:00Z");
  EXPECT_FALSE(json.contains("time_ns"));
  EXPECT_EQ(json["fresh"], nullptr);
  EXPECT_EQ(json["stale"], false);
  EXPECT_EQ(json["period"], nullptr);
  EXPECT_EQ(json["alerts"], nlohmann::ordered_json::array());
  EXPECT_EQ(json["figures"]["offered"], 3);
  EXPECT_EQ(json["figures"]["answered"], 0);
  EXPECT_EQ(json["figures"]["service_level"].get<double>(), 2.0 / 3);  // full precision
  EXPECT_EQ(json["figures"]["asa_s"], nullptr);
  EXPECT_EQ(json["figures"]["reachability"], nullptr);
  EXPECT_NE(to_line(json).find("0.6666666666666666"), std::string::npos);
}

TEST(Json, WritesOnlyTheMemberOfAOneofThatIsSet) {
  v1::LogRecord record;
  record.set_received_ns(eight);
  record.set_clock_offset_ns(-5);
  record.mutable_batch()->add_events()->set_time_ns(eight);
  const auto json = to_json(record);
  EXPECT_EQ(json["clock_offset_ns"], -5);  // a span, not a time
  EXPECT_FALSE(json.contains("hello"));
  EXPECT_EQ(to_line(json["batch"]["events"]), R"([{"time":"2026-11-23T08:00:00Z"}])");
}

TEST(Json, NamesEnumValuesWithoutTheirPrefix) {
  v1::Reject reject;
  reject.set_code(v1::REJECT_CODE_SOURCE_IN_USE);
  EXPECT_EQ(to_json(reject)["code"], "source_in_use");
}

}  // namespace
}  // namespace reach::client
