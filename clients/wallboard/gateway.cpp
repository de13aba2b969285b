#include "clients/wallboard/gateway.hpp"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "clients/library/json.hpp"
#include "clients/wallboard/request.hpp"
#include "daemon/base/time.hpp"

namespace reach::wallboard {
namespace {

int status_of(const v1::Error& error) {
  if (error.code() == "not_found") return 404;
  if (error.code() == "bad_request") return 400;
  if (error.code() == "not_allowed") return 403;
  return 503;
}

nlohmann::json time_json(std::optional<std::chrono::system_clock::time_point> at) {
  if (!at) return nullptr;
  const auto since_epoch = std::chrono::duration_cast<std::chrono::nanoseconds>(at->time_since_epoch());
  return to_rfc3339(time_from_ns(since_epoch.count()));
}

}  // namespace

Gateway::Gateway(const std::string& publish_endpoint, const std::string& query_endpoint, const client::ClientKeys& keys,
                 std::function<void()> wake)
    : wake_(std::move(wake)) {
  asker_.emplace(query_endpoint, keys);
  client::SubscriberOptions options;
  options.publish_endpoint = publish_endpoint;
  options.query_endpoint = query_endpoint;
  options.keys = keys;
  client::SubscriberCalls calls;
  calls.snapshot = [this](const v1::Snapshot& snapshot) {
    update(true, [&] {
      board_.set_snapshot(snapshot);
      for (auto& [segment, history] : histories_) history.asked = {};
      put_in_all([&](Outbox& outbox) { outbox.put_board(board_); });
    });
  };
  calls.alerts = [this](const v1::Alerts& alerts) {
    update(true, [&] {
      board_.set_alerts(alerts);
      put_in_all([&](Outbox& outbox) { outbox.put_alerts(board_.alerts_event()); });
    });
  };
  calls.segment = [this](const v1::SegmentState& segment) {
    update(true, [&] {
      heard_segment_ = segment.id();
      const Json json = board_.set_segment(segment);
      put_in_all([&](Outbox& outbox) { outbox.put_segment(segment.id(), json); });
    });
  };
  calls.source = [this](const v1::SourceState& source) {
    update(true, [&] {
      const Json json = board_.set_source(source);
      put_in_all([&](Outbox& outbox) { outbox.put_source(source.id(), json); });
    });
  };
  calls.staffing = [this](const v1::Staffing& staffing) {
    update(true, [&] {
      const Json json = board_.set_staffing(staffing);
      put_in_all([&](Outbox& outbox) { outbox.put_staffing(staffing.pool(), json); });
    });
  };
  calls.alert = [this](const v1::Alert& alert) {
    update(true, [&] {
      const Json json = board_.set_alert(alert);
      if (json) put_in_all([&](Outbox& outbox) { outbox.put_alert(json); });
    });
  };
  calls.connection = [this](bool connected, const std::string& why) {
    if (connected) {
      spdlog::info("connected to reachd");
    } else {
      spdlog::warn("{}; the boards show old figures as old until it is back", why);
    }
    update(connected, [&] {
      connected_ = connected;
      why_ = why;
      put_in_all([&](Outbox& outbox) { outbox.put_connection(connection_json()); });
    });
  };
  subscriber_.emplace(std::move(options), std::move(calls));
}

Gateway::~Gateway() {
  subscriber_.reset();
  asker_.reset();
}

template <typename Change>
void Gateway::update(bool heard, const Change& change) {
  {
    const std::lock_guard lock(mutex_);
    if (heard) heard_ = std::chrono::system_clock::now();
    change();
  }
  wake_();
}

template <typename Put>
void Gateway::put_in_all(const Put& put) {
  for (auto& [id, outbox] : streams_) put(outbox);
}

void Gateway::beat() {
  bool ask = false;
  std::string segment;
  update(false, [&] {
    put_in_all([&](Outbox& outbox) { outbox.put_connection(connection_json()); });
    ask = connected_ && ++beats_ == beats_per_rest;  // more: the question is under way
    segment = heard_segment_;
  });
  if (ask) ask_rest(segment);
}

/// `segment`: any that reachd knows. The rest is that of all, and the answer small.
void Gateway::ask_rest(const std::string& segment) {
  v1::Request request;
  request.mutable_snapshot()->set_segment(segment);
  asker_->ask(std::move(request), [this](const v1::Reply& reply) {
    const std::lock_guard lock(mutex_);
    beats_ = 0;
    if (reply.has_snapshot()) board_.set_rest(reply.snapshot().status());
  });
}

std::string Gateway::connection_json() const {
  const nlohmann::ordered_json connection = {{"connected", connected_},
                                             {"why", why_},
                                             {"time", time_json(std::chrono::system_clock::now())},
                                             {"last_heard", time_json(heard_)}};
  return connection.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

bool Gateway::connected() const {
  const std::lock_guard lock(mutex_);
  return connected_;
}

Answer Gateway::lost() const {
  return {503, error_json("unavailable", "the daemon is not heard: " + why_)};
}

Answer Gateway::state() const {
  const std::lock_guard lock(mutex_);
  return connected_ ? Answer{200, board_.state(false)} : lost();
}

Answer Gateway::alerts() const {
  const std::lock_guard lock(mutex_);
  return connected_ ? Answer{200, board_.alerts()} : lost();
}

Answer Gateway::staffing() const {
  const std::lock_guard lock(mutex_);
  return connected_ ? Answer{200, board_.staffing()} : lost();
}

void Gateway::history(const std::string& segment, Respond respond) {
  std::optional<Answer> answer;
  {
    const std::lock_guard lock(mutex_);
    if (!connected_) {
      answer = lost();
    } else if (!board_.has_segment(segment)) {
      answer = Answer{404, error_json("not_found", "there is no segment of this name; /api/v1/state lists them")};
    } else {
      History& history = histories_[segment];
      const auto now = std::chrono::steady_clock::now();
      if (!history.json.empty() && now - history.asked < history_age_max) {
        answer = Answer{200, history.json};
      } else {
        history.waiting.push_back(std::move(respond));
        if (history.waiting.size() > 1) return;
        history.asked = now;
      }
    }
  }
  if (answer) return respond(std::move(*answer));

  v1::Request request;
  request.mutable_history()->set_segment(segment);
  asker_->ask(std::move(request), [this, segment](const v1::Reply& reply) {
    Answer got{200, {}};
    if (reply.has_history()) {
      got.json = client::to_json(reply.history()).dump();
    } else {
      got = {status_of(reply.error()), error_json(reply.error().code(), reply.error().message())};
    }
    std::vector<Respond> waiting;
    {
      const std::lock_guard lock(mutex_);
      History& history = histories_[segment];
      if (got.status == 200) history.json = got.json;
      waiting.swap(history.waiting);
    }
    for (const Respond& one : waiting) one(got);
  });
}

void Gateway::acknowledge(const std::string& alert, const std::string& by, const std::string& note, Respond respond) {
  if (!connected()) {
    const std::lock_guard lock(mutex_);
    return respond(lost());
  }
  v1::Request request;
  request.mutable_acknowledge()->set_alert(alert);
  request.mutable_acknowledge()->set_by(by);
  request.mutable_acknowledge()->set_note(note);
  asker_->ask(std::move(request), [alert, respond = std::move(respond)](const v1::Reply& reply) {
    if (reply.has_acknowledged()) {
      spdlog::info("alert {} taken from the page", alert);
      return respond({200, client::to_json(reply.acknowledged()).dump()});
    }
    respond({status_of(reply.error()), error_json(reply.error().code(), reply.error().message())});
  });
}

void Gateway::open_stream(std::uint64_t id) {
  update(false, [&] {
    Outbox& outbox = streams_[id];
    outbox.put_connection(connection_json());
    if (!board_.has_snapshot()) return;
    outbox.put_board(board_);
    outbox.put_alerts(board_.alerts_event());
  });
}

void Gateway::close_stream(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  streams_.erase(id);
}

std::optional<Gateway::Parcel> Gateway::take(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto stream = streams_.find(id);
  if (stream == streams_.end() || stream->second.empty()) return std::nullopt;
  Parcel parcel;
  parcel.last = stream->second.finished();
  parcel.pieces = stream->second.take();
  return parcel;
}

}  // namespace reach::wallboard
