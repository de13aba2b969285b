// The ingest protocol: who may send, which events are new, what is acknowledged when. Knows no socket and no file.
//
// Per source: events are numbered without gaps within an epoch.
//   accepted   the last number that was taken: it changed the state and was handed to the log, or waits in the backlog
//   durable    the last number that the log holds safely: what Ack and Welcome say
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/core/engine.hpp"
#include "daemon/keys/key_files.hpp"
#include "daemon/log/event_log.hpp"
#include "daemon/replica/replica.hpp"
#include "daemon/shell/backlog.hpp"
#include "daemon/shell/clock.hpp"
#include "daemon/shell/rate.hpp"
#include "daemon/wire/wire.hpp"
#include "reachd/v1/ingest.pb.h"

namespace reach::shell {

/// What the protocol needs of the world.
class IngestWorld {
 public:
  virtual ~IngestWorld() = default;
  /// False if there is no such peer any more, or its queue is full. Never blocks.
  virtual bool send(const std::string& peer, const v1::ToAdapter& message) = 0;
  /// As log::EventLog::append().
  virtual log::Lsn append(std::string record) = 0;
  [[nodiscard]] virtual std::string log_problem() const = 0;
  /// Engine::step() and what follows from it. An earlier time than the engine has reached is read as that.
  virtual void step(const Input& input, Time now) = 0;
  /// Engine::now().
  [[nodiscard]] virtual Time reached() const = 0;
  /// Something odd, for the program's log; already counted. Of each kind a sample is enough.
  virtual void remark(std::string_view kind, const std::string& text) = 0;
  /// Something that operators like to find in the program's log.
  virtual void note(const std::string& text) = 0;
};

struct IngestLimits {
  std::uint32_t credit = 10'000;        ///< events a source may have unacknowledged
  std::size_t max_frame = 1024 * 1024;  ///< bytes
  Duration stale_after = std::chrono::seconds(10);
  /// How long time waits for a source that was cut off and comes back by itself; 0: not at all.
  Duration wait_for_source = std::chrono::seconds(3);
  std::size_t max_sources = 1'000;         ///< a Hello of one more is rejected
  std::optional<std::int64_t> max_rate{};  ///< events per second of one source; empty: no limit
};
inline constexpr int most_events = 10'000;  ///< of a batch
/// Bytes of a message that is no batch.
inline constexpr std::size_t most_word = 16 * 1024;
/// What is kept of other sources while one is waited for; beyond it nobody is waited for.
inline constexpr std::size_t backlog_bytes_most = 64U << 20;
/// The credit while the log fails: figures stay live for as long as the adapters' spools and the log's queue last.
inline constexpr std::uint32_t credit_without_log = 1'000'000;

class Ingest {
 public:
  struct Source {
    std::uint64_t epoch = 0, accepted = 0, durable = 0;
    std::string peer;      ///< the adapter's routing id; empty: none
    bool resumes = false;  ///< comes back by itself after a cut (Hello)
    Time since{};          ///< of the last Hello
    Time waited_since{};   ///< while it is waited for; Time{}: not, or since the start
    Time wait_again{};     ///< it is waited for no sooner
    Time heard{};
    std::optional<v1::Hello> said;  ///< by its last Hello, as the log has it
    RateLimit hellos;               ///< that said something new
    Time told{};                    ///< when the core was last told that it is there
    bool upstream = true;           ///< whether it hears its PBX, as the core was told
    bool upstream_said = true;      ///< as the source said last
    Time upstream_at{};             ///< when the core was last told of a change
    ClockOffset offset;
    std::deque<std::pair<log::Lsn, std::uint64_t>> waiting;  ///< log record → its last event's number, ascending
    std::int64_t received = 0, duplicates = 0, gaps = 0;     ///< events, events, times
    std::int64_t wait_timeouts = 0;                          ///< times that it was waited for in vain
    std::uint64_t refused_expected = 0;                      ///< the last refusal that asked to go on from a number …
    Time refused_at{};                                       ///< … is not repeated for every batch still on its way
    RateLimit rate;
  };
  struct Counters {
    std::array<std::int64_t, v1::RejectCode_ARRAYSIZE> rejects{};  ///< by code
    std::int64_t invalid_events = 0;  ///< in good batches: acknowledged, since sending them again would not help
    std::int64_t batches = 0;
    std::int64_t foreign_sources = 0, over_rate = 0;  ///< messages rejected, and events left out, for these reasons
  };

  Ingest(IngestLimits limits, IngestWorld& world) : limits_(limits), world_(world) {}

  void set_limits(const IngestLimits& limits) { limits_ = limits; }

  /// One message of `peer`, received at `now`. `key`: the one it came with, which says what the peer may call itself;
  /// nullptr where the socket has no keys and everybody may use any name.
  void take(const std::string& peer, std::string_view frame, Time now, const keys::PublicKey* key = nullptr);
  /// A message that was not one frame.
  void take_malformed(const std::string& peer, const std::string& what);
  /// Every log record up to `durable` is safe: acknowledges what that makes safe.
  void log_reached(log::Lsn durable);
  /// Once a second: heartbeats, what was held back of the sources' own; and forgets peers that are gone.
  void pulse(Time now);
  /// After the start: the sources as the log has them.
  void resume(const replica::Numbers& numbers);

  // Catching up: time stands still for the core, and events are taken in the order in which they happened, until nobody
  // has any that waited. Meanwhile everything else is recorded at the time that the core has reached.
  //
  // Nobody can make time stand still for as long as he likes: one that was cut off is waited for wait_for_source at
  // most, all together a minute, and then time runs for a while.

  /// After resume(): waits for all sources that come back by themselves, some seconds for their Hello. `reached`: the
  /// core's time; `began`: the log ends in a time of catching up, which is over if there is nobody to wait for.
  void catch_up(Time reached, Time now, bool began);
  [[nodiscard]] bool catching_up() const noexcept { return backlog_.has_value(); }
  /// Takes what can be taken of the backlog, at most a portion. True if there is more: call again soon.
  bool release(Time now);
  /// A connection ended: finds the sources that are gone, and waits for those that come back.
  void look_for_gone(Time now);

  /// By name.
  [[nodiscard]] const std::map<std::string, Source, std::less<>>& sources() const noexcept { return sources_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  void take_hello(const std::string& peer, const v1::Hello& hello, Time now);
  /// Records what `hello` says, where that is new. False after a Reject.
  bool tell_hello(const std::string& peer, const v1::Hello& hello, Source& source, Time now);
  void take_batch(const std::string& peer, v1::EventBatch& batch, std::string_view frame, Time now);
  void take_heartbeat(const std::string& peer, const v1::Heartbeat& heartbeat, Time now);
  /// A change of `upstream` that the source said, and that may be told by now.
  [[nodiscard]] static bool upstream_changes(const Source& source, Time now);
  /// Whether the core is told of a sign of life at `now`: not of each.
  [[nodiscard]] static bool is_told(const Source& source, Time now);
  void tell_heard(const std::string& name, Source& source, Time now, bool leaving);
  void reject(const std::string& peer, v1::RejectCode code, const std::string& reason, std::uint64_t expected = 0);
  /// Refuses and asks for the events from accepted + 1 on, unless that was just said.
  void refuse_batch(Source& source, v1::RejectCode code, const std::string& reason, Time now);
  /// Whether `source` has sent more than max_rate; then that is counted.
  [[nodiscard]] bool is_too_fast(Source& source, Time now);
  /// Whether the message that is being taken may speak for the source `name`; if not, it is rejected.
  [[nodiscard]] bool may_use(const std::string& peer, const std::string& name);
  /// Empties events that name another source than the batch's which the key may not use, or one too many: they are left
  /// out as invalid ones are, here and wherever the log is read. False if all may stay.
  bool empty_foreign_events(v1::EventBatch& batch);
  /// The source that `peer` said Hello for, or nullptr after a Reject.
  Source* known(const std::string& peer, const std::string& name, std::uint64_t epoch);
  /// Time of the core for what is recorded at `now`.
  [[nodiscard]] Time core(Time now) const { return backlog_ ? world_.reached() : now; }
  /// Waits for one that was cut off, or may have been, unless that was done lately.
  void wait_for(const std::string& name, Source& source, Time now, Time until);
  static void end_wait(Source& source, Time now, int rest);
  /// `at`: as which the log has it.
  void begin_catch_up(Time at, Time now);
  void end_catch_up(Time now);
  enum class At : std::uint8_t { receipt, event_times };
  void apply(const v1::EventBatch& batch, Duration offset, Time now, At at = At::receipt);
  void ack(const Source& source);
  [[nodiscard]] std::uint32_t credit() const;
  static void sample_clock(Source& source, std::uint64_t sent_ns, Time now);

  IngestLimits limits_;
  IngestWorld& world_;
  std::map<std::string, Source, std::less<>> sources_;
  std::set<std::string, std::less<>> named_;  ///< sources that events named and that never said Hello
  Counters counters_;
  std::optional<Backlog> backlog_;        ///< while catching up
  Time stands_until_{};                   ///< then nobody is waited for any longer
  Time stands_since_{};                   ///< Time{}: since the start
  Time stands_again_{};                   ///< time stands still no sooner
  bool failing_ = false;                  ///< the log's state as the adapters were told it
  const keys::PublicKey* key_ = nullptr;  ///< of the message that is being taken
  v1::ToDaemon message_;
  v1::EventBatch batch_;    ///< kept for its memory, as are the others …
  std::size_t parsed_ = 0;  ///< … until so many bytes went through: of each event the longest names stay
  wire::Scratch scratch_;
  Input input_;
};

}  // namespace reach::shell
