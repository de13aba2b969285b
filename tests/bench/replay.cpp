// A month of a real call centre through the whole core: read the event lines, take each event, and look at the figures
// of every quarter of an hour. Beside it: only reading the same lines.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "clients/library/json.hpp"
#include "daemon/wire/wire.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/load.hpp"

namespace reach::bench {
namespace {

constexpr const char* bank_configuration =
    "timezone = \"Asia/Jerusalem\"\n"
    "[[segment]]\nid = \"bank\"\nqueues = [\"PS\", \"NE\", \"NW\", \"PE\", \"IN\", \"TT\"]\n"
    "[[service]]\nid = \"phone\"\nthreshold = \"20s\"\nshort_abandon = \"0s\"\n"
    "[[contract]]\nid = \"bank\"\nsegments = [\"bank\"]\n"
    "objective = [{ figure = \"service_level\", target = 0.80, window = \"30m\" }]\n";

std::vector<std::string> lines_of(std::istream& in) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The month as event lines, or none where the data is not there.
std::vector<std::string> bank_month(const Options& options) {
  const std::filesystem::path month = std::filesystem::path(BENCH_DATA) / "bank-1999" / "october.txt";
  if (!std::filesystem::exists(month)) return {};
  const std::string out = options.directory + "/october.jsonl";
  const std::string command =
      std::string("python3 '") + BENCH_BANK_TO_JSONL + "' '" + month.string() + "' > '" + out + "'";
  if (std::system(command.c_str()) != 0) return {};  // NOLINT(cert-env33-c): our own script, paths of the build
  std::ifstream in(out);
  return lines_of(in);
}

/// About as many calls as the bank had, in office hours of 30 days.
std::vector<std::string> made_up_month() {
  std::vector<std::string> lines;
  v1::Event event;
  const Time month = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 1));
  for (int day = 0; day < 30; ++day) {
    const Time begin = month + std::chrono::hours(24 * day + 8);
    Calls calls(1, 20, 3, begin, std::chrono::milliseconds(10'800), "day" + std::to_string(day) + "-");
    for (int i = 0; i < 3'300; ++i) {
      calls.next(event);
      if (event.has_offered()) event.mutable_offered()->set_queue("PS");
      lines.push_back(client::to_json_line(event));
    }
  }
  return lines;
}

struct Replayed {
  double seconds = 0, span_s = 0;
  std::int64_t offered = 0;
};

void read_line(const std::string& line, v1::Event& message) {
  if (const auto problem = client::from_json_line(line, message)) throw std::runtime_error(*problem);
}

Replayed through_the_core(const std::vector<std::string>& lines, const Config& config) {
  Replayed result;
  Time first{};
  std::optional<Engine> engine;
  result.seconds = cpu_seconds_of_work([&] {
    v1::Event message;
    Event event;
    wire::Scratch scratch;
    Decisions decisions;
    TimeRange period;
    for (const std::string& line : lines) {
      read_line(line, message);
      if (wire::event_from(message, "file", {}, never, scratch, event)) throw std::runtime_error(line);
      if (!engine) {
        first = event.at;
        engine.emplace(config, EngineOptions{.staleness = false, .staffing = false}, event.at);
        period = period_at(config.zone, Period::interval, config.interval, event.at);
      }
      for (; event.at >= period.to; period = period_at(config.zone, Period::interval, config.interval, period.to)) {
        decisions.clear();
        engine->step(TimeUpTo{}, period.to, decisions);
        const Window interval{Window::Kind::calendar, {}, Period::interval};
        result.offered += wire::status_of(*engine, interval, period.to).segments(0).figures().offered();
      }
      decisions.clear();
      engine->step(event, event.at, decisions);
    }
  });
  if (engine) result.span_s = seconds_of(engine->now() - first);
  return result;
}

}  // namespace

void replay(const Options& options, Report& report) {
  std::vector<std::string> lines = bank_month(options);
  const std::string which = lines.empty() ? "made-up month" : "bank-1999 October";
  if (lines.empty()) lines = made_up_month();
  const Config config = loaded(bank_configuration);
  std::vector<double> core, parsing;
  double span_s = 0;
  for (int i = 0; i < (options.quick ? 1 : 7); ++i) {
    const Replayed run = through_the_core(lines, config);
    span_s = run.span_s;
    core.push_back(span_s / run.seconds);
    parsing.push_back(span_s / cpu_seconds_of_work([&] {
                        v1::Event message;
                        for (const std::string& line : lines) read_line(line, message);
                      }));
  }
  report.add({"replay", which + ", " + std::to_string(lines.size()) + " events", median(core), "x real",
              median(parsing), 100'000.0, Row::Goal::value_at_least});
}

}  // namespace reach::bench
