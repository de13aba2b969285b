#include "daemon/shell/publisher.hpp"

#include <algorithm>

#include "daemon/program/program.hpp"
#include "daemon/wire/wire.hpp"

namespace reach::shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int slice = 50;
/// Last values are repeated for everyone who hears the topic, so not more often than this ...
constexpr Duration again_at_most_every = milliseconds(100);
/// ... and, where that takes long, with so many times as long a pause: subscribers that come and go without end must
/// not fill the queues of those that stay.
constexpr int again_pause = 4;
/// Beyond so many prefixes in one go everything is repeated: each topic is compared with each of them.
constexpr std::size_t most_asked = 1000;

const Window day{};

std::string alert_topic(const std::string& segment) {
  return "alert/" + (segment.empty() ? std::string("_") : segment);
}

/// Moves what changed behind what is still due.
void collect(std::set<std::uint32_t>& dirty, std::deque<std::uint32_t>& due) {
  if (!due.empty()) return;  // the last interval's list is not through yet: the next one takes it
  due.assign(dirty.begin(), dirty.end());
  dirty.clear();
}

}  // namespace

Publisher::Publisher(Engine& engine, Duration interval, Time start, std::function<void(const Message&)> send,
                     std::function<void(v1::SourceState&)> complete)
    : engine_(engine),
      interval_(interval),
      before_first_(static_cast<std::uint64_t>(ns_of(start)) / 1000),
      send_(std::move(send)),
      complete_(std::move(complete)),
      global_(before_first_) {
  restart(interval, start);
  before_first_ = 0;
}

Message& Publisher::state(const std::string& topic) {
  const auto [found, made] = states_.try_emplace(topic);
  if (made) {
    found->second.topic = topic;
    found->second.sequence = before_first_;
  }
  return found->second;
}

void Publisher::restart(Duration interval, Time now) {
  interval_ = interval;
  due_segments_.clear();
  due_sources_.clear();
  due_pools_.clear();
  due_again_.clear();
  dirty_segments_.clear();
  dirty_sources_.clear();
  dirty_pools_.clear();
  std::set<std::string> topics;
  for (std::uint32_t i = 0; i < engine_.segment_count(); ++i) {
    const std::string& id = engine_.config().segments[i].id;
    topics.insert("state/" + id);
    alert_numbers_.try_emplace(alert_topic(id), before_first_);
    dirty_segments_.insert(i);
  }
  for (std::uint32_t i = 0; i < engine_.pool_count(); ++i) {
    topics.insert("staffing/" + engine_.config().pools[i].id);
    dirty_pools_.insert(i);
  }
  for (std::uint32_t i = 0; i < engine_.source_count(); ++i) {
    topics.insert("system/" + engine_.view_source(i, now).id);
    dirty_sources_.insert(i);
  }
  topics.insert("system/" + std::string(daemon_source));
  alert_numbers_.try_emplace(alert_topic({}), before_first_);
  for (auto& [topic, message] : states_) {
    if (topics.contains(topic) || message.payload.empty()) continue;
    // Gone. The pulse names a number that nobody got: whoever listens asks for a snapshot, in which it is missing.
    message.payload.clear();
    said_[topic] = ++message.sequence;
  }
  for (const std::string& topic : topics) state(topic);
  // Alerts that were said before a restart are not said again, but a new subscriber must learn of them.
  for (const Alert& alert : engine_.alerts(false)) {
    Message& message = open_alerts_[alert.id];
    if (!message.payload.empty()) continue;
    v1::Alert content;
    wire::to_proto(alert, content);
    message.topic = alert_topic(alert.segment);
    message.sequence = ++alert_numbers_.try_emplace(message.topic, before_first_).first->second;
    message.global = ++global_;
    message.payload = content.SerializeAsString();
  }
}

void Publisher::say(Message& message, const google::protobuf::MessageLite& content) {
  ++message.sequence;
  message.global = ++global_;
  message.payload = content.SerializeAsString();
  ++published_;
  said_[message.topic] = message.sequence;
  send_(message);
}

void Publisher::alert(const Alert& alert) {
  v1::Alert content;
  wire::to_proto(alert, content);
  const std::string topic = alert_topic(alert.segment);
  std::uint64_t& number = alert_numbers_.try_emplace(topic, before_first_).first->second;
  Message& message = open_alerts_[alert.id];
  message.topic = topic;
  message.sequence = number;
  say(message, content);
  number = message.sequence;
  if (alert.state == AlertState::resolved || alert.state == AlertState::inactive) open_alerts_.erase(alert.id);
}

void Publisher::source_changed(std::uint32_t source) {
  dirty_sources_.insert(source);
  state("system/" + engine_.view_source(source, engine_.now()).id);  // in every snapshot from here on
}

void Publisher::subscribed(std::string_view prefix) {
  if (prefix.size() > longest_prefix || asked_.contains("")) return;
  if (asked_.size() >= most_asked) {
    asked_ = {""};
  } else {
    asked_.emplace(prefix);
  }
}

void Publisher::every_second(Time now) {
  for (std::uint32_t i = 0; i < engine_.source_count(); ++i) dirty_sources_.insert(i);
  v1::Pulse pulse;
  pulse.set_id(std::string(daemon_source));
  pulse.set_state("connected");
  pulse.set_last_heard_ns(static_cast<std::uint64_t>(ns_of(now)));
  pulse.set_software(std::string("reachd ") + program::version);
  for (const auto& [topic, sequence] : said_) {
    v1::TopicSequence& each = *pulse.add_said();
    each.set_topic(topic);
    each.set_sequence(sequence);
  }
  say(state("system/" + pulse.id()), pulse);
  said_.clear();
}

bool Publisher::work(Time now) {
  if (now >= next_second_) {
    next_second_ = now + seconds(1);
    every_second(now);
  }
  if (now >= next_minute_) {
    next_minute_ = now + minutes(1);
    for (std::uint32_t i = 0; i < engine_.pool_count(); ++i) dirty_pools_.insert(i);
  }
  if (now >= next_tick_) {
    next_tick_ = now + interval_;
    if (!hold_states_) collect(dirty_segments_, due_segments_);
    collect(dirty_sources_, due_sources_);
    if (!hold_states_) collect(dirty_pools_, due_pools_);
  }
  if (!asked_.empty() && due_again_.empty() && now >= next_again_) {
    again_began_ = now;
    const auto matches = [this](const Message& message) {
      return !message.payload.empty() && std::any_of(asked_.begin(), asked_.end(), [&](const std::string& prefix) {
        return message.topic.starts_with(prefix);
      });
    };
    for (const auto& [topic, message] : states_) {
      if (matches(message)) due_again_.push_back({message.global, false, topic});
    }
    for (const auto& [id, message] : open_alerts_) {
      if (matches(message)) due_again_.push_back({message.global, true, id});
    }
    std::sort(due_again_.begin(), due_again_.end());
    asked_.clear();
    if (due_again_.empty()) next_again_ = now + again_at_most_every;
  }

  for (int room = slice; room > 0; --room) {
    if (!due_segments_.empty()) {
      const std::uint32_t i = due_segments_.front();
      due_segments_.pop_front();
      const SegmentView view = engine_.view_segment(i, day, now);
      engine_.published_segment(i);
      segment_.Clear();
      wire::to_proto(view, segment_);
      say(state("state/" + view.id), segment_);
    } else if (!due_sources_.empty()) {
      const std::uint32_t i = due_sources_.front();
      due_sources_.pop_front();
      v1::SourceState content;
      wire::to_proto(engine_.view_source(i, now), content);
      complete_(content);
      engine_.published_source(i);
      say(state("system/" + content.id()), content);
    } else if (!due_pools_.empty()) {
      const std::uint32_t i = due_pools_.front();
      due_pools_.pop_front();
      v1::Staffing content;
      wire::to_proto(engine_.view_staffing(i, now), content);
      say(state("staffing/" + content.pool()), content);
    } else if (!due_again_.empty()) {
      const Again& again = due_again_.front();
      const auto& messages = again.is_alert ? open_alerts_ : states_;
      const auto found = messages.find(again.key);
      if (found != messages.end() && found->second.global == again.global) {  // else it was said anew, to all
        ++resent_;
        send_(found->second);
      }
      due_again_.pop_front();
      if (due_again_.empty()) next_again_ = now + std::max(again_at_most_every, again_pause * (now - again_began_));
    } else {
      return false;
    }
  }
  return true;
}

Time Publisher::next() const noexcept {
  if (!due_segments_.empty() || !due_sources_.empty() || !due_pools_.empty() || !due_again_.empty()) return Time{};
  Time next = next_second_;
  if (!dirty_segments_.empty() || !dirty_sources_.empty() || !dirty_pools_.empty()) next = std::min(next, next_tick_);
  if (!asked_.empty()) next = std::min(next, next_again_);
  return next;
}

void Publisher::fill(v1::Snapshot& snapshot) const {
  snapshot.set_global_sequence(global_);
  const auto add = [&snapshot](const std::string& topic, std::uint64_t sequence) {
    v1::TopicSequence& each = *snapshot.add_topics();
    each.set_topic(topic);
    each.set_sequence(sequence);
  };
  for (const auto& [topic, message] : states_) add(topic, message.sequence);
  for (const auto& [topic, sequence] : alert_numbers_) add(topic, sequence);
}

}  // namespace reach::shell
