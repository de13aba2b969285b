#include "clients/reachctl/patience.hpp"

#include <gtest/gtest.h>

namespace reach::ctl {
namespace {

using std::chrono::seconds;

TEST(Patience, EndsWhenThereWasNoConnectionForSoLong) {
  const Patience::TimePoint start(seconds(100));
  Patience patience(seconds(30), start);
  EXPECT_FALSE(patience.ended(false, start + seconds(29)));
  EXPECT_TRUE(patience.ended(false, start + seconds(30)));
}

TEST(Patience, BeginsAnewWithEachConnection) {
  const Patience::TimePoint start(seconds(100));
  Patience patience(seconds(30), start);
  EXPECT_FALSE(patience.ended(true, start + seconds(60))) << "whoever is there may be slow";
  EXPECT_FALSE(patience.ended(false, start + seconds(89)));
  EXPECT_TRUE(patience.ended(false, start + seconds(90)));
}

}  // namespace
}  // namespace reach::ctl
