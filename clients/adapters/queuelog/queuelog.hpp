// Asterisk's own account of its queues, the queue_log, as events. Pure: lines in, events out.
//
//   epoch|callid|queue|agent|event|data1|data2|…        (epoch in whole seconds; with a fraction in realtime exports)
#pragma once
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "clients/adapters/common/pseudonym.hpp"
#include "daemon/base/time.hpp"
#include "reachd/v1/event.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::queuelog {

struct Options {
  /// Extensions and numbers that never leave the adapter.
  std::set<std::string, std::less<>> excluded;
  /// True: events come out in the order of their times, up to two seconds of log time late (files, replays). False:
  /// at once, and verdicts that had to wait for evidence come late with their true times (following a live file).
  bool sorted = true;
  /// A former life of the adapter followed the same PBX: people it left logged in are logged out when they are met.
  bool resumed = false;
};

struct Counts {
  std::uint64_t lines = 0, malformed = 0;
  std::uint64_t unknown = 0;  ///< of events this adapter does not know: QueueLog() of a dialplan, newer versions
};

/// One queue_log from its beginning. Contact ids are call ids, which are the Uniqueids of the AMI adapter.
/// The times of lines may step (a clock that was set, one wrong line) both ways: what is held or remembered for a while
/// is so for about as long by the times after the step.
/// What the log does not say, this does not either: callers who were not let in, ringing, journeys, dialled numbers.
class QueueLog {
 public:
  explicit QueueLog(adapter::Pseudonyms pseudonyms, Options options = {});
  ~QueueLog();
  QueueLog(QueueLog&&) noexcept;
  QueueLog& operator=(QueueLog&&) noexcept;

  /// One line without its end. False: it is no queue_log line (counted); empty lines are fine and mean nothing.
  bool take(std::string_view line, std::vector<v1::Event>& out);
  /// Log time has come to `now` though no line came: held verdicts are said. For live files only, at their end.
  void pass(Time now, std::vector<v1::Event>& out);
  /// The file has ended: says what is held. Calls that wait go on waiting.
  void finish(std::vector<v1::Event>& out);
  [[nodiscard]] const Counts& counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reach::queuelog
