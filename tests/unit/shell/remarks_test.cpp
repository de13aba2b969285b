#include "daemon/shell/remarks.hpp"

#include <gtest/gtest.h>

namespace reach::shell {
namespace {

using std::chrono::seconds;
const Time start{seconds(1'000'000)};

TEST(Remarks, WritesOneOfAKindEveryTenSecondsAndSaysHowManyItKeptBack) {
  Remarks remarks;
  EXPECT_EQ(remarks.next("rate", start), 0);
  EXPECT_EQ(remarks.next("rate", start), std::nullopt);
  EXPECT_EQ(remarks.next("handshake", start), 0) << "other kinds are not kept back with it";
  EXPECT_EQ(remarks.next("rate", start + seconds(9)), std::nullopt);
  EXPECT_EQ(remarks.next("rate", start + seconds(10)), 2);
  EXPECT_EQ(remarks.next("rate", start + seconds(19)), std::nullopt);
  EXPECT_EQ(remarks.next("rate", start + seconds(60)), 1);
}

TEST(Remarks, KnowsAHundredKindsUntilTheyHaveBeenQuiet) {
  Remarks remarks;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(remarks.next("kind " + std::to_string(i), start + seconds(i / 10)), 0);
  EXPECT_EQ(remarks.next("one more", start + seconds(9)), std::nullopt);
  EXPECT_EQ(remarks.next("one more", start + seconds(10)), 0) << "the first ten have been quiet";
  for (int i = 0; i < 9; ++i) EXPECT_EQ(remarks.next("further " + std::to_string(i), start + seconds(10)), 0);
  EXPECT_EQ(remarks.next("too many", start + seconds(10)), std::nullopt);
  EXPECT_EQ(remarks.next("kind 50", start + seconds(10)), std::nullopt) << "known, written five seconds ago";
  EXPECT_EQ(remarks.next("kind 50", start + seconds(15)), 1);
}

}  // namespace
}  // namespace reach::shell
