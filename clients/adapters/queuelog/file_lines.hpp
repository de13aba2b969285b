// A growing text file as lines, through rotation and truncation.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace reach::queuelog {

/// Where reading stands: enough to go on after a restart.
struct FilePosition {
  ino_t inode = 0;
  std::uint64_t offset = 0;  ///< of the first byte not yet handed over; always at the start of a line
};

/// Follows a file by name. Rotation (the name shows another file): the old one is read to its end first. Truncation
/// (copytruncate): reading begins anew at the start. A file that is missing for a while is waited for.
class FileLines {
 public:
  /// `at`: where to begin if the file is still there, under its name or another in the same folder (it was rotated
  /// meanwhile: then it is read to its end first); else at the start of the named one.
  explicit FileLines(std::string path, FilePosition at = {});
  ~FileLines();
  FileLines(const FileLines&) = delete;
  FileLines& operator=(const FileLines&) = delete;

  /// Hands over the complete lines that are there now, without their ends; a line that is being written waits.
  /// `take` returns false to stop early. Never blocks. False if the file cannot be opened (it may come yet).
  bool poll(const std::function<bool(std::string_view)>& take);
  [[nodiscard]] FilePosition position() const { return position_; }
  /// Opens the file if it is there, and returns where reading begins.
  FilePosition begin();
  /// Waits until the file changes or `seconds` have passed (inotify; a plain wait where that is not to be had).
  void wait(double seconds);

 private:
  bool open();
  bool open_rotated();
  bool read_all(const std::function<bool(std::string_view)>& take);

  std::string path_, rest_;
  FilePosition position_;
  int file_ = -1, watch_ = -1;
};

}  // namespace reach::queuelog
