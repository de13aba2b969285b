#include "daemon/shell/unread.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace reach::shell {

/// A message's bytes, and where they are counted.
struct Unread::Held {
  Held(std::string text, std::shared_ptr<Bytes> one, std::shared_ptr<Bytes> all)
      : bytes(std::move(text)), of_one(std::move(one)), of_all(std::move(all)) {
    of_one->fetch_add(bytes.size(), std::memory_order_relaxed);
    of_all->fetch_add(bytes.size(), std::memory_order_relaxed);
  }
  ~Held() {
    of_one->fetch_sub(bytes.size(), std::memory_order_relaxed);
    of_all->fetch_sub(bytes.size(), std::memory_order_relaxed);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  std::string bytes;
  std::shared_ptr<Bytes> of_one, of_all;
};

bool Unread::has_room(const std::string& peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() || found->second.bytes->load(std::memory_order_relaxed) < most_of_one_;
}

void Unread::is_at(const std::string& peer, int fd, const std::string& who) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  if (found->second.fd != fd) found->second.is_cut = false;  // another connection under the same name
  found->second.fd = fd;
  found->second.who = who;
}

void Unread::gone(int fd) {
  for (auto& [name, peer] : peers_)
    if (peer.fd == fd) peer.fd = -1;
}

void Unread::relieve(const std::function<bool(int fd, const std::string& who, std::size_t bytes)>& cut) {
  if (bytes() < most_of_all_) return;
  std::vector<std::pair<std::size_t, Peer*>> most;
  std::size_t left = 0;
  for (auto& [name, peer] : peers_) {
    const std::size_t held = peer.bytes->load(std::memory_order_relaxed);
    if (held == 0 || peer.is_cut) continue;
    left += held;
    if (peer.fd >= 0) most.emplace_back(held, &peer);
  }
  if (left < most_of_all_) return;
  std::ranges::sort(most, std::greater{}, &std::pair<std::size_t, Peer*>::first);
  for (const auto& [held, peer] : most) {
    if (left < most_of_all_ / 4 * 3) return;
    if (!cut(peer->fd, peer->who, held)) continue;
    peer->is_cut = true;
    left -= held;
  }
}

zmq::message_t Unread::message(const std::string& peer, std::string bytes) {
  if (peers_.size() >= forget_at_) {
    std::erase_if(peers_, [](const auto& each) { return each.second.bytes->load(std::memory_order_relaxed) == 0; });
    forget_at_ = std::max<std::size_t>(64, 2 * peers_.size());
  }
  auto held = std::make_unique<Held>(std::move(bytes), peers_[peer].bytes, all_);
  zmq::message_t message(
      held->bytes.data(), held->bytes.size(), [](void*, void* hint) { delete static_cast<Held*>(hint); }, held.get());
  static_cast<void>(held.release());  // it is the message's now
  return message;
}

}  // namespace reach::shell
