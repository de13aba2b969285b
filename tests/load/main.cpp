// reach-load: a world of calls at a fixed rate, for tests and measurements.
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "clients/library/json.hpp"
#include "clients/library/program.hpp"
#include "clients/library/sender.hpp"
#include "tests/load/world.hpp"

namespace {

using namespace reach;
using std::chrono::milliseconds;

struct Options {
  load::Plan plan;
  std::string endpoint = "tcp://127.0.0.1:5570";
  std::string spool;  // empty: in memory
  std::string only;   // empty: every source
  std::string timezone = "UTC";
  std::string print;  // events | figures | config; empty: send
  std::int64_t start_ns = 0;
  bool paced = false;
  std::size_t spool_limit = 4'000'000;
  double timeout_s = 60;
};

Time wall_time() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::vector<std::unique_ptr<load::Source>> chosen(const Options& options) {
  auto sources = load::sources_of(options.plan);
  std::erase_if(sources, [&](const auto& s) { return !options.only.empty() && s->name() != options.only; });
  return sources;
}

/// Calls `take` with every event of all sources in the order of their times (equal ones in that of the sources).
template <class Take>
void in_order(const std::vector<std::unique_ptr<load::Source>>& sources, const Take& take) {
  std::vector<std::uint64_t> next(sources.size(), 0);
  for (;;) {
    std::size_t first = sources.size();
    Time at = never;
    for (std::size_t s = 0; s < sources.size(); ++s) {
      if (next[s] == sources[s]->size()) continue;
      if (const Time t = sources[s]->time(next[s]); t < at) {
        at = t;
        first = s;
      }
    }
    if (first == sources.size() || !take(*sources[first], next[first]++, at)) return;
  }
}

int print_events(const Options& options) {
  const auto sources = chosen(options);
  v1::Event event;
  bool good = true;
  in_order(sources, [&](const load::Source& source, std::uint64_t number, Time at) {
    if (options.paced && at > wall_time()) {
      std::fflush(stdout);
      if (client::wait_signal(std::max(0.0, seconds_of(at - wall_time()))) != 0) return false;
    }
    source.event(number, event);
    if (options.only.empty()) event.set_source(source.name());
    const std::string line = client::to_json_line(event) + '\n';
    good = std::fwrite(line.data(), 1, line.size(), stdout) == line.size();
    return good;
  });
  return good && std::fflush(stdout) == 0 ? client::exit_good : client::exit_failed;
}

int print_figures(const Options& options) {
  std::map<std::string, load::Account> accounts;
  std::uint64_t events = 0;
  for (const auto& source : load::sources_of(options.plan)) {
    source->account(accounts);
    events += source->size();
  }
  nlohmann::ordered_json segments = nlohmann::ordered_json::object();
  for (const auto& [name, a] : accounts) {
    const auto mean = [](Duration sum, std::int64_t n) {
      return n == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(seconds_of(sum) / static_cast<double>(n));
    };
    segments[name] = {{"offered", a.offered},
                      {"answered", a.answered},
                      {"abandoned", a.abandoned},
                      {"short_abandons", a.short_abandons},
                      {"forwarded_choice", a.forwarded_choice},
                      {"forwarded_failure", a.forwarded_failure},
                      {"met", a.met},
                      {"missed", a.missed},
                      {"handled", a.handled},
                      {"asa_s", mean(a.answer_wait, a.answered)},
                      {"aht_s", mean(a.handling, a.handled)}};
  }
  nlohmann::ordered_json alerts = nlohmann::ordered_json::array();
  for (const load::Expected& alert : load::expected_alerts(options.plan)) {
    alerts.push_back({{"segment", alert.segment},
                      {"objective", alert.objective},
                      {"pending_since_ns", std::to_string(ns_of(alert.pending_since))},
                      {"fired_ns", std::to_string(ns_of(alert.fired))},
                      {"contact", "incidents/" + alert.contact}});
  }
  std::cout << client::to_line({{"events", events}, {"segments", segments}, {"alerts", alerts}}) << '\n';
  return client::exit_good;
}

/// One source on its way to the daemon. Its bookmark is the number of its next event.
struct Sending {
  std::unique_ptr<load::Source> source;
  std::uint64_t next = 0;
  std::unique_ptr<client::Sender> sender;
};

std::vector<Sending> connect(const Options& options) {
  std::vector<Sending> all;
  for (auto& source : chosen(options)) {
    Sending sending;
    const client::SpoolLimits limits{options.spool_limit, std::size_t{1} << 30};
    auto spool = options.spool.empty() ? client::memory_spool(static_cast<std::uint64_t>(ns_of(wall_time())), limits)
                                       : client::file_spool(options.spool + '/' + source->name(), limits);
    if (const std::string bookmark = spool->bookmark(); !bookmark.empty()) sending.next = std::stoull(bookmark);
    client::SenderOptions with;
    with.endpoint = options.endpoint;
    with.source = source->name();
    with.software = std::string("reach-load ") + client::version;
    with.capabilities = {"calls", "ringing"};
    with.resumes = !options.spool.empty();
    with.heartbeat = milliseconds(300);
    with.answer_timeout = milliseconds(1000);
    sending.source = std::move(source);
    sending.sender =
        std::make_unique<client::Sender>(with, std::move(spool), [name = with.source](const std::string& problem) {
          std::fprintf(stderr, "%s: %s\n", name.c_str(), problem.c_str());
        });
    all.push_back(std::move(sending));
  }
  return all;
}

int send(const Options& options) {
  std::vector<Sending> all = connect(options);
  std::uint64_t planned = 0, before = 0, posted = 0;
  for (const Sending& each : all) {
    planned += each.source->size();
    before += each.next;
  }
  const Time began = wall_time();
  std::vector<v1::Event> events;
  bool ended = false;
  // An open loop: what is due is posted, whatever the daemon does.
  for (bool more = true; more && !ended;) {
    more = false;
    const Time now = wall_time();
    for (Sending& each : all) {
      const std::uint64_t size = each.source->size();
      events.clear();
      while (events.size() < 5000 && each.next < size && each.source->time(each.next) <= now) {
        each.source->event(each.next++, events.emplace_back());
      }
      if (!events.empty()) each.sender->post(events, std::to_string(each.next));
      posted += events.size();
      more = more || each.next < size;
    }
    ended = client::wait_signal(0.001) != 0;
  }
  const Time until = wall_time() + Duration(static_cast<std::int64_t>(options.timeout_s * 1e9));
  bool drained = true;
  std::uint64_t acknowledged = 0, lost = 0;
  for (Sending& each : all) {
    const auto left = std::chrono::ceil<milliseconds>(until - wall_time());
    drained = each.sender->drain(std::max(left, milliseconds(0))) && drained;
    const client::SenderState state = each.sender->state();
    acknowledged += each.next - state.pending;
    lost += state.lost;
  }
  const double seconds = seconds_of(wall_time() - began);
  std::cout << client::to_line({{"planned", planned},
                                {"before", before},
                                {"posted", posted},
                                {"acknowledged", acknowledged},
                                {"lost", lost},
                                {"seconds", seconds},
                                {"rate", static_cast<double>(posted) / seconds}})
            << '\n';
  return drained && lost == 0 ? client::exit_good : client::exit_failed;
}

}  // namespace

int main(int argc, char** argv) {
  client::block_signals();
  Options options;
  CLI::App app(
      "A world of calls at a fixed rate. The events are a function of the seed, the rate, the length, the sources,\n"
      "segments and incidents, and the start: killed and started again with the same and its --spool, it goes on\n"
      "exactly where it was.");
  app.add_option("--seed", options.plan.seed)->capture_default_str();
  app.add_option("--sources", options.plan.sources, "load-0, load-1, ...")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--segments", options.plan.segments)->check(CLI::Range(1, 100'000))->capture_default_str();
  app.add_option("--incidents", options.plan.incidents, "scripted stories that lead to alerts")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  app.add_option("--rate", options.plan.rate, "events/s of all load sources together")
      ->check(CLI::Range(64, 10'000'000))
      ->capture_default_str();
  app.add_option("--seconds", options.plan.seconds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--start", options.start_ns, "of the schedule: nanoseconds since 1970 (default: now)");
  app.add_option("--endpoint", options.endpoint)->capture_default_str();
  app.add_option("--spool", options.spool, "directory for the spools, one a source (default: in memory)");
  app.add_option("--spool-limit", options.spool_limit, "events held at most, a source")->capture_default_str();
  app.add_option("--only", options.only, "this source alone");
  app.add_option("--timeout", options.timeout_s, "seconds to wait for the last acknowledgement")->capture_default_str();
  app.add_option("--print", options.print,
                 "instead of sending: events as JSON lines, the figures and alerts that must come out, or the\n"
                 "configuration of the world")
      ->check(CLI::IsMember({"events", "figures", "config"}));
  app.add_flag("--paced", options.paced, "print each event when it is due");
  app.add_option("--timezone", options.timezone, "of the configuration")->capture_default_str();
  if (const int code = client::parse(app, argc, argv); code >= 0) return code;
  options.plan.start = options.start_ns > 0 ? time_from_ns(options.start_ns) : wall_time();
  try {
    if (options.print == "events") return print_events(options);
    if (options.print == "figures") return print_figures(options);
    if (options.print == "config") {
      std::cout << load::configuration(options.plan, options.timezone);
      return client::exit_good;
    }
    return send(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reach-load: %s\n", error.what());
    return client::exit_failed;
  }
}
