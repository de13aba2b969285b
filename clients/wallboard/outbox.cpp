#include "clients/wallboard/outbox.hpp"

#include <utility>

namespace reach::wallboard {

void Outbox::put_board(const Board& board) {
  if (finished_) return;
  board_ = board.state_event();
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

void Outbox::put_alerts(Json event) {
  if (finished_) return;
  all_alerts_ = std::move(event);
  alerts_.clear();
  alert_bytes_ = 0;
}

void Outbox::put_connection(std::string connection) {
  if (!finished_) connection_ = std::move(connection);
}

bool Outbox::empty() const {
  return !finished_ && connection_.empty() && !board_ && !all_alerts_ && segments_.empty() && sources_.empty() &&
         staffing_.empty() && alerts_.empty();
}

std::vector<Json> Outbox::take() {
  std::vector<Json> pieces;
  const auto own = [&pieces](std::string text) {
    if (!text.empty()) pieces.push_back(std::make_shared<const std::string>(std::move(text)));
  };
  if (finished_) {
    own(event_text("resync", R"({"why":"too many alerts waited for this connection; it begins anew"})"));
    return pieces;
  }
  if (!connection_.empty()) own(event_text("connection", connection_));
  if (board_) pieces.push_back(std::move(board_));
  if (!segments_.empty() || !sources_.empty()) own(event_text("state", changes_json(segments_, sources_)));
  if (all_alerts_) pieces.push_back(std::move(all_alerts_));
  std::string rest;
  for (const Json& alert : alerts_) rest += event_text("alert", *alert);
  for (const auto& [pool, staffing] : staffing_) rest += event_text("staffing", *staffing);
  own(std::move(rest));
  *this = Outbox();
  return pieces;
}

}  // namespace reach::wallboard
