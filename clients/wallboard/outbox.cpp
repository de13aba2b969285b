#include "clients/wallboard/outbox.hpp"

#include <utility>

namespace reach::wallboard {

std::string event_text(std::string_view name, std::string_view json) {
  std::string text;
  text.reserve(name.size() + json.size() + 16);
  return text.append("event: ").append(name).append("\ndata: ").append(json).append("\n\n");
}

void Outbox::put_board(const Board& board) {
  if (finished_) return;
  board_ = board.state(true);
  segments_.clear();
  sources_.clear();
  staffing_ = board.pools();
}

void Outbox::put_segment(const std::string& id, Json segment) {
  if (!finished_) segments_[id] = std::move(segment);
}

void Outbox::put_source(const std::string& id, Json source) {
  if (!finished_) sources_[id] = std::move(source);
}

void Outbox::put_staffing(const std::string& pool, Json staffing) {
  if (!finished_) staffing_[pool] = std::move(staffing);
}

void Outbox::put_alert(Json alert) {
  if (finished_) return;
  alert_bytes_ += alert->size();
  alerts_.push_back(std::move(alert));
  if (alert_bytes_ <= alert_bytes_max) return;
  *this = Outbox();
  finished_ = true;
}

void Outbox::put_alerts(std::string all) {
  if (finished_) return;
  all_alerts_ = std::move(all);
  alerts_.clear();
  alert_bytes_ = 0;
}

void Outbox::put_connection(std::string connection) {
  if (!finished_) connection_ = std::move(connection);
}

bool Outbox::empty() const {
  return !finished_ && connection_.empty() && board_.empty() && all_alerts_.empty() && segments_.empty() &&
         sources_.empty() && staffing_.empty() && alerts_.empty();
}

std::string Outbox::take() {
  if (finished_) return event_text("resync", R"({"why":"too many alerts waited for this connection; it begins anew"})");
  std::string text;
  if (!connection_.empty()) text += event_text("connection", connection_);
  if (!board_.empty()) text += event_text("state", board_);
  if (!segments_.empty() || !sources_.empty()) text += event_text("state", changes_json(segments_, sources_));
  if (!all_alerts_.empty()) text += event_text("alerts", all_alerts_);
  for (const Json& alert : alerts_) text += event_text("alert", *alert);
  for (const auto& [pool, staffing] : staffing_) text += event_text("staffing", *staffing);
  *this = Outbox();
  return text;
}

}  // namespace reach::wallboard
