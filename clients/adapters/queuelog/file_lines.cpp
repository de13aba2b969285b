#include "clients/adapters/queuelog/file_lines.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <system_error>

namespace reach::queuelog {
namespace {

constexpr std::size_t longest_line = 64 * 1024;  // Asterisk's own are below 1 KiB; a longer one is cut there

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

bool FileLines::open() {
  file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) return false;
  struct stat status {};
  ::fstat(file_, &status);
  if (status.st_ino != position_.inode && open_rotated()) return true;
  const bool same = status.st_ino == position_.inode && static_cast<std::uint64_t>(status.st_size) >= position_.offset;
  if (!same) position_ = {status.st_ino, 0};
  rest_.clear();
  return true;
}

/// The file of position_ if it has another name by now.
bool FileLines::open_rotated() {
  if (position_.inode == 0) return false;
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder.empty() ? "." : folder, none)) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) != 0 || status.st_ino != position_.inode || !S_ISREG(status.st_mode) ||
        static_cast<std::uint64_t>(status.st_size) < position_.offset)
      continue;
    const int found = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (found < 0) return false;
    ::close(file_);
    file_ = found;
    rest_.clear();
    return true;
  }
  return false;
}

FilePosition FileLines::begin() {
  if (file_ < 0) open();
  return position_;
}

bool FileLines::read_all(const std::function<bool(std::string_view)>& take) {
  std::array<char, 64 * 1024> block{};
  while (true) {
    const ssize_t size =
        ::pread(file_, block.data(), block.size(), static_cast<off_t>(position_.offset + rest_.size()));
    if (size <= 0) return true;
    rest_.append(block.data(), static_cast<std::size_t>(size));
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      const std::string_view line = std::string_view(rest_).substr(begin, end - begin);
      position_.offset += end + 1 - begin;
      begin = end + 1;
      if (!take(line)) {
        rest_.clear();
        return false;
      }
    }
    rest_.erase(0, begin);
    if (rest_.size() > longest_line) {
      position_.offset += rest_.size();
      rest_.clear();
    }
  }
}

bool FileLines::poll(const std::function<bool(std::string_view)>& take) {
  if (file_ < 0 && !open()) return false;
  if (!read_all(take)) return true;
  struct stat here {
  }, there{};
  ::fstat(file_, &here);
  if (static_cast<std::uint64_t>(here.st_size) < position_.offset) {  // truncated
    position_.offset = 0;
    rest_.clear();
    return read_all(take);
  }
  if (::stat(path_.c_str(), &there) == 0 && there.st_ino != here.st_ino) {  // rotated; the old one is read
    ::close(file_);
    file_ = -1;
    position_ = {};
    return open() && read_all(take);
  }
  return true;
}

void FileLines::wait(double seconds) {
  pollfd on{watch_, POLLIN, 0};
  ::poll(watch_ >= 0 ? &on : nullptr, watch_ >= 0 ? 1 : 0, static_cast<int>(seconds * 1000));
  std::array<char, 4096> ignored{};
  while (watch_ >= 0 && ::read(watch_, ignored.data(), ignored.size()) > 0) {
  }
}

}  // namespace reach::queuelog
