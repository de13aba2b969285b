// ZeroMQ sockets as every part of the client library wants them: each option explicit, cuts noticed, easy to wake.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "clients/library/keys.hpp"

namespace reach::client {

class CutMonitor;

/// A connected socket of `type` (DEALER or SUB) with its options set: no lingering, room for 100,000 messages each way
/// (ZeroMQ's default of 1000 loses a longer burst silently), messages of at most 64 MiB, dead peers noticed by
/// ZeroMQ's own heartbeats; encrypted over tcp:// if `keys` are given. `cuts` watches it from before it connects: a
/// connection that is established at once is seen, too. Throws std::invalid_argument with a sentence if `endpoint` is
/// no endpoint.
[[nodiscard]] zmq::socket_t connect_socket(zmq::context_t& context, zmq::socket_type type, const std::string& endpoint,
                                           const ClientKeys& keys, std::optional<CutMonitor>* cuts = nullptr);

/// Tells when an established connection of one socket is cut, and when the daemon does not let it in. Lives no longer
/// than the socket.
class CutMonitor {
 public:
  /// `endpoint` and `keys`: with which `watched` connects, for the sentences.
  CutMonitor(zmq::context_t& context, zmq::socket_ref watched, std::string endpoint, ClientKeys keys);
  ~CutMonitor();
  CutMonitor(const CutMonitor&) = delete;
  CutMonitor& operator=(const CutMonitor&) = delete;
  [[nodiscard]] zmq::socket_t& socket() noexcept { return events_; }
  /// Reads what has come in. True if the connection was cut.
  [[nodiscard]] bool cut();
  /// After cut(): why the daemon does not let this socket in, as a sentence; empty while that is not so. ZeroMQ does
  /// not try again by itself: another try needs another socket, after a while.
  [[nodiscard]] const std::string& refused() const noexcept { return refused_; }

 private:
  zmq::socket_ref watched_;
  zmq::socket_t events_;
  std::string endpoint_;
  ClientKeys keys_;
  bool established_ = false;
  int broken_handshakes_ = 0;
  std::string refused_;
};

/// A thread that takes no signals: they belong to whoever waits for them (a signal would interrupt its polls).
[[nodiscard]] std::thread start_quiet_thread(std::function<void()> body);

/// Wakes a thread that polls fd(); any number of notify() before the thread looks are one.
class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;
  [[nodiscard]] int fd() const noexcept { return fd_; }
  void notify() const noexcept;
  void clear() const noexcept;

 private:
  int fd_;
};

}  // namespace reach::client
