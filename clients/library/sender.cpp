#include "clients/library/sender.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "clients/library/socket.hpp"
#include "reachd/v1/ingest.pb.h"

namespace reach::client {
namespace {

using Clock = std::chrono::steady_clock;  // for waiting; what travels is wall time

constexpr std::size_t batch_bytes = 900 * 1024;  // the daemon takes frames up to 1 MiB
constexpr std::size_t event_bytes = 512 * 1024;

std::uint64_t wall_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

bool is_source_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string::npos;
}

/// Events that did not fit, until an EventsLost event tells of them.
struct Loss {
  std::uint64_t from = 0, to = 0, count = 0;  // count 0: none
  std::uint64_t time_ns = 0;
};

}  // namespace

struct Sender::Impl {
  Impl(SenderOptions with, std::unique_ptr<Spool> kept, std::function<void(const std::string&)> problem)
      : options(std::move(with)), on_problem(std::move(problem)), spool(std::move(kept)) {
    if (!is_source_name(options.source)) {
      throw std::invalid_argument("\"" + options.source +
                                  "\" is no source name; expected are 1 to 64 of A-Z a-z 0-9 . _ -");
    }
    if (!spool) throw std::invalid_argument("a sender needs a spool");
    batch_limit = std::max<std::size_t>(options.batch_limit, 1);
    open();  // here, so that a bad endpoint throws at the caller
    thread = start_quiet_thread([this] { run(); });
  }

  ~Impl() {
    stop = true;
    wake.notify();
    thread.join();
  }

  // ---- callers' side -------------------------------------------------------------------------------------------

  void post(const v1::Event& event) {
    {
      const std::lock_guard lock(mutex);
      const std::uint64_t number = ++state.posted;
      if (!tell_loss() || event.ByteSizeLong() > event_bytes || !spool->append(event)) lose(number, event.time_ns());
    }
    // Only the first of many posts pays for the wake-up: the others ride in the same batch.
    if (!woken.exchange(true)) wake.notify();
  }

  void lose(std::uint64_t number, std::uint64_t time_ns) {
    if (loss.count == 0) loss.from = number;
    loss.to = number;
    loss.count += 1;
    loss.time_ns = time_ns;
    state.lost += 1;
  }

  /// Appends the EventsLost event that is due, if any. False if there is no room for it yet.
  bool tell_loss() {
    if (loss.count == 0) return true;
    v1::Event event;
    event.set_time_ns(loss.time_ns);
    auto& lost = *event.mutable_events_lost();
    lost.set_from(loss.from);
    lost.set_to(loss.to);
    lost.set_count(loss.count);
    lost.set_reason("the adapter's spool was full, or the event too large");
    if (!spool->append(event)) return false;
    loss = {};
    return true;
  }

  bool drain(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex);
    return drained.wait_for(lock, timeout, [this] { return spool->size() == 0 && loss.count == 0; });
  }

  SenderState snapshot() const {
    const std::lock_guard lock(mutex);
    SenderState copy = state;
    copy.pending = spool->size();
    return copy;
  }

  // ---- the sender's thread -------------------------------------------------------------------------------------

  void run() {
    while (!stop) {
      zmq::pollitem_t items[] = {{socket->handle(), 0, ZMQ_POLLIN, 0},
                                 {cuts->socket().handle(), 0, ZMQ_POLLIN, 0},
                                 {nullptr, wake.fd(), ZMQ_POLLIN, 0}};
      zmq::poll(items, 3, time_left());
      if (items[2].revents != 0) {
        wake.clear();
        woken = false;  // before the spool is read: what is posted from here on wakes again
      }
      receive();
      if (items[1].revents != 0 && cuts->cut()) lost("the connection to reachd at " + options.endpoint + " was cut");
      const auto now = Clock::now();
      if (now - heard >= options.answer_timeout) {
        lost("reachd does not answer at " + options.endpoint);
      }
      if (hello_at && now >= *hello_at) hello();
      if (welcomed && now >= retry_at) send_events();
      if (now >= heartbeat_at || upstream != upstream_told) send_heartbeat();
    }
  }

  std::chrono::milliseconds time_left() const {
    auto next = std::min(heard + options.answer_timeout, heartbeat_at);
    if (hello_at) next = std::min(next, *hello_at);
    if (welcomed && retry_at > Clock::now()) next = std::min(next, retry_at);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }

  /// A fresh socket: nothing of an earlier connection is in its queues.
  void open() {
    cuts.reset();
    socket.reset();
    socket = connect_socket(context, zmq::socket_type::dealer, options.endpoint);
    cuts.emplace(context, *socket);
    welcomed = false;
    heard = Clock::now();
    heartbeat_at = heard + options.heartbeat;
    hello_at = heard;
  }

  void lost(const std::string& why) {
    std::uint64_t waiting = 0;
    {
      const std::lock_guard lock(mutex);
      waiting = spool->size();
      state.connected = false;
    }
    was_lost = true;
    // Without the number waiting: the same problem is told once, not with every new event.
    report(why + "; events are kept and sent when it is back", waiting);
    open();
  }

  void hello() {
    hello_at.reset();
    v1::ToDaemon message;
    auto& hi = *message.mutable_hello();
    hi.set_source(options.source);
    hi.set_software(options.software);
    for (const std::string& capability : options.capabilities) hi.add_capabilities(capability);
    {
      const std::lock_guard lock(mutex);
      hi.set_epoch(spool->epoch());
      hi.set_next_sequence(spool->next_sequence() - spool->size());
    }
    hi.set_sent_ns(wall_ns());
    send(message);
  }

  void send_heartbeat() {
    heartbeat_at = Clock::now() + options.heartbeat;
    if (!welcomed) return;  // the daemon does not know yet who we are
    upstream_told = upstream.load();
    v1::ToDaemon message;
    auto& beat = *message.mutable_heartbeat();
    beat.set_source(options.source);
    beat.set_sent_ns(wall_ns());
    beat.set_upstream_connected(upstream_told);
    send(message);
  }

  bool send(const v1::ToDaemon& message) {
    return socket->send(zmq::buffer(message.SerializeAsString()), zmq::send_flags::dontwait).has_value();
  }

  /// Sends what is in the spool from next_to_send on, as far as the credit goes.
  void send_events() {
    for (;;) {
      v1::ToDaemon message;
      auto& batch = *message.mutable_batch();
      {
        const std::lock_guard lock(mutex);
        const std::uint64_t unacknowledged = next_to_send - acknowledged - 1;
        const std::uint64_t room = credit > unacknowledged ? credit - unacknowledged : 0;
        const std::size_t limit = std::min<std::uint64_t>(room, batch_limit);
        if (limit == 0) return;
        std::size_t bytes = 0;
        spool->read(next_to_send, [&](std::uint64_t number, const v1::Event& event) {
          bytes += event.ByteSizeLong() + 8;
          if (batch.events_size() > 0 && bytes > batch_bytes) return false;
          if (batch.events_size() == 0) batch.set_first_sequence(number);
          *batch.add_events() = event;
          return static_cast<std::size_t>(batch.events_size()) < limit;
        });
        batch.set_epoch(spool->epoch());
      }
      if (batch.events_size() == 0) return;
      batch.set_source(options.source);
      batch.set_sent_ns(wall_ns());
      if (!send(message)) {  // the queue to the daemon is full
        retry_at = Clock::now() + std::chrono::milliseconds(10);
        return;
      }
      next_to_send = batch.first_sequence() + static_cast<std::uint64_t>(batch.events_size());
    }
  }

  void receive() {
    zmq::message_t frame;
    v1::ToAdapter message;
    while (socket->recv(frame, zmq::recv_flags::dontwait)) {
      if (!message.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) continue;
      heard = Clock::now();
      switch (message.message_case()) {
        case v1::ToAdapter::kWelcome:
          welcome(message.welcome());
          break;
        case v1::ToAdapter::kAck:
          ack(message.ack());
          break;
        case v1::ToAdapter::kReject:
          reject(message.reject());
          break;
        case v1::ToAdapter::kHeartbeat:
        case v1::ToAdapter::MESSAGE_NOT_SET:
          break;
      }
    }
  }

  void welcome(const v1::Welcome& message) {
    std::string problem;
    {
      const std::lock_guard lock(mutex);
      if (message.epoch() != spool->epoch()) return;  // to an earlier Hello
      const bool ahead = message.next_sequence() > spool->next_sequence();
      if (ahead && !spool->continue_at(message.next_sequence())) {
        problem = "reachd already has events up to " + std::to_string(message.next_sequence() - 1) +
                  " of this numbering, " + "but the spool ends at " + std::to_string(spool->next_sequence() - 1) +
                  ": its files were put back or shared; empty the spool so that a new numbering begins";
      } else {
        if (message.next_sequence() > 0) take_acknowledged(message.next_sequence() - 1);
        next_to_send = acknowledged + 1;
        credit = message.credit();
        state.connected = true;
      }
    }
    if (!problem.empty()) {
      report(problem);
      say_hello_later();
      return;
    }
    welcomed = true;
    retry_at = {};
    pause = {};
    heartbeat_at = Clock::now();  // tells at once whether the PBX is heard
    if (std::exchange(was_lost, false)) report("reachd is back at " + options.endpoint);
    const std::lock_guard lock(mutex);
    state.last_problem.clear();
  }

  void ack(const v1::Ack& message) {
    const std::lock_guard lock(mutex);
    if (message.epoch() != spool->epoch() || message.sequence() >= spool->next_sequence()) return;
    take_acknowledged(message.sequence());
    credit = message.credit();
    pause = {};
    state.last_problem.clear();
  }

  /// Needs the mutex.
  void take_acknowledged(std::uint64_t sequence) {
    spool->acknowledged(sequence);
    acknowledged = std::max({acknowledged, sequence, spool->next_sequence() - spool->size() - 1});
    next_to_send = std::max(next_to_send, acknowledged + 1);
    state.acknowledged = acknowledged;
    tell_loss();
    if (spool->size() == 0 && loss.count == 0) drained.notify_all();
  }

  void reject(const v1::Reject& message) {
    const std::string reason = "reachd rejects: " + message.reason();
    switch (message.code()) {
      case v1::REJECT_CODE_GAP:
        if (message.expected_sequence() > acknowledged && message.expected_sequence() <= next_to_send) {
          next_to_send = message.expected_sequence();
        } else {
          report(reason);
          say_hello_later();  // it counts from elsewhere: agree anew
        }
        return;
      case v1::REJECT_CODE_TOO_LARGE:
        batch_limit = std::max<std::size_t>(1, batch_limit / 2);
        next_to_send = acknowledged + 1;
        report(reason);
        return;
      case v1::REJECT_CODE_UNKNOWN_SOURCE:
      case v1::REJECT_CODE_SOURCE_IN_USE:
        report(reason);
        say_hello_later();
        return;
      default:  // malformed, overloaded, log failed: the same events again, later
        report(reason);
        next_to_send = acknowledged + 1;
        retry_at = Clock::now() + next_pause();
    }
  }

  void say_hello_later() {
    welcomed = false;
    hello_at = Clock::now() + next_pause();
    const std::lock_guard lock(mutex);
    state.connected = false;
  }

  /// 50 ms, doubled with each rejection in a row, at most answer_timeout / 2 (so that silence is still noticed).
  Clock::duration next_pause() {
    pause = std::min<Clock::duration>(std::max<Clock::duration>(pause * 2, std::chrono::milliseconds(50)),
                                      options.answer_timeout / 2);
    return pause;
  }

  void report(const std::string& sentence, std::uint64_t waiting = 0) {
    {
      const std::lock_guard lock(mutex);
      state.last_problem = waiting == 0 ? sentence : sentence + " (" + std::to_string(waiting) + " waiting)";
    }
    if (sentence == last_reported) return;
    last_reported = sentence;
    if (on_problem) on_problem(sentence);
  }

  const SenderOptions options;
  const std::function<void(const std::string&)> on_problem;

  mutable std::mutex mutex;  // guards spool, state, loss
  std::condition_variable drained;
  std::unique_ptr<Spool> spool;
  SenderState state;
  Loss loss;

  std::atomic<bool> stop = false, woken = false, upstream = true;
  Wake wake;

  // The sender's thread alone, from its start on:
  zmq::context_t context{1};
  std::optional<zmq::socket_t> socket;
  std::optional<CutMonitor> cuts;
  bool welcomed = false, was_lost = false, upstream_told = true;
  std::uint64_t next_to_send = 1, acknowledged = 0, credit = 0;
  std::size_t batch_limit = 1000;
  Clock::time_point heard{}, heartbeat_at{}, retry_at{};
  std::optional<Clock::time_point> hello_at;
  Clock::duration pause{};
  std::string last_reported;
  std::thread thread;
};

Sender::Sender(SenderOptions options, std::unique_ptr<Spool> spool, std::function<void(const std::string&)> on_problem)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(spool), std::move(on_problem))) {}
Sender::~Sender() = default;
void Sender::post(const v1::Event& event) {
  impl_->post(event);
}
void Sender::set_upstream_connected(bool connected) {
  impl_->upstream = connected;
  impl_->wake.notify();
}
bool Sender::drain(std::chrono::milliseconds timeout) {
  return impl_->drain(timeout);
}
SenderState Sender::state() const {
  return impl_->snapshot();
}

}  // namespace reach::client
