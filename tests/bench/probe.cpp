#include "tests/bench/probe.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "reachd/v1/ingest.pb.h"
#include "reachd/v1/state.pb.h"
#include "tests/bench/bench.hpp"
#include "tests/bench/load.hpp"

namespace reach::bench {
namespace {

constexpr auto topic = "alert/probe";
constexpr auto source = "probe";
constexpr int patience_ms = 30'000;

std::uint64_t wall_ns() {
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

}  // namespace

std::string configuration_with_probe(int segments) {
  return configuration(segments) +
         "[[segment]]\nid = \"probe\"\nqueues = [\"probe\"]\n"
         "[[contract]]\nid = \"probe\"\nsegments = [\"probe\"]\n"
         "objective = [{ figure = \"waiting\", target = 0, window = \"now\", for = \"0s\", clear_for = \"0s\" }]\n";
}

Probe::Probe(const std::string& ingest, const std::string& publish, int subscribers)
    : sender_((context_.set(zmq::ctxopt::max_sockets, subscribers + 10), context_), zmq::socket_type::dealer) {
  sender_.set(zmq::sockopt::linger, 0);
  sender_.set(zmq::sockopt::rcvtimeo, patience_ms);
  sender_.connect(ingest);
  v1::ToDaemon hello;
  hello.mutable_hello()->set_source(source);
  hello.mutable_hello()->set_epoch(wall_ns());
  hello.mutable_hello()->set_next_sequence(1);
  hello.mutable_hello()->set_sent_ns(wall_ns());
  sender_.send(zmq::buffer(hello.SerializeAsString()), zmq::send_flags::none);
  zmq::message_t frame;
  if (!sender_.recv(frame)) throw std::runtime_error("no Welcome within 30 s");
  epoch_ = hello.hello().epoch();
  for (int i = 0; i < subscribers; ++i) {
    zmq::socket_t& socket = subscribers_.emplace_back(context_, zmq::socket_type::sub);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::subscribe, topic);
    socket.connect(publish);
  }
  // Callers come and go until everybody has heard of one. What comes twice, as last value and as news, is read away.
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t heard = 0; heard < subscribers_.size();) {
    if (seconds_since(begin) > patience_ms / 1000.0) throw std::runtime_error("a subscriber hears nothing");
    send();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    heard = 0;
    for (zmq::socket_t& socket : subscribers_) {
      bool any = false;
      while (socket.recv(frame, zmq::recv_flags::dontwait)) any = true;
      heard += any ? 1 : 0;
    }
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // last values that were asked for
  for (zmq::socket_t& socket : subscribers_) {
    while (socket.recv(frame, zmq::recv_flags::dontwait)) {
    }
    socket.set(zmq::sockopt::rcvtimeo, patience_ms);
  }
  while (sender_.recv(frame, zmq::recv_flags::dontwait)) {
  }
}

void Probe::send() {
  v1::ToDaemon message;
  v1::EventBatch& batch = *message.mutable_batch();
  batch.set_source(source);
  batch.set_epoch(epoch_);
  batch.set_first_sequence(next_++);
  v1::Event& event = *batch.add_events();
  event.set_time_ns(wall_ns());
  if (waits_) {
    event.mutable_answered()->set_agent("agent");
  } else {
    ++call_;
    event.mutable_offered()->set_queue("probe");
  }
  event.set_contact("probe-" + std::to_string(call_));
  waits_ = !waits_;
  sender_.send(zmq::buffer(message.SerializeAsString()), zmq::send_flags::none);
}

void Probe::take_alert(zmq::socket_t& subscriber) {
  zmq::message_t frame;
  do {
    if (!subscriber.recv(frame)) throw std::runtime_error("an alert did not come within 30 s");
  } while (frame.more());
}

std::vector<double> Probe::measure(int alerts, double apart_s) {
  std::vector<double> seconds;
  seconds.reserve(static_cast<std::size_t>(alerts) * subscribers_.size());
  zmq::message_t answer;
  for (int i = 0; i < alerts; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    send();
    for (zmq::socket_t& socket : subscribers_) {
      take_alert(socket);
      seconds.push_back(seconds_since(begin));
    }
    while (sender_.recv(answer, zmq::recv_flags::dontwait)) {
    }
    std::this_thread::sleep_until(begin + std::chrono::duration<double>(apart_s));
  }
  return seconds;
}

void bare_alerts(const std::string& ingest, const std::string& publish) {
  zmq::context_t context;
  zmq::socket_t router(context, zmq::socket_type::router), out(context, zmq::socket_type::xpub);
  router.bind(ingest);
  out.bind(publish);
  const std::string alert(300, 'a'), number(8, '\0');
  zmq::message_t peer, frame;
  for (;;) {
    zmq::pollitem_t items[] = {{router.handle(), 0, ZMQ_POLLIN, 0}, {out.handle(), 0, ZMQ_POLLIN, 0}};
    zmq::poll(items, 2, std::chrono::milliseconds(-1));
    while (out.recv(frame, zmq::recv_flags::dontwait)) {
    }
    while (router.recv(peer, zmq::recv_flags::dontwait)) {
      static_cast<void>(router.recv(frame));
      v1::ToDaemon message;
      if (!message.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) continue;
      v1::ToAdapter answer;
      if (message.has_hello()) {
        answer.mutable_welcome()->set_credit(10'000);
      } else {
        answer.mutable_ack()->set_sequence(message.batch().first_sequence() +
                                           static_cast<std::uint64_t>(message.batch().events_size()) - 1);
      }
      router.send(peer, zmq::send_flags::sndmore);
      router.send(zmq::buffer(answer.SerializeAsString()), zmq::send_flags::none);
      if (message.batch().source() != source) continue;
      out.send(zmq::buffer(std::string_view(topic)), zmq::send_flags::sndmore);
      out.send(zmq::buffer(number), zmq::send_flags::sndmore);
      out.send(zmq::buffer(number), zmq::send_flags::sndmore);
      out.send(zmq::buffer(alert), zmq::send_flags::none);
    }
  }
}

}  // namespace reach::bench
