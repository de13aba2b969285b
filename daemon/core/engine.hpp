// The core: inputs go in, state changes, decisions come out. It opens nothing, reads no clock, writes no line.
//
// The daemon, the replay, the scenario tests and the simulator are four callers of Engine::step().
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/base/time.hpp"
#include "daemon/core/alert.hpp"
#include "daemon/core/config.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/figures.hpp"
#include "daemon/core/view.hpp"

namespace reach {

// ---- inputs --------------------------------------------------------------------------------------------------------

/// Time has come to `now`: everything due up to and including it happens. Live: before sleeping.
struct TimePassed {};
/// Only what is due strictly before `now` happens, for a boundary at which events may still follow.
struct TimeUpTo {};
/// A source said hello: it is there, and this is what it can tell.
struct SourceConnected {
  std::string_view source, software;
  std::vector<std::string> capabilities;
};
/// A source was heard (heartbeat or batch). `upstream`: it hears its PBX.
struct SourceHeard {
  std::string_view source;
  bool upstream = true;
};
/// A source is known to be gone, no need to wait for stale_after.
struct SourceLost {
  std::string_view source, reason;
};
/// The event log cannot be written, for the reason `problem`; empty: it is written again.
struct LogTrouble {
  std::string problem;
};
/// Events that were waiting while the daemon, or a source, was away are taken in the order in which they happened and
/// at their own times, from here on until `begins` is false. Time stands still in between, so nobody is silent
/// meanwhile.
struct CatchUp {
  bool begins = false;
};
/// A person takes an alert.
struct Acknowledge {
  std::string alert, by, note;
  std::optional<Time> until;
};
using Input = std::variant<Event, TimePassed, TimeUpTo, SourceConnected, SourceHeard, SourceLost, LogTrouble, CatchUp,
                           Acknowledge>;

// ---- decisions -----------------------------------------------------------------------------------------------------

struct AlertChanged {
  Alert alert;
};  ///< say it now, before anything slow; never dropped
struct SegmentChanged {
  std::uint32_t segment;
};  ///< its published state is out of date; said once until viewed
struct StaffingChanged {
  std::uint32_t pool;
};  ///< a recommendation worth publishing
struct SourceChanged {
  std::uint32_t source;
};  ///< its published state is out of date; said once until viewed
/// Something odd in the data: for the log, already counted. A sample: at most one a minute and kind.
struct Remark {
  std::string kind, text;
};
using Decision = std::variant<AlertChanged, SegmentChanged, StaffingChanged, SourceChanged, Remark>;
using Decisions = std::vector<Decision>;

// ---- the engine ----------------------------------------------------------------------------------------------------

struct EngineOptions {
  /// Live: a source that is silent for stale_after makes its segments stale. A replayed file is never stale.
  bool staleness = true;
  /// Recommend staffing while running; off where nobody reads it (replays).
  bool staffing = true;
};

/// Outcome of Acknowledge: the alert, or a sentence that says why not.
struct Acknowledged {
  bool done = false;
  std::string problem;
};

/// So many alerts are remembered after they resolved; beyond, the oldest are forgotten.
inline constexpr std::size_t most_resolved = 1000;

class Engine {
 public:
  /// `config` must have been checked (settings::load does). `start`: the core's first instant.
  Engine(Config config, EngineOptions options, Time start);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// Takes one input at core time `now` and appends what follows from it to `out`. `now` never steps back: an
  /// earlier one is read as the time already reached. Cost per event: O(1), independent of the number of contacts
  /// and segments; O(log segments) where a deadline moves. Never throws on any input.
  void step(const Input& input, Time now, Decisions& out);
  void step(const Event& event, Time now, Decisions& out);

  /// Replaces the configuration at `now`. What keeps its id keeps its state; what is gone ends; alerts of objectives
  /// that are gone resolve.
  void reconfigure(Config config, Time now, Decisions& out);

  /// Writes all the engine knows, its configuration included, in pieces: what load() makes of it behaves the same from
  /// then on. The same state gives the same bytes.
  void save(const std::function<void(std::string_view)>& write) const;
  /// The engine that save() wrote. Throws ArchiveError (archive.hpp) when `bytes` are not that, or of another version.
  [[nodiscard]] static Engine load(std::string_view bytes, EngineOptions options);

  /// How the last Acknowledge input ended.
  [[nodiscard]] const Acknowledged& last_acknowledge() const noexcept;

  [[nodiscard]] Time now() const noexcept;
  /// The next instant at which time alone changes something; `never` if none.
  [[nodiscard]] Time next_wakeup() const noexcept;

  // Views, computed at the instant `at` >= now() (waits tick on); `window` as in config.hpp. Cheap: O(size of the
  // segment's own lists). SegmentChanged and SourceChanged are armed again by a view with `rearm`.
  [[nodiscard]] std::size_t segment_count() const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> find_segment(std::string_view id) const;
  [[nodiscard]] SegmentView view_segment(std::uint32_t segment, const Window& window, Time at) const;
  /// Whether figures of `window` are kept for the segment: calendar periods always, "now" never, rolling windows of
  /// 30 minutes and of the segment's objectives.
  [[nodiscard]] bool keeps(std::uint32_t segment, const Window& window) const;
  /// Says that the state was published: the next change gives a new SegmentChanged.
  void published_segment(std::uint32_t segment);
  [[nodiscard]] std::size_t source_count() const noexcept;
  [[nodiscard]] SourceView view_source(std::uint32_t source, Time at) const;
  void published_source(std::uint32_t source);
  [[nodiscard]] std::size_t pool_count() const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> find_pool(std::string_view id) const;
  [[nodiscard]] StaffingView view_staffing(std::uint32_t pool, Time at) const;
  /// Pending and firing; with `resolved_too` also the last `most_resolved` that resolved.
  [[nodiscard]] std::vector<Alert> alerts(bool resolved_too) const;
  [[nodiscard]] std::vector<UnroutedView> unrouted() const;
  /// The last closed intervals of a segment, oldest first, at most 7 days.
  [[nodiscard]] std::vector<TrendView> history(std::uint32_t segment, Time from) const;
  [[nodiscard]] const Totals& totals() const noexcept;
  /// When the figures of all segments were last behind because events waited for the daemon; nothing: never.
  [[nodiscard]] const std::optional<BehindView>& behind() const noexcept;
  [[nodiscard]] const Config& config() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reach
