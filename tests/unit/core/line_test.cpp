// Lines in any order of arrival: the head is who began first.
#include "daemon/core/line.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/unit/core/world.hpp"

namespace reach::test {
namespace {

struct Waits {
  std::uint32_t add(int second) {
    const std::uint32_t stay = stays.add();
    stays[stay].start = Time(std::chrono::seconds(second));
    link_waiting(stays, list, stay);
    return stay;
  }
  Slab<Stay> stays;
  StayList list;
};

TEST(Line, SearchesAmongTheLastFewOnly) {
  Waits w;
  for (int second = 1000; second < 1100; ++second) w.add(second);
  w.add(1090);
  EXPECT_TRUE(w.list.apart.empty());
  const std::uint32_t old = w.add(5), older = w.add(4);
  EXPECT_EQ(w.list.apart.size(), 2U);
  EXPECT_EQ(w.list.size, 103U);
  EXPECT_EQ(w.list.head(w.stays), older);
  unlink_waiting(w.stays, w.list, older);
  EXPECT_EQ(w.list.head(w.stays), old);
  unlink_waiting(w.stays, w.list, old);
  unlink_waiting(w.stays, w.list, old);  // not in it any more
  EXPECT_EQ(w.list.size, 101U);
  EXPECT_EQ(w.list.head(w.stays), 0U);
}

TEST(Line, KnowsWhoBeganFirstWhateverTheOrder) {
  std::mt19937 random(1);
  Waits w;
  std::set<std::pair<Time, std::uint32_t>> expected;
  for (int i = 0; i < 20000; ++i) {
    if (random() % 5 < (i < 10000 ? 3U : 2U)) {
      const int late = random() % 3 == 0 ? static_cast<int>(random() % 10000) : static_cast<int>(random() % 4);
      const std::uint32_t stay = w.add(20000 + i - late);
      expected.emplace(w.stays[stay].start, stay);
    } else if (!expected.empty()) {
      auto gone = expected.begin();
      if (random() % 2 == 0) std::advance(gone, random() % std::min<std::size_t>(expected.size(), 50));
      unlink_waiting(w.stays, w.list, gone->second);
      w.stays.erase(gone->second);
      expected.erase(gone);
    }
    ASSERT_EQ(w.list.size, expected.size());
    const std::uint32_t head = w.list.head(w.stays);
    ASSERT_EQ(head == none, expected.empty());
    ASSERT_TRUE(head == none || w.stays[head].start == expected.begin()->first) << "after " << i;
  }
}

/// Callers told in the reverse of the order in which they came pass the threshold, and are shown, in their own.
TEST(Line, DecidesInOrderOfTheWaitsThoughTheyAreToldBackwards) {
  World w;
  w.pass(10);
  const auto late = [&w](EventKind kind, int i) {
    const std::string id = "c" + std::to_string(i);
    Event event;
    event.kind = kind;
    event.at = World::time(kind == EventKind::offered ? i / 10.0 : 10);
    event.source = "pbx";
    event.contact = id;
    event.queue = "sales";
    w.input(10, event);
  };
  for (int i = 99; i >= 0; --i) late(EventKind::offered, i);
  EXPECT_EQ(w.view().longest_wait_since, World::time(0));
  for (int i = 0; i < 50; ++i) late(EventKind::answered, i);
  EXPECT_EQ(w.view().longest_wait_since, World::time(5));
  const auto bytes = [&w] {
    std::string all;
    w.engine.save([&](std::string_view piece) { all += piece; });
    return all;
  };
  const std::string saved = bytes();
  w.engine = Engine::load(saved, {.staleness = false, .staffing = false});
  EXPECT_EQ(bytes(), saved);
  for (int i = 50; i < 100; ++i) {
    EXPECT_EQ(w.figures().missed, i - 50);
    EXPECT_EQ(w.figures().waiting, 50);
    w.pass(20 + i / 10.0);
  }
  for (int i = 50; i < 100; ++i) late(EventKind::abandoned, i);
  EXPECT_EQ(w.figures().waiting, 0);
  EXPECT_EQ(w.figures().longest_wait_s, std::nullopt);
}

}  // namespace
}  // namespace reach::test
