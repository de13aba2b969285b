// The log's files: what a record looks like on disk, how a group of them gets there, and what survives of them.
//
// A log is a directory of segment files "NNNNNNNNNNNNNNNNNNNN.log", named by their first record's number, each
//
//   header   8 bytes "RCHDLOG1", u32 format version (1), u32 0, u64 number of the first record,
//            u32 0, u32 CRC-32C of the 28 bytes before it
//   records  u32 length of the payload, u32 CRC-32C of all that follows, u64 number, u64 number known to be durable
//            when this one was written, payload
//
// with all numbers little-endian. A segment ends where the next one begins: what stands in a file from that number on
// was never confirmed to anybody and is passed over.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/log/disk.hpp"
#include "daemon/log/event_log.hpp"

namespace reach::log {

inline constexpr std::size_t segment_header_bytes = 32;
inline constexpr std::size_t record_header_bytes = 24;
/// No record is longer; a length above it is damage.
inline constexpr std::size_t longest_payload = 64U << 20;

/// What to do about a torn tail: cut it off, as the daemon does, or leave it, to look at a log that may be in use.
enum class Tail : std::uint8_t { cut, leave };

/// The files of one log. One thread, no queue, no clock: LocalLog adds those.
class Segments {
 public:
  /// Looks at what is there and finds its end. A torn tail (records of a group that was being written when the power
  /// went, never confirmed) is cut off, or passed over with Tail::leave, and told in repairs().
  /// Throws LogError for damage before the end: with file and offset, never passing over it.
  explicit Segments(std::unique_ptr<Disk> disk, std::size_t segment_bytes = 32U << 20, Tail tail = Tail::cut);

  /// What was cut off (or left) at opening, a sentence each; usually none.
  [[nodiscard]] const std::vector<std::string>& repairs() const noexcept { return repairs_; }

  /// Calls `visit` with every record from `from` on up to durable(). Throws LogError for damage.
  void read(Lsn from, const std::function<void(Lsn, std::string_view)>& visit);

  /// Writes `payloads` as the records after durable() and syncs them; then durable() is the last of them.
  /// A segment that is full is followed by the next. Returns the bytes written.
  /// Throws std::system_error; nothing of the group counts then, and the next attempt begins a new segment.
  std::size_t write(std::span<const std::string> payloads);

  [[nodiscard]] Lsn durable() const noexcept { return durable_; }

 private:
  struct Segment {
    std::string name;
    Lsn first = 0;
  };
  /// Visits the records of one segment up to number `last`; returns the offset behind the last one visited and, in
  /// `reached`, its number (first - 1 if none).
  std::size_t scan(const Segment& segment, std::string_view content, Lsn last, Lsn& reached,
                   const std::function<void(Lsn, std::string_view)>& visit) const;
  void find_end(Tail tail);
  [[noreturn]] void damaged(const std::string& name, std::size_t offset, const std::string& what) const;

  std::unique_ptr<Disk> disk_;
  std::size_t segment_bytes_;
  std::vector<Segment> segments_;  ///< ascending
  std::vector<std::string> repairs_;
  Lsn durable_ = 0;
  std::unique_ptr<File> open_;  ///< the last segment, or none before the first write and after a failure
  std::size_t open_size_ = 0;
  std::string group_;  ///< what is being written; kept for its memory
};

}  // namespace reach::log
