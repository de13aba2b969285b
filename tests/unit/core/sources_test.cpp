// What sources say about themselves.
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/core/world.hpp"

namespace reach::test {
namespace {

void lost(World& w, std::uint64_t count) {
  Event event;
  event.lost_count = count;
  w.at(0, EventKind::events_lost, "", event);
}

TEST(Source, CountsLostEventsUpToTheLargestNumber) {
  World w;
  const auto events_lost = [&w] { return w.engine.view_source(0, w.engine.now()).events_lost; };
  lost(w, 0);
  EXPECT_EQ(events_lost(), 1);
  lost(w, 41);
  EXPECT_EQ(events_lost(), 42);
  lost(w, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(events_lost(), std::numeric_limits<std::int64_t>::max());
  lost(w, std::uint64_t{1} << 63);
  lost(w, 0);
  EXPECT_EQ(events_lost(), std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace reach::test
