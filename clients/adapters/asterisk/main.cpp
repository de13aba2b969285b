// reach-adapter-asterisk: Asterisk's manager interface -> reachd.
#include <spdlog/spdlog.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "clients/adapters/asterisk/config.hpp"
#include "clients/adapters/asterisk/recording.hpp"
#include "clients/adapters/asterisk/session.hpp"
#include "clients/adapters/common/key_file.hpp"
#include "clients/adapters/common/replace_file.hpp"
#include "clients/adapters/common/spool.hpp"
#include "clients/library/program.hpp"
#include "clients/library/sender.hpp"

namespace {

using namespace reach;
using namespace reach::asterisk;

struct Arguments {
  std::string config, from, to, source;
  client::KeyFiles keys;
  bool check = false;
};

/// The configuration of `path` with its secrets; says what is wrong and returns nothing if something is.
struct Ready {
  AdapterConfig config;
  std::string secret, pseudonym_key;
  client::ClientKeys keys;
};

std::optional<Ready> load(const Arguments& arguments) {
  auto loaded = adapter::load_config(arguments.config, config_section());
  for (const auto& problem : loaded.problems) std::cerr << settings::render(problem) << '\n';
  if (!loaded.problems.empty()) return std::nullopt;
  Ready ready{std::move(loaded.config), {}, adapter::random_key(), {}};
  if (!arguments.source.empty()) ready.config.source = arguments.source;
  try {
    ready.secret = adapter::read_key_file(ready.config.pbx.secret_file);
    ready.keys = client::read_keys(ready.config.unless(arguments.keys));
    if (const std::string& file = ready.config.pseudonym_key_file; !file.empty()) {
      ready.pseudonym_key = adapter::read_key_file(file);
      if (ready.pseudonym_key.size() < 16)
        throw adapter::KeyFileProblem(file + ": the key is too short; run: openssl rand -hex 32 > " + file);
    }
  } catch (const adapter::KeyFileProblem& problem) {
    std::cerr << arguments.config << ": " << problem.what() << '\n';
    return std::nullopt;
  }
  return ready;
}

int run_recording(const Arguments& arguments, const std::optional<Ready>& ready) {
  std::ifstream file;
  if (arguments.from != "-") {
    file.open(arguments.from, std::ios::binary);
    if (!file) {
      spdlog::error("cannot read {}: does it exist, and may you read it?", arguments.from);
      return client::exit_failed;
    }
  }
  const std::string source = ready ? ready->config.source : arguments.source;
  AmiTranslator translator(ready ? ready->config.translator() : TranslatorSettings{},
                           adapter::Pseudonyms(ready ? ready->pseudonym_key : adapter::random_key()));
  adapter::EventLines lines(std::cout, source, hold_window);
  try {
    const RecordingCounts counts = replay_recording(arguments.from == "-" ? std::cin : file, translator, lines);
    spdlog::info("{} messages, {} joins of queues; {} malformed lines, {} over the limits, {} without a time",
                 counts.parsed.messages, counts.seen.joins, counts.parsed.malformed, counts.parsed.oversized,
                 counts.untimed);
  } catch (const std::runtime_error& problem) {
    spdlog::error("{}: {}", arguments.from, problem.what());
    return client::exit_failed;
  }
  return std::cout ? client::exit_good : client::exit_failed;
}

/// One life with one configuration. Returns the signal that ended it: SIGTERM, SIGINT or SIGHUP.
class Live {
 public:
  Live(const Ready& ready, bool to_stdout) {
    const AdapterConfig& config = ready.config;
    if (to_stdout) {
      lines_ = std::make_unique<adapter::EventLines>(std::cout, config.source, hold_window);
    } else {
      client::SenderOptions options;
      options.endpoint = config.endpoint;
      options.keys = ready.keys;
      options.source = config.source;
      options.software = std::string("reach-adapter-asterisk ") + client::version;
      options.capabilities = {"calls", "agents", "ringing", "rejected", "held"};
      bool wrap_up = config.wrap_up > Duration::zero();
      for (const auto& queue : config.queues) wrap_up = wrap_up || queue.made.wrap_up > Duration::zero();
      if (wrap_up) options.capabilities.emplace_back("wrap_up");
      sender_ = std::make_unique<client::Sender>(options, adapter::spool_for(config.spool_directory),
                                                 [](const std::string& sentence) { spdlog::warn("{}", sentence); });
    }
    DialogueSettings with;
    with.place = config.pbx.host + ":" + std::to_string(config.pbx.port);
    with.user = config.pbx.user;
    with.secret = ready.secret;
    with.secret_file = config.pbx.secret_file;
    with.resync_every = config.resync_every;
    with.check_every = std::min(with.check_every, config.resync_every / 3);
    SessionCalls calls;
    calls.event = [this](const v1::Event& event) {
      if (sender_) sender_->post(event);
      if (lines_) lines_->take(event);
    };
    calls.passed = [this](Time now) {
      if (!lines_) return;
      lines_->pass(now);
      std::cout.flush();
    };
    calls.upstream = [this](bool hears) {
      if (sender_) sender_->set_upstream_connected(hears);
      client::notify_systemd(hears ? "STATUS=hears Asterisk" : "STATUS=does not hear Asterisk");
    };
    calls.problem = [](const std::string& sentence) { spdlog::warn("{}", sentence); };
    calls.note = [](const std::string& sentence) { spdlog::info("{}", sentence); };
    if (const std::string state = adapter::state_directory(config.spool_directory); !state.empty()) {
      memory_file_ = state + "/heard";
      std::filesystem::create_directories(state);
    }
    calls.memory = [this](const DialogueMemory& memory) {
      const std::lock_guard lock(memory_mutex_);
      memory_ = memory;
    };
    AmiTranslator translator(config.translator(), adapter::Pseudonyms(ready.pseudonym_key));
    session_ = std::make_unique<Session>(config.pbx.host, static_cast<std::uint16_t>(config.pbx.port),
                                         AmiDialogue(with, std::move(translator), read_memory()), std::move(calls));
  }

  /// Writes down what was heard last. For the main thread: the session's must not wait for a disk.
  void remember() {
    std::unique_lock lock(memory_mutex_);
    if (!memory_ || memory_file_.empty()) return;
    const DialogueMemory memory = *std::exchange(memory_, std::nullopt);
    lock.unlock();
    try {
      adapter::replace_file(memory_file_, std::to_string(memory.last_channel) + ' ' + memory.startup + '\n');
    } catch (const std::system_error&) {  // told by the spool, which is in the same place
    }
  }

  /// Stops listening, then waits until reachd has everything. False if it has not.
  bool end(const std::string& endpoint) {
    session_.reset();
    remember();
    if (lines_) lines_->finish();
    if (!sender_ || sender_->drain(std::chrono::seconds(5))) return true;
    spdlog::error("{} events were not acknowledged; is reachd running at {}?", sender_->state().pending, endpoint);
    return false;
  }

 private:
  [[nodiscard]] DialogueMemory read_memory() const {
    DialogueMemory memory;
    std::ifstream file(memory_file_);
    if (file >> memory.last_channel) std::getline(file >> std::ws, memory.startup);
    return memory;
  }

  std::string memory_file_;
  std::mutex memory_mutex_;
  std::optional<DialogueMemory> memory_;
  std::unique_ptr<client::Sender> sender_;
  std::unique_ptr<adapter::EventLines> lines_;
  std::unique_ptr<Session> session_;  // last: its thread uses the others
};

int run_live(const Arguments& arguments, Ready ready) {
  std::unique_ptr<Live> live;
  const auto start = [&](const Ready& with) {
    live.reset();  // the next one needs its spool
    live = std::make_unique<Live>(with, arguments.to == "-");
  };
  start(ready);
  while (true) {
    client::notify_systemd("READY=1");
    std::optional<Ready> again;
    int signal = 0;
    while (signal == 0) {
      client::notify_systemd("WATCHDOG=1");
      signal = client::wait_signal(1);
      live->remember();
      if (signal != SIGHUP) continue;
      again = load(arguments);
      if (again) continue;
      spdlog::error("{} has mistakes; the configuration stays as it was", arguments.config);
      signal = 0;
    }
    client::notify_systemd(signal == SIGHUP ? "RELOADING=1" : "STOPPING=1");
    const bool all = live->end(ready.config.endpoint);
    if (signal != SIGHUP) return all ? client::exit_good : client::exit_not_reachable;
    if (const std::string why = adapter::reload(ready, std::move(*again), start); why.empty())
      spdlog::info("configuration read anew");
    else
      spdlog::error("{}; the configuration stays as it was", why);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Asterisk (16 to 22) as a source of reachd, over the manager interface. What to write into manager.conf, and\n"
      "what Asterisk does not tell: /usr/share/doc/reachd/asterisk.md.",
      "reach-adapter-asterisk");
  Arguments arguments;
  client::CommonOptions common;
  common.add_to(app);
  app.add_option("--config", arguments.config, "TOML file: source, [pbx], [[queue]] ...");
  app.add_flag("--check", arguments.check, "say what is wrong with the configuration, and exit");
  app.add_option("--from", arguments.from,
                 "read a recorded manager stream instead of connecting (- is standard input); its Timestamps are the\n"
                 "clock; needs no configuration");
  app.add_option("--to", arguments.to, "- writes JSON lines instead of sending")->check(CLI::IsMember({"-"}));
  app.add_option("--source", arguments.source, "the PBX's name in the events; wins over the configuration");
  arguments.keys.add_to(app);
  if (const int code = client::parse(app, argc, argv); code >= 0) return code;
  if (arguments.from.empty()) client::block_signals();  // for run_live(); run_recording() just ends by one
  common.start("reach-adapter-asterisk");

  std::optional<Ready> ready;
  if (!arguments.config.empty()) {
    ready = load(arguments);
    if (!ready) return client::exit_configuration;
    if (arguments.check) return client::exit_good;
  }
  if (!arguments.from.empty()) {
    if (arguments.to != "-") {
      spdlog::error("--from writes JSON lines: add --to - (and to send them: ... | reachctl send --source NAME)");
      return client::exit_usage;
    }
    return run_recording(arguments, ready);
  }
  if (!ready) {
    spdlog::error("give --config FILE to connect, or --from FILE --to - to read a recording");
    return client::exit_usage;
  }
  try {
    return run_live(arguments, std::move(*ready));
  } catch (const std::invalid_argument& problem) {  // a source or an endpoint that is none
    spdlog::error("{}", problem.what());
    return client::exit_configuration;
  } catch (const std::exception& problem) {
    spdlog::error("{}", problem.what());
    return client::exit_failed;
  }
}
