// A back office as a seeded discrete-event model: customers call, write, wait and give up; people answer, pause and
// go home. It opens nothing and reads no clock: whoever calls run_until() decides what time it is.
//
// Three kinds of time. *People's time* (patience, ringing, redialling, the time-outs of the PBX) is as it is. The
// *day* passes `speed` times as fast (DayClock): the curve of the arrivals, shifts, breaks, due times. *Work* (talks,
// wrap-up, items) takes 1/min(speed, 6) of its time and comes as many times more often, so that the load in Erlang
// stays that of a real day while a board shows something within a minute. With speed 1 all three are real.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clients/adapters/simulator/company.hpp"
#include "clients/adapters/simulator/day.hpp"
#include "daemon/base/time.hpp"
#include "reachd/v1/event.pb.h"

namespace reach::simulator {

namespace v1 = ::reachd::v1;

struct Options {
  std::uint64_t seed = 1;  ///< same seed, start and speed: the same events
  Time start{};            ///< the world's first instant
  int weekday = 0;         ///< what the office's clock shows then: 0 = Monday …
  double hour = 8.5;       ///< … and the hour
  double speed = 1;        ///< >= 1
};

/// What has happened so far, for tests and the closing line.
struct Tally {
  std::int64_t calls = 0;    ///< calls that were offered or rejected
  std::int64_t redials = 0;  ///< of them, from callers who had given up before
  std::int64_t answered = 0, abandoned = 0, forwarded = 0, rejected = 0;  ///< an overflow is no end and not counted
  std::int64_t items = 0, items_done = 0;
  std::int64_t events = 0;
};

struct World;

class BackOffice {
 public:
  BackOffice(Company company, Options options);
  ~BackOffice();
  BackOffice(const BackOffice&) = delete;
  BackOffice& operator=(const BackOffice&) = delete;

  /// Lets everything up to and including `until` happen and appends it to `out`: ascending in time, `source` set.
  /// The events do not depend on the steps in which time passes.
  void run_until(Time until, std::vector<v1::Event>& out);
  /// When something happens next. There is always something.
  [[nodiscard]] Time next() const;
  [[nodiscard]] const DayClock& clock() const;
  [[nodiscard]] const Tally& tally() const;

  /// Expected first calls (no redials) of one queue in [from, to): the integral of the rate used.
  [[nodiscard]] double expected_calls(std::size_t queue, Time from, Time to) const;

 private:
  std::unique_ptr<World> world_;
};

}  // namespace reach::simulator
