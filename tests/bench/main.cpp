// reach-bench NAME|all [--json] [--quick]: prints figures, asserts nothing.
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/bench/bench.hpp"

namespace reach::bench {

void core(const Options&, Report&);
void memory(const Options&, Report&);
void staffing(const Options&, Report&);
void replay(const Options&, Report&);
void recovery(const Options&, Report&);
void ingest(const Options&, Report&);
void latency(const Options&, Report&);
void fan_out(const Options&, Report&);
void sizing(const Options&, Report&);
void log_store(const Options&, Report&);
void log_faults(const Options&, Report&);

const std::vector<Benchmark>& benchmarks() {
  static const std::vector<Benchmark> all = {
      {"ingest", "events/s from adapters to durable and acknowledged", ingest},
      {"latency", "from an event to the alert at a subscriber, idle and at half load", latency},
      {"fan-out", "alerts to many subscribers, one of which stands still", fan_out},
      {"sizing", "what a load by the hour takes of processor, memory and disk", sizing},
      {"core", "ns per event inside the process, by segments and live contacts", core},
      {"memory", "bytes per live contact and per segment", memory},
      {"staffing", "time of a recommendation", staffing},
      {"replay", "a month of calls through the whole core", replay},
      {"recovery", "start to ready after ten million logged events", recovery},
      {"log-store", "the event log's files against SQLite, RocksDB and LMDB", log_store},
      {"log-faults", "what they do when the disk lies or fails", log_faults},
  };
  return all;
}

std::optional<double> Row::ratio() const {
  if (!limit || *limit == 0) return std::nullopt;
  return value / *limit;
}

std::optional<bool> Row::reached() const {
  if (!reach) return std::nullopt;
  switch (goal) {
    case Goal::value_at_most:
      return value <= *reach;
    case Goal::value_at_least:
      return value >= *reach;
    case Goal::ratio_at_most:
      return ratio() && *ratio() <= *reach;
    case Goal::ratio_at_least:
      return ratio() && *ratio() >= *reach;
  }
  return std::nullopt;
}

double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

double quantile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(p * static_cast<double>(values.size() - 1));
  return values.at(rank);
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double seconds_of_work(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return seconds_since(begin);
}

double cpu_seconds_of_work(const std::function<void()>& work) {
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  };
  const double begin = now();
  work();
  return now() - begin;
}

namespace {

std::string machine() {
  utsname name{};
  uname(&name);
  std::string model = "unknown processor";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " processors, " + name.sysname + " " +
         name.release;
}

template <class T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

/// Three digits are more than a shared machine repeats.
std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 1000 ? "%.0f" : "%.3g", value);
  return text;
}

class Printer final : public Report {
 public:
  explicit Printer(bool json) : json_(json) {}

  void add(Row row) override {
    if (!json_) print(row);
    rows_.push_back({{"name", row.name},
                     {"case", row.where},
                     {"value", row.value},
                     {"unit", row.unit},
                     {"limit", or_null(row.limit)},
                     {"ratio", or_null(row.ratio())},
                     {"reach", or_null(row.reach)},
                     {"reached", or_null(row.reached())}});
  }

  void progress(const std::string& sentence) override { std::fprintf(stderr, "  ... %s\n", sentence.c_str()); }

  void finish() const {
    if (json_)
      std::printf("%s\n", nlohmann::ordered_json{{"machine", machine()}, {"benchmarks", rows_}}.dump(1).c_str());
  }

 private:
  void print(const Row& row) {
    if (rows_.empty()) {
      std::printf("%s\n\n%-10s %-52s %12s %-10s %12s %7s %8s\n", machine().c_str(), "benchmark", "case", "value",
                  "unit", "limit", "ratio", "reach");
    }
    const auto text = [](std::optional<double> value) { return value ? short_number(*value) : std::string("-"); };
    const std::optional<bool> reached = row.reached();
    std::printf("%-10s %-52s %12s %-10s %12s %7s %8s %s\n", row.name.c_str(), row.where.c_str(),
                short_number(row.value).c_str(), row.unit.c_str(), text(row.limit).c_str(), text(row.ratio()).c_str(),
                text(row.reach).c_str(),
                !reached   ? ""
                : *reached ? "reached"
                           : "MISSED");
    std::fflush(stdout);
  }

  bool json_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
};

}  // namespace
}  // namespace reach::bench

int main(int argc, char** argv) {
  using namespace reach::bench;
  CLI::App app("Measures reachd against what this machine can do at all. Prints figures, asserts nothing.",
               "reach-bench");
  std::vector<std::string> names;
  bool json = false;
  Options options;
  std::string where = std::filesystem::temp_directory_path().string();
  std::string help = "Which, or \"all\":";
  for (const Benchmark& each : benchmarks()) help += std::string("\n  ") + each.name + ": " + each.what;
  app.add_option("NAME", names, help)->required();
  app.add_flag("--json", json, "One JSON document instead of a table");
  app.add_flag("--quick", options.quick, "Small sizes: to see that it works, not to compare");
  app.add_option("--directory", where, "Where files are written: the disk that is measured")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  std::vector<const Benchmark*> chosen;
  for (const std::string& name : names) {
    const std::size_t before = chosen.size();
    for (const Benchmark& each : benchmarks()) {
      if (name == "all" || name == each.name) chosen.push_back(&each);
    }
    if (chosen.size() == before) {
      std::fprintf(stderr, "reach-bench: there is no benchmark \"%s\"; see --help\n", name.c_str());
      return 64;
    }
  }
#ifndef NDEBUG
  std::fprintf(stderr, "reach-bench: not optimised; figures to compare come from the preset \"release\"\n");
#endif

  Printer printer(json);
  int code = 0;
  for (const Benchmark* each : chosen) {
    std::string pattern = where + "/reach-bench-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
      std::perror(pattern.c_str());
      return 1;
    }
    options.directory = pattern;
    std::fprintf(stderr, "%s: %s\n", each->name, each->what);
    try {
      each->run(options, printer);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "reach-bench: %s could not be measured: %s\n", each->name, e.what());
      code = 1;
    }
    std::error_code ignored;
    std::filesystem::remove_all(pattern, ignored);
  }
  printer.finish();
  return code;
}
