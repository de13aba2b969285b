// The few things the log asks of a file system, so that tests can fail each of them.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reach::log {

/// One file being appended to. Every function throws std::system_error when the system refuses.
class File {
 public:
  virtual ~File() = default;
  /// Appends all of `bytes`. After a failure an unknown part of them may be there.
  virtual void append(std::string_view bytes) = 0;
  /// Returns when everything appended survives a power loss. After a failure nothing is known about what was
  /// appended since the last success (the kernel may have dropped the pages): write it anew, elsewhere.
  virtual void sync() = 0;
};

/// One directory and its files, by name. Every function throws std::system_error when the system refuses. Files may be
/// read by one thread while another appends.
class Disk {
 public:
  virtual ~Disk() = default;
  [[nodiscard]] virtual std::string path() const = 0;                   ///< for messages to people
  [[nodiscard]] virtual std::vector<std::string> list() = 0;            ///< names, ascending
  [[nodiscard]] virtual std::string read(const std::string& name) = 0;  ///< the whole content
  /// Its first bytes, at most `most`.
  [[nodiscard]] virtual std::string read_beginning(const std::string& name, std::size_t most) = 0;
  [[nodiscard]] virtual std::uint64_t size(const std::string& name) = 0;
  /// Bytes that may still be written to it.
  [[nodiscard]] virtual std::uint64_t room() { return std::numeric_limits<std::uint64_t>::max(); }
  virtual std::unique_ptr<File> create(const std::string& name) = 0;       ///< empty, whatever it was before
  virtual void truncate(const std::string& name, std::uint64_t size) = 0;  ///< durably
  virtual void remove(const std::string& name) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;  ///< replaces `to` at once or not at all
  virtual void sync_directory() = 0;  ///< names created, removed and renamed survive a power loss
};

/// What a directory is for and which program runs with it, for messages to people.
struct DirectoryUse {
  std::string what = "log directory", program = "reachd";
};

/// The directory `path`, made with mode 0700 if it is not there, and locked (by a file "lock" in it): throws LogError
/// if another process holds it. The lock ends with the object.
[[nodiscard]] std::unique_ptr<Disk> local_disk(const std::string& path, const DirectoryUse& use = {});
/// The same to look only: no lock, nothing is made; writing throws. For tools beside a running daemon.
[[nodiscard]] std::unique_ptr<Disk> local_disk_read_only(const std::string& path);

}  // namespace reach::log
