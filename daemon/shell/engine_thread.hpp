// The one thread that owns the engine and the three ZeroMQ sockets.
//
// It sleeps in zmq_poll until a message comes, somebody wakes it (log, scrape, reload, stop) or time decides something,
// takes what is there in bounded portions, and never waits for anything else. Everything slow is elsewhere: the disk in
// the log's thread, HTTP and signals in the main thread, the network in ZeroMQ's own.
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/core/engine.hpp"
#include "daemon/keys/key_files.hpp"
#include "daemon/log/event_log.hpp"
#include "daemon/settings/settings.hpp"
#include "daemon/shell/clock.hpp"
#include "daemon/shell/counters.hpp"
#include "daemon/shell/ingest.hpp"
#include "daemon/shell/publisher.hpp"
#include "daemon/shell/remarks.hpp"
#include "daemon/shell/snapshots.hpp"
#include "daemon/shell/socket.hpp"
#include "daemon/shell/wake.hpp"

namespace reach::shell {

/// Told to the main thread; called on the engine thread, must not block.
struct EngineReports {
  std::function<void()> ready;                            ///< the log is read and the sockets are open
  std::function<void(const std::string&)> progress;       ///< while the log is read: a sentence, about once a second
  std::function<void(int code, const std::string&)> end;  ///< it ended: exit code and, if not 0, why
};

/// Who may come in, where tcp:// endpoints speak CURVE.
struct Admission {
  std::string secret;                                ///< the daemon's secret key (Z85); empty: no keys anywhere
  std::shared_ptr<const keys::AllowedKeys> allowed;  ///< never nullptr
};

struct Refusal;

class EngineThread final : private IngestWorld {
 public:
  using OpenLog = std::function<std::unique_ptr<log::EventLog>(std::function<void()> changed)>;

  /// Starts the thread: it opens the log, applies its records, opens the sockets and runs until stop().
  EngineThread(settings::Loaded settings, Admission admission, OpenLog open_log, EngineReports reports);
  ~EngineThread() override;  ///< stop() and wait

  /// From any thread: ends after what was taken is durable and acknowledged.
  void stop() noexcept;
  /// From any thread: the new settings and allowed keys hold from the next round on. False if it is too busy to listen.
  bool reload(settings::Loaded settings, std::shared_ptr<const keys::AllowedKeys> allowed);
  /// From any thread: `done` gets the copy on the engine thread. False if it is too busy to listen.
  bool scrape(std::function<void(MetricsCopy)> done);
  /// The steady instant at which it last went round, at least every second while it lives.
  [[nodiscard]] std::chrono::steady_clock::time_point alive_at() const noexcept;

 private:
  struct Sockets;
  struct PendingReply {
    log::Lsn after;
    std::string peer;
    bool delimiter;
    v1::Reply reply;
  };

  void run();
  void recover();
  void begin();
  void round();
  void receive_ingest();
  void receive_queries();
  void receive_subscriptions();
  void watch_peers();
  /// Once a second: what the doorkeeper has refused.
  void watch_door();
  /// Once a second: whether core time is far from the system's clock.
  void watch_clock(Time now);
  /// Whose key a message of a guarded socket came with; nullptr, and its peer is cut off, if that is not allowed (any
  /// more).
  const keys::PublicKey* admitted(zmq::message_t& frame, keys::Door door);
  /// Whether the peer that a message came from as `fd` may be connected; if not, it is cut off.
  bool has_place(int fd, keys::Door door);
  void cut_who_lost_his_key();
  void cut_unheard(Time now);
  void refuse(const Refusal& refusal);
  void log_changed();
  void do_posted();
  bool post(std::function<void()> task);
  void apply(settings::Loaded settings);
  void say(const Message& message);
  void decide();
  /// `key`: the asker's; nullptr where the socket has no keys. `fd`: of his connection.
  void answer(const std::string& peer, int fd, bool delimiter, const v1::Request& request, Time now,
              const keys::PublicKey* key);
  void reply(const std::string& peer, bool delimiter, const v1::Reply& reply);
  /// Cuts off who does not read his answers, where that is too much for all.
  void relieve_unread();
  /// An alert taken by a person: recorded, applied; the reply waits until it is durable.
  std::optional<v1::Error> acknowledge(const v1::AcknowledgeRequest& request, Time now, const keys::PublicKey* key,
                                       v1::Reply& out, log::Lsn& after);
  /// Notes the configuration in force in the log. False if the log takes nothing.
  bool append_configuration(Time now);
  /// What people are shown is of this instant: while catching up, of the one that the core has reached.
  [[nodiscard]] Time shown_at();
  void say_caught_up();
  [[nodiscard]] MetricsCopy copy();
  [[nodiscard]] IngestLimits limits() const;

  // IngestWorld
  bool send(const std::string& peer, const v1::ToAdapter& message) override;
  log::Lsn append(std::string record) override;
  [[nodiscard]] std::string log_problem() const override;
  void step(const Input& input, Time now) override;
  void pass_time(Time now);
  void pass_weeks(Time now, bool record);
  void pass_piece(Time now, bool record);
  void append_time(Time now);
  [[nodiscard]] Time reached() const override { return engine_->now(); }
  void remark(std::string_view kind, const std::string& text) override;
  void note(const std::string& text) override;

  settings::Loaded settings_;
  Admission admission_;
  const OpenLog open_log_;
  const EngineReports reports_;

  // From any thread
  Wake wake_;
  std::atomic<bool> stopping_{false}, log_changed_{false};
  std::atomic<std::int64_t> alive_ns_;
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;  ///< at most 64; scrapes and reloads

  // The engine thread's own
  std::unique_ptr<log::EventLog> log_;
  std::string told_log_problem_;
  std::optional<Snapshots> snapshots_;  ///< ends before the log does
  std::optional<CoreClock> clock_;
  std::optional<Engine> engine_;
  Decisions decisions_;
  std::unique_ptr<Sockets> sockets_;
  std::optional<Ingest> ingest_;
  std::optional<Publisher> publisher_;
  Counters counters_;
  std::deque<PendingReply> pending_replies_;  ///< at most 1000
  Time next_second_{}, next_unheard_{};
  Time look_until_{}, next_look_{};  ///< after a connection ended: for whose it was
  bool more_backlog_ = false;
  bool open_ = false;                   ///< everything is set up for the first message
  Time next_clock_word_{};              ///< Time{}: the clocks agree
  std::optional<Time> was_down_since_;  ///< last record of the log at the start
  Remarks remarks_;

  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace reach::shell
