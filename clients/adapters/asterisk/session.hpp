// The connection to Asterisk: a thread that does nothing but drain the socket and pass on what it means.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "clients/adapters/asterisk/dialogue.hpp"

namespace reach::asterisk {

struct SessionCalls {
  std::function<void(const v1::Event&)> event;            ///< must not block
  std::function<void(Time now)> passed;                   ///< all events up to now are said; a few times a second
  std::function<void(const DialogueMemory&)> memory;      ///< it changed; at most once a tick
  std::function<void(bool hears)> upstream;               ///< whether Asterisk is heard
  std::function<void(const std::string&)> problem, note;  ///< sentences for the operator
};

/// Connects, and again after every failure: first after half a second, then twice as long, at most ten seconds. All
/// calls come from the session's own thread.
class Session {
 public:
  Session(std::string host, std::uint16_t port, AmiDialogue dialogue, SessionCalls calls);
  /// Ends at once; what was held as a verdict is said before, and that wrap-ups end.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reach::asterisk
