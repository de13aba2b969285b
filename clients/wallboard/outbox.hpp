// What one browser has still to be told. A slow one gets the last value of each segment, not every one.
#pragma once
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "clients/wallboard/board.hpp"

namespace reach::wallboard {

/// Holds at most one value per segment, source and pool, shared with every other outbox, and alerts up to
/// `alert_bytes_max`. Alerts are neither merged nor dropped in silence: beyond the limit the outbox empties itself,
/// says `resync` and is `finished`; the browser connects anew and gets everything. Not thread-safe.
class Outbox {
 public:
  static constexpr std::size_t alert_bytes_max = 256 * 1024;

  /// The whole board: replaces what waits, but for the alerts.
  void put_board(const Board& board);
  void put_segment(const std::string& id, Json segment);
  void put_source(const std::string& id, Json source);
  void put_staffing(const std::string& pool, Json staffing);
  void put_alert(Json alert);
  void put_alerts(Json event);  ///< `Board::alerts_event`: replaces the alerts that wait
  void put_connection(std::string connection);

  [[nodiscard]] bool empty() const;
  [[nodiscard]] bool finished() const { return finished_; }  ///< nothing is taken in any more; close after `take`
  /// Everything that waits, as server-sent events in pieces of which the large ones are shared, and forgets it. Order:
  /// connection, state, all alerts, alerts, staffing.
  [[nodiscard]] std::vector<Json> take();

 private:
  std::string connection_;
  Json board_, all_alerts_;  ///< events
  std::map<std::string, Json> segments_, sources_, staffing_;
  std::deque<Json> alerts_;
  std::size_t alert_bytes_ = 0;
  bool finished_ = false;
};

}  // namespace reach::wallboard
