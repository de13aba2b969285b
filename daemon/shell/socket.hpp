// How reachd's ZeroMQ sockets are set up: every option said, none left to its default.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <zmq.hpp>

namespace reach::shell {

/// Why reachd cannot start, as a sentence, and the code to leave with.
struct StartProblem : std::runtime_error {
  StartProblem(const std::string& what, int code) : std::runtime_error(what), exit_code(code) {}
  int exit_code;
};

struct SocketLimits {
  int receive_queue;     ///< messages per peer; then its TCP connection is no longer read
  int send_queue;        ///< messages per peer; then they are dropped for that peer alone
  std::int64_t longest;  ///< bytes; a longer message disconnects its peer
};

[[nodiscard]] zmq::context_t make_context();
/// Bound to `endpoint`. Sends to peers that are gone fail (EHOSTUNREACH). Throws StartProblem.
[[nodiscard]] zmq::socket_t bind_router(zmq::context_t& context, const std::string& endpoint, SocketLimits limits);
/// Bound to `endpoint`. Tells every subscription, also repeated ones. Throws StartProblem.
[[nodiscard]] zmq::socket_t bind_xpub(zmq::context_t& context, const std::string& endpoint, SocketLimits limits);

/// Holds FILE.lock of an ipc:// endpoint, nothing for others: a second bind to a live ipc path would silently take it
/// over. Throws StartProblem if another process holds it.
class EndpointLock {
 public:
  explicit EndpointLock(const std::string& endpoint);
  ~EndpointLock();
  EndpointLock(const EndpointLock&) = delete;
  EndpointLock& operator=(const EndpointLock&) = delete;

 private:
  int fd_ = -1;
};

/// Tells when peers of a socket come and go. Belongs to the thread that polls it.
class SocketMonitor {
 public:
  /// `name`: unique in the context.
  SocketMonitor(zmq::context_t& context, zmq::socket_t& watched, const std::string& name);
  ~SocketMonitor();
  SocketMonitor(const SocketMonitor&) = delete;
  SocketMonitor& operator=(const SocketMonitor&) = delete;

  [[nodiscard]] zmq::socket_t& socket() noexcept { return events_; }
  enum class Seen { nothing, connected, disconnected, handshake_failed, other };
  /// The next event that waits, or `nothing`.
  [[nodiscard]] Seen next();

 private:
  zmq::socket_t& watched_;
  zmq::socket_t events_;
};

}  // namespace reach::shell
