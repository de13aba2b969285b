#include "clients/library/follower.hpp"

#include <algorithm>
#include <unordered_set>

namespace reach::client {
namespace {

/// More than reachd remembers of them, so that none of its answers names one that is forgotten here.
constexpr std::size_t most_ended = 10'000;

/// Parses `payload` and hands it to `call`; what is no such message is ignored.
template <typename Message, typename Call>
void deliver(std::string_view payload, const Call& call) {
  Message message;
  if (message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) call(message);
}

bool is_open(const v1::Alert& alert) {
  return alert.state() == "pending" || alert.state() == "firing";
}

}  // namespace

Follower::Follower(SubscriberOptions options, SubscriberCalls calls, World world, TimePoint now)
    : options_(std::move(options)), calls_(std::move(calls)), world_(std::move(world)), heard_(now) {}

void Follower::pass(TimePoint now) {
  if (now < deadline()) return;
  lose(state_ == State::asking ? (refused_.empty() ? "reachd does not answer at " : "reachd refuses at ") +
                                     options_.query_endpoint + (refused_.empty() ? "" : ": " + refused_)
                               : "nothing was heard from reachd at " + options_.publish_endpoint + " for " +
                                     std::to_string(options_.silence.count()) + " ms",
       now);
}

void Follower::lose(const std::string& why, TimePoint now) {
  counted_.connected = false;
  const bool news = std::exchange(told_connected_, false) || told_why_ != why;
  told_why_ = why;
  state_ = State::waiting;
  missed_ = false;
  snapshot_.reset();
  numbers_.clear();  // a restarted daemon may count from elsewhere
  heard_ = now;
  if (news && calls_.connection) calls_.connection(false, why);
  world_.reopen();
}

/// Asks for the snapshot and for all alerts still remembered, also for those that a gap swallowed.
void Follower::ask(TimePoint now) {
  state_ = State::asking;
  refused_.clear();
  heard_ = now;  // the answer has as long as the stream
  v1::Request request;
  request.set_id(++last_id_);
  request.mutable_snapshot()->set_window(options_.window);
  world_.ask(request);
  request.set_id(++last_id_);
  request.mutable_alerts()->set_all(true);
  world_.ask(request);
}

void Follower::take(v1::Reply reply, TimePoint now) {
  if (state_ != State::asking) return;
  if (reply.has_error()) refused_ = reply.error().message();  // it is asked again when it had its time
  if (reply.id() == last_id_ - 1 && reply.has_snapshot()) snapshot_ = std::move(*reply.mutable_snapshot());
  if (reply.id() == last_id_ && reply.has_alerts() && snapshot_) begin(reply.alerts(), now);
}

void Follower::begin(const v1::Alerts& alerts, TimePoint now) {
  // What was already taken of a topic stays taken, even where the snapshot names the topic not.
  for (const v1::TopicSequence& topic : snapshot_->topics()) {
    auto& number = numbers_[topic.topic()];
    number = std::max(number, topic.sequence());
  }
  state_ = State::following;
  heard_ = now;
  if (std::exchange(missed_, false)) ++counted_.repaired;
  if (calls_.snapshot) calls_.snapshot(*snapshot_);
  snapshot_.reset();
  if (calls_.alerts) calls_.alerts(alerts);
  if (!first_snapshot_) tell_lost(alerts);
  for (const v1::Alert& alert : alerts.alerts()) {
    if (first_snapshot_) {
      remember(alert, Word::answer);
    } else {
      say(alert, Word::answer);
    }
  }
  first_snapshot_ = false;
  complete_until_ns_ = std::max(complete_until_ns_, alerts.time_ns());
  counted_.connected = true;
  told_why_.clear();
  if (!std::exchange(told_connected_, true) && calls_.connection) calls_.connection(true, {});
}

/// Tells what no answer brings back: alerts that ended unseen and that reachd has forgotten.
void Follower::tell_lost(const v1::Alerts& alerts) {
  AlertsLost lost;
  lost.from_ns = complete_until_ns_;
  lost.to_ns = std::max(complete_until_ns_, alerts.complete_since_ns());
  std::unordered_set<std::string_view> named;
  for (const v1::Alert& alert : alerts.alerts()) named.insert(alert.id());
  for (auto& [id, known] : alerts_) {
    if (!known.open || named.contains(id)) continue;
    known.open = false;
    ended_.push_back(id);
    lost.over.push_back(id);
  }
  if (lost.to_ns == lost.from_ns && lost.over.empty()) return;
  std::sort(lost.over.begin(), lost.over.end());
  ++counted_.alerts_lost;
  if (calls_.alerts_lost) calls_.alerts_lost(lost);
}

void Follower::take(const PublishedMessage& message, TimePoint now) {
  heard_ = now;
  if (state_ == State::waiting) {
    ++counted_.repeated;  // whatever it is, the snapshot will have it
    return ask(now);
  }
  auto& last = numbers_[std::string(message.topic)];
  const bool is_new = message.sequence > last;
  if (message.sequence > last + 1) missed_ = true;
  last = std::max(last, message.sequence);
  if (message.topic.starts_with("alert/")) {
    // By revision, not by number: what a snapshot overtook on the way is still to be said.
    bool said = false;
    deliver<v1::Alert>(message.payload, [&](const v1::Alert& alert) { said = say(alert, Word::stream); });
    ++(said ? counted_.messages : counted_.repeated);
  } else if (is_new) {
    ++counted_.messages;
    take_state(message);
  } else {
    ++counted_.repeated;
  }
  if (missed_) {
    ++counted_.gaps;
    ask(now);
  }
}

void Follower::take_state(const PublishedMessage& message) {
  if (message.topic == "system/_daemon") {
    deliver<v1::Pulse>(message.payload, [this](const v1::Pulse& pulse) { check(pulse); });
  } else if (message.topic.starts_with("system/")) {
    // Other names that begin with "_" may once be other signs of the daemon's: no sources.
    if (calls_.source && !message.topic.starts_with("system/_"))
      deliver<v1::SourceState>(message.payload, calls_.source);
  } else if (message.topic.starts_with("state/")) {
    if (calls_.segment) deliver<v1::SegmentState>(message.payload, calls_.segment);
  } else if (message.topic.starts_with("staffing/")) {
    if (calls_.staffing) deliver<v1::Staffing>(message.payload, calls_.staffing);
  }
}

/// A topic whose last messages were lost shows no jump as long as nothing follows; the pulse names their numbers.
void Follower::check(const v1::Pulse& pulse) {
  for (const v1::TopicSequence& said : pulse.said()) missed_ |= numbers_[said.topic()] < said.sequence();
  if (!missed_) complete_until_ns_ = std::max(complete_until_ns_, pulse.last_heard_ns());
}

bool Follower::say(const v1::Alert& alert, Word word) {
  if (!remember(alert, word)) return false;
  if (calls_.alert) calls_.alert(alert);
  return true;
}

/// False if it is no news. On the stream that is a revision that was there before, or a later one. An answer is newer
/// than all that was taken before it was asked for: if it says otherwise, what was said was lost with reachd's machine.
bool Follower::remember(const v1::Alert& alert, Word word) {
  auto& known = alerts_[alert.id()];
  const bool same = alert.revision() == known.revision && alert.changed_ns() == known.changed_ns;
  if (same || (word == Word::stream && alert.revision() <= known.revision)) return false;
  const bool was_new = known.revision == 0;
  const bool was_open = known.open;
  known = {alert.revision(), alert.changed_ns(), is_open(alert)};
  if (!known.open && (was_open || was_new)) {
    ended_.push_back(alert.id());
    if (ended_.size() > most_ended) {
      const auto oldest = alerts_.find(ended_.front());
      if (oldest != alerts_.end() && !oldest->second.open) alerts_.erase(oldest);
      ended_.pop_front();
    }
  }
  return true;
}

}  // namespace reach::client
