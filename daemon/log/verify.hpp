// Looking at a log's files without a daemon: what is wrong with them, what is lost, what to do; and, when told to,
// going on without what is lost.
#pragma once
#include <string>
#include <vector>

#include "daemon/log/disk.hpp"
#include "daemon/log/event_log.hpp"

namespace reach::log {

struct Finding {
  enum class Kind : std::uint8_t {
    torn_tail,     ///< no loss: what was being written when the power went
    damage,        ///< records that cannot be read
    missing,       ///< records that are in no file
    accepted,      ///< lost, and accepted before
    bad_snapshot,  ///< no loss as long as the log or another snapshot has it
    foreign        ///< a file that is not of this log
  };
  Kind kind{};
  std::string file;                ///< its name in the directory; of `missing`: the file behind the hole, or empty
  std::size_t offset = 0;          ///< where in it
  Lsn lost_from = 0, lost_to = 0;  ///< records that are lost, both included; 0: none
  std::string what, advice;        ///< a sentence each
  /// True where something is lost or in the way.
  [[nodiscard]] bool is_damage() const { return kind != Kind::torn_tail && kind != Kind::accepted; }
};
[[nodiscard]] std::string_view to_text(Finding::Kind kind) noexcept;

struct Inspection {
  Lsn first = 0, last = 0;  ///< records from and to; 0: none
  std::size_t segments = 0, snapshots = 0;
  std::uint64_t bytes = 0;        ///< of all segment files
  std::vector<Finding> findings;  ///< in the order of the files
};
/// Reads every file of the directory. It may be in use: what is being written looks like a torn tail.
/// Throws std::system_error.
[[nodiscard]] Inspection inspect(Disk& disk);

/// Makes a damaged log readable again by giving up what is lost: each hole is filled with a record that stands for the
/// lost ones. The damaged files stay beside it, as NAME.damaged. Returns what was done, a sentence each; empty: nothing
/// was to be done. Throws std::system_error.
std::vector<std::string> accept_damage(Disk& disk, Time now);

}  // namespace reach::log
