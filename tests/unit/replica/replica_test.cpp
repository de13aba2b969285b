#include "daemon/replica/replica.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <random>

#include "daemon/core/archive.hpp"
#include "daemon/log/read_ahead.hpp"

namespace reach::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time eight = time_from_ns(1'795'420'800'000'000'000);  // 2026-11-23T08:00:00Z

constexpr const char* configuration = R"(
[[segment]]
id = "a"
queues = ["sales"]
[[service]]
id = "phone"
threshold = "20s"
[[contract]]
id = "k"
segments = ["a"]
  [[contract.objective]]
  figure = "service_level"
  target = 0.8
  window = "30m"
  min_samples = 2
)";

/// A log in memory.
class MemoryLog : public log::EventLog {
 public:
  void read(log::Lsn from, log::Lsn to, const log::RecordVisit& visit) override {
    if (from < first) throw log::LogError("the beginning is gone");
    for (log::Lsn n = from; n <= to; ++n) visit(n, records[n - 1]);
  }
  log::Lsn oldest() override { return records.empty() ? 0 : first; }
  std::uint64_t bytes_from(log::Lsn) override { return 0; }
  void snapshots(const std::function<bool(log::Lsn, std::optional<std::string>)>& take) override {
    for (auto each = kept.rbegin(); each != kept.rend(); ++each)
      if (take(each->first, each->second)) return;
  }
  std::uint64_t keep_snapshot(
      log::Lsn number, const std::function<void(const std::function<void(std::string_view)>&)>& content) override {
    std::string bytes;
    content([&bytes](std::string_view piece) { bytes += piece; });
    kept.emplace_back(number, bytes);
    return bytes.size();
  }
  log::Lsn append(std::string payload) override {
    records.push_back(std::move(payload));
    return records.size();
  }
  log::Lsn durable() const noexcept override { return records.size(); }
  std::string problem() const override { return {}; }
  log::Statistics statistics() const override { return {}; }
  bool stop() override { return true; }

  std::vector<std::string> records;
  log::Lsn first = 1;
  std::vector<std::pair<log::Lsn, std::optional<std::string>>> kept;
};

v1::LogRecord record_at(Time t) {
  v1::LogRecord record;
  record.set_received_ns(static_cast<std::uint64_t>(ns_of(t)));
  return record;
}

void append_configuration(MemoryLog& log, Time t, const std::string& text) {
  v1::LogRecord record = record_at(t);
  record.mutable_configuration()->set_fingerprint(settings::load_text(text, "reachd.toml").core.fingerprint);
  v1::ConfigurationFile& file = *record.mutable_configuration()->add_files();
  file.set_name("reachd.toml");
  file.set_text(text);
  log.append(record.SerializeAsString());
}

/// Half an hour of calls of one source, in batches of up to 5, from a seed.
void append_calls(MemoryLog& log, unsigned seed) {
  std::mt19937 random(seed);
  const auto pick = [&random](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  v1::LogRecord hello = record_at(eight);
  hello.mutable_hello()->set_source("pbx");
  hello.mutable_hello()->set_epoch(7);
  hello.mutable_hello()->set_next_sequence(1);
  hello.mutable_hello()->set_resumes(true);
  log.append(hello.SerializeAsString());
  Time now = eight;
  std::uint64_t next = 1;
  for (int i = 0; i < 600; ++i) {
    now += milliseconds(pick(6000) + 1);
    v1::LogRecord record = record_at(now);
    v1::EventBatch& batch = *record.mutable_batch();
    batch.set_source("pbx");
    batch.set_epoch(7);
    batch.set_first_sequence(next);
    for (std::size_t n = pick(5) + 1; n > 0; --n, ++next) {
      v1::Event& event = *batch.add_events();
      event.set_time_ns(static_cast<std::uint64_t>(ns_of(now - milliseconds(pick(300)))));
      event.set_contact("c" + std::to_string(pick(10) + static_cast<std::size_t>(i)));
      switch (pick(4)) {
        case 0:
        case 1:
          event.mutable_offered()->set_queue("sales");
          break;
        case 2:
          event.mutable_answered()->set_agent("x");
          break;
        default:
          event.mutable_abandoned();
      }
    }
    log.append(record.SerializeAsString());
  }
}

Config fallback() {
  return settings::load_text("", "none").core;
}

std::string bytes_of(const Replica& replica) {
  std::string bytes;
  replica.save([&bytes](std::string_view piece) { bytes += piece; });
  return bytes;
}

MemoryLog sample(unsigned seed) {
  MemoryLog log;
  append_configuration(log, eight - seconds(1), configuration);
  append_calls(log, seed);
  return log;
}

TEST(Replica, IsTheSameFromASnapshotAsFromTheBeginningWhereverThatWasMade) {
  const unsigned seed = 7;
  MemoryLog log = sample(seed);
  Replica whole(fallback());
  recover(log, log.durable(), whole);
  ASSERT_NE(whole.engine(), nullptr);
  EXPECT_GT(whole.engine()->totals().events, 1000);
  EXPECT_GT(whole.engine()->totals().alerts_fired, 0) << "seed " << seed;
  EXPECT_EQ(whole.numbers().at("pbx").epoch, 7U);
  for (const log::Lsn at : {log::Lsn{1}, log::Lsn{2}, log::Lsn{300}, log.durable()}) {
    Replica before(fallback());
    recover(log, at, before);
    log.kept.clear();
    log.keep_snapshot(at, [&](const auto& append) { before.save(append); });
    Replica after(fallback());
    const Recovery recovery = recover(log, log.durable(), after);
    EXPECT_EQ(recovery.snapshot, at);
    EXPECT_EQ(recovery.records, log.durable() - at);
    EXPECT_EQ(bytes_of(after), bytes_of(whole)) << "snapshot after record " << at;
    EXPECT_EQ(after.numbers(), whole.numbers());
  }
}

TEST(Replica, GoesOnWithAnOlderSnapshotOrWithTheLogAlone) {
  MemoryLog log = sample(3);
  Replica at_200(fallback());
  recover(log, 200, at_200);
  log.keep_snapshot(200, [&](const auto& append) { at_200.save(append); });
  log.kept.emplace_back(400, std::nullopt);                  // damaged
  log.kept.emplace_back(500, std::string("\1\0\0\0\2", 5));  // of another version
  Replica replica(fallback());
  const Recovery recovery = recover(log, log.durable(), replica);
  EXPECT_EQ(recovery.snapshot, 200U);
  ASSERT_EQ(recovery.notes.size(), 2U);
  EXPECT_NE(recovery.notes[0].find("record 500 is of another version"), std::string::npos) << recovery.notes[0];
  EXPECT_NE(recovery.notes[1].find("record 400 is damaged"), std::string::npos) << recovery.notes[1];
  Replica whole(fallback());
  log.kept.clear();
  recover(log, log.durable(), whole);
  EXPECT_EQ(bytes_of(replica), bytes_of(whole));
}

TEST(Replica, RefusesALogThatEndsBeforeItsSnapshot) {
  MemoryLog log = sample(3);
  Replica before(fallback());
  recover(log, 400, before);
  log.keep_snapshot(400, [&](const auto& append) { before.save(append); });
  log.records.resize(300);  // the newest file is gone, or all of this is an older backup
  Replica replica(fallback());
  try {
    recover(log, log.durable(), replica);
    FAIL() << "the numbers 301 to 400 would be given twice";
  } catch (const log::LogError& problem) {
    const std::string what = problem.what();
    EXPECT_NE(what.find("ends with record 300"), std::string::npos) << what;
    EXPECT_NE(what.find("snapshot of it after record 400"), std::string::npos) << what;
    EXPECT_NE(what.find("--accept-damage"), std::string::npos) << what;
  }
}

TEST(Replica, StartsAfterAnUpgradeWithWhatTheLogStillHas) {
  MemoryLog log = sample(3);
  log.first = 100;
  Replica refused(fallback());
  EXPECT_THROW(recover(log, log.durable(), refused), log::LogError) << "no snapshot at all: something is missing";
  log.kept.emplace_back(500, std::string("\1\0\0\0\2", 5));
  Replica replica(settings::load_text(configuration, "now").core);
  const Recovery recovery = recover(log, log.durable(), replica);
  EXPECT_EQ(recovery.records, log.durable() - 99);
  EXPECT_NE(recovery.notes.back().find("figures begin there"), std::string::npos);
}

TEST(Replica, CountsTheEventsOfLostRecordsAsLost) {
  MemoryLog log = sample(5);
  const auto lost = [&log](log::Lsn from, log::Lsn to, log::Lsn end, Replica& replica) {
    Decisions decisions;
    for (log::Lsn n = 1; n <= end; ++n) {
      if (n < from || n > to) replica.apply(n, log.records[n - 1], decisions);
      if (n == to) replica.apply(n, "", decisions);
    }
  };
  Replica replica(fallback());
  lost(10, 12, 20, replica);
  std::uint64_t events = 0;
  for (log::Lsn n = 10; n <= 12; ++n) {
    v1::LogRecord record;
    ASSERT_TRUE(record.ParseFromString(log.records[n - 1]));
    events += static_cast<std::uint64_t>(record.batch().events_size());
  }
  EXPECT_EQ(replica.engine()->view_source(0, replica.engine()->now()).events_lost, static_cast<std::int64_t>(events));
  EXPECT_EQ(replica.take_remarks(),
            std::vector<std::string>{"lost from the event log, as was accepted: the records 10 to 12"});
}

/// Counts what was read of it.
class CountedLog final : public MemoryLog {
 public:
  void read(log::Lsn from, log::Lsn to, const log::RecordVisit& visit) override {
    MemoryLog::read(from, to, [&](log::Lsn number, std::string_view payload) {
      read_to = number;
      visit(number, payload);
    });
  }
  log::Lsn read_to = 0;
};

TEST(Replica, AppliesAllThatStandsBeforeWhatCannotBeRead) {
  constexpr log::Lsn bad = 9'000;
  CountedLog log;
  append_configuration(log, eight, configuration);
  while (log.records.size() < 20'000) {
    v1::LogRecord record = record_at(eight + milliseconds(log.records.size()));
    record.mutable_seen()->set_source("pbx");
    log.append(log.records.size() + 1 == bad ? "\xff\xff" : record.SerializeAsString());
  }
  Replica replica(fallback());
  try {
    recover(log, log.durable(), replica);
    FAIL() << "record " << bad << " is none";
  } catch (const log::LogError& problem) {
    EXPECT_NE(std::string_view(problem.what()).find("record 9000"), std::string_view::npos) << problem.what();
  }
  EXPECT_EQ(replica.last(), bad - 1);
  EXPECT_EQ(replica.engine()->view_source(0, eight).last_heard, eight + milliseconds(bad - 2));
  EXPECT_LT(log.read_to, log.durable());
}

TEST(Replica, GivesUpReadingWhenAskedTo) {
  struct Stopped {};
  CountedLog log;
  append_configuration(log, eight, configuration);
  for (int i = 0; i < 100; ++i) append_calls(log, 5);
  Replica replica(fallback());
  EXPECT_THROW(recover(log, log.durable(), replica,
                       [](log::Lsn number) {
                         if (number == 300) throw Stopped{};
                       }),
               Stopped);
  EXPECT_EQ(replica.last(), 300U);
  EXPECT_LT(log.read_to, log.durable()) << "it reads ahead, and not to the end";
}

/// Contents that count how many of them there are.
struct Counted {
  using Content = std::string;
  const std::string* add(log::Lsn, std::string_view payload) {
    ++kept;
    return &records.emplace_back(payload);
  }
  void clear() {
    kept -= static_cast<int>(records.size());
    records.clear();
  }
  std::deque<std::string> records;
  static inline std::atomic<int> kept{0};
};

TEST(ReadAhead, GivesBackWhatWasUsed) {
  MemoryLog log;
  for (int i = 1; i <= 20'000; ++i) log.append(i == 7 ? "" : std::to_string(i));
  int number = 0, most = 0;
  {
    log::ReadAhead<Counted> ahead(log, 1, log.durable());
    while (const auto* const chunk = ahead.next()) {
      most = std::max(most, Counted::kept.load());
      for (const auto& record : chunk->records()) {
        ASSERT_EQ(record.number, static_cast<log::Lsn>(++number));
        if (number == 7) {
          EXPECT_EQ(record.content, nullptr);
        } else {
          ASSERT_EQ(*record.content, std::to_string(number));
        }
      }
    }
    EXPECT_EQ(Counted::kept, 0);
  }
  EXPECT_EQ(number, 20'000);
  EXPECT_LE(most, 8 * 512) << "only what is read ahead";
}

TEST(Replica, ReadsBatchesThatAreLargerThanAnybodyMaySendToday) {
  MemoryLog log;
  v1::LogRecord record = record_at(eight);
  record.mutable_batch()->set_source("pbx");
  record.mutable_batch()->set_epoch(1);
  record.mutable_batch()->set_first_sequence(1);
  for (int i = 0; i < 100'000; ++i) record.mutable_batch()->add_events();
  log.append(record.SerializeAsString());
  Replica replica(Config{});
  Decisions decisions;
  EXPECT_EQ(recover(log, 1, replica).records, 1U);
  EXPECT_EQ(replica.numbers().at("pbx").accepted, 100'000U);
}

TEST(Replica, TakesTheConfigurationFromTheLog) {
  MemoryLog log = sample(5);
  std::string other = configuration;
  other.replace(other.find("20s"), 3, "30s");
  append_configuration(log, eight + std::chrono::hours(2), other);
  Replica replica(fallback());
  recover(log, log.durable(), replica);
  EXPECT_EQ(replica.engine()->config().services.front().threshold, seconds(30));
  append_configuration(log, eight + std::chrono::hours(3), "[[segment]]\nid = 7\n");
  Replica after(fallback());
  const Recovery recovery = recover(log, log.durable(), after);
  EXPECT_EQ(recovery.notes.size(), 1U) << "one that this version cannot read is told, and the one before stays";
  EXPECT_EQ(after.engine()->config().services.front().threshold, seconds(30));
}

TEST(RecordReader, TakesEventsAtTheirOwnTimesWhereTheRecordSaysSo) {
  v1::LogRecord record = record_at(eight + seconds(100));
  record.set_at_event_times(true);
  v1::EventBatch& batch = *record.mutable_batch();
  batch.set_source("pbx");
  batch.set_epoch(1);
  batch.set_first_sequence(1);
  for (const int second : {3, 1, 5, 200}) {
    v1::Event& event = *batch.add_events();
    event.set_time_ns(static_cast<std::uint64_t>(ns_of(eight + seconds(second))));
    event.set_contact("c");
    event.mutable_abandoned();
  }
  std::vector<std::int64_t> times;
  RecordReader reader;
  reader.read(1, record.SerializeAsString(),
              {[&](const Input&, Time at) { times.push_back((at - eight) / seconds(1)); }, {}, {}});
  EXPECT_EQ(times, (std::vector<std::int64_t>{3, 3, 5, 100})) << "never back, and never after its receipt";
}

TEST(RecordReader, RefusesWhatIsNoRecord) {
  RecordReader reader;
  EXPECT_THROW(reader.read(1, "\xff\xff", {}), log::LogError);
}

}  // namespace
}  // namespace reach::replica
