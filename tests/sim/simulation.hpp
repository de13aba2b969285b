// One run: a random back office, its adapters, the network, the daemon and its disk, on one clock and from one seed,
// with things going wrong, and what must hold all the same looked at on the way and at the end.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "reachd/v1/alert.pb.h"
#include "tests/sim/adapter.hpp"
#include "tests/sim/daemon.hpp"
#include "tests/sim/reference.hpp"
#include "tests/sim/subscriber.hpp"
#include "tests/sim/world.hpp"

namespace reach::sim {

/// Something that must hold does not; what() says what.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What may go wrong.
struct Faults {
  bool daemon = false;     ///< the daemon is killed, its machine loses power, at any moment; it is back within a second
  bool long_down = false;  ///< … or within half a minute
  bool disk = false;       ///< the log's disk fails, fills, is slow
  bool network = false;    ///< messages are lost, late, repeated, out of order; connections break
  bool adapters = false;   ///< adapters are killed, their machines lose power, their spools cannot be written
  bool clocks = false;     ///< clocks are set
  bool retention = false;  ///< old parts of the log are removed
  bool on_the_dot = true;  ///< no fault: see make_world()
  Duration every = std::chrono::seconds(20);  ///< on average
};

/// What a run is remembered for.
struct Outcome {
  Counts counts;
  std::vector<v1::Alert> alerts;  ///< every revision, in order, as the log has them
  std::map<std::string, int> happened;
  std::uint64_t records = 0;
};

class Simulation final : private DaemonWatcher, private AdapterWatcher {
 public:
  /// The same seed gives the same world, whatever the faults.
  Simulation(std::uint64_t seed, Faults faults);
  /// Throws Violation.
  Outcome run();

 private:
  struct Said {
    v1::Alert alert;
    log::Lsn after = 0;
    bool by_time = false;
  };

  // The world
  void start_daemon();
  void end_daemon(bool machine);
  /// Does `what` to the daemon; if the power goes meanwhile, its machine goes down.
  template <class What>
  void with_daemon(const What& what);
  template <class What>
  void with_adapter(SimAdapter& adapter, const What& what);
  void work();
  [[nodiscard]] Time next() const;
  void something_happens();
  void heal();
  void happened(const std::string& what);

  // DaemonWatcher, AdapterWatcher
  bool reply(const std::string& peer, const v1::ToAdapter& message) override;
  void published(const shell::Message& message) override;
  void recorded(log::Lsn number, const std::string& payload) override;
  void alerted(const v1::Alert& alert, log::Lsn after, bool by_time) override;
  void connected(const std::string& peer) override { peers_.insert(peer); }
  void disconnected(const std::string& peer) override;

  // What must hold
  void check_sums() const;
  void check_figures() const;
  void check_log(log::Lsn durable);
  void check_numbers();
  void check_next(const v1::Alert& alert);
  /// Of the alerts said, those remain that the log up to record `durable` gives again.
  void check_alerts_of_log(const std::vector<v1::Alert>& replayed, log::Lsn durable);
  /// What is known of each alert follows from said_.
  void know_alerts_anew();
  [[nodiscard]] std::string where() const;

  std::uint64_t seed_;
  Faults faults_;
  Random random_;  ///< of the faults
  World world_;
  std::shared_ptr<SimDisk> disk_;
  std::vector<std::unique_ptr<SimAdapter>> adapters_;
  std::map<std::string, Time> adapter_starts_;
  std::unique_ptr<SimDaemon> daemon_;
  SimSubscriber subscriber_;
  Time now_, stop_at_, daemon_starts_, next_fault_, next_snapshot_, next_check_;
  Time full_until_{}, slow_until_{};
  Duration wall_ahead_{};        ///< of the daemon's wall clock
  std::set<std::string> peers_;  ///< connected, as the daemon's socket sees it
  bool connection_ended_ = false;

  std::vector<Taken> taken_;
  std::vector<Said> said_;
  std::deque<std::string> unpublished_;  ///< alerts, serialised
  std::map<std::string, std::uint64_t> topic_numbers_;
  std::map<std::string, v1::Alert> last_by_id_;
  std::map<std::string, std::string> open_by_fingerprint_;
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> acknowledged_;  ///< by source and epoch
  bool refused_ = false;  ///< the log took not everything: its replay says less than was said
  Outcome outcome_;
};

}  // namespace reach::sim
