// Events to reachd: numbered, acknowledged, sent again after every reconnect.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "clients/library/delivery.hpp"
#include "clients/library/spool.hpp"

namespace reach::client {

/// Sends events from any thread; owns one thread with the socket. Never blocks the caller for the network's sake.
/// What is said to the daemon and when: Delivery.
class Sender {
 public:
  /// `on_problem` is called from the sender's thread, with a sentence, when the daemon rejects, is lost or is back;
  /// the same sentence is not said twice in a row. Throws std::invalid_argument for a bad source or endpoint.
  Sender(SenderOptions options, std::unique_ptr<Spool> spool, std::function<void(const std::string&)> on_problem = {});
  ~Sender();  ///< stops at once; call drain() first to lose nothing
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  /// Queues one event; at once if the daemon is there. What does not fit the spool is counted as lost (Delivery::post).
  void post(const v1::Event& event) { post({&event, 1}, {}); }
  /// Queues `events` (one or more) that follow from one another: after a restart all of them were posted and bookmark()
  /// is `bookmark`, or none was and it is an earlier one. For adapters that read what can be read again.
  void post(std::span<const v1::Event> events, std::string_view bookmark);
  /// The newest bookmark that the spool kept, also of earlier runs; empty: none.
  [[nodiscard]] std::string bookmark() const;
  /// Whether the adapter hears its PBX; travels in the heartbeats, a change at once. Default true.
  void set_upstream_connected(bool connected);
  /// Waits until everything posted is acknowledged, at most `timeout`. True if it is.
  bool drain(std::chrono::milliseconds timeout);
  [[nodiscard]] SenderState state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reach::client
