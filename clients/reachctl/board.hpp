// The supervisor's board as lines of styled text: what `reachctl watch` draws and prints.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "daemon/base/time.hpp"
#include "reachd/v1/query.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::ctl {

enum class Style { plain, dim, heading, good, warning, bad, stale };
struct Span {
  std::string text;
  Style style = Style::plain;
};
using Line = std::vector<Span>;

/// What is known of the daemon's published state. Not thread-safe.
class Board {
 public:
  /// The whole state; `heard` is this machine's time of hearing it. Forgets everything before but the alerts.
  void take(const v1::Snapshot& snapshot, Time heard);
  /// All alerts that there are: forgets those before.
  void take(const v1::Alerts& alerts);
  void take(const v1::SegmentState& segment, Time heard);
  void take(const v1::Alert& alert);
  void take(const v1::Staffing& staffing);
  void take(const v1::SourceState& source);
  /// `connected` false: nothing on the board is shown as good any more, and `why` is said.
  void set_connection(bool connected, const std::string& why);

  /// The board at `now` (this machine's time), lines of at most `width` columns. Waits tick on between two states.
  /// Status is always a symbol and a word beside the colour: ✔ met, ▲ at risk, ✖ breached, ? stale, · no data,
  /// ○ closed.
  [[nodiscard]] std::vector<Line> lines(Time now, std::size_t width) const;

 private:
  struct Seen {
    v1::SegmentState state;
    Duration ahead{};  ///< how far the daemon's clock was ahead of ours when it said this
  };
  [[nodiscard]] Line segment_line(const Seen& seen, Time now, bool items) const;

  bool connected_ = false;
  std::string why_ = "connecting";
  Time heard_{};
  std::map<std::string, Seen> segments_;
  std::map<std::string, v1::Alert> alerts_;  // by id; pending and firing
  std::map<std::string, v1::Staffing> staffing_;
  std::map<std::string, v1::SourceState> sources_;
};

}  // namespace reach::ctl
