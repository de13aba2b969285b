#include "daemon/shell/connections.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace reach::shell {
namespace {

/// 0 if `fd` is no socket (any more).
std::uint64_t cookie_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

std::string peer_address(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "an unknown address";
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    const std::string_view plain = without_v4_prefix(text);
    const bool is_v4 = plain.size() < std::string_view(text).size();
    return (is_v4 ? std::string(plain) : "[" + std::string(plain) + "]") + ":" + std::to_string(ntohs(v6.sin6_port));
  }
  return "a local socket";
}

}  // namespace

std::string_view without_v4_prefix(std::string_view address) noexcept {
  constexpr std::string_view mapped = "::ffff:";
  const bool is_v4 = address.starts_with(mapped) && address.find('.') != std::string_view::npos;
  return is_v4 ? address.substr(mapped.size()) : address;
}

std::optional<int> Connections::opened(int fd) {
  closed(fd);
  peers_[fd] = {cookie_of(fd), peer_address(fd), {}, ++opened_, {}};
  silent_.emplace(opened_, fd);
  if (silent_.size() <= most_silent_) return std::nullopt;
  const int oldest = silent_.begin()->second;
  cut(oldest);
  return oldest;
}

bool Connections::spoke(int fd) {
  const auto found = peers_.find(fd);
  if (found == peers_.end() || found->second.silent_since == 0) return true;
  if (silent_.erase(found->second.silent_since) == 0) return true;  // it was cut off
  found->second.silent_since = 0;
  if (++spoken_ <= most_) return true;
  cut(fd);
  return false;
}

void Connections::closed(int fd) {
  const auto found = peers_.find(fd);
  if (found == peers_.end()) return;
  if (found->second.silent_since == 0) --spoken_;
  silent_.erase(found->second.silent_since);
  peers_.erase(found);
}

bool Connections::subscribed(int fd, std::string_view key, std::string_view prefix) {
  const auto found = peers_.find(fd);
  if (found == peers_.end()) return true;  // the last words of one that left
  Peer& peer = found->second;
  if (peer.key.empty()) peer.key = key;
  if (peer.subscriptions.size() < most_subscriptions_) {
    peer.subscriptions.emplace(prefix);
    return true;
  }
  if (peer.subscriptions.contains(prefix)) return true;
  cut(fd);
  return false;
}

void Connections::unsubscribed(int fd, std::string_view prefix) {
  const auto found = peers_.find(fd);
  if (found == peers_.end()) return;
  const auto known = found->second.subscriptions.find(prefix);
  if (known != found->second.subscriptions.end()) found->second.subscriptions.erase(known);
}

bool Connections::cut(int fd) {
  const auto found = peers_.find(fd);
  if (found != peers_.end()) silent_.erase(found->second.silent_since);
  if (found == peers_.end() || found->second.cookie == 0 || cookie_of(fd) != found->second.cookie) return false;
  shutdown(fd, SHUT_RDWR);
  found->second.cookie = 0;
  return true;
}

std::string Connections::address_of(int fd) const {
  const auto found = peers_.find(fd);
  return found == peers_.end() ? "an unknown address" : found->second.address;
}

}  // namespace reach::shell
