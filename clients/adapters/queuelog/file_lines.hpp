// A growing text file as lines, through rotation and truncation.
#pragma once
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace reach::queuelog {

/// Where reading stands: enough to go on after a restart.
struct FilePosition {
  ino_t inode = 0;
  std::uint64_t offset = 0;       ///< of the first byte not yet handed over; always at the start of a line
  std::uint32_t fingerprint = 0;  ///< of the last bytes before it: an inode may be another file's by now. 0: not known
};

/// Follows a regular file by name. Rotation (the name shows another file): whoever writes may still have the old one
/// open, so it is read on until there is a line in the new one. Truncation (copytruncate), noticed also when the file
/// has grown since: reading begins anew at the start. A file that is missing for a while is waited for.
class FileLines {
 public:
  /// `at`: where to begin if the file is still there, under its name or another in the same folder (it was rotated
  /// meanwhile: then it is read to its end first); else at the start of the named one.
  explicit FileLines(std::string path, FilePosition at = {});
  ~FileLines();
  FileLines(const FileLines&) = delete;
  FileLines& operator=(const FileLines&) = delete;

  /// Hands over the complete lines that are there now, without their ends; a line that is being written waits.
  /// `take` returns false to stop early. Never blocks, and reads 4 MiB at most. False if the file cannot be opened (it
  /// may come yet), or read: then position() is behind the last line handed over, and the next poll() goes on there.
  bool poll(const std::function<bool(std::string_view)>& take);
  /// The last poll() ended at its 4 MiB: there is more.
  [[nodiscard]] bool has_more() const { return has_more_; }
  /// Of the next line that will be handed over; from within `take`, of the one behind that line.
  [[nodiscard]] FilePosition position() const;
  /// Opens the file if it is there, and returns where reading begins.
  FilePosition begin();
  /// Waits until the file changes or `seconds` have passed (inotify; a plain wait where that is not to be had). Not if
  /// has_more().
  void wait(double seconds);
  /// What the operator should know since the last question, a sentence: the file is none, not the one it was, or cannot
  /// be read (once, until it can or the reason is another).
  [[nodiscard]] std::string take_problem() { return std::exchange(problem_, {}); }

 private:
  bool open();
  int open_rotated();
  int open_regular(const std::string& path, struct stat& status);
  int open_next();
  void read_from(int file, ino_t inode);
  [[nodiscard]] bool is_before_position(std::string_view bytes) const;
  std::optional<std::string> read_at(int file, std::uint64_t offset, std::size_t most);
  std::optional<std::string> before(int file, std::uint64_t offset);
  bool read_new(const std::function<bool(std::string_view)>& take);
  bool read_all(const std::function<bool(std::string_view)>& take);
  void pass(std::string_view bytes);

  std::string path_;
  FilePosition position_;  // with the fingerprint it began with
  std::string passed_;     // the last bytes before it, for the next fingerprint
  bool has_more_ = false;
  bool is_other_ = false;  // what was opened last is no regular file
  int error_ = 0;          // errno of the last poll() that could not read
  std::string problem_;
  int file_ = -1, watch_ = -1;
};

}  // namespace reach::queuelog
