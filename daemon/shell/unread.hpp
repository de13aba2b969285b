// The answers that askers have not taken in yet.
#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <zmq.hpp>

namespace reach::shell {

/// Counts the bytes of the answers that libzmq holds, so that an asker who asks and does not read takes no more memory
/// than is granted: a send queue is bounded in messages, and a snapshot of a thousand segments has 280 KB. One thread
/// makes the messages; libzmq lets go of them in its own.
class Unread {
 public:
  /// An asker is answered while less than `most_of_one` bytes wait for him (so one answer may be of any size), and
  /// those for whom most waits are cut off when `most_of_all` wait for all of them.
  explicit Unread(std::size_t most_of_one = std::size_t{4} << 20, std::size_t most_of_all = std::size_t{512} << 20)
      : most_of_one_(most_of_one), most_of_all_(most_of_all), all_(std::make_shared<Bytes>(0)) {}

  /// Whether another answer may be made for `peer`.
  [[nodiscard]] bool has_room(const std::string& peer) const;
  /// What to send to `peer`: counted until it is sent, or dropped.
  [[nodiscard]] zmq::message_t message(const std::string& peer, std::string bytes);
  /// Where `peer` is connected, and who that is, for log lines.
  void is_at(const std::string& peer, int fd, const std::string& who);
  /// No peer is connected as `fd` any more.
  void gone(int fd);
  /// If more waits than may wait for all: gives those for whom most waits to `cut`, until three quarters would be left.
  /// `cut` says whether it ended that connection; then what waits there counts no more.
  void relieve(const std::function<bool(int fd, const std::string& who, std::size_t bytes)>& cut);
  /// Bytes that wait for anybody.
  [[nodiscard]] std::size_t bytes() const noexcept { return all_->load(std::memory_order_relaxed); }

 private:
  using Bytes = std::atomic<std::size_t>;
  struct Held;
  struct Peer {
    std::shared_ptr<Bytes> bytes = std::make_shared<Bytes>(0);
    int fd = -1;
    std::string who;
    bool is_cut = false;
  };
  const std::size_t most_of_one_, most_of_all_;
  std::shared_ptr<Bytes> all_;
  std::unordered_map<std::string, Peer> peers_;  // those for whom something waited lately
  std::size_t forget_at_ = 64;
};

}  // namespace reach::shell
