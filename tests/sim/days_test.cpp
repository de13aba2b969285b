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

/// Bytes that the allocator has given out; 0 under a sanitizer, which has an allocator of its own.
double in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// Not part of the suite yet: it takes a minute, and it fails. The engine grows by about 2 MiB each working day, in the
// second week as in the first; what grows is not known yet. --gtest_also_run_disabled_tests runs it.
TEST(Days, DISABLED_TakeNoMoreMemoryOnceAWeekIsFull) {
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
  double office_bytes = 0;
  std::vector<double> after;  // each day, at the same hour
  for (int day = 1; day <= 15; ++day) {
    for (int hour = 1; hour <= 24; ++hour) {
      const Time until = options.start + std::chrono::hours(24 * (day - 1) + hour);
      const double before = in_use();  // the office itself is not what is measured
      office.run_until(until, events);
      office_bytes += in_use() - before;
      for (const v1::Event& each : events) {
        if (wire::event_from(each, "office", {}, until, scratch, event)) continue;
        engine.step(event, event.at, decisions);
        decisions.clear();
      }
      engine.step(TimePassed{}, until, decisions);
      decisions.clear();
      const double full = in_use();
      events = {};
      office_bytes += in_use() - full;
    }
    after.push_back(in_use() - office_bytes);
    std::printf("after day %2d: %.3f MiB in use (the office %.3f), %lld contacts live\n", day, after.back() / (1 << 20),
                office_bytes / (1 << 20), static_cast<long long>(engine.totals().live_contacts));
  }
  if (after.back() == 0) GTEST_SKIP() << "nothing to be seen under a sanitizer";
  // The last seven days of intervals are kept, so a week must be full; the same weekday, as no two days are alike.
  EXPECT_LE(after[14], after[7] * 1.01);
}

}  // namespace
}  // namespace reach
