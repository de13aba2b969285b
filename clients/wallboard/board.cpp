#include "clients/wallboard/board.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "clients/library/json.hpp"
#include "daemon/base/time.hpp"

namespace reach::wallboard {
namespace {

template <typename Message>
Json json_of(const Message& message) {
  return std::make_shared<const std::string>(client::to_json(message).dump());
}

std::string time_json(std::uint64_t ns) {
  return ns == 0 ? "null" : '"' + to_rfc3339(time_from_ns(static_cast<std::int64_t>(ns))) + '"';
}

template <typename List>
std::string joined(const List& values) {
  std::string out = "[";
  for (const Json& value : values) {
    if (out.size() > 1) out += ',';
    out += *value;
  }
  return out + ']';
}

std::vector<Json> values_of(const std::map<std::string, Json>& map) {
  std::vector<Json> values;
  for (const auto& [id, json] : map) values.push_back(json);
  return values;
}

}  // namespace

std::string event_text(std::string_view name, std::string_view json) {
  std::string text;
  text.reserve(name.size() + json.size() + 16);
  return text.append("event: ").append(name).append("\ndata: ").append(json).append("\n\n");
}

template <typename Value>
Json Board::put(std::vector<Json>& list, std::map<std::string, std::size_t>& index, const std::string& id,
                const Value& value) {
  changed();
  const Json json = json_of(value);
  const auto [at, is_new] = index.try_emplace(id, list.size());
  if (is_new) {
    list.push_back(json);
  } else {
    list[at->second] = json;
  }
  return json;
}

void Board::saw(std::uint64_t time_ns) {
  changed();
  time_ns_ = std::max(time_ns_, time_ns);
}

void Board::set_snapshot(const v1::Snapshot& snapshot) {
  changed();
  segments_.clear();
  sources_.clear();
  staffing_.clear();
  segment_index_.clear();
  source_index_.clear();
  staffing_index_.clear();
  has_snapshot_ = true;
  time_ns_ = snapshot.status().time_ns();
  for (const v1::SegmentState& segment : snapshot.status().segments()) {
    put(segments_, segment_index_, segment.id(), segment);
  }
  for (const v1::SourceState& source : snapshot.status().sources()) put(sources_, source_index_, source.id(), source);
  for (const v1::Staffing& pool : snapshot.staffing()) put(staffing_, staffing_index_, pool.pool(), pool);
  set_rest(snapshot.status());
}

void Board::set_alerts(const v1::Alerts& alerts) {
  alerts_.clear();
  for (const v1::Alert& alert : alerts.alerts()) keep_alert(alert, json_of(alert));
  saw(alerts.time_ns());
}

void Board::set_rest(v1::Status status) {
  changed();
  status.clear_segments();
  status.clear_sources();
  nlohmann::ordered_json members = client::to_json(status);
  for (const char* name : {"time", "segments", "sources"}) members.erase(name);
  rest_ = members.dump();
}

Json Board::set_segment(const v1::SegmentState& segment) {
  saw(segment.time_ns());
  return put(segments_, segment_index_, segment.id(), segment);
}

Json Board::set_source(const v1::SourceState& source) {
  return put(sources_, source_index_, source.id(), source);
}

Json Board::set_staffing(const v1::Staffing& staffing) {
  saw(staffing.time_ns());
  return put(staffing_, staffing_index_, staffing.pool(), staffing);
}

Json Board::set_alert(const v1::Alert& alert) {
  const auto known = alerts_.find(alert.id());
  if (known != alerts_.end() && known->second.revision > alert.revision()) return nullptr;
  saw(alert.changed_ns());
  const Json json = json_of(alert);
  keep_alert(alert, json);
  return json;
}

void Board::keep_alert(const v1::Alert& alert, const Json& json) {
  changed();
  alerts_.insert_or_assign(alert.id(),
                           KnownAlert{alert.revision(), alert.changed_ns(), alert.state() == "resolved", json});
  const auto resolved = [](const auto& entry) { return entry.second.resolved; };
  if (static_cast<std::size_t>(std::count_if(alerts_.begin(), alerts_.end(), resolved)) <= resolved_max) return;
  const auto older = [](const auto& a, const auto& b) {
    return std::pair(!a.second.resolved, a.second.changed_ns) < std::pair(!b.second.resolved, b.second.changed_ns);
  };
  alerts_.erase(std::min_element(alerts_.begin(), alerts_.end(), older));
}

std::string Board::state(bool complete) const {
  std::string out = "{\"time\":" + time_json(time_ns_) + (complete ? ",\"complete\":true" : "");
  out += ",\"segments\":" + joined(segments_) + ",\"sources\":" + joined(sources_);
  return out + (rest_ == "{}" ? "}" : "," + rest_.substr(1));
}

Json Board::state_event() const {
  if (!state_event_) state_event_ = std::make_shared<const std::string>(event_text("state", state(true)));
  return state_event_;
}

Json Board::alerts_event() const {
  if (!alerts_event_) alerts_event_ = std::make_shared<const std::string>(event_text("alerts", alerts()));
  return alerts_event_;
}

std::string Board::alerts() const {
  std::vector<const KnownAlert*> sorted;
  for (const auto& [id, alert] : alerts_) sorted.push_back(&alert);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->changed_ns < b->changed_ns; });
  std::vector<Json> values;
  for (const KnownAlert* alert : sorted) values.push_back(alert->json);
  return "{\"time\":" + time_json(time_ns_) + ",\"alerts\":" + joined(values) + "}";
}

std::string Board::staffing() const {
  return "{\"time\":" + time_json(time_ns_) + ",\"pools\":" + joined(staffing_) + "}";
}

std::map<std::string, Json> Board::pools() const {
  std::map<std::string, Json> pools;
  for (const auto& [id, index] : staffing_index_) pools[id] = staffing_[index];
  return pools;
}

std::string changes_json(const std::map<std::string, Json>& segments, const std::map<std::string, Json>& sources) {
  // Each segment brings its own time.
  return "{\"time\":null,\"complete\":false,\"segments\":" + joined(values_of(segments)) +
         ",\"sources\":" + joined(values_of(sources)) + "}";
}

}  // namespace reach::wallboard
