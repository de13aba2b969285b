#include "daemon/shell/unread.hpp"

#include <algorithm>
#include <utility>

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
  if (bytes() >= most_of_all_) return false;
  const auto found = of_peer_.find(peer);
  return found == of_peer_.end() || found->second->load(std::memory_order_relaxed) < most_of_one_;
}

zmq::message_t Unread::message(const std::string& peer, std::string bytes) {
  if (of_peer_.size() >= forget_at_) {
    std::erase_if(of_peer_, [](const auto& each) { return each.second->load(std::memory_order_relaxed) == 0; });
    forget_at_ = std::max<std::size_t>(64, 2 * of_peer_.size());
  }
  std::shared_ptr<Bytes>& of_one = of_peer_[peer];
  if (!of_one) of_one = std::make_shared<Bytes>(0);
  auto held = std::make_unique<Held>(std::move(bytes), of_one, all_);
  zmq::message_t message(
      held->bytes.data(), held->bytes.size(), [](void*, void* hint) { delete static_cast<Held*>(hint); }, held.get());
  static_cast<void>(held.release());  // it is the message's now
  return message;
}

}  // namespace reach::shell
