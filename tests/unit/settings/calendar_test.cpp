// Opening hours and civil time, with the zones people live in.
#include "daemon/core/calendar.hpp"

#include <gtest/gtest.h>

#include <random>

#include "daemon/settings/zone.hpp"

namespace reach {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::sys_days;

Time at(std::string_view text) {
  const auto time = parse_rfc3339(text);
  EXPECT_TRUE(time) << text;
  return time.value_or(Time{});
}

Zone zone(std::string_view name) {
  const auto found = settings::zone_named(name);
  EXPECT_TRUE(found) << name;
  return found.value_or(Zone{});
}

std::string text(TimeRange range) {
  return to_rfc3339(range.from) + " " + to_rfc3339(range.to);
}

Calendar::Day from_to(Duration from, Duration to) {
  return {{from, to}};
}

/// Monday to Friday from 08:00 to 18:00 in Berlin, Christmas closed, Christmas Eve until noon.
Calendar office() {
  const auto day = from_to(8h, 18h);
  return Calendar(zone("Europe/Berlin"), {day, day, day, day, day, {}, {}},
                  {{sys_days(std::chrono::year(2026) / 12 / 24), from_to(8h, 12h), "Christmas Eve"},
                   {sys_days(std::chrono::year(2026) / 12 / 25), {}, "Christmas"}});
}

/// Open around the clock, every day.
Calendar around_the_clock(const Zone& zone, std::vector<Calendar::Exception> exceptions) {
  const auto day = from_to(0h, 24h);
  return Calendar(zone, {day, day, day, day, day, day, day}, std::move(exceptions));
}

TEST(Zone, KnowsSummerTimeUntil2100) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin.offset_at(at("2026-03-29T00:59:59Z")), 1h);
  EXPECT_EQ(berlin.offset_at(at("2026-03-29T01:00:00Z")), 2h);
  EXPECT_EQ(berlin.offset_at(at("2026-10-25T00:59:59Z")), 2h);
  EXPECT_EQ(berlin.offset_at(at("2026-10-25T01:00:00Z")), 1h);
  EXPECT_EQ(berlin.offset_at(at("2099-07-01T00:00:00Z")), 2h);
  EXPECT_EQ(berlin.offset_at(at("2099-12-01T00:00:00Z")), 1h);
  EXPECT_EQ(zone("America/New_York").offset_at(at("2050-07-01T00:00:00Z")), -4h);
  EXPECT_TRUE(zone("UTC").changes.empty());
}

TEST(Zone, TakesTheInstantOfTheChangeForATimeThatIsSkipped) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin.from_local(at("2026-03-29T02:00:00Z")), at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(berlin.from_local(at("2026-03-29T02:30:00Z")), at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(berlin.from_local(at("2026-03-29T03:00:00Z")), at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(berlin.from_local(at("2026-03-29T01:59:59Z")), at("2026-03-29T00:59:59Z"));
}

TEST(Zone, TakesTheFirstOfATimeThatIsShownTwice) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin.from_local(at("2026-10-25T02:30:00Z")), at("2026-10-25T00:30:00Z"));
  EXPECT_EQ(berlin.from_local(at("2026-10-25T03:00:00Z")), at("2026-10-25T02:00:00Z"));
}

TEST(Zone, GoesThereAndBack) {
  for (const auto* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"}) {
    const auto where = zone(name);
    std::mt19937_64 random(7);
    for (int i = 0; i < 2000; ++i) {
      const auto t = Time(std::chrono::seconds(random() % 4'000'000'000U));
      const auto back = where.from_local(where.to_local(t));
      // The second of a doubled hour comes back as the first.
      EXPECT_TRUE(back == t || (back < t && where.to_local(back) == where.to_local(t))) << name << to_rfc3339(t);
    }
  }
}

TEST(Zone, HasNoFileOutsideTheDatabase) {
  for (const auto* name :
       {"", "../../etc/passwd", "/etc/localtime", "localtime", "Europe/Berlim", "file:x", "Europe"}) {
    EXPECT_FALSE(settings::zone_named(name)) << name;
  }
}

TEST(Zone, SuggestsTheNameThatWasMeant) {
  EXPECT_EQ(settings::nearest_zone_name("Europe/Berlim"), "Europe/Berlin");
  EXPECT_EQ(settings::nearest_zone_name("berlin"), "Europe/Berlin");
  EXPECT_EQ(settings::nearest_zone_name("nowhere at all"), "");
}

TEST(Period, OfADayIsLocalAndHas23Or25HoursWhenClocksChange) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(text(period_at(berlin, Period::day, 15min, at("2026-07-01T21:59:59Z"))),
            "2026-06-30T22:00:00Z 2026-07-01T22:00:00Z");
  const auto spring = period_at(berlin, Period::day, 15min, at("2026-03-29T12:00:00Z"));
  EXPECT_EQ(spring.to - spring.from, 23h);
  const auto autumn = period_at(berlin, Period::day, 15min, at("2026-10-25T12:00:00Z"));
  EXPECT_EQ(autumn.to - autumn.from, 25h);
}

TEST(Period, OfAWeekBeginsOnMondayAcrossTheYear) {
  // 1 January 2027 is a Friday and lies in week 53 of 2026.
  EXPECT_EQ(text(period_at(zone("UTC"), Period::week, 15min, at("2027-01-01T12:00:00Z"))),
            "2026-12-28T00:00:00Z 2027-01-04T00:00:00Z");
  EXPECT_EQ(text(period_at(zone("UTC"), Period::week, 15min, at("2027-01-04T00:00:00Z"))),
            "2027-01-04T00:00:00Z 2027-01-11T00:00:00Z");
  const auto spring = period_at(zone("Europe/Berlin"), Period::week, 15min, at("2026-03-25T12:00:00Z"));
  EXPECT_EQ(spring.to - spring.from, 7 * 24h - 1h);
}

TEST(Period, OfAMonthIsLocal) {
  EXPECT_EQ(text(period_at(zone("Europe/Berlin"), Period::month, 15min, at("2026-03-15T12:00:00Z"))),
            "2026-02-28T23:00:00Z 2026-03-31T22:00:00Z");
  EXPECT_EQ(text(period_at(zone("UTC"), Period::month, 15min, at("2024-02-29T23:59:59.999Z"))),
            "2024-02-01T00:00:00Z 2024-03-01T00:00:00Z");
}

TEST(Period, OfAnIntervalEndsWhereTheNextBegins) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(text(period_at(berlin, Period::interval, 15min, at("2026-07-01T10:15:00Z"))),
            "2026-07-01T10:15:00Z 2026-07-01T10:30:00Z");
  EXPECT_EQ(text(period_at(berlin, Period::interval, 30min, at("2026-07-01T10:29:59Z"))),
            "2026-07-01T10:00:00Z 2026-07-01T10:30:00Z");
  // Kathmandu is 5 h 45 min ahead: its hours begin at a quarter past in UTC.
  EXPECT_EQ(text(period_at(zone("Asia/Kathmandu"), Period::hour, 15min, at("2026-07-01T10:14:00Z"))),
            "2026-07-01T09:15:00Z 2026-07-01T10:15:00Z");
}

TEST(Period, CountsADoubledHourTwice) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(text(period_at(berlin, Period::hour, 15min, at("2026-10-25T00:30:00Z"))),
            "2026-10-25T00:00:00Z 2026-10-25T01:00:00Z");
  EXPECT_EQ(text(period_at(berlin, Period::hour, 15min, at("2026-10-25T01:30:00Z"))),
            "2026-10-25T01:00:00Z 2026-10-25T02:00:00Z");
}

TEST(Period, OfEveryKindFollowsThePreviousWithoutGap) {
  for (const auto* name :
       {"Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "America/St_Johns", "Pacific/Apia"}) {
    const auto where = zone(name);
    for (const auto kind : {Period::interval, Period::hour, Period::day, Period::week, Period::month}) {
      auto range = period_at(where, kind, 15min, at("2010-10-01T12:00:00Z"));
      while (range.to < at("2012-02-01T00:00:00Z")) {
        ASSERT_EQ(period_at(where, kind, 15min, range.to - 1ns), range) << name;
        const auto next = period_at(where, kind, 15min, range.to);
        ASSERT_EQ(next.from, range.to) << name << " " << static_cast<int>(kind) << " " << text(range) << text(next);
        range = next;
      }
    }
  }
}

TEST(Period, OfADayBeginsOnceWhereClocksGoBackAcrossMidnight) {
  // St John's, 7 November 2010: one minute after midnight the clocks showed 23:01 of the 6th again.
  EXPECT_EQ(text(period_at(zone("America/St_Johns"), Period::day, 15min, at("2010-11-07T02:40:00Z"))),
            "2010-11-07T02:30:00Z 2010-11-08T03:30:00Z");
}

TEST(Period, OfAnyInstantAtAllIsFound) {
  for (const auto t : {Time::min(), Time::max(), Time{}, at("1970-01-01T00:00:00Z")}) {
    for (const auto kind : {Period::interval, Period::hour, Period::day, Period::week, Period::month}) {
      const auto range = period_at(zone("Europe/Berlin"), kind, 15min, t);
      EXPECT_LT(range.from, range.to);
    }
  }
}

TEST(Calendar, WithoutHoursIsAlwaysOpen) {
  const Calendar always;
  EXPECT_TRUE(always.always_open());
  EXPECT_TRUE(always.is_open(at("2026-12-25T03:00:00Z")));
  EXPECT_EQ(always.next_change(Time{}), never);
  EXPECT_EQ(always.open_between(at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z")), 24h);
  EXPECT_EQ(always.advance(at("2026-01-01T00:00:00Z"), 4h), at("2026-01-01T04:00:00Z"));
  EXPECT_TRUE(around_the_clock(zone("Europe/Berlin"), {}).always_open());
}

TEST(Calendar, IsOpenFromOpeningUntilJustBeforeClosing) {
  const auto calendar = office();
  EXPECT_FALSE(calendar.is_open(at("2026-07-01T05:59:59.999Z")));
  EXPECT_TRUE(calendar.is_open(at("2026-07-01T06:00:00Z")));
  EXPECT_TRUE(calendar.is_open(at("2026-07-01T15:59:59.999Z")));
  EXPECT_FALSE(calendar.is_open(at("2026-07-01T16:00:00Z")));
  EXPECT_FALSE(calendar.is_open(at("2026-07-04T10:00:00Z"))) << "Saturday";
}

TEST(Calendar, FollowsTheClockOnTheWall) {
  const auto calendar = office();
  EXPECT_EQ(calendar.next_change(at("2026-01-05T00:00:00Z")), at("2026-01-05T07:00:00Z"));
  EXPECT_EQ(calendar.next_change(at("2026-07-06T00:00:00Z")), at("2026-07-06T06:00:00Z"));
}

TEST(Calendar, SaysWhenItOpensAndClosesNext) {
  const auto calendar = office();
  EXPECT_EQ(calendar.next_change(at("2026-07-03T06:00:00Z")), at("2026-07-03T16:00:00Z")) << "Friday evening";
  EXPECT_EQ(calendar.next_change(at("2026-07-03T16:00:00Z")), at("2026-07-06T06:00:00Z")) << "to Monday morning";
}

TEST(Calendar, KnowsHolidaysAndShortDays) {
  const auto calendar = office();
  EXPECT_TRUE(calendar.is_open(at("2026-12-24T10:59:59Z")));
  EXPECT_FALSE(calendar.is_open(at("2026-12-24T11:00:00Z")));
  EXPECT_FALSE(calendar.is_open(at("2026-12-25T10:00:00Z")));
  EXPECT_EQ(calendar.next_change(at("2026-12-24T11:00:00Z")), at("2026-12-28T07:00:00Z"));
  EXPECT_EQ(calendar.open_between(at("2026-12-21T00:00:00Z"), at("2026-12-28T00:00:00Z")), 3 * 10h + 4h);
}

TEST(Calendar, CountsBusinessTime) {
  const auto calendar = office();
  EXPECT_EQ(calendar.open_between(at("2026-07-03T15:00:00Z"), at("2026-07-06T07:00:00Z")), 2h);
  EXPECT_EQ(calendar.open_between(at("2026-07-06T07:00:00Z"), at("2026-07-03T15:00:00Z")), -2h);
  EXPECT_EQ(calendar.open_between(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")), (261 - 1) * 10h - 6h)
      << "261 weekdays, one closed, one short";
}

TEST(Calendar, AdvancesByBusinessTime) {
  const auto calendar = office();
  EXPECT_EQ(calendar.advance(at("2026-07-03T15:00:00Z"), 4h), at("2026-07-06T09:00:00Z"));
  EXPECT_EQ(calendar.advance(at("2026-07-03T15:00:00Z"), 1h), at("2026-07-03T16:00:00Z")) << "ends with the day";
  EXPECT_EQ(calendar.advance(at("2026-07-04T12:00:00Z"), 1ns), at("2026-07-06T06:00:00Z") + 1ns);
  EXPECT_EQ(calendar.advance(at("2026-07-04T12:00:00Z"), 0h), at("2026-07-04T12:00:00Z"));
  EXPECT_EQ(calendar.advance(at("2026-01-01T00:00:00Z"), 10000h), never);
}

TEST(Calendar, CountsTheHoursThatADayReallyHas) {
  // A night watch from 00:00 to 06:00 on Sundays: 5 hours in spring, 7 in autumn.
  const Calendar night(zone("Europe/Berlin"), {Calendar::Day{}, {}, {}, {}, {}, {}, from_to(0h, 6h)}, {});
  EXPECT_EQ(night.open_between(at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z")), 5h);
  EXPECT_EQ(night.open_between(at("2026-10-24T12:00:00Z"), at("2026-10-26T12:00:00Z")), 7h);
  EXPECT_EQ(night.advance(at("2026-10-24T12:00:00Z"), 7h), at("2026-10-25T05:00:00Z"));
}

TEST(Calendar, OpensAfterAGapIfItsHourIsSkipped) {
  const Calendar early(zone("Europe/Berlin"), {Calendar::Day{}, {}, {}, {}, {}, {}, from_to(2h + 30min, 4h)}, {});
  EXPECT_EQ(early.next_change(at("2026-03-29T00:00:00Z")), at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(early.open_between(at("2026-03-29T00:00:00Z"), at("2026-03-29T12:00:00Z")), 1h);
  const Calendar in_gap(zone("Europe/Berlin"), {Calendar::Day{}, {}, {}, {}, {}, {}, from_to(2h, 3h)}, {});
  EXPECT_EQ(in_gap.open_between(at("2026-03-29T00:00:00Z"), at("2026-03-29T12:00:00Z")), 0h);
  EXPECT_EQ(in_gap.next_change(at("2026-03-28T12:00:00Z")), at("2026-04-05T00:00:00Z"));
}

TEST(Calendar, DoesNotCloseAtMidnightIfTheNextDayOpensThen) {
  auto calendar =
      around_the_clock(zone("Europe/Berlin"), {{sys_days(std::chrono::year(2026) / 12 / 25), {}, "Christmas"}});
  EXPECT_FALSE(calendar.always_open());
  EXPECT_EQ(calendar.next_change(at("2026-01-01T12:00:00Z")), at("2026-12-24T23:00:00Z"));
  EXPECT_EQ(calendar.next_change(at("2026-12-25T12:00:00Z")), at("2026-12-25T23:00:00Z"));
  EXPECT_EQ(calendar.next_change(at("2026-12-26T12:00:00Z")), never);
  EXPECT_EQ(calendar.advance(at("2026-12-24T22:00:00Z"), 2h), at("2026-12-26T00:00:00Z"));
}

TEST(Calendar, OfAClosedHouseNeverOpens) {
  const Calendar closed(zone("Europe/Berlin"), {}, {{sys_days(std::chrono::year(2026) / 1 / 1), {}, "New Year"}});
  EXPECT_FALSE(closed.is_open(at("2026-07-01T12:00:00Z")));
  EXPECT_EQ(closed.next_change(at("2026-07-01T12:00:00Z")), never);
  EXPECT_EQ(closed.advance(at("2026-07-01T12:00:00Z"), 1s), never);
}

TEST(Calendar, AnswersForEveryInstant) {
  const auto calendar = office();
  for (const auto t : {Time::min(), Time::max(), Time{}}) {
    (void)calendar.is_open(t);
    (void)calendar.advance(t, 8h);
    EXPECT_GE(calendar.next_change(t), Time::min());
    EXPECT_GE(calendar.open_between(Time::min(), t), 0s);
  }
}

/// Every function against a walk through more than a year in steps of a quarter of an hour.
TEST(Calendar, AgreesWithCountingQuarters) {
  const auto quarters = [](auto count) { return std::chrono::minutes(15 * count); };
  std::mt19937 random(3);
  for (const auto* name : {"Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"}) {
    std::array<Calendar::Day, 7> week;
    for (auto& day : week) {
      const auto opens = quarters(random() % 20);
      const auto pause = opens + quarters(2 + random() % 20);
      const auto resumes = pause + quarters(1 + random() % 12);
      if (random() % 3 != 0) day = {{opens, pause}, {resumes, random() % 2 == 0 ? Duration(24h) : resumes + 1h}};
    }
    const auto where = zone(name);
    const Calendar calendar(where, week,
                            {{sys_days(std::chrono::year(2011) / 3 / 1), {}, ""},
                             {sys_days(std::chrono::year(2011) / 12 / 31), from_to(10h, 11h), ""}});
    const auto begin = at("2010-12-20T00:00:00Z");
    Duration sum{};
    bool was_open = calendar.is_open(begin);
    Time changed = begin;
    for (int i = 0; i < 400 * 24 * 4; ++i) {
      const auto t = begin + quarters(i);
      const bool open = calendar.is_open(t);
      if (open != was_open) {
        ASSERT_EQ(calendar.next_change(changed), t) << name << " after " << to_rfc3339(changed);
        ASSERT_EQ(calendar.next_change(t - 1ns), t) << name;
        changed = t;
        was_open = open;
      }
      if (i % 17 == 0) {
        ASSERT_EQ(calendar.open_between(begin, t), sum) << name << " at " << to_rfc3339(t);
        if (sum > 0s) {
          const auto reached = calendar.advance(begin, sum);
          ASSERT_LE(reached, t);
          ASSERT_EQ(calendar.open_between(begin, reached), sum);
          ASSERT_EQ(calendar.open_between(begin, reached - 1ns), sum - 1ns);
        }
      }
      if (open) sum += 15min;
    }
  }
}

}  // namespace
}  // namespace reach
