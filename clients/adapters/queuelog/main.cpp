// reach-adapter-queuelog: Asterisk queue_log files -> reachd.
#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "clients/adapters/common/config.hpp"
#include "clients/adapters/common/event_lines.hpp"
#include "clients/adapters/common/key_file.hpp"
#include "clients/adapters/common/replace_file.hpp"
#include "clients/adapters/common/spool.hpp"
#include "clients/adapters/queuelog/file_lines.hpp"
#include "clients/adapters/queuelog/queuelog.hpp"
#include "clients/library/json.hpp"
#include "clients/library/program.hpp"
#include "clients/library/sender.hpp"

namespace {

using namespace reach;
using namespace reach::queuelog;

struct AdapterConfig : client::KeyFiles {
  std::string source, endpoint = "tcp://127.0.0.1:5570", file = "/var/log/asterisk/queue_log";
  std::string pseudonym_key_file, position_file, spool_directory;
  std::vector<std::string> excluded;
};

const settings::Section<AdapterConfig>& config_section() {
  using settings::text;
  static const settings::Section<AdapterConfig> section{
      "the file", "",
      adapter::with_key_files<AdapterConfig>(
          {{"source", settings::id(&AdapterConfig::source, "a name of letters, digits, '.', '_' and '-'"), "", "",
            true},
           {"endpoint", adapter::endpoint(&AdapterConfig::endpoint), ""},
           {"file", text(&AdapterConfig::file, "the path of a queue_log"), ""},
           {"pseudonym_key_file", text(&AdapterConfig::pseudonym_key_file, "the path of a file"), ""},
           {"position_file", text(&AdapterConfig::position_file, "the path of a file that may be written"), ""},
           {"spool_directory", text(&AdapterConfig::spool_directory, "the path of a directory"), ""},
           {"excluded", settings::texts(&AdapterConfig::excluded, "a list of extensions, such as [\"199\"]"), ""}})};
  return section;
}

struct Arguments {
  std::string config, from, to, source, endpoint;
  double speed = 0;
  bool check = false, follow = false;
  client::KeyFiles keys;
};

struct Ready {
  AdapterConfig config;
  std::string key;
  client::ClientKeys keys;
};

std::optional<Ready> load(const Arguments& arguments) {
  Ready ready{{}, adapter::random_key(), {}};
  if (!arguments.config.empty()) {
    auto loaded = adapter::load_config(arguments.config, config_section());
    for (const auto& problem : loaded.problems) std::cerr << settings::render(problem) << '\n';
    if (!loaded.problems.empty()) return std::nullopt;
    ready.config = std::move(loaded.config);
  }
  if (!arguments.source.empty()) ready.config.source = arguments.source;
  if (!arguments.endpoint.empty()) ready.config.endpoint = arguments.endpoint;
  if (!arguments.from.empty()) ready.config.file = arguments.from;
  try {
    if (arguments.to.empty()) ready.keys = client::read_keys(ready.config.unless(arguments.keys));
    if (ready.config.pseudonym_key_file.empty()) return ready;
    ready.key = adapter::read_key_file(ready.config.pseudonym_key_file);
    if (ready.key.size() < 16) throw adapter::KeyFileProblem("the key is too short; run: openssl rand -hex 32 > FILE");
  } catch (const adapter::KeyFileProblem& problem) {
    std::cerr << arguments.config << ": " << problem.what() << '\n';
    return std::nullopt;
  }
  return ready;
}

Options options_of(const AdapterConfig& config, bool sorted) {
  return {{config.excluded.begin(), config.excluded.end()}, sorted};
}

void say_counts(const Counts& counts) {
  spdlog::info("{} lines, {} malformed, {} of events not known", counts.lines, counts.malformed, counts.unknown);
}

/// Events to where they belong: standard output, or reachd.
class Output {
 public:
  Output(const Arguments& arguments, const Ready& ready) : source_(ready.config.source) {
    if (arguments.to == "-") return;
    const AdapterConfig& config = ready.config;
    client::SenderOptions options;
    options.endpoint = config.endpoint;
    options.keys = ready.keys;
    options.source = config.source;
    options.software = std::string("reach-adapter-queuelog ") + client::version;
    options.capabilities = {"calls", "agents"};
    sender_ = std::make_unique<client::Sender>(options, adapter::spool_for(config.spool_directory),
                                               [](const std::string& sentence) { spdlog::warn("{}", sentence); });
  }

  /// `bookmark`: up to where the file was read when these are told.
  void take(std::vector<v1::Event>& events, const std::string& bookmark = {}) {
    if (events.empty()) return;
    if (sender_) {
      sender_->post(events, bookmark);
    } else {
      for (v1::Event& event : events) {
        event.set_source(source_);
        std::cout << client::to_json_line(event) << '\n';
      }
    }
    events.clear();
  }
  /// The newest bookmark that the spool kept; empty: none.
  [[nodiscard]] std::string bookmark() const { return sender_ ? sender_->bookmark() : std::string(); }

  void flush() const {
    if (!sender_) std::cout.flush();
  }
  [[nodiscard]] bool all_acknowledged() const { return !sender_ || sender_->state().pending == 0; }
  /// How many events may wait for reachd before a file is read on: a backfill must not fill the spool.
  [[nodiscard]] bool may_go_on() const { return !sender_ || sender_->state().pending < 50'000; }
  bool drain() {
    flush();
    if (!sender_) return static_cast<bool>(std::cout);
    return sender_->drain(std::chrono::seconds(10));
  }

 private:
  std::string source_;
  std::unique_ptr<client::Sender> sender_;
};

/// Waits up to `seconds` for a signal. Whether one came that ends the program.
bool is_ended(double seconds) {
  const int signal = client::wait_signal(seconds);
  return signal == SIGTERM || signal == SIGINT;
}

/// Waits until std::cin has something or is at its end. False: the program is ended.
bool wait_for_input() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (std::cin.rdbuf()->in_avail() <= 0 && ::poll(&input, 1, 250) == 0)
    if (is_ended(0)) return false;
  return true;
}

/// From the beginning to the end, as fast as it goes or at `speed` times the pace of its own times.
int run_file(const Arguments& arguments, const Ready& ready) {
  std::ifstream file;
  if (arguments.from != "-") {
    file.open(ready.config.file, std::ios::binary);
    if (!file) {
      spdlog::error("cannot read {}: does it exist, and may you read it?", ready.config.file);
      return client::exit_failed;
    }
  }
  std::ios::sync_with_stdio(false);  // what std::cin has read it then knows itself, for wait_for_input()
  std::istream& in = arguments.from == "-" ? std::cin : file;
  QueueLog log(adapter::Pseudonyms(ready.key), options_of(ready.config, true));
  Output output(arguments, ready);
  std::vector<v1::Event> events, due;
  const auto began = std::chrono::steady_clock::now();
  std::optional<Time> first;
  const auto say = [&]() -> bool {
    for (v1::Event& event : events) {
      const Time at = time_from_ns(static_cast<std::int64_t>(event.time_ns()));
      if (!first) first = at;
      while (arguments.speed > 0) {
        const double ahead = seconds_of(at - *first) / arguments.speed -
                             std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        if (ahead <= 0) break;
        output.flush();
        if (is_ended(std::min(ahead, 1.0))) return false;
      }
      due.push_back(std::move(event));
      output.take(due);
    }
    events.clear();
    while (!output.may_go_on())
      if (is_ended(0.05)) return false;
    return true;
  };
  const auto may_read = [&] {
    if (log.counts().lines % 1000 == 0 && is_ended(0)) return false;
    return &in != &std::cin || wait_for_input();
  };
  std::string line;
  bool going = may_read();
  while (going && std::getline(in, line)) {
    log.take(line, events);
    going = say() && may_read();
  }
  if (going) {
    log.finish(events);
    say();
  }
  say_counts(log.counts());
  if (output.drain()) return client::exit_good;
  spdlog::error("not all events were acknowledged; is reachd running at {}?", ready.config.endpoint);
  return arguments.to == "-" ? client::exit_failed : client::exit_not_reachable;
}

/// How far the file was told: everything before `position`, and what the passing of time up to `passed` told.
struct Told {
  FilePosition position;
  Time passed{};
};

std::string text_of(const Told& told) {
  return std::to_string(told.position.inode) + ' ' + std::to_string(told.position.offset) + ' ' +
         std::to_string(ns_of(told.passed)) + ' ' + std::to_string(told.position.fingerprint);
}

/// Begins at the beginning if `text` is none of text_of().
Told told_from(const std::string& text) {
  Told told;
  std::int64_t passed = 0;
  std::istringstream in(text);
  if (!(in >> told.position.inode >> told.position.offset)) return {};
  if (in >> passed) told.passed = time_from_ns(passed);
  in >> told.position.fingerprint;  // none in those of an earlier version
  return told;
}

std::string read_position(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  return text;
}

/// Goes on with the file as it grows. What was told before is read, but not told again: calls that wait must be known.
/// Where to go on says the bookmark that the spool keeps with the events themselves. A spool in memory knows it only by
/// `last` (of the life before a SIGHUP) and the position_file, which is written when everything is acknowledged.
/// Returns an exit code, or `reload` after SIGHUP; `last` is then where it stands.
constexpr int reload = -1;
int run_follow(const Ready& ready, Output& output, std::string& last) {
  const AdapterConfig& config = ready.config;
  if (const std::string kept = output.bookmark(); !kept.empty()) last = kept;
  if (last.empty() && !config.position_file.empty()) last = read_position(config.position_file);
  Options options = options_of(config, false);
  options.resumed = !last.empty();
  QueueLog log(adapter::Pseudonyms(ready.key), std::move(options));
  Told told = told_from(last);
  FileLines lines(config.file, told.position);
  std::vector<v1::Event> events;
  told.position = lines.begin();
  if (const FilePosition from = told.position; from.offset > 0) {
    FileLines before(config.file, {from.inode, 0});
    bool is_there = false;
    do {
      before.poll([&](std::string_view line) {
        const FilePosition at = before.position();
        is_there = at.inode != from.inode || at.offset >= from.offset;
        if (at.inode == from.inode) log.take(line, events);
        events.clear();
        return !is_there;
      });
    } while (!is_there && before.has_more());
    if (const std::string problem = before.take_problem(); !problem.empty())
      spdlog::warn("{}; calls that waited before are not known", problem);
    log.pass(told.passed, events);
    events.clear();
  }
  client::notify_systemd("READY=1");
  bool missing_said = false, to_save = false, unsaved_said = false;
  const auto save = [&] {
    last = text_of(told);
    if (config.position_file.empty()) return true;
    try {
      adapter::replace_file(config.position_file, last + '\n');
      unsaved_said = false;
    } catch (const std::system_error& problem) {
      if (!std::exchange(unsaved_said, true))
        spdlog::warn("{}; a restart now tells again what was told since", problem.what());
    }
    return !unsaved_said;
  };
  int signal = 0;
  while (true) {
    bool at_end = true;
    const bool there = lines.poll([&](std::string_view line) {
      log.take(line, events);
      told.position = lines.position();
      to_save = true;
      output.take(events, text_of(told));
      return at_end = output.may_go_on();
    });
    if (const std::string problem = lines.take_problem(); !problem.empty())
      spdlog::warn("{}", problem);
    else if (!there && !missing_said)
      spdlog::warn("{} is not there; waiting for it (logger.conf: queue_log = yes, queue_log_to_file = yes)",
                   config.file);
    missing_said = !there;
    if (there && at_end && !lines.has_more()) {
      told.passed = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
      log.pass(told.passed, events);
    }
    to_save = to_save || !events.empty();
    output.take(events, text_of(told));
    output.flush();
    if (to_save && output.all_acknowledged()) to_save = !save();
    client::notify_systemd("WATCHDOG=1");
    signal = client::wait_signal(0);
    if (signal != 0) break;
    lines.wait(0.25);
  }
  client::notify_systemd(signal == SIGHUP ? "RELOADING=1" : "STOPPING=1");
  say_counts(log.counts());
  const bool all = output.drain();
  if (all) save();
  if (signal == SIGHUP) return reload;
  if (all) return client::exit_good;
  spdlog::error("not all events were acknowledged; is reachd running at {}?", config.endpoint);
  return client::exit_not_reachable;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Asterisk's queue_log as a source of reachd: a file that was, or one that grows. Whole seconds, no ringing, no\n"
      "callers who were turned away: where Asterisk's manager interface can be had, reach-adapter-asterisk tells "
      "more.",
      "reach-adapter-queuelog");
  Arguments arguments;
  client::CommonOptions common;
  common.add_to(app);
  app.add_option("--config", arguments.config, "TOML file: source, endpoint, file, position_file, pseudonym_key_file");
  app.add_flag("--check", arguments.check, "say what is wrong with the configuration, and exit");
  app.add_option("--from", arguments.from, "the queue_log to read (- is standard input); wins over the configuration");
  app.add_option("--to", arguments.to, "- writes JSON lines instead of sending")->check(CLI::IsMember({"-"}));
  app.add_option("--source", arguments.source, "the PBX's name in the events; wins over the configuration");
  app.add_option("--endpoint", arguments.endpoint, "reachd's ingest socket; wins over the configuration");
  app.add_flag("--follow", arguments.follow,
               "go on as the file grows, through rotation; the default with --config alone");
  app.add_option("--speed", arguments.speed, "how many times as fast as it happened; 0: as fast as it goes")
      ->check(CLI::NonNegativeNumber);
  arguments.keys.add_to(app);
  if (const int code = client::parse(app, argc, argv); code >= 0) return code;
  const bool follow = arguments.follow || arguments.from.empty();
  if (follow || arguments.to.empty()) client::block_signals();  // what only prints a file just ends by one
  common.start("reach-adapter-queuelog");
  auto ready = load(arguments);
  if (!ready) return client::exit_configuration;
  if (arguments.check) return client::exit_good;
  if (arguments.config.empty() && arguments.from.empty()) {
    spdlog::error("give --config FILE to follow a queue_log, or --from FILE [--to -] to read one");
    return client::exit_usage;
  }
  if (ready->config.source.empty() && arguments.to != "-") {
    spdlog::error("give --source NAME: the PBX's name in reachd");
    return client::exit_usage;
  }
  if (follow && (arguments.from == "-" || arguments.speed > 0)) {
    spdlog::error("--follow needs a file, and its own pace: no --from - and no --speed");
    return client::exit_usage;
  }
  try {
    if (!follow) return run_file(arguments, *ready);
    std::optional<Output> output;
    const auto start = [&](const Ready& with) {
      output.reset();  // the next one needs its spool
      output.emplace(arguments, with);
    };
    start(*ready);
    std::string last;
    while (true) {
      const int code = run_follow(*ready, *output, last);
      if (code != reload) return code;
      auto again = load(arguments);
      if (!again) {
        spdlog::error("{} has mistakes; the configuration stays as it was", arguments.config);
        start(*ready);  // what waits for reachd in memory is told again from `last` on
      } else if (const std::string why = adapter::reload(*ready, std::move(*again), start); why.empty()) {
        spdlog::info("configuration read anew");
      } else {
        spdlog::error("{}; the configuration stays as it was", why);
      }
    }
  } catch (const std::invalid_argument& problem) {  // a source or an endpoint that is none
    spdlog::error("{}", problem.what());
    return client::exit_configuration;
  } catch (const std::exception& problem) {
    spdlog::error("{}", problem.what());
    return client::exit_failed;
  }
}
