// reachd without sockets and threads: the real engine, log files, snapshots, ingest protocol and publisher, put
// together as daemon/shell/engine_thread does it, on a simulated disk and at simulated instants.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/log/segments.hpp"
#include "daemon/replica/replica.hpp"
#include "daemon/settings/settings.hpp"
#include "daemon/shell/clock.hpp"
#include "daemon/shell/ingest.hpp"
#include "daemon/shell/publisher.hpp"
#include "tests/sim/disk.hpp"

namespace reach::sim {

/// LocalLog without its thread: what waits is written as one group, some time later.
class SimLog final : public log::EventLog {
 public:
  struct Options {
    std::size_t segment_bytes = 32U << 20, queue_bytes = 256U << 20;
    Duration retain_for = Duration::max();
    std::function<Duration()> write_takes;
    std::function<Time()> wall_clock;
  };
  SimLog(std::shared_ptr<log::Disk> disk, Options options);

  void read(log::Lsn from, log::Lsn to, const log::RecordVisit& visit) override;
  [[nodiscard]] log::Lsn oldest() override;
  [[nodiscard]] std::uint64_t bytes_from(log::Lsn from) override;
  void snapshots(const std::function<bool(log::Lsn, std::optional<std::string>)>& take) override;
  std::uint64_t keep_snapshot(
      log::Lsn number, const std::function<void(const std::function<void(std::string_view)>&)>& content) override;
  log::Lsn append(std::string payload) override;
  [[nodiscard]] log::Lsn durable() const noexcept override { return segments_.durable(); }
  [[nodiscard]] std::string problem() const override { return problem_; }
  [[nodiscard]] log::Statistics statistics() const override { return {}; }
  bool stop() override;

  /// Writes what is due at `now`; true if durable() or problem() changed.
  bool work(Time now);
  [[nodiscard]] Time next() const { return write_at_.value_or(never); }
  /// The instant at which append() is called.
  void set_now(Time now) { now_ = now; }

 private:
  bool write();

  std::shared_ptr<log::Disk> disk_;
  Options options_;
  log::Segments segments_;
  std::vector<std::string> queue_, group_;
  std::size_t queued_bytes_ = 0;
  log::Lsn last_ = 0;
  std::optional<Time> write_at_;
  Time now_{};
  std::string problem_;
};

/// What the daemon is to the rest of the world. Called from within SimDaemon; must not call back.
class DaemonWatcher {
 public:
  virtual ~DaemonWatcher() = default;
  /// As shell::IngestWorld::send().
  virtual bool reply(const std::string& peer, const v1::ToAdapter& message) = 0;
  virtual void published(const shell::Message& message) = 0;
  /// A record was taken by the log, as number `number`; 0: it was not taken.
  virtual void recorded(log::Lsn number, const std::string& payload) = 0;
  /// `after`: the last record taken. `by_time`: nothing but time did it.
  virtual void alerted(const v1::Alert& alert, log::Lsn after, bool by_time) = 0;
};

/// One process, from its start to its end: destroying it is `kill -9`.
class SimDaemon final : private shell::IngestWorld {
 public:
  struct Options {
    SimLog::Options log;
    shell::IngestLimits limits;
    std::function<Time()> wall_clock;
  };
  /// Starts: reads snapshot and log. Throws PowerCut and log::LogError, and std::system_error for what the disk
  /// refuses.
  SimDaemon(std::shared_ptr<log::Disk> disk, const settings::Loaded& settings, Options options, DaemonWatcher& watcher,
            Time now);

  void receive(const std::string& peer, std::string_view frame, Time now);
  /// The connection of some adapter ended.
  void connection_ended(Time now) { look_until_ = now + std::chrono::milliseconds(100), next_look_ = now; }
  /// Does everything that is due.
  void work(Time now);
  [[nodiscard]] Time next() const;
  /// What the snapshots' thread does now and then. Throws as the disk does.
  void make_snapshot();
  /// A person takes an alert: true if it was recorded and done.
  bool acknowledge(const std::string& alert, Time now);
  /// Everything taken becomes durable and is acknowledged. False if the disk did not let it.
  bool stop();

  [[nodiscard]] const Engine& engine() const { return *engine_; }
  [[nodiscard]] const shell::Ingest& ingest() const { return *ingest_; }
  [[nodiscard]] shell::Publisher& publisher() { return *publisher_; }
  [[nodiscard]] log::Lsn durable() const { return log_.durable(); }
  [[nodiscard]] const replica::Recovery& recovery() const { return recovery_; }
  [[nodiscard]] Time shown_at() const {
    return ingest_->catching_up() ? engine_->now() : std::max(time_, engine_->now());
  }

 private:
  /// Core time at the simulated instant `now`, later with each call.
  Time core(Time now);
  void pass_time(Time now);
  void append_time(Time now);
  void decide(bool by_time);
  void log_changed();
  bool append_configuration(Time now);

  bool send(const std::string& peer, const v1::ToAdapter& message) override { return watcher_.reply(peer, message); }
  log::Lsn append(std::string record) override;
  [[nodiscard]] std::string log_problem() const override { return log_.problem(); }
  void step(const Input& input, Time now) override;
  [[nodiscard]] Time reached() const override { return engine_->now(); }
  void remark(std::string_view, const std::string&) override {}
  void note(const std::string&) override {}

  settings::Loaded settings_;
  Options options_;
  DaemonWatcher& watcher_;
  SimLog log_;
  replica::Recovery recovery_;
  std::optional<Engine> engine_;
  std::optional<shell::CoreClock> clock_;
  std::optional<shell::Ingest> ingest_;
  std::optional<shell::Publisher> publisher_;
  Decisions decisions_;
  log::Lsn last_record_ = 0;
  std::string told_problem_;
  Time time_{};  ///< the last one that core() gave
  Time at_{};    ///< the simulated instant of the last work()
  Time next_second_{}, look_until_{}, next_look_{};
  bool more_backlog_ = false;
};

}  // namespace reach::sim
