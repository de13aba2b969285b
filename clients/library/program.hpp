// What every program of reachd has in common: options, logging, exit codes, signals.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace reach::client {

enum Exit : int { exit_good = 0, exit_failed = 1, exit_usage = 64, exit_not_reachable = 69, exit_configuration = 78 };

inline constexpr const char* version = "0.1.0";

/// --version, --log-level, --log-format on every program; sets up spdlog to stderr (with <N> priorities when the
/// journal listens). Call `start()` after parsing.
struct CommonOptions {
  std::string log_level = "info";   // trace debug info warning error
  std::string log_format = "text";  // text | json
  void add_to(CLI::App& app);
  void start(const std::string& program) const;
};

/// Parses; prints help, version or the error; returns the exit code to leave with, or -1 to go on.
[[nodiscard]] int parse(CLI::App& app, int argc, char** argv);

/// Blocks SIGTERM, SIGINT and SIGHUP in this and all later threads; call first in main.
void block_signals();
/// Waits for a signal until `seconds` have passed; returns its number or 0.
[[nodiscard]] int wait_signal(double seconds);

/// Tells systemd (datagram to $NOTIFY_SOCKET; nothing if it is not set): "READY=1", "WATCHDOG=1", "STATUS=…".
void notify_systemd(const std::string& state);

}  // namespace reach::client
