#include "clients/adapters/simulator/back_office.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>

namespace reach::simulator {
namespace {

using v1::Event;

constexpr Time monday = time_from_ns(1'795'417'200'000'000'000);  // any instant will do

Options at(double hour, double speed, std::uint64_t seed) {
  Options options;
  options.seed = seed;
  options.start = monday;
  options.hour = hour;
  options.speed = speed;
  return options;
}

std::vector<Event> events_of(BackOffice& office, Time until) {
  std::vector<Event> events;
  office.run_until(until, events);
  return events;
}

/// A whole day and the evening after it, so that every call has ended.
std::vector<Event> whole_day(std::uint64_t seed, double speed = 1) {
  BackOffice office(fittings_company(), at(7.5, speed, seed));
  return events_of(office, office.clock().when(0, speed > 1 ? 18.4 : 23));
}

std::string bytes_of(const std::vector<Event>& events) {
  std::string bytes;
  for (const Event& event : events) bytes += event.SerializeAsString() + '\n';
  return bytes;
}

/// 1, 2, 3; more with REACH_SEEDS=N in the environment (tests/run --long).
std::vector<std::uint64_t> seeds() {
  const char* wanted = std::getenv("REACH_SEEDS");
  std::vector<std::uint64_t> result(wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 3);
  std::iota(result.begin(), result.end(), 1);
  return result;
}

class BackOfficeDay : public testing::Test {
 protected:
  /// Calls `test` with each seed, which a failure names; stops at the first that fails.
  static void with_each_seed(const std::function<void(std::uint64_t)>& test) {
    for (const std::uint64_t seed : seeds()) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      test(seed);
      if (HasFailure()) return;
    }
  }
};

TEST_F(BackOfficeDay, IsTheSameForTheSameSeed) {
  with_each_seed([](std::uint64_t seed) {
    const std::string first = bytes_of(whole_day(seed));
    EXPECT_EQ(first, bytes_of(whole_day(seed)));
    EXPECT_NE(first, bytes_of(whole_day(seed + 100)));
  });
}

TEST_F(BackOfficeDay, DoesNotDependOnTheSteps) {
  with_each_seed([](std::uint64_t seed) {
    BackOffice in_steps(fittings_company(), at(8.5, 20, seed));
    std::vector<Event> events;
    for (int ms = 0; ms <= 120'000; ms += 37) in_steps.run_until(monday + std::chrono::milliseconds(ms), events);
    in_steps.run_until(monday + std::chrono::minutes(2), events);
    BackOffice at_once(fittings_company(), at(8.5, 20, seed));
    EXPECT_EQ(bytes_of(events), bytes_of(events_of(at_once, monday + std::chrono::minutes(2))));
  });
}

TEST_F(BackOfficeDay, NeverStepsBack) {
  with_each_seed([](std::uint64_t seed) {
    std::uint64_t last = 0;
    for (const Event& event : whole_day(seed)) {
      ASSERT_GE(event.time_ns(), last) << event.ShortDebugString();
      last = event.time_ns();
    }
  });
}

/// Follows every call through its entries and finds it in exactly one place at a time.
TEST_F(BackOfficeDay, EndsEveryOfferedCallExactlyOnce) {
  with_each_seed([](std::uint64_t seed) {
    enum class Place { arrived, waiting, between, talking, over };
    std::map<std::string, Place> calls;
    int overflows = 0;
    int transfers = 0;
    for (const Event& event : whole_day(seed)) {
      const std::string id = event.source() + "/" + event.contact();
      const auto expect_from = [&](std::set<Place> from, Place to) {
        ASSERT_TRUE(calls.contains(id)) << event.ShortDebugString();
        ASSERT_TRUE(from.contains(calls[id]))
            << "in place " << static_cast<int>(calls[id]) << ": " << event.ShortDebugString();
        calls[id] = to;
      };
      switch (event.event_case()) {
        case Event::kArrived:
          ASSERT_TRUE(calls.emplace(id, Place::arrived).second) << event.ShortDebugString();
          break;
        case Event::kOffered:
          expect_from({Place::arrived, Place::between}, Place::waiting);
          break;
        case Event::kRejected:
          expect_from({Place::arrived, Place::between}, Place::over);
          break;
        case Event::kRinging:
        case Event::kRingNoAnswer:
          expect_from({Place::waiting}, Place::waiting);
          break;
        case Event::kAnswered:
          expect_from({Place::waiting}, Place::talking);
          break;
        case Event::kAbandoned:
          expect_from({Place::waiting}, Place::over);
          break;
        case Event::kForwarded: {
          const bool moves_on = event.forwarded().reason() == "overflow";
          overflows += moves_on ? 1 : 0;
          expect_from({Place::waiting}, moves_on ? Place::between : Place::over);
          break;
        }
        case Event::kHeld:
        case Event::kRetrieved:
        case Event::kConsultStarted:
        case Event::kConsultEnded:
          expect_from({Place::talking}, Place::talking);
          break;
        case Event::kTransferred:
          ++transfers;
          expect_from({Place::talking}, Place::between);
          break;
        case Event::kEnded:
          expect_from({Place::talking}, Place::over);
          break;
        default:
          break;
      }
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(calls.size(), 1500U);
    EXPECT_GT(overflows, 0);
    EXPECT_GT(transfers, 0);
    for (const auto& [id, place] : calls) EXPECT_EQ(place, Place::over) << id;
  });
}

TEST_F(BackOfficeDay, KeepsEveryAgentInOnePlace) {
  with_each_seed([](std::uint64_t seed) {
    std::map<std::string, std::string> talking;  // agent -> contact
    std::set<std::string> here;
    for (const Event& event : whole_day(seed, 20)) {
      const auto& agent_of_event = event.agent();
      switch (event.event_case()) {
        case Event::kLoggedIn:
          EXPECT_TRUE(here.insert(agent_of_event).second) << event.ShortDebugString();
          break;
        case Event::kLoggedOut:
          EXPECT_EQ(here.erase(agent_of_event), 1U) << event.ShortDebugString();
          EXPECT_FALSE(talking.contains(agent_of_event)) << event.ShortDebugString();
          break;
        case Event::kAnswered: {
          const std::string& agent = event.answered().agent();
          EXPECT_TRUE(here.contains(agent)) << event.ShortDebugString();
          EXPECT_TRUE(talking.emplace(agent, event.contact()).second) << event.ShortDebugString();
          break;
        }
        case Event::kWrapUpEnded:
          EXPECT_EQ(talking.erase(event.wrap_up_ended().agent()), 1U);
          break;
        case Event::kAgentPaused:
          EXPECT_FALSE(talking.contains(agent_of_event)) << event.ShortDebugString();
          break;
        default:
          break;
      }
    }
  });
}

TEST_F(BackOfficeDay, WorksOnItemsInOrder) {
  with_each_seed([](std::uint64_t seed) {
    enum class Place { open, running, stopped, done };
    std::map<std::string, Place> items;
    int reopened = 0;
    for (const Event& event : whole_day(seed)) {
      const auto expect_from = [&](std::set<Place> from, Place to) {
        ASSERT_TRUE(items.contains(event.contact())) << event.ShortDebugString();
        ASSERT_TRUE(from.contains(items[event.contact()])) << event.ShortDebugString();
        items[event.contact()] = to;
      };
      switch (event.event_case()) {
        case Event::kReceived:
          ASSERT_TRUE(items.emplace(event.contact(), Place::open).second);
          break;
        case Event::kStarted:
          expect_from({Place::open}, Place::running);
          break;
        case Event::kPaused:
          expect_from({Place::running}, Place::stopped);
          break;
        case Event::kResumed:
          expect_from({Place::stopped}, Place::running);
          break;
        case Event::kCompleted:
          expect_from({Place::running}, Place::done);
          break;
        case Event::kCancelled:
          expect_from({Place::open}, Place::done);
          break;
        case Event::kReopened:
          ++reopened;
          expect_from({Place::done}, Place::open);
          break;
        default:
          break;
      }
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(items.size(), 200U);
    EXPECT_GT(reopened, 0);
  });
}

/// First calls of each queue and hour against the integral of the rate: within four standard deviations of a Poisson
/// count, and the sum of the squared deviations within what chi-square allows (99.99 %).
TEST(BackOffice, ArrivalsFollowTheCurve) {
  const Company company = fittings_company();
  double squares = 0;
  int cells = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    BackOffice office(company, at(7.5, 1, seed));
    std::map<std::pair<std::string, int>, int> counts;
    for (const Event& event : events_of(office, office.clock().when(0, 18))) {
      if (event.event_case() != Event::kArrived || event.journey() != event.contact()) continue;
      const double hour = office.clock().at(time_from_ns(static_cast<std::int64_t>(event.time_ns()))).hour;
      ++counts[{event.source() + "/" + event.arrived().dialled(), static_cast<int>(hour)}];
    }
    for (std::size_t q = 0; q < company.queues.size(); ++q) {
      for (int hour = 8; hour < 18; ++hour) {
        const double expected =
            office.expected_calls(q, office.clock().when(0, hour), office.clock().when(0, hour + 1));
        const int counted = counts[{company.queues[q].source + "/" + company.queues[q].dialled, hour}];
        EXPECT_NEAR(counted, expected, 4 * std::sqrt(expected))
            << company.queues[q].name << " at " << hour << ", seed " << seed;
        squares += (counted - expected) * (counted - expected) / expected;
        ++cells;
      }
    }
  }
  EXPECT_NEAR(squares, cells, 3.9 * std::sqrt(2.0 * cells));
}

TEST(BackOffice, TheMailingDoublesTheCalls) {
  const Company company = fittings_company();
  BackOffice office(company, at(7.5, 1, 1));
  const auto at_hour = [&](double hour) { return office.clock().when(0, hour); };
  const std::size_t end_customers = 2;
  ASSERT_EQ(company.queues[end_customers].name, "end-customers");
  const double before = office.expected_calls(end_customers, at_hour(8.70), at_hour(8.75));
  const double after = office.expected_calls(end_customers, at_hour(8.75), at_hour(8.80));
  EXPECT_NEAR(after / before, 2, 0.1);
}

TEST(BackOffice, ASickDayAndAnOutageHappenOnMondayOnly) {
  for (const int weekday : {0, 1}) {
    Options options = at(7.5, 1, 7);
    options.weekday = weekday;
    BackOffice office(fittings_company(), options);
    std::set<std::string> logged_in;
    int closed = 0;
    int rejected = 0;
    for (const Event& event : events_of(office, office.clock().when(0, 18.5))) {
      if (event.has_logged_in()) logged_in.insert(event.agent());
      if (event.has_queue_closed()) ++closed;
      if (event.has_rejected() && event.rejected().reason() == "rejected") ++rejected;
    }
    EXPECT_EQ(logged_in.size(), weekday == 0 ? 20U : 22U);
    EXPECT_EQ(closed, weekday == 0 ? 1 : 0);
    EXPECT_EQ(rejected > 0, weekday == 0);
  }
}

TEST(BackOffice, TheBadMorningIsWorseThanTheNextDay) {
  const auto given_up = [](int weekday) {
    Options options = at(8.0, 20, 11);
    options.weekday = weekday;
    BackOffice office(fittings_company(), options);
    std::vector<Event> events;
    office.run_until(office.clock().when(0, 10.5), events);
    return static_cast<double>(office.tally().abandoned) / static_cast<double>(office.tally().calls);
  };
  EXPECT_GT(given_up(0), 0.15);
  EXPECT_LT(given_up(1), 0.1);
}

}  // namespace
}  // namespace reach::simulator
