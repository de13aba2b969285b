// Alerts to many subscribers, one of which has stopped reading. Beside it: the same without the stopped one.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <thread>
#include <zmq.hpp>

#include "tests/bench/bench.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/peers.hpp"
#include "tests/bench/probe.hpp"
#include "tests/bench/process.hpp"

namespace reach::bench {
namespace {

constexpr int segments = 1'000;

/// Subscribes to everything and reads nothing.
[[noreturn]] void stand_still(const std::string& publish) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::sub);
  socket.set(zmq::sockopt::rcvhwm, 1);
  socket.set(zmq::sockopt::subscribe, "");
  socket.connect(publish);
  for (;;) pause();
}

struct Result {
  double p99_s = 0, mib = 0;
};

Result measure(const Options& options, int subscribers, bool one_stands) {
  Daemon daemon(options.directory, configuration_with_probe(segments));
  daemon.start();
  std::optional<Peer> stopped;
  if (one_stands) stopped.emplace([&] { stand_still(daemon.endpoint("publish")); });
  Probe probe(daemon.endpoint("ingest"), daemon.endpoint("publish"), subscribers);
  const int alerts = options.quick ? 100 : std::max(300, 3'000 / subscribers);
  Result result;
  result.p99_s = quantile(probe.measure(alerts, 0.002), 0.99);
  result.mib = resident_mib(daemon.pid());
  daemon.stop();
  std::filesystem::remove_all(daemon.log_directory());
  return result;
}

}  // namespace

void fan_out(const Options& options, Report& report) {
  for (const int subscribers : {1, 100, 1'000}) {
    if (options.quick && subscribers > 100) continue;
    std::vector<double> with, without, mib_with, mib_without;
    for (int run = 0; run < (options.quick ? 1 : 3); ++run) {
      for (const bool stands : {false, true}) {
        const Result result = measure(options, subscribers, stands);
        (stands ? with : without).push_back(result.p99_s * 1e6);
        (stands ? mib_with : mib_without).push_back(result.mib);
      }
      report.progress(std::to_string(subscribers) + " subscribers, run " + std::to_string(run + 1));
    }
    const std::string what = "subscribers=" + std::to_string(subscribers) + ", one more stands still, ";
    report.add({"fan-out", what + "p99 of an alert", median(with), "us", median(without), 1.2});
    report.add({"fan-out", what + "memory", median(mib_with), "MiB", median(mib_without), {}});
  }
}

}  // namespace reach::bench
