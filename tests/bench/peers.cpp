#include "tests/bench/peers.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <zmq.hpp>

#include "reachd/v1/ingest.pb.h"
#include "tests/bench/bench.hpp"
#include "tests/bench/load.hpp"

namespace reach::bench {
namespace {

constexpr int queue = 1'000'000;
constexpr std::uint32_t credit = 10'000;  // as the daemon's
constexpr auto patience = std::chrono::seconds(30);

/// The next message to the adapter, or false when nothing waits.
bool next_answer(zmq::socket_t& socket, zmq::message_t& frame, v1::ToAdapter& answer) {
  if (!socket.recv(frame, zmq::recv_flags::dontwait)) return false;
  if (!answer.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) throw std::runtime_error("no ToAdapter");
  if (answer.has_reject()) throw std::runtime_error("rejected: " + answer.reject().reason());
  return true;
}

void wait_for(zmq::socket_t& socket) {
  zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  if (zmq::poll(&item, 1, patience) == 0) throw std::runtime_error("no answer within 30 s");
}

}  // namespace

Peer::Peer(const std::function<void()>& work) {
  std::fflush(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int code = 0;
  try {
    work();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    code = 1;
  }
  std::fflush(nullptr);
  _exit(code);
}

Peer::~Peer() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Peer::wait() {
  int status = 0;
  if (waitpid(std::exchange(pid_, -1), &status, 0) < 0 || status != 0) {
    throw std::runtime_error("a process that takes part failed; see above");
  }
}

Peer::Peer(Peer&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Frames frames_of(const std::string& source, int batch, std::int64_t events, int segments, std::int64_t live) {
  const Time begin = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()) - std::chrono::hours(1);
  Frames result{source, batch, {}, static_cast<std::uint64_t>(ns_of(begin))};
  Calls calls(segments, live, live / 5, begin, std::chrono::microseconds(1), source + "-");
  v1::ToDaemon message;
  v1::EventBatch& out = *message.mutable_batch();
  out.set_source(source);
  out.set_epoch(1);
  for (std::int64_t first = 1; first <= events; first += batch) {
    out.clear_events();
    out.set_first_sequence(static_cast<std::uint64_t>(first));
    for (int i = 0; i < batch; ++i) calls.next(*out.add_events());
    result.frames.push_back(message.SerializeAsString());
  }
  return result;
}

double send_all(const std::string& endpoint, const Frames& frames, double rate, const CurveKeys* keys) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, queue);
  socket.set(zmq::sockopt::rcvhwm, queue);
  if (keys != nullptr) {
    socket.set(zmq::sockopt::curve_serverkey, keys->daemon.open);
    socket.set(zmq::sockopt::curve_publickey, keys->adapter.open);
    socket.set(zmq::sockopt::curve_secretkey, keys->adapter.secret);
  }
  socket.connect(endpoint);
  v1::ToDaemon hello;
  hello.mutable_hello()->set_source(frames.source);
  hello.mutable_hello()->set_epoch(1);
  hello.mutable_hello()->set_next_sequence(1);
  hello.mutable_hello()->set_sent_ns(frames.begin_ns);
  socket.send(zmq::buffer(hello.SerializeAsString()), zmq::send_flags::none);

  zmq::message_t frame;
  v1::ToAdapter answer;
  do {
    wait_for(socket);
  } while (next_answer(socket, frame, answer) && !answer.has_welcome());
  const std::uint64_t credit = answer.welcome().credit();
  const auto batch = static_cast<std::uint64_t>(frames.batch);
  const std::uint64_t all = frames.frames.size() * batch;
  std::uint64_t sent = 0, acknowledged = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (acknowledged < all) {
    // Look for answers now and then, not after each message: that is a system call.
    const auto due = rate > 0 ? static_cast<std::uint64_t>(seconds_since(begin) * rate) : all;
    for (int i = 0; i < 64 && sent < std::min(all, due) && sent + batch <= acknowledged + credit; ++i, sent += batch) {
      socket.send(zmq::buffer(frames.frames[sent / batch]), zmq::send_flags::none);
    }
    if (sent == all || sent + batch > acknowledged + credit)
      wait_for(socket);
    else if (sent >= due)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    while (next_answer(socket, frame, answer)) {
      if (answer.has_ack()) acknowledged = answer.ack().sequence();
    }
  }
  return seconds_since(begin);
}

double events_per_second(const std::string& endpoint, const std::vector<Frames>& adapters, const CurveKeys* keys) {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  std::vector<Peer> peers;
  double events = 0;
  for (const Frames& frames : adapters) {
    events += static_cast<double>(frames.frames.size()) * frames.batch;
    peers.emplace_back([&] {
      const double seconds = send_all(endpoint, frames, 0, keys);
      if (write(ends[1], &seconds, sizeof seconds) < 0) throw std::runtime_error("nobody wants the figure");
    });
  }
  close(ends[1]);
  double slowest = 0;
  for (std::size_t i = 0; i < adapters.size(); ++i) {
    double seconds = 0;
    if (read(ends[0], &seconds, sizeof seconds) != static_cast<ssize_t>(sizeof seconds)) {
      close(ends[0]);
      throw std::runtime_error("an adapter failed");
    }
    slowest = std::max(slowest, seconds);
  }
  close(ends[0]);
  return events / slowest;
}

void bare_router(const std::string& endpoint, int batch, const CurveKeys* keys) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::router);
  socket.set(zmq::sockopt::sndhwm, queue);
  socket.set(zmq::sockopt::rcvhwm, queue);
  if (keys != nullptr) {
    socket.set(zmq::sockopt::curve_server, 1);
    socket.set(zmq::sockopt::curve_secretkey, keys->daemon.secret);
  }
  socket.bind(endpoint);
  zmq::message_t peer, frame;
  std::map<std::string, std::uint64_t> messages;  // of each peer
  for (;;) {
    zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
    zmq::poll(&item, 1, std::chrono::milliseconds(-1));
    std::map<std::string, std::uint64_t> round;
    for (int i = 0; i < 500 && socket.recv(peer, zmq::recv_flags::dontwait); ++i) {
      static_cast<void>(socket.recv(frame));
      ++round[peer.to_string()];
    }
    for (const auto& [name, count] : round) {
      v1::ToAdapter answer;
      std::uint64_t& taken = messages[name];
      if (taken == 0) answer.mutable_welcome()->set_credit(credit);  // the first one is the Hello
      taken += count;
      if (!answer.has_welcome()) answer.mutable_ack()->set_sequence((taken - 1) * static_cast<std::uint64_t>(batch));
      socket.send(zmq::buffer(name), zmq::send_flags::sndmore);
      socket.send(zmq::buffer(answer.SerializeAsString()), zmq::send_flags::none);
    }
  }
}

}  // namespace reach::bench
