#include "tests/sim/adapter.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace reach::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t most_travelling = 1000;
constexpr int most_steps = 1000;  // at one instant; it has no more to do at once
constexpr Duration try_again = milliseconds(100);

/// A disk that outlives the process that uses it.
class BorrowedDisk final : public log::Disk {
 public:
  explicit BorrowedDisk(std::shared_ptr<SimDisk> disk) : disk_(std::move(disk)) {}
  [[nodiscard]] std::string path() const override { return disk_->path(); }
  [[nodiscard]] std::vector<std::string> list() override { return disk_->list(); }
  [[nodiscard]] std::string read(const std::string& name) override { return disk_->read(name); }
  [[nodiscard]] std::string read_beginning(const std::string& name, std::size_t most) override {
    return disk_->read_beginning(name, most);
  }
  [[nodiscard]] std::uint64_t size(const std::string& name) override { return disk_->size(name); }
  std::unique_ptr<log::File> create(const std::string& name) override { return disk_->create(name); }
  void truncate(const std::string& name, std::uint64_t size) override { disk_->truncate(name, size); }
  void remove(const std::string& name) override { disk_->remove(name); }
  void rename(const std::string& from, const std::string& to) override { disk_->rename(from, to); }
  void sync_directory() override { disk_->sync_directory(); }

 private:
  std::shared_ptr<SimDisk> disk_;
};

}  // namespace

SimAdapter::SimAdapter(const Script& script, std::shared_ptr<SimDisk> disk, Way way, Duration clock_ahead,
                       Random& random, AdapterWatcher& watcher)
    : script_(script), disk_(std::move(disk)), way_(way), ahead_(clock_ahead), random_(random), watcher_(watcher) {}

client::Delivery::Now SimAdapter::local(Time now) const {
  return {client::Delivery::Time(now.time_since_epoch()), static_cast<std::uint64_t>(ns_of(now + ahead_))};
}

void SimAdapter::start(Time now) {
  now_ = now;
  client::SenderOptions options;
  options.source = script_.source;
  options.batch_limit = 1 + random_.pick(100);
  auto spool =
      client::file_spool(std::make_unique<BorrowedDisk>(disk_), static_cast<std::uint64_t>(ns_of(now + ahead_)));
  read_ = 0;
  if (const std::string bookmark = spool->bookmark(); !bookmark.empty())
    std::from_chars(bookmark.data(), bookmark.data() + bookmark.size(), read_);
  delivery_.emplace(options, std::move(spool), static_cast<client::DeliveryWorld&>(*this));
  delivery_->start(local(now));
}

void SimAdapter::kill(Time now) {
  now_ = now;
  disconnect();
  delivery_.reset();
}

void SimAdapter::disconnect() {
  if (connected_) watcher_.disconnected(peer_);
  connected_ = false;
  peer_.clear();
  to_daemon_.clear();
  to_adapter_.clear();
}

void SimAdapter::reconnect() {
  disconnect();
  peer_ = script_.source + '#' + std::to_string(++connections_);
  connect_at_ = now_ + random_.between(way_.least, way_.most);
}

void SimAdapter::cut(Time now) {
  now_ = now;
  disconnect();
  if (delivery_) delivery_->cut(local(now));
}

bool SimAdapter::send(const v1::ToDaemon& message) {
  if (to_daemon_.size() >= most_travelling) return false;
  put(to_daemon_, message.SerializeAsString());
  return true;
}

bool SimAdapter::from_daemon(const std::string& peer, const v1::ToAdapter& message) {
  if (!connected_ || peer != peer_) return false;
  if (to_adapter_.size() < most_travelling) put(to_adapter_, message.SerializeAsString());
  return true;
}

void SimAdapter::put(Queue& queue, std::string frame) {
  if (now_ < swallow_until_ || random_.chance(way_.lost)) return;
  const int times = random_.chance(way_.repeated) ? 2 : 1;
  for (int i = 0; i < times; ++i) {
    Time arrives = now_ + random_.between(way_.least, way_.most);
    if (way_.reorders) {
      const auto behind = std::ranges::upper_bound(queue, arrives, {}, &Travelling::arrives);
      queue.insert(behind, {arrives, frame});
    } else {
      if (!queue.empty()) arrives = std::max(arrives, queue.back().arrives);
      queue.push_back({arrives, frame});
    }
  }
}

std::optional<SimAdapter::Arrived> SimAdapter::to_daemon(Time now) {
  if (!connected_ || to_daemon_.empty() || to_daemon_.front().arrives > now) return std::nullopt;
  Arrived arrived{peer_, std::move(to_daemon_.front().frame)};
  to_daemon_.pop_front();
  return arrived;
}

void SimAdapter::work(Time now, bool daemon_up) {
  now_ = now;
  if (!delivery_) return;
  if (!connected_ && !peer_.empty() && now >= connect_at_) {
    if (daemon_up && now >= away_until_) {
      connected_ = true;
      watcher_.connected(peer_);
    } else {
      connect_at_ = std::max(now + try_again, away_until_);
    }
  }
  while (connected_ && !to_adapter_.empty() && to_adapter_.front().arrives <= now) {
    v1::ToAdapter message;
    const bool good = message.ParseFromString(to_adapter_.front().frame);
    to_adapter_.pop_front();
    if (good) delivery_->take(message, local(now));
  }
  std::vector<v1::Event> events;
  for (; read_ < script_.events.size() && time_of(script_.events[read_]) <= now; ++read_) {
    events.push_back(script_.events[read_]);
    events.back().set_time_ns(static_cast<std::uint64_t>(ns_of(time_of(events.back()) + ahead_)));
  }
  if (!events.empty()) delivery_->post(events, std::to_string(read_));
  int steps = 0;
  for (; steps < most_steps && delivery_->next_deadline() <= local(now).steady; ++steps) delivery_->step(local(now));
  if (steps == most_steps && !disk_->is_off()) throw Spins("goes round and does nothing: " + describe());
}

Time SimAdapter::next() const {
  if (!delivery_) return never;
  Time due = std::max(Time(std::chrono::duration_cast<Duration>(delivery_->next_deadline().time_since_epoch())),
                      now_ + Duration(1));
  if (read_ < script_.events.size()) due = std::min(due, time_of(script_.events[read_]));
  if (!connected_ && !peer_.empty()) due = std::min(due, connect_at_);
  if (connected_ && !to_daemon_.empty()) due = std::min(due, to_daemon_.front().arrives);
  if (connected_ && !to_adapter_.empty()) due = std::min(due, to_adapter_.front().arrives);
  return due;
}

bool SimAdapter::is_done() const {
  return delivery_ && read_ == script_.events.size() && delivery_->drained();
}

std::string SimAdapter::describe() const {
  if (!delivery_) return script_.source + " does not run";
  const client::SenderState state = delivery_->state();
  return script_.source + " read " + std::to_string(read_) + " of " + std::to_string(script_.events.size()) +
         ", holds " + std::to_string(state.pending) + ", " + (state.connected ? "connected" : "not connected") + ", " +
         state.last_problem;
}

}  // namespace reach::sim
