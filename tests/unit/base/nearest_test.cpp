#include "daemon/base/nearest.hpp"

#include <gtest/gtest.h>

#include <random>

namespace reach {
namespace {

TEST(EditDistance, CountsWhatWasMistyped) {
  EXPECT_EQ(edit_distance("offered", "offered"), 0);
  EXPECT_EQ(edit_distance("Offered", "offerED"), 0);
  EXPECT_EQ(edit_distance("ofered", "offered"), 1);
  EXPECT_EQ(edit_distance("asnwered", "answered"), 1);  // neighbours swapped
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("abcd", "efgh"), 4);
}

TEST(EditDistance, IsExactBelowWhatIsEnough) {
  std::mt19937 random(7);
  const auto word = [&random] {
    std::string text(random() % 9, ' ');
    for (char& c : text) c = "abAcz_9"[random() % 7];
    return text;
  };
  for (int i = 0; i < 5'000; ++i) {
    const std::string a = word(), b = word();
    const int distance = edit_distance(a, b);
    for (int enough = 1; enough < 10; ++enough) {
      const int found = edit_distance(a, b, enough);
      if (distance < enough) {
        EXPECT_EQ(found, distance) << a << " and " << b << ", enough " << enough;
      } else {
        EXPECT_GE(found, enough) << a << " and " << b;
      }
    }
  }
}

TEST(Nearest, FindsTheLikelyWordAndNoOther) {
  EXPECT_EQ(nearest("anserwed", {"answered", "abandoned"}), "answered");
  EXPECT_EQ(nearest("Offered", {"offered"}), "offered");
  EXPECT_EQ(nearest("que", {"time", "queue"}), "queue");
  EXPECT_EQ(nearest("agent", {"agents_busy", "agents"}), "agents");
  EXPECT_EQ(nearest("xyz", {"answered", "abandoned"}), "");
  EXPECT_EQ(nearest("a", {"ab", "b"}), "");
}

}  // namespace
}  // namespace reach
