// The event log as the rest of reachd sees it: every input of the core, in order, durable.
//
// It may be files of this machine (local_log.hpp) or, later, a replicated log elsewhere. The core knows neither.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "daemon/base/buckets.hpp"

namespace reach::log {

/// Number of a record: 1, 2, 3 … without gaps. 0: none.
using Lsn = std::uint64_t;

/// The log cannot be opened or read; what() is a sentence with the file and, for damage, the offset in it.
struct LogError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Gets records one by one, in order. One with an empty payload stands for all from the last number + 1 to its own:
/// they are lost, and an operator has accepted that.
using RecordVisit = std::function<void(Lsn, std::string_view)>;

struct Statistics {
  std::uint64_t records = 0;   ///< made durable since the start
  std::uint64_t bytes = 0;     ///< of them, with their headers
  std::uint64_t failures = 0;  ///< attempts to write or sync that failed
  std::uint64_t queued_bytes = 0;
  Buckets sync;  ///< duration of each successful sync
};

/// One thread appends; any thread may ask.
class EventLog {
 public:
  virtual ~EventLog() = default;

  /// Calls `visit` with every record from number `from` to number `to` <= durable(), in order. From any thread, at any
  /// time: what is being appended meanwhile does not disturb it.
  /// Throws LogError; what `visit` throws passes through.
  virtual void read(Lsn from, Lsn to, const RecordVisit& visit) = 0;

  /// Number of the oldest record there is; 0: none.
  [[nodiscard]] virtual Lsn oldest() = 0;

  /// About how many bytes the records from `from` on have.
  [[nodiscard]] virtual std::uint64_t bytes_from(Lsn from) = 0;

  /// Calls `take` with the snapshots, newest first, until it returns true: the record after which each was made, and
  /// its content, or nothing if that is damaged. From any thread. Throws LogError.
  virtual void snapshots(const std::function<bool(Lsn, std::optional<std::string>)>& take) = 0;

  /// Keeps a snapshot after record `number` <= durable(), then removes what is old: snapshots but the newest two, and
  /// the records before both that retention does not ask to keep. `content` calls the function it is given with piece
  /// after piece. Returns its size in bytes. By one thread at a time; throws std::system_error, and nothing has changed
  /// then.
  virtual std::uint64_t keep_snapshot(
      Lsn number, const std::function<void(const std::function<void(std::string_view)>&)>& content) = 0;

  /// Takes a record (not empty) and returns its number at once; it becomes durable later. Returns 0 when the log takes
  /// nothing: its queue is full because the disk is slow or fails. The record then does not exist, and problem() says
  /// why.
  virtual Lsn append(std::string payload) = 0;

  /// Every record up to and including this one survives a power loss. Never steps back.
  [[nodiscard]] virtual Lsn durable() const noexcept = 0;

  /// Empty while all is well; else a sentence that says what fails. The log goes on trying by itself: what it could
  /// not make durable it keeps in its queue and writes anew elsewhere, never assuming that a failed sync did part of
  /// its work.
  [[nodiscard]] virtual std::string problem() const = 0;

  [[nodiscard]] virtual Statistics statistics() const = 0;

  /// Makes everything taken durable and takes no more. False if that failed: what is above durable() is then lost,
  /// which is harmless as long as nobody was told otherwise.
  virtual bool stop() = 0;
};

}  // namespace reach::log
