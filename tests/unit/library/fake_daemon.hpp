// The daemon as its subscribers see it.
#pragma once
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "reachd/v1/query.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::client {

/// The daemon's publish and query sockets, played by the test.
class FakeDaemon {
 public:
  explicit FakeDaemon(const char* name) : name_(name) { start(); }
  std::string publish_endpoint() const { return endpoint("pub"); }
  std::string query_endpoint() const { return endpoint("query"); }

  void start() {
    context_.emplace(1);
    query_.emplace(*context_, zmq::socket_type::router);
    query_->set(zmq::sockopt::linger, 0);
    query_->set(zmq::sockopt::rcvtimeo, 5000);
    query_->bind(query_endpoint());
    publish_.emplace(*context_, zmq::socket_type::xpub);
    publish_->set(zmq::sockopt::linger, 0);
    publish_->set(zmq::sockopt::xpub_verbose, 1);
    publish_->set(zmq::sockopt::rcvtimeo, 5000);
    publish_->bind(publish_endpoint());
  }
  void die() {
    publish_.reset();
    query_.reset();
    context_.reset();  // waits until their addresses are free
  }
  /// Returns when all four topics are subscribed to.
  void wait_for_subscriptions() {
    zmq::message_t frame;
    for (int i = 0; i < 4;) {
      if (!publish_->recv(frame)) throw std::runtime_error("no subscription within 5 s");
      if (*frame.data<char>() == 1) ++i;  // 0: somebody left
    }
  }
  void publish(const std::string& topic, std::uint64_t number, const google::protobuf::Message& message) {
    publish_->send(zmq::buffer(topic), zmq::send_flags::sndmore);
    publish_->send(zmq::buffer(big_endian(number)), zmq::send_flags::sndmore);
    publish_->send(zmq::buffer(big_endian(++global_)), zmq::send_flags::sndmore);
    publish_->send(zmq::buffer(message.SerializeAsString()));
  }
  v1::Request request() {
    zmq::message_t peer, frame;
    if (!query_->recv(peer) || !query_->recv(frame)) throw std::runtime_error("no request within 5 s");
    peer_ = peer.to_string();
    v1::Request request;
    request.ParseFromString(frame.to_string());
    return request;
  }
  void reply(const v1::Reply& reply) {
    query_->send(zmq::buffer(peer_), zmq::send_flags::sndmore);
    query_->send(zmq::buffer(reply.SerializeAsString()));
  }
  /// Answers the two questions of a subscriber: the snapshot and the alerts.
  void answer(v1::Snapshot snapshot, const std::vector<v1::Alert>& alerts = {}) {
    v1::Reply first;
    first.set_id(request().id());
    *first.mutable_snapshot() = std::move(snapshot);
    reply(first);
    v1::Reply second;
    second.set_id(request().id());
    second.mutable_alerts();
    for (const v1::Alert& alert : alerts) *second.mutable_alerts()->add_alerts() = alert;
    reply(second);
  }

 private:
  std::string endpoint(const char* kind) const {
    return "ipc://@reach-test-" + std::to_string(getpid()) + '-' + name_ + '-' + kind;
  }
  static std::string big_endian(std::uint64_t value) {
    std::string bytes(8, '\0');
    for (std::size_t i = 8; i-- > 0; value >>= 8) bytes[i] = static_cast<char>(value & 0xff);
    return bytes;
  }
  std::optional<zmq::context_t> context_;
  std::optional<zmq::socket_t> publish_, query_;
  std::string name_, peer_;
  std::uint64_t global_ = 0;
};

}  // namespace reach::client
