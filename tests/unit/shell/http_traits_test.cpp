#include "daemon/program/http_traits.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace reach::program {
namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // RESTinio's interface has none; nobody destroys it by that
/// RESTinio's part: which accepts were begun, at once or in the loop's next round.
struct Accepts final : HttpConnections::Acceptor {
  void call_accept_now(std::size_t index) noexcept override { begun.push_back(index); }
  void schedule_next_accept_attempt(std::size_t index) noexcept override { scheduled.push_back(index); }
  std::vector<std::size_t> begun, scheduled;
};
#pragma GCC diagnostic pop

class HttpConnectionsTest : public testing::Test {
 protected:
  Accepts accepts;
  HttpConnections connections{&accepts, restinio::connection_count_limits::max_parallel_connections_t{2},
                              restinio::connection_count_limits::max_active_accepts_t{2}};
};

TEST_F(HttpConnectionsTest, AcceptsOfWhichNothingComesTakeNoPlace) {
  for (int i = 0; i < 1000; ++i) connections.accept_next(0);  // each was reset before it was looked at
  EXPECT_EQ(accepts.begun.size(), 1000U);
}

TEST_F(HttpConnectionsTest, AtTheBoundTheNextWaitsUntilOneHasEnded) {
  for (int i = 0; i < 2; ++i) {
    connections.accept_next(0);
    connections.increment_parallel_connections();
  }
  connections.accept_next(0);
  EXPECT_EQ(accepts.begun.size(), 2U) << "there is no place for a third";
  EXPECT_TRUE(accepts.scheduled.empty());
  connections.decrement_parallel_connections();
  ASSERT_EQ(accepts.scheduled, std::vector<std::size_t>{0});
  connections.accept_next(0);
  EXPECT_EQ(accepts.begun.size(), 3U);
  connections.decrement_parallel_connections();
  EXPECT_EQ(accepts.scheduled.size(), 1U) << "nobody waits";
}

TEST_F(HttpConnectionsTest, AcceptsThatWereUnderWayMayComeOnTop) {
  connections.accept_next(0);
  connections.accept_next(1);
  connections.increment_parallel_connections();
  connections.accept_next(0);
  connections.increment_parallel_connections();
  connections.increment_parallel_connections();
  connections.accept_next(0);
  connections.accept_next(1);
  EXPECT_EQ(accepts.begun.size(), 3U);
  connections.decrement_parallel_connections();
  EXPECT_TRUE(accepts.scheduled.empty()) << "still at the bound";
  connections.decrement_parallel_connections();
  EXPECT_EQ(accepts.scheduled.size(), 1U);
}

}  // namespace
}  // namespace reach::program
