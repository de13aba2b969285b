// Events to reachd: numbered, acknowledged, sent again after every reconnect.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reachd/v1/event.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::client {

/// Where unacknowledged events wait. Implementations are used by one thread at a time.
class Spool {
 public:
  virtual ~Spool() = default;
  /// The numbering this spool holds; changes when an adapter begins anew. > 0.
  [[nodiscard]] virtual std::uint64_t epoch() const = 0;
  /// Number of the next event to be appended; starts at 1. Those held are the size() numbers before it.
  [[nodiscard]] virtual std::uint64_t next_sequence() const = 0;
  /// Keeps `event` under next_sequence(). False if the spool is full: the caller counts the loss.
  virtual bool append(const v1::Event& event) = 0;
  /// Calls `take` with the events from `first` on, in order, until it returns false or there are no more.
  virtual void read(std::uint64_t first, const std::function<bool(std::uint64_t, const v1::Event&)>& take) = 0;
  /// Everything up to and including `sequence` is durable at the daemon: forget it.
  virtual void acknowledged(std::uint64_t sequence) = 0;
  /// The daemon's next number is `sequence`, beyond next_sequence(): it has more than is remembered here. Forgets what
  /// was held before this run and numbers what was appended in it from `sequence` on. False if that cannot be.
  virtual bool continue_at(std::uint64_t /*sequence*/) { return false; }
  [[nodiscard]] virtual std::size_t size() const = 0;  ///< events held
};

/// A spool in memory: survives the daemon's death and a cut network, not the adapter's own end.
/// `epoch`: > 0 and new for every start, for example the start time in ns. `limit`: events held at most.
[[nodiscard]] std::unique_ptr<Spool> memory_spool(std::uint64_t epoch, std::size_t limit = 1'000'000);

/// A spool in memory and in files of `directory` (made, with mode 0700): survives the adapter's own end too, by kill -9
/// as well. It does not wait for the disk: what a power failure takes of the newest events was either taken by the
/// daemon before (its Welcome tells) or is lost with the machine. What the files cannot take (disk full) is kept in
/// memory and written later. `limit`: events held at most.
/// Throws std::runtime_error with a sentence if the directory cannot be used, or is by another adapter.
[[nodiscard]] std::unique_ptr<Spool> file_spool(const std::string& directory, std::size_t limit = 1'000'000);

struct SenderOptions {
  std::string endpoint = "tcp://127.0.0.1:5570";
  std::string source;                     ///< required, [A-Za-z0-9._-]+
  std::string software;                   ///< for people, "reach-adapter-asterisk 0.1.0"
  std::vector<std::string> capabilities;  ///< see Hello in ingest.proto
  std::size_t batch_limit = 1000;         ///< events a batch at most
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds answer_timeout{3000};  ///< no word from the daemon for so long: reconnect
};

struct SenderState {
  bool connected = false;          ///< welcomed and heard within answer_timeout
  std::uint64_t posted = 0;        ///< events handed to post()
  std::uint64_t acknowledged = 0;  ///< highest acknowledged number
  std::uint64_t pending = 0;       ///< in the spool
  std::uint64_t lost = 0;          ///< did not fit the spool, or were over 512 KiB; reported as EventsLost events
  std::string last_problem;        ///< a sentence; empty: none
};

/// Sends events from any thread; owns one thread with the socket. Never blocks the caller for the network's sake.
///
/// On the wire (ingest.proto): Hello, Welcome, then batches of what is in the spool, as many unacknowledged events as
/// the daemon gives credit for. A cut connection, a daemon that starts anew or one that is silent for answer_timeout
/// leads to a fresh socket and another Hello; everything unacknowledged is sent again. A rejected batch is sent again
/// later: at once from the number expected after a gap, with growing pauses (up to answer_timeout) otherwise.
class Sender {
 public:
  /// `on_problem` is called from the sender's thread, with a sentence, when the daemon rejects, is lost or is back;
  /// the same sentence is not said twice in a row. Throws std::invalid_argument for a bad source or endpoint.
  Sender(SenderOptions options, std::unique_ptr<Spool> spool, std::function<void(const std::string&)> on_problem = {});
  ~Sender();  ///< stops at once; call drain() first to lose nothing
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  /// Queues one event; at once if the daemon is there. If the spool is full the event is counted as lost, and one
  /// EventsLost event follows as soon as there is room: `from` and `to` count the events posted (1 is the first),
  /// its time is that of the last one lost.
  void post(const v1::Event& event);
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
