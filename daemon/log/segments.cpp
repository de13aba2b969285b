#include "daemon/log/segments.hpp"

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

namespace reach::log {
namespace {

const RecordVisit no_visit = [](Lsn, std::string_view) {};

[[noreturn]] void damaged(const Disk& disk, const std::string& name, std::size_t offset, const std::string& what) {
  throw LogError("the event log is damaged: " + disk.path() + "/" + name + " at offset " + std::to_string(offset) +
                 ": " + what + "; `reachctl log verify " + disk.path() +
                 "` says what is lost: restore the file from a backup, or start reachd once with --accept-damage");
}

[[noreturn]] void newer(const Disk& disk, const std::string& name) {
  throw LogError(disk.path() + "/" + name + " was written by a newer reachd; start that one");
}

}  // namespace

void read_records(Disk& disk, Lsn from, Lsn to, const RecordVisit& visit) {
  const std::vector<SegmentFile> files = segment_files(disk);
  Lsn reached = from - 1;  // the next record must be the one after it
  for (std::size_t i = 0; i < files.size() && reached < to; ++i) {
    const SegmentFile& file = files[i];
    const Lsn last = std::min(i + 1 < files.size() ? files[i + 1].first - 1 : to, to);
    if (last <= reached || file.first > last) continue;
    if (file.first > reached + 1) {
      damaged(disk, file.name, 0,
              "the records " + std::to_string(reached + 1) + " to " + std::to_string(file.first - 1) +
                  " before it are in no file");
    }
    const std::string content = disk.read(file.name);
    const Header header = look_at_header(content, file.first);
    if (header == Header::newer) newer(disk, file.name);
    Scanned scanned{0, file.first - 1};
    if (header == Header::good) {
      scanned =
          scan_records(content, segment_header_bytes, file.first - 1, last, [&](Lsn number, std::string_view payload) {
            if (number >= from) visit(number, payload);
          });
    }
    if (scanned.reached < last) {
      damaged(disk, file.name, scanned.end,
              "record " + std::to_string(scanned.reached + 1) + " is missing or cannot be read");
    }
    reached = scanned.reached;
  }
  if (reached < to) {
    throw LogError("the event log is damaged: the records from " + std::to_string(reached + 1) +
                   " on are in no file of " + disk.path() + "; `reachctl log verify " + disk.path() +
                   "` says what is lost");
  }
}

Segments::Segments(std::shared_ptr<Disk> disk, std::size_t segment_bytes, Tail tail)
    : disk_(std::move(disk)), segment_bytes_(segment_bytes) {
  find_end(tail);
}

void Segments::find_end(Tail tail) {
  std::vector<SegmentFile> files = segment_files(*disk_);
  Lsn end = std::numeric_limits<Lsn>::max();  // the last record that there can be
  std::vector<std::string> begun;             // files of which nothing got to the disk
  while (!files.empty()) {
    const SegmentFile last = files.back();
    const std::string where = disk_->path() + "/" + last.name;
    const std::string content = disk_->read(last.name);
    const Header header = look_at_header(content, last.first);
    if (header == Header::newer) newer(*disk_, last.name);
    Scanned scanned{0, last.first - 1};
    if (header == Header::good) scanned = scan_records(content, segment_header_bytes, last.first - 1, end, no_visit);
    durable_ = scanned.reached;
    const bool followed = end != std::numeric_limits<Lsn>::max();
    const bool torn = header != Header::good || scanned.end < content.size();
    if (followed ? durable_ < end : torn && proved_durable(content, scanned.end, durable_ + 1)) {
      damaged(*disk_, last.name, scanned.end,
              "record " + std::to_string(durable_ + 1) + " cannot be read, but was once durable");
    }
    if (header == Header::foreign)
      damaged(*disk_, last.name, 0, "this is no file of this log, or its beginning is damaged");
    if (header == Header::good) {
      if (tail == Tail::cut) {
        // Also where nothing is cut: what a killed process left may be in no place but the kernel's memory, and what
        // follows it will be on the disk.
        disk_->truncate(last.name, scanned.end);
        disk_->sync_directory();
      }
      if (torn) {
        repairs_.push_back((tail == Tail::cut ? "cut " : "passed over ") +
                           std::to_string(content.size() - scanned.end) + " bytes of a torn tail of " + where +
                           " at offset " + std::to_string(scanned.end) + ": they were never acknowledged");
      }
      break;
    }
    // Not even the header got there: the file never held anything durable. It was begun when all before it was.
    begun.push_back(last.name);
    repairs_.push_back((tail == Tail::cut ? "removed " : "passed over ") + where +
                       ": it was being made when reachd was stopped");
    end = last.first - 1;
    files.pop_back();
  }
  if (files.empty()) durable_ = 0;
  if (tail == Tail::leave || begun.empty()) return;
  for (const std::string& name : begun) disk_->remove(name);
  disk_->sync_directory();
}

std::size_t Segments::write(std::span<const std::string> payloads, Time now) {
  group_.clear();
  const bool begins = !open_ || open_size_ >= segment_bytes_;
  if (begins) group_ += segment_header(durable_ + 1, now);
  Lsn number = durable_;
  for (const std::string& payload : payloads) put_record(group_, ++number, durable_, payload);
  try {
    if (begins) {
      open_ = disk_->create(segment_name(durable_ + 1));
      open_size_ = 0;
    }
    open_->append(group_);
    open_->sync();
    if (begins) disk_->sync_directory();
  } catch (...) {
    open_.reset();  // what is behind durable_ in it is unknown: the next attempt begins a segment that replaces it
    throw;
  }
  open_size_ += group_.size();
  durable_ = number;
  const std::size_t bytes = group_.size();
  if (group_.capacity() > (8U << 20)) group_ = {};
  return bytes;
}

void Segments::confirm() noexcept {
  if (!open_) return;
  try {
    group_.clear();
    put_record(group_, durable_, durable_, {});
    open_->append(group_);
    open_size_ += group_.size();
  } catch (const std::exception&) {
    open_.reset();
  }
}

std::size_t remove_old_segments(Disk& disk, Lsn upto, Time before, std::uint64_t bytes_most) {
  const std::vector<SegmentFile> files = segment_files(disk);
  std::uint64_t bytes = 0;
  for (const SegmentFile& file : files) bytes += disk.size(file.name);
  std::size_t removed = 0;
  for (std::size_t i = 0; i + 1 < files.size() && files[i + 1].first - 1 <= upto; ++i) {
    // A file was ended when the next one was begun.
    const std::string header = disk.read_beginning(files[i + 1].name, segment_header_bytes);
    if (look_at_header(header, files[i + 1].first) != Header::good) break;
    if (bytes <= bytes_most && begun_at(header) >= before) break;
    bytes -= disk.size(files[i].name);
    disk.remove(files[i].name);
    disk.sync_directory();  // each: or a power cut might leave a hole before files that stay
    ++removed;
  }
  return removed;
}

}  // namespace reach::log
