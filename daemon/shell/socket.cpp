#include "daemon/shell/socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "daemon/program/program.hpp"

namespace reach::shell {
namespace {

/// ZMQ_ZAP_ENFORCE_DOMAIN, which Debian's header leaves out as a draft and its library has: without it a socket whose
/// Zap is gone would let in everybody who knows the daemon's public key.
constexpr int zap_enforce_domain = 93;

/// An encrypted handshake takes two journeys there and back; who says nothing holds a descriptor for so long.
constexpr int handshake_ms = 3'000;

void set_guard(zmq::socket_t& socket, const Guard& guard) {
  socket.set(zmq::sockopt::curve_server, 1);
  socket.set(zmq::sockopt::curve_secretkey, guard.secret);
  socket.set(zmq::sockopt::zap_domain, std::string(keys::to_text(guard.door)));
  const int on = 1;
  if (zmq_setsockopt(socket.handle(), zap_enforce_domain, &on, sizeof on) != 0) throw zmq::error_t();
}

zmq::socket_t make(zmq::context_t& context, zmq::socket_type type, const SocketLimits& limits) {
  namespace opt = zmq::sockopt;
  zmq::socket_t socket(context, type);
  socket.set(opt::linger, 500);  // last acknowledgements get half a second at the end
  socket.set(opt::rcvhwm, limits.receive_queue);
  socket.set(opt::sndhwm, limits.send_queue);
  socket.set(opt::maxmsgsize, limits.longest);
  socket.set(opt::handshake_ivl, handshake_ms);
  socket.set(opt::heartbeat_ivl, 2'000);
  socket.set(opt::heartbeat_timeout, 6'000);
  socket.set(opt::heartbeat_ttl, 10'000);
  socket.set(opt::backlog, 512);
  socket.set(opt::tcp_keepalive, 1);
  socket.set(opt::ipv6, 1);
  socket.set(opt::immediate, 1);
  return socket;
}

void bind(zmq::socket_t& socket, const std::string& endpoint) {
  try {
    socket.bind(endpoint);
  } catch (const zmq::error_t& e) {
    const bool taken = e.num() == EADDRINUSE || e.num() == EACCES || e.num() == ENODEV || e.num() == EADDRNOTAVAIL;
    throw StartProblem(
        "cannot listen at " + endpoint + ": " + e.what() +
            (e.num() == EADDRINUSE ? "; another program has it: stop that one, or set another [endpoints]"
                                   : "; check [endpoints] of the configuration"),
        taken ? program::exit_not_reachable : program::exit_configuration);
  }
}

}  // namespace

zmq::context_t make_context() {
  zmq::context_t context;
  context.set(zmq::ctxopt::io_threads, 1);
  context.set(zmq::ctxopt::max_sockets, 64);
  context.set(zmq::ctxopt::blocky, 0);
  return context;
}

std::string_view key_of(zmq::message_t& frame) noexcept {
  const char* key = zmq_msg_gets(frame.handle(), "User-Id");
  return key == nullptr ? std::string_view() : std::string_view(key);
}

int descriptor_of(zmq::message_t& frame) noexcept {
  return zmq_msg_get(frame.handle(), ZMQ_SRCFD);
}

zmq::socket_t bind_router(zmq::context_t& context, const std::string& endpoint, SocketLimits limits,
                          const Guard& guard) {
  zmq::socket_t socket = make(context, zmq::socket_type::router, limits);
  socket.set(zmq::sockopt::router_mandatory, 1);
  socket.set(zmq::sockopt::router_handover, 0);
  if (guard.guards(endpoint)) set_guard(socket, guard);
  bind(socket, endpoint);
  return socket;
}

zmq::socket_t bind_xpub(zmq::context_t& context, const std::string& endpoint, SocketLimits limits, const Guard& guard) {
  zmq::socket_t socket = make(context, zmq::socket_type::xpub, limits);
  socket.set(zmq::sockopt::xpub_verboser, 1);
  socket.set(zmq::sockopt::xpub_nodrop, 0);  // one full subscriber must not stop the others
  if (guard.guards(endpoint)) set_guard(socket, guard);
  bind(socket, endpoint);
  return socket;
}

void set_send_queue(zmq::socket_t& socket, int messages) {
  socket.set(zmq::sockopt::sndhwm, messages);  // which libzmq hands on to the pipes of its peers
}

EndpointLock::EndpointLock(const std::string& endpoint) {
  constexpr std::string_view scheme = "ipc://";
  if (!endpoint.starts_with(scheme)) return;
  const std::string path = endpoint.substr(scheme.size()) + ".lock";
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) {
    throw StartProblem("cannot make " + path + " beside the socket: " + std::strerror(errno) +
                           "; make its directory, owned by the user reachd runs as",
                       program::exit_not_reachable);
  }
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    close(fd_);
    throw StartProblem(endpoint + " is in use by another reachd; stop it or give this one its own [endpoints]",
                       program::exit_not_reachable);
  }
}

EndpointLock::~EndpointLock() {
  if (fd_ >= 0) close(fd_);
}

SocketMonitor::SocketMonitor(zmq::context_t& context, zmq::socket_t& watched, const std::string& name)
    : watched_(watched), events_(context, zmq::socket_type::pair) {
  const std::string address = "inproc://" + name;
  if (zmq_socket_monitor(watched.handle(), address.c_str(),
                         ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                             ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL) != 0) {
    throw zmq::error_t();
  }
  events_.set(zmq::sockopt::linger, 0);
  events_.set(zmq::sockopt::rcvhwm, 10'000);
  events_.connect(address);
}

SocketMonitor::~SocketMonitor() {
  zmq_socket_monitor(watched_.handle(), nullptr, 0);
}

SocketMonitor::Event SocketMonitor::next() {
  zmq::message_t event, address;
  if (!events_.recv(event, zmq::recv_flags::dontwait)) return {};
  if (event.more()) static_cast<void>(events_.recv(address, zmq::recv_flags::none));
  std::uint16_t what = 0;
  std::int32_t value = -1;
  if (event.size() >= sizeof what + sizeof value) {
    std::memcpy(&what, event.data(), sizeof what);
    std::memcpy(&value, event.data<char>() + sizeof what, sizeof value);
  }
  switch (what) {
    case ZMQ_EVENT_ACCEPTED:
      return {Seen::connected, value};
    case ZMQ_EVENT_DISCONNECTED:
      return {Seen::disconnected, value};
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      return {Seen::handshake_failed, -1};
    default:
      return {Seen::other, -1};
  }
}

}  // namespace reach::shell
