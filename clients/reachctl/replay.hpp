// Recorded events through the same core, on the events' own clock: what `reachctl replay` runs.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>

#include "daemon/core/engine.hpp"
#include "reachd/v1/alert.pb.h"
#include "reachd/v1/state.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::ctl {

struct ReplayOptions {
  Period every = Period::month;
  /// Everything before it happens, what is at or after it does not; waiting calls go on waiting up to it.
  std::optional<Time> until;
  /// The engine's: both off for a file of events, both on for the log of a daemon, which says who was heard when.
  EngineOptions engine{false, false};
};

/// What comes out, in the order in which it happens.
struct ReplayCalls {
  std::function<void(const Alert&)> alert;
  /// Once for each period from that of the first event to that of the last, empty ones included; its `period` says
  /// from, to (the nominal end) and whether the clock had not reached `to`.
  std::function<void(v1::Status)> status;
  std::function<void(const Remark&)> remark;
};

/// The clock runs from the first input on. Cost: the engine's.
class Replay {
 public:
  Replay(Config config, ReplayOptions options, ReplayCalls calls);
  /// One input at core time `t`; one before the clock is taken at the clock's time (the engine corrects what it can)
  /// and counted. Returns false once `until` is reached: nothing more is taken.
  bool take(const Input& input, Time t);
  /// This configuration holds from `t` on; the first one from the first input on.
  void configure(Config config, Time t);
  /// Ends the last period, and those up to `until`.
  void finish();
  [[nodiscard]] std::int64_t stepped_back() const noexcept { return stepped_back_; }
  [[nodiscard]] bool started() const noexcept { return engine_.has_value(); }

 private:
  void run_to(Time t);
  void say_decisions();
  void step(const Input& input, Time t);
  void say(Time at, bool partial);

  Config config_;
  const ReplayOptions options_;
  const ReplayCalls calls_;
  std::optional<Engine> engine_;  // begins with the first input
  TimeRange period_;
  Time clock_{};
  std::int64_t stepped_back_ = 0;
  Decisions decisions_;
};

}  // namespace reach::ctl
