#include "clients/library/sender.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <zmq.hpp>

#include "reachd/v1/ingest.pb.h"

namespace reach::client {
namespace {

using std::chrono::milliseconds;

std::string ipc_endpoint(const char* name) {
  return "ipc://@reach-test-" + std::to_string(getpid()) + '-' + name;
}

/// What a test sees of an adapter: one frame from one peer.
struct Heard {
  std::string peer;
  v1::ToDaemon message;
};

/// The daemon's side of the ingest socket, played by the test.
class FakeDaemon {
 public:
  explicit FakeDaemon(std::string endpoint) : endpoint_(std::move(endpoint)) { start(); }

  void start() {
    context_.emplace(1);
    socket_.emplace(*context_, zmq::socket_type::router);
    socket_->set(zmq::sockopt::linger, 0);
    socket_->bind(endpoint_);
  }
  void die() {
    socket_.reset();
    context_.reset();  // waits until its address is free
  }

  /// The next message that is no heartbeat; fails the test after five seconds.
  Heard next() {
    for (;;) {
      Heard heard = any();
      if (!heard.message.has_heartbeat()) return heard;
    }
  }
  Heard any() {
    Heard heard;
    zmq::message_t peer, frame;
    socket_->set(zmq::sockopt::rcvtimeo, 5000);
    if (!socket_->recv(peer) || !socket_->recv(frame)) throw std::runtime_error("the sender said nothing for 5 s");
    heard.peer = peer.to_string();
    if (!heard.message.ParseFromString(frame.to_string())) throw std::runtime_error("no ToDaemon message");
    return heard;
  }
  v1::EventBatch batch() {
    last_ = next();
    if (!last_.message.has_batch()) throw std::runtime_error("no batch: " + last_.message.ShortDebugString());
    return last_.message.batch();
  }
  /// Answers the Hello that comes next: expects `next`.
  v1::Hello welcome(std::uint64_t next_sequence, std::uint32_t credit = 1000) {
    last_ = next();
    if (!last_.message.has_hello()) throw std::runtime_error("no hello: " + last_.message.ShortDebugString());
    v1::ToAdapter answer;
    answer.mutable_welcome()->set_epoch(last_.message.hello().epoch());
    answer.mutable_welcome()->set_next_sequence(next_sequence);
    answer.mutable_welcome()->set_credit(credit);
    say(answer);
    return last_.message.hello();
  }
  void ack(std::uint64_t sequence, std::uint32_t credit = 1000, std::uint64_t epoch = 7) {
    v1::ToAdapter answer;
    answer.mutable_ack()->set_epoch(epoch);
    answer.mutable_ack()->set_sequence(sequence);
    answer.mutable_ack()->set_credit(credit);
    say(answer);
  }
  void reject(v1::RejectCode code, const std::string& reason, std::uint64_t expected = 0) {
    v1::ToAdapter answer;
    answer.mutable_reject()->set_code(code);
    answer.mutable_reject()->set_reason(reason);
    answer.mutable_reject()->set_expected_sequence(expected);
    say(answer);
  }
  const std::string& endpoint() const { return endpoint_; }

 private:
  void say(const v1::ToAdapter& message) {
    socket_->send(zmq::buffer(last_.peer), zmq::send_flags::sndmore);
    socket_->send(zmq::buffer(message.SerializeAsString()));
  }
  std::optional<zmq::context_t> context_;
  std::optional<zmq::socket_t> socket_;
  std::string endpoint_;
  Heard last_;
};

/// Sentences the sender reports, to be waited for.
class Problems {
 public:
  std::function<void(const std::string&)> take() {
    return [this](const std::string& sentence) {
      const std::lock_guard lock(mutex_);
      all_.push_back(sentence);
      changed_.notify_all();
    };
  }
  bool wait_for(const std::string& part) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(5), [&] {
      return std::any_of(all_.begin(), all_.end(), [&](const auto& s) { return s.find(part) != std::string::npos; });
    });
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

v1::Event event(std::uint64_t n) {
  v1::Event made;
  made.set_time_ns(1000 + n);
  made.set_contact("c" + std::to_string(n));
  made.mutable_ended();
  return made;
}

SenderOptions options(const FakeDaemon& daemon) {
  SenderOptions made;
  made.endpoint = daemon.endpoint();
  made.source = "pbx1";
  made.software = "test 1";
  made.capabilities = {"calls"};
  made.heartbeat = milliseconds(20);
  made.answer_timeout = milliseconds(5000);
  return made;
}

TEST(Sender, SaysHelloSendsAndIsAcknowledged) {
  FakeDaemon daemon(ipc_endpoint("hello"));
  Sender sender(options(daemon), memory_spool(7));
  const v1::Hello hello = daemon.welcome(1);
  EXPECT_EQ(hello.source(), "pbx1");
  EXPECT_EQ(hello.epoch(), 7u);
  EXPECT_EQ(hello.next_sequence(), 1u);
  EXPECT_EQ(hello.capabilities(0), "calls");
  EXPECT_GT(hello.sent_ns(), 0u);
  sender.post(event(1));
  const v1::EventBatch batch = daemon.batch();
  EXPECT_EQ(batch.source(), "pbx1");
  EXPECT_EQ(batch.epoch(), 7u);
  EXPECT_EQ(batch.first_sequence(), 1u);
  ASSERT_EQ(batch.events_size(), 1);
  EXPECT_EQ(batch.events(0).contact(), "c1");
  EXPECT_FALSE(sender.drain(milliseconds(0))) << "sent is not yet acknowledged";
  daemon.ack(1);
  EXPECT_TRUE(sender.drain(milliseconds(5000)));
  EXPECT_EQ(sender.state().acknowledged, 1u);
  EXPECT_EQ(sender.state().pending, 0u);
  EXPECT_TRUE(sender.state().connected);
}

TEST(Sender, KeepsWhatIsPostedBeforeTheDaemonIsThere) {
  const std::string endpoint = ipc_endpoint("early");
  SenderOptions with;
  with.endpoint = endpoint;
  with.source = "pbx1";
  Sender sender(with, memory_spool(7));
  for (std::uint64_t n = 1; n <= 5; ++n) sender.post(event(n));
  FakeDaemon daemon(endpoint);
  daemon.welcome(1);
  const v1::EventBatch batch = daemon.batch();
  EXPECT_EQ(batch.events_size(), 5) << "what waits together travels together";
  daemon.ack(5);
  EXPECT_TRUE(sender.drain(milliseconds(5000)));
}

TEST(Sender, NeverExceedsCreditOrBatchLimit) {
  FakeDaemon daemon(ipc_endpoint("credit"));
  auto with = options(daemon);
  with.batch_limit = 3;
  Sender sender(with, memory_spool(7));
  for (std::uint64_t n = 1; n <= 20; ++n) sender.post(event(n));
  daemon.welcome(1, 5);
  EXPECT_EQ(daemon.batch().events_size(), 3);
  EXPECT_EQ(daemon.batch().events_size(), 2);
  const Heard quiet = daemon.any();  // nothing but heartbeats until there is credit again
  EXPECT_TRUE(quiet.message.has_heartbeat());
  daemon.ack(4, 5);
  const v1::EventBatch third = daemon.batch();
  EXPECT_EQ(third.first_sequence(), 6u);
  EXPECT_EQ(third.events_size(), 3);
  EXPECT_EQ(daemon.batch().events_size(), 1);
}

TEST(Sender, SplitsLargeEventsIntoFramesTheDaemonTakes) {
  FakeDaemon daemon(ipc_endpoint("large"));
  Sender sender(options(daemon), memory_spool(7));
  for (std::uint64_t n = 1; n <= 4; ++n) {
    v1::Event big = event(n);
    big.set_client(std::string(400 * 1024, 'x'));
    sender.post(big);
  }
  daemon.welcome(1);
  for (int i = 0; i < 2; ++i) {
    const v1::EventBatch batch = daemon.batch();
    EXPECT_EQ(batch.events_size(), 2);
    EXPECT_LT(batch.ByteSizeLong(), 1024u * 1024u);
  }
}

TEST(Sender, SendsAgainWhatWasNotAcknowledgedAfterACut) {
  FakeDaemon daemon(ipc_endpoint("cut"));
  Problems problems;
  Sender sender(options(daemon), memory_spool(7), problems.take());
  daemon.welcome(1);
  for (std::uint64_t n = 1; n <= 3; ++n) sender.post(event(n));
  std::uint64_t got = 0;
  while (got < 3) got += static_cast<std::uint64_t>(daemon.batch().events_size());
  daemon.ack(1);
  daemon.die();
  EXPECT_TRUE(problems.wait_for("was cut"));
  EXPECT_FALSE(sender.state().connected);
  daemon.start();
  const v1::Hello hello = daemon.welcome(2);
  EXPECT_LE(hello.next_sequence(), 2u);
  const v1::EventBatch again = daemon.batch();
  EXPECT_EQ(again.first_sequence(), 2u);
  EXPECT_EQ(again.events_size(), 2);
  daemon.ack(3);
  EXPECT_TRUE(sender.drain(milliseconds(5000)));
  EXPECT_TRUE(problems.wait_for("is back"));
}

TEST(Sender, TakesTheWelcomeAsAnAcknowledgement) {
  FakeDaemon daemon(ipc_endpoint("welcome"));
  Sender sender(options(daemon), memory_spool(7));
  for (std::uint64_t n = 1; n <= 3; ++n) sender.post(event(n));
  daemon.welcome(3);  // the acknowledgements of 1 and 2 were lost with an earlier connection
  EXPECT_EQ(daemon.batch().first_sequence(), 3u);
  EXPECT_EQ(sender.state().acknowledged, 2u);
}

TEST(Sender, IgnoresRepeatedAndForeignAcknowledgements) {
  FakeDaemon daemon(ipc_endpoint("acks"));
  Sender sender(options(daemon), memory_spool(7));
  daemon.welcome(1);
  sender.post(event(1));
  daemon.batch();
  daemon.ack(1);
  daemon.ack(1);
  daemon.ack(99);          // never sent
  daemon.ack(1, 1000, 8);  // another numbering
  ASSERT_TRUE(sender.drain(milliseconds(5000)));
  sender.post(event(2));
  EXPECT_EQ(daemon.batch().first_sequence(), 2u);
  EXPECT_FALSE(sender.drain(milliseconds(0)));
  daemon.ack(2);
  EXPECT_TRUE(sender.drain(milliseconds(5000)));
}

TEST(Sender, GoesBackToTheNumberExpectedAfterAGap) {
  FakeDaemon daemon(ipc_endpoint("gap"));
  Sender sender(options(daemon), memory_spool(7));
  for (std::uint64_t n = 1; n <= 4; ++n) sender.post(event(n));
  daemon.welcome(1);
  EXPECT_EQ(daemon.batch().events_size(), 4);
  daemon.reject(v1::REJECT_CODE_GAP, "events 2 to 4 are missing", 2);
  const v1::EventBatch again = daemon.batch();
  EXPECT_EQ(again.first_sequence(), 2u);
  EXPECT_EQ(again.events_size(), 3);
}

TEST(Sender, TriesAgainLaterWhenTheLogTakesNothing) {
  FakeDaemon daemon(ipc_endpoint("log"));
  Problems problems;
  Sender sender(options(daemon), memory_spool(7), problems.take());
  daemon.welcome(1);
  sender.post(event(1));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(daemon.batch().first_sequence(), 1u);
    daemon.reject(v1::REJECT_CODE_LOG_FAILED, "the disk is full: make room");
  }
  EXPECT_EQ(daemon.batch().first_sequence(), 1u);
  EXPECT_TRUE(problems.wait_for("the disk is full: make room"));
  EXPECT_EQ(problems.count(), 1u) << "the same sentence is said once";
  EXPECT_EQ(sender.state().pending, 1u);
}

TEST(Sender, IntroducesItselfAgainWhenItIsUnknown) {
  FakeDaemon daemon(ipc_endpoint("unknown"));
  Problems problems;
  Sender sender(options(daemon), memory_spool(7), problems.take());
  daemon.welcome(1);
  sender.post(event(1));
  daemon.batch();
  daemon.reject(v1::REJECT_CODE_UNKNOWN_SOURCE, "say Hello first");
  daemon.welcome(1);
  EXPECT_EQ(daemon.batch().first_sequence(), 1u);
  EXPECT_TRUE(problems.wait_for("say Hello first"));
}

TEST(Sender, ConnectsAnewWhenTheDaemonIsSilent) {
  FakeDaemon daemon(ipc_endpoint("silent"));
  auto with = options(daemon);
  with.answer_timeout = milliseconds(200);
  Problems problems;
  Sender sender(with, memory_spool(7), problems.take());
  const Heard first = daemon.next();
  ASSERT_TRUE(first.message.has_hello());  // and no answer
  const Heard second = daemon.next();
  ASSERT_TRUE(second.message.has_hello());
  EXPECT_NE(first.peer, second.peer) << "a fresh socket";
  EXPECT_TRUE(problems.wait_for("does not answer"));
}

TEST(Sender, TellsAtOnceWhenThePbxIsLost) {
  FakeDaemon daemon(ipc_endpoint("upstream"));
  Sender sender(options(daemon), memory_spool(7));
  daemon.welcome(1);
  EXPECT_TRUE(daemon.any().message.heartbeat().upstream_connected());
  sender.set_upstream_connected(false);
  Heard heard = daemon.any();
  while (heard.message.heartbeat().upstream_connected()) heard = daemon.any();
  EXPECT_FALSE(heard.message.heartbeat().upstream_connected());
}

TEST(Sender, TellsOfEventsThatDidNotFit) {
  FakeDaemon daemon(ipc_endpoint("overflow"));
  Sender sender(options(daemon), memory_spool(7, {.events = 2}));
  for (std::uint64_t n = 1; n <= 5; ++n) sender.post(event(n));
  EXPECT_EQ(sender.state().lost, 3u);
  daemon.welcome(1);
  EXPECT_EQ(daemon.batch().events_size(), 2);
  daemon.ack(2);
  const v1::EventBatch batch = daemon.batch();
  ASSERT_EQ(batch.events_size(), 1);
  ASSERT_TRUE(batch.events(0).has_events_lost());
  EXPECT_EQ(batch.first_sequence(), 3u) << "the numbering stays contiguous";
  EXPECT_EQ(batch.events(0).time_ns(), 1005u);
  EXPECT_EQ(batch.events(0).events_lost().from(), 3u);
  EXPECT_EQ(batch.events(0).events_lost().to(), 5u);
  EXPECT_EQ(batch.events(0).events_lost().count(), 3u);
  daemon.ack(3);
  EXPECT_TRUE(sender.drain(milliseconds(5000)));
}

TEST(Sender, RefusesABadSourceOrEndpoint) {
  SenderOptions with;
  with.source = "pbx 1";
  EXPECT_THROW(Sender(with, memory_spool(7)), std::invalid_argument);
  with.source = "pbx1";
  with.endpoint = "localhost:5570";
  EXPECT_THROW(Sender(with, memory_spool(7)), std::invalid_argument);
}

}  // namespace
}  // namespace reach::client
