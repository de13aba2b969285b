#include "clients/library/socket.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace reach::client {

zmq::socket_t connect_socket(zmq::context_t& context, zmq::socket_type type, const std::string& endpoint,
                             const ClientKeys& keys, std::optional<CutMonitor>* cuts) {
  zmq::socket_t socket(context, type);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, 100'000);
  socket.set(zmq::sockopt::rcvhwm, 100'000);
  socket.set(zmq::sockopt::maxmsgsize, std::int64_t{64} * 1024 * 1024);
  socket.set(zmq::sockopt::handshake_ivl, 5000);
  socket.set(zmq::sockopt::heartbeat_ivl, 2000);
  socket.set(zmq::sockopt::heartbeat_timeout, 6000);
  socket.set(zmq::sockopt::heartbeat_ttl, 10000);
  socket.set(zmq::sockopt::reconnect_ivl, 50);
  socket.set(zmq::sockopt::reconnect_ivl_max, 1000);
  if (keys.given() && endpoint.starts_with("tcp://")) {
    socket.set(zmq::sockopt::curve_serverkey, keys.server);
    socket.set(zmq::sockopt::curve_publickey, keys.open);
    socket.set(zmq::sockopt::curve_secretkey, keys.secret);
  }
  if (cuts != nullptr) cuts->emplace(context, socket, endpoint, keys);
  try {
    socket.connect(endpoint);
  } catch (const zmq::error_t& error) {
    if (cuts != nullptr) cuts->reset();
    throw std::invalid_argument("cannot connect to \"" + endpoint + "\": " + error.what() +
                                "; expected is tcp://HOST:PORT or ipc://PATH");
  }
  return socket;
}

CutMonitor::CutMonitor(zmq::context_t& context, zmq::socket_ref watched, std::string endpoint, ClientKeys keys)
    : watched_(watched),
      events_(context, zmq::socket_type::pair),
      endpoint_(std::move(endpoint)),
      keys_(std::move(keys)) {
  // One monitor a socket: the socket's own address names it apart from all others of this context.
  const std::string address = "inproc://monitor-" + std::to_string(reinterpret_cast<std::uintptr_t>(watched.handle()));
  constexpr int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                         ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
  if (zmq_socket_monitor(watched.handle(), address.c_str(), events) != 0) throw zmq::error_t();
  events_.set(zmq::sockopt::linger, 0);
  events_.connect(address);
}

CutMonitor::~CutMonitor() {
  zmq_socket_monitor(watched_.handle(), nullptr, 0);
}

bool CutMonitor::cut() {
  bool seen = false;
  zmq::message_t event, address;
  while (events_.recv(event, zmq::recv_flags::dontwait)) {
    (void)events_.recv(address, zmq::recv_flags::none);  // the second frame of the same message is there
    std::uint16_t id = 0;
    if (event.size() >= sizeof id) std::memcpy(&id, event.data(), sizeof id);
    switch (id) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        established_ = true;
        broken_handshakes_ = 0;
        break;
      case ZMQ_EVENT_DISCONNECTED:
        seen |= std::exchange(established_, false);
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        refused_ = "reachd refuses the key of " + keys_.files.key_file + " at " + endpoint_ +
                   ": it is not among its allowed keys, or its role may not use this socket";
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        refused_ = "reachd at " + endpoint_ +
                   (keys_.given() ? " speaks without keys, and this program only with them: leave them out, or set "
                                    "[security] key_file there"
                                  : " lets in only who has a key: give --key and --server-key (key_file and "
                                    "server_key_file in a configuration)");
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        // Once may be a daemon that ends; again at once is one that cannot read what is encrypted for another, or waits
        // for something encrypted.
        if (++broken_handshakes_ < 3) break;
        refused_ = "reachd at " + endpoint_ + " ends the connection: " +
                   (keys_.given() ? "is " + keys_.files.server_key_file + " really the public key of that daemon?"
                                  : "it may let in only who has a key (--key and --server-key)");
        break;
      default:
        break;
    }
  }
  return seen;
}

std::thread start_quiet_thread(std::function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // a thread inherits the mask
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

Wake::Wake() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Wake::~Wake() {
  close(fd_);
}

void Wake::notify() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);  // full means: already woken
}

void Wake::clear() const noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(fd_, &count, sizeof count);
}

}  // namespace reach::client
