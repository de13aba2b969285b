// What the core must know of the configuration, checked and resolved. The settings loader makes it from TOML.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/time.hpp"
#include "daemon/core/calendar.hpp"

namespace reach {

enum class Medium : std::uint8_t { call, item };
/// What a call abandoned within the threshold does to the service level (config/figures.md).
enum class Abandons : std::uint8_t { ignored, negative, positive };
/// Where a caller's wait begins (config/figures.md).
enum class WaitClock : std::uint8_t { contact, entry, arrival };

/// A figure an objective can be about.
enum class Figure : std::uint8_t {
  service_level,
  reachability,
  abandon_rate,
  asa_s,
  wait_p90_s,
  longest_wait_s,
  waiting,
  on_time_rate,
  respond_on_time_rate,
  backlog,
  overdue,
  oldest_age_s,
};
[[nodiscard]] std::string_view to_text(Figure figure) noexcept;
[[nodiscard]] std::optional<Figure> figure_from(std::string_view text) noexcept;
/// True for figures that must stay at or below their target (waits, counts, abandon rate).
[[nodiscard]] bool lower_is_better(Figure figure) noexcept;
/// True for figures of this instant (waiting, longest wait, backlog …): their window is "now".
[[nodiscard]] bool is_instant(Figure figure) noexcept;

/// The window of a figure: this instant, the last `length` of open time, or a calendar period.
struct Window {
  enum class Kind : std::uint8_t { now, rolling, calendar } kind = Kind::calendar;
  Duration length{};            ///< rolling
  Period period = Period::day;  ///< calendar
  friend bool operator==(const Window&, const Window&) = default;
};
/// "now", "30m", "15m interval", "hour", "day", "week", "month"; nullopt for anything else.
/// Rolling windows are 1 s to 31 d long.
[[nodiscard]] std::optional<Window> window_from(std::string_view text);
[[nodiscard]] std::string to_text(const Window& window, Duration interval);

struct ServiceConfig {
  std::string id;
  Medium medium = Medium::call;
  // calls
  Duration threshold = std::chrono::seconds(20);     ///< T, > 0
  Duration short_abandon = std::chrono::seconds(5);  ///< >= 0, < threshold
  Abandons abandons = Abandons::ignored;
  WaitClock wait_clock = WaitClock::contact;
  // items
  Duration due_in = std::chrono::hours(8);              ///< business time
  std::optional<Duration> respond_in;                   ///< business time; absent: no first response promised
  Duration reopen_within = std::chrono::hours(24 * 7);  ///< a reopening within it corrects the verdict
  std::vector<std::string> pausing_reasons;             ///< for which the due clock stands still; empty: all
  // both
  Duration handling = std::chrono::minutes(4);  ///< expected, until measured
};

struct QueueRoute {
  std::string source;  ///< empty: of any source
  std::string queue;
  std::string service;  ///< empty: the only service of the medium
};

struct SegmentConfig {
  std::string id;
  std::string name;  ///< for people; empty: the id
  std::vector<QueueRoute> queues;
  std::vector<std::string> overflow_to;  ///< agreed overflow: segments
  Duration requeue_within = std::chrono::seconds(2);
};

struct ObjectiveConfig {
  std::string id;       ///< given, or CONTRACT/SERVICE/FIGURE/WINDOW, unique
  std::string service;  ///< id; empty: every service of the segment's figure
  Figure figure = Figure::service_level;
  double target = 0.8;  ///< a ratio 0..1, seconds or a count, by the figure
  Window window;
  std::int64_t min_samples = 10;                 ///< decided offers before it can breach
  Duration hold{};                               ///< `for`: how long the breach must last before it fires
  double clear = 0.82;                           ///< the value at which it counts as recovered
  Duration clear_for = std::chrono::minutes(2);  ///< how long it must stay recovered
  Duration repeat = std::chrono::minutes(15);    ///< firing is said again while not acknowledged; 0: never
};

struct ContractConfig {
  std::string id;
  std::string client;
  std::vector<std::string> segments;
  Calendar calendar;
  std::vector<ObjectiveConfig> objectives;  ///< each holds for every segment of the contract
};

struct PoolConfig {
  std::string id;
  std::vector<std::string> segments;
  std::vector<std::string> sites;
  double shrinkage = 0;                 ///< 0..<1
  std::optional<double> max_occupancy;  ///< 0..1
  Duration staffing_gap_for =
      std::chrono::minutes(5);  ///< how long people must be missing before it alerts; 0 s: at once
};

struct SourceConfig {
  std::string id;
  std::string site;  ///< of its contacts and agents, where the events do not say
};

/// Everything. Segment, service, contract, pool ids are unique; every reference resolves; every segment belongs to
/// exactly one pool and at most one contract.
struct Config {
  Zone zone;
  Duration interval = std::chrono::minutes(15);
  Duration stale_after = std::chrono::seconds(10);
  Duration expire_after = std::chrono::hours(4);
  std::int64_t minimum_group = 5;         ///< people's figures are of groups of at least this many
  std::int64_t max_contacts = 1'000'000;  ///< of a source that have not ended; a further one is left out
  std::int64_t max_agents = 100'000;      ///< people of a source who are known; a further one is left out
  std::vector<SegmentConfig> segments;
  std::vector<ServiceConfig> services;
  std::vector<ContractConfig> contracts;
  std::vector<PoolConfig> pools;
  std::vector<SourceConfig> sources;
  std::string fingerprint;  ///< of the text it was made from; goes into the log
};

}  // namespace reach
