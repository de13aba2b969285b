// Events that waited somewhere, put into the order in which they happened. Knows no socket, no file, no engine.
//
// While the daemon (or the way to an adapter) was away, every source went on collecting. What they send then must be
// taken across all sources in the order of its own times: otherwise time itself would decide (a caller has waited too
// long) before the event is read that says otherwise (he was answered).
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/time.hpp"
#include "reachd/v1/ingest.pb.h"

namespace reach::shell {

namespace v1 = ::reachd::v1;

/// One that is waited for and sends nothing new for so long is waited for no longer.
inline constexpr Duration silence_most = std::chrono::seconds(3);

class Backlog {
 public:
  /// Waits for `source` until `deadline`, or longer while it sends something new, but never beyond `most`: gives out
  /// nothing later than what it may still send before it has caught up.
  void expect(const std::string& source, Time deadline, Time most);
  [[nodiscard]] bool expects(std::string_view source) const { return expected_.contains(source); }
  /// It is back, or sent something new, at `now`.
  void advanced(std::string_view source, Time now);
  /// It has nothing more that waits.
  void caught_up(std::string_view source);
  /// Waits no longer for those whose deadline is over at `now`; returns their names. A source that `waits_for_us` (what
  /// it sent is not taken or not acknowledged yet, so that it may send no more) is not silent.
  std::vector<std::string> give_up(Time now, const std::function<bool(const std::string&)>& waits_for_us);
  /// Waits for nobody any longer; returns the names of those that it waited for.
  std::vector<std::string> give_up_all();

  /// Keeps the events of `batch`, which follow on those kept of the same source. `offset`: taken off their times.
  void hold(v1::EventBatch batch, Duration offset);
  [[nodiscard]] std::size_t held_bytes() const noexcept { return bytes_; }

  /// Events of one source that come before everything else that is kept or may still come, at most 1000; nothing if
  /// there are none.
  struct Run {
    v1::EventBatch batch;
    Duration offset{};
  };
  [[nodiscard]] std::optional<Run> next();
  /// Puts a run from next() back: it could not be taken.
  void put_back(Run run);

  /// Nobody is waited for and nothing is kept.
  [[nodiscard]] bool over() const noexcept { return expected_.empty() && bytes_ == 0; }

 private:
  struct Held {
    v1::EventBatch batch;
    Duration offset{};
    int first = 0;  ///< events before it were given out
    std::size_t bytes = 0;
    [[nodiscard]] Time at(int i) const;
  };
  struct Wait {
    Time deadline, most;
  };
  std::map<std::string, Wait, std::less<>> expected_;          ///< by source
  std::map<std::string, std::deque<Held>, std::less<>> held_;  ///< by source; none is empty
  std::size_t bytes_ = 0;                                      ///< of all batches held, at least 1 each
};

}  // namespace reach::shell
