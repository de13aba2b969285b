#include "tests/system/daemon/running.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <thread>

#include "tests/support/slowdown.hpp"

extern char** environ;

namespace reach::test {
namespace {

using Clock = std::chrono::steady_clock;

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

pid_t spawn(const std::vector<std::string>& arguments, const std::string& output, const std::string& errors) {
  std::vector<char*> argv;
  std::string program = REACHD;
  argv.push_back(program.data());
  std::vector<std::string> kept = arguments;
  for (std::string& each : kept) argv.push_back(each.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_addopen(&files, 2, errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  pid_t pid = -1;
  const int problem = posix_spawn(&pid, REACHD, &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (problem != 0) throw std::system_error(problem, std::generic_category(), REACHD);
  return pid;
}

/// Exit code, or minus the signal; kills what does not end within 20 s.
int wait_for(pid_t pid) {
  const auto until = Clock::now() + slowdown() * std::chrono::seconds(20);
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (Clock::now() > until) {
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      ADD_FAILURE() << "reachd did not end within 20 s";
      break;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool readable(zmq::socket_t& socket, milliseconds timeout) {
  zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  return zmq::poll(&item, 1, timeout) > 0;
}

std::uint64_t big_endian(const std::string& bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

/// The zone in which it is about noon: whenever a test runs, its day is a day.
std::string zone_of_noon() {
  const auto hour = std::chrono::floor<std::chrono::hours>(std::chrono::system_clock::now()).time_since_epoch() % 24;
  const std::string ahead = std::to_string(hour.count() - 12);  // the sign of these names is that of POSIX
  return hour.count() == 12 ? "Etc/GMT" : "Etc/GMT" + (hour.count() > 12 ? '+' + ahead : ahead);
}

}  // namespace

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

Running::Running(const std::string& rest) : port_(free_port()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "reachd-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), pattern);
  directory_ = pattern;
  configure(rest);
}

Running::~Running() {
  if (pid_ > 0) {
    EXPECT_EQ(stop(), 0) << "reachd did not end well";
  }
  if (testing::Test::HasFailure()) std::cerr << "---- reachd wrote:\n" << log_output() << "----\n";
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Running::configure(const std::string& rest) {
  std::ofstream(config_file()) << "timezone = \"" << zone_of_noon() << "\"\n[endpoints]\ningest = \""
                               << endpoint("ingest") << "\"\npublish = \"" << endpoint("publish") << "\"\nquery = \""
                               << endpoint("query") << "\"\nmetrics = \"http://127.0.0.1:" << port_
                               << "\"\n[event_log]\ndirectory = \"" << directory_ << "/log\"\n"
                               << rest;
}

void Running::start(const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"--config", config_file()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  pid_ = spawn(arguments, "/dev/null", directory_ + "/stderr");
  const auto until = Clock::now() + slowdown() * std::chrono::seconds(20);
  while (get("/readyz").first != 200) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != 0) {
      pid_ = -1;
      FAIL() << "reachd ended at its start";
    }
    ASSERT_LT(Clock::now(), until) << "reachd is not ready within 20 s";
    std::this_thread::sleep_for(milliseconds(10));
  }
}

void Running::signal(int number) const {
  kill(pid_, number);
}

void Running::limit_files(std::uint64_t bytes) const {
  rlimit limit{};
  ASSERT_EQ(prlimit(pid_, RLIMIT_FSIZE, nullptr, &limit), 0);
  limit.rlim_cur = std::min<rlim_t>(bytes, limit.rlim_max);
  ASSERT_EQ(prlimit(pid_, RLIMIT_FSIZE, &limit, nullptr), 0);
}

int Running::stop(int number) {
  signal(number);
  return wait_for(std::exchange(pid_, -1));
}

int Running::run(const std::vector<std::string>& arguments, std::string* output) const {
  const std::string out = directory_ + "/stdout";
  std::filesystem::remove(out);
  const int code = wait_for(spawn(arguments, out, out));
  if (output != nullptr) *output = content_of(out);
  return code;
}

std::string Running::log_output() const {
  return content_of(directory_ + "/stderr");
}

bool Running::logged(const std::string& text, milliseconds timeout) const {
  const auto until = Clock::now() + slowdown() * timeout;
  while (log_output().find(text) == std::string::npos) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

std::pair<int, std::string> Running::get(const std::string& path) const {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  timeval patience{5 * slowdown(), 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      char part[4096];
      for (ssize_t n = 0; (n = recv(fd, part, sizeof part, 0)) > 0;) answer.append(part, static_cast<std::size_t>(n));
    }
  }
  close(fd);
  const auto body = answer.find("\r\n\r\n");
  if (body == std::string::npos || answer.size() < 12) return {0, ""};
  return {std::stoi(answer.substr(9, 3)), answer.substr(body + 4)};
}

std::optional<double> Running::metric(const std::string& name) const {
  std::istringstream lines(get("/metrics").second);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) return std::stod(line.substr(name.size() + 1));
  }
  return std::nullopt;
}

bool Running::metric_reaches(const std::string& name, double least) const {
  const auto until = Clock::now() + slowdown() * std::chrono::seconds(10);
  while (metric(name).value_or(-1) < least) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

v1::Reply Running::ask(const v1::Request& question) {
  v1::Request request = question;
  request.set_id(++last_request_);
  zmq::socket_t socket(context_, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect(endpoint("query"));
  socket.send(zmq::buffer(request.SerializeAsString()), zmq::send_flags::none);
  v1::Reply reply;
  zmq::message_t frame;
  if (!readable(socket, slowdown() * milliseconds(10'000)) || !socket.recv(frame) ||
      !reply.ParseFromArray(frame.data(), static_cast<int>(frame.size())) || reply.id() != request.id()) {
    ADD_FAILURE() << "no good reply within 10 s";
  }
  return reply;
}

v1::SegmentState Running::segment(const std::string& id) {
  v1::Request request;
  request.mutable_snapshot()->set_segment(id);
  const v1::Reply reply = ask(request);
  if (reply.snapshot().status().segments_size() != 1) {
    ADD_FAILURE() << "no such segment: " << reply.DebugString();
    return {};
  }
  return reply.snapshot().status().segments(0);
}

Adapter::Adapter(Running& daemon, std::string source, std::uint64_t epoch)
    : source_(std::move(source)), epoch_(epoch), socket_(daemon.context(), zmq::socket_type::dealer) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::sndhwm, 100'000);
  socket_.connect(daemon.endpoint("ingest"));
}

void Adapter::send_bytes(const std::string& bytes) {
  socket_.send(zmq::buffer(bytes), zmq::send_flags::none);
}

void Adapter::send(const v1::ToDaemon& message) {
  send_bytes(message.SerializeAsString());
}

std::optional<v1::ToAdapter> Adapter::receive(milliseconds timeout) {
  const auto until = Clock::now() + slowdown() * timeout;
  v1::ToAdapter message;
  zmq::message_t frame;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left.count() <= 0 || !readable(socket_, left)) return std::nullopt;
    if (!socket_.recv(frame) || !message.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
      ADD_FAILURE() << "reachd sent something that is no ToAdapter message";
      return std::nullopt;
    }
    if (!message.has_heartbeat()) return message;
  }
}

v1::Welcome Adapter::hello(std::uint64_t next_sequence, bool resumes) {
  v1::ToDaemon message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_source(source_);
  hello.set_epoch(epoch_);
  hello.set_next_sequence(next_sequence);
  hello.set_software("the test's adapter");
  hello.set_resumes(resumes);
  hello.set_sent_ns(now_ns());
  send(message);
  const auto answer = receive();
  if (!answer || !answer->has_welcome()) {
    ADD_FAILURE() << "no Welcome but " << (answer ? answer->DebugString() : "nothing");
    return {};
  }
  return answer->welcome();
}

void Adapter::heartbeat(std::uint64_t next_sequence) {
  v1::ToDaemon message;
  message.mutable_heartbeat()->set_source(source_);
  message.mutable_heartbeat()->set_sent_ns(now_ns());
  message.mutable_heartbeat()->set_upstream_connected(true);
  message.mutable_heartbeat()->set_next_sequence(next_sequence);
  send(message);
}

void Adapter::batch(std::uint64_t first, const std::vector<v1::Event>& events) {
  v1::ToDaemon message;
  v1::EventBatch& batch = *message.mutable_batch();
  batch.set_source(source_);
  batch.set_epoch(epoch_);
  batch.set_first_sequence(first);
  batch.set_sent_ns(now_ns());
  for (const v1::Event& event : events) *batch.add_events() = event;
  send(message);
}

bool Adapter::acknowledged(std::uint64_t sequence) {
  const auto until = Clock::now() + slowdown() * std::chrono::seconds(10);
  while (Clock::now() < until) {
    const auto message = receive();
    if (!message) return false;
    if (message->has_reject()) {
      ADD_FAILURE() << message->DebugString();
      return false;
    }
    if (message->has_ack() && message->ack().epoch() == epoch_ && message->ack().sequence() >= sequence) return true;
  }
  return false;
}

v1::Reject Adapter::rejected() {
  for (;;) {
    const auto message = receive();
    if (message && message->has_ack()) continue;
    if (!message || !message->has_reject()) {
      ADD_FAILURE() << "no Reject but " << (message ? message->DebugString() : "nothing");
      return {};
    }
    return message->reject();
  }
}

Listener::Listener(Running& daemon, const std::string& prefix, int queue)
    : socket_(daemon.context(), zmq::socket_type::sub) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::rcvhwm, queue);
  socket_.set(zmq::sockopt::subscribe, prefix);
  socket_.connect(daemon.endpoint("publish"));
}

std::optional<Published> Listener::next(milliseconds timeout) {
  if (!readable(socket_, slowdown() * timeout)) return std::nullopt;
  std::vector<std::string> frames;
  zmq::message_t frame;
  do {
    if (!socket_.recv(frame)) return std::nullopt;
    frames.push_back(frame.to_string());
  } while (frame.more());
  const std::uint64_t received = now_ns();
  if (frames.size() != 4 || frames[1].size() != 8 || frames[2].size() != 8) {
    ADD_FAILURE() << "a published message has " << frames.size() << " frames";
    return std::nullopt;
  }
  return Published{frames[0], big_endian(frames[1]), big_endian(frames[2]), frames[3], received};
}

v1::Event offered(const std::string& contact, const std::string& queue) {
  v1::Event event;
  event.set_time_ns(now_ns());
  event.set_contact(contact);
  event.mutable_offered()->set_queue(queue);
  return event;
}

v1::Event answered(const std::string& contact) {
  v1::Event event;
  event.set_time_ns(now_ns());
  event.set_contact(contact);
  event.mutable_answered()->set_agent("a1");
  return event;
}

v1::Event ended(const std::string& contact) {
  v1::Event event;
  event.set_time_ns(now_ns());
  event.set_contact(contact);
  event.mutable_ended()->set_by("caller");
  return event;
}

}  // namespace reach::test
