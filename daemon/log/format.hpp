// The bytes of a segment file, as segments.hpp describes them. Private to daemon/log.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/time.hpp"
#include "daemon/log/disk.hpp"
#include "daemon/log/event_log.hpp"

namespace reach::log {

inline constexpr std::string_view segment_magic = "RCHDLOG2";
inline constexpr std::size_t segment_header_bytes = 32;
inline constexpr std::size_t record_header_bytes = 24;
/// No record is longer; a length above it is damage.
inline constexpr std::size_t longest_payload = 64U << 20;

struct SegmentFile {
  std::string name;
  Lsn first = 0;
};
/// The segment files of a directory by their names, ascending; other files are passed over.
[[nodiscard]] std::vector<SegmentFile> segment_files(Disk& disk);
[[nodiscard]] std::string segment_name(Lsn first);
/// The number in "NNNNNNNNNNNNNNNNNNNN.EXTENSION", or nothing.
[[nodiscard]] std::optional<Lsn> number_in(std::string_view name, std::string_view extension);

[[nodiscard]] std::string segment_header(Lsn first, Time begun);
enum class Header : std::uint8_t {
  good,
  torn,     ///< was being written when the power went: short, or its beginning or end never reached the disk
  newer,    ///< of a later version
  foreign,  ///< nothing that this log wrote, or damaged
};
[[nodiscard]] Header look_at_header(std::string_view content, Lsn first) noexcept;
/// When the file was begun, by its header, which must be good.
[[nodiscard]] Time begun_at(std::string_view content) noexcept;

struct Record {
  Lsn number = 0;
  Lsn durable_before = 0;  ///< number known to be durable when this one was written
  std::string_view payload;
  /// Confirms that its own number was durable; carries nothing else.
  [[nodiscard]] bool confirms(Lsn reached) const { return payload.empty() && number == reached; }
  /// Stands for the records from reached + 1 to its own number: they are lost, and that was accepted.
  [[nodiscard]] bool stands_for_lost(Lsn reached) const {
    return payload.empty() && number > reached + 1 && durable_before == number;
  }
  [[nodiscard]] std::size_t bytes() const { return record_header_bytes + payload.size(); }
};
/// The whole and undamaged record at `at`, or nothing.
[[nodiscard]] std::optional<Record> record_at(std::string_view content, std::size_t at) noexcept;
void put_record(std::string& out, Lsn number, Lsn durable_before, std::string_view payload);

/// Where reading one file ended.
struct Scanned {
  std::size_t end = 0;  ///< offset behind the last record that was read
  Lsn reached = 0;      ///< its number
};
/// Visits the records from offset `at` on, which follow number `reached`, up to number `last`. A record that stands for
/// lost ones is visited with its number and an empty payload.
Scanned scan_records(std::string_view content, std::size_t at, Lsn reached, Lsn last, const RecordVisit& visit);

/// The next undamaged record behind `from` whose number is above `reached` (or that confirms above it), with its
/// offset; what lies between is unreadable.
struct Found {
  std::size_t at = 0;
  Record record;
};
[[nodiscard]] std::optional<Found> next_readable(std::string_view content, std::size_t from, Lsn reached) noexcept;
/// True if some record behind `from` proves that record `number` was once durable: its absence is then damage and not a
/// torn tail.
[[nodiscard]] bool proved_durable(std::string_view content, std::size_t from, Lsn number) noexcept;

}  // namespace reach::log
