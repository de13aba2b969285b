// Open time is counted from one fixed Monday: whole weeks are multiplied, odd days come from a list of sums, and only
// the first and the last day are looked at by the hour. So every question costs a few binary searches.
#include "daemon/core/calendar.hpp"

#include <algorithm>

namespace reach {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr sys_days first_monday = sys_days(days(-3));  // 1969-12-29
constexpr Duration two_years = days(731);
constexpr Duration whole_day = days(1);

/// Keeps the arithmetic on days around `t` inside the range of Time.
Time inside(Time t) {
  constexpr Duration margin = days(800);
  return std::clamp(t, Time::min() + margin, Time::max() - margin);
}

/// Index of the change in force at `t`; the first one is taken to hold before it too.
std::size_t change_at(const std::vector<Zone::Change>& changes, Time t) {
  const auto later = std::upper_bound(changes.begin(), changes.end(), t,
                                      [](Time value, const Zone::Change& change) { return value < change.from; });
  return later == changes.begin() ? 0 : static_cast<std::size_t>(later - changes.begin()) - 1;
}

Time start_of(const Zone& zone, sys_days local_date) {
  return zone.from_local(Time(local_date));
}

/// The local day that holds `t`. Not simply the date on the clock: where clocks are set back across midnight, the
/// new day has begun already.
sys_days day_of(const Zone& zone, Time t) {
  auto date = std::chrono::floor<days>(zone.to_local(t));
  while (start_of(zone, date) > t) date -= days(1);
  while (start_of(zone, date + days(1)) <= t) date += days(1);
  return date;
}

unsigned days_since_monday(sys_days date) {
  return std::chrono::weekday(date).iso_encoding() - 1;
}

}  // namespace

// ---- Zone ----------------------------------------------------------------------------------------------------------

Duration Zone::offset_at(Time t) const noexcept {
  return changes.empty() ? Duration{} : changes[change_at(changes, t)].utc_offset;
}

Time Zone::from_local(Time local) const noexcept {
  if (changes.empty()) return local;
  // No offset is larger than a day, so this stretch is the right one or an earlier one.
  auto i = change_at(changes, local - whole_day);
  while (i + 1 < changes.size() && local >= changes[i + 1].from + changes[i].utc_offset) ++i;
  const auto instant = local - changes[i].utc_offset;
  return i == 0 ? instant : std::max(instant, changes[i].from);
}

// ---- periods -------------------------------------------------------------------------------------------------------

TimeRange period_at(const Zone& zone, Period kind, Duration interval, Time t) {
  using std::chrono::months;
  t = inside(t);
  if (kind == Period::interval || kind == Period::hour) {
    const Duration length = kind == Period::hour ? Duration(std::chrono::hours(1)) : interval;
    const auto since_epoch = zone.to_local(t).time_since_epoch();
    auto into = since_epoch % length;
    if (into < Duration{}) into += length;
    TimeRange range{t - into, t - into + length};
    if (zone.changes.empty()) return range;
    // Where clocks change inside it, the period ends there (Lord Howe's half hours).
    const auto i = change_at(zone.changes, t);
    if (t >= zone.changes[i].from) range.from = std::max(range.from, zone.changes[i].from);
    const auto next = t < zone.changes[i].from ? i : i + 1;
    if (next < zone.changes.size()) range.to = std::min(range.to, zone.changes[next].from);
    return range;
  }
  const auto date = day_of(zone, t);
  auto first = date;
  auto last = date + days(1);
  if (kind == Period::week) {
    first = date - days(days_since_monday(date));
    last = first + days(7);
  } else if (kind == Period::month) {
    const std::chrono::year_month_day civil(date);
    const auto month = civil.year() / civil.month();
    first = sys_days(month / 1);
    last = sys_days((month + months(1)) / 1);
  }
  return {start_of(zone, first), start_of(zone, last)};
}

// ---- Calendar ------------------------------------------------------------------------------------------------------

/// Where an instant lies: in its day, by open time.
struct Calendar::Spot {
  Duration open_before;  ///< open time from first_monday to it
  bool open;
};

Calendar::Calendar(Zone zone, std::array<Day, 7> week, std::vector<Exception> exceptions)
    : zone_(std::move(zone)), week_(std::move(week)), exceptions_(std::move(exceptions)) {
  const auto is_empty = [](const Day& day) { return day.empty(); };
  const auto is_whole = [](const Day& day) {
    return day.size() == 1 && day.front().from == Duration{} && day.front().to == whole_day;
  };
  always_open_ = exceptions_.empty() && (std::all_of(week_.begin(), week_.end(), is_empty) ||
                                         std::all_of(week_.begin(), week_.end(), is_whole));
  for (std::size_t i = 0; i < week_.size(); ++i) {
    week_open_[i + 1] = week_open_[i];
    for (const auto& hours : week_[i]) week_open_[i + 1] += hours.to - hours.from;
  }
  if (!always_open_) find_odd_days();
}

void Calendar::find_odd_days() {
  std::vector<sys_days> candidates;
  for (const auto& exception : exceptions_) candidates.push_back(exception.date);
  for (std::size_t i = 1; i < zone_.changes.size(); ++i) {
    const auto [low, high] = std::minmax(zone_.changes[i - 1].utc_offset, zone_.changes[i].utc_offset);
    const auto last = std::chrono::floor<days>(zone_.changes[i].from + high);
    for (auto date = std::chrono::floor<days>(zone_.changes[i].from + low); date <= last; date += days(1)) {
      candidates.push_back(date);
    }
  }
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  Duration sum{};
  for (const auto date : candidates) {
    const auto weekday = days_since_monday(date);
    const auto extra = open_in_day(date) - (week_open_[weekday + 1] - week_open_[weekday]);
    if (extra == Duration{}) continue;
    sum += extra;
    odd_days_.push_back({date, sum});
  }
}

const Calendar::Day& Calendar::hours_on(sys_days local_date) const {
  const auto found = std::lower_bound(exceptions_.begin(), exceptions_.end(), local_date,
                                      [](const Exception& e, sys_days date) { return e.date < date; });
  if (found != exceptions_.end() && found->date == local_date) return found->hours;
  return week_[days_since_monday(local_date)];
}

Duration Calendar::open_in_day(sys_days local_date) const {
  Duration sum{};
  for (const auto& hours : hours_on(local_date)) {
    sum += zone_.from_local(local_date + hours.to) - zone_.from_local(local_date + hours.from);
  }
  return sum;
}

Duration Calendar::open_before_day(sys_days local_date) const {
  const auto monday = local_date - days(days_since_monday(local_date));
  auto sum = (monday - first_monday).count() / 7 * week_open_[7] + week_open_[days_since_monday(local_date)];
  const auto odd = std::lower_bound(odd_days_.begin(), odd_days_.end(), local_date,
                                    [](const OddDay& day, sys_days date) { return day.date < date; });
  if (odd != odd_days_.begin()) sum += std::prev(odd)->extra_until_now;
  return sum;
}

Calendar::Spot Calendar::spot(Time t) const {
  const auto date = day_of(zone_, t);
  Spot result{open_before_day(date), false};
  for (const auto& hours : hours_on(date)) {
    const auto from = zone_.from_local(date + hours.from);
    if (t < from) break;
    const auto to = zone_.from_local(date + hours.to);
    result.open_before += std::min(t, to) - from;
    result.open = result.open || t < to;
  }
  return result;
}

/// The first instant at which `goal` > 0 of open (or closed) time has passed since `from`; `never` after two years.
Time Calendar::reach(Time from, Duration goal, bool open) const {
  const auto passed_before_day = [&](sys_days date) {
    const auto open_time = open_before_day(date);
    return open ? open_time : start_of(zone_, date) - Time(first_monday) - open_time;
  };
  const auto opened = spot(from).open_before;
  goal += open ? opened : from - Time(first_monday) - opened;

  const auto today = day_of(zone_, from);
  auto after = today + std::chrono::ceil<days>(two_years) + days(1);
  if (passed_before_day(after) < goal) return never;
  auto day = today;  // the goal lies in [day, after): halve it
  while (after - day > days(1)) {
    const auto middle = day + (after - day) / 2;
    (passed_before_day(middle) >= goal ? after : day) = middle;
  }
  goal -= passed_before_day(day);

  Time result = never;
  auto closed_since = start_of(zone_, day);
  for (const auto& hours : hours_on(day)) {
    const auto opens = zone_.from_local(day + hours.from);
    const auto closes = zone_.from_local(day + hours.to);
    const auto begin = open ? opens : closed_since;
    const auto length = (open ? closes : opens) - begin;
    if (goal <= length) {
      result = begin + goal;
      break;
    }
    goal -= length;
    closed_since = closes;
  }
  if (result == never) result = closed_since + goal;  // only for closed time: it is in the evening
  return result - from > two_years ? never : result;
}

bool Calendar::is_open(Time t) const {
  return always_open_ || spot(inside(t)).open;
}

Time Calendar::next_change(Time t) const {
  if (always_open_) return never;
  t = inside(t);
  // It closes one instant before the first nanosecond of closed time has passed, and the other way round.
  const auto changed = reach(t, Duration(1), !spot(t).open);
  return changed == never ? never : changed - Duration(1);
}

Duration Calendar::open_between(Time from, Time to) const {
  if (always_open_) return to - from;
  return spot(inside(to)).open_before - spot(inside(from)).open_before;
}

Time Calendar::advance(Time from, Duration open) const {
  if (open <= Duration{}) return from;
  if (always_open_) return open > two_years ? never : inside(from) + open;
  if (open > two_years) return never;
  return reach(inside(from), open, true);
}

}  // namespace reach
