// Who is refused at the door, what an asker may ask, and who is cut off for taking too much.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <thread>

#include "daemon/shell/connections.hpp"
#include "daemon/shell/queries.hpp"
#include "daemon/shell/rate.hpp"
#include "daemon/shell/socket.hpp"
#include "daemon/shell/zap.hpp"

namespace reach::shell {
namespace {

using keys::PublicKey;
using keys::Role;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string key_a(40, 'a'), key_b(40, 'b');

keys::AllowedKeys allowed() {
  keys::AllowedKeys made;
  made.add({"desk", Role::viewer, {}, key_a});
  return made;
}

TEST(Door, LetsInAKeyWhereItsRoleMay) {
  EXPECT_FALSE(refuse_at_door(allowed(), "publish", key_a, "192.0.2.1"));
  const auto refusal = refuse_at_door(allowed(), "ingest", key_a, "192.0.2.1");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "role");
  EXPECT_EQ(refusal->text,
            "refused at the ingest socket, from 192.0.2.1: the key desk has the role viewer, which may not use this "
            "socket");
}

TEST(Door, NamesTheBeginningOfAnUnknownKey) {
  const auto refusal = refuse_at_door(allowed(), "query", key_b, "192.0.2.1");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "unknown_key");
  EXPECT_NE(refusal->text.find("bbbbbbbb…"), std::string::npos);
  EXPECT_TRUE(refuse_at_door(allowed(), "query", "", "192.0.2.1"));
  EXPECT_TRUE(refuse_at_door(allowed(), "no such socket", key_a, "192.0.2.1"));
}

TEST(Door, KeepsFewSamplesOfManyRefusals) {
  Refusals refusals;
  for (int i = 0; i < 1000; ++i) refusals.add({"unknown_key", "kind " + std::to_string(i % 100), "…"});
  EXPECT_EQ(refusals.counts["unknown_key"], 1000);
  EXPECT_EQ(refusals.samples.size(), 20U);
}

TEST(Zap, TellsWhyItDied) {
  zmq::context_t context;
  const Zap zap(context, std::make_shared<const keys::AllowedKeys>(allowed()));
  EXPECT_EQ(zap.failure(), "");
  context.shutdown();  // nothing can be waited for in it any more
  const auto until = std::chrono::steady_clock::now() + seconds(10);
  while (zap.failure().empty() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_NE(zap.failure(), "");
}

TEST(SendQueue, GrowsForSubscribersThatAreThere) {
  constexpr int before = 50, after = 5'000;
  const std::string endpoint = "ipc://" + testing::TempDir() + "reach-queue-" + std::to_string(getpid());
  zmq::context_t context = make_context();
  zmq::socket_t out = bind_xpub(context, endpoint, {10, before, 1024}, {{}, keys::Door::publish});
  out.set(zmq::sockopt::rcvtimeo, 10'000);
  zmq::socket_t subscriber(context, zmq::socket_type::sub);
  subscriber.set(zmq::sockopt::linger, 0);
  subscriber.set(zmq::sockopt::rcvhwm, 1);
  subscriber.set(zmq::sockopt::rcvtimeo, 2'000);
  subscriber.set(zmq::sockopt::subscribe, "");
  subscriber.connect(endpoint);
  zmq::message_t message;
  ASSERT_TRUE(out.recv(message)) << "it subscribed";
  set_send_queue(out, after);
  const std::string payload(10'000, 'x');  // few of them fit the system's own buffers
  for (int i = 0; i < after; ++i) ASSERT_TRUE(out.send(zmq::buffer(payload), zmq::send_flags::dontwait));
  int received = 0;
  while (received < after && subscriber.recv(message)) ++received;
  EXPECT_EQ(received, after);
  out.set(zmq::sockopt::linger, 0);
}

TEST(Requests, ThatChangeSomethingAreForSupervisorsAndOperators) {
  v1::Request ping, snapshot, acknowledge;
  ping.mutable_ping();
  snapshot.mutable_snapshot();
  acknowledge.mutable_acknowledge();
  const auto may = [](const v1::Request& request, Role role) { return !not_allowed(request, {"k", role, {}, {}}); };
  for (const Role role : {Role::adapter, Role::viewer, Role::supervisor, Role::operator_}) {
    EXPECT_TRUE(may(ping, role));
    EXPECT_EQ(may(snapshot, role), role != Role::adapter);
    EXPECT_EQ(may(acknowledge, role), role == Role::supervisor || role == Role::operator_);
  }
  EXPECT_EQ(not_allowed(acknowledge, {"desk", Role::viewer, {}, {}})->message(),
            "the key desk has the role viewer, and acknowledge is for supervisors and operators");
}

/// Two ends of a connection; ours is what a ZeroMQ socket would have accepted.
struct Pair {
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0); }
  ~Pair() {
    for (const int fd : ends) close(fd);
  }
  /// Whether our end was shut down.
  [[nodiscard]] bool is_cut() const {
    char byte = 0;
    return recv(ends[1], &byte, 1, MSG_DONTWAIT) == 0;
  }
  [[nodiscard]] int ours() const { return ends[0]; }
  std::array<int, 2> ends{-1, -1};
};

TEST(Connections, BeyondTheLimitAreCutOff) {
  Connections connections(2, 10, 10);
  Pair a, b, c, d;
  for (const Pair* pair : {&a, &b, &c}) EXPECT_FALSE(connections.opened(pair->ours()));
  EXPECT_TRUE(connections.spoke(a.ours()));
  EXPECT_TRUE(connections.spoke(b.ours()));
  EXPECT_FALSE(connections.spoke(c.ours()));
  EXPECT_TRUE(c.is_cut());
  EXPECT_TRUE(connections.spoke(a.ours())) << "whoever is in may go on";
  EXPECT_FALSE(a.is_cut());
  connections.closed(c.ours());
  connections.closed(a.ours());
  connections.opened(d.ours());
  EXPECT_TRUE(connections.spoke(d.ours()));
  EXPECT_FALSE(d.is_cut());
  EXPECT_FALSE(connections.any_silent());
}

TEST(Connections, ThatSayNothingTakeNobodysPlace) {
  Connections connections(2, 3, 10);
  std::array<Pair, 10> strangers;
  Pair friend_a, friend_b;
  connections.opened(friend_a.ours());
  EXPECT_TRUE(connections.spoke(friend_a.ours()));
  for (std::size_t i = 0; i < 9; ++i) {
    const auto cut = connections.opened(strangers[i].ours());
    if (i < 3) {
      EXPECT_FALSE(cut);
    } else {
      EXPECT_EQ(cut, strangers[i - 3].ours()) << "the oldest";
      EXPECT_TRUE(strangers[i - 3].is_cut());
    }
    if (i == 4) {
      connections.closed(strangers[0].ours());
      connections.closed(strangers[1].ours());
    }
  }
  connections.opened(friend_b.ours());
  EXPECT_TRUE(connections.any_silent());
  connections.opened(strangers[9].ours());
  EXPECT_TRUE(connections.spoke(friend_b.ours()));
  EXPECT_FALSE(friend_a.is_cut());
  EXPECT_FALSE(friend_b.is_cut());
}

TEST(Connections, OfOneWithTooManySubscriptionsIsCutOff) {
  Connections connections(10, 10, 2);
  Pair peer;
  connections.opened(peer.ours());
  EXPECT_TRUE(connections.subscribed(peer.ours(), key_a, "a"));
  EXPECT_TRUE(connections.subscribed(peer.ours(), key_a, "b"));
  EXPECT_TRUE(connections.subscribed(peer.ours(), key_a, "a")) << "the same again is no other";
  connections.unsubscribed(peer.ours(), "a");
  connections.unsubscribed(peer.ours(), "never");
  EXPECT_TRUE(connections.subscribed(peer.ours(), key_a, "c"));
  EXPECT_FALSE(peer.is_cut());
  EXPECT_FALSE(connections.subscribed(peer.ours(), key_a, "d"));
  EXPECT_TRUE(peer.is_cut());
  EXPECT_EQ(connections.peers().at(peer.ours()).key, key_a);
}

TEST(Connections, OfAnotherThatGotTheSameDescriptorAreLeftAlone) {
  Connections connections(10, 10, 10);
  Pair gone, next;
  connections.opened(gone.ours());
  dup2(next.ours(), gone.ours());  // as if ZeroMQ had closed it and the system given its number to somebody else
  connections.cut(gone.ours());
  EXPECT_FALSE(next.is_cut());
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  connections.opened(file);  // no socket at all
  connections.cut(file);
  connections.cut(12345);
  close(file);
}

TEST(Connections, WithMostSubscriptionsOfTooManyAreCutOff) {
  Connections connections(10, 10, 100'000);
  Pair modest, greedy;
  connections.opened(modest.ours());
  connections.opened(greedy.ours());
  EXPECT_TRUE(connections.subscribed(modest.ours(), key_a, "state/"));
  EXPECT_EQ(connections.relieve_subscriptions(), std::nullopt);
  const std::string end(240, 'x');
  std::size_t n = 0;
  for (; n * 250 <= Connections::most_subscription_bytes; ++n) {
    ASSERT_EQ(connections.relieve_subscriptions(), std::nullopt) << n;
    connections.subscribed(greedy.ours(), key_b, std::to_string(1'000'000'000 + n) + end);
  }
  EXPECT_EQ(connections.relieve_subscriptions(), greedy.ours());
  EXPECT_TRUE(greedy.is_cut());
  EXPECT_FALSE(modest.is_cut());
  EXPECT_EQ(connections.relieve_subscriptions(), std::nullopt) << "what it had counts no more";
  connections.closed(greedy.ours());
  connections.unsubscribed(modest.ours(), "state/");
}

/// A connection over the network, as far as this machine has one.
struct TcpPair {
  TcpPair() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(theirs, reinterpret_cast<sockaddr*>(&address), size), 0);
    ours = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    close(listener);
  }
  ~TcpPair() {
    close(ours);
    close(theirs);
  }
  /// The bytes are there when it returns.
  void send_us(std::size_t bytes) const {
    std::string sent(bytes, 'x');
    EXPECT_EQ(send(theirs, sent.data(), sent.size(), 0), static_cast<ssize_t>(bytes));
    EXPECT_EQ(recv(ours, sent.data(), sent.size(), MSG_WAITALL), static_cast<ssize_t>(bytes));
  }
  int ours = -1, theirs = -1;
};

TEST(Connections, WhoseMessagesNeverEndAreCutOff) {
  Connections connections(10, 10, 10);
  TcpPair talker, endless;
  connections.opened(talker.ours);
  connections.opened(endless.ours);
  auto now = std::chrono::steady_clock::time_point(seconds(1000));
  const auto cut = [&](std::uint64_t most_of_all = 1'000'000) {
    std::string who;
    for (const auto& [fd, bytes] : connections.cut_unheard(50'000, most_of_all, now += milliseconds(100)))
      who += (fd == endless.ours ? "endless " : "talker ") + std::to_string(bytes);
    return who;
  };
  EXPECT_EQ(cut(), "");
  for (int i = 0; i < 10; ++i) {
    talker.send_us(20'000);
    connections.heard(talker.ours);
    connections.heard(talker.ours);
    endless.send_us(4'000);
    EXPECT_EQ(cut(), "") << i;
  }
  endless.send_us(15'000);
  EXPECT_EQ(cut(), "endless 54890") << "4,000 bytes ten times, 15,000, and ten bytes each time are forgiven";
  EXPECT_EQ(cut(), "") << "once";
}

TEST(Connections, ThatAreNotHeardAreCutOffWhereAllTogetherSendTooMuch) {
  Connections connections(10, 10, 10);
  TcpPair a, b, c;
  for (const TcpPair* pair : {&a, &b, &c}) connections.opened(pair->ours);
  a.send_us(20'000);
  b.send_us(30'000);
  c.send_us(10'000);
  const auto gone = connections.cut_unheard(50'000, 40'000, {});
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].fd, b.ours) << "who has sent most";
}

TEST(Connections, ThatOnlyShowThatTheyLiveStay) {
  Connections connections(10, 10, 10);
  TcpPair subscriber;
  connections.opened(subscriber.ours);
  auto now = std::chrono::steady_clock::time_point(seconds(1000));
  for (int second = 0; second < 10'000; second += 2) {
    subscriber.send_us(60);  // a PONG, encrypted
    ASSERT_TRUE(connections.cut_unheard(1'000, 1'000'000, now += seconds(2)).empty()) << second;
  }
}

TEST(Addresses, AreShownAsPeopleWriteThem) {
  EXPECT_EQ(without_v4_prefix("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(without_v4_prefix("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(without_v4_prefix("::ffff:1"), "::ffff:1");
}

TEST(RateLimit, AllowsTenSecondsAtOnceAndTheRateAfterwards) {
  RateLimit rate;
  Time now = time_from_ns(1'764'000'000'000'000'000);
  ASSERT_TRUE(rate.open(now, 100));
  rate.take(1500);  // one batch may be larger than what is there
  EXPECT_FALSE(rate.open(now, 100));
  EXPECT_FALSE(rate.open(now + seconds(5), 100));
  EXPECT_TRUE(rate.open(now + seconds(5) + milliseconds(11), 100));
  now += seconds(1000);
  ASSERT_TRUE(rate.open(now, 100));
  rate.take(999);
  EXPECT_TRUE(rate.open(now, 100));
  rate.take(1);
  EXPECT_FALSE(rate.open(now, 100)) << "no more than ten seconds' worth is saved up";
  EXPECT_FALSE(rate.open(now - seconds(1), 100)) << "a clock that steps back gives nothing";
}

}  // namespace
}  // namespace reach::shell
