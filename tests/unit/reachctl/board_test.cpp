#include "clients/reachctl/board.hpp"

#include <gtest/gtest.h>

namespace reach::ctl {
namespace {

constexpr Time eight = time_from_ns(1'795'420'800'000'000'000);
constexpr auto second = std::chrono::seconds(1);

std::uint64_t ns(Time t) {
  return static_cast<std::uint64_t>(ns_of(t));
}

v1::SegmentState sales(const std::string& status) {
  v1::SegmentState state;
  state.set_id("sales");
  state.set_pool("all");
  state.set_calendar("open");
  state.set_time_ns(ns(eight));
  state.mutable_figures()->set_waiting(2);
  state.set_longest_wait_since_ns(ns(eight - 10 * second));
  auto& objective = *state.add_objectives();
  objective.set_figure("service_level");
  objective.set_status(status);
  objective.set_value(0.75);
  objective.set_samples(4);
  objective.set_target(0.8);
  return state;
}

v1::Alert alert(const std::string& id, const std::string& state) {
  v1::Alert made;
  made.set_id(id);
  made.set_segment("sales");
  made.set_state(state);
  made.set_summary("service level 75 %");
  return made;
}

std::string text(const Board& board, Time now, std::size_t width = 200) {
  std::string all;
  for (const Line& line : board.lines(now, width)) {
    for (const Span& span : line) all += span.text;
    all += '\n';
  }
  return all;
}

/// The style in which `part` is shown; fails where it is not.
Style style_of(const Board& board, const std::string& part) {
  for (const Line& line : board.lines(eight, 200)) {
    for (const Span& span : line) {
      if (span.text.find(part) != std::string::npos) return span.style;
    }
  }
  ADD_FAILURE() << part << " is not on the board:\n" << text(board, eight);
  return Style::plain;
}

Board board_with(const v1::SegmentState& state) {
  Board board;
  v1::Snapshot snapshot;
  *snapshot.mutable_status()->add_segments() = state;
  board.take(snapshot, eight);
  board.set_connection(true, {});
  return board;
}

bool has(const std::string& all, const std::string& part) {
  return all.find(part) != std::string::npos;
}

TEST(Board, SaysTheStatusInAWordASymbolAndAColour) {
  EXPECT_EQ(style_of(board_with(sales("breached")), "✖ BREACHED"), Style::bad);
  EXPECT_EQ(style_of(board_with(sales("met")), "✔ met"), Style::good);
  EXPECT_EQ(style_of(board_with(sales("at_risk")), "▲ at risk"), Style::warning);
  EXPECT_EQ(style_of(board_with(sales("no_data")), "· no data"), Style::dim);
}

TEST(Board, IsGoodOnlyByTheFigureItShowsAndBadByAny) {
  const auto with_longest_wait = [](const std::string& shown, const std::string& wait) {
    v1::SegmentState state = sales(shown);
    state.add_objectives()->set_figure("longest_wait_s");
    state.mutable_objectives(1)->set_status(wait);
    return state;
  };
  EXPECT_EQ(style_of(board_with(with_longest_wait("no_data", "met")), "· no data"), Style::dim);
  const Board breached = board_with(with_longest_wait("met", "breached"));
  EXPECT_EQ(style_of(breached, "✖ BREACHED"), Style::bad);
  EXPECT_EQ(style_of(breached, "75 % (3 of 4)"), Style::good);  // the figure itself is well
}

TEST(Board, ShowsTheServiceLevelWithItsSampleSizeAndTarget) {
  const std::string all = text(board_with(sales("breached")), eight);
  EXPECT_TRUE(has(all, "75 % (3 of 4)")) << all;
  EXPECT_TRUE(has(all, "80 %")) << all;
}

TEST(Board, TicksTheLongestWaitBetweenTwoStates) {
  const Board board = board_with(sales("met"));
  EXPECT_TRUE(has(text(board, eight), "0:10"));
  EXPECT_TRUE(has(text(board, eight + 5 * second), "0:15"));
}

TEST(Board, TicksByTheDaemonsClockWhereOursIsWrong) {
  Board board;
  board.set_connection(true, {});
  board.take(sales("met"), eight - std::chrono::hours(1));  // ours is an hour slow
  EXPECT_TRUE(has(text(board, eight - std::chrono::hours(1) + 5 * second), "0:15"));
}

TEST(Board, IsNeverGreenWhenTheDaemonIsLost) {
  Board board = board_with(sales("met"));
  board.set_connection(false, "it was cut");
  const std::string all = text(board, eight + 60 * second);
  EXPECT_TRUE(has(all, "NOT CONNECTED: it was cut")) << all;
  EXPECT_TRUE(has(all, "? unknown")) << all;
  EXPECT_FALSE(has(all, "✔")) << all;
  EXPECT_TRUE(has(all, "0:10")) << "the last wait known stands still\n" << all;
  for (const Line& line : board.lines(eight, 200)) {
    for (const Span& span : line) EXPECT_NE(span.style, Style::good) << span.text;
  }
}

TEST(Board, MarksStaleSegmentsWithTheReason) {
  auto state = sales("met");
  state.set_stale(true);
  state.set_stale_reason("source pbx: stale");
  const std::string all = text(board_with(state), eight);
  EXPECT_TRUE(has(all, "? stale")) << all;
  EXPECT_TRUE(has(all, "sales: source pbx: stale")) << all;
  EXPECT_FALSE(has(all, "✔")) << all;
}

TEST(Board, ShowsPeopleNeededAgainstPeopleThere) {
  auto state = sales("met");
  state.mutable_agents()->set_known(true);
  state.mutable_agents()->set_available(1);
  state.mutable_agents()->set_logged_in(5);
  state.mutable_agents()->set_paused(1);
  Board board = board_with(state);
  v1::Staffing staffing;
  staffing.set_pool("all");
  auto& r = *staffing.add_recommendations();
  r.set_required(7);
  r.set_gap(3);
  board.take(staffing);
  const std::string all = text(board, eight);
  EXPECT_TRUE(has(all, "1 of 4")) << all;
  EXPECT_TRUE(has(all, "+3: 7 in pool")) << all;
}

TEST(Board, ForgetsAlertsThatResolve) {
  Board board = board_with(sales("breached"));
  board.take(alert("a1", "firing"));
  EXPECT_TRUE(has(text(board, eight), "service level 75 %"));
  board.take(alert("a1", "resolved"));
  EXPECT_TRUE(has(text(board, eight), "No open alerts."));
}

TEST(Board, ShowsAllAlertsOfTheLastListAndThoseSaidSince) {
  Board board = board_with(sales("breached"));
  const auto named = [](const std::string& name, const std::string& state) {
    v1::Alert made = alert(name, state);
    made.set_summary("the summary of " + name);
    return made;
  };
  v1::Alerts all;
  *all.add_alerts() = named("a1", "firing");
  *all.add_alerts() = named("a2", "resolved");
  board.take(all);
  board.take(named("a3", "pending"));
  board.take(v1::Snapshot(), eight);
  EXPECT_TRUE(has(text(board, eight), "summary of a1"));
  EXPECT_FALSE(has(text(board, eight), "summary of a2"));
  EXPECT_TRUE(has(text(board, eight), "summary of a3"));
  board.take(v1::Alerts());
  EXPECT_TRUE(has(text(board, eight), "No open alerts."));
}

TEST(Board, FitsTheScreen) {
  Board board = board_with(sales("breached"));
  board.take(alert("a1", "firing"));
  for (const Line& line : board.lines(eight, 40)) {
    std::size_t width = 0;
    for (const Span& span : line) {
      for (const char c : span.text) width += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }
    EXPECT_LE(width, 40u);
  }
}

}  // namespace
}  // namespace reach::ctl
