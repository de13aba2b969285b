// Where events wait until reachd has them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "reachd/v1/event.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::log {
class Disk;
}  // namespace reach::log

namespace reach::client {

/// Events under numbers without gaps of one epoch: those held are first, first + 1, … next - 1. Where numbers of an
/// epoch are missing, another stretch of the same epoch follows.
struct Stretch {
  std::uint64_t epoch = 0;  ///< > 0
  std::uint64_t first = 1;  ///< of the oldest event held; `next` if none is
  std::uint64_t next = 1;   ///< of the event that would follow
  bool is_last = true;      ///< this run appends here; otherwise it is what an earlier run left, and grows no more
};

/// Events wait in one or more stretches. The first is being sent; when all of it is durable at the daemon, the next one
/// follows. Every number of an epoch is given once, to one event, whatever happens to disk and machine: the daemon
/// takes a number it knows for a repetition, so a number given twice would be an event lost without a word.
/// Implementations are used by one thread at a time.
class Spool {
 public:
  virtual ~Spool() = default;
  /// The stretch to send. At the beginning that of an earlier run is told even if nothing of it is held: its Hello
  /// shows whether the daemon has all that it acknowledged.
  [[nodiscard]] virtual Stretch stretch() const = 0;
  /// Keeps `events` (one or more), which follow from one another: all of them or none. False if the spool is full: the
  /// caller counts the loss. `bookmark`: up to where in its own source the caller has read when these are told, in
  /// words of its own; kept at once with the events, or not at all. Empty: as it was.
  virtual bool append(std::span<const v1::Event> events, std::string_view bookmark) = 0;
  /// The newest bookmark that was kept, also of earlier runs and when no event is held any more; empty: none.
  [[nodiscard]] virtual std::string bookmark() const = 0;
  /// Calls `take` with the number and the serialised form of the events of the stretch from `first` on, in order, until
  /// it returns false or there are no more that may be sent now.
  virtual void read(std::uint64_t first, const std::function<bool(std::uint64_t, std::string_view)>& take) = 0;
  /// Everything of the stretch up to and including `sequence` is durable at the daemon: forget it.
  virtual void acknowledged(std::uint64_t sequence) = 0;
  /// The stretch is not the last, and nothing of it is held: the next one becomes the stretch to send.
  virtual void begin_next_stretch() {}
  /// Before the stretch is spoken of: what was before it is over, also if the machine goes down. False if the disk
  /// cannot remember that now; problem() says why. It would be sent again after a restart, to a daemon that knows only
  /// the epoch after it.
  virtual bool settle() { return true; }
  [[nodiscard]] virtual std::size_t size() const = 0;               ///< events held, of all stretches
  [[nodiscard]] virtual std::string problem() const { return {}; }  ///< what cannot be written now, a sentence
};

/// What is held takes little more memory than the bytes of its serialised forms, at most an eighth and 4 bytes an
/// event.
struct SpoolLimits {
  std::size_t events = 1'000'000;            ///< held at most
  std::size_t bytes = 256U * 1024U * 1024U;  ///< of their serialised forms, at most
};

/// A spool in memory: survives the daemon's death and a cut network, not the adapter's own end.
/// `epoch`: > 0 and new for every start, for example the start time in ns.
[[nodiscard]] std::unique_ptr<Spool> memory_spool(std::uint64_t epoch, SpoolLimits limits = {});

/// A spool in memory and in files of `directory` (made, with mode 0700): survives the adapter's own end too, by kill -9
/// as well. Each run has an epoch of its own; what earlier ones left goes first, under its old numbers.
///
/// Events without a bookmark do not wait for the disk. What a power failure takes of the newest was either taken by the
/// daemon before or is lost with the machine, like what was not heard then. What the files cannot take (disk full) is
/// sent all the same, kept in memory and written later.
/// Events with a bookmark can be told again, so they are sent only when the disk has them: even after a power failure
/// nothing of them is lost or told twice.
///
/// Damage in the files costs the events whose bytes it hit, no others. problem() tells of it at the beginning. Where
/// later events are left, theirs are a stretch of their own, by whose Hello the daemon finds out what it lacks (and
/// counts it as lost); of those that could be told again nothing is lost.
/// A record cut short at the very end is none: it was being written when the adapter was killed.
///
/// Throws std::runtime_error with a sentence if the directory cannot be used, or is by another adapter.
[[nodiscard]] std::unique_ptr<Spool> file_spool(const std::string& directory, SpoolLimits limits = {});
/// The same on any disk. `epoch` as for memory_spool(); raised if an earlier run had a higher one.
[[nodiscard]] std::unique_ptr<Spool> file_spool(std::unique_ptr<log::Disk> disk, std::uint64_t epoch,
                                                SpoolLimits limits = {});

}  // namespace reach::client
