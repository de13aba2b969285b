// A directory on a simulated disk. What a power cut leaves of it is as bad as a file system may make it: of what was
// not synced any part may be there, torn at any byte, a later part without an earlier one (zeros in its place); names
// created, renamed and removed may be so or not. What was synced is there.
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/log/disk.hpp"
#include "tests/sim/random.hpp"

namespace reach::sim {

/// The power went in the middle of a call. For whoever drives the machine to catch, and for nobody on the way.
struct PowerCut : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "the power went"; }
};

class SimDisk final : public log::Disk {
 public:
  /// `random` outlives the disk.
  SimDisk(std::string path, Random& random) : path_(std::move(path)), random_(random) {}

  [[nodiscard]] std::string path() const override { return path_; }
  [[nodiscard]] std::vector<std::string> list() override;
  [[nodiscard]] std::string read(const std::string& name) override;
  [[nodiscard]] std::string read_beginning(const std::string& name, std::size_t most) override;
  [[nodiscard]] std::uint64_t size(const std::string& name) override;
  std::unique_ptr<log::File> create(const std::string& name) override;
  void truncate(const std::string& name, std::uint64_t size) override;
  void remove(const std::string& name) override;
  void rename(const std::string& from, const std::string& to) override;
  void sync_directory() override;

  // Faults. A call is one that reads or changes a file or the directory.

  /// The power goes in the call after `calls` more of them: throws PowerCut from there on, in whatever is called.
  void cut_power_in(std::uint64_t calls) { cut_at_ = calls_ + calls; }
  /// The call that changes something after `calls` more of them fails once.
  void fail_in(std::uint64_t calls) { fail_at_ = changes_ + calls; }
  /// Neither will happen.
  void stay_well() { cut_at_ = fail_at_ = std::numeric_limits<std::uint64_t>::max(); }
  /// While full, nothing can be created, and of what is appended only a part is taken.
  void set_full(bool full) { full_ = full; }
  [[nodiscard]] bool is_off() const { return off_; }
  /// While quiet, no fault happens: for looking at what is there.
  void set_quiet(bool quiet) { quiet_ = quiet; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }

  /// Only the process ended: everything written is still there. Files that are open take nothing more.
  void restart_process();
  /// The machine ended: what was not synced may be lost.
  void restart_machine();

 private:
  class OpenFile;
  struct Piece {
    std::size_t at = 0;
    std::string bytes;
    bool dropped = false;  ///< a sync failed: it will never reach the disk, though it can be read
  };
  struct Inode {
    std::string content;         ///< as it is read
    std::string durable;         ///< what surely survives
    std::vector<Piece> pending;  ///< appended since
    bool emptied = false;        ///< before `pending`; not synced
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  /// Happens to the durable names as a whole or not at all. Nothing: the name goes.
  using Change = std::vector<std::pair<std::string, std::shared_ptr<Inode>>>;

  void call();
  void change(const std::string& what);
  void append(Inode& inode, std::string_view bytes);
  void sync(Inode& inode);
  void lose_unsynced(Inode& inode);
  [[nodiscard]] Inode& find(const std::string& name);
  static void apply(Names& names, const Change& change);
  static void put(std::string& content, std::size_t at, std::string_view bytes);

  std::string path_;
  Random& random_;
  Names names_, durable_names_;
  std::vector<Change> changes_of_names_;  ///< since the last sync of the directory
  std::uint64_t generation_ = 0;          ///< of the process: files of an earlier one are closed
  std::uint64_t calls_ = 0, changes_ = 0;
  std::uint64_t cut_at_ = std::numeric_limits<std::uint64_t>::max(), fail_at_ = cut_at_;
  bool full_ = false, off_ = false, quiet_ = false;
};

}  // namespace reach::sim
