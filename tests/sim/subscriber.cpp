#include "tests/sim/subscriber.hpp"

#include <algorithm>

#include "daemon/shell/queries.hpp"

namespace reach::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t queue = 12;  // messages; less than it can stand still for
constexpr Duration try_again = milliseconds(100), on_the_way = milliseconds(2);

bool is_open(std::string_view state) {
  return state == "pending" || state == "firing";
}

}  // namespace

client::Follower::TimePoint SimSubscriber::steady(Time now) const {
  return client::Follower::TimePoint(now.time_since_epoch());
}

SimSubscriber::SimSubscriber(Random& random, Time now) : random_(random), now_(now), connect_at_(now) {
  client::SubscriberCalls calls;
  calls.snapshot = [this](const v1::Snapshot& snapshot) {
    for (const v1::SegmentState& segment : snapshot.status().segments()) {
      segments_[segment.id()] = segment.figures();
      if (!first_) continue;
      for (const v1::Alert& alert : segment.alerts()) know(alert);
    }
    if (std::exchange(first_, false)) since_ = time_from_ns(static_cast<std::int64_t>(snapshot.status().time_ns()));
  };
  calls.segment = [this](const v1::SegmentState& segment) { segments_[segment.id()] = segment.figures(); };
  calls.alert = [this](const v1::Alert& alert) {
    const Known& known = alerts_[alert.id()];
    const bool back = alert.revision() <= known.revision;
    if (problem_.empty() && alert.revision() == known.revision && alert.changed_ns() == known.changed_ns)
      problem_ = "a revision was said twice: " + alert.ShortDebugString();
    if (problem_.empty() && back && !may_be_unsaid_) problem_ = "a revision was said late: " + alert.ShortDebugString();
    know(alert);
  };
  calls.alerts_lost = [this](const client::AlertsLost& lost) {
    for (const std::string& id : lost.over) alerts_[id].state = "resolved";
  };
  client::Follower::World world;
  world.ask = [this](const v1::Request& request) { asked_.push_back({now_ + on_the_way, request}); };
  world.reopen = [this] { open(); };
  follower_.emplace(client::SubscriberOptions{}, std::move(calls), std::move(world), steady(now));
}

void SimSubscriber::open() {
  connected_ = false;
  stream_.clear();
  asked_.clear();
  connect_at_ = now_ + random_.between(Duration(1), milliseconds(50));
}

void SimSubscriber::know(const v1::Alert& alert) {
  alerts_[alert.id()] = {alert.revision(), alert.changed_ns(), alert.state()};
}

void SimSubscriber::publish(const shell::Message& message, Time now) {
  if (!connected_) return;
  if (stream_.size() >= queue) {
    ++dropped_;
    return;
  }
  stream_.push_back({now + on_the_way, message});
}

void SimSubscriber::daemon_ended(Time now) {
  now_ = now;
  connected_ = false;
  may_be_unsaid_ = true;
  follower_->lose("the connection was cut", steady(now));
}

void SimSubscriber::work(Time now, SimDaemon* daemon) {
  now_ = now;
  if (now < still_until_) return;
  follower_->pass(steady(now));
  if (!connected_ && now >= connect_at_) {
    connected_ = daemon != nullptr;
    connect_at_ = now + try_again;
    if (connected_) {
      for (const char* topic : client::Follower::topics) daemon->publisher().subscribed(topic);
    }
  }
  for (;;) {
    if (!asked_.empty() && asked_.front().arrives <= now) {
      const v1::Request request = std::move(asked_.front().request);
      asked_.pop_front();
      if (daemon == nullptr) continue;
      v1::Reply reply;
      static_cast<void>(shell::answer_query(daemon->engine(), daemon->publisher(), request, daemon->shown_at(), reply));
      reply.set_id(request.id());
      follower_->take(std::move(reply), steady(now));
    } else if (follower_->wants_stream() && !stream_.empty() && stream_.front().arrives <= now) {
      const shell::Message message = std::move(stream_.front().message);
      stream_.pop_front();
      follower_->take({message.topic, message.sequence, message.payload}, steady(now));
    } else {
      return;
    }
  }
}

Time SimSubscriber::next() const {
  Time due(std::chrono::duration_cast<Duration>(follower_->deadline().time_since_epoch()));
  if (!connected_) due = std::min(due, connect_at_);
  if (!asked_.empty()) due = std::min(due, asked_.front().arrives);
  if (follower_->wants_stream() && !stream_.empty()) due = std::min(due, stream_.front().arrives);
  return std::max({due, still_until_, now_ + Duration(1)});
}

std::string SimSubscriber::difference(const Engine& engine) const {
  if (!problem_.empty()) return problem_;
  if (!follower_->state().connected) return "it does not follow";
  for (std::uint32_t s = 0; s < engine.segment_count(); ++s) {
    const SegmentView view = engine.view_segment(s, Window{}, engine.now());
    const auto found = segments_.find(view.id);
    if (found == segments_.end()) return "it does not know segment " + view.id;
    const v1::Figures& f = found->second;
    if (f.offered() != view.figures.offered || f.answered() != view.figures.answered || f.met() != view.figures.met ||
        f.missed() != view.figures.missed || f.waiting() != view.figures.waiting ||
        f.backlog() != view.figures.backlog || f.items_met() != view.figures.items_met)
      return "it knows other figures of " + view.id + ": " + f.ShortDebugString();
  }
  std::map<std::string, Known> open;
  for (const Alert& alert : engine.alerts(true)) {
    if (alert.changed <= since_) continue;
    const std::string state(to_text(alert.state));
    const auto found = alerts_.find(alert.id);
    if (found == alerts_.end()) return "it does not know alert " + alert.id + " (" + state + "): " + alert.summary;
    if (found->second.revision != alert.revision || found->second.state != state)
      return "it knows alert " + alert.id + " as revision " + std::to_string(found->second.revision) + ", " +
             found->second.state + ", and it is " + std::to_string(alert.revision) + ", " + state + ": " +
             alert.summary;
    if (is_open(state)) open[alert.id] = found->second;
  }
  for (const auto& [id, known] : alerts_) {
    if (is_open(known.state) && !open.contains(id)) return "it takes alert " + id + " for " + known.state;
  }
  return {};
}

}  // namespace reach::sim
