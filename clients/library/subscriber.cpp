#include "clients/library/subscriber.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "clients/library/socket.hpp"

namespace reach::client {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t big_endian(const zmq::message_t& frame) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | frame.data<std::uint8_t>()[i];
  return value;
}

template <typename Message, typename Call>
void deliver(const zmq::message_t& payload, const Call& call) {
  Message message;
  if (message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) call(message);
}

}  // namespace

// The thread is in one of three states:
//   waiting   subscribed, nothing heard yet
//   asking    something was heard; the snapshot is asked for, and the stream waits in the socket until it is there
//   following the stream is read; a missing number leads back to asking
struct Subscriber::Impl {
  Impl(SubscriberOptions with, SubscriberCalls to) : options(std::move(with)), calls(std::move(to)) {
    open();  // here, so that a bad endpoint throws at the caller
    thread = start_quiet_thread([this] { run(); });
  }
  ~Impl() {
    stop = true;
    wake.notify();
    thread.join();
  }

  void run() {
    while (!stop) {
      // While asking, the stream is left in its socket: what it says is applied after the snapshot.
      zmq::pollitem_t items[] = {{nullptr, wake.fd(), ZMQ_POLLIN, 0},
                                 {cuts->socket().handle(), 0, ZMQ_POLLIN, 0},
                                 {query->handle(), 0, ZMQ_POLLIN, 0},
                                 {stream->handle(), 0, ZMQ_POLLIN, 0}};
      zmq::poll(items, asking ? 3 : 4, time_left());
      if (stop) return;
      const bool cut = items[1].revents != 0 && cuts->cut();
      if (asking) {
        receive_reply();
      } else if (items[3].revents != 0) {
        heard = Clock::now();
        if (following) receive_stream();
        if (!following || missed) ask();
      }
      if (cut) {
        lost("the connection to reachd at " + options.publish_endpoint + " was cut");
      } else if (Clock::now() - heard >= options.silence) {
        lost(asking ? "reachd does not answer at " + options.query_endpoint
                    : "nothing was heard from reachd at " + options.publish_endpoint + " for " +
                          std::to_string(options.silence.count()) + " ms");
      }
    }
  }

  std::chrono::milliseconds time_left() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(heard + options.silence - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }

  /// Fresh sockets: nothing of an earlier connection is in their queues.
  void open() {
    cuts.reset();
    stream.reset();
    query.reset();
    stream = connect_socket(context, zmq::socket_type::sub, options.publish_endpoint);
    for (const char* topic : {"state/", "alert/", "staffing/", "system/"}) stream->set(zmq::sockopt::subscribe, topic);
    cuts.emplace(context, *stream);
    query = connect_socket(context, zmq::socket_type::dealer, options.query_endpoint);
    numbers.clear();
    asking = following = missed = false;
    heard = Clock::now();
  }

  void lost(const std::string& why) {
    set_connected(false);
    const bool news = std::exchange(told_connected, false) || told_why != why;
    told_why = why;
    if (news && calls.connection) calls.connection(false, why);
    open();
  }

  /// Asks for the snapshot and, for the alerts that a gap swallowed, all alerts still remembered.
  void ask() {
    v1::Request request;
    request.set_id(++last_id);
    request.mutable_snapshot()->set_window(options.window);
    query->send(zmq::buffer(request.SerializeAsString()), zmq::send_flags::dontwait);
    request.set_id(++last_id);
    request.mutable_alerts()->set_all(true);
    query->send(zmq::buffer(request.SerializeAsString()), zmq::send_flags::dontwait);
    asking = true;
    heard = Clock::now();  // the answer has as long as the stream
  }

  void receive_reply() {
    zmq::message_t frame;
    v1::Reply reply;
    while (asking && query->recv(frame, zmq::recv_flags::dontwait)) {
      if (!reply.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) continue;
      if (reply.id() == last_id - 1 && reply.has_snapshot()) snapshot = std::move(*reply.mutable_snapshot());
      if (reply.id() == last_id && snapshot) begin(reply.alerts());
    }
  }

  void begin(const v1::Alerts& alerts) {
    // What was already taken of a topic stays taken, even where the snapshot names the topic not.
    for (const v1::TopicSequence& topic : snapshot->topics()) {
      auto& number = numbers[topic.topic()];
      number = std::max(number, topic.sequence());
    }
    asking = false;
    following = true;
    if (std::exchange(missed, false)) count(&SubscriberState::repaired);
    heard = Clock::now();
    if (calls.snapshot) calls.snapshot(*snapshot);
    snapshot.reset();
    for (const v1::Alert& alert : alerts.alerts()) {
      if (first_snapshot) {
        revisions[alert.id()] = alert.revision();
      } else {
        say(alert);
      }
    }
    first_snapshot = false;
    set_connected(true);
    told_why.clear();
    if (!std::exchange(told_connected, true) && calls.connection) calls.connection(true, {});
  }

  void receive_stream() {
    zmq::message_t frames[4];
    while (!missed && !stop) {
      if (!stream->recv(frames[0], zmq::recv_flags::dontwait)) return;
      std::size_t n = 1;
      zmq::message_t* last = frames;
      while (last->more()) {
        last = &frames[std::min<std::size_t>(n++, 3)];
        (void)stream->recv(*last, zmq::recv_flags::none);
      }
      if (n == 4 && frames[1].size() == 8 && frames[2].size() == 8)
        take(frames[0].to_string(), big_endian(frames[1]), frames[3]);
    }
  }

  void take(const std::string& topic, std::uint64_t number, const zmq::message_t& payload) {
    auto& last = numbers[topic];
    if (number <= last) return count(&SubscriberState::repeated);
    if (number > last + 1) {
      missed = true;
      count(&SubscriberState::gaps);
    }
    last = number;
    count(&SubscriberState::messages);
    if (topic.starts_with("state/")) {
      if (calls.segment) deliver<v1::SegmentState>(payload, calls.segment);
    } else if (topic.starts_with("alert/")) {
      deliver<v1::Alert>(payload, [this](const v1::Alert& alert) { say(alert); });
    } else if (topic.starts_with("staffing/")) {
      if (calls.staffing) deliver<v1::Staffing>(payload, calls.staffing);
    } else if (topic.starts_with("system/")) {
      // A name that begins with "_" is the daemon's own pulse: a sign of life, and no source.
      if (calls.source && !topic.starts_with("system/_")) deliver<v1::SourceState>(payload, calls.source);
    }
  }

  void say(const v1::Alert& alert) {
    auto& revision = revisions[alert.id()];
    if (alert.revision() <= revision) return;
    revision = alert.revision();
    if (calls.alert) calls.alert(alert);
    // A resolved alert says nothing more but a late correction; forget the map before it grows for ever.
    if (revisions.size() > 100'000) revisions.clear();
  }

  void set_connected(bool connected) {
    const std::lock_guard lock(mutex);
    state.connected = connected;
  }
  void count(std::uint64_t SubscriberState::*counter) {
    const std::lock_guard lock(mutex);
    state.*counter += 1;
  }
  SubscriberState copy() const {
    const std::lock_guard lock(mutex);
    return state;
  }

  const SubscriberOptions options;
  const SubscriberCalls calls;
  mutable std::mutex mutex;  // guards state
  SubscriberState state;
  std::atomic<bool> stop = false;
  Wake wake;

  // The subscriber's thread alone, from its start on:
  zmq::context_t context{1};
  std::optional<zmq::socket_t> stream, query;
  std::optional<CutMonitor> cuts;
  bool asking = false, following = false, missed = false;
  bool told_connected = false;
  bool first_snapshot = true;
  std::string told_why;                                      // of the last connection(false)
  std::uint64_t last_id = 0;                                 // of the last request
  std::optional<v1::Snapshot> snapshot;                      // came, the alerts that go with it not yet
  std::unordered_map<std::string, std::uint64_t> numbers;    // topic: last number taken
  std::unordered_map<std::string, std::uint32_t> revisions;  // alert: last revision said
  Clock::time_point heard{};
  std::thread thread;
};

Subscriber::Subscriber(SubscriberOptions options, SubscriberCalls calls)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(calls))) {}
Subscriber::~Subscriber() = default;
SubscriberState Subscriber::state() const {
  return impl_->copy();
}

}  // namespace reach::client
