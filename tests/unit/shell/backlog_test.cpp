#include "daemon/shell/backlog.hpp"

#include <gtest/gtest.h>

namespace reach::shell {
namespace {

using std::chrono::seconds;

const Time noon = time_from_ns(1'764'000'000'000'000'000);

v1::EventBatch batch(const std::string& source, std::uint64_t first, const std::vector<int>& at) {
  v1::EventBatch out;
  out.set_source(source);
  out.set_epoch(1);
  out.set_first_sequence(first);
  for (const int second : at) out.add_events()->set_time_ns(static_cast<std::uint64_t>(ns_of(noon + seconds(second))));
  return out;
}

/// Everything that comes out now, as "source:number@second …".
std::string all_of(Backlog& backlog) {
  std::string text;
  while (const auto run = backlog.next()) {
    for (int i = 0; i < run->batch.events_size(); ++i) {
      const Time at = time_from_ns(static_cast<std::int64_t>(run->batch.events(i).time_ns()));
      text += run->batch.source() + ":" + std::to_string(run->batch.first_sequence() + static_cast<unsigned>(i)) + "@" +
              std::to_string(std::chrono::duration_cast<seconds>(at - noon).count()) + " ";
    }
  }
  return text;
}

TEST(Backlog, PutsTheEventsOfAllSourcesIntoOneOrder) {
  Backlog backlog;
  backlog.hold(batch("a", 5, {1, 2, 7, 8}), {});
  backlog.hold(batch("b", 1, {3, 4}), {});
  backlog.hold(batch("b", 3, {9}), {});
  EXPECT_EQ(all_of(backlog), "a:5@1 a:6@2 b:1@3 b:2@4 a:7@7 a:8@8 b:3@9 ");
  EXPECT_TRUE(backlog.over());
}

TEST(Backlog, IsNotHeldUpByATimeThatCannotBe) {
  Backlog backlog;
  v1::EventBatch odd = batch("a", 1, {0, 2});
  odd.mutable_events(0)->set_time_ns(std::uint64_t{1} << 63);
  backlog.hold(std::move(odd), seconds(1));
  backlog.hold(batch("b", 1, {3}), seconds(1));
  const auto first = backlog.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->batch.source(), "a");
  EXPECT_EQ(first->batch.events_size(), 2);
  EXPECT_EQ(all_of(backlog), "b:1@3 ");
}

TEST(Backlog, WaitsForASourceThatMaySendEarlierOnes) {
  Backlog backlog;
  backlog.expect("b", noon + seconds(3), noon + seconds(3));
  backlog.hold(batch("a", 1, {1, 5}), {});
  EXPECT_EQ(all_of(backlog), "");
  backlog.hold(batch("b", 1, {2, 3}), {});
  EXPECT_EQ(all_of(backlog), "a:1@1 b:1@2 b:2@3 ") << "what b sends next may come before 5";
  backlog.caught_up("b");
  EXPECT_EQ(all_of(backlog), "a:2@5 ");
  EXPECT_TRUE(backlog.over());
}

TEST(Backlog, WaitsNoLongerThanAgreed) {
  Backlog backlog;
  const auto silent = [](const std::string&) { return false; };
  backlog.expect("b", noon + seconds(3), noon + seconds(8));
  backlog.hold(batch("a", 1, {1}), {});
  backlog.advanced("b", noon + seconds(2));
  EXPECT_TRUE(backlog.give_up(noon + seconds(4), silent).empty()) << "it sent something";
  for (int i = 4; i < 8; ++i) backlog.advanced("b", noon + seconds(i));
  EXPECT_TRUE(backlog.give_up(noon + seconds(7), silent).empty());
  EXPECT_EQ(backlog.give_up(noon + seconds(8), silent), std::vector<std::string>{"b"});
  EXPECT_EQ(all_of(backlog), "a:1@1 ");
}

TEST(Backlog, WaitsForASourceThatMaySendNoMoreUntilItIsTaken) {
  Backlog backlog;
  backlog.expect("b", noon + seconds(3), noon + seconds(8));
  const auto waits_for_us = [](const std::string& source) { return source == "b"; };
  const auto silent = [](const std::string&) { return false; };
  EXPECT_TRUE(backlog.give_up(noon + seconds(3), waits_for_us).empty());
  EXPECT_TRUE(backlog.give_up(noon + seconds(5), silent).empty()) << "from here on it has its time again";
  EXPECT_TRUE(backlog.give_up(noon + seconds(6), waits_for_us).empty());
  EXPECT_EQ(backlog.give_up(noon + seconds(8), waits_for_us), std::vector<std::string>{"b"}) << "nor for ever";
  backlog.expect("c", noon + seconds(20), noon + seconds(20));
  EXPECT_EQ(backlog.give_up_all(), std::vector<std::string>{"c"});
  EXPECT_TRUE(backlog.over());
}

TEST(Backlog, TakesTheClockOffsetIntoAccount) {
  Backlog backlog;
  backlog.hold(batch("a", 1, {10}), seconds(9));  // its clock is ahead: it happened at 1
  backlog.hold(batch("b", 1, {2}), {});
  EXPECT_EQ(all_of(backlog), "a:1@10 b:1@2 ");
}

TEST(Backlog, KeepsTheOrderOfASourceWhoseTimesStepBack) {
  Backlog backlog;
  backlog.hold(batch("a", 1, {5, 1, 6}), {});
  backlog.hold(batch("b", 1, {3}), {});
  EXPECT_EQ(all_of(backlog), "b:1@3 a:1@5 a:2@1 a:3@6 ");
}

TEST(Backlog, TakesBackWhatCouldNotBeUsed) {
  Backlog backlog;
  backlog.hold(batch("a", 1, {1, 2}), {});
  backlog.put_back(*backlog.next());
  EXPECT_FALSE(backlog.over());
  EXPECT_EQ(all_of(backlog), "a:1@1 a:2@2 ");
}

}  // namespace
}  // namespace reach::shell
