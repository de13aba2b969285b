#include "clients/library/sender.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "clients/library/socket.hpp"

namespace reach::client {
namespace {

Delivery::Now clock_now() {
  using std::chrono::nanoseconds;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::steady_clock::now(),
          static_cast<std::uint64_t>(std::chrono::duration_cast<nanoseconds>(wall).count())};
}

}  // namespace

/// Delivery behind a mutex, with a thread that waits for the socket and the clock.
struct Sender::Impl final : DeliveryWorld {
  Impl(SenderOptions with, std::unique_ptr<Spool> kept, std::function<void(const std::string&)> problem_taker)
      : endpoint(with.endpoint),
        keys(with.keys),
        on_problem(std::move(problem_taker)),
        delivery(std::move(with), std::move(kept), *this) {
    delivery.start(clock_now());  // here, so that a bad endpoint throws at the caller
    thread = start_quiet_thread([this] { run(); });
  }

  ~Impl() override {
    stop = true;
    wake.notify();
    thread.join();
  }

  // ---- callers' side -------------------------------------------------------------------------------------------

  void post(std::span<const v1::Event> events, std::string_view bookmark) {
    {
      const std::lock_guard lock(mutex);
      delivery.post(events, bookmark);
    }
    // Only the first of many posts pays for the wake-up: the others ride in the same batch.
    if (!woken.exchange(true)) wake.notify();
  }

  void set_upstream_connected(bool connected) {
    {
      const std::lock_guard lock(mutex);
      delivery.set_upstream_connected(connected);
    }
    wake.notify();
  }

  bool drain(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex);
    return drained.wait_for(lock, timeout, [this] { return delivery.drained(); });
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
      {
        const std::lock_guard lock(mutex);
        receive();
        if (items[1].revents != 0) {
          if (cuts->cut()) {
            delivery.cut(clock_now());
          } else if (!cuts->refused().empty()) {
            delivery.refused(cuts->refused());
          }
        }
        delivery.step(clock_now());
        if (delivery.drained()) drained.notify_all();
      }
      say_problems();
    }
    const std::lock_guard lock(mutex);
    socket->set(zmq::sockopt::linger, 200);  // for the farewell; whatever else is in the queue is in the spool, too
    delivery.leave(clock_now());
  }

  std::chrono::milliseconds time_left() const {
    const std::lock_guard lock(mutex);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(delivery.next_deadline() - clock_now().steady);
    return std::max(left, std::chrono::milliseconds(0));
  }

  void receive() {
    zmq::message_t frame;
    v1::ToAdapter message;
    while (socket->recv(frame, zmq::recv_flags::dontwait)) {
      if (message.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) delivery.take(message, clock_now());
    }
  }

  void say_problems() {
    for (const std::string& sentence : problems) {
      if (on_problem) on_problem(sentence);
    }
    problems.clear();
  }

  // ---- DeliveryWorld -------------------------------------------------------------------------------------------

  bool send(const v1::ToDaemon& message) override {
    return socket->send(zmq::buffer(message.SerializeAsString()), zmq::send_flags::dontwait).has_value();
  }

  void reconnect() override {
    cuts.reset();
    socket.reset();
    socket = connect_socket(context, zmq::socket_type::dealer, endpoint, keys, &cuts);
  }

  /// Said without the mutex: who hears it may ask for the state.
  void problem(const std::string& sentence) override { problems.push_back(sentence); }

  const std::string endpoint;
  const ClientKeys keys;
  const std::function<void(const std::string&)> on_problem;

  // The sender's thread alone, once it runs:
  zmq::context_t context{1};
  std::optional<zmq::socket_t> socket;
  std::optional<CutMonitor> cuts;
  std::vector<std::string> problems;

  mutable std::mutex mutex;  // guards delivery
  std::condition_variable drained;
  Delivery delivery;

  std::atomic<bool> stop = false, woken = false;
  Wake wake;
  std::thread thread;
};

Sender::Sender(SenderOptions options, std::unique_ptr<Spool> spool, std::function<void(const std::string&)> on_problem)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(spool), std::move(on_problem))) {}
Sender::~Sender() = default;
void Sender::post(std::span<const v1::Event> events, std::string_view bookmark) {
  impl_->post(events, bookmark);
}
std::string Sender::bookmark() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->delivery.spool().bookmark();
}
void Sender::set_upstream_connected(bool connected) {
  impl_->set_upstream_connected(connected);
}
bool Sender::drain(std::chrono::milliseconds timeout) {
  return impl_->drain(timeout);
}
SenderState Sender::state() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->delivery.state();
}

}  // namespace reach::client
