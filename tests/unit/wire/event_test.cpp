#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>

#include "daemon/wire/wire.hpp"

namespace reach::wire {
namespace {

using std::chrono::seconds;

const Time noon = time_from_ns(1'764'000'000'000'000'000);

v1::Event offered() {
  v1::Event event;
  event.set_time_ns(static_cast<std::uint64_t>(ns_of(noon)));
  event.set_contact("c1");
  event.mutable_offered()->set_queue("sales");
  event.mutable_offered()->set_priority(3);
  return event;
}

class EventFrom : public testing::Test {
 protected:
  std::string problem(const v1::Event& event, std::string_view source = "pbx") {
    return event_from(event, source, offset, never, scratch, out).value_or("");
  }
  Duration offset{};
  Scratch scratch;
  Event out;
};

TEST_F(EventFrom, ReadsTheFieldsOfAnOffer) {
  const v1::Event event = offered();
  EXPECT_EQ(problem(event), "");
  EXPECT_EQ(out.kind, EventKind::offered);
  EXPECT_EQ(out.at, noon);
  EXPECT_EQ(out.source, "pbx");
  EXPECT_EQ(out.contact, "c1");
  EXPECT_EQ(out.queue, "sales");
  EXPECT_EQ(out.priority, 3);
}

TEST_F(EventFrom, LetsAnEventNameItsOwnSource) {
  v1::Event event = offered();
  event.set_source("other");
  EXPECT_EQ(problem(event), "");
  EXPECT_EQ(out.source, "other");
  event.set_source("not good");
  EXPECT_NE(problem(event), "");
  event.clear_source();
  EXPECT_NE(problem(event, ""), "");
}

TEST_F(EventFrom, TakesTheClockOffsetOffEveryTime) {
  offset = seconds(60);
  v1::Event event = offered();
  event.mutable_received()->set_queue("mail");
  event.mutable_received()->set_due_ns(static_cast<std::uint64_t>(ns_of(noon + seconds(3600))));
  EXPECT_EQ(problem(event), "");
  EXPECT_EQ(out.at, noon - seconds(60));
  EXPECT_EQ(out.due, noon + seconds(3540));
  EXPECT_FALSE(out.received_at.has_value());
}

TEST_F(EventFrom, KeepsTimesAfter1970WhateverTheOffset) {
  offset = time_from_ns(static_cast<std::int64_t>(latest_ns)) - noon;
  v1::Event event = offered();
  event.set_time_ns(1);
  event.mutable_received()->set_queue("mail");
  event.mutable_received()->set_due_ns(1);
  event.mutable_received()->set_received_ns(2);
  EXPECT_EQ(problem(event), "");
  EXPECT_EQ(out.at, time_from_ns(1));
  EXPECT_EQ(out.due, time_from_ns(1));
  EXPECT_EQ(out.received_at, time_from_ns(1));
}

TEST_F(EventFrom, SaysWhatIsMissing) {
  v1::Event event = offered();
  event.clear_time_ns();
  EXPECT_NE(problem(event).find("time_ns"), std::string::npos);
  event = offered();
  event.clear_contact();
  EXPECT_NE(problem(event).find("contact"), std::string::npos);
  event = offered();
  event.mutable_offered()->clear_queue();
  EXPECT_NE(problem(event).find("queue"), std::string::npos);
  event.mutable_logged_in();
  EXPECT_NE(problem(event).find("agent"), std::string::npos);
  event.clear_event();
  EXPECT_NE(problem(event).find("happened"), std::string::npos);
  event = offered();
  event.set_time_ns(~std::uint64_t{0});
  EXPECT_NE(problem(event).find("2100"), std::string::npos);
}

TEST_F(EventFrom, RefusesNamesWithoutEnd) {
  v1::Event event = offered();
  event.set_contact(std::string(200, 'c'));
  EXPECT_EQ(problem(event), "");
  event.set_contact(std::string(201, 'c'));
  EXPECT_EQ(problem(event), "its contact is longer than 200 bytes");
  event.set_contact("c");
  event.mutable_offered()->set_queue(std::string(5000, 'q'));
  EXPECT_EQ(problem(event), "its queue is longer than 200 bytes");
  event = offered();
  event.set_site(std::string(100, 's'));
  EXPECT_EQ(problem(event), "");
  event.set_site(std::string(101, 's'));
  EXPECT_EQ(problem(event), "its site is longer than 100 bytes");
  event.clear_site();
  event.mutable_logged_in()->add_queues(std::string(5000, 'q'));
  event.set_agent("a");
  EXPECT_EQ(problem(event), "a name in its list is longer than 200 bytes");
  event.set_agent(std::string(201, 'a'));
  EXPECT_EQ(problem(event), "its agent is longer than 200 bytes");
  event = offered();
  event.mutable_resync_end()->add_contacts(std::string(5000, 'c'));
  EXPECT_EQ(problem(event), "") << "the listing of all others counts";
}

TEST_F(EventFrom, ReadsLists) {
  v1::Event event = offered();
  event.set_agent("a7");
  event.mutable_logged_in()->add_queues("sales");
  event.mutable_logged_in()->add_queues("mail");
  EXPECT_EQ(problem(event), "");
  EXPECT_EQ(std::vector<std::string_view>(out.list.begin(), out.list.end()),
            (std::vector<std::string_view>{"sales", "mail"}));
}

TEST_F(EventFrom, KnowsEveryEventOfTheContract) {
  std::set<EventKind> kinds;
  const auto* oneof = v1::Event::descriptor()->FindOneofByName("event");
  for (int i = 0; i < oneof->field_count(); ++i) {
    v1::Event event = offered();
    event.set_agent("a7");
    auto* what = event.GetReflection()->MutableMessage(&event, oneof->field(i));
    if (const auto* queue = what->GetDescriptor()->FindFieldByName("queue")) {
      what->GetReflection()->SetString(what, queue, "sales");
    }
    EXPECT_EQ(problem(event), "") << oneof->field(i)->name();
    kinds.insert(out.kind);
  }
  EXPECT_EQ(kinds.size(), static_cast<std::size_t>(oneof->field_count()));
}

TEST_F(EventFrom, CountsLostEventsFromTheirNumbers) {
  v1::Event event = offered();
  event.mutable_events_lost()->set_from(5);
  event.mutable_events_lost()->set_to(9);
  EXPECT_EQ(problem(event), "");
  EXPECT_EQ(out.lost_count, 5U);
}

}  // namespace
}  // namespace reach::wire
