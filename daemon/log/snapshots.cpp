#include "daemon/log/snapshots.hpp"

#include <cstdio>
#include <cstring>
#include <system_error>

#include "daemon/log/crc32c.hpp"
#include "daemon/log/format.hpp"

namespace reach::log {
namespace {

constexpr std::string_view magic = "RCHDSNAP";
constexpr std::string_view temporary_name = "snapshot.new";
constexpr std::size_t trailer_bytes = 20;
constexpr std::size_t kept = 2;  // should the newest turn out to be unreadable

template <class Number>
void put(std::string& out, Number value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

}  // namespace

std::vector<SnapshotFile> snapshot_files(Disk& disk) {
  std::vector<SnapshotFile> files;
  for (const std::string& name : disk.list()) {
    if (const auto number = number_in(name, ".snapshot")) files.push_back({name, *number});
  }
  return files;
}

std::uint64_t write_snapshot(Disk& disk, Lsn number,
                             const std::function<void(const std::function<void(std::string_view)>&)>& content) {
  const std::string temporary(temporary_name);
  const std::uint64_t most = disk.room() / 2;  // the log must go on
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;
  try {
    const std::unique_ptr<File> file = disk.create(temporary);
    const auto append = [&](std::string_view piece) {
      if (bytes + piece.size() > most) {
        throw std::system_error(std::make_error_code(std::errc::no_space_on_device),
                                "it takes more than half of what is free at " + disk.path());
      }
      file->append(piece);
      crc = crc32c(piece, crc);
      bytes += piece.size();
    };
    append(magic);
    content(append);
    std::string trailer;
    put(trailer, number);
    put(trailer, std::uint64_t{bytes - magic.size()});
    put(trailer, crc32c(trailer, crc));
    file->append(trailer);
    file->sync();
  } catch (...) {
    try {
      disk.remove(temporary);          // the log needs the room
    } catch (const std::exception&) {  // it is not there, or stays until the next one
    }
    throw;
  }
  char name[40];
  std::snprintf(name, sizeof name, "%020llu.snapshot", static_cast<unsigned long long>(number));
  disk.rename(temporary, name);
  disk.sync_directory();
  std::vector<SnapshotFile> files = snapshot_files(disk);
  for (std::size_t i = 0; i + kept < files.size(); ++i) disk.remove(files[i].name);
  return bytes + trailer_bytes;
}

std::optional<std::string> read_snapshot(Disk& disk, const SnapshotFile& file) {
  std::string content = disk.read(file.name);
  if (content.size() < magic.size() + trailer_bytes || !content.starts_with(magic)) return std::nullopt;
  const std::size_t end = content.size() - trailer_bytes;
  std::uint64_t number = 0, length = 0;
  std::uint32_t crc = 0;
  std::memcpy(&number, content.data() + end, 8);
  std::memcpy(&length, content.data() + end + 8, 8);
  std::memcpy(&crc, content.data() + end + 16, 4);
  if (number != file.number || length != end - magic.size()) return std::nullopt;
  if (crc != crc32c(std::string_view(content).substr(0, end + 16))) return std::nullopt;
  content.resize(end);
  content.erase(0, magic.size());
  return content;
}

}  // namespace reach::log
