#include "daemon/shell/daemon.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <asio.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "daemon/log/local_log.hpp"
#include "daemon/log/verify.hpp"
#include "daemon/program/program.hpp"
#include "daemon/shell/engine_thread.hpp"
#include "daemon/shell/http.hpp"
#include "daemon/shell/metrics.hpp"

namespace reach::shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// The engine thread goes round at least once a second; longer silence means that it hangs.
constexpr auto alive_within = seconds(5);

/// Half of systemd's watchdog time, or nothing where it watches not.
std::optional<milliseconds> watchdog_interval() {
  const char* text = std::getenv("WATCHDOG_USEC");
  const long long microseconds = text != nullptr ? std::atoll(text) : 0;
  if (microseconds <= 0) return std::nullopt;
  return std::max(milliseconds(microseconds / 2000), milliseconds(1));
}

class Daemon {
 public:
  explicit Daemon(DaemonOptions options)
      : options_(std::move(options)), signals_(io_, SIGTERM, SIGINT, SIGHUP), watchdog_(io_) {}

  int run() {
    wait_signals();
    if (!options_.loaded.settings.daemon.metrics.empty() && options_.loaded.settings.daemon.metrics != "off") {
      http_.emplace(io_, options_.loaded.settings.daemon.metrics,
                    [this](const std::string& path, HttpReply reply) { answer(path, std::move(reply)); });
    }
    start_engine();
    if (const auto interval = watchdog_interval()) feed_watchdog(*interval);
    program::unblock_signals();  // in this thread alone: the engine's and the log's were made before
    io_.run();
    engine_.reset();
    return exit_code_;
  }

 private:
  enum class Stage { starting, ready, stopping };

  void start_engine() {
    const settings::DaemonSettings& settings = options_.loaded.settings.daemon;
    const auto on_main = [this](auto task) { asio::post(io_, std::move(task)); };
    EngineReports reports;
    reports.ready = [this, on_main] { on_main([this] { ready(); }); };
    reports.progress = [](const std::string& what) {
      program::notify_systemd("STATUS=" + what + "\nEXTEND_TIMEOUT_USEC=30000000");
    };
    reports.end = [this, on_main](int code, const std::string& why) { on_main([this, code, why] { end(code, why); }); };
    Admission admission{{}, std::make_shared<const keys::AllowedKeys>(options_.loaded.allowed)};
    if (!settings.key_file.empty()) admission.secret = keys::read_key_pair(settings.key_file).secret;
    engine_.emplace(
        options_.loaded.settings, std::move(admission),
        [directory = settings.log_directory, file_size = static_cast<std::size_t>(settings.log_file_size),
         retain_for = settings.log_retain_for, retain_size = settings.log_retain_size,
         accept_damage = options_.accept_damage](std::function<void()> changed) {
          std::shared_ptr<log::Disk> disk = log::local_disk(directory);
          if (accept_damage) {
            const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
            for (const std::string& done : log::accept_damage(*disk, now)) spdlog::warn("event log: {}", done);
          }
          log::Segments segments(std::move(disk), file_size);
          for (const std::string& repair : segments.repairs()) spdlog::warn("event log repaired: {}", repair);
          log::LocalLogOptions options;
          options.retain_for = retain_for;
          if (retain_size) options.retain_bytes = static_cast<std::uint64_t>(*retain_size);
          return std::make_unique<log::LocalLog>(std::move(segments), std::move(options), std::move(changed));
        },
        std::move(reports));
  }

  void ready() {
    if (stage_ != Stage::starting) return;
    stage_ = Stage::ready;
    const settings::DaemonSettings& settings = options_.loaded.settings.daemon;
    spdlog::info("ready: ingest {}, publish {}, query {}, metrics {}", settings.ingest, settings.publish,
                 settings.query, settings.metrics.empty() ? "off" : settings.metrics);
    program::notify_systemd("READY=1\nSTATUS=ready");
    if (reload_wanted_) reload();
  }

  void end(int code, const std::string& why) {
    exit_code_ = code;
    if (code != program::exit_good) spdlog::error("{}", why);
    io_.stop();
  }

  void stop() {
    if (stage_ == Stage::stopping) return;
    stage_ = Stage::stopping;
    program::notify_systemd("STOPPING=1\nSTATUS=stopping");
    engine_->stop();
  }

  void wait_signals() {
    signals_.async_wait([this](const asio::error_code& problem, int number) {
      if (problem) return;
      if (number == SIGHUP) {
        reload();
      } else {
        stop();
      }
      wait_signals();
    });
  }

  void reload() {
    reload_wanted_ = stage_ == Stage::starting;
    if (stage_ != Stage::ready) return;
    program::notify_systemd(
        "RELOADING=1\nMONOTONIC_USEC=" +
        std::to_string(
            std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now().time_since_epoch()).count()));
    Loaded loaded = options_.load();
    if (!loaded.settings.good()) {
      for (const settings::Problem& problem : loaded.settings.problems) spdlog::error("{}", settings::render(problem));
      spdlog::error("the configuration has problems: the old one stays in force");
    } else if (!engine_->reload(std::move(loaded.settings),
                                std::make_shared<const keys::AllowedKeys>(std::move(loaded.allowed)))) {
      spdlog::error("too busy to take the new configuration: the old one stays in force; try again");
    }
    program::notify_systemd("READY=1\nSTATUS=ready");
  }

  [[nodiscard]] bool engine_lives() const { return steady_clock::now() - engine_->alive_at() < alive_within; }

  void feed_watchdog(milliseconds interval) {
    if (engine_lives()) program::notify_systemd("WATCHDOG=1");
    watchdog_.expires_after(interval);
    watchdog_.async_wait([this, interval](const asio::error_code& problem) {
      if (!problem) feed_watchdog(interval);
    });
  }

  void answer(const std::string& path, HttpReply reply) {
    if (path == "/healthz" || path == "/metrics") {
      // One record may stand for weeks in which nothing came: at the start silence proves nothing.
      if (stage_ == Stage::starting && path == "/healthz") return reply({200, {}, "starting: reading the event log\n"});
      if (!engine_lives()) return reply({503, {}, "the engine thread hangs\n"});
      const bool metrics = path == "/metrics";
      const auto say = [reply, metrics](const MetricsCopy& copy) {
        if (metrics) {
          reply({200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(copy)});
        } else if (copy.catching_up) {
          reply({200, {}, "catching up: events that waited for reachd are taken in their order\n"});
        } else if (!copy.log_problem.empty()) {
          reply({200, {}, "degraded: the event log cannot be written: " + copy.log_problem + "\n"});
        } else {
          reply({200, {}, "ok; durable: fdatasync before every acknowledgement\n"});
        }
      };
      // The copy is made on the engine thread, the text of it here.
      const bool listens = stage_ != Stage::starting && engine_->scrape([this, say](MetricsCopy copy) {
        asio::post(io_, [say, copy = std::move(copy)] { say(copy); });
      });
      if (!listens) reply({503, {}, "not ready to count\n"});
    } else if (path == "/readyz") {
      const bool ready = stage_ == Stage::ready;
      reply({ready ? 200 : 503, {}, ready ? "ready\n" : stage_ == Stage::starting ? "starting\n" : "stopping\n"});
    } else {
      reply({404, {}, "there are /metrics, /healthz and /readyz\n"});
    }
  }

  DaemonOptions options_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer watchdog_;
  std::optional<HttpServer> http_;
  std::optional<EngineThread> engine_;
  Stage stage_ = Stage::starting;
  bool reload_wanted_ = false;  ///< SIGHUP came before it was ready
  int exit_code_ = program::exit_failed;
};

}  // namespace

std::string key_file_problem(const settings::DaemonSettings& settings) {
  // A relative name is looked up among systemd's credentials, which only the unit has.
  if (!settings.key_file.starts_with('/')) return {};
  try {
    static_cast<void>(keys::read_key_pair(settings.key_file));
  } catch (const keys::KeyFileProblem& e) {
    return e.what();
  }
  return {};
}

Loaded load(const std::string& config) {
  Loaded loaded{settings::load(config), {}};
  const settings::DaemonSettings& daemon = loaded.settings.daemon;
  if (!loaded.settings.good() || daemon.key_file.empty()) return loaded;
  keys::LoadedKeys allowed = keys::load_allowed_keys(daemon.allowed_keys);
  loaded.settings.problems = std::move(allowed.problems);
  loaded.allowed = std::move(allowed.keys);
  return loaded;
}

int run_daemon(DaemonOptions options) {
  program::raise_file_limit();
  umask(0007);  // ipc sockets: for the user and group reachd runs as
  // A reader of stderr that left and a file size limit are errors to be told, not reasons to die.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return Daemon(std::move(options)).run();
  } catch (const StartProblem& e) {
    spdlog::error("{}", e.what());
    return e.exit_code;
  } catch (const keys::KeyFileProblem& e) {
    spdlog::error("key_file: {}", e.what());
    return program::exit_configuration;
  }
}

}  // namespace reach::shell
