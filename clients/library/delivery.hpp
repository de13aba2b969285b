// The sending side of the ingest protocol. Owns no socket, no thread and no clock: messages and times in, messages out.
//
// On the wire (ingest.proto): Hello, Welcome, then batches of what is in the spool, as many unacknowledged events as
// the daemon gives credit for. A cut connection, a daemon that starts anew or one that is silent for answer_timeout
// leads to a fresh connection and another Hello; everything unacknowledged is sent again. A rejected batch is sent
// again later: at once from the number expected after a gap, with growing pauses (up to answer_timeout / 2) otherwise.
//
// Answers may be lost, late, repeated or out of order. What is not the answer to the last Hello, or of another epoch,
// changes nothing; what is sent once more is known to the daemon by its number.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clients/library/keys.hpp"
#include "clients/library/spool.hpp"
#include "reachd/v1/ingest.pb.h"

namespace reach::client {

struct SenderOptions {
  std::string endpoint = "tcp://127.0.0.1:5570";
  ClientKeys keys;                        ///< where the endpoint speaks CURVE
  std::string source;                     ///< required, [A-Za-z0-9._-]+
  std::string software;                   ///< for people, "reach-adapter-asterisk 0.1.0"
  std::vector<std::string> capabilities;  ///< see Hello in ingest.proto
  bool resumes = true;                    ///< comes back after its own end, too (Hello.resumes); false: runs once
  std::size_t batch_limit = 1000;         ///< events a batch at most
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds answer_timeout{3000};  ///< no word from the daemon for so long: reconnect
};

struct SenderState {
  bool connected = false;          ///< welcomed and heard within answer_timeout
  bool refused = false;            ///< the daemon lets this program's key not in; it tries on
  std::uint64_t posted = 0;        ///< events handed to post()
  std::uint64_t acknowledged = 0;  ///< highest acknowledged number of this run's epoch
  std::uint64_t pending = 0;       ///< in the spool
  std::uint64_t lost = 0;          ///< did not fit the spool, or were over 512 KiB; reported as EventsLost events
  std::string last_problem;        ///< a sentence; empty: none
};

/// What Delivery needs of the world. Called from within Delivery's functions; must not call back into it.
class DeliveryWorld {
 public:
  virtual ~DeliveryWorld() = default;
  /// Hands `message` to the present connection. False if its queue is full: nothing was taken, Delivery tries again
  /// later. True promises nothing. Never blocks.
  virtual bool send(const v1::ToDaemon& message) = 0;
  /// Gives up the present connection, with all that is on its way in both directions, and begins a fresh one, as
  /// another peer. It may be sent to at once.
  virtual void reconnect() = 0;
  /// A sentence for the operator: rejected, lost, back. The same one is not said twice in a row.
  virtual void problem(const std::string& sentence) = 0;
};

/// One source's events on their way to one daemon. After start(), call step() whenever next_deadline() has come or
/// anything else was called. Functions without a time may be called before start().
class Delivery {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Now {
    Time steady;                ///< for waiting; never goes back
    std::uint64_t wall_ns = 0;  ///< what travels: UTC, ns since 1970; may step
  };

  /// Throws std::invalid_argument for a bad source. `world` outlives this.
  Delivery(SenderOptions options, std::unique_ptr<Spool> spool, DeliveryWorld& world);

  /// Begins the first connection: calls reconnect(). Once.
  void start(Now now);
  /// One message came in on the present connection.
  void take(const v1::ToAdapter& message, Now now);
  /// The present connection was cut.
  void cut(Now now);
  /// The daemon does not let this program in: `why` is a sentence. Another try follows after answer_timeout.
  void refused(const std::string& why);
  /// Does what is due: Hello, one batch, heartbeat, a fresh connection after too long a silence.
  void step(Now now);
  /// When step() is to be called next at the latest; in the past if there is something to do at once.
  /// After start() only.
  [[nodiscard]] Time next_deadline() const;
  /// Ends on purpose: tells the daemon that nobody needs to wait for this source, if there is nothing left to send.
  void leave(Now now);

  /// Keeps `events` (one or more) that follow from one another, and with them `bookmark` (see Spool::append). What does
  /// not fit the spool is counted as lost, and one EventsLost event follows as soon as there is room: `from` and `to`
  /// count the events posted (1 is the first), its time is that of the last one lost.
  void post(std::span<const v1::Event> events, std::string_view bookmark);
  /// Whether the adapter hears its PBX; travels in the heartbeats, a change at once. Default true.
  void set_upstream_connected(bool connected);

  /// Everything posted is acknowledged, losses included.
  [[nodiscard]] bool drained() const { return spool_->size() == 0 && loss_.count == 0; }
  [[nodiscard]] SenderState state() const;
  [[nodiscard]] const Spool& spool() const { return *spool_; }

 private:
  /// Events that did not fit, until an EventsLost event tells of them.
  struct Loss {
    std::uint64_t from = 0, to = 0, count = 0;  // count 0: none
    std::uint64_t time_ns = 0;
  };

  void open(Now now);
  void lost(const std::string& why, Now now);
  void hello(Now now);
  void heartbeat(Now now, bool leaving = false);
  void send_batch(Now now);
  void wait_for_spool(Now now);
  void report_spool();
  void welcome(const v1::Welcome& message, Now now);
  void ack(const v1::Ack& message, Now now);
  void reject(const v1::Reject& message, Now now);
  void take_acknowledged(std::uint64_t sequence, Now now);
  void say_hello_later(Now now);
  std::chrono::steady_clock::duration next_pause();
  void lose(std::uint64_t number, std::uint64_t time_ns);
  bool tell_loss();
  void report(const std::string& sentence, std::uint64_t waiting = 0);
  [[nodiscard]] std::uint64_t room(const Stretch& stretch) const;
  [[nodiscard]] bool is_over(const Stretch& stretch) const { return !stretch.is_last && stretch.first == stretch.next; }

  const SenderOptions options_;
  std::unique_ptr<Spool> spool_;
  DeliveryWorld& world_;
  SenderState state_;
  Loss loss_;

  // Of the present connection. One of three: a Hello is to be said (hello_at_), was said (hello_said_), was answered.
  std::optional<Time> hello_at_, hello_said_;
  bool welcomed_ = false;
  bool all_sent_told_ = false;  // a heartbeat said so, since the Welcome
  std::uint64_t next_to_send_ = 1, credit_ = 0;
  Time heard_{};      // anything from the daemon
  Time progress_{};   // the last sign that what was sent arrives
  Time next_beat_{};  // heartbeat
  Time retry_at_{};   // no events before
  std::chrono::steady_clock::duration pause_{};

  std::size_t batch_limit_;
  bool upstream_ = true;
  bool was_lost_ = false;
  bool in_use_ = false;  // the last Hello was answered so
  std::string refused_;  // why the present connection comes to nothing
  std::string last_reported_;
};

}  // namespace reach::client
