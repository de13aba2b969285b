#include "clients/library/subscriber.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "clients/library/follower.hpp"
#include "clients/library/mailbox.hpp"
#include "clients/library/socket.hpp"

namespace reach::client {
namespace {

using Clock = std::chrono::steady_clock;

/// Messages read before what they brought is handed over.
constexpr std::size_t portion = 1000;

std::uint64_t big_endian(const zmq::message_t& frame) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | frame.data<std::uint8_t>()[i];
  return value;
}

std::string_view text_of(const zmq::message_t& frame) {
  return {frame.data<char>(), frame.size()};
}

}  // namespace

// Two threads. The reader has the sockets and the Follower and puts what that says into the mailbox; it waits for no
// call, so what the application reads late is never the old end of a full socket. The caller takes from the mailbox.
struct Subscriber::Impl {
  Impl(SubscriberOptions with, SubscriberCalls to)
      : options(std::move(with)),
        calls(std::move(to)),
        follower(options, into_mailbox(), {[this](const v1::Request& request) { send(request); }, [this] { open(); }},
                 Clock::now()) {
    open();  // here, so that a bad endpoint throws at the caller
    calling = start_quiet_thread([this] { call(); });
    reading = start_quiet_thread([this] { read(); });
  }
  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify();
    filled.notify_all();
    reading.join();
    calling.join();
  }

  // ---- the reader ----

  void read() {
    while (!stop) {
      const std::size_t room = hand_over();
      zmq::pollitem_t items[] = {{nullptr, wake.fd(), ZMQ_POLLIN, 0},
                                 {cuts->socket().handle(), 0, ZMQ_POLLIN, 0},
                                 {query->handle(), 0, ZMQ_POLLIN, 0},
                                 {stream->handle(), 0, ZMQ_POLLIN, 0}};
      zmq::poll(items, room == 0 ? 2 : follower.wants_stream() ? 4 : 3, time_left());
      const auto now = Clock::now();
      if (items[0].revents != 0) wake.clear();
      if (items[1].revents != 0 && cuts->cut()) {
        follower.lose("the connection to reachd at " + options.publish_endpoint + " was cut", now);
      } else if (now >= follower.deadline()) {
        if (!cuts->refused().empty()) {
          follower.lose(cuts->refused(), now);
        } else if (room > 0) {
          follower.pass(now);
        } else {
          follower.lose("the alerts of reachd were not taken for " + std::to_string(options.silence.count()) + " ms",
                        now);
        }
      } else if (room > 0) {
        receive_replies(now);
        receive_stream(std::min(room, portion), now);
      }
    }
  }

  std::chrono::milliseconds time_left() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(follower.deadline() - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }

  /// Fresh sockets: nothing of an earlier connection is in their queues.
  void open() {
    cuts.reset();
    stream.reset();
    query.reset();
    stream = connect_socket(context, zmq::socket_type::sub, options.publish_endpoint, options.keys, &cuts);
    for (const char* topic : Follower::topics) stream->set(zmq::sockopt::subscribe, topic);
    query = connect_socket(context, zmq::socket_type::dealer, options.query_endpoint, options.keys);
  }

  void send(const v1::Request& request) {
    query->send(zmq::buffer(request.SerializeAsString()), zmq::send_flags::dontwait);
  }

  void receive_replies(Clock::time_point now) {
    zmq::message_t frame;
    v1::Reply reply;
    while (query->recv(frame, zmq::recv_flags::dontwait)) {
      if (reply.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) follower.take(std::move(reply), now);
    }
  }

  void receive_stream(std::size_t most, Clock::time_point now) {
    zmq::message_t frames[4];
    for (std::size_t i = 0; i < most && follower.wants_stream(); ++i) {
      if (!stream->recv(frames[0], zmq::recv_flags::dontwait)) return;
      std::size_t n = 1;
      zmq::message_t* last = frames;
      while (last->more()) {
        last = &frames[std::min<std::size_t>(n++, 3)];
        (void)stream->recv(*last, zmq::recv_flags::none);
      }
      if (n == 4 && frames[1].size() == 8 && frames[2].size() == 8)
        follower.take({text_of(frames[0]), big_endian(frames[1]), text_of(frames[3])}, now);
    }
  }

  /// Collects what the follower says until the next hand_over().
  SubscriberCalls into_mailbox() {
    const auto put = [this](const auto& what) { said.emplace_back(what); };
    SubscriberCalls made;
    if (calls.snapshot) made.snapshot = put;
    if (calls.alerts) made.alerts = put;
    if (calls.segment) made.segment = put;
    if (calls.alert) made.alert = put;
    if (calls.alerts_lost) made.alerts_lost = put;
    if (calls.staffing) made.staffing = put;
    if (calls.source) made.source = put;
    if (calls.connection) {
      made.connection = [this](bool connected, const std::string& why) {
        said.emplace_back(ConnectionChange{connected, why});
      };
    }
    return made;
  }

  /// With the counters, so that who is called finds himself counted. Returns for how many more alerts there is room; an
  /// answer with alerts may go beyond.
  std::size_t hand_over() {
    const std::lock_guard lock(mutex);
    for (Mailbox::Item& item : said) mailbox.put(std::move(item));
    if (!said.empty()) filled.notify_all();
    said.clear();
    state = follower.state();
    state.replaced = mailbox.replaced();
    return options.alert_queue - std::min(mailbox.alerts(), options.alert_queue);
  }

  // ---- the caller ----

  void call() {
    std::unique_lock lock(mutex);
    for (;;) {
      filled.wait(lock, [this] { return stop || !mailbox.empty(); });
      if (stop) return;
      const bool was_full = mailbox.alerts() >= options.alert_queue;
      const auto item = mailbox.take();
      if (was_full && mailbox.alerts() < options.alert_queue) wake.notify();
      lock.unlock();
      std::visit(*this, *item);
      lock.lock();
    }
  }
  void operator()(const v1::Snapshot& snapshot) const { calls.snapshot(snapshot); }
  void operator()(const v1::Alerts& alerts) const { calls.alerts(alerts); }
  void operator()(const v1::SegmentState& segment) const { calls.segment(segment); }
  void operator()(const v1::Staffing& staffing) const { calls.staffing(staffing); }
  void operator()(const v1::SourceState& source) const { calls.source(source); }
  void operator()(const v1::Alert& alert) const { calls.alert(alert); }
  void operator()(const AlertsLost& lost) const { calls.alerts_lost(lost); }
  void operator()(const ConnectionChange& change) const { calls.connection(change.connected, change.why); }

  SubscriberState copy() const {
    const std::lock_guard lock(mutex);
    return state;
  }

  const SubscriberOptions options;
  const SubscriberCalls calls;
  Wake wake;  ///< the reader: to stop, or because there is room
  std::atomic<bool> stop = false;

  mutable std::mutex mutex;        // guards the three that follow
  std::condition_variable filled;  // the mailbox; or stop
  Mailbox mailbox;
  SubscriberState state;

  // The reader's alone, from its start on:
  std::vector<Mailbox::Item> said;
  zmq::context_t context{1};
  std::optional<zmq::socket_t> stream, query;
  std::optional<CutMonitor> cuts;
  Follower follower;

  std::thread reading, calling;
};

Subscriber::Subscriber(SubscriberOptions options, SubscriberCalls calls)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(calls))) {}
Subscriber::~Subscriber() = default;
SubscriberState Subscriber::state() const {
  return impl_->copy();
}

}  // namespace reach::client
