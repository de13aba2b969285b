#include "clients/library/query.hpp"

#include <array>
#include <optional>

#include "clients/library/socket.hpp"

namespace reach::client {

struct Query::Impl {
  Impl(std::string where, std::chrono::milliseconds wait, ClientKeys with)
      : endpoint(std::move(where)), timeout(wait), keys(std::move(with)) {}

  zmq::context_t context{1};
  std::string endpoint;
  std::chrono::milliseconds timeout;
  ClientKeys keys;
  std::optional<zmq::socket_t> socket;
  std::optional<CutMonitor> monitor;
  std::uint64_t last_id = 0;

  void close() {
    monitor.reset();
    socket.reset();
  }

  v1::Reply ask(v1::Request request) {
    request.set_id(++last_id);
    if (!socket) socket = connect_socket(context, zmq::socket_type::dealer, endpoint, keys, &monitor);
    socket->send(zmq::buffer(request.SerializeAsString()), zmq::send_flags::dontwait);
    const auto until = std::chrono::steady_clock::now() + timeout;
    v1::Reply reply;
    zmq::message_t frame;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      zmq::pollitem_t items[] = {{socket->handle(), 0, ZMQ_POLLIN, 0}, {monitor->socket().handle(), 0, ZMQ_POLLIN, 0}};
      if (left.count() <= 0 || zmq::poll(items, std::size(items), left) == 0) break;
      if (items[1].revents != 0) (void)monitor->cut();  // it reconnects by itself
      if (const std::string why = monitor->refused(); !why.empty()) {
        close();
        throw NotReachable(why);
      }
      if (!socket->recv(frame, zmq::recv_flags::dontwait)) continue;
      // A reply to another question is one that came after its own had been given up.
      if (reply.ParseFromArray(frame.data(), static_cast<int>(frame.size())) && reply.id() == last_id) return reply;
    }
    close();  // a late reply must not meet the next question
    throw NotReachable("reachd does not answer at " + endpoint + " within " + std::to_string(timeout.count()) +
                       " ms; is it running (systemctl status reachd), and is this its query endpoint?");
  }
};

Query::Query(std::string endpoint, std::chrono::milliseconds timeout, ClientKeys keys)
    : impl_(std::make_unique<Impl>(std::move(endpoint), timeout, std::move(keys))) {}
Query::~Query() = default;
v1::Reply Query::ask(v1::Request request) {
  return impl_->ask(std::move(request));
}

}  // namespace reach::client
