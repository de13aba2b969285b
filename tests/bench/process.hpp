// A real reachd in the benchmark's directory.
#pragma once
#include <sys/types.h>

#include <map>
#include <string>

#include "daemon/keys/key_files.hpp"

namespace reach::bench {

/// An adapter's key and the daemon's, in the files of a folder.
struct CurveKeys {
  /// Makes both pairs in `directory`; the adapter may send as `source`.
  CurveKeys(const std::string& directory, const std::string& source);
  std::string folder;
  keys::KeyPair daemon, adapter;
};

/// An address of the loopback that was free a moment ago.
[[nodiscard]] std::string free_tcp_endpoint();

/// Resident memory of a process, in MiB.
[[nodiscard]] double resident_mib(pid_t pid);
/// How long the processors worked on it so far.
[[nodiscard]] double cpu_seconds_of(pid_t pid);

class Daemon {
 public:
  /// Writes the configuration: sockets are ipc:// in `directory`, the log is in its folder "log". `rest`: TOML of its
  /// tables, as load.hpp makes it. `event_log`: more keys of [event_log].
  Daemon(std::string directory, const std::string& rest, const std::string& event_log = {});
  /// The same, encrypted: at ports of the loopback, letting in the adapter of `keys` alone.
  Daemon(std::string directory, const std::string& rest, const CurveKeys& keys);
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
  [[nodiscard]] std::string endpoint(const std::string& name) const { return endpoints_.at(name); }
  [[nodiscard]] std::string config_file() const { return directory_ + "/reachd.toml"; }
  [[nodiscard]] std::string said() const;  ///< to stderr so far

 private:
  void configure(const std::string& rest, const std::string& event_log);
  void end(int signal);

  std::string directory_;
  std::map<std::string, std::string> endpoints_;
  pid_t pid_ = -1;
};

}  // namespace reach::bench
