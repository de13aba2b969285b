// The log's files: what a record looks like on disk, how a group of them gets there, and what survives of them.
//
// A log is a directory of segment files "NNNNNNNNNNNNNNNNNNNN.log", named by their first record's number, each
//
//   header   8 bytes "RCHDLOG2", u32 format version (2), u64 number of the first record, i64 when the file was begun
//            (UTC, ns), u32 CRC-32C of the 28 bytes before it with its highest bit set
//   records  u32 length of the payload, u32 CRC-32C of all that follows, u64 number, u64 number known to be durable
//            when this one was written, payload
//
// with all numbers little-endian. Two records have no payload and are no records of the log's user: one that repeats
// the number before it confirms that this was durable (written when the disk has nothing else to do, so that the end of
// the log is proved too), and one whose number leaves some out stands for those (written by repair()).
//
// A segment ends where the next one begins: what stands in a file from that number on was never confirmed to anybody
// and is passed over.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "daemon/log/format.hpp"

namespace reach::log {

/// Calls `visit` with the records from `from` to `to` as the files of `disk` have them. Keeps nothing, so that it can
/// run beside the writer. Throws LogError, with file and offset, for what is missing or damaged.
void read_records(Disk& disk, Lsn from, Lsn to, const RecordVisit& visit);

/// What to do about a torn tail: cut it off, as the daemon does, or leave it, to look at a log that may be in use.
enum class Tail : std::uint8_t { cut, leave };

/// The writer of one log. One thread, no queue, no clock: LocalLog adds those.
class Segments {
 public:
  /// Looks at the newest file and finds the log's end. A torn tail (records of a group that was being written when the
  /// power went, never confirmed) is cut off, or passed over with Tail::leave, and told in repairs().
  /// Throws LogError for damage before the end: with file and offset, never passing over it.
  explicit Segments(std::shared_ptr<Disk> disk, std::size_t segment_bytes = 32U << 20, Tail tail = Tail::cut);

  /// What was cut off (or left) at opening, a sentence each; usually none.
  [[nodiscard]] const std::vector<std::string>& repairs() const noexcept { return repairs_; }

  /// Writes `payloads` as the records after durable() and syncs them; then durable() is the last of them.
  /// A segment that is full is followed by the next, begun at `now`. Returns the bytes written.
  /// Throws std::system_error; nothing of the group counts then, and the next attempt begins a new segment.
  std::size_t write(std::span<const std::string> payloads, Time now);

  /// Notes beside the last record that it is durable, unsynced: for a time when nothing else is to be written. A
  /// failure is no harm (the next group begins a new segment).
  void confirm() noexcept;

  [[nodiscard]] Lsn durable() const noexcept { return durable_; }
  [[nodiscard]] const std::shared_ptr<Disk>& disk() const noexcept { return disk_; }

 private:
  void find_end(Tail tail);

  std::shared_ptr<Disk> disk_;
  std::size_t segment_bytes_;
  std::vector<std::string> repairs_;
  Lsn durable_ = 0;
  std::unique_ptr<File> open_;  ///< the last segment, or none before the first write and after a failure
  std::size_t open_size_ = 0;
  std::string group_;  ///< what is being written; kept for its memory
};

/// Removes the files that hold nothing but records up to number `upto`, oldest first: those that ended before `before`,
/// and those beyond `bytes_most` of all segment files together. The newest file stays. Returns how many went.
/// Throws std::system_error.
std::size_t remove_old_segments(Disk& disk, Lsn upto, Time before, std::uint64_t bytes_most);

}  // namespace reach::log
