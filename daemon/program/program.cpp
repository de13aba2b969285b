#include "daemon/program/program.hpp"

#include <google/protobuf/stubs/logging.h>
#include <spdlog/async.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "daemon/base/printable.hpp"

namespace reach::program {
namespace {

/// True if stderr is the stream that systemd named in $JOURNAL_STREAM, and not a pipe put in between.
bool journal_listens() {
  const char* named = std::getenv("JOURNAL_STREAM");
  struct stat found {};
  if (named == nullptr || fstat(STDERR_FILENO, &found) != 0) return false;
  return std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino) == named;
}

const char* level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return "trace";
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::warn:
      return "warning";
    case spdlog::level::err:
      return "error";
    case spdlog::level::critical:
      return "critical";
    default:
      return "info";
  }
}

/// The priorities of sd-daemon(3).
char journal_priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return '7';
    case spdlog::level::warn:
      return '4';
    case spdlog::level::err:
      return '3';
    case spdlog::level::critical:
      return '2';
    default:
      return '6';
  }
}

std::string time_text(spdlog::log_clock::time_point at) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  const std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text + n, sizeof text - n, ".%03dZ", static_cast<int>(ms % 1000));
  return text;
}

class LineFormatter final : public spdlog::formatter {
 public:
  LineFormatter(std::string program, bool json, bool journal)
      : program_(std::move(program)), json_(json), journal_(journal) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    std::string line;
    if (journal_) line += {'<', journal_priority(message.level), '>'};
    const std::string text(message.payload.data(), message.payload.size());
    if (json_) {
      nlohmann::ordered_json object{{"time", time_text(message.time)},
                                    {"level", level_name(message.level)},
                                    {"program", program_},
                                    {"message", text}};
      line += object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    } else {
      if (!journal_) line += time_text(message.time) + " " + program_ + " ";
      line += std::string(level_name(message.level)) + ": ";
      line += printable(text);  // one record, one line
    }
    line += '\n';
    out.append(line.data(), line.data() + line.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(program_, json_, journal_);
  }

 private:
  std::string program_;
  bool json_, journal_;
};

/// libprotobuf writes a line for every message that is none. What a peer sends must not fill the log: who parses counts
/// it, and says a sample.
void take_word_of_protobuf(google::protobuf::LogLevel level, const char*, int, const std::string& text) {
  spdlog::log(level == google::protobuf::LOGLEVEL_FATAL ? spdlog::level::critical : spdlog::level::debug,
              "Protocol Buffers: {}", text);
}

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

}  // namespace

void CommonOptions::add_to(CLI::App& app) {
  app.set_version_flag("--version", app.get_name() + " " + version);
  app.add_option("--log-level", log_level, "What is written to stderr: trace, debug, info, warning or error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", log_format, "How log lines look: text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

void CommonOptions::start(const std::string& program, Logging logging) const {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  std::shared_ptr<spdlog::logger> logger;
  if (logging == Logging::background) {
    spdlog::init_thread_pool(8192, 1);
    logger = std::make_shared<spdlog::async_logger>(program, sink, spdlog::thread_pool(),
                                                    spdlog::async_overflow_policy::overrun_oldest);
  } else {
    logger = std::make_shared<spdlog::logger>(program, sink);
  }
  logger->set_formatter(std::make_unique<LineFormatter>(program, log_format == "json", journal_listens()));
  logger->set_level(spdlog::level::from_str(log_level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  google::protobuf::SetLogHandler(take_word_of_protobuf);
}

int parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return -1;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? exit_good : exit_usage;
  }
}

void block_signals() {
  const sigset_t set = our_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void unblock_signals() {
  const sigset_t set = our_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

int wait_signal(double seconds) {
  const sigset_t set = our_signals();
  double whole = 0;
  const double fraction = std::modf(seconds > 0 ? seconds : 0, &whole);
  const timespec timeout{static_cast<time_t>(whole), static_cast<long>(fraction * 1e9)};
  const int number = sigtimedwait(&set, nullptr, &timeout);
  return number > 0 ? number : 0;
}

std::size_t raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<std::size_t>::max();
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

void notify_systemd(const std::string& state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // abstract name space
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  static_cast<void>(sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                           reinterpret_cast<const sockaddr*>(&address),
                           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length)));
  close(fd);
}

}  // namespace reach::program
