// The doorkeeper: ZeroMQ asks it at every handshake on an encrypted socket whether this key may come in (RFC 27, ZAP).
//
// Who is refused here never gets a message through. The user id that ZeroMQ then puts on each message is the peer's
// public key, by which the engine thread finds its name, role and sources.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "daemon/keys/key_files.hpp"
#include "daemon/shell/wake.hpp"

namespace reach::shell {

/// Somebody or something that was turned away.
struct Refusal {
  std::string reason;  ///< for /metrics: unknown_key, role …
  std::string kind;    ///< of these a sample is logged
  std::string text;    ///< a sentence: who, from where, why
};

/// What was refused in a while, bounded however much it was.
struct Refusals {
  std::map<std::string, std::int64_t> counts;  ///< by reason
  std::vector<Refusal> samples;                ///< at most 20: one of a kind
  void add(Refusal refusal);
};

/// Whether a client with the public key `z85` may connect to the socket named `domain`; nullopt if it may.
/// `address`: where it comes from, for the sentence.
[[nodiscard]] std::optional<Refusal> refuse_at_door(const keys::AllowedKeys& allowed, std::string_view domain,
                                                    std::string_view z85, std::string_view address);

class Zap {
 public:
  /// From here on the sockets of `context` may be bound. One in a context. Throws zmq::error_t.
  Zap(zmq::context_t& context, std::shared_ptr<const keys::AllowedKeys> allowed);
  ~Zap();  ///< nobody else is let in
  Zap(const Zap&) = delete;
  Zap& operator=(const Zap&) = delete;

  // From any thread:
  /// Holds for later handshakes; who is in stays in.
  void set_allowed(std::shared_ptr<const keys::AllowedKeys> allowed);
  /// What was refused since the last call.
  [[nodiscard]] Refusals take_refusals();
  /// Why the thread ended by itself, which must end the daemon: nobody could come in any more. Empty while it lives.
  [[nodiscard]] std::string failure() const;

 private:
  void run();
  void answer(std::vector<zmq::message_t>& request);

  zmq::socket_t requests_;
  mutable std::mutex mutex_;  // guards the three that follow
  std::shared_ptr<const keys::AllowedKeys> allowed_;
  Refusals refusals_;
  std::string failure_;
  std::atomic<bool> stopping_{false};
  Wake wake_;
  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace reach::shell
