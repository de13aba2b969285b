// Snapshots: everything that a reader of the log knew after one record, so that a start need not read the log from its
// beginning. Files beside the log, "NNNNNNNNNNNNNNNNNNNN.snapshot", named by that record's number, each
//
//   8 bytes "RCHDSNAP", the content, then u64 number of the record, u64 length of the content, u32 CRC-32C of all
//   before
//
// with all numbers little-endian. What the content means is the writer's business.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/log/disk.hpp"
#include "daemon/log/event_log.hpp"

namespace reach::log {

struct SnapshotFile {
  std::string name;
  Lsn number = 0;  ///< of the last record that is in it
};
/// By their names, ascending; whether they are good is not looked at.
[[nodiscard]] std::vector<SnapshotFile> snapshot_files(Disk& disk);

/// Writes a snapshot under a temporary name, syncs it, and gives it its name: it is there whole or not at all.
/// `content` calls the function it is given with piece after piece. Older ones than the newest two are removed then.
/// It takes at most half of what is free on the disk, and leaves nothing behind if it fails. Returns its size in bytes.
/// Throws std::system_error; what `content` throws passes through.
std::uint64_t write_snapshot(Disk& disk, Lsn number,
                             const std::function<void(const std::function<void(std::string_view)>&)>& content);

/// The content of a snapshot, or nothing if the file is damaged.
[[nodiscard]] std::optional<std::string> read_snapshot(Disk& disk, const SnapshotFile& file);

}  // namespace reach::log
