#include "daemon/settings/endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

namespace reach::settings {
namespace {

constexpr std::size_t socket_path_max = 107;  // sun_path without its end

enum class Host { none, loopback, other };

/// Of "127.0.0.1:5570" or "[::1]:5570"; none if it is no address with a port at all.
Host host_of(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return Host::none;
  const auto port_text = address.substr(colon + 1);
  int port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc() || end != port_text.data() + port_text.size() || port < 1 || port > 65535) return Host::none;
  std::string host(address.substr(0, colon));
  if (host.empty() || host.find_first_of("@/ ") != std::string::npos) return Host::none;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return ntohl(v4.s_addr) >> 24U == 127 ? Host::loopback : Host::other;
  }
  if (host.front() == '[' && host.back() == ']') {
    in6_addr v6{};
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) != 1) return Host::none;
    return IN6_IS_ADDR_LOOPBACK(&v6) ? Host::loopback : Host::other;
  }
  return host.find(':') == std::string::npos ? Host::other : Host::none;
}

}  // namespace

std::optional<std::pair<std::string, std::string>> socket_problem(std::string_view endpoint) {
  constexpr std::string_view tcp = "tcp://";
  constexpr std::string_view ipc = "ipc://";
  if (endpoint.starts_with(ipc)) {
    const auto path = endpoint.substr(ipc.size());
    if (path.starts_with('/') && path.size() > 1 && path.size() <= socket_path_max) return std::nullopt;
    return {{"has no absolute path of at most 107 characters",
             "expected an endpoint such as \"ipc:///run/reachd/ingest\""}};
  }
  const auto host = endpoint.starts_with(tcp) ? host_of(endpoint.substr(tcp.size())) : Host::none;
  if (host != Host::none) return std::nullopt;
  return {{"is no endpoint", "expected \"tcp://127.0.0.1:PORT\", \"tcp://[::1]:PORT\" or \"ipc:///PATH\""}};
}

bool leaves_machine(std::string_view endpoint) {
  constexpr std::string_view tcp = "tcp://";
  return endpoint.starts_with(tcp) && host_of(endpoint.substr(tcp.size())) == Host::other;
}

std::optional<std::pair<std::string, std::string>> metrics_problem(std::string_view endpoint) {
  constexpr std::string_view http = "http://";
  if (endpoint == "off") return std::nullopt;
  const auto host = endpoint.starts_with(http) ? host_of(endpoint.substr(http.size())) : Host::none;
  if (host == Host::loopback) return std::nullopt;
  if (host == Host::none) return {{"is no address", "expected \"http://127.0.0.1:PORT\" or \"off\""}};
  return {{"can be reached from other machines without encryption or keys",
           "expected \"http://127.0.0.1:PORT\", with a proxy that encrypts and signs in before it, or \"off\""}};
}

}  // namespace reach::settings
