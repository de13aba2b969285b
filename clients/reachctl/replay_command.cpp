// reachctl replay: files of events, queue_log files and event logs of a daemon, through Replay.
#include <spdlog/spdlog.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "clients/adapters/queuelog/queuelog.hpp"
#include "clients/library/json.hpp"
#include "clients/reachctl/command.hpp"
#include "clients/reachctl/replay.hpp"
#include "clients/reachctl/text.hpp"
#include "daemon/log/segments.hpp"
#include "daemon/replica/replica.hpp"
#include "daemon/settings/settings.hpp"
#include "daemon/wire/wire.hpp"

namespace reach::ctl {
namespace {

struct Options {
  std::string input, format = "jsonl", every = "month", until, source = "file";
};

/// Lines that could not be read, the first ten told.
class BadLines {
 public:
  void add(std::uint64_t number, const std::string& problem) {
    if (++count_ <= 10) complain("line " + std::to_string(number) + ": " + problem);
  }
  int finish() const {
    if (count_ > 10) complain(std::to_string(count_ - 10) + " more lines could not be read");
    return count_ > 0 ? exit_failed : exit_good;
  }

 private:
  std::uint64_t count_ = 0;
};

/// One event into the replay. False: `until` is reached.
bool take(Replay& replay, const v1::Event& event, const std::string& source, wire::Scratch& scratch,
          const std::function<void(const std::string&)>& bad) {
  Input input;
  Event& core = input.emplace<Event>();
  if (const auto problem = wire::event_from(event, source, {}, never, scratch, core)) {
    bad(*problem);
    return true;
  }
  return replay.take(input, core.at);
}

int replay_lines(Replay& replay, std::istream& in, const std::string& source) {
  BadLines bad;
  wire::Scratch scratch;
  v1::Event event;
  std::string line;
  for (std::uint64_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto tell = [&](const std::string& problem) { bad.add(number, problem); };
    if (const auto problem = client::from_json_line(line, event)) {
      tell(*problem);
    } else if (!take(replay, event, source, scratch, tell)) {
      break;
    }
  }
  return bad.finish();
}

int replay_queue_log(Replay& replay, std::istream& in, const std::string& source) {
  BadLines bad;
  wire::Scratch scratch;
  // The names are nowhere written; agents and callers need only be the same ones within this run.
  queuelog::QueueLog reader{adapter::Pseudonyms(adapter::random_key())};
  std::vector<v1::Event> events;
  std::string line;
  std::uint64_t number = 0;
  bool more = true;
  const auto take_all = [&] {
    for (const v1::Event& event : events) {
      more =
          more && take(replay, event, source, scratch, [&](const std::string& problem) { bad.add(number, problem); });
    }
    events.clear();
  };
  while (more && std::getline(in, line)) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!reader.take(line, events)) bad.add(number, "no queue_log line; expected is epoch|callid|queue|agent|event|…");
    take_all();
  }
  reader.finish(events);
  take_all();
  return bad.finish();
}

/// The records as the daemon took them. `configuration`: holds throughout, whatever the log says; without it the
/// recorded ones hold, each from its place on.
int replay_log(Replay& replay, const std::string& directory, bool recorded_configurations) {
  const std::shared_ptr<log::Disk> disk = log::local_disk_read_only(directory);
  const log::Segments log(disk, 1, log::Tail::leave);
  replica::RecordReader reader;
  bool more = true;
  const replica::RecordReader::Calls calls{[&](const Input& input, Time at) { more = more && replay.take(input, at); },
                                           [&](settings::Loaded loaded, Time at) {
                                             if (recorded_configurations) replay.configure(std::move(loaded.core), at);
                                           },
                                           complain};
  const std::vector<log::SegmentFile> files = log::segment_files(*disk);
  if (files.empty()) return exit_good;
  log::read_records(*disk, files.front().first, log.durable(), [&](log::Lsn number, std::string_view bytes) {
    if (more) reader.read(number, bytes, calls);
  });
  return exit_good;
}

std::optional<Period> period_from(const std::string& every, const Config& config) {
  if (every == "hour") return Period::hour;
  if (every == "day") return Period::day;
  if (every == "week") return Period::week;
  if (every == "month") return Period::month;
  if (every == "interval" || parse_duration(every) == config.interval) return Period::interval;
  return std::nullopt;
}

bool has_interval_objective(const Config& config) {
  for (const ContractConfig& contract : config.contracts) {
    for (const ObjectiveConfig& objective : contract.objectives) {
      if (objective.window.kind == Window::Kind::calendar && objective.window.period == Period::interval) return true;
    }
  }
  return false;
}

int run(const Context& context, const Options& options) {
  const bool is_log = options.format == "log";
  const bool recorded = is_log && context.config.empty();
  if (context.config.empty() && !is_log) {
    complain("replay needs --config FILE: the segments, services and contracts to replay with");
    return exit_usage;
  }
  settings::Loaded loaded = recorded ? settings::load_text("", "") : settings::load(context.config);
  for (const auto& problem : loaded.problems) std::cerr << settings::render(problem) << '\n';
  if (!loaded.good()) return exit_configuration;

  // Quarters of an hour from a configuration of half hours: possible as long as no objective is measured by them.
  const auto every_length = parse_duration(options.every);
  const bool quarter_or_half = every_length == std::chrono::minutes(15) || every_length == std::chrono::minutes(30);
  if (quarter_or_half && !has_interval_objective(loaded.core)) loaded.core.interval = *every_length;
  const auto every = period_from(options.every, loaded.core);
  if (!every) {
    complain("--every \"" + options.every + "\" is no period; expected is " + format_duration(loaded.core.interval) +
             " (the configured interval), hour, day, week or month");
    return exit_usage;
  }
  ReplayOptions with;
  with.every = *every;
  if (!options.until.empty()) {
    with.until = parse_rfc3339(options.until);
    if (!with.until) {
      complain("--until \"" + options.until + "\" is no time; expected is RFC 3339, like 2026-11-23T11:30:00+01:00");
      return exit_usage;
    }
  }
  ReplayCalls calls;
  calls.alert = [&](const Alert& alert) {
    v1::Alert message;
    wire::to_proto(alert, message);
    if (context.json) {
      std::cout << client::to_line({{"alert", client::to_json(message)}}) << '\n';
    } else {
      std::cout << alert_text(message) << '\n';
    }
  };
  calls.status = [&](const v1::Status& status) {
    if (context.json) {
      std::cout << client::to_line(client::to_json(status)) << '\n';
    } else {
      std::cout << "\n" << status_text(status, false) << "\n";
    }
  };
  calls.remark = [](const Remark& remark) { spdlog::debug("{}", remark.text); };
  if (is_log) with.engine = EngineOptions{};  // the log says who was heard when, and what was recommended can alert
  Replay replay(std::move(loaded.core), with, calls);

  std::ifstream file;
  if (options.input != "-" && !is_log) {
    file.open(options.input);
    if (!file) {
      complain("cannot read " + options.input + ": does it exist, and may you read it?");
      return exit_failed;
    }
  }
  std::istream& in = options.input == "-" ? std::cin : file;
  const int code = is_log                          ? replay_log(replay, options.input, recorded)
                   : options.format == "queue_log" ? replay_queue_log(replay, in, options.source)
                                                   : replay_lines(replay, in, options.source);
  replay.finish();
  std::cout.flush();
  if (!replay.started()) complain("no event in " + options.input + ", so there is no period to report");
  if (replay.stepped_back() > 0) {
    complain(std::to_string(replay.stepped_back()) + " lines step back in time; they were applied as late events");
  }
  return code;
}

}  // namespace

void add_replay(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, context, "replay", "runs recorded events through the same core, without a daemon",
                  [&context, options] { return run(context, *options); });
  command->add_option("INPUT", options->input, "file of events, or - for stdin; with --format log a directory")
      ->required();
  command
      ->add_option("--format", options->format,
                   "jsonl: one event a line; queue_log: Asterisk's; log: a daemon's event log directory")
      ->check(CLI::IsMember({"jsonl", "queue_log", "log"}))
      ->capture_default_str();
  command
      ->add_option("--every", options->every,
                   "one status for each 15m, hour, day, week or month of the configured time zone that the events "
                   "reach; empty ones too")
      ->capture_default_str();
  command->add_option("--until", options->until,
                      "RFC 3339: run the clock on to this time and stop; what is at or after it does not happen");
  command->add_option("--source", options->source, "source of events that name none")->capture_default_str();
}

}  // namespace reach::ctl
