// How reachd's ZeroMQ sockets are set up: every option said, none left to its default.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <zmq.hpp>

#include "daemon/keys/key_files.hpp"

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

/// How a socket is guarded: with a secret, and on tcp://, it speaks CURVE and lets in whom Zap lets in, which must run.
struct Guard {
  std::string secret;  ///< of the daemon, Z85; empty: none
  keys::Door door;
  [[nodiscard]] bool guards(const std::string& endpoint) const {
    return !secret.empty() && endpoint.starts_with("tcp://");
  }
};

[[nodiscard]] zmq::context_t make_context();
/// Bound to `endpoint`. Sends to peers that are gone fail (EHOSTUNREACH). Throws StartProblem.
[[nodiscard]] zmq::socket_t bind_router(zmq::context_t& context, const std::string& endpoint, SocketLimits limits,
                                        const Guard& guard);
/// Bound to `endpoint`. Tells every subscription and its end, also repeated ones. Throws StartProblem.
[[nodiscard]] zmq::socket_t bind_xpub(zmq::context_t& context, const std::string& endpoint, SocketLimits limits,
                                      const Guard& guard);

/// From here on so many messages wait for each peer, also for those that are there.
void set_send_queue(zmq::socket_t& socket, int messages);

/// The public key (Z85) with which the peer came in that sent `frame`, a payload frame of a guarded socket; empty if
/// there is none. Never asked of a ROUTER's first frame: libzmq 4.3.4 loses it there after a poll.
[[nodiscard]] std::string_view key_of(zmq::message_t& frame) noexcept;
/// The descriptor of the connection that a payload frame came on; -1 if it is not known.
[[nodiscard]] int descriptor_of(zmq::message_t& frame) noexcept;

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
  struct Event {
    Seen seen = Seen::nothing;
    int fd = -1;  ///< of the connection that came or went
  };
  /// The next event that waits, or `nothing`. A failed handshake is followed by the end of its connection.
  [[nodiscard]] Event next();

 private:
  zmq::socket_t& watched_;
  zmq::socket_t events_;
};

}  // namespace reach::shell
