#include "clients/adapters/queuelog/file_lines.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "daemon/log/crc32c.hpp"

namespace reach::queuelog {
namespace {

constexpr std::size_t longest_line = 64 * 1024;  // Asterisk's own are below 1 KiB; a longer one is cut there
constexpr std::size_t at_once = 4U << 20;
constexpr std::size_t fingerprint_bytes = 256;  // two or three lines, with times and call ids

}  // namespace

FileLines::FileLines(std::string path, FilePosition at) : path_(std::move(path)), position_(at) {
  watch_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  const std::size_t slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  // The folder: the file itself is renamed away by a rotation.
  if (watch_ >= 0 && ::inotify_add_watch(watch_, folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
    ::close(watch_);
    watch_ = -1;
  }
}

FileLines::~FileLines() {
  if (file_ >= 0) ::close(file_);
  if (watch_ >= 0) ::close(watch_);
}

FilePosition FileLines::position() const {
  if (file_ < 0) return position_;
  return {position_.inode, position_.offset, log::crc32c(passed_)};
}

FilePosition FileLines::begin() {
  if (file_ < 0) open();
  error_ = 0;  // poll() comes to it, too, and says it
  return position();
}

// ---- which file

bool FileLines::open() {
  struct stat status {};
  const int named = open_regular(path_, status);
  if (named < 0) return false;
  const bool has_name = status.st_ino == position_.inode;
  const int known = has_name ? named : open_rotated();
  const auto bytes = known < 0 ? std::string() : before(known, position_.offset);
  if (known >= 0 && bytes && is_before_position(*bytes)) {
    if (!has_name) ::close(named);
    file_ = known;
    passed_ = *bytes;
    return true;
  }
  if (known >= 0 && !has_name) ::close(known);
  if (!bytes) {
    ::close(named);
    return false;
  }
  if (has_name)
    problem_ = path_ + " is not the file that was read before, or was truncated; it is read from its beginning";
  read_from(named, status.st_ino);
  return true;
}

/// The file of position_ if it has another name by now; negative: there is none.
int FileLines::open_rotated() {
  if (position_.inode == 0) return -1;
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder.empty() ? "." : folder, none)) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) != 0 || status.st_ino != position_.inode) continue;
    const int found = open_regular(entry.path(), status);
    if (found < 0 || status.st_ino == position_.inode) return found;
    ::close(found);
    return -1;
  }
  return -1;
}

/// Anything else could block or never end: a pipe, a device.
int FileLines::open_regular(const std::string& path, struct stat& status) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return -1;
  const bool is_regular = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  if (!std::exchange(is_other_, !is_regular) && !is_regular) problem_ = path + " is no regular file; waiting for one";
  if (is_regular) return file;
  ::close(file);
  return -1;
}

/// The named file if it is another than the one that is read and has a line: then nobody writes to this one any more.
/// Negative: not yet.
int FileLines::open_next() {
  struct stat here {
  }, there{};
  if (::fstat(file_, &here) != 0 || ::stat(path_.c_str(), &there) != 0) return -1;
  if (there.st_ino == here.st_ino && there.st_dev == here.st_dev) return -1;
  const int next = open_regular(path_, there);
  if (next < 0) return -1;
  const auto beginning = read_at(next, 0, longest_line);
  if (beginning && (beginning->find('\n') != std::string::npos || beginning->size() == longest_line)) return next;
  ::close(next);
  return -1;
}

/// From its beginning.
void FileLines::read_from(int file, ino_t inode) {
  if (file_ >= 0) ::close(file_);
  file_ = file;
  position_ = {inode, 0, 0};
  passed_.clear();
}

/// Whether `bytes` can be those that are behind position_.
bool FileLines::is_before_position(std::string_view bytes) const {
  if (bytes.size() < std::min<std::uint64_t>(position_.offset, fingerprint_bytes)) return false;
  return position_.fingerprint == 0 || log::crc32c(bytes) == position_.fingerprint;
}

// ---- bytes

/// At most `most`; fewer only at the file's end. nullopt: it cannot be read, and poll() will say why.
std::optional<std::string> FileLines::read_at(int file, std::uint64_t offset, std::size_t most) {
  if (offset > INT64_MAX - most) return std::string();  // of a place that was damaged: behind every end
  std::string bytes(most, '\0');
  ssize_t size = 0;
  do size = ::pread(file, bytes.data(), most, static_cast<off_t>(offset));
  while (size < 0 && errno == EINTR);
  if (size < 0) {
    error_ = errno;
    return std::nullopt;
  }
  bytes.resize(static_cast<std::size_t>(size));
  return bytes;
}

/// The last ones before `offset`, as passed_ keeps them.
std::optional<std::string> FileLines::before(int file, std::uint64_t offset) {
  const std::uint64_t most = std::min<std::uint64_t>(offset, fingerprint_bytes);
  return read_at(file, offset - most, most);
}

// ---- lines

/// `bytes` are behind us.
void FileLines::pass(std::string_view bytes) {
  position_.offset += bytes.size();
  passed_.append(bytes.substr(bytes.size() - std::min(bytes.size(), fingerprint_bytes)));
  if (passed_.size() > fingerprint_bytes) passed_.erase(0, passed_.size() - fingerprint_bytes);
}

/// To the end. False: `take`, at_once or an error ended it before.
bool FileLines::read_all(const std::function<bool(std::string_view)>& take) {
  std::string rest;  // no line yet
  for (std::size_t read = 0; read < at_once;) {
    const auto block = read_at(file_, position_.offset + rest.size(), longest_line);
    if (!block) return false;
    if (block->empty()) return true;
    read += block->size();
    rest += *block;
    std::size_t begin = 0;
    for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      const std::string_view line = std::string_view(rest).substr(begin, end + 1 - begin);
      pass(line);
      begin = end + 1;
      if (!take(line.substr(0, line.size() - 1))) return false;
    }
    rest.erase(0, begin);
    if (rest.size() > longest_line) {
      pass(rest);
      rest.clear();
    }
  }
  has_more_ = true;
  return false;
}

bool FileLines::poll(const std::function<bool(std::string_view)>& take) {
  const int said = std::exchange(error_, 0);
  const bool is_there = read_new(take);
  if (error_ != 0 && error_ != said) problem_ = path_ + " cannot be read: " + std::generic_category().message(error_);
  return is_there && error_ == 0;
}

/// False if there is no file.
bool FileLines::read_new(const std::function<bool(std::string_view)>& take) {
  has_more_ = false;
  if (file_ < 0 && !open()) return false;
  const auto bytes = before(file_, position_.offset);
  if (!bytes) return true;
  if (*bytes != passed_) {
    struct stat here {};
    ::fstat(file_, &here);
    if (static_cast<std::uint64_t>(here.st_size) >= position_.offset)
      problem_ =
          path_ +
          " was truncated and has grown again; it is read from its beginning, and lines of before may be missing";
    position_.offset = 0;
    passed_.clear();
  }
  if (!read_all(take)) return true;
  if (const int next = open_next(); next >= 0) {
    if (!read_all(take)) {  // what was written to it last
      ::close(next);
      return true;
    }
    struct stat status {};
    ::fstat(next, &status);
    read_from(next, status.st_ino);
    read_all(take);
  }
  return true;
}

void FileLines::wait(double seconds) {
  pollfd on{watch_, POLLIN, 0};
  const int milliseconds = has_more_ ? 0 : static_cast<int>(seconds * 1000);
  ::poll(watch_ >= 0 ? &on : nullptr, watch_ >= 0 ? 1 : 0, milliseconds);
  std::array<char, 4096> ignored{};
  while (watch_ >= 0 && ::read(watch_, ignored.data(), ignored.size()) > 0) {
  }
}

}  // namespace reach::queuelog
