// Opening hours and civil time, compiled into plain tables: no clock, no time zone database inside the core.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/time.hpp"

namespace reach {

/// The UTC offsets of one time zone. The settings loader fills it from the system's time zone database for the
/// years 1970 to 2100, so that the same configuration gives the same local times wherever it is replayed.
struct Zone {
  struct Change {
    Time from;            ///< from this instant on …
    Duration utc_offset;  ///< … local time = UTC + utc_offset
  };
  std::string name = "UTC";
  std::vector<Change> changes;  ///< ascending; empty: UTC

  [[nodiscard]] Duration offset_at(Time t) const noexcept;
  /// Local wall-clock time as if it were UTC.
  [[nodiscard]] Time to_local(Time t) const noexcept { return t + offset_at(t); }
  /// The instant at which local clocks show `local`. A time that a spring change skips becomes the instant of the
  /// change; of a time that an autumn change shows twice, the first.
  [[nodiscard]] Time from_local(Time local) const noexcept;
};

/// Calendar periods in local time (config/figures.md, Time): an interval, hour, day, ISO week or month.
enum class Period : std::uint8_t { interval, hour, day, week, month };
inline constexpr std::size_t period_count = 5;

/// [from, to): what happens at `to` belongs to the next.
struct TimeRange {
  Time from{}, to{};
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

/// The period of `kind` that holds `t`. `interval` is 15 or 30 minutes long. A DST day has 23 or 25 hours.
[[nodiscard]] TimeRange period_at(const Zone& zone, Period kind, Duration interval, Time t);

/// Weekly opening hours with exceptions. An empty calendar (no hours at all, no exception) is always open.
class Calendar {
 public:
  struct Hours {  ///< [from, to) within one local day; to <= 24 h
    Duration from{}, to{};
  };
  using Day = std::vector<Hours>;  ///< ascending, not overlapping
  struct Exception {
    std::chrono::sys_days date;  ///< local date
    Day hours;                   ///< empty: closed all day
    std::string name;            ///< "Christmas"
  };

  Calendar() = default;
  /// `week[0]` is Monday. Exceptions ascend by date and win over the week.
  Calendar(Zone zone, std::array<Day, 7> week, std::vector<Exception> exceptions);

  [[nodiscard]] bool always_open() const noexcept { return always_open_; }
  [[nodiscard]] const Zone& zone() const noexcept { return zone_; }
  [[nodiscard]] const std::array<Day, 7>& week() const noexcept { return week_; }
  [[nodiscard]] const std::vector<Exception>& exceptions() const noexcept { return exceptions_; }
  [[nodiscard]] bool is_open(Time t) const;
  /// The next instant after `t` at which it opens or closes; `never` if it does neither within two years.
  [[nodiscard]] Time next_change(Time t) const;
  /// Open time between two instants (negative if `to` < `from`): the clock of business time and rolling windows.
  [[nodiscard]] Duration open_between(Time from, Time to) const;
  /// The first instant at which `open` more open time has passed since `from`; `never` if that takes over two years.
  [[nodiscard]] Time advance(Time from, Duration open) const;

 private:
  /// A day with more or less open time than the week says: an exception, or the clocks change while it is open.
  struct OddDay {
    std::chrono::sys_days date;
    Duration extra_until_now;  ///< of all odd days up to and including this one
  };
  struct Spot;
  [[nodiscard]] const Day& hours_on(std::chrono::sys_days local_date) const;
  [[nodiscard]] Duration open_in_day(std::chrono::sys_days local_date) const;
  [[nodiscard]] Duration open_before_day(std::chrono::sys_days local_date) const;
  [[nodiscard]] Spot spot(Time t) const;
  [[nodiscard]] Time reach(Time from, Duration goal, bool open) const;
  void find_odd_days();

  Zone zone_;
  std::array<Day, 7> week_;
  std::vector<Exception> exceptions_;
  bool always_open_ = true;
  std::array<Duration, 8> week_open_{};  ///< open time of an ordinary week before each weekday; [7]: of all of it
  std::vector<OddDay> odd_days_;         ///< ascending
};

}  // namespace reach
