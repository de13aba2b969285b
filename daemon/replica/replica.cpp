#include "daemon/replica/replica.hpp"

#include <google/protobuf/arena.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/core/archive.hpp"
#include "daemon/log/read_ahead.hpp"

namespace reach::replica {
namespace {

constexpr std::int64_t format = 2;
constexpr std::size_t memory_renewed_after = 4U << 20;  // bytes

/// Of a chunk of the log. They live in an arena of their own and go with it: an empty event takes two bytes in the log
/// and a hundred in memory, and what was read once must not keep that.
class ParsedRecords {
 public:
  using Content = v1::LogRecord;
  const v1::LogRecord* add(log::Lsn number, std::string_view payload) {
    auto* const record = google::protobuf::Arena::CreateMessage<v1::LogRecord>(&arena_);
    RecordReader::parse(number, payload, *record);
    return record;
  }
  void clear() { arena_.Reset(); }

 private:
  std::vector<char> block_ = std::vector<char>(512 << 10);  // which the arena fills first, and keeps
  google::protobuf::Arena arena_{block_.data(), block_.size()};
};

struct NamedNumbers {
  std::string source;
  SourceNumbers numbers;
  template <class A>
  void visit(A& archive) {
    archive(source, numbers.epoch, numbers.accepted, numbers.resumes, numbers.clock_offset);
  }
};

}  // namespace

void RecordReader::read(log::Lsn number, std::string_view payload, const Calls& calls) {
  if (payload.empty()) return take(number, nullptr, calls);
  if ((parsed_ += payload.size()) > memory_renewed_after) {
    parsed_ = payload.size();
    record_ = {};
  }
  parse(number, payload, record_);
  take(number, &record_, calls);
}

void RecordReader::parse(log::Lsn number, std::string_view payload, v1::LogRecord& into) {
  if (into.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
  throw log::LogError("record " + std::to_string(number) +
                      " of the event log is none of this version; was it written by a newer reachd?");
}

void RecordReader::take(log::Lsn number, const v1::LogRecord* record, const Calls& calls) {
  if (record == nullptr) {
    const std::string which = number == last_ + 1
                                  ? "record " + std::to_string(number)
                                  : "the records " + std::to_string(last_ + 1) + " to " + std::to_string(number);
    calls.remark("lost from the event log, as was accepted: " + which);
    last_ = number;
    return;
  }
  last_ = number;
  if (!record->at_event_times()) now_ = std::max(now_, wire::received_of(*record));
  if (record->has_hello()) {
    const v1::Hello& hello = record->hello();
    SourceNumbers& source = numbers_[hello.source()];
    if (source.epoch != hello.epoch()) source = {hello.epoch(), hello.next_sequence() - 1, false};
    source.resumes = hello.resumes();
  } else if (record->has_seen()) {
    if (record->seen().leaving()) numbers_[record->seen().source()].resumes = false;
  } else if (record->has_configuration()) {
    std::vector<settings::Text> texts;
    for (const v1::ConfigurationFile& file : record->configuration().files())
      texts.push_back({file.name(), file.text()});
    settings::Loaded loaded = settings::load_texts(std::move(texts));
    if (loaded.good()) {
      calls.configure(std::move(loaded), now_);
    } else {
      calls.remark("the configuration in record " + std::to_string(number) +
                   " of the event log is none for this version: " + settings::render(loaded.problems.front()));
    }
    return;
  }
  if (record->has_batch()) take_batch(*record, calls);
  wire::for_each_input(
      *record, scratch_,
      [&](const Input& input, Time at) {
        now_ = std::max(now_, at);
        calls.take(input, now_);
      },
      [](const v1::Event&, const std::string&) {});  // was said when it came
}

Event lost_events(std::string_view source, std::uint64_t count, Time at) {
  Event lost;
  lost.kind = EventKind::events_lost;
  lost.at = at;
  lost.source = source;
  lost.reason = "they were in records of the event log that are lost";
  lost.lost_count = count;
  return lost;
}

void RecordReader::take_batch(const v1::LogRecord& record, const Calls& calls) {
  const v1::EventBatch& batch = record.batch();
  SourceNumbers& source = numbers_[batch.source()];
  if (source.epoch != batch.epoch()) source = {batch.epoch(), batch.first_sequence() - 1, false};
  if (batch.first_sequence() > source.accepted + 1) {
    calls.take(lost_events(batch.source(), batch.first_sequence() - 1 - source.accepted, now_), now_);
  }
  source.accepted = batch.first_sequence() + static_cast<std::uint64_t>(batch.events_size()) - 1;
  source.clock_offset = Duration(record.clock_offset_ns());
}

template <class A>
void RecordReader::visit(A& archive) {
  std::vector<NamedNumbers> numbers;
  for (const auto& [source, each] : numbers_) numbers.push_back({source, each});
  archive(numbers, last_, now_);
  for (const NamedNumbers& each : numbers) numbers_[each.source] = each.numbers;
}

Replica::Replica(Config configuration, EngineOptions options)
    : configuration_(std::move(configuration)), options_(options) {}

RecordReader::Calls Replica::calls(Decisions& out) {
  const auto engine_at = [this](Time at) -> Engine& {
    if (!engine_) engine_.emplace(configuration_, options_, at);
    return *engine_;
  };
  return {[this, engine_at, &out](const Input& input, Time at) {
            engine_at(at).step(input, at, out);
            ++inputs_;
          },
          [this, &out](settings::Loaded loaded, Time at) {
            if (!engine_) {
              engine_.emplace(std::move(loaded.core), options_, at);
            } else if (engine_->config().fingerprint != loaded.core.fingerprint) {
              engine_->reconfigure(std::move(loaded.core), at, out);
            }
          },
          [this](const std::string& sentence) { remarks_.push_back(sentence); }};
}

void Replica::apply(log::Lsn number, std::string_view payload, Decisions& out) {
  reader_.read(number, payload, calls(out));
}

void Replica::apply(log::Lsn number, const v1::LogRecord* record, Decisions& out) {
  reader_.take(number, record, calls(out));
}

void Replica::save(const std::function<void(std::string_view)>& write) const {
  std::string head;
  ArchiveWriter archive([&head](std::string_view piece) { head += piece; });
  std::int64_t written = format;
  RecordReader reader = reader_;  // an archive visits what it writes as if it could change it
  archive(written);
  reader.visit(archive);
  archive.finish();
  std::string length;
  for (int i = 0; i < 4; ++i) length += static_cast<char>(head.size() >> (8 * i) & 0xff);
  write(length);
  write(head);
  engine_->save(write);
}

void Replica::load(std::string_view bytes) {
  if (bytes.size() < 4) throw ArchiveError("it is too short");
  std::size_t length = 0;
  for (std::size_t i = 4; i-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  if (length > bytes.size() - 4) throw ArchiveError("it is too short");
  ArchiveReader archive(bytes.substr(4, length));
  RecordReader reader;
  std::int64_t written = 0;
  archive(written);
  if (written != format) throw ArchiveError("its format is " + std::to_string(written));
  reader.visit(archive);
  engine_.emplace(Engine::load(bytes.substr(4 + length), options_));
  reader_ = std::move(reader);
}

Recovery recover(log::EventLog& log, log::Lsn to, Replica& replica, const std::function<void(log::Lsn)>& progress) {
  Recovery done;
  bool other_version = false;
  log.snapshots([&](log::Lsn number, std::optional<std::string> content) {
    if (number > log.durable() && content) {
      // Going on would give the numbers of what is missing to other records, and one day this snapshot for theirs.
      throw log::LogError(
          "the event log ends with record " + std::to_string(log.durable()) +
          ", but there is a snapshot of it after record " + std::to_string(number) +
          ": its newest files are missing; restore them from a backup, or start reachd once with "
          "--accept-damage to go on from the snapshot, or move the *.snapshot files away, too, to begin "
          "without what they know");
    }
    if (number > to) return false;
    if (!content) {
      done.notes.push_back("the snapshot after record " + std::to_string(number) +
                           " is damaged; going on with an older one, or with the log alone");
      return false;
    }
    try {
      replica.load(*content);
      done.snapshot = number;
      done.snapshot_bytes = content->size();
      return true;
    } catch (const ArchiveError& problem) {
      other_version = true;
      done.notes.push_back("the snapshot after record " + std::to_string(number) + " is of another version (" +
                           problem.what() + "); the log is read instead");
      return false;
    }
  });
  log::Lsn from = done.snapshot + 1;
  const log::Lsn oldest = log.oldest();
  if (done.snapshot == 0 && oldest > 1 && other_version) {
    // An upgrade must not stop the daemon because the log's beginning was removed by age.
    done.notes.push_back("the event log before record " + std::to_string(oldest) +
                         " was removed long ago: figures begin there");
    from = oldest;
  }
  Decisions decisions;
  log::ReadAhead<ParsedRecords> ahead(log, from, to);
  while (const auto* const chunk = ahead.next()) {
    for (const auto& record : chunk->records()) {
      replica.apply(record.number, record.content, decisions);
      decisions.clear();
      ++done.records;
      if (progress) progress(record.number);
    }
  }
  done.inputs = replica.inputs();
  for (std::string& sentence : replica.take_remarks()) done.notes.push_back(std::move(sentence));
  return done;
}

}  // namespace reach::replica
