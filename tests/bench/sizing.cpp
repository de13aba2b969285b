// What offices of several sizes take: processor time, memory, disk and the way of an alert, with all their wallboards
// open, as fast as their callers come. What else runs on the machine (adapters, wallboards) is not counted.
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

struct Office {
  double calls_an_hour;
  int segments;
  int boards;
};
constexpr Office offices[] = {
    {2'000, 10, 10}, {50'000, 100, 100}, {1'000'000, 1'000, 300}, {10'000'000, 10'000, 1'000}};

/// A call that is queued, rings at two people, is answered, put through once and followed by wrap-up.
constexpr double events_a_call = 7;
constexpr double call_s = 240;  // waiting and talking: what makes calls live at a time
constexpr double probes_a_second = 20;

/// Wallboards: each hears the alerts and the states of a few segments, and reads what comes.
[[noreturn]] void watch(const std::string& publish, const Office& office) {
  zmq::context_t context;
  context.set(zmq::ctxopt::max_sockets, office.boards + 10);
  std::vector<zmq::socket_t> boards;
  std::vector<zmq::pollitem_t> items;
  for (int i = 0; i < office.boards; ++i) {
    zmq::socket_t& board = boards.emplace_back(context, zmq::socket_type::sub);
    board.set(zmq::sockopt::subscribe, "alert/");
    board.set(zmq::sockopt::subscribe, "state/s" + std::to_string(i % office.segments));
    board.connect(publish);
  }
  for (zmq::socket_t& board : boards) items.push_back({board.handle(), 0, ZMQ_POLLIN, 0});
  zmq::message_t frame;
  for (;;) {
    zmq::poll(items, std::chrono::milliseconds(-1));
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].revents == 0) continue;
      while (boards[i].recv(frame, zmq::recv_flags::dontwait)) {
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a screen shows no more than 50 pictures a second
  }
}

double log_bytes(const std::string& directory) {
  double bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    if (file.path().extension() == ".log") bytes += static_cast<double>(file.file_size());
  }
  return bytes;
}

}  // namespace

void sizing(const Options& options, Report& report) {
  const double seconds = options.quick ? 3 : 60;
  for (const Office& office : offices) {
    if (options.quick && office.segments > 100) continue;
    const double rate = office.calls_an_hour / 3600 * events_a_call;
    const int batch = rate > 5'000 ? 10 : 1;
    const auto whole = [batch](double events) { return static_cast<std::int64_t>(events) / batch * batch; };
    const auto live = static_cast<std::int64_t>(office.calls_an_hour / 3600 * call_s);
    const Frames before = frames_of("before", 100, live * 2 / 100 * 100 + 100, office.segments, live);
    const Frames frames = frames_of("load", batch, whole(rate * (seconds + 60)) + batch, office.segments);

    Daemon daemon(options.directory, configuration_with_probe(office.segments));
    daemon.start();
    Peer([&] { send_all(daemon.endpoint("ingest"), before); }).wait();
    const Peer boards([&] { watch(daemon.endpoint("publish"), office); });
    const Peer load([&] { send_all(daemon.endpoint("ingest"), frames, rate); });
    Probe probe(daemon.endpoint("ingest"), daemon.endpoint("publish"), 1);
    const double bytes = log_bytes(daemon.log_directory()), cpu = cpu_seconds_of(daemon.pid());
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<double> alerts = probe.measure(static_cast<int>(seconds * probes_a_second), 1 / probes_a_second);
    const double took = seconds_since(begin);
    const double worked = cpu_seconds_of(daemon.pid()) - cpu, written = log_bytes(daemon.log_directory()) - bytes;
    const double mib = resident_mib(daemon.pid());
    daemon.stop();
    std::filesystem::remove_all(daemon.log_directory());

    const std::string what = std::to_string(static_cast<std::int64_t>(office.calls_an_hour)) + " calls/h, " +
                             std::to_string(office.segments) + " segments, " + std::to_string(office.boards) +
                             " boards, ";
    report.add({"sizing", what + "processor", 100 * worked / took, "% of one", {}, {}});
    report.add({"sizing", what + "memory", mib, "MiB", {}, {}});
    // The probe's events are not the office's.
    const double bytes_an_event = written / (rate * took + static_cast<double>(alerts.size()));
    report.add({"sizing", what + "log a day", bytes_an_event * rate * 86'400 / (1 << 30), "GiB", {}, {}});
    report.add({"sizing", what + "p99 of an alert", quantile(alerts, 0.99) * 1e3, "ms", {}, {}});
  }
}

}  // namespace reach::bench
