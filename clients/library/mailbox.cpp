#include "clients/library/mailbox.hpp"

#include <utility>

namespace reach::client {
namespace {

const std::string snapshot_key = "snapshot", alerts_key = "alerts", connection_key = "connection";

std::string key_of(const Mailbox::Item& item) {
  struct {
    std::string operator()(const v1::Snapshot&) const { return snapshot_key; }
    std::string operator()(const v1::Alerts&) const { return alerts_key; }
    std::string operator()(const v1::SegmentState& state) const { return "state/" + state.id(); }
    std::string operator()(const v1::Staffing& staffing) const { return "staffing/" + staffing.pool(); }
    std::string operator()(const v1::SourceState& source) const { return "system/" + source.id(); }
    std::string operator()(const v1::Alert&) const { return {}; }
    std::string operator()(const AlertsLost&) const { return {}; }
    std::string operator()(const ConnectionChange&) const { return connection_key; }
  } const key;
  return std::visit(key, item);
}

}  // namespace

void Mailbox::put(Item item) {
  std::string key = key_of(item);
  if (key.empty()) {
    ++alerts_;
    items_.push_back({{}, std::move(item)});
    return;
  }
  const auto* connection = std::get_if<ConnectionChange>(&item);
  const bool lost = connection != nullptr && !connection->connected;
  if (lost || key == snapshot_key) drop_states(lost);
  const auto waiting = replaceable_.find(key);
  if (waiting != replaceable_.end() && connection == nullptr) {
    waiting->second->item = std::move(item);  // in its place: news of a busy segment must not put it off for ever
    ++replaced_;
    return;
  }
  if (waiting != replaceable_.end()) items_.erase(waiting->second);  // a connection change follows what led to it
  items_.push_back({key, std::move(item)});
  replaceable_[std::move(key)] = std::prev(items_.end());
}

void Mailbox::drop_states(bool snapshot_too) {
  for (auto each = replaceable_.begin(); each != replaceable_.end();) {
    const bool of_snapshot = each->first == snapshot_key || each->first == alerts_key;
    if (each->first == connection_key || (of_snapshot && !snapshot_too)) {
      ++each;
      continue;
    }
    items_.erase(each->second);
    each = replaceable_.erase(each);
    ++replaced_;
  }
}

std::optional<Mailbox::Item> Mailbox::take() {
  if (items_.empty()) return std::nullopt;
  Entry first = std::move(items_.front());
  items_.pop_front();
  if (first.key.empty()) {
    --alerts_;
  } else {
    replaceable_.erase(first.key);
  }
  return std::move(first.item);
}

}  // namespace reach::client
