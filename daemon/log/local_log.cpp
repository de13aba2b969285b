#include "daemon/log/local_log.hpp"

#include <system_error>
#include <utility>

namespace reach::log {

LocalLog::LocalLog(Segments segments, LocalLogOptions options, std::function<void()> changed)
    : segments_(std::move(segments)),
      options_(options),
      changed_(std::move(changed)),
      durable_(segments_.durable()),
      last_(segments_.durable()) {}

LocalLog::~LocalLog() {
  stop();
}

void LocalLog::read(Lsn from, const std::function<void(Lsn, std::string_view)>& visit) {
  segments_.read(from, visit);
}

Lsn LocalLog::append(std::string payload) {
  const std::lock_guard lock(mutex_);
  const std::size_t bytes = payload.size() + record_header_bytes;
  if (stopping_) return 0;
  if (payload.size() > longest_payload || statistics_.queued_bytes + bytes > options_.queue_bytes) {
    if (problem_.empty()) {
      problem_ = "the disk is too slow: " + std::to_string(options_.queue_bytes >> 20) + " MiB of events wait for it";
    }
    return 0;
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  statistics_.queued_bytes += bytes;
  queue_.push_back(std::move(payload));
  if (queue_.size() == 1) wake_.notify_one();
  return ++last_;
}

std::string LocalLog::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

Statistics LocalLog::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

bool LocalLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  return durable() == last_;
}

void LocalLog::run() {
  std::vector<std::string> group;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !queue_.empty() || stopping_; });
      if (queue_.empty()) return;
      std::swap(group, queue_);
    }
    while (!write(group)) {
      changed_();
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, options_.retry, [this] { return stopping_; });
      if (stopping_) return;  // nobody was told that these are durable
    }
    changed_();
    group.clear();
  }
}

bool LocalLog::write(const std::vector<std::string>& group) {
  std::string problem;
  std::size_t bytes = 0;
  const auto began = std::chrono::steady_clock::now();
  try {
    bytes = segments_.write(group);
  } catch (const std::system_error& e) {
    problem = e.what();
    if (e.code() == std::errc::no_space_on_device) problem += "; make room: reachd goes on by itself then";
  }
  const auto took = std::chrono::steady_clock::now() - began;
  const std::lock_guard lock(mutex_);
  problem_ = problem;
  if (!problem.empty()) {
    ++statistics_.failures;
    return false;
  }
  for (const std::string& payload : group) statistics_.queued_bytes -= payload.size() + record_header_bytes;
  statistics_.records += group.size();
  statistics_.bytes += bytes;
  statistics_.sync.add(took);
  durable_.store(segments_.durable(), std::memory_order_release);
  return true;
}

}  // namespace reach::log
