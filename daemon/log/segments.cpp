#include "daemon/log/segments.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "daemon/log/crc32c.hpp"

namespace reach::log {
namespace {

static_assert(std::endian::native == std::endian::little, "the file format is little-endian");

constexpr std::string_view magic = "RCHDLOG1";
constexpr std::uint32_t format_version = 1;

template <class Number>
void put(std::string& out, Number value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <class Number>
Number get(std::string_view bytes, std::size_t at) {
  Number value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::string name_of(Lsn first) {
  char text[32];
  std::snprintf(text, sizeof text, "%020llu.log", static_cast<unsigned long long>(first));
  return text;
}

std::optional<Lsn> first_from(const std::string& name) {
  if (name.size() != 24 || !name.ends_with(".log")) return std::nullopt;
  Lsn first = 0;
  for (const char c : name.substr(0, 20)) {
    if (c < '0' || c > '9') return std::nullopt;
    first = first * 10 + static_cast<Lsn>(c - '0');
  }
  return first;
}

std::string header_of(Lsn first) {
  std::string header(magic);
  put(header, format_version);
  put(header, std::uint32_t{0});
  put(header, first);
  put(header, std::uint32_t{0});
  put(header, crc32c(header));
  return header;
}

struct Record {
  Lsn number = 0, durable_before = 0;
  std::string_view payload;
};

/// The whole and undamaged record at `at`, or nothing.
std::optional<Record> record_at(std::string_view content, std::size_t at) {
  if (content.size() - at < record_header_bytes) return std::nullopt;
  const auto length = get<std::uint32_t>(content, at);
  if (length > longest_payload || content.size() - at - record_header_bytes < length) return std::nullopt;
  const std::string_view checked = content.substr(at + 8, 16 + length);
  if (get<std::uint32_t>(content, at + 4) != crc32c(checked)) return std::nullopt;
  return Record{get<std::uint64_t>(content, at + 8), get<std::uint64_t>(content, at + 16), checked.substr(16)};
}

/// True if some record behind `from` proves that record `number` was once durable: then its absence is damage and not
/// a torn tail.
bool proved_durable(std::string_view content, std::size_t from, Lsn number) {
  for (std::size_t at = from; at + record_header_bytes <= content.size(); ++at) {
    // Look at the numbers first: a checksum at every offset would be slow.
    const auto candidate = get<std::uint64_t>(content, at + 8);
    if (candidate <= number || candidate - number > content.size()) continue;
    if (get<std::uint64_t>(content, at + 16) < number) continue;
    if (record_at(content, at)) return true;
  }
  return false;
}

}  // namespace

Segments::Segments(std::unique_ptr<Disk> disk, std::size_t segment_bytes, Tail tail)
    : disk_(std::move(disk)), segment_bytes_(segment_bytes) {
  for (const std::string& name : disk_->list()) {
    if (const auto first = first_from(name)) segments_.push_back({name, *first});
  }
  find_end(tail);
}

void Segments::damaged(const std::string& name, std::size_t offset, const std::string& what) const {
  throw LogError("the event log is damaged: " + disk_->path() + "/" + name + " at offset " + std::to_string(offset) +
                 ": " + what + "; restore the file from a backup, or move the log directory away and begin a new one");
}

std::size_t Segments::scan(const Segment& segment, std::string_view content, Lsn last, Lsn& reached,
                           const std::function<void(Lsn, std::string_view)>& visit) const {
  reached = segment.first - 1;
  if (content.substr(0, segment_header_bytes) != header_of(segment.first)) {
    if (content.size() >= 12 && content.starts_with(magic) && get<std::uint32_t>(content, 8) > format_version) {
      throw LogError(disk_->path() + "/" + segment.name + " was written by a newer reachd; start that one");
    }
    return 0;
  }
  std::size_t at = segment_header_bytes;
  while (reached < last && at < content.size()) {
    const auto record = record_at(content, at);
    if (!record || record->number != reached + 1) break;
    ++reached;
    visit(reached, record->payload);
    at += record_header_bytes + record->payload.size();
  }
  return at;
}

void Segments::find_end(Tail tail) {
  const auto nothing = [](Lsn, std::string_view) {};
  while (!segments_.empty()) {
    const Segment last = segments_.back();
    const std::string content = disk_->read(last.name);
    const std::size_t end = scan(last, content, std::numeric_limits<Lsn>::max(), durable_, nothing);
    if (end == content.size() && end > 0) return;
    if (proved_durable(content, end, durable_ + 1)) {
      damaged(last.name, end, "record " + std::to_string(durable_ + 1) + " cannot be read, but later ones can");
    }
    const std::string where = disk_->path() + "/" + last.name;
    if (end > 0) {
      if (tail == Tail::cut) disk_->truncate(last.name, end);
      repairs_.push_back((tail == Tail::cut ? "cut " : "passed over ") + std::to_string(content.size() - end) +
                         " bytes of a torn tail of " + where + " at offset " + std::to_string(end) +
                         ": they were never acknowledged");
      return;
    }
    // Not even the header got there: the file never held anything durable.
    if (tail == Tail::cut) {
      disk_->remove(last.name);
      disk_->sync_directory();
    }
    repairs_.push_back((tail == Tail::cut ? "removed " : "passed over ") + where +
                       ": it was being made when reachd was stopped");
    segments_.pop_back();
  }
  durable_ = 0;
}

void Segments::read(Lsn from, const std::function<void(Lsn, std::string_view)>& visit) {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Lsn last = i + 1 < segments_.size() ? segments_[i + 1].first - 1 : durable_;
    if (last < from) continue;
    const std::string content = disk_->read(segments_[i].name);
    Lsn reached = 0;
    const std::size_t end = scan(segments_[i], content, last, reached, [&](Lsn number, std::string_view payload) {
      if (number >= from) visit(number, payload);
    });
    if (reached < last) {
      damaged(segments_[i].name, end, "record " + std::to_string(reached + 1) + " is missing or cannot be read");
    }
  }
}

std::size_t Segments::write(std::span<const std::string> payloads) {
  group_.clear();
  const bool begins = !open_ || open_size_ >= segment_bytes_;
  if (begins) group_ += header_of(durable_ + 1);
  Lsn number = durable_;
  for (const std::string& payload : payloads) {
    const std::size_t at = group_.size();
    put(group_, static_cast<std::uint32_t>(payload.size()));
    put(group_, std::uint32_t{0});
    put(group_, ++number);
    put(group_, durable_);
    group_ += payload;
    const std::uint32_t crc = crc32c(std::string_view(group_).substr(at + 8));
    std::memcpy(group_.data() + at + 4, &crc, sizeof crc);
  }
  try {
    if (begins) {
      const Segment next{name_of(durable_ + 1), durable_ + 1};
      open_ = disk_->create(next.name);
      open_size_ = 0;
      if (segments_.empty() || segments_.back().first != next.first) segments_.push_back(next);
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

}  // namespace reach::log
