// Events a second from adapter processes into the real daemon, durable and acknowledged. Beside it, with the same
// bytes: a bare ROUTER that only acknowledges, and one core that only parses.
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "reachd/v1/ingest.pb.h"
#include "tests/bench/bench.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/peers.hpp"
#include "tests/bench/process.hpp"

namespace reach::bench {
namespace {

constexpr int segments = 1'000;

double parsed_per_second(const std::vector<Frames>& adapters) {
  double events = 0;
  v1::ToDaemon message;
  const double seconds = cpu_seconds_of_work([&] {
    for (const Frames& frames : adapters) {
      for (const std::string& frame : frames.frames) {
        if (!message.ParseFromString(frame)) throw std::runtime_error("a frame of ours is no message");
        events += message.batch().events_size();
      }
    }
  });
  return events / seconds;
}

/// One line of the table: so many adapters with so large batches, encrypted or not.
void measure(const Options& options, Report& report, int adapters, int batch, bool encrypted) {
  // Long enough that the first seconds, in which every segment is met for the first time, do not count for much.
  const std::int64_t events = (options.quick ? 20'000 : batch == 1 ? 2'000'000 : 4'000'000) / adapters;
  std::vector<Frames> frames;
  for (int i = 0; i < adapters; ++i) {
    frames.push_back(frames_of("pbx" + std::to_string(i), batch, events, segments));
  }
  std::optional<CurveKeys> pairs;
  if (encrypted) pairs.emplace(options.directory, "pbx0");
  const CurveKeys* const keys = pairs ? &*pairs : nullptr;
  std::vector<double> daemon, bare, parsing;
  for (int run = 0; run < (options.quick ? 1 : 3); ++run) {
    {
      Daemon running = keys != nullptr ? Daemon(options.directory, configuration(segments), *keys)
                                       : Daemon(options.directory, configuration(segments));
      running.start();
      daemon.push_back(events_per_second(running.endpoint("ingest"), frames, keys));
      running.stop();
      std::filesystem::remove_all(running.log_directory());
    }
    const std::string endpoint = encrypted ? free_tcp_endpoint() : "ipc://" + options.directory + "/bare";
    const Peer router([&] { bare_router(endpoint, batch, keys); });
    bare.push_back(events_per_second(endpoint, frames, keys));
    parsing.push_back(parsed_per_second(frames));
  }
  if (encrypted) std::filesystem::remove_all(keys->folder);
  const std::string what =
      "batch=" + std::to_string(batch) + " adapters=" + std::to_string(adapters) + (encrypted ? " CURVE, " : ", ");
  const auto goal = [&](int at, double reach) { return batch == at ? std::optional(reach) : std::nullopt; };
  report.add({"ingest", what + "of bare ZeroMQ", median(daemon), "events/s", median(bare), goal(1, 0.5),
              Row::Goal::ratio_at_least});
  report.add({"ingest", what + "of one core parsing", median(daemon), "events/s", median(parsing), goal(1'000, 0.4),
              Row::Goal::ratio_at_least});
}

}  // namespace

void ingest(const Options& options, Report& report) {
  for (const int adapters : {1, 4}) {
    for (const int batch : {1, 100, 1'000}) measure(options, report, adapters, batch, false);
  }
  for (const int batch : {1, 100, 1'000}) measure(options, report, 1, batch, true);
}

}  // namespace reach::bench
