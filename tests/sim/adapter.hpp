// One adapter and the way from it to the daemon: the real sending protocol with its real spool, reading a script that
// stays where it is, as a log file of a telephone system does.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "clients/library/delivery.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/world.hpp"

namespace reach::sim {

/// The adapter would use up a processor.
struct Spins : std::logic_error {
  using std::logic_error::logic_error;
};

/// How messages travel.
struct Way {
  Duration least{}, most{};  ///< one way
  double lost = 0;           ///< share of messages that never arrive
  double repeated = 0;       ///< that arrive twice
  bool reorders = false;     ///< otherwise they arrive in the order in which they were sent
};

/// What the adapter is to the rest of the world.
class AdapterWatcher {
 public:
  virtual ~AdapterWatcher() = default;
  /// A connection was made or ended, as the daemon's socket sees it.
  virtual void connected(const std::string& peer) = 0;
  virtual void disconnected(const std::string& peer) = 0;
};

class SimAdapter final : private client::DeliveryWorld {
 public:
  SimAdapter(const Script& script, std::shared_ptr<SimDisk> disk, Way way, Duration clock_ahead, Random& random,
             AdapterWatcher& watcher);
  ~SimAdapter() override = default;

  /// Its process begins. May throw PowerCut.
  void start(Time now);
  /// Its process ends at once.
  void kill(Time now);
  [[nodiscard]] bool runs() const { return delivery_.has_value(); }
  /// Reads, sends, takes what has come. `daemon_up`: connections can be made.
  void work(Time now, bool daemon_up);
  [[nodiscard]] Time next() const;

  /// The connection breaks, and both sides notice.
  void cut(Time now);
  /// No connection can be made until `until`.
  void keep_away(Time until) { away_until_ = until; }
  /// What is sent before `until` vanishes without a word, both ways.
  void swallow(Time until) { swallow_until_ = until; }
  void set_way(const Way& way) { way_ = way; }
  void set_clock_ahead(Duration ahead) { ahead_ = ahead; }

  /// From the daemon, to be taken by work() later. False if `peer` is not the present connection.
  bool from_daemon(const std::string& peer, const v1::ToAdapter& message);
  /// The next message that has arrived at the daemon.
  struct Arrived {
    std::string peer, frame;
  };
  [[nodiscard]] std::optional<Arrived> to_daemon(Time now);

  /// Everything in the script was read and acknowledged.
  [[nodiscard]] bool is_done() const;
  [[nodiscard]] const std::string& source() const { return script_.source; }
  [[nodiscard]] std::uint64_t lost() const { return delivery_ ? delivery_->state().lost : 0; }
  [[nodiscard]] SimDisk& disk() { return *disk_; }
  [[nodiscard]] std::string describe() const;

 private:
  struct Travelling {
    Time arrives;
    std::string frame;
  };
  using Queue = std::deque<Travelling>;  // by arrival

  bool send(const v1::ToDaemon& message) override;
  void reconnect() override;
  void problem(const std::string&) override {}
  void put(Queue& queue, std::string frame);
  void disconnect();
  [[nodiscard]] client::Delivery::Now local(Time now) const;

  const Script& script_;
  std::shared_ptr<SimDisk> disk_;
  Way way_;
  Duration ahead_;  ///< of its clock
  Random& random_;
  AdapterWatcher& watcher_;
  std::optional<client::Delivery> delivery_;
  std::size_t read_ = 0;  ///< events of the script
  Time now_{};
  int connections_ = 0;
  std::string peer_;
  bool connected_ = false;
  Time connect_at_{}, away_until_{}, swallow_until_{};
  Queue to_daemon_, to_adapter_;
};

}  // namespace reach::sim
