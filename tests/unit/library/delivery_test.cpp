#include "clients/library/delivery.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

namespace reach::client {
namespace {

using namespace std::chrono_literals;

/// The other side of Delivery, played by the test: what was said on the present connection, and a clock.
class DeliveryTest : public testing::Test, public DeliveryWorld {
 protected:
  bool send(const v1::ToDaemon& message) override {
    if (is_full) return false;
    (message.has_heartbeat() ? beats : said).push_back(message);
    return true;
  }
  void reconnect() override {
    ++connections;
    said.clear();
    beats.clear();
  }
  void problem(const std::string& sentence) override { problems.push_back(sentence); }

  void begin(std::unique_ptr<Spool> spool) {
    SenderOptions options;
    options.source = "pbx1";
    options.batch_limit = 2;
    delivery = std::make_unique<Delivery>(options, std::move(spool), *this);
    delivery->start(now());
    settle();
  }
  /// Does everything that is due at this moment.
  void settle() {
    for (int i = 0; i < 100 && delivery->next_deadline() <= now().steady; ++i) delivery->step(now());
    EXPECT_GT(delivery->next_deadline(), now().steady) << "never comes to rest";
  }
  void pass(std::chrono::milliseconds span) {
    for (const auto end = clock + span; clock < end && !HasFailure();) {
      clock =
          std::min(end, std::max<std::chrono::nanoseconds>(clock + 1ns, delivery->next_deadline().time_since_epoch()));
      settle();
    }
  }
  /// The daemon is heard, and says nothing.
  void pass_heard(std::chrono::milliseconds span) {
    for (std::chrono::milliseconds passed{}; passed < span; passed += 500ms) {
      pass(500ms);
      v1::ToAdapter beat;
      beat.mutable_heartbeat();
      hear(beat);
    }
  }
  void hear(const v1::ToAdapter& message) {
    delivery->take(message, now());
    settle();
  }
  void welcome(std::uint64_t epoch, std::uint64_t next) {
    v1::ToAdapter message;
    message.mutable_welcome()->set_epoch(epoch);
    message.mutable_welcome()->set_next_sequence(next);
    message.mutable_welcome()->set_credit(1000);
    hear(message);
  }
  void ack(std::uint64_t epoch, std::uint64_t sequence) {
    v1::ToAdapter message;
    message.mutable_ack()->set_epoch(epoch);
    message.mutable_ack()->set_sequence(sequence);
    message.mutable_ack()->set_credit(1000);
    hear(message);
  }
  void reject(v1::RejectCode code) {
    v1::ToAdapter message;
    message.mutable_reject()->set_code(code);
    message.mutable_reject()->set_reason("no");
    hear(message);
  }
  void post(std::uint64_t n) {
    v1::Event event;
    event.set_time_ns(n);
    delivery->post({&event, 1}, {});
    settle();
  }
  /// "hello 7/1" or "7/3+2" (epoch/first number + events), of everything said since the last question.
  std::string talk() {
    std::string text;
    for (const v1::ToDaemon& message : std::exchange(said, {})) {
      if (!text.empty()) text += ", ";
      if (message.has_hello()) {
        text +=
            "hello " + std::to_string(message.hello().epoch()) + '/' + std::to_string(message.hello().next_sequence());
      } else {
        text += std::to_string(message.batch().epoch()) + '/' + std::to_string(message.batch().first_sequence()) + '+' +
                std::to_string(message.batch().events_size());
      }
    }
    return text;
  }
  [[nodiscard]] Delivery::Now now() const { return {Delivery::Time(clock), 5}; }

  std::chrono::nanoseconds clock = 100s;
  bool is_full = false;
  int connections = 0;
  std::vector<v1::ToDaemon> said, beats;
  std::vector<std::string> problems;
  std::unique_ptr<Delivery> delivery;
};

TEST_F(DeliveryTest, SaysNothingButHelloBeforeTheWelcome) {
  begin(memory_spool(7));
  post(1);
  EXPECT_EQ(talk(), "hello 7/1");
  ack(7, 1);  // of an earlier connection
  EXPECT_EQ(delivery->state().pending, 1u);
  welcome(7, 1);
  EXPECT_EQ(talk(), "7/1+1");
}

TEST_F(DeliveryTest, IgnoresAnswersNobodyWaitsFor) {
  begin(memory_spool(7));
  for (std::uint64_t n = 1; n <= 4; ++n) post(n);
  welcome(6, 9);  // to a Hello of an earlier life
  EXPECT_EQ(talk(), "hello 7/1");
  welcome(7, 1);
  EXPECT_EQ(talk(), "7/1+2, 7/3+2");
  ack(7, 2);
  welcome(7, 1);  // repeated
  ack(6, 4);
  ack(7, 1);
  EXPECT_EQ(talk(), "");
  EXPECT_EQ(delivery->state().pending, 2u);
}

TEST_F(DeliveryTest, ConnectsAnewWhenOnlyTheWelcomeWasLost) {
  begin(memory_spool(7));
  pass_heard(4s);
  EXPECT_EQ(connections, 2);
  welcome(7, 1);
  EXPECT_TRUE(delivery->state().connected);
}

TEST_F(DeliveryTest, AsksWhatBecameOfTheLastBatchWhenNobodySays) {
  begin(memory_spool(7));
  welcome(7, 1);
  for (std::uint64_t n = 1; n <= 5; ++n) post(n);
  (void)talk();
  pass_heard(4s);
  EXPECT_EQ(talk(), "7/4+2") << "the last batch alone: it has an answer whatever was lost";
  EXPECT_EQ(connections, 1);
  ack(7, 5);
  EXPECT_TRUE(delivery->drained());
}

TEST_F(DeliveryTest, TriesAgainWhenTheQueueWasFull) {
  begin(memory_spool(7));
  welcome(7, 1);
  (void)talk();
  is_full = true;
  post(1);
  EXPECT_EQ(talk(), "");
  is_full = false;
  pass(20ms);
  EXPECT_EQ(talk(), "7/1+1");
}

TEST_F(DeliveryTest, SaysOnlyOfALastingSecondThatTheNameIsInUse) {
  begin(memory_spool(7));
  reject(v1::REJECT_CODE_SOURCE_IN_USE);
  EXPECT_TRUE(problems.empty()) << "it can be the own connection of before";
  pass(100ms);
  reject(v1::REJECT_CODE_SOURCE_IN_USE);
  EXPECT_EQ(problems.size(), 1u);
}

TEST_F(DeliveryTest, TellsWhatWaitsAndWhenNothingDoes) {
  begin(memory_spool(7));
  for (std::uint64_t n = 1; n <= 3; ++n) post(n);
  welcome(7, 1);
  ASSERT_FALSE(beats.empty());
  EXPECT_EQ(beats.back().heartbeat().next_sequence(), 4u);
  beats.clear();
  delivery->leave(now());
  EXPECT_TRUE(beats.empty()) << "what is not acknowledged waits";
  ack(7, 3);
  delivery->leave(now());
  ASSERT_FALSE(beats.empty());
  EXPECT_TRUE(beats.back().heartbeat().leaving());
}

TEST_F(DeliveryTest, FinishesAnEarlierEpochOnAConnectionOfItsOwn) {
  const std::string directory = "/tmp/reach-delivery-" + std::to_string(getpid());
  std::filesystem::remove_all(directory);
  v1::Event event;
  event.set_time_ns(1);
  std::uint64_t before = 0;
  {
    const auto spool = file_spool(directory);
    before = spool->stretch().epoch;
    for (int i = 0; i < 3; ++i) spool->append({&event, 1}, {});
  }
  const std::string old = std::to_string(before);
  begin(file_spool(directory));
  post(4);
  EXPECT_EQ(talk(), "hello " + old + "/1");
  welcome(before, 2);
  EXPECT_EQ(talk(), old + "/2+2");
  ack(before, 9);  // more than is left here: the end of the spool was lost, and the daemon has it
  EXPECT_EQ(connections, 2);
  const std::uint64_t fresh = delivery->spool().stretch().epoch;
  EXPECT_EQ(talk(), "hello " + std::to_string(fresh) + "/1");
  ack(before, 3);
  welcome(before, 4);
  EXPECT_EQ(delivery->state().pending, 1u);
  welcome(fresh, 1);
  EXPECT_EQ(talk(), std::to_string(fresh) + "/1+1");
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace reach::client
