// The event log on this machine's disk: a queue, one thread, one write and one sync for everything that waits.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/log/segments.hpp"

namespace reach::log {

struct LocalLogOptions {
  /// Bound of the queue of records that are not durable yet, the group being written included. When it is full,
  /// append() takes nothing: the caller tells its adapters to keep their events.
  std::size_t queue_bytes = 256U << 20;
  /// How long to wait before writing again after a failure.
  std::chrono::milliseconds retry{1000};
  /// problem() says so of a write or sync that takes longer.
  std::chrono::milliseconds answers_within{5000};
  Duration retain_for = Duration::max();                                   ///< records that are older than this may go
  std::uint64_t retain_bytes = std::numeric_limits<std::uint64_t>::max();  ///< beyond it the oldest go first
  /// What time a new file says it was begun at.
  std::function<Time()> wall_clock = [] {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  };
};

class LocalLog final : public EventLog {
 public:
  /// `changed` is called from the log's thread whenever it made records durable, or failed to. It must not block. That
  /// the queue is full, or that the disk does not answer, is known to problem() alone.
  LocalLog(Segments segments, LocalLogOptions options, std::function<void()> changed);
  ~LocalLog() override;  ///< stop(), where that was not called

  void read(Lsn from, Lsn to, const RecordVisit& visit) override;
  [[nodiscard]] Lsn oldest() override;
  [[nodiscard]] std::uint64_t bytes_from(Lsn from) override;
  void snapshots(const std::function<bool(Lsn, std::optional<std::string>)>& take) override;
  std::uint64_t keep_snapshot(
      Lsn number, const std::function<void(const std::function<void(std::string_view)>&)>& content) override;
  Lsn append(std::string payload) override;
  [[nodiscard]] Lsn durable() const noexcept override { return durable_.load(std::memory_order_acquire); }
  [[nodiscard]] std::string problem() const override;
  [[nodiscard]] Statistics statistics() const override;
  bool stop() override;

 private:
  void run();
  bool write(const std::vector<std::string>& group);

  const std::shared_ptr<Disk> disk_;
  Segments segments_;  ///< the log thread's, once the first append() started it
  const LocalLogOptions options_;
  const std::function<void()> changed_;
  std::atomic<Lsn> durable_;

  mutable std::mutex mutex_;  ///< held for a few instructions only, never over a system call
  std::condition_variable wake_;
  std::vector<std::string> queue_;
  Lsn last_ = 0;  ///< number of the last record taken
  bool stopping_ = false;
  std::string problem_;
  std::optional<std::chrono::steady_clock::time_point> writing_since_;
  Statistics statistics_;

  std::thread thread_;
};

}  // namespace reach::log
