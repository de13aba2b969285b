#include "clients/reachctl/board.hpp"

#include <algorithm>

#include "clients/reachctl/text.hpp"
#include "daemon/base/printable.hpp"

namespace reach::ctl {
namespace {

constexpr std::size_t segment_width = 18, status_width = 11, level_width = 20, target_width = 7, number_width = 8,
                      agents_width = 9, needed_width = 14;

struct Verdict {
  const char* text;
  Style style;
  int rank;  // the worst objective speaks for the segment
};

Verdict verdict_of(const std::string& status) {
  if (status == "stale") return {"? stale", Style::stale, 6};
  if (status == "breached") return {"✖ BREACHED", Style::bad, 5};
  if (status == "at_risk") return {"▲ at risk", Style::warning, 4};
  if (status == "met") return {"✔ met", Style::good, 3};
  if (status == "closing") return {"◐ closing", Style::plain, 2};
  if (status == "no_data") return {"· no data", Style::dim, 1};
  return {"○ closed", Style::dim, 0};
}

/// The objective on the service level, or else on the reachability: what the segment is measured by.
const v1::ObjectiveState* level_objective(const v1::SegmentState& state) {
  for (const char* figure : {"service_level", "reachability", "on_time_rate"}) {
    for (const auto& objective : state.objectives()) {
      if (objective.figure() == figure) return &objective;
    }
  }
  return nullptr;
}

/// Any promise can make a row urgent; but only the one whose figure it shows can make it good: that nobody waits now
/// is no proof that the service level holds.
Verdict verdict_of(const v1::SegmentState& state, bool connected) {
  if (!connected) return {"? unknown", Style::stale, 7};
  if (state.stale()) return verdict_of("stale");
  const Verdict met = verdict_of("met");
  Verdict worst = verdict_of(state.calendar() == "open" ? "no_data" : state.calendar());
  for (const auto& objective : state.objectives()) {
    const Verdict verdict = verdict_of(objective.status());
    if (verdict.rank > worst.rank) worst = verdict;
  }
  const auto* shown = level_objective(state);
  return shown != nullptr && worst.rank == met.rank ? verdict_of(shown->status()) : worst;
}

bool has_items(const v1::Figures& f) {
  return f.backlog() > 0 || f.items_received() > 0 || f.overdue() > 0;
}

/// The recommendation for the segment itself, or for its pool: the interval that runs now comes first.
const v1::Recommendation* recommendation(const std::map<std::string, v1::Staffing>& staffing,
                                         const v1::SegmentState& state) {
  const auto pool = staffing.find(state.pool());
  if (pool == staffing.end()) return nullptr;
  const v1::Recommendation* of_pool = nullptr;
  for (const auto& r : pool->second.recommendations()) {
    if (r.segment() == state.id()) return &r;
    if (of_pool == nullptr && r.segment().empty()) of_pool = &r;
  }
  return of_pool;
}

Span cell(const std::string& text, std::size_t width, bool right = false, Style style = Style::plain) {
  return {fit(text, width, right) + "  ", style};
}

Time time_of(std::uint64_t ns) {
  return time_from_ns(static_cast<std::int64_t>(ns));
}

/// What may be shown of a line: none is wider than the screen.
Line cut(Line line, std::size_t width) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    line[i].text = printable(line[i].text);
    const std::size_t wide = width_of(line[i].text);
    if (used + wide > width) {
      line[i].text = fit(line[i].text, width - used);
      line.resize(i + 1);
      break;
    }
    used += wide;
  }
  return line;
}

}  // namespace

void Board::take(const v1::Snapshot& snapshot, Time heard) {
  segments_.clear();
  staffing_.clear();
  sources_.clear();
  for (const auto& segment : snapshot.status().segments()) take(segment, heard);
  for (const auto& source : snapshot.status().sources()) take(source);
  for (const auto& staffing : snapshot.staffing()) take(staffing);
}

void Board::take(const v1::Alerts& alerts) {
  alerts_.clear();
  for (const auto& alert : alerts.alerts()) take(alert);
}

void Board::take(const v1::SegmentState& segment, Time heard) {
  heard_ = heard;
  segments_[segment.id()] = {segment, time_of(segment.time_ns()) - heard};
}

void Board::take(const v1::Alert& alert) {
  if (alert.state() == "resolved" || alert.state() == "inactive") {
    alerts_.erase(alert.id());
  } else {
    alerts_[alert.id()] = alert;
  }
}

void Board::take(const v1::Staffing& staffing) {
  staffing_[staffing.pool()] = staffing;
}
void Board::take(const v1::SourceState& source) {
  sources_[source.id()] = source;
}

void Board::set_connection(bool connected, const std::string& why) {
  connected_ = connected;
  why_ = why;
}

Line Board::segment_line(const Seen& seen, Time now, bool items) const {
  const v1::SegmentState& s = seen.state;
  const v1::Figures& f = s.figures();
  const Verdict verdict = verdict_of(s, connected_);
  const bool sound = connected_ && !s.stale();
  Line line;
  line.push_back(cell(s.id(), segment_width, false, Style::heading));
  line.push_back(cell(verdict.text, status_width, false, verdict.style));

  std::string level = percent_of(f.met(), f.met() + f.missed()), target = dash;
  Style level_style = verdict.style;
  if (const auto* objective = level_objective(s)) {
    level_style = verdict_of(objective->status()).style;
    level = objective->has_value() ? percent_of(std::optional(objective->value()), objective->samples()) : dash;
    target = percent(objective->target());
  }
  line.push_back(cell(level, level_width, false, sound ? level_style : Style::stale));
  line.push_back(cell(target, target_width, true));
  line.push_back(cell(std::to_string(f.waiting()), number_width, true, f.waiting() > 0 ? Style::heading : Style::dim));

  std::optional<double> longest;
  if (s.longest_wait_since_ns() != 0) {
    // Of stale data the wait stands still: nobody knows whether the caller is still there.
    const Time at = sound ? now + seen.ahead : time_of(s.time_ns());
    longest = seconds_of(at - time_of(s.longest_wait_since_ns()));
  }
  line.push_back(cell(clock_text(longest), number_width, true));
  line.push_back(cell(s.agents().known() ? std::to_string(s.agents().available()) + " of " +
                                               std::to_string(s.agents().logged_in() - s.agents().paused())
                                         : dash,
                      agents_width, true));

  std::string needed = dash;
  Style needed_style = Style::plain;
  if (const auto* r = recommendation(staffing_, s); r != nullptr && r->has_required()) {
    needed = std::to_string(r->required());
    if (r->segment().empty()) needed += " in pool";
    if (r->has_gap() && r->gap() > 0) {
      needed = "+" + std::to_string(r->gap()) + ": " + needed;
      needed_style = Style::warning;
    }
  }
  line.push_back(cell(needed, needed_width, true, needed_style));
  if (items) {
    line.push_back(cell(std::to_string(f.backlog()), number_width, true));
    line.push_back(cell(std::to_string(f.overdue()), number_width, true, f.overdue() > 0 ? Style::bad : Style::plain));
  }
  const auto open = std::count_if(alerts_.begin(), alerts_.end(),
                                  [&](const auto& alert) { return alert.second.segment() == s.id(); });
  line.push_back(cell(open == 0 ? dash : std::to_string(open), 6, true, open == 0 ? Style::dim : Style::bad));
  return line;
}

std::vector<Line> Board::lines(Time now, std::size_t width) const {
  std::vector<Line> out;
  const auto unheard = std::count_if(sources_.begin(), sources_.end(),
                                     [](const auto& source) { return source.second.state() != "connected"; });
  Line title = {{"reachd  ", Style::heading}, {local_time(now) + "  ", Style::plain}};
  if (connected_) {
    title.push_back({std::to_string(sources_.size()) + (sources_.size() == 1 ? " source" : " sources"), Style::plain});
    if (unheard > 0) title.push_back({", " + std::to_string(unheard) + " not heard", Style::stale});
  } else {
    title.push_back({"NOT CONNECTED: " + why_, Style::stale});
    if (heard_ != Time{}) title.push_back({", last heard " + local_time(heard_, false), Style::stale});
  }
  out.push_back(title);
  out.push_back({});

  const bool items = std::any_of(segments_.begin(), segments_.end(),
                                 [](const auto& segment) { return has_items(segment.second.state.figures()); });
  Line heading = {cell("SEGMENT", segment_width),      cell("STATUS", status_width),
                  cell("SERVICE LEVEL", level_width),  cell("TARGET", target_width, true),
                  cell("WAITING", number_width, true), cell("LONGEST", number_width, true),
                  cell("AGENTS", agents_width, true),  cell("NEEDED", needed_width, true)};
  if (items) {
    heading.push_back(cell("BACKLOG", number_width, true));
    heading.push_back(cell("OVERDUE", number_width, true));
  }
  heading.push_back(cell("ALERTS", 6, true));
  for (Span& span : heading) span.style = Style::dim;
  out.push_back(heading);
  for (const auto& [id, seen] : segments_) out.push_back(segment_line(seen, now, items));
  for (const auto& [id, seen] : segments_) {
    if (seen.state.stale()) out.push_back({{"? " + id + ": " + seen.state.stale_reason(), Style::stale}});
  }

  out.push_back({});
  if (alerts_.empty()) {
    out.push_back({{connected_ ? "No open alerts." : "", Style::dim}});
  } else {
    out.push_back({{"ALERTS", Style::dim}});
  }
  std::vector<const v1::Alert*> sorted;
  for (const auto& [id, alert] : alerts_) sorted.push_back(&alert);
  std::stable_sort(sorted.begin(), sorted.end(), [](const v1::Alert* a, const v1::Alert* b) {
    const auto key = [](const v1::Alert* x) { return std::pair(x->state() != "firing", x->pending_since_ns()); };
    return key(a) < key(b);
  });
  for (const v1::Alert* alert : sorted) {
    const bool firing = alert->state() == "firing";
    const Style style = alert->stale() || !connected_ ? Style::stale
                        : !firing                     ? Style::plain
                        : alert->has_acknowledged()   ? Style::warning
                                                      : Style::bad;
    Line line = {{firing ? "✖ " : "… ", style},
                 {local_time_ns(alert->pending_since_ns(), false) + "  ", Style::plain},
                 {(alert->segment().empty() ? alert->subject() : alert->segment()) + "  ", Style::heading},
                 {alert->summary(), style}};
    if (alert->stale()) line.push_back({" (stale)", Style::stale});
    if (alert->has_acknowledged()) line.push_back({"  taken by " + alert->acknowledged().by(), Style::good});
    if (!alert->help().empty()) line.push_back({"  " + alert->help(), Style::plain});
    out.push_back(line);
  }
  for (Line& line : out) line = cut(std::move(line), width);
  return out;
}

}  // namespace reach::ctl
