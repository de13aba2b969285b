#include "clients/wallboard/gateway.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/unit/library/fake_daemon.hpp"

namespace reach::wallboard {
namespace {

using nlohmann::json;

v1::Snapshot snapshot(int outside_catalogue) {
  v1::Snapshot made;
  made.mutable_status()->add_segments()->set_id("sales");
  made.mutable_status()->set_outside_catalogue(outside_catalogue);
  made.add_topics()->set_topic("state/sales");
  made.mutable_topics(0)->set_sequence(1);
  return made;
}

v1::SegmentState sales(std::uint64_t time_ns) {
  v1::SegmentState made;
  made.set_id("sales");
  made.set_time_ns(time_ns);
  return made;
}

class GatewayTest : public testing::Test {
 protected:
  client::FakeDaemon daemon{"gateway"};
  Gateway gateway{daemon.publish_endpoint(), daemon.query_endpoint(), {}, [] {}};

  /// Waits until it is so, five seconds at most.
  template <typename Condition>
  [[nodiscard]] static bool becomes(const Condition& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return condition();
  }
  void connect(const std::vector<v1::Alert>& alerts = {}) {
    daemon.wait_for_subscriptions();
    daemon.publish("state/sales", 1, sales(1'000'000'000));
    daemon.answer(snapshot(0), alerts);
    ASSERT_TRUE(becomes([this] { return gateway.connected(); }));
  }
  json state(const char* member) const { return json::parse(gateway.state().json).at(member); }
};

TEST_F(GatewayTest, HasAllAlertsAsSoonAsItIsConnected) {
  EXPECT_EQ(gateway.alerts().status, 503);
  v1::Alert alert;
  alert.set_id("a1");
  connect({alert});
  const Answer answer = gateway.alerts();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.json).at("alerts").at(0).at("id"), "a1");
}

TEST_F(GatewayTest, AsksNowAndThenForWhatIsNotPublishedOneQuestionAtATime) {
  connect();
  daemon.publish("state/sales", 2, sales(2'000'000'000));
  ASSERT_TRUE(becomes([this] { return state("time") == "1970-01-01T00:00:02Z"; }));
  for (int round = 1; round <= 2; ++round) {
    for (int i = 0; i < 2 * Gateway::beats_per_rest; ++i) gateway.beat();
    const v1::Request request = daemon.request();
    ASSERT_TRUE(request.has_snapshot());
    EXPECT_EQ(request.snapshot().segment(), "sales") << "one is enough";
    v1::Reply reply;
    reply.set_id(request.id());
    *reply.mutable_snapshot() = snapshot(round);
    daemon.reply(reply);
    EXPECT_TRUE(becomes([&] { return state("outside_catalogue") == round; })) << "round " << round;
  }
}

}  // namespace
}  // namespace reach::wallboard
