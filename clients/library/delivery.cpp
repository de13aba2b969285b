#include "clients/library/delivery.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace reach::client {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t batch_bytes = 900 * 1024;  // the daemon takes frames up to 1 MiB
constexpr std::size_t event_bytes = 512 * 1024;
constexpr milliseconds full_queue_pause{10};

bool is_source_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string::npos;
}

}  // namespace

Delivery::Delivery(SenderOptions options, std::unique_ptr<Spool> spool, DeliveryWorld& world)
    : options_(std::move(options)),
      spool_(std::move(spool)),
      world_(world),
      batch_limit_(std::max<std::size_t>(options_.batch_limit, 1)) {
  if (!is_source_name(options_.source)) {
    throw std::invalid_argument("\"" + options_.source +
                                "\" is no source name; expected are 1 to 64 of A-Z a-z 0-9 . _ -");
  }
  if (!spool_) throw std::invalid_argument("a sender needs a spool");
}

// ---- events come in
// --------------------------------------------------------------------------------------------------

void Delivery::post(std::span<const v1::Event> events, std::string_view bookmark) {
  const auto is_too_large = [](const v1::Event& event) { return event.ByteSizeLong() > event_bytes; };
  const std::uint64_t first = state_.posted + 1;
  state_.posted += events.size();
  // A loss is told in its place: before what is posted after it.
  bool kept = tell_loss();
  if (kept && std::none_of(events.begin(), events.end(), is_too_large)) {
    kept = spool_->append(events, bookmark);
  } else if (kept) {
    std::vector<v1::Event> others;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (is_too_large(events[i])) {
        lose(first + i, events[i].time_ns());
      } else {
        others.push_back(events[i]);
      }
    }
    if (others.empty() || spool_->append(others, bookmark)) return;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (!is_too_large(events[i])) lose(first + i, events[i].time_ns());
    }
    return;
  }
  if (kept) return;
  for (std::size_t i = 0; i < events.size(); ++i) lose(first + i, events[i].time_ns());
}

void Delivery::lose(std::uint64_t number, std::uint64_t time_ns) {
  if (loss_.count == 0) loss_.from = loss_.to = number;
  loss_.from = std::min(loss_.from, number);
  loss_.to = std::max(loss_.to, number);
  loss_.count += 1;
  loss_.time_ns = time_ns;
  state_.lost += 1;
}

/// Appends the EventsLost event that is due, if any. False if there is no room for it yet.
bool Delivery::tell_loss() {
  if (loss_.count == 0) return true;
  v1::Event event;
  event.set_time_ns(loss_.time_ns);
  auto& lost = *event.mutable_events_lost();
  lost.set_from(loss_.from);
  lost.set_to(loss_.to);
  lost.set_count(loss_.count);
  lost.set_reason("the adapter's spool was full, or the event too large");
  if (!spool_->append({&event, 1}, {})) return false;
  loss_ = {};
  return true;
}

void Delivery::set_upstream_connected(bool connected) {
  if (std::exchange(upstream_, connected) != connected) next_beat_ = {};
}

SenderState Delivery::state() const {
  SenderState copy = state_;
  copy.pending = spool_->size();
  return copy;
}

// ---- time passes
// -----------------------------------------------------------------------------------------------------

void Delivery::start(Now now) {
  report_spool();  // what it found damaged
  open(now);
}

/// A fresh connection: nothing of an earlier one is in its queues.
void Delivery::open(Now now) {
  world_.reconnect();
  refused_.clear();
  welcomed_ = false;
  state_.connected = false;
  hello_said_.reset();
  hello_at_ = heard_ = now.steady;
  next_beat_ = now.steady + options_.heartbeat;
}

void Delivery::cut(Now now) {
  lost("the connection to reachd at " + options_.endpoint + " was cut", now);
}

void Delivery::refused(const std::string& why) {
  if (std::exchange(refused_, why) == why) return;
  was_lost_ = state_.refused = true;
  report(why + "; events are kept and sent when it lets them in", spool_->size());
}

void Delivery::lost(const std::string& why, Now now) {
  was_lost_ = true;
  // Without the number waiting: the same problem is told once, not with every new event.
  report(why + "; events are kept and sent when it is back", spool_->size());
  open(now);
}

void Delivery::step(Now now) {
  // A Hello may have no answer though heartbeats still come: it was lost, or its Welcome was.
  if (now.steady - heard_ >= options_.answer_timeout ||
      (hello_said_ && now.steady - *hello_said_ >= options_.answer_timeout)) {
    if (refused_.empty()) {
      lost("reachd does not answer at " + options_.endpoint, now);
    } else {
      open(now);
    }
  }
  if (welcomed_ && now.steady >= retry_at_) {
    if (is_over(spool_->stretch())) {
      spool_->begin_next_stretch();
      open(now);  // as another peer: what is late of the epoch that is over cannot be taken for a word of the next
    } else {
      send_batch(now);
    }
  }
  if (hello_at_ && now.steady >= *hello_at_) hello(now);
  if (now.steady >= next_beat_) heartbeat(now);
}

Delivery::Time Delivery::next_deadline() const {
  Time next = std::min(heard_ + options_.answer_timeout, next_beat_);
  if (hello_at_) next = std::min(next, *hello_at_);
  if (hello_said_) next = std::min(next, *hello_said_ + options_.answer_timeout);
  if (!welcomed_) return next;
  const Stretch stretch = spool_->stretch();
  if (is_over(stretch) || (next_to_send_ < stretch.next && room(stretch) > 0)) next = std::min(next, retry_at_);
  if (next_to_send_ > stretch.first) next = std::min(next, std::max(progress_ + options_.answer_timeout, retry_at_));
  return next;
}

void Delivery::hello(Now now) {
  if (!spool_->settle()) {
    report_spool();
    hello_at_ = now.steady + next_pause();
    return;
  }
  const Stretch stretch = spool_->stretch();
  v1::ToDaemon message;
  auto& hi = *message.mutable_hello();
  hi.set_source(options_.source);
  hi.set_software(options_.software);
  for (const std::string& capability : options_.capabilities) hi.add_capabilities(capability);
  hi.set_epoch(stretch.epoch);
  hi.set_next_sequence(stretch.first);
  hi.set_resumes(options_.resumes);
  hi.set_sent_ns(now.wall_ns);
  if (!world_.send(message)) {
    hello_at_ = now.steady + full_queue_pause;
    return;
  }
  hello_at_.reset();
  hello_said_ = now.steady;
}

void Delivery::heartbeat(Now now, bool leaving) {
  next_beat_ = now.steady + options_.heartbeat;
  report_spool();
  if (!welcomed_) return;  // the daemon does not know yet who we are
  const Stretch stretch = spool_->stretch();
  v1::ToDaemon message;
  auto& beat = *message.mutable_heartbeat();
  beat.set_source(options_.source);
  beat.set_sent_ns(now.wall_ns);
  beat.set_upstream_connected(upstream_);
  beat.set_next_sequence(stretch.next + (stretch.is_last ? 0 : 1));  // what follows this stretch waits, too
  beat.set_leaving(leaving);
  world_.send(message);
}

void Delivery::leave(Now now) {
  if (drained()) heartbeat(now, true);
}

/// How many more events the daemon takes now.
std::uint64_t Delivery::room(const Stretch& stretch) const {
  const std::uint64_t unacknowledged = next_to_send_ - stretch.first;
  return credit_ > unacknowledged ? credit_ - unacknowledged : 0;
}

/// Sends what is in the spool from next_to_send_ on, as far as batch and credit go.
void Delivery::send_batch(Now now) {
  const Stretch stretch = spool_->stretch();
  if (next_to_send_ > stretch.first && now.steady - progress_ >= options_.answer_timeout) {
    // Heard of, but no word on what was sent: the end of it may be lost, or what was said of it. The last batch once
    // more is known, fits, or leaves a gap; each has an answer.
    next_to_send_ = std::max(stretch.first, next_to_send_ - std::min<std::uint64_t>(next_to_send_, batch_limit_));
    progress_ = now.steady;
  }
  const std::size_t limit = std::min<std::uint64_t>(room(stretch), batch_limit_);
  if (next_to_send_ < stretch.next && limit > 0) {
    v1::ToDaemon message;
    auto& batch = *message.mutable_batch();
    std::size_t bytes = 0;
    spool_->read(next_to_send_, [&](std::uint64_t number, std::string_view event) {
      bytes += event.size() + 8;
      if (batch.events_size() > 0 && bytes > batch_bytes) return false;
      if (batch.events_size() == 0) batch.set_first_sequence(number);
      batch.add_events()->ParseFromArray(event.data(), static_cast<int>(event.size()));
      return static_cast<std::size_t>(batch.events_size()) < limit;
    });
    if (batch.events_size() == 0) return wait_for_spool(now);  // it gives out nothing before it is written
    batch.set_epoch(stretch.epoch);
    batch.set_source(options_.source);
    batch.set_sent_ns(now.wall_ns);
    if (!world_.send(message)) {
      retry_at_ = now.steady + full_queue_pause;
      return;
    }
    if (next_to_send_ == stretch.first) progress_ = now.steady;  // nothing was on its way before
    next_to_send_ = batch.first_sequence() + static_cast<std::uint64_t>(batch.events_size());
  }
  if (next_to_send_ == stretch.next && !std::exchange(all_sent_told_, true)) next_beat_ = now.steady;
}

void Delivery::report_spool() {
  if (const std::string problem = spool_->problem(); !problem.empty()) report(problem);
}

void Delivery::wait_for_spool(Now now) {
  report_spool();
  retry_at_ = now.steady + next_pause();
}

// ---- answers
// ---------------------------------------------------------------------------------------------------------

void Delivery::take(const v1::ToAdapter& message, Now now) {
  heard_ = now.steady;
  switch (message.message_case()) {
    case v1::ToAdapter::kWelcome:
      return welcome(message.welcome(), now);
    case v1::ToAdapter::kAck:
      return ack(message.ack(), now);
    case v1::ToAdapter::kReject:
      return reject(message.reject(), now);
    case v1::ToAdapter::kHeartbeat:
    case v1::ToAdapter::MESSAGE_NOT_SET:
      return;
  }
}

void Delivery::welcome(const v1::Welcome& message, Now now) {
  const Stretch stretch = spool_->stretch();
  if (!hello_said_ || message.epoch() != stretch.epoch || message.next_sequence() == 0) return;
  hello_said_.reset();
  // Of an earlier run's epoch the daemon may have more than is left here. Of this run's it cannot: then somebody else
  // numbers with the same epoch, and events would be taken for known ones.
  if (stretch.is_last && message.next_sequence() > stretch.next) {
    report("reachd already has events up to " + std::to_string(message.next_sequence() - 1) +
           " of this numbering, but the spool ends at " + std::to_string(stretch.next - 1) +
           ": another adapter uses the same epoch; start this one anew so that a new numbering begins");
    return say_hello_later(now);
  }
  welcomed_ = true;
  all_sent_told_ = false;
  in_use_ = false;
  state_.connected = true;
  credit_ = message.credit();
  retry_at_ = {};
  pause_ = {};
  take_acknowledged(message.next_sequence() - 1, now);
  next_to_send_ = spool_->stretch().first;
  next_beat_ = now.steady;  // tells at once whether the PBX is heard
  state_.refused = false;
  if (std::exchange(was_lost_, false)) report("reachd is back at " + options_.endpoint);
  state_.last_problem.clear();
}

void Delivery::ack(const v1::Ack& message, Now now) {
  const Stretch stretch = spool_->stretch();
  if (!welcomed_ || message.epoch() != stretch.epoch) return;
  if (stretch.is_last && message.sequence() >= stretch.next) return;  // never sent
  credit_ = message.credit();
  if (message.sequence() < stretch.first) return;  // no news
  pause_ = {};
  state_.last_problem.clear();
  take_acknowledged(message.sequence(), now);
}

void Delivery::take_acknowledged(std::uint64_t sequence, Now now) {
  progress_ = now.steady;
  spool_->acknowledged(sequence);
  const Stretch stretch = spool_->stretch();
  next_to_send_ = std::max(next_to_send_, stretch.first);
  if (stretch.is_last) state_.acknowledged = stretch.first - 1;
  tell_loss();
}

void Delivery::reject(const v1::Reject& message, Now now) {
  const std::string reason = "reachd rejects: " + message.reason();
  if (!welcomed_) {
    if (!hello_said_) return;  // to what was sent before the Hello that is due
    // A connection of our own that was just given up may not be over at the daemon yet.
    const bool may_be_ourselves = message.code() == v1::REJECT_CODE_SOURCE_IN_USE && !std::exchange(in_use_, true);
    if (!may_be_ourselves) report(reason);
    return say_hello_later(now);
  }
  const Stretch stretch = spool_->stretch();
  switch (message.code()) {
    case v1::REJECT_CODE_GAP:
      if (message.expected_sequence() >= stretch.first && message.expected_sequence() <= next_to_send_) {
        next_to_send_ = message.expected_sequence();
        return;
      }
      report(reason);
      return say_hello_later(now);  // it counts from elsewhere: agree anew
    case v1::REJECT_CODE_UNKNOWN_SOURCE:
    case v1::REJECT_CODE_SOURCE_IN_USE:
      report(reason);
      return say_hello_later(now);
    case v1::REJECT_CODE_TOO_LARGE:
      report(reason);
      next_to_send_ = stretch.first;
      if (batch_limit_ == 1) retry_at_ = now.steady + next_pause();
      batch_limit_ = std::max<std::size_t>(1, batch_limit_ / 2);
      return;
    default:  // malformed, overloaded, log failed: the same events again, later
      report(reason);
      next_to_send_ = stretch.first;
      retry_at_ = now.steady + next_pause();
  }
}

void Delivery::say_hello_later(Now now) {
  welcomed_ = false;
  state_.connected = false;
  hello_said_.reset();
  hello_at_ = now.steady + next_pause();
}

/// 50 ms, doubled with each rejection in a row, at most answer_timeout / 2 (so that silence is still noticed).
std::chrono::steady_clock::duration Delivery::next_pause() {
  using Pause = std::chrono::steady_clock::duration;
  pause_ = std::min<Pause>(std::max<Pause>(pause_ * 2, milliseconds(50)), options_.answer_timeout / 2);
  return pause_;
}

void Delivery::report(const std::string& sentence, std::uint64_t waiting) {
  state_.last_problem = waiting == 0 ? sentence : sentence + " (" + std::to_string(waiting) + " waiting)";
  if (sentence == last_reported_) return;
  last_reported_ = sentence;
  world_.problem(sentence);
}

}  // namespace reach::client
