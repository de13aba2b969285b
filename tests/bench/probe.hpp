// One caller after another, each of whom raises an alert as he comes and ends it as he is answered: the way from an
// event to the alert at a subscriber, again and again.
#pragma once
#include <cstdint>
#include <string>
#include <vector>
#include <zmq.hpp>

namespace reach::bench {

/// Configuration of the segment in which the probe's callers wait: load.hpp's, and one more that may have nobody
/// waiting.
[[nodiscard]] std::string configuration_with_probe(int segments);

class Probe {
 public:
  /// Connects one sender and `subscribers` subscribers, and waits until all of them hear. Throws std::runtime_error if
  /// that takes over 30 s.
  Probe(const std::string& ingest, const std::string& publish, int subscribers);

  /// Sends `alerts` events, each at least `apart` after the one before. Returns the seconds from each event to each
  /// subscriber's alert. Throws std::runtime_error when one does not come within 30 s.
  [[nodiscard]] std::vector<double> measure(int alerts, double apart_s);

 private:
  void send();
  static void take_alert(zmq::socket_t& subscriber);

  zmq::context_t context_;
  zmq::socket_t sender_;
  std::vector<zmq::socket_t> subscribers_;
  std::uint64_t epoch_ = 0, next_ = 1, call_ = 0;
  bool waits_ = false;
};

/// The limit of that: a ROUTER that welcomes and acknowledges, and for each message of the probe an alert of the same
/// size on a PUB. Never returns.
[[noreturn]] void bare_alerts(const std::string& ingest, const std::string& publish);

}  // namespace reach::bench
