// Adapters and bare ZeroMQ peers as processes of their own, for benchmarks that go through sockets.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/process.hpp"

namespace reach::bench {

/// A process that runs `work` and ends; killed at the end of this object. Made by fork(), so start it before this
/// process has a ZeroMQ context or threads.
class Peer {
 public:
  explicit Peer(const std::function<void()>& work);
  ~Peer();
  Peer(Peer&& other) noexcept;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// Until it has ended by itself. Throws std::runtime_error if its work failed.
  void wait();

 private:
  pid_t pid_ = -1;
};

/// ToDaemon messages of one adapter, made before the clock runs.
struct Frames {
  std::string source;
  int batch = 0;                    ///< events in each
  std::vector<std::string> frames;  ///< EventBatches with the numbers from 1 on
  /// The first event's time by the adapter's clock. That is an hour slow, as the Hello tells the daemon: so the events
  /// are those of the moment in which they are sent, though they were made before.
  std::uint64_t begin_ns = 0;
};
/// `live`: calls at a time; as many events as twice that leave so many callers talking.
[[nodiscard]] Frames frames_of(const std::string& source, int batch, std::int64_t events, int segments,
                               std::int64_t live = 1'000);

/// Sends everything to the ROUTER at `endpoint`, never more than the credit of its Welcome unacknowledged, and waits
/// for the last acknowledgement. Returns the seconds from the first batch to that. Throws std::runtime_error if the
/// other side rejects something or is silent for 30 s. `rate`: so many events/s at most; 0: as fast as it goes. `keys`:
/// to speak CURVE with.
double send_all(const std::string& endpoint, const Frames& frames, double rate = 0, const CurveKeys* keys = nullptr);
/// All adapters at once, each a process; returns events/s until the last of them has its last acknowledgement.
double events_per_second(const std::string& endpoint, const std::vector<Frames>& adapters,
                         const CurveKeys* keys = nullptr);

/// The limit: a bare ROUTER at `endpoint` that welcomes, takes what waits, and acknowledges it with one message for
/// each peer and round. It parses nothing of the events and keeps nothing. `batch`: events in each message. Never
/// returns.
[[noreturn]] void bare_router(const std::string& endpoint, int batch, const CurveKeys* keys = nullptr);

}  // namespace reach::bench
