#include "tests/bench/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "tests/bench/bench.hpp"

namespace reach::bench {
namespace {

constexpr int longest_start_s = 600;

/// The socket at which systemd would listen for READY=1.
int listen_for_ready(const std::string& path) {
  unlink(path.c_str());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error(path + " is too long for a socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  return fd;
}

}  // namespace

CurveKeys::CurveKeys(const std::string& directory, const std::string& source) : folder(directory + "/keys") {
  std::filesystem::create_directories(folder + "/allowed");
  keys::write_new_pair(folder, {"reachd", keys::Role::server, {}, {}});
  keys::write_new_pair(folder, {"adapter", keys::Role::adapter, {source}, {}});
  std::filesystem::rename(folder + "/adapter.pub", folder + "/allowed/adapter.pub");
  daemon = keys::read_key_pair(folder + "/reachd.key");
  adapter = keys::read_key_pair(folder + "/adapter.key");
}

std::string free_tcp_endpoint() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::system_error(errno, std::generic_category(), "a port of the loopback");
  }
  close(fd);
  return "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

double resident_mib(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double cpu_seconds_of(pid_t pid) {
  clockid_t clock{};
  timespec t{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

Daemon::Daemon(std::string directory, const std::string& rest, const std::string& event_log)
    : directory_(std::move(directory)) {
  for (const char* const name : {"ingest", "publish", "query"}) endpoints_[name] = "ipc://" + directory_ + "/" + name;
  configure(rest, event_log);
}

Daemon::Daemon(std::string directory, const std::string& rest, const CurveKeys& keys)
    : directory_(std::move(directory)) {
  for (const char* const name : {"ingest", "publish", "query"}) endpoints_[name] = free_tcp_endpoint();
  configure(rest, "[security]\nkey_file = \"" + keys.folder + "/reachd.key\"\nallowed_keys = \"" + keys.folder +
                      "/allowed\"\n");
}

void Daemon::configure(const std::string& rest, const std::string& event_log) {
  // Keys without a table come first in a TOML file, so the tables of ours go behind.
  std::ofstream out(config_file());
  out << rest << "[endpoints]\n";
  for (const auto& [name, endpoint] : endpoints_) out << name << " = \"" << endpoint << "\"\n";
  out << "metrics = \"off\"\n[event_log]\ndirectory = \"" << log_directory() << "\"\n" << event_log;
}

Daemon::~Daemon() {
  kill();
}

Daemon::Start Daemon::start() {
  const std::string notify = directory_ + "/notify";
  const int ready = listen_for_ready(notify);
  const auto begin = std::chrono::steady_clock::now();
  pid_ = fork();
  if (pid_ == 0) {
    const int errors = open((directory_ + "/stderr").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(errors, 2);
    setenv("NOTIFY_SOCKET", notify.c_str(), 1);
    execl(BENCH_REACHD, BENCH_REACHD, "--config", config_file().c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  Start result;
  double& seconds = result.seconds;
  seconds = -1;
  while (seconds < 0) {
    pollfd wait{ready, POLLIN, 0};
    if (poll(&wait, 1, 100) > 0) {
      char text[4096];
      const ssize_t n = recv(ready, text, sizeof text, 0);
      if (std::string(text, static_cast<std::size_t>(n < 0 ? 0 : n)).find("READY=1") != std::string::npos) {
        seconds = seconds_since(begin);
        result.cpu_seconds = cpu_seconds_of(pid_);
      }
    } else if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    } else if (seconds_since(begin) > longest_start_s) {
      break;
    }
  }
  close(ready);
  if (seconds < 0) throw std::runtime_error("reachd did not get ready; it said:\n" + said());
  return result;
}

void Daemon::end(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void Daemon::stop() {
  end(SIGTERM);
}

void Daemon::kill() {
  end(SIGKILL);
}

std::string Daemon::said() const {
  std::ifstream in(directory_ + "/stderr");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace reach::bench
