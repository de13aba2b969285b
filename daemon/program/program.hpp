// What every program of reachd has in common: options, logging, exit codes, signals.
#pragma once
#include <cstddef>
#include <string>

namespace CLI {
class App;
}

namespace reach::program {

/// What a program tells its caller. The numbers are those of sysexits.h where it has one.
enum Exit : int { exit_good = 0, exit_failed = 1, exit_usage = 64, exit_not_reachable = 69, exit_configuration = 78 };

inline constexpr const char* version = REACH_VERSION;

/// Who writes the log lines. `background` never waits for a slow stderr: its queue holds 8192 lines, and when it is
/// full the oldest line is lost, not the newest. For the daemon, whose engine must not stop for a log line.
enum class Logging { direct, background };

/// --version, --log-level, --log-format on every program; sets up spdlog's default logger to stderr (with <N>
/// priorities and without a time when the journal listens). Call `start()` after parsing.
struct CommonOptions {
  std::string log_level = "info";   // trace debug info warning error
  std::string log_format = "text";  // text | json
  /// Adds the options to `app`; `app` keeps references to this object.
  void add_to(CLI::App& app);
  /// From here on spdlog::info() and its like write lines that name `program`.
  void start(const std::string& program, Logging logging = Logging::direct) const;
};

/// Parses; prints help, version or the error; returns the exit code to leave with (0 after --help and --version, 64
/// after a wrong option), or -1 to go on.
[[nodiscard]] int parse(CLI::App& app, int argc, char** argv);

/// Blocks SIGTERM, SIGINT and SIGHUP in this and all later threads; call first in main.
void block_signals();
/// Takes that back for the calling thread alone: the one that waits for signals in another way.
void unblock_signals();
/// Waits for a blocked signal until `seconds` have passed; returns its number or 0.
[[nodiscard]] int wait_signal(double seconds);

/// Lets this program have as many open files as the system grants at most (each connection is one), and returns how
/// many that are.
std::size_t raise_file_limit();

/// Tells systemd (datagram to $NOTIFY_SOCKET; nothing if it is not set): "READY=1", "WATCHDOG=1", "STATUS=…".
/// Never blocks; a state that cannot be sent is lost.
void notify_systemd(const std::string& state);

}  // namespace reach::program
