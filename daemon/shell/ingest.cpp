#include "daemon/shell/ingest.hpp"

#include <algorithm>
#include <limits>

#include "daemon/program/program.hpp"

namespace reach::shell {
namespace {

using std::chrono::milliseconds;

/// Batches that were already on their way when one was refused need no refusal of their own.
constexpr Duration refusal_holds = milliseconds(50);
/// For the sources that were there when the daemon ended, to come back to it.
constexpr Duration wait_at_start = std::chrono::seconds(5);
constexpr Duration standstill_most = std::chrono::minutes(1);
/// A source that was waited for is waited for again only after so many times as long: when it caught up, and when not.
constexpr int rest_after_wait = 3, rest_after_wait_in_vain = 20;
constexpr std::size_t memory_renewed_after = 16U << 20;  // bytes
/// Events taken from the backlog before everything else gets a turn.
constexpr int release_portion = 2000;
/// Of a Hello: bytes, how many, bytes of each.
constexpr std::size_t most_software = 256, most_capability = 64;
constexpr int most_capabilities = 100;
constexpr Duration hello_noted_at_least = std::chrono::seconds(1);
constexpr std::int64_t new_hellos_per_second = 10;  ///< of one source; a hundred at once
/// Heartbeats that come faster say nothing new.
constexpr Duration heartbeat_at_least = milliseconds(200);
/// Each change of upstream is an alert's, too; of those that come faster the last one counts.
constexpr Duration upstream_at_least = std::chrono::seconds(1);

std::uint64_t wire_time(Time t) {
  return static_cast<std::uint64_t>(ns_of(t));
}

std::string not_with(const keys::PublicKey& key, const std::string& name) {
  std::string allowed;
  for (const std::string& source : key.sources) allowed += (allowed.empty() ? "" : ", ") + source;
  return "the key " + key.name + " may not send as \"" + name.substr(0, 64) + "\"; its sources are " + allowed;
}

std::string too_fast(const std::string& source, std::int64_t per_second) {
  return source + " sends more than " + std::to_string(per_second) +
         " events a second ([ingest] max_rate); keep them and send again later";
}

std::string too_many_sources(std::size_t most) {
  return "there are " + std::to_string(most) + " sources already ([ingest] max_sources); use the name of one of them";
}

}  // namespace

std::uint32_t Ingest::credit() const {
  return failing_ ? std::max(limits_.credit, credit_without_log) : limits_.credit;
}

void Ingest::sample_clock(Source& source, std::uint64_t sent_ns, Time now) {
  if (sent_ns == 0 || sent_ns > wire::latest_ns) return;
  source.offset.sample(time_from_ns(static_cast<std::int64_t>(sent_ns)), now);
}

void Ingest::take(const std::string& peer, std::string_view frame, Time now, const keys::PublicKey* key) {
  key_ = key;
  if (frame.size() > limits_.max_frame) {
    reject(peer, v1::REJECT_CODE_TOO_LARGE,
           "a message of " + std::to_string(frame.size()) + " bytes is over the limit of " +
               std::to_string(limits_.max_frame) + "; send smaller batches");
    return;
  }
  // The common case first, into a message that keeps its memory.
  const auto bytes = wire::bare_batch(frame);
  if (!bytes && frame.size() > most_word) {
    reject(peer, v1::REJECT_CODE_TOO_LARGE,
           "a message of " + std::to_string(frame.size()) + " bytes that is no batch is over the limit of " +
               std::to_string(most_word));
    return;
  }
  if (bytes) {
    if (wire::has_more_events(*bytes, most_events)) {
      reject(peer, v1::REJECT_CODE_TOO_LARGE,
             "a batch of more than " + std::to_string(most_events) + " events; send smaller batches");
      return;
    }
    if ((parsed_ += bytes->size()) > memory_renewed_after) {
      parsed_ = bytes->size();
      batch_ = {};
    }
    if (batch_.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) {
      take_batch(peer, batch_, frame, now);
      return;
    }
  }
  if (message_.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
    switch (message_.message_case()) {
      case v1::ToDaemon::kHello:
        return take_hello(peer, message_.hello(), now);
      case v1::ToDaemon::kBatch:
        return take_batch(peer, *message_.mutable_batch(), {}, now);
      case v1::ToDaemon::kHeartbeat:
        return take_heartbeat(peer, message_.heartbeat(), now);
      case v1::ToDaemon::MESSAGE_NOT_SET:
        break;
    }
  }
  reject(peer, v1::REJECT_CODE_MALFORMED,
         "this is no ToDaemon message of reachd.v1 (see ingest.proto); send Hello, EventBatch or Heartbeat");
}

void Ingest::take_malformed(const std::string& peer, const std::string& what) {
  reject(peer, v1::REJECT_CODE_MALFORMED, what);
}

void Ingest::take_hello(const std::string& peer, const v1::Hello& hello, Time now) {
  if (!wire::is_source_name(hello.source())) {
    return reject(peer, v1::REJECT_CODE_MALFORMED, "a Hello needs a source name of 1 to 64 of A-Z a-z 0-9 . _ -");
  }
  if (hello.epoch() == 0 || hello.next_sequence() == 0) {
    return reject(peer, v1::REJECT_CODE_MALFORMED, "a Hello needs an epoch and a next_sequence, both from 1");
  }
  const auto& capabilities = hello.capabilities();
  if (hello.software().size() > most_software || capabilities.size() > most_capabilities ||
      std::ranges::any_of(capabilities, [](const std::string& each) { return each.size() > most_capability; })) {
    return reject(peer, v1::REJECT_CODE_MALFORMED,
                  "a Hello has at most 256 bytes of software, and 100 capabilities of 64 bytes: all are told to every "
                  "subscriber");
  }
  if (!may_use(peer, hello.source())) return;
  auto found = sources_.find(hello.source());
  if (found == sources_.end()) {
    if (sources_.size() + named_.size() >= limits_.max_sources && !named_.contains(hello.source())) {
      return reject(peer, v1::REJECT_CODE_UNKNOWN_SOURCE, too_many_sources(limits_.max_sources));
    }
    found = sources_.try_emplace(hello.source()).first;
    named_.erase(hello.source());
  }
  Source& source = found->second;
  if (!source.peer.empty() && source.peer != peer && now - source.heard <= limits_.stale_after) {
    v1::ToAdapter probe;
    probe.mutable_heartbeat()->set_sent_ns(wire_time(now));
    if (world_.send(source.peer, probe)) {  // it is still connected
      return reject(peer, v1::REJECT_CODE_SOURCE_IN_USE,
                    "another adapter sends as \"" + hello.source() + "\"; stop it, or give this one a name of its own");
    }
  }

  // A record of the log, too.
  if (is_too_fast(source, now)) {
    return reject(peer, v1::REJECT_CODE_OVERLOADED, too_fast(hello.source(), *limits_.max_rate));
  }
  source.rate.take(1);
  const bool begins = hello.epoch() != source.epoch;
  // It was here before: what it sends now may have waited a while.
  if (hello.resumes() && !begins) {
    if (!backlog_ || !backlog_->expects(hello.source())) {
      wait_for(hello.source(), source, now, now + silence_most);
    } else if (source.peer != peer) {
      backlog_->advanced(hello.source(), now);
    }
  }
  if (!tell_hello(peer, hello, source, now)) return;
  if (!begins && hello.next_sequence() > source.accepted + 1) {
    // It forgot events that it believes durable here, and they are not: this log is older than the adapter. They can
    // come no more. Who reads the empty batch that would follow them counts them as lost; so does this engine.
    v1::EventBatch after_them;
    after_them.set_source(hello.source());
    after_them.set_epoch(hello.epoch());
    after_them.set_first_sequence(hello.next_sequence());
    if (world_.append(wire::batch_record({}, after_them, core(now), source.offset.applied())) == 0) {
      return reject(peer, v1::REJECT_CODE_LOG_FAILED, "the event log takes nothing now: " + world_.log_problem());
    }
    world_.step(replica::lost_events(hello.source(), hello.next_sequence() - 1 - source.accepted, core(now)),
                core(now));
    source.accepted = source.durable = hello.next_sequence() - 1;  // should this get lost, too, it is found again
    source.waiting.clear();
  }
  if (begins) {
    source.epoch = hello.epoch();
    source.accepted = source.durable = hello.next_sequence() - 1;
    source.waiting.clear();
    source.offset = ClockOffset();  // an adapter that begins anew may be another machine's
  }
  // On one connection an adapter has little reason to say it again, and must not fill the program's log by it.
  const bool again = source.peer == peer && now - source.since < hello_noted_at_least;
  source.peer = peer;
  source.heard = source.since = now;
  source.refused_expected = 0;
  sample_clock(source, hello.sent_ns(), now);

  if (!again) {
    world_.note("source " + hello.source() + " is connected" +
                (hello.software().empty() ? "" : " (" + hello.software() + ")") + ", its next event is " +
                std::to_string(source.durable + 1));
  }
  v1::ToAdapter answer;
  v1::Welcome& welcome = *answer.mutable_welcome();
  welcome.set_epoch(source.epoch);
  welcome.set_next_sequence(source.durable + 1);
  welcome.set_credit(credit());
  welcome.set_software(std::string("reachd ") + program::version);
  welcome.set_time_ns(wire_time(now));
  world_.send(peer, answer);
}

bool Ingest::tell_hello(const std::string& peer, const v1::Hello& hello, Source& source, Time now) {
  const bool begins = hello.epoch() != source.epoch, lost = hello.next_sequence() > source.accepted + 1;
  if (!begins && !lost && source.said && hello.resumes() == source.said->resumes() &&
      hello.software() == source.said->software() &&
      std::ranges::equal(hello.capabilities(), source.said->capabilities())) {
    source.upstream_said = true;
    if (is_told(source, now)) tell_heard(hello.source(), source, now, false);
    return true;
  }
  if (!source.hellos.open(now, new_hellos_per_second)) {
    reject(peer, v1::REJECT_CODE_OVERLOADED,
           hello.source() + " says something new in its Hello more than ten times a second; say it again later");
    return false;
  }
  source.hellos.take(1);
  v1::LogRecord record;
  record.set_received_ns(wire_time(core(now)));
  *record.mutable_hello() = hello;
  record.mutable_hello()->DiscardUnknownFields();
  if (world_.append(record.SerializeAsString()) != 0) {
    source.said = std::move(*record.mutable_hello());
  } else if (begins) {
    reject(peer, v1::REJECT_CODE_LOG_FAILED, "the event log takes nothing now: " + world_.log_problem());
    return false;
  }
  source.resumes = hello.resumes();
  source.upstream = source.upstream_said = true;
  source.told = now;
  world_.step(
      SourceConnected{hello.source(), hello.software(), {hello.capabilities().begin(), hello.capabilities().end()}},
      core(now));
  return true;
}

bool Ingest::may_use(const std::string& peer, const std::string& name) {
  if (key_ == nullptr || key_->may_send_as(name)) return true;
  ++counters_.foreign_sources;
  reject(peer, v1::REJECT_CODE_UNKNOWN_SOURCE, not_with(*key_, name));
  return false;
}

bool Ingest::empty_foreign_events(v1::EventBatch& batch) {
  bool any = false;
  for (v1::Event& event : *batch.mutable_events()) {
    const std::string& name = event.source();
    if (name.empty() || name == batch.source()) continue;
    if (key_ != nullptr && !key_->may_send_as(name)) {
      ++counters_.foreign_sources;
      world_.remark("foreign source", "an event of " + batch.source() + " is left out: " + not_with(*key_, name));
    } else if (!sources_.contains(name) && !named_.contains(name) &&
               sources_.size() + named_.size() >= limits_.max_sources) {
      world_.remark("too many sources",
                    "an event of " + batch.source() + " is left out: " + too_many_sources(limits_.max_sources));
    } else {
      if (!sources_.contains(name) && wire::is_source_name(name)) named_.insert(name);
      continue;
    }
    event.Clear();
    any = true;
  }
  return any;
}

Ingest::Source* Ingest::known(const std::string& peer, const std::string& name, std::uint64_t epoch) {
  if (!may_use(peer, name)) return nullptr;
  const auto found = sources_.find(name);
  if (found == sources_.end() || found->second.peer != peer) {
    reject(peer, v1::REJECT_CODE_UNKNOWN_SOURCE, "say Hello as \"" + name + "\" first");
    return nullptr;
  }
  if (epoch != 0 && found->second.epoch != epoch) {
    reject(peer, v1::REJECT_CODE_UNKNOWN_SOURCE, "Hello named another epoch; say Hello with this one first");
    return nullptr;
  }
  return &found->second;
}

bool Ingest::is_too_fast(Source& source, Time now) {
  if (!limits_.max_rate || source.rate.open(now, *limits_.max_rate)) return false;
  ++counters_.over_rate;
  return true;
}

void Ingest::take_batch(const std::string& peer, v1::EventBatch& batch, std::string_view frame, Time now) {
  const auto count = static_cast<std::uint64_t>(batch.events_size());
  if (batch.epoch() == 0 || batch.first_sequence() == 0 ||
      batch.first_sequence() > std::numeric_limits<std::uint64_t>::max() - count) {
    return reject(peer, v1::REJECT_CODE_MALFORMED, "a batch needs an epoch and a first_sequence, both from 1");
  }
  Source* const source = known(peer, batch.source(), batch.epoch());
  if (source == nullptr) return;
  source->heard = now;
  sample_clock(*source, batch.sent_ns(), now);
  const std::uint64_t last = batch.first_sequence() + count - 1;
  if (batch.first_sequence() > source->accepted + 1) {
    ++source->gaps;
    return refuse_batch(*source, v1::REJECT_CODE_GAP,
                        "events are missing: expected number " + std::to_string(source->accepted + 1) + ", got " +
                            std::to_string(batch.first_sequence()) + "; send from the expected one",
                        now);
  }
  if (last <= source->accepted) {
    source->duplicates += static_cast<std::int64_t>(count);
    return ack(*source);
  }
  if (source->accepted - source->durable >= credit()) {
    return refuse_batch(*source, v1::REJECT_CODE_OVERLOADED,
                        std::to_string(credit()) + " events are not acknowledged yet; wait for their Ack", now);
  }
  if (backlog_ && now >= stands_until_) {
    return refuse_batch(*source, v1::REJECT_CODE_OVERLOADED,
                        "what waited is taken first, so that time can go on; send again in a moment", now);
  }
  if (is_too_fast(*source, now)) {
    return refuse_batch(*source, v1::REJECT_CODE_OVERLOADED, too_fast(batch.source(), *limits_.max_rate), now);
  }
  if (batch.first_sequence() <= source->accepted) {
    const auto known_already = static_cast<int>(source->accepted + 1 - batch.first_sequence());
    source->duplicates += known_already;
    batch.mutable_events()->DeleteSubrange(0, known_already);
    batch.set_first_sequence(source->accepted + 1);
    frame = {};
  }
  if (empty_foreign_events(batch)) frame = {};
  if (backlog_) {
    source->rate.take(batch.events_size());
    source->received += batch.events_size();
    source->accepted = last;
    const Duration offset = source->offset.applied();
    backlog_->advanced(batch.source(), now);
    backlog_->hold(std::move(batch), offset);
    return;
  }
  const log::Lsn number = world_.append(wire::batch_record(frame, batch, now, source->offset.applied()));
  if (number == 0) {
    return refuse_batch(*source, v1::REJECT_CODE_LOG_FAILED,
                        "the event log takes nothing now: " + world_.log_problem() + "; keep the events", now);
  }
  ++counters_.batches;
  source->rate.take(batch.events_size());
  source->received += batch.events_size();
  source->accepted = last;
  source->told = now;
  source->waiting.emplace_back(number, last);
  apply(batch, source->offset.applied(), now);
}

void Ingest::apply(const v1::EventBatch& batch, Duration offset, Time now, At at) {
  Event& event = std::holds_alternative<Event>(input_) ? std::get<Event>(input_) : input_.emplace<Event>();
  for (const v1::Event& each : batch.events()) {
    const auto problem = wire::event_from(each, batch.source(), offset, now, scratch_, event);
    if (problem) {
      ++counters_.invalid_events;
      world_.remark("invalid event", "an event of " + batch.source() + " is left out: " + *problem);
      continue;
    }
    world_.step(input_, at == At::event_times ? event.at : now);
  }
}

// ---- catching up ---------------------------------------------------------------------------------------------------

void Ingest::begin_catch_up(Time at, Time now) {
  v1::LogRecord record;
  record.set_received_ns(wire_time(at));
  record.mutable_catch_up()->set_begins(true);
  if (world_.append(record.SerializeAsString()) == 0) return;  // without a log there is no order to keep
  world_.step(CatchUp{true}, at);
  backlog_.emplace();
  stands_until_ = now + standstill_most;
}

void Ingest::end_catch_up(Time now) {
  v1::LogRecord record;
  record.set_received_ns(wire_time(now));
  record.mutable_catch_up()->set_begins(false);
  if (world_.append(record.SerializeAsString()) == 0) return;  // the next round tries again
  backlog_.reset();
  world_.step(CatchUp{false}, now);
  if (stands_since_ != Time{}) stands_again_ = now + (now - stands_since_);
}

void Ingest::wait_for(const std::string& name, Source& source, Time now, Time until) {
  if (limits_.wait_for_source == Duration::zero() || now < source.wait_again) return;
  if (!backlog_) {
    if (now < stands_again_) return;
    begin_catch_up(now, now);
    if (!backlog_) return;
    stands_since_ = now;
  }
  source.waited_since = now;
  backlog_->expect(name, until, std::min(now + limits_.wait_for_source, stands_until_));
}

void Ingest::end_wait(Source& source, Time now, int rest) {
  if (source.waited_since == Time{}) return;
  source.wait_again = now + rest * (now - source.waited_since);
  source.waited_since = {};
}

void Ingest::catch_up(Time reached, Time now, bool began) {
  for (auto& [name, source] : sources_) {
    if (!source.resumes) continue;
    if (!backlog_) begin_catch_up(reached, now);
    if (!backlog_) return;
    backlog_->expect(name, now + wait_at_start, stands_until_);
  }
  if (began && !backlog_) end_catch_up(now);
}

void Ingest::look_for_gone(Time now) {
  v1::ToAdapter message;
  message.mutable_heartbeat()->set_sent_ns(wire_time(now));
  message.mutable_heartbeat()->set_upstream_connected(true);
  for (auto& [name, source] : sources_) {
    if (source.peer.empty() || world_.send(source.peer, message)) continue;
    source.peer.clear();
    world_.note("the connection to source " + name + " ended");
    if (source.resumes && !(backlog_ && backlog_->expects(name)))
      wait_for(name, source, now, now + limits_.wait_for_source);
  }
}

bool Ingest::release(Time now) {
  if (!backlog_) return false;
  const std::vector<std::string> gone = backlog_->held_bytes() > backlog_bytes_most
                                            ? backlog_->give_up_all()
                                            : backlog_->give_up(now, [this](const std::string& name) {
                                                const Source& source = sources_[name];
                                                return source.accepted != source.durable;
                                              });
  for (const std::string& name : gone) {
    Source& source = sources_[name];
    end_wait(source, now, rest_after_wait_in_vain);
    ++source.wait_timeouts;
    world_.note("source " + name +
                (source.peer.empty() ? " is not back" : " has not said that it has sent all that waited") +
                ": time, which stood still for it, goes on");
  }
  for (int room = release_portion; room > 0;) {
    auto run = backlog_->next();
    if (!run) {
      if (!backlog_->over()) return false;
      end_catch_up(now);
      return false;
    }
    const log::Lsn number = world_.append(wire::batch_record({}, run->batch, now, run->offset, true));
    if (number == 0) {
      backlog_->put_back(std::move(*run));
      return false;  // the log takes nothing now
    }
    Source& source = sources_[run->batch.source()];
    const auto count = static_cast<std::uint64_t>(run->batch.events_size());
    ++counters_.batches;
    if (run->batch.epoch() == source.epoch)
      source.waiting.emplace_back(number, run->batch.first_sequence() + count - 1);
    apply(run->batch, run->offset, now, At::event_times);
    room -= run->batch.events_size();
  }
  return true;
}

void Ingest::take_heartbeat(const std::string& peer, const v1::Heartbeat& heartbeat, Time now) {
  Source* const source = known(peer, heartbeat.source(), 0);
  if (source == nullptr) return;
  sample_clock(*source, heartbeat.sent_ns(), now);
  if (backlog_ && heartbeat.next_sequence() <= source->accepted + 1) {
    backlog_->caught_up(heartbeat.source());
    end_wait(*source, now, rest_after_wait);
  }
  ack(*source);  // an Ack that did not fit a full queue is made up for here
  const bool leaves = heartbeat.leaving() && source->resumes;
  if (leaves) {
    source->resumes = false;
    source->said.reset();
  }
  source->heard = now;
  source->upstream_said = heartbeat.upstream_connected();
  if (leaves || is_told(*source, now)) tell_heard(heartbeat.source(), *source, now, leaves);
}

bool Ingest::upstream_changes(const Source& source, Time now) {
  return source.upstream_said != source.upstream && now - source.upstream_at >= upstream_at_least;
}

bool Ingest::is_told(const Source& source, Time now) {
  return now - source.told >= heartbeat_at_least || upstream_changes(source, now);
}

void Ingest::tell_heard(const std::string& name, Source& source, Time now, bool leaving) {
  if (upstream_changes(source, now)) {
    source.upstream = source.upstream_said;
    source.upstream_at = now;
  }
  source.told = now;
  v1::LogRecord record;
  record.set_received_ns(wire_time(core(now)));
  record.mutable_seen()->set_source(name);
  record.mutable_seen()->set_upstream_connected(source.upstream);
  record.mutable_seen()->set_leaving(leaving);
  world_.append(record.SerializeAsString());  // if the log takes nothing, it stays live all the same
  world_.step(SourceHeard{name, source.upstream}, core(now));
}

void Ingest::log_reached(log::Lsn durable) {
  const bool failing = !world_.log_problem().empty();
  const bool changed = std::exchange(failing_, failing) != failing;
  for (auto& [name, source] : sources_) {
    bool reached = false;
    while (!source.waiting.empty() && source.waiting.front().first <= durable) {
      source.durable = source.waiting.front().second;
      source.waiting.pop_front();
      reached = true;
    }
    if (reached || changed) ack(source);
  }
}

void Ingest::pulse(Time now) {
  v1::ToAdapter message;
  message.mutable_heartbeat()->set_sent_ns(wire_time(now));
  message.mutable_heartbeat()->set_upstream_connected(true);
  for (auto& [name, source] : sources_) {
    if (!source.peer.empty() && upstream_changes(source, now)) tell_heard(name, source, now, false);
    if (!source.peer.empty() && !world_.send(source.peer, message) && now - source.heard > limits_.stale_after) {
      source.peer.clear();
      world_.note("source " + name + " is gone");
    }
  }
}

void Ingest::resume(const replica::Numbers& numbers) {
  for (const auto& [name, each] : numbers) {
    Source& source = sources_[name];
    source.epoch = each.epoch;
    source.accepted = source.durable = each.accepted;
    source.resumes = each.resumes;
    source.offset = ClockOffset(each.clock_offset);
  }
}

void Ingest::ack(const Source& source) {
  if (source.peer.empty()) return;
  v1::ToAdapter message;
  message.mutable_ack()->set_epoch(source.epoch);
  message.mutable_ack()->set_sequence(source.durable);
  message.mutable_ack()->set_credit(credit());
  world_.send(source.peer, message);
}

void Ingest::refuse_batch(Source& source, v1::RejectCode code, const std::string& reason, Time now) {
  const std::uint64_t expected = source.accepted + 1;
  if (source.refused_expected == expected && now - source.refused_at < refusal_holds) {
    ++counters_.rejects[static_cast<std::size_t>(code)];
    return;
  }
  source.refused_expected = expected;
  source.refused_at = now;
  reject(source.peer, code, reason, code == v1::REJECT_CODE_GAP ? expected : 0);
}

void Ingest::reject(const std::string& peer, v1::RejectCode code, const std::string& reason, std::uint64_t expected) {
  ++counters_.rejects[static_cast<std::size_t>(code)];
  v1::ToAdapter message;
  message.mutable_reject()->set_code(code);
  message.mutable_reject()->set_reason(reason);
  message.mutable_reject()->set_expected_sequence(expected);
  world_.send(peer, message);
  world_.remark(v1::RejectCode_Name(code), "a message to the ingest socket is rejected: " + reason);
}

}  // namespace reach::shell
