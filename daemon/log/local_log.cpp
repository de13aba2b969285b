#include "daemon/log/local_log.hpp"

#include <chrono>
#include <system_error>
#include <utility>

#include "daemon/log/snapshots.hpp"

namespace reach::log {

namespace {

constexpr std::size_t small_payload = 64;

}  // namespace

LocalLog::LocalLog(Segments segments, LocalLogOptions options, std::function<void()> changed)
    : disk_(segments.disk()),
      segments_(std::move(segments)),
      options_(options),
      changed_(std::move(changed)),
      durable_(segments_.durable()),
      last_(segments_.durable()) {}

LocalLog::~LocalLog() {
  stop();
}

void LocalLog::read(Lsn from, Lsn to, const RecordVisit& visit) {
  read_records(*disk_, from, to, visit);
}

Lsn LocalLog::oldest() {
  const std::vector<SegmentFile> files = segment_files(*disk_);
  return files.empty() ? 0 : files.front().first;
}

std::uint64_t LocalLog::bytes_from(Lsn from) {
  std::uint64_t bytes = 0;
  const std::vector<SegmentFile> files = segment_files(*disk_);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (i + 1 == files.size() || files[i + 1].first > from) bytes += disk_->size(files[i].name);
  }
  return bytes;
}

void LocalLog::snapshots(const std::function<bool(Lsn, std::optional<std::string>)>& take) {
  const std::vector<SnapshotFile> files = snapshot_files(*disk_);
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (take(file->number, read_snapshot(*disk_, *file))) return;
  }
}

std::uint64_t LocalLog::keep_snapshot(
    Lsn number, const std::function<void(const std::function<void(std::string_view)>&)>& content) {
  const std::uint64_t bytes = write_snapshot(*disk_, number, content);
  // What is in the older of the two is needed no more, should the newer one be unreadable one day.
  const std::vector<SnapshotFile> files = snapshot_files(*disk_);
  if (files.size() >= 2) {
    const Time now = options_.wall_clock();
    const Time before = options_.retain_for >= now.time_since_epoch() ? Time{} : now - options_.retain_for;
    remove_old_segments(*disk_, files.front().number, before, options_.retain_bytes);
  }
  return bytes;
}

Lsn LocalLog::append(std::string payload) {
  const std::lock_guard lock(mutex_);
  const std::size_t bytes = payload.size() + record_header_bytes;
  if (stopping_) return 0;
  // Small records (signs of life, commands) find room where batches find none any more.
  const std::size_t room = options_.queue_bytes + (payload.size() <= small_payload ? options_.queue_bytes / 8 : 0);
  if (payload.size() > longest_payload || statistics_.queued_bytes + bytes > room) {
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
  if (problem_.empty() && writing_since_ &&
      std::chrono::steady_clock::now() - *writing_since_ > options_.answers_within) {
    return "the disk has not answered for over " + format_duration(options_.answers_within);
  }
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
      if (queue_.empty() && !group.empty()) {
        lock.unlock();
        segments_.confirm();  // time enough to prove the end of the log
        lock.lock();
      }
      group.clear();
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
  }
}

bool LocalLog::write(const std::vector<std::string>& group) {
  std::string problem;
  std::size_t bytes = 0;
  const auto began = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    writing_since_ = began;
  }
  try {
    bytes = segments_.write(group, options_.wall_clock());
  } catch (const std::system_error& e) {
    problem = e.what();
    if (e.code() == std::errc::no_space_on_device) problem += "; make room: reachd goes on by itself then";
  }
  const auto took = std::chrono::steady_clock::now() - began;
  const std::lock_guard lock(mutex_);
  writing_since_.reset();
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
