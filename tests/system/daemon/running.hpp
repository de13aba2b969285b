// A real reachd in a directory of its own, and the peers that talk to it. Every wait is bounded, by more where the
// programs are slow (tests/support/slowdown.hpp).
#pragma once
#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "reachd/v1/ingest.pb.h"
#include "reachd/v1/query.pb.h"

namespace reach::test {

namespace v1 = ::reachd::v1;
using std::chrono::milliseconds;

[[nodiscard]] std::uint64_t now_ns();

/// The directory, the configuration and the process; at the end it must end well, and all of it is removed.
class Running {
 public:
  /// Sockets are ipc:// in the directory, metrics on a free port. `rest`: configuration beside that.
  explicit Running(const std::string& rest);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void start(const std::vector<std::string>& more = {});  ///< with these options, too; and waits for /readyz
  int stop(int signal = 15);                              ///< and waits; returns the exit code, or -signal
  void signal(int number) const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  void limit_files(std::uint64_t bytes) const;  ///< no file of it may grow beyond: writing fails as on a full disk
  void configure(const std::string& rest);      ///< writes the file; the daemon does not know yet
  [[nodiscard]] int run(const std::vector<std::string>& arguments, std::string* output = nullptr) const;

  [[nodiscard]] std::string endpoint(const std::string& name) const { return "ipc://" + directory_ + "/" + name; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string config_file() const { return directory_ + "/reachd.toml"; }
  [[nodiscard]] std::string log_output() const;  ///< what it wrote to stderr so far
  /// Waits until stderr has `text`.
  [[nodiscard]] bool logged(const std::string& text, milliseconds timeout = milliseconds(5000)) const;
  /// GET: status and body; {0, ""} if nobody answers.
  [[nodiscard]] std::pair<int, std::string> get(const std::string& path) const;
  /// The value of one line of /metrics, for example metric(R"(reachd_events_rejected_total{reason="gap"})").
  [[nodiscard]] std::optional<double> metric(const std::string& name) const;
  /// Waits until that value is at least `least`.
  [[nodiscard]] bool metric_reaches(const std::string& name, double least) const;

  [[nodiscard]] v1::Reply ask(const v1::Request& request);
  [[nodiscard]] v1::SegmentState segment(const std::string& id);

  zmq::context_t& context() { return context_; }

 private:
  std::string directory_;
  int port_ = 0;
  pid_t pid_ = -1;
  zmq::context_t context_;
  std::uint64_t last_request_ = 0;
};

/// An adapter that does exactly what the test says.
class Adapter {
 public:
  Adapter(Running& daemon, std::string source, std::uint64_t epoch = 1);

  void send(const v1::ToDaemon& message);
  void send_bytes(const std::string& bytes);
  /// The next message but heartbeats, or nullopt after `timeout`.
  [[nodiscard]] std::optional<v1::ToAdapter> receive(milliseconds timeout = milliseconds(5000));
  /// `resumes`: it comes back by itself after a cut.
  v1::Welcome hello(std::uint64_t next_sequence = 1, bool resumes = false);
  /// `next_sequence`: of its next new event; 0: not told.
  void heartbeat(std::uint64_t next_sequence = 0);
  /// Sends events with the numbers from `first` on.
  void batch(std::uint64_t first, const std::vector<v1::Event>& events);
  /// Waits until everything up to `sequence` is acknowledged.
  [[nodiscard]] bool acknowledged(std::uint64_t sequence);
  /// Waits for a Reject and returns it; fails the test if something else comes.
  v1::Reject rejected();

 private:
  std::string source_;
  std::uint64_t epoch_;
  zmq::socket_t socket_;
};

struct Published {
  std::string topic;
  std::uint64_t sequence = 0, global = 0;
  std::string payload;
  std::uint64_t received_ns = 0;
};

class Listener {
 public:
  /// `queue`: messages that wait for next() on this side.
  Listener(Running& daemon, const std::string& prefix, int queue = 100'000);
  [[nodiscard]] std::optional<Published> next(milliseconds timeout = milliseconds(5000));

 private:
  zmq::socket_t socket_;
};

[[nodiscard]] v1::Event offered(const std::string& contact, const std::string& queue);
[[nodiscard]] v1::Event answered(const std::string& contact);
[[nodiscard]] v1::Event ended(const std::string& contact);

}  // namespace reach::test
