#include "daemon/log/format.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#include "daemon/log/crc32c.hpp"

namespace reach::log {
namespace {

static_assert(std::endian::native == std::endian::little, "the file format is little-endian");

constexpr std::uint32_t format_version = 2;

template <class Number>
void put(std::string& out, Number value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <class Number>
Number get(std::string_view bytes, std::size_t at) noexcept {
  Number value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Never 0 in its last byte, as the magic is not in its first: that is how a torn header is told from a damaged one.
std::uint32_t header_checksum(std::string_view bytes) noexcept {
  return crc32c(bytes) | 0x80000000U;
}

/// Looks at the numbers of a would-be record before its checksum, since a checksum at every offset would be slow.
template <class Plausible>
std::optional<Found> search(std::string_view content, std::size_t from, Plausible plausible) noexcept {
  for (std::size_t at = from; at + record_header_bytes <= content.size(); ++at) {
    if (!plausible(get<std::uint64_t>(content, at + 8), get<std::uint64_t>(content, at + 16))) continue;
    if (const auto record = record_at(content, at)) return Found{at, *record};
  }
  return std::nullopt;
}

}  // namespace

std::string segment_name(Lsn first) {
  char text[32];
  std::snprintf(text, sizeof text, "%020llu.log", static_cast<unsigned long long>(first));
  return text;
}

std::optional<Lsn> number_in(std::string_view name, std::string_view extension) {
  if (name.size() != 20 + extension.size() || !name.ends_with(extension)) return std::nullopt;
  Lsn number = 0;
  for (const char c : name.substr(0, 20)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<Lsn>(c - '0');
  }
  return number;
}

std::vector<SegmentFile> segment_files(Disk& disk) {
  std::vector<SegmentFile> files;
  for (const std::string& name : disk.list()) {
    if (const auto first = number_in(name, ".log")) files.push_back({name, *first});
  }
  return files;
}

std::string segment_header(Lsn first, Time begun) {
  std::string header(segment_magic);
  put(header, format_version);
  put(header, first);
  put(header, ns_of(begun));
  put(header, header_checksum(header));
  return header;
}

Header look_at_header(std::string_view content, Lsn first) noexcept {
  if (content.size() < segment_header_bytes) return Header::torn;
  const bool ours = content.starts_with(segment_magic);
  if (ours && get<std::uint32_t>(content, 28) == header_checksum(content.substr(0, 28))) {
    if (get<std::uint32_t>(content, 8) > format_version) return Header::newer;
    if (get<std::uint64_t>(content, 12) == first) return Header::good;
  }
  return content[0] == 0 || content[segment_header_bytes - 1] == 0 ? Header::torn : Header::foreign;
}

Time begun_at(std::string_view content) noexcept {
  return time_from_ns(get<std::int64_t>(content, 20));
}

std::optional<Record> record_at(std::string_view content, std::size_t at) noexcept {
  if (content.size() < at || content.size() - at < record_header_bytes) return std::nullopt;
  const auto length = get<std::uint32_t>(content, at);
  if (length > longest_payload || content.size() - at - record_header_bytes < length) return std::nullopt;
  const std::string_view checked = content.substr(at + 8, 16 + length);
  if (get<std::uint32_t>(content, at + 4) != crc32c(checked)) return std::nullopt;
  return Record{get<std::uint64_t>(content, at + 8), get<std::uint64_t>(content, at + 16), checked.substr(16)};
}

void put_record(std::string& out, Lsn number, Lsn durable_before, std::string_view payload) {
  const std::size_t at = out.size();
  put(out, static_cast<std::uint32_t>(payload.size()));
  put(out, std::uint32_t{0});
  put(out, number);
  put(out, durable_before);
  out += payload;
  const std::uint32_t crc = crc32c(std::string_view(out).substr(at + 8));
  std::memcpy(out.data() + at + 4, &crc, sizeof crc);
}

Scanned scan_records(std::string_view content, std::size_t at, Lsn reached, Lsn last, const RecordVisit& visit) {
  while (at < content.size()) {
    const auto record = record_at(content, at);
    if (!record) break;
    if (!record->confirms(reached)) {
      if (record->number > last) break;
      if (record->number != reached + 1 && !record->stands_for_lost(reached)) break;
      reached = record->number;
      visit(reached, record->payload);
    }
    at += record->bytes();
  }
  return {at, reached};
}

std::optional<Found> next_readable(std::string_view content, std::size_t from, Lsn reached) noexcept {
  return search(content, from, [&](Lsn number, Lsn) { return number > reached && number - reached <= content.size(); });
}

bool proved_durable(std::string_view content, std::size_t from, Lsn number) noexcept {
  return search(content, from,
                [&](Lsn candidate, Lsn durable) {
                  return candidate >= number && candidate - number <= content.size() && durable >= number &&
                         durable <= candidate;
                })
      .has_value();
}

}  // namespace reach::log
