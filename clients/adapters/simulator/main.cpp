// reach-adapter-simulator: a simulated back office that speaks to reachd like any other source.
#include <date/tz.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "clients/adapters/simulator/back_office.hpp"
#include "clients/library/json.hpp"
#include "clients/library/program.hpp"
#include "clients/library/sender.hpp"

namespace {

using namespace reach;
using namespace reach::simulator;

struct Arguments {
  std::string endpoint = "tcp://127.0.0.1:5570";
  client::KeyFiles key_files;
  std::string to;
  std::uint64_t seed = 0;
  double speed = 1;
  std::string day = "monday", start = "08:30", until;
  std::string date, timezone = "Europe/Berlin";
};

/// The instant at which clocks in `timezone` show `hour` on `date`. Throws with a sentence for people.
Time local_instant(const std::string& timezone, const std::string& date_text, double hour) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  char rest = 0;
  const int fields = std::sscanf(date_text.c_str(), "%d-%u-%u%c", &year, &month, &day, &rest);
  const date::year_month_day ymd{date::year(year), date::month(month), date::day(day)};
  if (fields != 3 || !ymd.ok()) {
    throw std::runtime_error("--date " + date_text + " is no date; expected YYYY-MM-DD");
  }
  const auto local = date::local_days(ymd) + std::chrono::seconds(std::lround(hour * 3600));
  return Time(date::locate_zone(timezone)->to_sys(local, date::choose::earliest).time_since_epoch());
}

/// The world's time: begins at `start` and never steps, whatever the machine's clock does.
class SteadyTime {
 public:
  explicit SteadyTime(Time start) : start_(start) {}
  [[nodiscard]] Time now() const {
    return start_ + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began_);
  }

 private:
  Time start_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

void say_how_it_went(const Tally& tally) {
  spdlog::info(
      "{} calls ({} redials): {} answered, {} abandoned, {} forwarded, {} rejected; {} work items, {} done; "
      "{} events",
      tally.calls, tally.redials, tally.answered, tally.abandoned, tally.forwarded, tally.rejected, tally.items,
      tally.items_done, tally.events);
}

int print_lines(const Company& company, const Options& options, Time until) {
  BackOffice office(company, options);
  std::vector<v1::Event> events;
  for (Time t = office.next(); t <= until; t = office.next()) {
    office.run_until(t, events);
    for (const v1::Event& event : events) {
      const std::string line = client::to_json_line(event) + '\n';
      if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) {
        spdlog::error("cannot write to standard output: is the reader gone?");
        return client::exit_failed;
      }
    }
    events.clear();
  }
  say_how_it_went(office.tally());
  return std::fflush(stdout) == 0 ? client::exit_good : client::exit_failed;
}

int live(const Company& company, Options options, const Arguments& arguments, std::optional<double> until_hour) {
  const client::ClientKeys keys = client::read_keys(arguments.key_files);
  std::map<std::string, std::unique_ptr<client::Sender>> senders;
  const auto epoch = static_cast<std::uint64_t>(ns_of(options.start));
  for (const std::string& source : company.sources) {
    client::SenderOptions to;
    to.endpoint = arguments.endpoint;
    to.keys = keys;
    to.source = source;
    to.software = std::string("reach-adapter-simulator ") + client::version;
    to.capabilities = {"calls", "agents", "wrap_up", "ringing", "rejected", "items", "held"};
    senders[source] = std::make_unique<client::Sender>(
        to, client::memory_spool(epoch), [source](const std::string& what) { spdlog::warn("{}: {}", source, what); });
  }

  client::notify_systemd("READY=1");
  const SteadyTime time(options.start);
  BackOffice office(company, options);
  const Time until = until_hour ? office.clock().when(0, *until_hour) : never;
  std::vector<v1::Event> events;
  int half_hours = -1;
  while (time.now() < until) {
    const Time now = time.now();
    office.run_until(now, events);
    for (const v1::Event& event : events) senders.at(event.source())->post(event);
    events.clear();
    const DayTime shows = office.clock().at(now);
    if (const int half = shows.day * 48 + static_cast<int>(shows.hour * 2); half != half_hours) {
      half_hours = half;
      spdlog::info("the office's clock: {}", to_text(shows));
      client::notify_systemd("STATUS=the office's clock: " + to_text(shows));
    }
    client::notify_systemd("WATCHDOG=1");
    const double pause = std::clamp(seconds_of(std::min(office.next(), until) - time.now()), 0.001, 1.0);
    const int signal = client::wait_signal(pause);
    if (signal == SIGTERM || signal == SIGINT) break;
  }

  bool all = true;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (auto& [source, sender] : senders) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (sender->drain(std::max(left, std::chrono::milliseconds(0)))) continue;
    all = false;
    spdlog::error("{}: {} events were not acknowledged; is reachd running at {}?", source, sender->state().pending,
                  arguments.endpoint);
  }
  say_how_it_went(office.tally());
  return all ? client::exit_good : client::exit_not_reachable;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "A simulated back office as a source for reachd: customers who call, wait and give up, people who\n"
      "answer, and a bad Monday morning. The same seed gives the same events.",
      "reach-adapter-simulator");
  Arguments arguments;
  client::CommonOptions common;
  common.add_to(app);
  app.add_option("--endpoint", arguments.endpoint, "reachd's ingest socket")->capture_default_str();
  arguments.key_files.add_to(app);
  app.add_option("--to", arguments.to, "- writes JSON lines on the simulated clock, at once, instead of sending")
      ->check(CLI::IsMember({"-"}));
  app.add_option("--seed", arguments.seed, "seed of everything random; without it a new one, which is printed");
  app.add_option("--speed", arguments.speed,
                 "how many times as fast the day passes. Calls and items shrink with it (at most to a sixth) and come\n"
                 "more often; patience, ringing and your thresholds stay in real seconds")
      ->check(CLI::Range(1.0, 1000.0))
      ->capture_default_str();
  app.add_option("--day", arguments.day, "weekday on which it starts; the bad one is monday")->capture_default_str();
  app.add_option("--start", arguments.start, "time of day at which it starts, HH:MM")->capture_default_str();
  app.add_option("--until", arguments.until,
                 "time of the first day at which it ends, HH:MM; without it: never,\n"
                 "with --to - 18:30");
  app.add_option("--date", arguments.date,
                 "with --to -: the date of the first day, YYYY-MM-DD (sets --day; without\n"
                 "it: 2026-11-23, a Monday, and the days after it)");
  app.add_option("--timezone", arguments.timezone, "with --to -: where the office is")->capture_default_str();
  app.set_config("--config", "", "TOML file with these options");
  if (const int leave = client::parse(app, argc, argv); leave >= 0) return leave;
  if (arguments.to.empty()) client::block_signals();  // for live(); print_lines() just ends by one
  common.start("reach-adapter-simulator");

  const auto wrong = [](const std::string& what) {
    spdlog::error("{}", what);
    return static_cast<int>(client::exit_usage);
  };
  const auto weekday = weekday_from(arguments.day);
  const auto hour = hour_from(arguments.start);
  const auto until = arguments.until.empty() ? std::nullopt : hour_from(arguments.until);
  if (!weekday) return wrong("--day " + arguments.day + " is no weekday; expected monday … sunday");
  if (!hour) return wrong("--start " + arguments.start + " is no time of day; expected HH:MM");
  if (!arguments.until.empty() && !until) {
    return wrong("--until " + arguments.until + " is no time of day; expected HH:MM");
  }
  if (app.count("--seed") == 0) arguments.seed = std::random_device()();
  spdlog::info("seed {}, speed {}", arguments.seed, arguments.speed);

  Options options;
  options.seed = arguments.seed;
  options.weekday = *weekday;
  options.hour = *hour;
  options.speed = arguments.speed;
  const Company company = fittings_company();
  try {
    if (arguments.to.empty()) {
      options.start = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
      return live(company, options, arguments, until);
    }
    if (arguments.date.empty()) {
      arguments.date = "2026-11-" + std::to_string(23 + *weekday);
    } else {
      const Time noon = local_instant("UTC", arguments.date, 12);
      options.weekday =
          static_cast<int>(std::chrono::weekday(std::chrono::floor<std::chrono::days>(noon)).iso_encoding() - 1);
    }
    options.start = local_instant(arguments.timezone, arguments.date, *hour);
    const DayClock clock(options.start, options.weekday, options.hour, options.speed);
    return print_lines(company, options, clock.when(0, until.value_or(18.5)));
  } catch (const std::exception& error) {
    return wrong(error.what());
  }
}
