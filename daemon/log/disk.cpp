#include "daemon/log/disk.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "daemon/log/event_log.hpp"

namespace reach::log {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// A log file has at most a gigabyte, and a snapshot is about as long as the state is in memory.
constexpr std::uint64_t longest_file = std::uint64_t{8} << 30;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class LocalFile final : public File {
 public:
  LocalFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  void append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) refuse("cannot write to " + path_);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void sync() override {
    if (fdatasync(fd_.get()) != 0) refuse("cannot sync " + path_);
  }

 private:
  Descriptor fd_;
  std::string path_;
};

class LocalDisk final : public Disk {
 public:
  LocalDisk(std::string path, int directory, int lock) : path_(std::move(path)), directory_(directory), lock_(lock) {}

  [[nodiscard]] std::string path() const override { return path_; }

  [[nodiscard]] std::vector<std::string> list() override {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  [[nodiscard]] std::string read(const std::string& name) override {
    return read_beginning(name, std::numeric_limits<std::size_t>::max());
  }

  [[nodiscard]] std::string read_beginning(const std::string& name, std::size_t most) override {
    const Descriptor fd(openat(directory_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat found {};
    if (fd.get() < 0 || fstat(fd.get(), &found) != 0) refuse("cannot open " + path_ + "/" + name);
    if (!S_ISREG(found.st_mode)) throw LogError(path_ + "/" + name + " is no file of this log: it is no regular file");
    if (most > longest_file && found.st_size > static_cast<off_t>(longest_file))
      throw LogError(path_ + "/" + name + " is no file of this log: it is too long for one");
    std::string content(std::min(static_cast<std::size_t>(found.st_size), most), '\0');
    std::size_t have = 0;
    while (have < content.size()) {
      const ssize_t n = ::read(fd.get(), content.data() + have, content.size() - have);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) refuse("cannot read " + path_ + "/" + name);
      if (n == 0) break;
      have += static_cast<std::size_t>(n);
    }
    content.resize(have);
    return content;
  }

  [[nodiscard]] std::uint64_t size(const std::string& name) override {
    struct stat found {};
    if (fstatat(directory_.get(), name.c_str(), &found, 0) != 0) refuse("cannot look at " + path_ + "/" + name);
    return static_cast<std::uint64_t>(found.st_size);
  }

  [[nodiscard]] std::uint64_t room() override {
    struct statvfs found {};
    if (fstatvfs(directory_.get(), &found) != 0) refuse("cannot look at " + path_);
    return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
  }

  std::unique_ptr<File> create(const std::string& name) override {
    check_writable();
    const int fd = openat(directory_.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) refuse("cannot create " + path_ + "/" + name);
    return std::make_unique<LocalFile>(fd, path_ + "/" + name);
  }

  void truncate(const std::string& name, std::uint64_t size) override {
    check_writable();
    const Descriptor fd(openat(directory_.get(), name.c_str(), O_WRONLY | O_CLOEXEC));
    if (fd.get() < 0 || ftruncate(fd.get(), static_cast<off_t>(size)) != 0 || fsync(fd.get()) != 0) {
      refuse("cannot shorten " + path_ + "/" + name);
    }
  }

  void remove(const std::string& name) override {
    check_writable();
    if (unlinkat(directory_.get(), name.c_str(), 0) != 0) refuse("cannot remove " + path_ + "/" + name);
  }

  void rename(const std::string& from, const std::string& to) override {
    check_writable();
    if (renameat(directory_.get(), from.c_str(), directory_.get(), to.c_str()) != 0) {
      refuse("cannot rename " + path_ + "/" + from + " to " + to);
    }
  }

  void sync_directory() override {
    if (fsync(directory_.get()) != 0) refuse("cannot sync the directory " + path_);
  }

 private:
  void check_writable() const {
    if (lock_.get() >= 0) return;
    errno = EROFS;
    refuse(path_ + " was opened to look only");
  }

  std::string path_;
  Descriptor directory_, lock_;
};

int open_directory(const std::string& path, const DirectoryUse& use) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    throw LogError("cannot open the " + use.what + " " + path + ": " + std::generic_category().message(errno));
  }
  return fd;
}

}  // namespace

std::unique_ptr<Disk> local_disk(const std::string& path, const DirectoryUse& use) {
  std::error_code problem;
  const bool made = std::filesystem::create_directories(path, problem);
  if (problem) {
    throw LogError("cannot make the " + use.what + " " + path + ": " + problem.message() +
                   "; make it, owned by the user " + use.program + " runs as");
  }
  if (made) chmod(path.c_str(), 0700);
  const int directory = open_directory(path, use);
  const int lock = openat(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const int problem_of_lock = errno;
  auto disk = std::make_unique<LocalDisk>(path, directory, lock);
  if (lock < 0) {
    throw LogError("cannot write to the " + use.what + " " + path + ": " +
                   std::generic_category().message(problem_of_lock) +
                   (problem_of_lock == EACCES ? "; it and its files must belong to the user " + use.program + " runs as"
                                              : std::string()));
  }
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    throw LogError("the " + use.what + " " + path + " is in use by another " + use.program +
                   "; stop it or give this one its own");
  }
  return disk;
}

std::unique_ptr<Disk> local_disk_read_only(const std::string& path) {
  return std::make_unique<LocalDisk>(path, open_directory(path, {}), -1);
}

}  // namespace reach::log
