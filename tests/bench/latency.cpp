// From an event sent to the alert at a subscriber, with nothing else to do and at half of the load that the daemon
// takes. Beside it: bare ZeroMQ over the same two hops, with as much else to carry.
#include <filesystem>
#include <optional>

#include "tests/bench/bench.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/peers.hpp"
#include "tests/bench/probe.hpp"
#include "tests/bench/process.hpp"

namespace reach::bench {
namespace {

constexpr int segments = 1'000;
constexpr int batch = 100;
constexpr double apart_s = 0.002;

struct Quantiles {
  double p50 = 0, p99 = 0, p999 = 0;
};

/// `load`: what another adapter sends meanwhile, at `rate` events/s.
Quantiles through(const std::string& ingest, const std::string& publish, int alerts, const Frames* load, double rate) {
  std::optional<Peer> other;
  if (load != nullptr) other.emplace([&] { send_all(ingest, *load, rate); });
  Probe probe(ingest, publish, 1);
  const std::vector<double> seconds = probe.measure(alerts, apart_s);
  return {quantile(seconds, 0.5), quantile(seconds, 0.99), quantile(seconds, 0.999)};
}

}  // namespace

void latency(const Options& options, Report& report) {
  const int alerts = options.quick ? 200 : 5'000;
  double most = 0;
  {
    const std::int64_t events = options.quick ? 20'000 : 1'000'000;
    const std::vector<Frames> frames = {frames_of("load", batch, events, segments)};
    Daemon daemon(options.directory, configuration_with_probe(segments));
    daemon.start();
    most = events_per_second(daemon.endpoint("ingest"), frames);
    daemon.stop();
    std::filesystem::remove_all(daemon.log_directory());
    report.progress("the daemon takes " + std::to_string(static_cast<std::int64_t>(most)) + " events/s");
  }
  for (const bool busy : {false, true}) {
    const double rate = busy ? most / 2 : 0;
    // Enough for the whole of the measurement, and to spare.
    const auto events = static_cast<std::int64_t>(rate * (alerts * apart_s * 3 + 5)) / batch * batch;
    const Frames frames = busy ? frames_of("load", batch, events, segments) : Frames{};
    const Frames* const load = busy ? &frames : nullptr;
    Quantiles ours, bare;
    {
      Daemon daemon(options.directory, configuration_with_probe(segments));
      daemon.start();
      ours = through(daemon.endpoint("ingest"), daemon.endpoint("publish"), alerts, load, rate);
      daemon.stop();
      std::filesystem::remove_all(daemon.log_directory());
    }
    {
      const std::string ingest = "ipc://" + options.directory + "/in", publish = "ipc://" + options.directory + "/out";
      const Peer peer([&] { bare_alerts(ingest, publish); });
      bare = through(ingest, publish, alerts, load, rate);
    }
    const std::string what = busy ? "half load, " : "idle, ";
    report.add({"latency", what + "p50", ours.p50 * 1e6, "us", bare.p50 * 1e6, 1.5});
    report.add({"latency", what + "p99", ours.p99 * 1e6, "us", bare.p99 * 1e6, 1.5});
    report.add({"latency", what + "p99.9", ours.p999 * 1e6, "us", bare.p999 * 1e6, {}});
  }
}

}  // namespace reach::bench
