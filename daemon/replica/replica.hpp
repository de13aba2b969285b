// The state that follows from an event log: what every reader of the log has after the same record, bit for bit.
//
// The daemon becomes one when it starts; the writer of snapshots is another one beside it; `reachctl replay` and the
// simulator are more of them. A standby on another machine would be one, too.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/engine.hpp"
#include "daemon/log/event_log.hpp"
#include "daemon/settings/settings.hpp"
#include "daemon/wire/wire.hpp"

namespace reach::replica {

/// How far the numbers of a source go in the log.
struct SourceNumbers {
  std::uint64_t epoch = 0;                    ///< of its numbering; 0: none yet
  std::uint64_t accepted = 0;                 ///< the last number in the log
  bool resumes = false;                       ///< was there at the end, and comes back by itself
  std::optional<Duration> clock_offset = {};  ///< taken off the times of its last batch; absent: it sent none
  bool operator==(const SourceNumbers&) const = default;
};
using Numbers = std::map<std::string, SourceNumbers, std::less<>>;

/// What the core is told of `count` events of `source` that are missing in the log. `source` must outlive it.
[[nodiscard]] Event lost_events(std::string_view source, std::uint64_t count, Time at);

/// Log records to what the core is told, in order. Times never step back.
class RecordReader {
 public:
  struct Calls {
    std::function<void(const Input&, Time)> take;
    /// The configuration in force from here on; not called where the recorded one cannot be read any more.
    std::function<void(settings::Loaded, Time)> configure;
    /// Something an operator should know about the log, a sentence.
    std::function<void(const std::string&)> remark;
  };
  /// Throws log::LogError for bytes that are no record of this version. Of records that were lost (RecordVisit) every
  /// source learns how many of its events are missing, as EventsLost.
  void read(log::Lsn number, std::string_view payload, const Calls& calls);
  /// The two halves of read(). `record` is nullptr where records were lost.
  static void parse(log::Lsn number, std::string_view payload, v1::LogRecord& into);
  void take(log::Lsn number, const v1::LogRecord* record, const Calls& calls);

  [[nodiscard]] const Numbers& numbers() const noexcept { return numbers_; }
  [[nodiscard]] log::Lsn last() const noexcept { return last_; }
  template <class A>
  void visit(A& archive);

 private:
  void take_batch(const v1::LogRecord& record, const Calls& calls);

  Numbers numbers_;
  log::Lsn last_ = 0;
  Time now_{};
  v1::LogRecord record_;    ///< kept for its memory …
  std::size_t parsed_ = 0;  ///< … until so many bytes went through
  wire::Scratch scratch_;
};

class Replica {
 public:
  /// `configuration`: for a log that does not say which one its first records were taken with.
  explicit Replica(Config configuration, EngineOptions options = {});

  /// Applies the record after last(). Appends what follows from it to `out`. Throws as RecordReader::read().
  void apply(log::Lsn number, std::string_view payload, Decisions& out);
  /// The same of a record that was parsed already; nullptr where records were lost.
  void apply(log::Lsn number, const v1::LogRecord* record, Decisions& out);

  /// nullptr before the first record.
  [[nodiscard]] Engine* engine() noexcept { return engine_ ? &*engine_ : nullptr; }
  [[nodiscard]] const Engine* engine() const noexcept { return engine_ ? &*engine_ : nullptr; }
  [[nodiscard]] const Numbers& numbers() const noexcept { return reader_.numbers(); }
  [[nodiscard]] log::Lsn last() const noexcept { return reader_.last(); }
  [[nodiscard]] std::uint64_t inputs() const noexcept { return inputs_; }
  /// Sentences about the log that were not asked for yet.
  [[nodiscard]] std::vector<std::string> take_remarks() { return std::exchange(remarks_, {}); }

  /// Everything, in pieces; needs an engine. The same state gives the same bytes.
  void save(const std::function<void(std::string_view)>& write) const;
  /// Becomes what save() wrote. Throws ArchiveError when `bytes` are of another version; it is then as it was.
  void load(std::string_view bytes);

 private:
  /// What the reader tells, done to the engine.
  [[nodiscard]] RecordReader::Calls calls(Decisions& out);

  Config configuration_;
  EngineOptions options_;
  RecordReader reader_;
  std::optional<Engine> engine_;
  std::uint64_t inputs_ = 0;
  std::vector<std::string> remarks_;
};

/// What a start did.
struct Recovery {
  log::Lsn snapshot = 0;                  ///< record of the snapshot it began with; 0: none
  std::uint64_t snapshot_bytes = 0;       ///< its length
  std::uint64_t records = 0, inputs = 0;  ///< read and applied after it
  std::vector<std::string> notes;         ///< what an operator should know, a sentence each
};
/// Makes `replica`, which must be empty, what follows from `log`: its newest usable snapshot and the records up to
/// number `to`. Decisions are dropped: they were said before. `progress` is called after each record. A second thread
/// reads and parses ahead meanwhile: nobody else may need the log to stand still.
/// Throws log::LogError, also where the log ends before a snapshot of it does.
Recovery recover(log::EventLog& log, log::Lsn to, Replica& replica, const std::function<void(log::Lsn)>& progress = {});

}  // namespace reach::replica
