// One subscriber and the way from the daemon to it: the real following protocol behind a queue that is small, and a
// program that stands still at times.
#pragma once
#include <deque>
#include <map>
#include <string>

#include "clients/library/follower.hpp"
#include "tests/sim/daemon.hpp"

namespace reach::sim {

class SimSubscriber {
 public:
  /// `random` outlives it.
  SimSubscriber(Random& random, Time now);

  void publish(const shell::Message& message, Time now);
  /// The daemon's process ended.
  void daemon_ended(Time now);
  /// Reads what has come; `daemon`: nullptr if there is none.
  void work(Time now, SimDaemon* daemon);
  [[nodiscard]] Time next() const;
  void stand_still(Time until) { still_until_ = until; }

  /// Where what it knows differs from what the daemon knows, a sentence; empty: nowhere.
  [[nodiscard]] std::string difference(const Engine& engine) const;
  [[nodiscard]] const client::SubscriberState& state() const { return follower_->state(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Travelling {
    Time arrives;
    shell::Message message;
  };
  struct Asked {
    Time arrives;
    v1::Request request;
  };
  struct Known {
    std::uint32_t revision = 0;
    std::uint64_t changed_ns = 0;
    std::string state;
  };
  void open();
  void know(const v1::Alert& alert);
  [[nodiscard]] client::Follower::TimePoint steady(Time now) const;

  Random& random_;
  std::optional<client::Follower> follower_;
  std::deque<Travelling> stream_;
  std::deque<Asked> asked_;
  bool connected_ = false;
  Time now_{}, still_until_{}, connect_at_{};
  std::uint64_t dropped_ = 0;
  std::string problem_;         ///< the first thing that must not be
  bool may_be_unsaid_ = false;  ///< a daemon ended: what it said last may not be so
  bool first_ = true;
  Time since_{};                                 ///< of the first snapshot: what was said before is not all known
  std::map<std::string, v1::Figures> segments_;  ///< by id
  std::map<std::string, Known> alerts_;          ///< by id
};

}  // namespace reach::sim
