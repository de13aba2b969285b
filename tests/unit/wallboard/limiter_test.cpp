#include "clients/wallboard/limiter.hpp"

#include <gtest/gtest.h>

namespace reach::wallboard {
namespace {

using namespace std::chrono_literals;
constexpr Limiter::Time start{1000h};
constexpr auto none = Limiter::Duration::zero();

TEST(Limiter, TakesABurstThenOneEveryRefill) {
  Limiter limiter(3, 10s, 100);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take("a", start), none);
  EXPECT_EQ(limiter.take("a", start), 10s);
  EXPECT_EQ(limiter.take("a", start + 4s), 6s) << "a refused try costs nothing";
  EXPECT_EQ(limiter.take("a", start + 10s), none);
  EXPECT_EQ(limiter.take("a", start + 10s), 10s);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take("a", start + 1h), none) << "no more than a burst is saved up";
  EXPECT_GT(limiter.take("a", start + 1h), none);
}

TEST(Limiter, CountsEachKeyAlone) {
  Limiter limiter(1, 10s, 100);
  EXPECT_EQ(limiter.take("a", start), none);
  EXPECT_EQ(limiter.take("b", start), none);
  EXPECT_GT(limiter.take("a", start), none);
}

TEST(Limiter, TakesBackATryThatDoesNotCount) {
  Limiter limiter(1, 10s, 100);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(limiter.take("a", start), none);
    limiter.give_back("a");
  }
}

TEST(Limiter, ForgetsTheKeyThatIsNearestToFullWhenThereAreTooMany) {
  Limiter limiter(2, 10s, 2);
  EXPECT_EQ(limiter.take("busy", start), none);
  EXPECT_EQ(limiter.take("busy", start), none);
  EXPECT_EQ(limiter.take("idle", start), none);
  EXPECT_EQ(limiter.take("third", start), none) << "idle is forgotten";
  EXPECT_GT(limiter.take("busy", start), none) << "busy is not";
}

}  // namespace
}  // namespace reach::wallboard
