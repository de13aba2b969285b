// Days of a simulated back office in the core: what it keeps of a day is gone after what it promises to remember.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdio>
#include <vector>

#include "clients/adapters/simulator/back_office.hpp"
#include "daemon/settings/settings.hpp"
#include "daemon/wire/wire.hpp"

namespace reach {
namespace {

/// Bytes that the allocator of the C library has given out. A sanitizer has one of its own: there it is not run.
double in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// What is done is kept for a week, and a month's waits take their place in the course of it: from the third week on, it
// takes no more. The same weekday, as no two days are alike.
TEST(Days, TakeNoMoreMemoryFromTheThirdWeekOn) {
  const settings::Loaded loaded = settings::load(REACH_SOURCE_DIR "/clients/demo/demo.toml");
  ASSERT_TRUE(loaded.good());
  simulator::Options options;
  options.start = time_from_ns(1'795'420'800'000'000'000);  // a Monday, 08:00 UTC
  options.hour = 8;
  simulator::BackOffice office(simulator::fittings_company(), options);
  Engine engine(loaded.core, {}, options.start);
  Decisions decisions;
  std::vector<v1::Event> events;
  wire::Scratch scratch;
  Event event;
  std::vector<double> after;  // each day, at the same hour
  for (int day = 1; day <= 22; ++day) {
    for (int hour = 1; hour <= 24; ++hour) {
      const Time until = options.start + std::chrono::hours(24 * (day - 1) + hour);
      office.run_until(until, events);
      for (const v1::Event& each : events) {
        if (wire::event_from(each, "office", {}, until, scratch, event)) continue;
        engine.step(event, event.at, decisions);
        decisions.clear();
      }
      engine.step(TimePassed{}, until, decisions);
      decisions.clear();
      events = {};
    }
    after.push_back(in_use());
    ASSERT_GT(after.back(), 0) << "this allocator does not tell";
    std::printf("after day %2d: %.3f MiB in use, %lld contacts live\n", day, after.back() / (1 << 20),
                static_cast<long long>(engine.totals().live_contacts));
  }
  EXPECT_LE(after[21], after[14] * 1.01);
}

}  // namespace
}  // namespace reach
