#include "daemon/shell/snapshots.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "daemon/replica/replica.hpp"

namespace reach::shell {
namespace {

constexpr int background_priority = 10;  // of -20 to 19: the live engine comes first
constexpr auto retry_after = std::chrono::seconds(30), retry_at_least = std::chrono::seconds(3600);

/// The daemon ends: what is being made is given up.
struct Stopped {};

}  // namespace

Snapshots::Snapshots(log::EventLog& log, Config configuration, std::uint64_t every, std::uint64_t unread,
                     std::optional<ReadySnapshot> ready, std::function<void(const std::string&)> say)
    : log_(log),
      configuration_(std::move(configuration)),
      every_(every),
      say_(std::move(say)),
      bytes_(0),
      next_at_(ready || unread >= every ? 0 : every - unread),
      ready_(std::move(ready)) {
  thread_ = std::thread([this] { run(); });
}

Snapshots::~Snapshots() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Snapshots::log_is(std::uint64_t bytes) noexcept {
  bytes_ = bytes;
  if (bytes >= next_at_) wake_.notify_one();
}

SnapshotCounts Snapshots::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Snapshots::run() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), background_priority);
  std::unique_lock lock(mutex_);
  std::chrono::seconds pause = retry_after;  // doubled with each failure in a row
  while (!stopping_) {
    // The notifier takes no lock, so a wake-up can be missed: look again now and then.
    wake_.wait_for(lock, std::chrono::milliseconds(500), [this] { return stopping_ || bytes_ >= next_at_; });
    if (stopping_ || bytes_ < next_at_) continue;
    lock.unlock();
    std::string problem;
    try {
      make();
    } catch (const Stopped&) {
    } catch (const std::exception& e) {
      problem = e.what();
    }
    lock.lock();
    if (problem.empty()) {
      pause = retry_after;
      continue;
    }
    ++counts_.failed;
    say_("a snapshot could not be made, the next start reads more of the log: " + problem);
    wake_.wait_for(lock, pause, [this] { return stopping_.load(); });
    pause = std::min<std::chrono::seconds>(2 * pause, retry_at_least);
  }
}

void Snapshots::make() {
  const auto began = std::chrono::steady_clock::now();
  const std::uint64_t bytes = bytes_;
  if (ready_) {
    const ReadySnapshot ready = std::move(*ready_);
    ready_.reset();
    return keep(ready.number, bytes, began, [&](const std::function<void(std::string_view)>& append) {
      constexpr std::size_t piece = 1 << 20;
      for (std::size_t at = 0; at < ready.content.size(); at += piece)
        append(std::string_view(ready.content).substr(at, piece));
    });
  }
  const log::Lsn to = log_.durable();
  replica::Replica replica(configuration_);
  const replica::Recovery recovery = replica::recover(log_, to, replica, [this](log::Lsn) {
    if (stopping_) throw Stopped{};
  });
  if (recovery.snapshot >= to || replica.engine() == nullptr) {
    next_at_ = bytes + every_;
    return;
  }
  keep(to, bytes, began, [&](const std::function<void(std::string_view)>& append) { replica.save(append); });
}

void Snapshots::keep(log::Lsn number, std::uint64_t log_bytes, std::chrono::steady_clock::time_point began,
                     const std::function<void(const std::function<void(std::string_view)>&)>& content) {
  const std::uint64_t size = log_.keep_snapshot(number, [&](const std::function<void(std::string_view)>& append) {
    content([&](std::string_view piece) {
      if (stopping_) throw Stopped{};
      append(piece);
    });
  });
  next_at_ = log_bytes + std::max(every_, size);
  const std::lock_guard lock(mutex_);
  ++counts_.made;
  counts_.number = number;
  counts_.bytes = size;
  counts_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace reach::shell
