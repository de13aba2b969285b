// From the start of the real program until it says that it is ready, with a long log: as it is in real life (the newest
// snapshot and what came after it) and without any snapshot. Beside it: only reading and parsing the same log files.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "daemon/log/local_log.hpp"
#include "daemon/replica/replica.hpp"
#include "daemon/wire/wire.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/process.hpp"

namespace reach::bench {
namespace {

constexpr int segments = 1'000;
constexpr int events_a_batch = 100;
constexpr int batches_a_group = 32;
constexpr std::size_t file_size = 64U << 20;
constexpr Duration step = std::chrono::microseconds(200);  // 5,000 events/s

Time wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

/// Writes the log that the daemon would have written: a Hello, then batches.
class LogWriter {
 public:
  LogWriter(std::string directory, Calls& calls) : directory_(std::move(directory)), calls_(calls) {
    batch_.set_source("bench");
    batch_.set_epoch(1);
  }

  void write(std::int64_t events, Report& report) {
    log::Segments log(log::local_disk(directory_), file_size);
    std::vector<std::string> group;
    if (log.durable() == 0) group.push_back(hello());
    for (std::int64_t done = 0; done < events;) {
      batch_.clear_events();
      batch_.set_first_sequence(next_);
      for (int i = 0; i < events_a_batch; ++i) calls_.next(*batch_.add_events());
      next_ += events_a_batch;
      done += events_a_batch;
      batch_.set_sent_ns(static_cast<std::uint64_t>(ns_of(calls_.now())));
      group.push_back(wire::batch_record({}, batch_, calls_.now(), {}));
      if (group.size() >= batches_a_group || done >= events) {
        log.write(group, calls_.now());
        group.clear();
      }
      if (done % 2'000'000 == 0) report.progress(std::to_string(done) + " events written");
    }
    log.confirm();
  }

 private:
  std::string hello() {
    v1::LogRecord record;
    record.set_received_ns(static_cast<std::uint64_t>(ns_of(calls_.now())));
    record.mutable_hello()->set_source("bench");
    record.mutable_hello()->set_epoch(1);
    record.mutable_hello()->set_next_sequence(1);
    return record.SerializeAsString();
  }

  const std::string directory_;
  Calls& calls_;
  v1::EventBatch batch_;
  std::uint64_t next_ = 1;
};

struct Read {
  std::uint64_t bytes = 0, events = 0;
};

/// Reads and parses every record, and nothing else: no checksum, no state.
Read read_and_parse(const std::string& directory) {
  Read result;
  v1::LogRecord record;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    if (file.path().extension() != ".log") continue;
    std::string content(file.file_size(), '\0');
    std::ifstream(file.path(), std::ios::binary).read(content.data(), static_cast<std::streamsize>(content.size()));
    std::size_t at = log::segment_header_bytes;
    while (at + log::record_header_bytes <= content.size()) {
      std::uint32_t length = 0;
      std::memcpy(&length, content.data() + at, sizeof length);
      at += log::record_header_bytes;
      if (length == 0) continue;
      if (at + length > content.size() || !record.ParseFromArray(content.data() + at, static_cast<int>(length))) {
        throw std::runtime_error(file.path().string() + " is not as it was written");
      }
      at += length;
      result.events += static_cast<std::uint64_t>(record.batch().events_size());
    }
    result.bytes += content.size();
  }
  return result;
}

/// As the daemon makes it while it runs, but without one: that would let the time of day pass in between. Returns its
/// size in bytes.
std::uint64_t make_snapshot(const std::string& directory) {
  log::LocalLog log(log::Segments(log::local_disk(directory), file_size), {}, [] {});
  replica::Replica replica(loaded(configuration(segments)));
  replica::recover(log, log.durable(), replica);
  return log.keep_snapshot(log.durable(), [&](const auto& append) { replica.save(append); });
}

/// Kills the daemon each time: the usual reason for a start in a hurry.
Daemon::Start median_start(Daemon& daemon, int runs, Report& report) {
  std::vector<double> wall, cpu;
  for (int i = 0; i < runs; ++i) {
    const Daemon::Start start = daemon.start();
    daemon.kill();
    wall.push_back(start.seconds);
    cpu.push_back(start.cpu_seconds);
    report.progress("ready after " + std::to_string(start.seconds) + " s, of which the processors worked " +
                    std::to_string(start.cpu_seconds) + " s");
  }
  return {median(wall), median(cpu)};
}

}  // namespace

void recovery(const Options& options, Report& report) {
  const std::int64_t events = options.quick ? 300'000 : 10'000'000;
  const std::int64_t live = options.quick ? 20'000 : 1'000'000;
  const std::uint64_t snapshot_every = options.quick ? 1U << 20 : 64U << 20;
  const int runs = options.quick ? 1 : 3;

  Calls calls(segments, live, waiting_of(live), wall_clock() - (events + events / 4) * step, step);
  LogWriter writer(options.directory + "/log", calls);
  report.progress("writing the log");
  writer.write(events, report);

  const Read read = read_and_parse(options.directory + "/log");
  const std::string what = "events=" + std::to_string(events) + " live=" + std::to_string(live) + ", ";
  const auto limit = [&] {
    std::vector<double> wall, cpu;
    for (int i = 0; i < runs; ++i) {
      wall.push_back(seconds_of_work(
          [&] { cpu.push_back(cpu_seconds_of_work([&] { read_and_parse(options.directory + "/log"); })); }));
    }
    return Daemon::Start{median(wall), median(cpu)};
  };
  // Both: the time that people wait, and the part of it that does not depend on what else the machine does.
  const auto add = [&](const std::string& how, const Daemon::Start& start, std::optional<double> reach) {
    const Daemon::Start bare = limit();
    report.add({"recovery", what + how, start.seconds, "s", bare.seconds, reach});
    report.add({"recovery", what + how + ", cpu", start.cpu_seconds, "s", bare.cpu_seconds, reach});
  };
  report.add({"recovery", what + "size of the log", static_cast<double>(read.bytes) / (1 << 20), "MiB", {}, {}});
  {
    Daemon daemon(options.directory, configuration(segments), "snapshot_every = \"16GiB\"\n");
    add("no snapshot", median_start(daemon, 1, report), {});
  }
  report.progress("making the snapshot");
  const std::uint64_t snapshot = make_snapshot(options.directory + "/log");
  // A crash comes, on average, half way to the next snapshot.
  const std::uint64_t tail = std::max(snapshot_every, snapshot) / 2;
  writer.write(static_cast<std::int64_t>(static_cast<double>(tail) / static_cast<double>(read.bytes) *
                                         static_cast<double>(events)) /
                   events_a_batch * events_a_batch,
               report);
  // With what it reads it must not begin a snapshot of its own: this one is to be read again.
  Daemon daemon(options.directory, configuration(segments), "snapshot_every = \"16GiB\"\n");
  add("snapshot + " + std::to_string(tail >> 20) + " MiB", median_start(daemon, runs, report), 1.5);
  report.add({"recovery", what + "size of the snapshot", static_cast<double>(snapshot) / (1 << 20), "MiB", {}, {}});
}

}  // namespace reach::bench
