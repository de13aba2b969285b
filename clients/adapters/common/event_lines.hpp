// Events as JSON lines in the order of their times (--to -).
#pragma once
#include <map>
#include <ostream>
#include <string>

#include "daemon/base/time.hpp"
#include "reachd/v1/event.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::adapter {

/// Writes events sorted by time. An adapter says some things later than they happened (it waits up to `window` to
/// learn what they were); so lines wait here until nothing earlier can come any more. Equal times keep the order in
/// which they were given. An event that is later than the window is written at once: a line that steps back.
class EventLines {
 public:
  /// `source`: written into every line; empty: none.
  EventLines(std::ostream& out, std::string source, Duration window);
  ~EventLines();  ///< writes the rest
  EventLines(const EventLines&) = delete;
  EventLines& operator=(const EventLines&) = delete;

  void take(const v1::Event& event);
  /// The stream has come to `now`: what is older than the window is written; all of it if the clock was set back by
  /// more than the window.
  void pass(Time now);
  /// Writes everything that waits.
  void finish();

 private:
  void write(const std::string& line);
  std::ostream& out_;
  std::string source_;
  Duration window_;
  Time passed_{};
  std::multimap<Time, std::string> waiting_;
};

/// An event at `at`; the start of every adapter's sentence.
[[nodiscard]] v1::Event event_at(Time at, const std::string& contact = {});

}  // namespace reach::adapter
