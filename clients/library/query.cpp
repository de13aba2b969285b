#include "clients/library/query.hpp"

#include <array>
#include <optional>

#include "clients/library/socket.hpp"

namespace reach::client {

struct Query::Impl {
  Impl(std::string where, std::chrono::milliseconds wait) : endpoint(std::move(where)), timeout(wait) {}

  zmq::context_t context{1};
  std::string endpoint;
  std::chrono::milliseconds timeout;
  std::optional<zmq::socket_t> socket;
  std::uint64_t last_id = 0;

  v1::Reply ask(v1::Request request) {
    request.set_id(++last_id);
    if (!socket) socket = connect_socket(context, zmq::socket_type::dealer, endpoint);
    socket->send(zmq::buffer(request.SerializeAsString()), zmq::send_flags::dontwait);
    const auto until = std::chrono::steady_clock::now() + timeout;
    v1::Reply reply;
    zmq::message_t frame;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      zmq::pollitem_t item{socket->handle(), 0, ZMQ_POLLIN, 0};
      if (left.count() <= 0 || zmq::poll(&item, 1, left) == 0) break;
      if (!socket->recv(frame, zmq::recv_flags::dontwait)) continue;
      // A reply to another question is one that came after its own had been given up.
      if (reply.ParseFromArray(frame.data(), static_cast<int>(frame.size())) && reply.id() == last_id) return reply;
    }
    socket.reset();  // a late reply must not meet the next question
    throw NotReachable("reachd does not answer at " + endpoint + " within " + std::to_string(timeout.count()) +
                       " ms; is it running (systemctl status reachd), and is this its query endpoint?");
  }
};

Query::Query(std::string endpoint, std::chrono::milliseconds timeout)
    : impl_(std::make_unique<Impl>(std::move(endpoint), timeout)) {}
Query::~Query() = default;
v1::Reply Query::ask(v1::Request request) {
  return impl_->ask(std::move(request));
}

}  // namespace reach::client
