// The whole daemon: the engine thread, and beside it the main thread with signals, HTTP, systemd and the reload.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "daemon/keys/key_files.hpp"
#include "daemon/settings/settings.hpp"

namespace reach::shell {

/// The configuration, and the allowed keys if it has a key_file; problems of the keys are among those of the settings.
struct Loaded {
  settings::Loaded settings;
  keys::AllowedKeys allowed;
};
[[nodiscard]] Loaded load(const std::string& config);
/// Why the daemon could not start with this key_file; empty: it can, or only systemd knows where the file is.
[[nodiscard]] std::string key_file_problem(const settings::DaemonSettings& settings);

struct DaemonOptions {
  Loaded loaded;  ///< good ones
  /// Reads the configuration and the allowed keys again, for SIGHUP.
  std::function<Loaded()> load;
  /// Goes on without what cannot be read of the event log (log::accept_damage), instead of refusing to start.
  bool accept_damage = false;
};

/// Runs until SIGTERM, SIGINT or a failure; returns the exit code. Problems are told in the log.
/// SIGHUP reads the configuration again; one with problems changes nothing, and each problem is logged.
[[nodiscard]] int run_daemon(DaemonOptions options);

}  // namespace reach::shell
