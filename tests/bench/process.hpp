// A real reachd in the benchmark's directory.
#pragma once
#include <sys/types.h>

#include <string>

namespace reach::bench {

class Daemon {
 public:
  /// Writes the configuration: sockets are ipc:// in `directory`, the log is in its folder "log". `rest`: TOML of its
  /// tables, as load.hpp makes it. `event_log`: more keys of [event_log].
  Daemon(std::string directory, const std::string& rest, const std::string& event_log = {});
  ~Daemon();  ///< killed, if it still runs
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  struct Start {
    double seconds = 0;      ///< until it said that it is ready (as it tells systemd)
    double cpu_seconds = 0;  ///< that the processors worked on it until then
  };
  /// Throws std::runtime_error if it ends, or is not ready within ten minutes.
  Start start();
  void stop();  ///< SIGTERM, and waits
  void kill();  ///< SIGKILL, and waits

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string log_directory() const { return directory_ + "/log"; }
  [[nodiscard]] std::string endpoint(const std::string& name) const { return "ipc://" + directory_ + "/" + name; }
  [[nodiscard]] std::string config_file() const { return directory_ + "/reachd.toml"; }
  [[nodiscard]] std::string said() const;  ///< to stderr so far

 private:
  void end(int signal);

  std::string directory_;
  pid_t pid_ = -1;
};

}  // namespace reach::bench
