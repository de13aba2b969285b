#include "daemon/shell/connections.hpp"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace reach::shell {
namespace {

/// 0 if `fd` is no socket (any more).
std::uint64_t cookie_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

/// Bytes that came in so far; nullopt if `fd` is no TCP connection (any more).
std::optional<std::uint64_t> received_by(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return info.tcpi_bytes_received;
}

std::size_t bytes_of(const std::set<std::string, std::less<>>& subscriptions) {
  std::size_t bytes = 0;
  for (const std::string& each : subscriptions) bytes += each.size();
  return bytes;
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
  Peer& peer = peers_[fd];
  peer.cookie = cookie_of(fd);
  peer.address = peer_address(fd);
  peer.silent_since = ++opened_;
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
  subscription_bytes_ -= bytes_of(found->second.subscriptions);
  if (heard_last_ == fd) heard_last_ = -1;
  peers_.erase(found);
}

bool Connections::subscribed(int fd, std::string_view key, std::string_view prefix) {
  const auto found = peers_.find(fd);
  if (found == peers_.end()) return true;  // the last words of one that left
  Peer& peer = found->second;
  if (peer.key.empty()) peer.key = key;
  if (peer.subscriptions.size() < most_subscriptions_) {
    if (peer.subscriptions.emplace(prefix).second) subscription_bytes_ += prefix.size();
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
  if (known == found->second.subscriptions.end()) return;
  subscription_bytes_ -= prefix.size();
  found->second.subscriptions.erase(known);
}

std::optional<int> Connections::relieve_subscriptions() {
  if (subscription_bytes_ <= most_subscription_bytes) return std::nullopt;
  const auto greediest =
      std::ranges::max_element(peers_, {}, [](const auto& each) { return bytes_of(each.second.subscriptions); });
  cut(greediest->first);
  subscription_bytes_ -= bytes_of(greediest->second.subscriptions);
  greediest->second.subscriptions.clear();
  return greediest->first;
}

void Connections::heard(int fd) {
  if (fd == heard_last_) return;
  const auto found = peers_.find(fd);
  if (found == peers_.end()) return;
  found->second.heard = true;
  heard_last_ = fd;
}

std::vector<Connections::Unheard> Connections::cut_unheard(std::uint64_t most_of_one, std::uint64_t most_of_all,
                                                           std::chrono::steady_clock::time_point now) {
  constexpr double forgiven_per_second = 100;
  const std::chrono::duration<double> since = now - counted_at_;
  const auto forgiven = static_cast<std::uint64_t>(std::clamp(since.count(), 0.0, 10.0) * forgiven_per_second);
  counted_at_ = now;
  heard_last_ = -1;
  std::vector<Unheard> unheard;
  std::uint64_t all = 0;
  for (auto& [fd, peer] : peers_) {
    const auto received = peer.cookie == 0 ? std::nullopt : received_by(fd);
    if (!received) continue;
    const std::uint64_t more = *received - std::min(peer.received, *received);
    peer.unheard = peer.heard ? 0 : peer.unheard + more - std::min(peer.unheard + more, forgiven);
    peer.heard = false;
    peer.received = *received;
    if (peer.unheard == 0) continue;
    all += peer.unheard;
    unheard.push_back({fd, peer.unheard});
  }
  std::ranges::sort(unheard, std::greater{}, &Unheard::bytes);
  std::vector<Unheard> gone;
  for (const Unheard& each : unheard) {
    if (each.bytes <= most_of_one && all <= most_of_all) break;
    all -= each.bytes;
    if (cut(each.fd)) gone.push_back(each);
  }
  return gone;
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
