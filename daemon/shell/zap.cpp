#include "daemon/shell/zap.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/shell/connections.hpp"

namespace reach::shell {
namespace {

constexpr std::size_t most_samples = 20;

// Frames of a request (RFC 27): version, request id, domain, address, identity, mechanism, credentials.
constexpr std::size_t request_id = 1, domain = 2, address = 3, mechanism = 5, credentials = 6, request_frames = 7;

std::string_view text_of(const zmq::message_t& frame) {
  return {frame.data<char>(), frame.size()};
}

std::string z85_of(const zmq::message_t& frame) {
  std::array<char, keys::key_length + 1> text{};
  return frame.size() == 32 && zmq_z85_encode(text.data(), frame.data<std::uint8_t>(), 32) != nullptr ? text.data()
                                                                                                      : std::string();
}

}  // namespace

void Refusals::add(Refusal refusal) {
  ++counts[refusal.reason];
  const auto same = [&](const Refusal& other) { return other.kind == refusal.kind; };
  if (samples.size() < most_samples && std::ranges::none_of(samples, same)) samples.push_back(std::move(refusal));
}

std::optional<Refusal> refuse_at_door(const keys::AllowedKeys& allowed, std::string_view domain_name,
                                      std::string_view z85, std::string_view from) {
  const std::string where = std::string(domain_name) + " socket, from " + std::string(without_v4_prefix(from));
  const keys::PublicKey* const key = allowed.find(z85);
  if (key == nullptr) {
    return Refusal{
        "unknown_key", "unknown key",
        "refused at the " + where + ": the key " + std::string(z85.substr(0, 8)) + "… is none of the allowed keys"};
  }
  const auto door = keys::door_from(domain_name);
  if (door && keys::may_open(key->role, *door)) return std::nullopt;
  return Refusal{"role", "role of " + key->name,
                 "refused at the " + where + ": the key " + key->name + " has the role " +
                     std::string(keys::to_text(key->role)) + ", which may not use this socket"};
}

Zap::Zap(zmq::context_t& context, std::shared_ptr<const keys::AllowedKeys> allowed)
    : requests_(context, zmq::socket_type::rep), allowed_(std::move(allowed)) {
  requests_.set(zmq::sockopt::linger, 0);
  requests_.bind("inproc://zeromq.zap.01");
  thread_ = std::thread([this] { run(); });
}

Zap::~Zap() {
  stopping_ = true;
  wake_.notify();
  thread_.join();
}

void Zap::set_allowed(std::shared_ptr<const keys::AllowedKeys> allowed) {
  const std::lock_guard lock(mutex_);
  allowed_ = std::move(allowed);
}

Refusals Zap::take_refusals() {
  const std::lock_guard lock(mutex_);
  return std::exchange(refusals_, {});
}

std::string Zap::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Zap::run() {
  try {
    std::vector<zmq::message_t> request;
    while (!stopping_) {
      zmq::pollitem_t items[] = {{requests_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake_.fd(), ZMQ_POLLIN, 0}};
      try {
        zmq::poll(items, std::size(items), std::chrono::milliseconds(-1));
      } catch (const zmq::error_t& e) {
        if (e.num() != EINTR) throw;
      }
      if (items[0].revents == 0) continue;
      request.clear();
      do {
        static_cast<void>(requests_.recv(request.emplace_back(), zmq::recv_flags::none));
      } while (request.back().more());
      answer(request);
    }
  } catch (const std::exception& e) {
    const std::lock_guard lock(mutex_);
    failure_ = e.what();
  }
  requests_.close();
}

void Zap::answer(std::vector<zmq::message_t>& request) {
  std::string user;
  bool good = false;
  if (request.size() == request_frames && text_of(request[mechanism]) == "CURVE") {
    user = z85_of(request[credentials]);
    const std::lock_guard lock(mutex_);
    auto refusal = refuse_at_door(*allowed_, text_of(request[domain]), user, text_of(request[address]));
    good = !refusal;
    if (refusal) refusals_.add(std::move(*refusal));
  }
  const std::string id = request.size() > request_id ? request[request_id].to_string() : std::string();
  const std::array<std::string, 6> reply{
      "1.0", id, good ? "200" : "400", good ? "" : "this key may not use this socket", good ? user : "", ""};
  for (std::size_t i = 0; i < reply.size(); ++i) {
    static_cast<void>(
        requests_.send(zmq::buffer(reply[i]), i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none));
  }
}

}  // namespace reach::shell
