#include "tests/sim/simulation.hpp"

#include <algorithm>
#include <sstream>
#include <system_error>

#include "daemon/base/time.hpp"
#include "daemon/log/verify.hpp"

namespace reach::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration new_contacts_for = minutes(12), comes_to_rest_within = minutes(6);

std::string text_of(const v1::Alert& alert) {
  return alert.ShortDebugString();
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, Faults faults)
    : seed_(seed),
      faults_(faults),
      random_(seed * 2 + 1),
      disk_(std::make_shared<SimDisk>("log", random_)),
      subscriber_(random_, eight) {
  Random of_world(seed);
  world_ = make_world(of_world, new_contacts_for, faults_.on_the_dot);
  now_ = world_.begin;
  stop_at_ = world_.end + comes_to_rest_within;
  daemon_starts_ = now_;
  next_fault_ = now_ + seconds(1);
  next_snapshot_ = now_ + random_.between(seconds(5), minutes(2));
  next_check_ = now_;
  for (const Script& script : world_.scripts) {
    const Duration ahead = faults_.network ? random_.between(-seconds(2), seconds(2)) : Duration{};
    adapters_.push_back(std::make_unique<SimAdapter>(script,
                                                     std::make_shared<SimDisk>("spool of " + script.source, random_),
                                                     Way{}, ahead, random_, static_cast<AdapterWatcher&>(*this)));
    adapter_starts_[script.source] = now_ + milliseconds(100);
  }
}

std::string Simulation::where() const {
  std::ostringstream out;
  out << "at " << to_rfc3339(now_) << ": ";
  return out.str();
}

void Simulation::happened(const std::string& what) {
  ++outcome_.happened[what];
}

// ---- the world goes on ---------------------------------------------------------------------------------------------

Outcome Simulation::run() {
  bool healed = false;
  for (std::uint64_t rounds = 0;; ++rounds) {
    if (rounds > 20'000'000) throw Violation(where() + "time does not go on");
    now_ = std::max(now_, next());
    if (now_ >= stop_at_) break;
    if (now_ >= world_.end && !healed) {
      healed = true;
      heal();
    }
    if (!healed && now_ >= next_fault_) {
      next_fault_ = now_ + random_.between(Duration(1), 2 * faults_.every);
      something_happens();
    }
    work();
    if (rounds % 8 == 0) check_sums();
  }
  now_ = stop_at_;
  for (const auto& adapter : adapters_) {
    if (!adapter->is_done()) throw Violation(where() + "does not come to rest: " + adapter->describe());
    if (adapter->lost() > 0) throw Violation(where() + "the spool of " + adapter->source() + " lost events");
  }
  if (!daemon_) throw Violation(where() + "the daemon does not run");
  if (daemon_->ingest().catching_up()) throw Violation(where() + "still catching up");
  if (const std::string found = subscriber_.difference(daemon_->engine()); !found.empty())
    throw Violation(where() + "the subscriber: " + found);
  outcome_.happened["gap of the subscriber"] += static_cast<int>(subscriber_.state().gaps);
  outcome_.happened["message dropped for the subscriber"] += static_cast<int>(subscriber_.dropped());
  if (!daemon_->stop()) throw Violation(where() + "the log does not stop");
  check_figures();
  const log::Lsn durable = daemon_->durable();
  outcome_.counts = counts_of(daemon_->engine());
  check_log(durable);
  outcome_.records = durable;
  for (const auto& adapter : adapters_) {
    std::uint64_t last = 0;
    for (const Taken& each : taken_) {
      if (each.source == adapter->source()) last = std::max(last, number_of(each.event));
    }
    const std::size_t all = [&] {
      for (const Script& script : world_.scripts) {
        if (script.source == adapter->source()) return script.events.size();
      }
      return std::size_t{0};
    }();
    if (last != all) {
      throw Violation(where() + "the log ends at event " + std::to_string(last) + " of " + std::to_string(all) +
                      " of " + adapter->source());
    }
  }
  for (const Said& said : said_) outcome_.alerts.push_back(said.alert);
  daemon_.reset();
  return std::move(outcome_);
}

Time Simulation::next() const {
  Time due = now_ < world_.end ? std::min(world_.end, next_fault_) : stop_at_;
  due = std::min(due, daemon_ ? std::min(daemon_->next(), next_snapshot_) : daemon_starts_);
  due = std::min(due, subscriber_.next());
  for (const auto& adapter : adapters_)
    due = std::min(due, adapter->runs() ? adapter->next() : adapter_starts_.at(adapter->source()));
  return due;
}

template <class What>
void Simulation::with_daemon(const What& what) {
  try {
    what();
  } catch (const PowerCut&) {
  }
  if (disk_->is_off()) end_daemon(true);
}

template <class What>
void Simulation::with_adapter(SimAdapter& adapter, const What& what) {
  try {
    what();
  } catch (const PowerCut&) {
  } catch (const std::system_error&) {  // it says so and ends
    adapter.kill(now_);
    adapter_starts_[adapter.source()] = now_ + seconds(1);
  }
  if (!adapter.disk().is_off()) return;
  happened("power cut of an adapter");
  adapter.kill(now_);
  adapter.disk().restart_machine();
  adapter_starts_[adapter.source()] = now_ + random_.between(milliseconds(10), seconds(5));
}

void Simulation::work() {
  if (!daemon_ && now_ >= daemon_starts_) start_daemon();
  for (const auto& adapter : adapters_) {
    with_adapter(*adapter, [&] {
      if (!adapter->runs() && now_ >= adapter_starts_.at(adapter->source())) adapter->start(now_);
      adapter->work(now_, daemon_ != nullptr);
    });
  }
  subscriber_.work(now_, daemon_.get());
  if (!daemon_) return;
  with_daemon([&] {
    if (std::exchange(connection_ended_, false)) daemon_->connection_ended(now_);
    for (const auto& adapter : adapters_) {
      while (auto arrived = adapter->to_daemon(now_)) daemon_->receive(arrived->peer, arrived->frame, now_);
    }
    disk_->set_full(now_ < full_until_);
    daemon_->work(now_);
  });
  if (daemon_ && now_ >= next_snapshot_) {
    next_snapshot_ = now_ + random_.between(seconds(5), minutes(3));
    with_daemon([&] {
      if (faults_.daemon && now_ < world_.end && random_.chance(0.3)) disk_->cut_power_in(random_.pick(20));
      try {
        happened("snapshot");
        daemon_->make_snapshot();
      } catch (const std::system_error&) {  // told; the next one comes
      }
    });
  }
  if (!unpublished_.empty()) throw Violation(where() + "an alert was not published: " + text_of(said_.back().alert));
  if (daemon_ && now_ >= next_check_) {
    next_check_ = now_ + seconds(20);
    check_figures();
  }
}

void Simulation::start_daemon() {
  SimDaemon::Options options;
  options.log.segment_bytes = 20'000;
  if (faults_.retention) options.log.retain_for = minutes(2);
  options.log.write_takes = [this] {
    if (now_ < slow_until_) return random_.between(milliseconds(100), seconds(4));
    return faults_.network || faults_.disk ? random_.between(Duration(1000), milliseconds(5)) : Duration(1000);
  };
  options.wall_clock = options.log.wall_clock = [this] { return now_ + wall_ahead_; };
  options.limits.credit = 500;
  if (faults_.daemon && now_ < world_.end && random_.chance(0.4)) disk_->cut_power_in(random_.pick(60));
  topic_numbers_.clear();
  // What the log has is looked at before the new process adds to it.
  try {
    disk_->set_quiet(true);
    log::Segments segments(disk_, 1, log::Tail::leave);
    const log::Lsn durable = segments.durable();
    disk_->set_quiet(false);
    check_log(durable);
    daemon_ = std::make_unique<SimDaemon>(disk_, world_.settings, options, static_cast<DaemonWatcher&>(*this), now_);
    happened(daemon_->recovery().snapshot > 0 ? "start from a snapshot" : "start");
  } catch (const PowerCut&) {
  } catch (const log::LogError& e) {
    disk_->set_quiet(false);
    throw Violation(where() + "the daemon does not start: " + e.what());
  } catch (const std::system_error&) {
    happened("start refused by the disk");
    disk_->restart_process();
    daemon_starts_ = now_ + seconds(1);
    unpublished_.clear();
    return;
  }
  if (disk_->is_off()) {
    happened("power cut during the start");
    end_daemon(true);
  }
}

void Simulation::end_daemon(bool machine) {
  daemon_.reset();
  unpublished_.clear();
  if (machine) {
    disk_->restart_machine();
    happened("power cut of the daemon");
  } else {
    disk_->restart_process();
    happened("kill of the daemon");
  }
  for (const auto& adapter : adapters_) {
    if (adapter->runs()) with_adapter(*adapter, [&] { adapter->cut(now_); });
  }
  subscriber_.daemon_ended(now_);
  connection_ended_ = false;
  const bool longer = faults_.long_down && now_ < world_.end && random_.chance(0.2);
  daemon_starts_ = now_ + random_.between(milliseconds(1), longer ? seconds(30) : seconds(1));
}

void Simulation::heal() {
  Way good;
  for (const auto& adapter : adapters_) {
    adapter->set_way(good);
    adapter->keep_away(now_);
    adapter->swallow(now_);
  }
  full_until_ = slow_until_ = now_;
  disk_->stay_well();
  for (const auto& adapter : adapters_) adapter->disk().stay_well();
  subscriber_.stand_still(now_);
}

void Simulation::something_happens() {
  std::vector<std::function<void()>> choices;
  SimAdapter& adapter = *adapters_[random_.pick(adapters_.size())];
  if (faults_.daemon) {
    choices.push_back([&] {
      if (daemon_) end_daemon(false);
    });
    choices.push_back([&] { disk_->cut_power_in(random_.pick(random_.chance(0.5) ? 5 : 60)); });
    choices.push_back([&] {
      if (!daemon_) return;
      with_daemon([&] { static_cast<void>(daemon_->stop()); });
      if (daemon_) end_daemon(false);
      happened("orderly stop of the daemon");
    });
  }
  if (faults_.disk) {
    choices.push_back([&] {
      happened("the log's disk fails");
      disk_->fail_in(random_.pick(10));
    });
    choices.push_back([&] {
      happened("the log's disk is full");
      full_until_ = now_ + random_.between(milliseconds(10), seconds(20));
    });
    choices.push_back([&] {
      happened("the log's disk is slow");
      slow_until_ = now_ + random_.between(seconds(1), seconds(30));
    });
  }
  if (faults_.network) {
    choices.push_back([&] {
      happened("other ways");
      Way way;
      way.least = random_.between(Duration(0), milliseconds(2));
      way.most = way.least + random_.one_of<Duration>({Duration(0), milliseconds(5), milliseconds(300), seconds(2)});
      if (random_.chance(0.5)) way.lost = 0.1;
      if (random_.chance(0.5)) way.repeated = 0.2;
      way.reorders = random_.chance(0.5);
      adapter.set_way(way);
    });
    choices.push_back([&] {
      happened("connection cut");
      with_adapter(adapter, [&] { adapter.cut(now_); });
      if (random_.chance(0.3)) adapter.keep_away(now_ + random_.between(seconds(1), seconds(60)));
    });
    choices.push_back([&] {
      happened("black hole");
      adapter.swallow(now_ + random_.between(milliseconds(100), seconds(15)));
    });
    choices.push_back([&] {
      happened("the subscriber stands still");
      subscriber_.stand_still(now_ + random_.between(milliseconds(100), seconds(random_.chance(0.7) ? 3 : 20)));
    });
  }
  if (faults_.adapters) {
    choices.push_back([&] {
      if (!adapter.runs()) return;
      happened("kill of an adapter");
      adapter.kill(now_);
      adapter.disk().restart_process();
      adapter_starts_[adapter.source()] =
          now_ + random_.between(milliseconds(10), random_.chance(0.2) ? seconds(40) : seconds(3));
    });
    choices.push_back([&] { adapter.disk().cut_power_in(random_.pick(random_.chance(0.5) ? 5 : 60)); });
    choices.push_back([&] {
      happened("an adapter's disk fails");
      adapter.disk().fail_in(random_.pick(10));
    });
  }
  if (faults_.clocks) {
    choices.push_back([&] {
      happened("the daemon's clock is set");
      wall_ahead_ += random_.between(-hours(1), hours(1));
    });
    choices.push_back([&] {
      happened("a source's clock is set");
      adapter.set_clock_ahead(random_.between(-hours(1), hours(1)));
    });
  }
  if (choices.empty()) return;
  if (daemon_ && faults_.network && random_.chance(0.1)) {
    const auto alerts = daemon_->engine().alerts(false);
    if (!alerts.empty()) {
      happened("an alert is taken");
      with_daemon([&] { static_cast<void>(daemon_->acknowledge(alerts[random_.pick(alerts.size())].id, now_)); });
    }
    return;
  }
  choices[random_.pick(choices.size())]();
}

// ---- what the daemon and the adapters do ---------------------------------------------------------------------------

bool Simulation::reply(const std::string& peer, const v1::ToAdapter& message) {
  if (!peers_.contains(peer)) return false;
  const std::string source = peer.substr(0, peer.find('#'));
  const auto acknowledged = [&](std::uint64_t epoch, std::uint64_t number) {
    std::uint64_t& most = acknowledged_[{source, epoch}];
    most = std::max(most, number);
  };
  if (message.has_ack()) acknowledged(message.ack().epoch(), message.ack().sequence());
  if (message.has_welcome()) acknowledged(message.welcome().epoch(), message.welcome().next_sequence() - 1);
  for (const auto& adapter : adapters_) {
    if (adapter->source() == source) adapter->from_daemon(peer, message);
  }
  return true;
}

void Simulation::disconnected(const std::string& peer) {
  peers_.erase(peer);
  connection_ended_ = true;
}

void Simulation::recorded(log::Lsn number, const std::string& payload) {
  if (number == 0) {
    refused_ = true;
    return;
  }
  v1::LogRecord record;
  if (!record.ParseFromString(payload)) throw Violation(where() + "a record that cannot be read");
  if (!record.has_batch()) return;
  const Time received = time_from_ns(static_cast<std::int64_t>(record.received_ns()));
  for (const v1::Event& event : record.batch().events()) {
    const Time at = std::min(received, time_of(event) - Duration(record.clock_offset_ns()));
    taken_.push_back({number, record.batch().source(), event, at});
  }
}

void Simulation::alerted(const v1::Alert& alert, log::Lsn after, bool by_time) {
  check_next(alert);
  said_.push_back({alert, after, by_time});
  unpublished_.push_back(alert.SerializeAsString());
}

void Simulation::published(const shell::Message& message) {
  subscriber_.publish(message, now_);
  std::uint64_t& number = topic_numbers_[message.topic];
  if (message.topic.starts_with("alert/") && unpublished_.empty()) {  // again, for who has just subscribed
    v1::Alert alert;
    static_cast<void>(alert.ParseFromString(message.payload));
    const auto known = last_by_id_.find(alert.id());
    // After a restart its value may be a newer one than it was said with.
    if (known == last_by_id_.end() || known->second.revision() != alert.revision() ||
        known->second.state() != alert.state() || known->second.reason() != alert.reason())
      throw Violation(where() + "an alert is published that was not decided: " + text_of(alert));
    number = std::max(number, message.sequence);
    return;
  }
  if (number != 0 && message.sequence <= number) return;  // a state again, likewise
  if (number != 0 && message.sequence != number + 1) {
    throw Violation(where() + "topic " + message.topic + " goes from " + std::to_string(number) + " to " +
                    std::to_string(message.sequence));
  }
  number = message.sequence;
  if (!message.topic.starts_with("alert/")) return;
  if (unpublished_.front() != message.payload)
    throw Violation(where() + "an alert is published that was not decided just now");
  unpublished_.pop_front();
}

// ---- what must hold ------------------------------------------------------------------------------------------------

void Simulation::check_next(const v1::Alert& alert) {
  const auto found = last_by_id_.find(alert.id());
  const std::string& state = alert.state();
  const auto bad = [&](const std::string& what) {
    throw Violation(where() + what + ": " + text_of(alert) +
                    (found == last_by_id_.end() ? std::string() : "\nafter " + text_of(found->second)));
  };
  const bool open = state == "pending" || state == "firing";
  if (found == last_by_id_.end()) {
    if (alert.revision() != 1) bad("an alert begins with another revision than 1");
    if (!open) bad("an alert begins with an end");
    std::string& other = open_by_fingerprint_[alert.fingerprint()];
    if (!other.empty()) bad("an alert begins while another one of the same kind is open");
    other = alert.id();
  } else {
    const v1::Alert& before = found->second;
    const std::string& was = before.state();
    if (alert.revision() != before.revision() + 1) bad("an alert leaves out or repeats a revision");
    if (alert.fingerprint() != before.fingerprint()) bad("an alert changes its fingerprint");
    const bool good = (was == "pending" && (state == "firing" || state == "resolved" || state == "pending")) ||
                      (was == "firing" && (state == "firing" || state == "resolved")) ||
                      (was == "resolved" && state == "resolved");
    if (!good) bad("an alert jumps from " + was + " to " + state);
    if (!open && (was == "pending" || was == "firing")) open_by_fingerprint_.erase(alert.fingerprint());
  }
  last_by_id_[alert.id()] = alert;
}

void Simulation::check_sums() const {
  if (!daemon_) return;
  const auto check = [&](const Figures& f, const std::string& scope) {
    const auto bad = [&](const std::string& what) { throw Violation(where() + scope + ": " + what); };
    if (f.offered != f.answered + f.abandoned + f.forwarded + f.unknown + f.waiting)
      bad("offered is not answered + abandoned + forwarded + unknown + waiting: " + std::to_string(f.offered) + ", " +
          std::to_string(f.answered) + " " + std::to_string(f.abandoned) + " " + std::to_string(f.forwarded) + " " +
          std::to_string(f.unknown) + " " + std::to_string(f.waiting));
    if (f.met + f.missed > f.offered) bad("more decided than offered");
    if (f.items_met + f.items_missed > f.items_received) bad("more items decided than received");
    if (f.overdue > f.backlog) bad("more overdue than open");
    for (const std::int64_t count : {f.offered, f.answered, f.abandoned, f.short_abandons, f.forwarded, f.unknown,
                                     f.met, f.missed, f.waiting, f.backlog, f.overdue, f.items_met, f.items_missed}) {
      if (count < 0) bad("a count below 0");
    }
  };
  const Engine& engine = daemon_->engine();
  const Window month{Window::Kind::calendar, {}, Period::month};
  for (std::uint32_t s = 0; s < engine.segment_count(); ++s) {
    const SegmentView view = engine.view_segment(s, month, engine.now());
    check(view.figures, view.id);
    for (const ScopeView& queue : view.queues) check(queue.figures, queue.id);
    for (const ScopeView& service : view.services) check(service.figures, view.id + '/' + service.id);
  }
}

void Simulation::check_figures() const {
  const Engine& engine = daemon_->engine();
  if (faults_.clocks || engine.next_wakeup() <= engine.now()) return;
  const std::string found = difference(counts_of(engine), count_from_scratch(taken_, engine.config(), engine.now()));
  if (!found.empty()) throw Violation(where() + "the figures are not those of the events\n" + found);
}

/// Everything acknowledged is in the log, once and in order.
void Simulation::check_numbers() {
  std::map<std::string, std::uint64_t> last;
  for (const Taken& each : taken_) {
    const std::uint64_t number = number_of(each.event);
    if (number == 0) {
      if (each.event.has_events_lost())
        throw Violation(where() + "events are reported lost: " + each.event.ShortDebugString());
      continue;
    }
    std::uint64_t& before = last[each.source];
    if (before == 0 && faults_.retention) before = number - 1;
    if (number != before + 1) {
      throw Violation(where() + "after event " + std::to_string(before) + " of " + each.source + " the log has event " +
                      std::to_string(number) + " (record " + std::to_string(each.record) + ")");
    }
    before = number;
  }
}

void Simulation::check_log(log::Lsn durable) {
  struct Quiet {
    SimDisk& disk;
    explicit Quiet(SimDisk& of) : disk(of) { disk.set_quiet(true); }
    ~Quiet() { disk.set_quiet(false); }
  } const quiet(*disk_);
  if (durable == 0) {
    if (!acknowledged_.empty()) {
      for (const auto& [key, number] : acknowledged_) {
        if (number > 0) throw Violation(where() + "the log is empty, but events were acknowledged");
      }
    }
    taken_.clear();
    check_alerts_of_log({}, 0);
    return;
  }
  const auto files = log::segment_files(*disk_);
  const log::Lsn oldest = files.front().first;
  std::erase_if(taken_, [&](const Taken& each) { return each.record > durable; });
  // What is written there is what was handed over.
  replica::Replica whole(world_.settings.core);
  std::vector<v1::Alert> replayed;
  Decisions decisions;
  auto next = taken_.begin();
  log::read_records(*disk_, oldest, durable, [&](log::Lsn number, std::string_view payload) {
    v1::LogRecord record;
    if (!record.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
      throw Violation(where() + "record " + std::to_string(number) + " cannot be read");
    if (record.has_batch()) {
      while (next != taken_.end() && next->record < number) ++next;
      for (const v1::Event& event : record.batch().events()) {
        if (next == taken_.end() || next->record != number ||
            next->event.SerializeAsString() != event.SerializeAsString())
          throw Violation(where() + "record " + std::to_string(number) + " is not what was written");
        ++next;
      }
    }
    if (oldest != 1) return;
    whole.apply(number, payload, decisions);
    for (const Decision& decision : decisions) {
      if (const auto* alert = std::get_if<AlertChanged>(&decision))
        wire::to_proto(alert->alert, replayed.emplace_back());
    }
    decisions.clear();
  });
  check_numbers();
  for (const auto& [key, number] : acknowledged_) {
    const auto& [source, epoch] = key;
    if (oldest != 1 || number == 0) continue;
    const auto found = whole.numbers().find(source);
    const bool newer = found != whole.numbers().end() && found->second.epoch > epoch;
    if (newer) continue;
    if (found == whole.numbers().end() || found->second.epoch != epoch || found->second.accepted < number) {
      throw Violation(where() + "event " + std::to_string(number) + " of " + source +
                      " was acknowledged, the log has " +
                      (found == whole.numbers().end() ? std::string("none") : std::to_string(found->second.accepted)));
    }
  }
  if (oldest == 1) return check_alerts_of_log(replayed, durable);
  std::erase_if(said_, [&](const Said& said) { return said.after > durable; });
  know_alerts_anew();
}

void Simulation::know_alerts_anew() {
  last_by_id_.clear();
  open_by_fingerprint_.clear();
  for (const Said& said : said_) check_next(said.alert);
}

void Simulation::check_alerts_of_log(const std::vector<v1::Alert>& replayed, log::Lsn durable) {
  if (refused_) {
    said_.clear();
    for (const v1::Alert& alert : replayed) said_.push_back({alert, 0, false});
  }
  for (std::size_t i = 0; i < replayed.size(); ++i) {
    if (i >= said_.size())
      throw Violation(where() + "the log gives an alert that was not said: " + text_of(replayed[i]));
    if (replayed[i].SerializeAsString() != said_[i].alert.SerializeAsString()) {
      throw Violation(where() + "the log gives another alert: " + text_of(replayed[i]) +
                      "\nthan was said: " + text_of(said_[i].alert));
    }
  }
  for (std::size_t i = replayed.size(); i < said_.size(); ++i) {
    const Said& said = said_[i];
    if (said.after > durable || (said.after == durable && said.by_time)) continue;
    throw Violation(where() + "the log does not give an alert that was said: " + text_of(said.alert));
  }
  said_.resize(replayed.size());
  know_alerts_anew();
}

}  // namespace reach::sim
