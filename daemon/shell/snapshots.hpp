// Makes snapshots in the background: a second reader of the log, with an engine of its own, so that the live one never
// waits. While one is made, the state is in memory twice.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/core/config.hpp"
#include "daemon/log/event_log.hpp"

namespace reach::shell {

struct SnapshotCounts {
  std::int64_t made = 0, failed = 0;
  log::Lsn number = 0;      ///< record of the last one
  std::uint64_t bytes = 0;  ///< of the last one
  double seconds = 0;       ///< that it took
};

/// A snapshot that has only to be written.
struct ReadySnapshot {
  log::Lsn number = 0;
  std::string content;
};

class Snapshots {
 public:
  /// `every`: a snapshot after so many bytes of log, or as many as the last one was long, whichever is more.
  /// `unread`: bytes of the log that no snapshot covers yet. `ready`: written first.
  /// `say`: called from the thread of its own, with a sentence, when something failed.
  Snapshots(log::EventLog& log, Config configuration, std::uint64_t every, std::uint64_t unread,
            std::optional<ReadySnapshot> ready, std::function<void(const std::string&)> say);
  ~Snapshots();  ///< gives up the one that is being made

  /// The log has grown to so many bytes since the start. Cheap; never blocks.
  void log_is(std::uint64_t bytes) noexcept;
  [[nodiscard]] SnapshotCounts counts() const;

 private:
  void run();
  void make();
  void keep(log::Lsn number, std::uint64_t log_bytes, std::chrono::steady_clock::time_point began,
            const std::function<void(const std::function<void(std::string_view)>&)>& content);

  log::EventLog& log_;
  const Config configuration_;
  const std::uint64_t every_;
  const std::function<void(const std::string&)> say_;
  std::atomic<std::uint64_t> bytes_, next_at_;
  std::optional<ReadySnapshot> ready_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  SnapshotCounts counts_;
  std::thread thread_;
};

}  // namespace reach::shell
