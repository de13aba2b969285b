// Files "NNNNNNNNNNNNNNNNNNNN.events", named by their first event's number, each a row of records
//   u32 length of the event, u32 CRC-32C of it, the event (all numbers little-endian),
// and a file "epoch" with the numbering's name. The newest file is appended to; a file whose events are all
// acknowledged is removed. What was not acknowledged is in memory as well, so reading never touches the disk.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "clients/library/sender.hpp"
#include "daemon/log/crc32c.hpp"

namespace reach::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes = 4U << 20;
constexpr std::size_t idle_bytes = 64U << 10;
constexpr std::size_t record_header = 8;

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

void append_u32(std::string& bytes, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

class FileSpool final : public Spool {
 public:
  FileSpool(const std::string& directory, std::size_t limit) : directory_(directory), limit_(limit) {
    std::error_code problem;
    const bool made = fs::create_directories(directory_, problem);
    if (problem) fail("cannot make the spool directory", problem.message());
    if (made) fs::permissions(directory_, fs::perms::owner_all, problem);
    lock_.reset(open((directory_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock_.get() < 0) fail("cannot write to the spool directory", std::strerror(errno));
    if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      fail("the spool directory is in use", "another adapter runs with it; give each its own");
    }
    load();
    first_of_run_ = next_sequence();
    begin_file();
  }

  [[nodiscard]] std::uint64_t epoch() const override { return epoch_; }
  [[nodiscard]] std::uint64_t next_sequence() const override { return first_ + events_.size(); }
  [[nodiscard]] std::size_t size() const override { return events_.size(); }

  bool append(const v1::Event& event) override {
    if (events_.size() >= limit_) return false;
    events_.push_back(event);
    write();
    return true;
  }

  void read(std::uint64_t first, const std::function<bool(std::uint64_t, const v1::Event&)>& take) override {
    for (std::uint64_t n = std::max(first, first_); n < next_sequence(); ++n) {
      if (!take(n, events_[n - first_])) return;
    }
  }

  void acknowledged(std::uint64_t sequence) override {
    while (!events_.empty() && first_ <= sequence) {
      events_.pop_front();
      ++first_;
    }
    written_ = std::max(written_, first_);  // what is acknowledged need not be written any more
    write();
    remove_old_files();
    if (events_.empty() && size_ >= idle_bytes) begin_file();  // a small file of acknowledged events may stay
  }

  bool continue_at(std::uint64_t sequence) override {
    if (sequence < next_sequence()) return false;
    while (!events_.empty() && first_ < first_of_run_) {
      events_.pop_front();
      ++first_;
    }
    first_ = sequence;  // of what this run appended, or of what comes
    first_of_run_ = sequence;
    written_ = sequence;
    remove_files(files_.size());
    begin_file();
    write();
    return true;
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& why) const {
    throw std::runtime_error(what + ' ' + directory_.string() + ": " + why);
  }

  [[nodiscard]] fs::path path_of(std::uint64_t first) const {
    std::string digits = std::to_string(first);
    return directory_ / (std::string(20 - digits.size(), '0') + digits + ".events");
  }

  void load() {
    const fs::path epoch_path = directory_ / "epoch";
    std::ifstream(epoch_path) >> epoch_;
    if (epoch_ == 0) {
      epoch_ = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
      std::ofstream out(epoch_path);
      out << epoch_ << '\n';
      if (!out.flush()) fail("cannot write to the spool directory", std::strerror(errno));
    }
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path().extension() == ".events") files_.push_back(std::stoull(entry.path().stem().string()));
    }
    std::sort(files_.begin(), files_.end());
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (i == 0) first_ = files_[i];
      if (files_[i] != next_sequence()) {
        // A power failure took the end of the file before. If the daemon knows what is missing, continue_at() follows.
        while (files_.size() > i) {
          remove(path_of(files_.back()));
          files_.pop_back();
        }
        break;
      }
      load_file(files_[i]);
    }
    written_ = next_sequence();
  }

  void load_file(std::uint64_t file) {
    std::ifstream in(path_of(file), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t at = 0; bytes.size() - at >= record_header;) {
      const std::size_t length = u32_at(bytes, at);
      if (bytes.size() - at - record_header < length) return;
      const std::string_view record(bytes.data() + at + record_header, length);
      v1::Event event;
      if (log::crc32c(record) != u32_at(bytes, at + 4) ||
          !event.ParseFromArray(record.data(), static_cast<int>(length))) {
        return;
      }
      events_.push_back(std::move(event));
      at += record_header + length;
    }
  }

  /// A new file from written_ on; those before it stay as long as they hold something unacknowledged.
  void begin_file() {
    const fs::path path = path_of(written_);
    file_.reset(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    size_ = 0;
    if (files_.empty() || files_.back() != written_) files_.push_back(written_);
    remove_old_files();
  }

  static void remove(const fs::path& path) {
    std::error_code ignored;  // a file that stays is acknowledged again after a restart: harmless
    fs::remove(path, ignored);
  }
  void remove_files(std::size_t count) {
    for (; count > 0; --count) {
      remove(path_of(files_.front()));
      files_.pop_front();
    }
  }
  void remove_old_files() {
    std::size_t old = 0;
    while (old + 1 < files_.size() && files_[old + 1] <= first_) ++old;
    remove_files(old);
  }

  /// Writes what the files do not hold yet, in order. What cannot be written now is tried again with the next event.
  void write() {
    for (; written_ < next_sequence(); ++written_) {
      if (size_ >= file_bytes || file_.get() < 0) begin_file();
      const std::string event = events_[written_ - first_].SerializeAsString();
      std::string record;
      record.reserve(record_header + event.size());
      append_u32(record, static_cast<std::uint32_t>(event.size()));
      append_u32(record, log::crc32c(event));
      record += event;
      const ssize_t n = ::write(file_.get(), record.data(), record.size());
      if (n != static_cast<ssize_t>(record.size())) {
        if (n > 0 && ftruncate(file_.get(), static_cast<off_t>(size_)) == 0) lseek(file_.get(), 0, SEEK_END);
        return;
      }
      size_ += record.size();
    }
  }

  fs::path directory_;
  std::size_t limit_;
  Descriptor lock_, file_;
  std::uint64_t epoch_ = 0;
  std::uint64_t first_ = 1;  // number of events_.front()
  std::uint64_t first_of_run_ = 1;
  std::uint64_t written_ = 1;  // the next number the files lack
  std::size_t size_ = 0;       // of the newest file
  std::deque<std::uint64_t> files_;
  std::deque<v1::Event> events_;
};

}  // namespace

std::unique_ptr<Spool> file_spool(const std::string& directory, std::size_t limit) {
  return std::make_unique<FileSpool>(directory, limit);
}

}  // namespace reach::client
