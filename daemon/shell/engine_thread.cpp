#include "daemon/shell/engine_thread.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <zmq.hpp>

#include "daemon/program/program.hpp"
#include "daemon/shell/connections.hpp"
#include "daemon/shell/queries.hpp"
#include "daemon/shell/unread.hpp"
#include "daemon/shell/zap.hpp"

namespace reach::shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Messages are taken for so long a round; then queries, publication and acknowledgements get a turn, and peers that had
// nothing to say so far: a socket that always has a message looks for those only at every hundredth frame.
constexpr Duration ingest_time = milliseconds(1);
constexpr int query_portion = 16;                 // requests a round ...
constexpr Duration query_time = milliseconds(2);  // ... and no more after so long: a large snapshot takes longer
constexpr int subscription_portion = 500;         // subscriptions a round
constexpr std::size_t most_posted = 64;
constexpr std::size_t most_pending_replies = 1000;
constexpr std::size_t most_acknowledge_by = 100, most_acknowledge_note = 1000;  // bytes
constexpr int ingest_queue = 100;  // messages, each a little over max_frame at most
// A long absence is gone through in pieces, each of which takes much less time than the watchdog gives: whatever is
// worked out every few seconds is worked out thousands of times in a week.
constexpr Duration piece_of_absence = std::chrono::hours(1);
constexpr Duration clocks_differ = std::chrono::minutes(1), clock_word_every = std::chrono::hours(1);
constexpr int peer_portion = 1000;             // connections that come or go, per socket and round
constexpr std::size_t descriptors_kept = 256;  // for the event log, HTTP and ZeroMQ itself
// XPUB takes in all subscriptions that are there before it gives out the first, and goes on while more come in. So few
// may wait that a peer which never stops is counted, and cut off, in between.
constexpr int subscriptions_ahead = 2;  // on an encrypted connection its credentials take the place of one for ever
// Bytes; subscriptions are shorter, but the handshake needs as much.
constexpr std::int64_t longest_at_publish = 1024, longest_at_query = 64 * 1024;
constexpr Duration look_for_unheard_every = milliseconds(100);

int queue_for(const settings::Loaded& settings) {
  // A tick must fit: every state, source and pool, and an alert for each segment.
  const std::size_t tick = 4 * (settings.core.segments.size() + settings.core.pools.size()) +
                           2 * static_cast<std::size_t>(settings.daemon.max_sources);
  return static_cast<int>(std::min<std::size_t>(
      std::max<std::size_t>(tick, static_cast<std::size_t>(settings.daemon.subscriber_queue)), 10'000'000));
}

/// Bytes of a message to the ingest socket; a longer one ends its connection, one a little over max_frame is answered.
std::int64_t longest_frame(const settings::DaemonSettings& settings) {
  return settings.max_frame + settings.max_frame / 4;
}

/// Bytes that one connection, and all of a socket, may have sent since their last whole messages. Adapters are told how
/// much may be on its way, and a thousand of them may send at once; at the other sockets nothing large is ever sent.
struct MostUnheard {
  std::uint64_t of_one, of_all;
};
MostUnheard most_unheard(keys::Door door, const settings::DaemonSettings& settings) {
  constexpr std::uint64_t mib = 1U << 20;
  const bool ingest = door == keys::Door::ingest;
  return {(ingest ? static_cast<std::uint64_t>(4 * longest_frame(settings)) : 0) + 4 * mib, (ingest ? 256 : 32) * mib};
}

/// Connections that each of the three sockets may have, and as many that have said nothing yet. Without descriptors the
/// event log cannot go on and ZeroMQ spins at its listening socket, so a quarter of them stays free for those that come
/// before the first are cut off.
std::size_t connections_for(const settings::DaemonSettings& settings) {
  const auto wanted = static_cast<std::size_t>(settings.max_connections);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto granted = std::max<std::size_t>(limit.rlim_cur, descriptors_kept + 40) - descriptors_kept;
  const std::size_t most = granted / 8;
  if (wanted <= most) return wanted;
  spdlog::warn(
      "max_connections is {} and not {}: the system grants {} open files (LimitNOFILE= of the unit, ulimit -n)", most,
      wanted, limit.rlim_cur);
  return most;
}

void to_big_endian(std::uint64_t number, unsigned char* out) {
  for (int i = 7; i >= 0; --i, number >>= 8) out[i] = static_cast<unsigned char>(number & 0xff);
}

}  // namespace

struct EngineThread::Sockets {
  /// One of the three sockets, and who is connected to it.
  struct Watched {
    Watched(zmq::context_t& context, zmq::socket_t& socket, keys::Door which, std::size_t connections_most,
            std::size_t subscriptions_most)
        : door(which),
          monitor(context, socket, std::string(keys::to_text(which)) + "-monitor"),
          connections(connections_most, connections_most, subscriptions_most) {}
    keys::Door door;
    SocketMonitor monitor;
    Connections connections;
    bool handshake_failed = false;  ///< of the connection that ends next
  };

  Sockets(const settings::Loaded& settings, const Admission& admission)
      : locks{EndpointLock(settings.daemon.ingest), EndpointLock(settings.daemon.publish),
              EndpointLock(settings.daemon.query)},
        context(make_context()),
        guards{{admission.secret, keys::Door::ingest},
               {admission.secret, keys::Door::publish},
               {admission.secret, keys::Door::query}},
        guarded{guards[0].guards(settings.daemon.ingest), guards[1].guards(settings.daemon.publish),
                guards[2].guards(settings.daemon.query)},
        most(connections_for(settings.daemon)) {
    if (guarded[0] || guarded[1] || guarded[2]) zap.emplace(context, admission.allowed);
    ingest =
        bind_router(context, settings.daemon.ingest, {ingest_queue, 10'000, longest_frame(settings.daemon)}, guards[0]);
    publish = bind_xpub(context, settings.daemon.publish,
                        {subscriptions_ahead, queue_for(settings), longest_at_publish}, guards[1]);
    query = bind_router(context, settings.daemon.query, {100, 100, longest_at_query}, guards[2]);
    const auto subscriptions = static_cast<std::size_t>(settings.daemon.max_subscriptions);
    watched.emplace_back(context, ingest, keys::Door::ingest, most, 0);
    watched.emplace_back(context, publish, keys::Door::publish, most, subscriptions);
    watched.emplace_back(context, query, keys::Door::query, most, 0);
  }
  [[nodiscard]] bool has_keys(keys::Door door) const { return guarded[static_cast<std::size_t>(door)]; }
  [[nodiscard]] Connections& connections(keys::Door door) {
    return watched[static_cast<std::size_t>(door)].connections;
  }

  EndpointLock locks[3];
  zmq::context_t context;
  const Guard guards[3];  ///< in the order of keys::Door
  const bool guarded[3];
  const std::size_t most;
  std::optional<Zap> zap;  ///< before every bind, and until the last socket is closed
  zmq::socket_t ingest, publish, query;
  Unread unread;                ///< at the query socket
  std::deque<Watched> watched;  ///< in the order of keys::Door
  struct Parts {
    zmq::message_t identity, frame, more;
  } parts;  // kept from message to message
};

EngineThread::EngineThread(settings::Loaded settings, Admission admission, OpenLog open_log, EngineReports reports)
    : settings_(std::move(settings)),
      admission_(std::move(admission)),
      open_log_(std::move(open_log)),
      reports_(std::move(reports)),
      alive_ns_(steady_clock::now().time_since_epoch().count()) {
  thread_ = std::thread([this] { run(); });
}

EngineThread::~EngineThread() {
  stop();
  thread_.join();
}

void EngineThread::stop() noexcept {
  stopping_ = true;
  wake_.notify();
}

bool EngineThread::post(std::function<void()> task) {
  {
    const std::lock_guard lock(posted_mutex_);
    if (posted_.size() >= most_posted) return false;
    posted_.push_back(std::move(task));
  }
  wake_.notify();
  return true;
}

bool EngineThread::reload(settings::Loaded settings, std::shared_ptr<const keys::AllowedKeys> allowed) {
  return post([this, moved = std::make_shared<settings::Loaded>(std::move(settings)), allowed = std::move(allowed)] {
    // Without key_file no keys were read; that it is gone takes effect at the next restart.
    if (sockets_ && sockets_->zap && !moved->daemon.key_file.empty()) {
      admission_.allowed = allowed;
      sockets_->zap->set_allowed(allowed);
      cut_who_lost_his_key();
      spdlog::info("{} keys are allowed", allowed->size());
    }
    apply(std::move(*moved));
  });
}

bool EngineThread::scrape(std::function<void(MetricsCopy)> done) {
  return post([this, done = std::move(done)] { done(copy()); });
}

steady_clock::time_point EngineThread::alive_at() const noexcept {
  return steady_clock::time_point(steady_clock::duration(alive_ns_.load(std::memory_order_relaxed)));
}

// ---- the life of the thread ----------------------------------------------------------------------------------------

void EngineThread::run() {
  int code = program::exit_good;
  std::string why;
  try {
    log_ = open_log_([this] {
      log_changed_ = true;
      wake_.notify();
    });
    recover();
    if (!stopping_) {
      sockets_ = std::make_unique<Sockets>(settings_, admission_);
      begin();
      open_ = true;
      if (!stopping_) reports_.ready();
    }
    while (!stopping_) round();
    snapshots_.reset();
    if (sockets_ && !ingest_->catching_up()) {
      pass_time(clock_->now());  // what is due by now must be said: who reads the log takes it for said
      append_time(engine_->now());
    }
    if (sockets_) spdlog::info("stopping: making durable and acknowledging what was taken");
    if (!log_->stop()) {
      code = program::exit_failed;
      why = "the event log could not be written to its end: " + log_->problem() +
            "; what it lacks was not acknowledged and comes again";
    }
    if (sockets_) log_changed();
  } catch (const StartProblem& e) {
    code = e.exit_code;
    why = e.what();
  } catch (const log::LogError& e) {
    code = program::exit_failed;
    why = e.what();
  } catch (const std::system_error& e) {
    code = program::exit_failed;
    why = (engine_ ? "the engine thread failed: " : "the event log cannot be read: ") + std::string(e.what());
    if (!engine_ && e.code() == std::errc::permission_denied)
      why += "; its files must belong to the user that reachd runs as";
  } catch (const std::exception& e) {
    code = program::exit_failed;
    why = std::string("the engine thread failed: ") + e.what();
  }
  snapshots_.reset();
  sockets_.reset();
  reports_.end(code, why);
}

void EngineThread::recover() {
  const auto began = steady_clock::now();
  const auto wall = [] { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); };
  auto told = began;
  replica::Replica replica(settings_.core);
  const log::Lsn end = log_->durable();
  const replica::Recovery recovery = replica::recover(*log_, end, replica, [&](log::Lsn number) {
    if (stopping_) throw StartProblem("stopped while reading the event log", program::exit_good);
    if (number % 256 != 0) return;
    const auto now = steady_clock::now();
    alive_ns_ = now.time_since_epoch().count();
    if (now - told < seconds(1)) return;
    told = now;
    reports_.progress("reading the event log: record " + std::to_string(number) + " of " + std::to_string(end));
  });
  for (const std::string& note : recovery.notes) spdlog::warn("{}", note);
  const std::uint64_t unread = recovery.records > 0 ? log_->bytes_from(recovery.snapshot + 1) : 0;
  const auto every = static_cast<std::uint64_t>(settings_.daemon.snapshot_every);
  // Who has read much need not read it again: should the next end come before the next snapshot, starts would take
  // longer each time.
  std::optional<ReadySnapshot> ready;
  if (replica.engine() != nullptr && unread >= std::max(every, recovery.snapshot_bytes) / 4 * 3) {
    ready.emplace(ReadySnapshot{end, {}});
    replica.save([&](std::string_view piece) { ready->content += piece; });
  }
  if (replica.engine() != nullptr) {
    engine_.emplace(std::move(*replica.engine()));
    was_down_since_ = engine_->now();
  } else {
    engine_.emplace(settings_.core, EngineOptions{}, wall());
  }
  clock_.emplace(wall(), steady_clock::now(), engine_->now());
  ingest_.emplace(limits(), static_cast<IngestWorld&>(*this));
  ingest_->resume(replica.numbers());
  const Time now = clock_->now();
  publisher_.emplace(
      *engine_, settings_.daemon.publish_interval, now, [this](const Message& message) { say(message); },
      [this](v1::SourceState& state) {
        const auto found = ingest_->sources().find(state.id());
        if (found == ingest_->sources().end()) return;
        state.set_clock_offset_s(seconds_of(found->second.offset.applied()));
        state.set_duplicates(found->second.duplicates);
      });
  snapshots_.emplace(*log_, settings_.core, every, unread, std::move(ready),
                     [](const std::string& sentence) { spdlog::error("{}", sentence); });
  spdlog::info(
      "event log read: {} records with {} inputs{} in {:.1f} s, {} live contacts", recovery.records, recovery.inputs,
      recovery.snapshot == 0 ? std::string() : " after the snapshot of record " + std::to_string(recovery.snapshot),
      std::chrono::duration<double>(steady_clock::now() - began).count(), engine_->totals().live_contacts);
}

/// What happens between the last record of the log and the first message.
void EngineThread::begin() {
  const Time now = clock_->now();
  if (!was_down_since_) {
    append_configuration(now);
  } else {
    // Time stands still until the sources have sent what waited for this daemon.
    const auto& behind = engine_->behind();
    ingest_->catch_up(engine_->now(), now, behind && !behind->until);
    if (!ingest_->catching_up()) pass_time(now);
    if (engine_->config().fingerprint != settings_.core.fingerprint) {
      // What happened meanwhile is taken by the rules that are in force now.
      const Time at = ingest_->catching_up() ? engine_->now() : clock_->now();
      if (append_configuration(at)) engine_->reconfigure(settings_.core, at, decisions_);
      decide();  // alerts that come of it are said before others take their numbers
      publisher_->restart(settings_.daemon.publish_interval, now);
    }
  }
  decide();
}

void EngineThread::round() {
  Time now = clock_->now();
  const bool stands = ingest_->catching_up();
  Time due = std::min({publisher_->next(), next_second_, next_unheard_, now + seconds(1)});
  if (!stands) due = std::min(due, engine_->next_wakeup());
  if (now < look_until_) due = std::min(due, next_look_);
  if (more_backlog_) due = now;
  const auto left = due <= now ? milliseconds(0) : std::chrono::ceil<milliseconds>(due - now);
  zmq::pollitem_t items[] = {{sockets_->ingest.handle(), 0, ZMQ_POLLIN, 0},
                             {sockets_->publish.handle(), 0, ZMQ_POLLIN, 0},
                             {sockets_->query.handle(), 0, ZMQ_POLLIN, 0},
                             {sockets_->watched[0].monitor.socket().handle(), 0, ZMQ_POLLIN, 0},
                             {nullptr, wake_.fd(), ZMQ_POLLIN, 0},
                             {sockets_->watched[1].monitor.socket().handle(), 0, ZMQ_POLLIN, 0},
                             {sockets_->watched[2].monitor.socket().handle(), 0, ZMQ_POLLIN, 0}};
  try {
    zmq::poll(items, std::size(items), left);
  } catch (const zmq::error_t& e) {
    if (e.num() != EINTR) throw;
  }
  alive_ns_.store(steady_clock::now().time_since_epoch().count(), std::memory_order_relaxed);

  if (items[4].revents != 0) {
    wake_.clear();
    do_posted();
  }
  if (items[0].revents != 0) receive_ingest();
  now = clock_->now();
  if (now < look_until_ && now >= next_look_) {
    next_look_ = now + milliseconds(10);
    ingest_->look_for_gone(now);
  }
  if (ingest_->catching_up()) {
    more_backlog_ = ingest_->release(now);
    if (!ingest_->catching_up()) say_caught_up();
  }
  if (!ingest_->catching_up() && engine_->next_wakeup() <= now) pass_time(now);
  if (log_changed_.exchange(false)) log_changed();
  if (items[3].revents != 0 || items[5].revents != 0 || items[6].revents != 0) watch_peers();
  if (items[1].revents != 0) receive_subscriptions();
  if (items[2].revents != 0) receive_queries();
  if (now >= next_unheard_) cut_unheard(now);
  if (now >= next_second_) {
    next_second_ = now + seconds(1);
    watch_door();
    watch_clock(now);
    if (log_->problem() != told_log_problem_) log_changed();  // a disk that hangs calls nobody
    ingest_->pulse(now);
  }
  publisher_->hold_states(ingest_->catching_up());
  publisher_->work(std::max(clock_->now(), engine_->now()));
}

// ---- ingest --------------------------------------------------------------------------------------------------------

void EngineThread::receive_ingest() {
  auto& [identity, frame, more] = sockets_->parts;
  Connections& connections = sockets_->connections(keys::Door::ingest);
  Time now = clock_->now();
  for (const Time until = now + ingest_time; now < until;) {
    if (!sockets_->ingest.recv(identity, zmq::recv_flags::dontwait)) return;
    std::size_t frames = 0;
    bool follows = identity.more();
    while (follows) {
      zmq::message_t& into = frames == 0 ? frame : more;
      static_cast<void>(sockets_->ingest.recv(into, zmq::recv_flags::none));
      follows = into.more();
      ++frames;
    }
    const std::string peer = identity.to_string();
    now = clock_->now();
    if (frames > 0) connections.heard(descriptor_of(frame));
    if (frames != 1) {
      ingest_->take_malformed(peer, "a message here is one frame, this had " + std::to_string(frames));
    } else if (connections.any_silent() && !has_place(descriptor_of(frame), keys::Door::ingest)) {
      continue;
    } else if (!sockets_->has_keys(keys::Door::ingest)) {
      ingest_->take(peer, {frame.data<char>(), frame.size()}, now);
    } else if (const keys::PublicKey* const key = admitted(frame, keys::Door::ingest)) {
      ingest_->take(peer, {frame.data<char>(), frame.size()}, now, key);
    }
  }
}

bool EngineThread::send(const std::string& peer, const v1::ToAdapter& message) {
  if (!sockets_) return false;
  try {
    if (!sockets_->ingest.send(zmq::buffer(peer), zmq::send_flags::sndmore | zmq::send_flags::dontwait)) {
      ++counters_.replies_dropped;
      return true;  // it is there, and slow
    }
    zmq::message_t bytes(message.ByteSizeLong());
    message.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    static_cast<void>(sockets_->ingest.send(bytes, zmq::send_flags::dontwait));
    return true;
  } catch (const zmq::error_t& e) {
    if (e.num() == EHOSTUNREACH) return false;
    throw;
  }
}

log::Lsn EngineThread::append(std::string record) {
  return log_->append(std::move(record));
}

std::string EngineThread::log_problem() const {
  return log_->problem();
}

void EngineThread::step(const Input& input, Time now) {
  pass_weeks(now, false);
  engine_->step(input, now, decisions_);
  if (!decisions_.empty()) decide();
}

void EngineThread::append_time(Time now) {
  v1::LogRecord record;
  record.set_received_ns(static_cast<std::uint64_t>(ns_of(now)));
  record.set_time_passed(true);
  append(record.SerializeAsString());
}

void EngineThread::pass_time(Time now) {
  pass_weeks(now, true);
  if (now - engine_->now() <= piece_of_absence) pass_piece(now, true);  // else it was told to stop in between
}

/// All but the last piece of the time up to `now`, which is little but after an absence; as one step over it would be.
void EngineThread::pass_weeks(Time now, bool record) {
  Time at = engine_->now() + piece_of_absence;
  if (at >= now) return;
  for (auto told = steady_clock::now(); at < now && !stopping_; at += piece_of_absence) {
    pass_piece(at, record);
    const auto real = steady_clock::now();
    alive_ns_ = real.time_since_epoch().count();
    if (open_ || real - told < seconds(1)) continue;
    told = real;
    reports_.progress("going through the time in which nothing ran: " + to_rfc3339(at));
  }
}

/// `record`: an alert that time brought is in the log, so that it is not said again; else the input is that follows.
void EngineThread::pass_piece(Time now, bool record) {
  engine_->step(TimePassed{}, now, decisions_);
  const auto is_alert = [](const Decision& decision) { return std::holds_alternative<AlertChanged>(decision); };
  if (record && std::ranges::any_of(decisions_, is_alert)) append_time(now);
  if (!decisions_.empty()) decide();
}

void EngineThread::decide() {
  for (const Decision& decision : decisions_) {
    if (const auto* alert = std::get_if<AlertChanged>(&decision)) {
      publisher_->alert(alert->alert);
      if (alert->alert.reason == AlertReason::fired) {
        counters_.event_to_alert.add(clock_->now() - alert->alert.changed);
      }
    } else if (const auto* segment = std::get_if<SegmentChanged>(&decision)) {
      publisher_->segment_changed(segment->segment);
    } else if (const auto* source = std::get_if<SourceChanged>(&decision)) {
      publisher_->source_changed(source->source);
    } else if (const auto* staffing = std::get_if<StaffingChanged>(&decision)) {
      publisher_->staffing_changed(staffing->pool);
    } else {
      const auto& odd = std::get<Remark>(decision);
      spdlog::warn("{}", odd.text);
    }
  }
  decisions_.clear();
}

void EngineThread::remark(std::string_view kind, const std::string& text) {
  const auto kept_back = remarks_.next(kind, engine_ ? clock_->now() : Time{});
  if (!kept_back) return;
  if (*kept_back > 0) {
    spdlog::warn("{} ({} more of this kind before)", text, *kept_back);
  } else {
    spdlog::warn("{}", text);
  }
}

void EngineThread::note(const std::string& text) {
  spdlog::info("{}", text);
}

void EngineThread::watch_peers() {
  for (Sockets::Watched& watched : sockets_->watched) {
    const bool adapters = watched.door == keys::Door::ingest;
    const std::string name(keys::to_text(watched.door));
    for (int i = 0; i < peer_portion; ++i) {
      const SocketMonitor::Event event = watched.monitor.next();
      if (event.seen == SocketMonitor::Seen::nothing) break;
      switch (event.seen) {
        case SocketMonitor::Seen::connected:
          if (adapters) ++counters_.adapters_connected;
          if (const auto cut = watched.connections.opened(event.fd)) {
            refuse({"too_many_connections", "silent connections " + name,
                    "cut off at the " + name + " socket, from " + watched.connections.address_of(*cut) +
                        ": it is the oldest of " + std::to_string(sockets_->most) +
                        " connections that have said nothing yet"});
          }
          break;
        case SocketMonitor::Seen::disconnected:
          if (std::exchange(watched.handshake_failed, false)) {
            refuse(
                {"handshake", "handshake " + name,
                 "refused at the " + name + " socket, from " + watched.connections.address_of(event.fd) +
                     (sockets_->has_keys(watched.door)
                          ? ": it does not speak ZeroMQ with the keys that this socket needs, or not with this daemon's"
                          : ": it does not speak ZeroMQ, or wants keys where there are none")});
          }
          watched.connections.closed(event.fd);
          if (watched.door == keys::Door::query) sockets_->unread.gone(event.fd);
          if (!adapters) break;
          ++counters_.adapters_disconnected;
          look_until_ = clock_->now() + milliseconds(100);  // the socket itself may not know yet
          next_look_ = {};
          break;
        case SocketMonitor::Seen::handshake_failed:
          if (adapters) ++counters_.handshakes_failed;
          watched.handshake_failed = true;
          break;
        case SocketMonitor::Seen::nothing:
        case SocketMonitor::Seen::other:
          break;
      }
    }
  }
}

// ---- who may come in -----------------------------------------------------------------------------------------------

void EngineThread::refuse(const Refusal& refusal) {
  ++counters_.refused[refusal.reason];
  remark(refusal.kind, refusal.text);
}

void EngineThread::watch_door() {
  if (!sockets_->zap) return;
  if (const std::string why = sockets_->zap->failure(); !why.empty()) {
    throw std::runtime_error("no client can be let in any more: " + why);
  }
  const Refusals refusals = sockets_->zap->take_refusals();
  for (const auto& [reason, count] : refusals.counts) counters_.refused[reason] += count;
  for (const Refusal& sample : refusals.samples) remark(sample.kind, sample.text);
}

void EngineThread::watch_clock(Time now) {
  const Duration ahead = clock_->behind_wall();
  if (std::chrono::abs(ahead) < clocks_differ) {
    if (next_clock_word_ != Time{}) spdlog::info("the time of reachd and the system's clock agree again");
    next_clock_word_ = {};
    return;
  }
  if (now < next_clock_word_) return;
  next_clock_word_ = now + clock_word_every;
  const std::string by = format_duration(std::chrono::round<seconds>(std::chrono::abs(ahead)));
  if (ahead > Duration::zero()) {
    spdlog::warn(
        "the system's clock is {} ahead of reachd's time: it was set, or the machine slept; reachd follows by "
        "3 minutes an hour, or at once if it is restarted",
        by);
  } else {
    spdlog::warn(
        "the system's clock is {} behind reachd's time, which never steps back: it was set, or the event log was "
        "written with a clock that was ahead; reachd follows by 3 minutes an hour. If the clock is wrong, set it; if "
        "the log is, begin with an empty [event_log] directory",
        by);
  }
}

bool EngineThread::has_place(int fd, keys::Door door) {
  Connections& connections = sockets_->connections(door);
  if (fd >= 0 && !connections.peers().contains(fd)) watch_peers();  // that it came is told before what it says
  if (connections.spoke(fd)) return true;
  const std::string name(keys::to_text(door));
  refuse({"too_many_connections", "connections " + name,
          "refused at the " + name + " socket, from " + connections.address_of(fd) + ": it has " +
              std::to_string(sockets_->most) + " connections already ([endpoints] max_connections)"});
  return false;
}

const keys::PublicKey* EngineThread::admitted(zmq::message_t& frame, keys::Door door) {
  const std::string_view z85 = key_of(frame);
  const keys::PublicKey* const key = admission_.allowed->find(z85);
  if (key != nullptr && keys::may_open(key->role, door)) return key;
  Connections& connections = sockets_->connections(door);
  const int fd = descriptor_of(frame);
  const std::string where = std::string(keys::to_text(door)) + " socket, from " + connections.address_of(fd);
  if (z85.empty()) {
    refuse({"no_key", "no key", "refused at the " + where + ": a message without a key"});
  } else {
    refuse({"key_removed", "key removed",
            "refused at the " + where + ": the key " +
                (key != nullptr ? key->name + " may not use it any more"
                                : std::string(z85.substr(0, 8)) + "… is no longer allowed")});
  }
  connections.cut(fd);
  return nullptr;
}

/// Who only listens says nothing by which it could be refused.
void EngineThread::cut_who_lost_his_key() {
  Connections& connections = sockets_->connections(keys::Door::publish);
  for (const auto& [fd, peer] : connections.peers()) {
    if (peer.key.empty()) continue;  // not encrypted, or it has not subscribed yet
    const keys::PublicKey* const key = admission_.allowed->find(peer.key);
    if (key != nullptr && keys::may_open(key->role, keys::Door::publish)) continue;
    refuse({"key_removed", "key removed",
            "cut off at the publish socket, from " + peer.address + ": the key " +
                (key != nullptr ? key->name : peer.key.substr(0, 8) + "…") + " is no longer allowed there"});
    connections.cut(fd);
  }
}

void EngineThread::cut_unheard(Time now) {
  for (Sockets::Watched& watched : sockets_->watched) {
    const MostUnheard most = most_unheard(watched.door, settings_.daemon);
    for (const auto& [fd, bytes] : watched.connections.cut_unheard(most.of_one, most.of_all, steady_clock::now())) {
      refuse({"endless_message", "endless message",
              "cut off at the " + std::string(keys::to_text(watched.door)) + " socket, from " +
                  watched.connections.address_of(fd) + ": it has sent " + std::to_string(bytes) +
                  " bytes that make no whole message"});
    }
  }
  next_unheard_ = now + std::max(look_for_unheard_every, 20 * (clock_->now() - now));
}

void EngineThread::log_changed() {
  const log::Lsn durable = log_->durable();
  ingest_->log_reached(durable);
  while (!pending_replies_.empty() && pending_replies_.front().after <= durable) {
    const PendingReply& ready = pending_replies_.front();
    reply(ready.peer, ready.delimiter, ready.reply);
    pending_replies_.pop_front();
  }
  const log::Statistics statistics = log_->statistics();
  if (snapshots_) snapshots_->log_is(statistics.bytes);
  if (std::string problem = log_->problem(); problem != told_log_problem_) {
    const bool changed = problem.empty() != told_log_problem_.empty();
    if (problem.empty()) {
      spdlog::info("the event log is written again");
    } else {
      spdlog::error("the event log cannot be written, nothing is acknowledged, figures stay live: {}", problem);
    }
    told_log_problem_ = std::move(problem);
    if (changed) {
      // An input like any other: in the log it stands where the trouble was, as soon as that can be written.
      const Time now = ingest_->catching_up() ? engine_->now() : clock_->now();
      v1::LogRecord record;
      record.set_received_ns(static_cast<std::uint64_t>(ns_of(now)));
      record.mutable_trouble()->set_problem(told_log_problem_);
      append(record.SerializeAsString());
      step(LogTrouble{told_log_problem_}, now);
    }
  }
}

// ---- publication and queries ---------------------------------------------------------------------------------------

void EngineThread::say(const Message& message) {
  if (!sockets_) return;
  unsigned char sequence[8], global[8];
  to_big_endian(message.sequence, sequence);
  to_big_endian(message.global, global);
  zmq::socket_t& out = sockets_->publish;
  constexpr auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
  // XPUB never blocks and never fails for a slow subscriber: it drops for that one.
  static_cast<void>(out.send(zmq::buffer(message.topic), more));
  static_cast<void>(out.send(zmq::buffer(sequence), more));
  static_cast<void>(out.send(zmq::buffer(global), more));
  static_cast<void>(out.send(zmq::buffer(message.payload), zmq::send_flags::dontwait));
}

void EngineThread::receive_subscriptions() {
  Connections& connections = sockets_->connections(keys::Door::publish);
  const bool guarded = sockets_->has_keys(keys::Door::publish);
  for (int i = 0; i < subscription_portion; ++i) {
    zmq::message_t& frame = sockets_->parts.frame;
    if (!sockets_->publish.recv(frame, zmq::recv_flags::dontwait)) return;
    if (frame.size() == 0) continue;
    const int fd = descriptor_of(frame);
    connections.heard(fd);
    const std::string_view prefix = std::string_view(frame.data<char>(), frame.size()).substr(1);
    if (*frame.data<unsigned char>() == 0) connections.unsubscribed(fd, prefix);
    if (*frame.data<unsigned char>() != 1) continue;
    if (guarded && admitted(frame, keys::Door::publish) == nullptr) continue;
    if (!has_place(fd, keys::Door::publish)) continue;
    if (prefix.size() > Publisher::longest_prefix) {
      refuse({"long_subscription", "long subscription",
              "cut off at the publish socket, from " + connections.address_of(fd) + ": a subscription of " +
                  std::to_string(prefix.size()) + " bytes, and no topic has more than " +
                  std::to_string(Publisher::longest_prefix)});
      connections.cut(fd);
      continue;
    }
    if (!connections.subscribed(fd, guarded ? key_of(frame) : std::string_view(), prefix)) {
      refuse({"too_many_subscriptions", "subscriptions",
              "cut off at the publish socket, from " + connections.address_of(fd) + ": it has more than " +
                  std::to_string(settings_.daemon.max_subscriptions) + " subscriptions ([publish] max_subscriptions)"});
      continue;
    }
    if (const auto cut = connections.relieve_subscriptions()) {
      refuse({"too_many_subscriptions", "subscriptions of all",
              "cut off at the publish socket, from " + connections.address_of(*cut) +
                  ": it has the most subscriptions, and all together have more than " +
                  std::to_string(Connections::most_subscription_bytes >> 20) + " MiB"});
    }
    publisher_->subscribed(prefix);
  }
}

void EngineThread::receive_queries() {
  const Time began = clock_->now();
  for (int i = 0; i < query_portion && (i == 0 || clock_->now() - began < query_time); ++i) {
    if (!sockets_->query.recv(sockets_->parts.identity, zmq::recv_flags::dontwait)) return;
    const std::string peer = sockets_->parts.identity.to_string();
    bool delimiter = false, follows = sockets_->parts.identity.more(), good = false;
    v1::Request request;
    const keys::PublicKey* key = nullptr;
    int fd = -1;
    bool refused = false;
    for (std::size_t n = 0; follows; ++n) {
      zmq::message_t& frame = sockets_->parts.frame;
      static_cast<void>(sockets_->query.recv(frame, zmq::recv_flags::none));
      follows = frame.more();
      if (n == 0 && frame.size() == 0 && follows) {
        delimiter = true;  // a REQ socket asks
      } else {
        good = !follows && request.ParseFromArray(frame.data(), static_cast<int>(frame.size()));
        if (!follows && sockets_->has_keys(keys::Door::query)) key = admitted(frame, keys::Door::query);
        refused = !follows && sockets_->has_keys(keys::Door::query) && key == nullptr;
        fd = descriptor_of(frame);
      }
    }
    sockets_->connections(keys::Door::query).heard(fd);
    if (refused || !has_place(fd, keys::Door::query)) continue;
    if (!good) request.Clear();
    answer(peer, fd, delimiter, request, shown_at(), key);
  }
}

void EngineThread::answer(const std::string& peer, int fd, bool delimiter, const v1::Request& request, Time now,
                          const keys::PublicKey* key) {
  v1::Reply out;
  log::Lsn after = 0;
  std::optional<v1::Error> problem;
  if (key != nullptr) problem = not_allowed(request, *key);
  if (problem) {
    refuse({"not_allowed", "not allowed " + key->name, "refused at the query socket: " + problem->message()});
  } else if (!sockets_->unread.has_room(peer)) {
    problem = error("unavailable", "answers to earlier requests have not been read yet; read them, then ask again");
    refuse({"unread_answers", "unread answers",
            "refused at the query socket: somebody asks and does not read the answers" +
                (key != nullptr ? ", with the key " + key->name : std::string())});
  } else if (request.has_acknowledge()) {
    problem = acknowledge(request.acknowledge(), now, key, out, after);
  } else {
    problem = answer_query(*engine_, *publisher_, request, now, out);
  }
  ++counters_.queries[kind_of(request)];
  if (problem) {
    ++counters_.bad_queries;
    *out.mutable_error() = *problem;
  }
  out.set_id(request.id());
  if (after > log_->durable()) {
    pending_replies_.push_back({after, peer, delimiter, std::move(out)});
  } else {
    reply(peer, delimiter, out);
    sockets_->unread.is_at(peer, fd, key == nullptr ? std::string() : key->name);
    relieve_unread();
  }
}

void EngineThread::relieve_unread() {
  Connections& connections = sockets_->connections(keys::Door::query);
  sockets_->unread.relieve([&](int fd, const std::string& key, std::size_t bytes) {
    if (!connections.cut(fd)) return false;
    refuse({"unread_answers", "unread answers cut",
            "cut off at the query socket, from " + connections.address_of(fd) +
                (key.empty() ? std::string() : ", with the key " + key) + ": it has not read " + std::to_string(bytes) +
                " bytes of answers, and all together too many wait"});
    return true;
  });
}

void EngineThread::reply(const std::string& peer, bool delimiter, const v1::Reply& reply) {
  constexpr auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
  try {
    if (!sockets_->query.send(zmq::buffer(peer), more)) {
      ++counters_.replies_dropped;
      return;
    }
    if (delimiter) static_cast<void>(sockets_->query.send(zmq::message_t(), more));
    zmq::message_t bytes = sockets_->unread.message(peer, reply.SerializeAsString());
    static_cast<void>(sockets_->query.send(bytes, zmq::send_flags::dontwait));
  } catch (const zmq::error_t& e) {
    if (e.num() != EHOSTUNREACH) throw;
    ++counters_.replies_dropped;  // it did not wait for the answer
  }
}

std::optional<v1::Error> EngineThread::acknowledge(const v1::AcknowledgeRequest& request, Time now,
                                                   const keys::PublicKey* key, v1::Reply& out, log::Lsn& after) {
  if (request.alert().empty() || request.by().empty()) {
    return error("bad_request", "acknowledging needs the alert's id and who takes it (\"by\")");
  }
  const auto find = [&]() -> std::optional<Alert> {
    for (Alert& alert : engine_->alerts(false)) {
      if (alert.id == request.alert()) return std::move(alert);
    }
    return std::nullopt;
  };
  if (request.by().size() > most_acknowledge_by || request.note().size() > most_acknowledge_note) {
    return error("bad_request", "acknowledging takes at most " + std::to_string(most_acknowledge_by) +
                                    " bytes of who takes it (\"by\") and " + std::to_string(most_acknowledge_note) +
                                    " of \"note\"");
  }
  if (!find()) {
    return error("not_found", "no alert \"" + request.alert() + "\" is open; ask for the alerts to see their ids");
  }
  if (pending_replies_.size() >= most_pending_replies) {
    return error("unavailable", std::to_string(most_pending_replies) +
                                    " acknowledgements wait for the event log already; try again in a moment");
  }
  v1::LogRecord record;
  record.set_received_ns(static_cast<std::uint64_t>(ns_of(now)));
  v1::LoggedAcknowledge& logged = *record.mutable_acknowledge();
  logged.set_alert(request.alert());
  logged.set_by(key == nullptr ? request.by() : request.by() + " (key " + key->name + ")");  // who says it is proven
  logged.set_note(request.note());
  logged.set_until_ns(request.until_ns());
  after = append(record.SerializeAsString());
  if (after == 0) return error("unavailable", "the event log takes nothing now: " + log_problem() + "; try again");
  wire::Scratch scratch;
  wire::for_each_input(
      record, scratch, [&](const Input& input, Time) { step(input, now); },
      [](const v1::Event&, const std::string&) {});
  if (!engine_->last_acknowledge().done) return error("bad_request", engine_->last_acknowledge().problem);
  if (const auto alert = find()) wire::to_proto(*alert, *out.mutable_acknowledged());
  return std::nullopt;
}

// ---- from the main thread ------------------------------------------------------------------------------------------

void EngineThread::do_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

IngestLimits EngineThread::limits() const {
  return {static_cast<std::uint32_t>(settings_.daemon.credit),
          static_cast<std::size_t>(settings_.daemon.max_frame),
          settings_.core.stale_after,
          settings_.daemon.wait_for_source,
          static_cast<std::size_t>(settings_.daemon.max_sources),
          settings_.daemon.max_rate};
}

bool EngineThread::append_configuration(Time now) {
  v1::LogRecord record;
  record.set_received_ns(static_cast<std::uint64_t>(ns_of(now)));
  v1::LoggedConfiguration& logged = *record.mutable_configuration();
  logged.set_fingerprint(settings_.core.fingerprint);
  for (const settings::Text& text : settings_.texts) {
    v1::ConfigurationFile& file = *logged.add_files();
    file.set_name(text.file);
    file.set_text(text.text);
  }
  return append(record.SerializeAsString()) != 0;
}

Time EngineThread::shown_at() {
  return ingest_->catching_up() ? engine_->now() : std::max(clock_->now(), engine_->now());
}

void EngineThread::say_caught_up() {
  const auto& behind = engine_->behind();
  if (!behind || behind->events == 0) return;
  spdlog::warn("{} events had waited: the figures from {} to {} were behind until {}", behind->events,
               to_rfc3339(behind->from), to_rfc3339(behind->to), to_rfc3339(engine_->now()));
}

void EngineThread::apply(settings::Loaded settings) {
  const auto& was = settings_.daemon;
  const auto& is = settings.daemon;
  if (was.ingest != is.ingest || was.publish != is.publish || was.query != is.query || was.metrics != is.metrics ||
      was.log_directory != is.log_directory || was.log_file_size != is.log_file_size ||
      was.snapshot_every != is.snapshot_every || was.log_retain_for != is.log_retain_for ||
      was.log_retain_size != is.log_retain_size || was.max_connections != is.max_connections ||
      was.max_subscriptions != is.max_subscriptions || is.max_frame > longest_frame(was) ||
      was.key_file != is.key_file || was.log_level != is.log_level || was.log_format != is.log_format) {
    spdlog::warn(
        "changed [endpoints], key_file, max_subscriptions, a much larger max_frame, [event_log] and [logging] take "
        "effect at the next restart");
  }
  const settings::Loaded old = std::exchange(settings_, std::move(settings));
  const Time now = shown_at();
  if (engine_->config().fingerprint != settings_.core.fingerprint) {
    if (!append_configuration(now)) {
      settings_ = old;
      spdlog::error("the event log takes nothing now: the old configuration stays in force; try again");
      return;
    }
    engine_->reconfigure(settings_.core, now, decisions_);
  }
  ingest_->set_limits(limits());
  set_send_queue(sockets_->publish, queue_for(settings_));
  decide();  // alerts that come of it are said before others take their numbers
  publisher_->restart(settings_.daemon.publish_interval, now);
  spdlog::info("the new configuration is in force");
}

MetricsCopy EngineThread::copy() {
  MetricsCopy out;
  const Time now = shown_at();
  out.counters = counters_;
  out.ingest = ingest_->counters();
  for (const Sockets::Watched& watched : sockets_->watched) {
    out.connections[std::string(keys::to_text(watched.door))] = watched.connections.count();
  }
  for (std::uint32_t i = 0; i < engine_->source_count(); ++i) {
    const SourceView view = engine_->view_source(i, now);
    MetricsCopy::Source& each = out.sources.emplace_back();
    each.id = view.id;
    each.last_heard = view.last_heard;
    if (const auto found = ingest_->sources().find(view.id); found != ingest_->sources().end()) {
      each.received = found->second.received;
      each.duplicates = found->second.duplicates;
      each.gaps = found->second.gaps;
      each.wait_timeouts = found->second.wait_timeouts;
      each.clock_offset_s = seconds_of(found->second.offset.applied());
      each.connected = !found->second.peer.empty();
    }
  }
  for (std::uint32_t i = 0; i < std::min(engine_->segment_count(), metric_segments); ++i) {
    const SegmentView view = engine_->view_segment(i, Window{}, now);
    out.segments.push_back(
        {view.id, view.figures.service_level, view.figures.longest_wait_s, view.figures.waiting, view.stale});
  }
  for (const AlertKind kind :
       {AlertKind::sla_breach, AlertKind::longest_wait, AlertKind::backlog_overdue, AlertKind::staffing_gap,
        AlertKind::no_agents, AlertKind::source_stale, AlertKind::log_failed}) {
    out.alerts_firing[std::string(to_text(kind))] = 0;
  }
  for (const Alert& alert : engine_->alerts(false)) {
    if (alert.state == AlertState::firing) ++out.alerts_firing[std::string(to_text(alert.kind))];
  }
  out.totals = engine_->totals();
  out.published = publisher_->published();
  out.resent = publisher_->resent();
  out.log = log_->statistics();
  out.log_problem = log_->problem();
  out.snapshots = snapshots_->counts();
  out.behind = engine_->behind();
  out.catching_up = ingest_->catching_up();
  out.clock_difference_s = seconds_of(clock_->behind_wall());
  return out;
}

}  // namespace reach::shell
