#include "clients/reachctl/text.hpp"

#include <gtest/gtest.h>

#include "daemon/base/printable.hpp"

namespace reach::ctl {
namespace {

TEST(Percent, NeverRoundsToAllOrNothing) {
  EXPECT_EQ(percent(0.754), "75 %");
  EXPECT_EQ(percent(1), "100 %");
  EXPECT_EQ(percent(0), "0 %");
  EXPECT_EQ(percent(0.9999), "> 99 %");
  EXPECT_EQ(percent(0.0001), "< 1 %");
}

TEST(Percent, CarriesItsSampleSize) {
  EXPECT_EQ(percent_of(3, 4), "75 % (3 of 4)");
  EXPECT_EQ(percent_of(0, 0), "–");
  EXPECT_EQ(percent_of(std::optional(2.0 / 3), 3), "67 % (2 of 3)");
  EXPECT_EQ(percent_of(std::optional<double>(), 3), "–");
}

TEST(ClockText, ReadsLikeAClock) {
  EXPECT_EQ(clock_text(7.9), "0:07");
  EXPECT_EQ(clock_text(725), "12:05");
  EXPECT_EQ(clock_text(3725), "1:02:05");
  EXPECT_EQ(clock_text({}), "–");
}

TEST(Number, HasNoIdleZeros) {
  EXPECT_EQ(number(2.50, 2), "2.5");
  EXPECT_EQ(number(20, 1), "20");
  EXPECT_EQ(number(100, 0), "100");
}

TEST(Fit, CountsCharactersNotBytes) {
  EXPECT_EQ(width_of("Müller –"), 8u);
  EXPECT_EQ(fit("–", 3, true), "  –");
  EXPECT_EQ(fit("Müller", 4), "Mül…");
  EXPECT_EQ(fit("abc", 3), "abc");
  EXPECT_EQ(fit("abc", 0), "");
}

TEST(Printable, ShowsNothingThatATerminalObeys) {
  EXPECT_EQ(printable("Müller – 東京 😀"), "Müller – 東京 😀");
  EXPECT_EQ(printable("a\x1b]0;owned\x07\nsource pbx9 connected\x7f"), "a ]0;owned  source pbx9 connected ");
  EXPECT_EQ(printable("\xc2\x9b[2J \xc2\xa0"), " [2J \xc2\xa0") << "C1, too, and not what comes after";
  EXPECT_EQ(printable("\x9b[2J \xe6\x9d \xff\xc0\x80"), "?[2J ?? ???") << "what is no UTF-8";
  EXPECT_EQ(printable("M\xc3"), "M?");
  EXPECT_EQ(fit("a\nb", 4), "a b ");
  Table table({"NAME"});
  table.add({"a\x1b[2J"});
  EXPECT_EQ(table.text(), "NAME\na [2J\n");
}

TEST(Table, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
  Table table({"NAME", ">COUNT", "NOTE"});
  table.add({"a", "7", ""});
  table.add({"größer", "1234", "x"});
  EXPECT_EQ(table.text(1), " NAME    COUNT  NOTE\n a           7\n größer   1234  x\n");
}

}  // namespace
}  // namespace reach::ctl
