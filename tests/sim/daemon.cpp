#include "tests/sim/daemon.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "daemon/log/snapshots.hpp"
#include "daemon/wire/wire.hpp"

namespace reach::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration retry = seconds(1), publish_interval = milliseconds(250);

std::chrono::steady_clock::time_point steady(Time now) {
  return std::chrono::steady_clock::time_point(now.time_since_epoch());
}

}  // namespace

// ---- the log -------------------------------------------------------------------------------------------------------

SimLog::SimLog(std::shared_ptr<log::Disk> disk, Options options)
    : disk_(disk), options_(std::move(options)), segments_(std::move(disk), options_.segment_bytes) {
  last_ = segments_.durable();
}

void SimLog::read(log::Lsn from, log::Lsn to, const log::RecordVisit& visit) {
  log::read_records(*disk_, from, to, visit);
}

log::Lsn SimLog::oldest() {
  const auto files = log::segment_files(*disk_);
  return files.empty() ? 0 : files.front().first;
}

std::uint64_t SimLog::bytes_from(log::Lsn) {
  return 0;
}

void SimLog::snapshots(const std::function<bool(log::Lsn, std::optional<std::string>)>& take) {
  const auto files = log::snapshot_files(*disk_);
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (take(file->number, log::read_snapshot(*disk_, *file))) return;
  }
}

std::uint64_t SimLog::keep_snapshot(log::Lsn number,
                                    const std::function<void(const std::function<void(std::string_view)>&)>& content) {
  const std::uint64_t bytes = log::write_snapshot(*disk_, number, content);
  const auto files = log::snapshot_files(*disk_);
  if (files.size() >= 2 && options_.retain_for != Duration::max()) {
    log::remove_old_segments(*disk_, files.front().number, options_.wall_clock() - options_.retain_for,
                             std::numeric_limits<std::uint64_t>::max());
  }
  return bytes;
}

log::Lsn SimLog::append(std::string payload) {
  if (queued_bytes_ + payload.size() > options_.queue_bytes) {
    if (problem_.empty()) problem_ = "the disk is too slow";
    return 0;
  }
  queued_bytes_ += payload.size();
  queue_.push_back(std::move(payload));
  if (!write_at_) write_at_ = now_ + options_.write_takes();
  return ++last_;
}

bool SimLog::write() {
  if (group_.empty()) std::swap(group_, queue_);
  try {
    segments_.write(group_, options_.wall_clock());
  } catch (const std::system_error& e) {
    problem_ = e.what();
    return false;
  }
  problem_.clear();
  for (const std::string& payload : group_) queued_bytes_ -= payload.size();
  group_.clear();
  return true;
}

bool SimLog::work(Time now) {
  if (!write_at_ || *write_at_ > now) return false;
  if (!write()) {
    write_at_ = now + retry;
  } else if (!queue_.empty()) {
    write_at_ = now + options_.write_takes();
  } else {
    write_at_.reset();
    segments_.confirm();
  }
  return true;
}

bool SimLog::stop() {
  while (!group_.empty() || !queue_.empty()) {
    if (!write()) return false;
  }
  return true;
}

// ---- the daemon ----------------------------------------------------------------------------------------------------

SimDaemon::SimDaemon(std::shared_ptr<log::Disk> disk, const settings::Loaded& settings, Options options,
                     DaemonWatcher& watcher, Time now)
    : settings_(settings), options_(std::move(options)), watcher_(watcher), log_(std::move(disk), options_.log) {
  at_ = now;
  log_.set_now(now);
  last_record_ = log_.durable();
  replica::Replica replica(settings_.core);
  recovery_ = replica::recover(log_, log_.durable(), replica);
  const bool was_there = replica.engine() != nullptr;
  if (was_there) {
    engine_.emplace(std::move(*replica.engine()));
  } else {
    engine_.emplace(settings_.core, EngineOptions{}, options_.wall_clock());
  }
  clock_.emplace(options_.wall_clock(), steady(now), engine_->now());
  ingest_.emplace(options_.limits, static_cast<shell::IngestWorld&>(*this));
  ingest_->resume(replica.numbers());
  const Time begin = core(now);
  publisher_.emplace(
      *engine_, publish_interval, begin, [this](const shell::Message& message) { watcher_.published(message); },
      [](v1::SourceState&) {});
  if (!was_there) {
    append_configuration(begin);
  } else {
    const auto& behind = engine_->behind();
    ingest_->catch_up(engine_->now(), begin, behind && !behind->until);
    if (!ingest_->catching_up()) pass_time(begin);
  }
}

Time SimDaemon::core(Time now) {
  const Time is = clock_->advance(options_.wall_clock(), steady(now));
  return time_ = std::max(is, time_ + Duration(1));
}

bool SimDaemon::append_configuration(Time now) {
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

void SimDaemon::receive(const std::string& peer, std::string_view frame, Time now) {
  log_.set_now(now);
  ingest_->take(peer, frame, core(now));
}

void SimDaemon::work(Time at) {
  at_ = at;
  log_.set_now(at);
  const bool log_has_news = log_.work(at);
  const Time now = core(at);
  if (at < look_until_ && at >= next_look_) {
    next_look_ = at + milliseconds(10);
    ingest_->look_for_gone(now);
  }
  more_backlog_ = ingest_->catching_up() && ingest_->release(now);
  if (!ingest_->catching_up() && engine_->next_wakeup() <= now) pass_time(now);
  if (log_has_news) log_changed();
  if (at >= next_second_) {
    next_second_ = at + seconds(1);
    ingest_->pulse(now);
  }
  publisher_->hold_states(ingest_->catching_up());
  publisher_->work(std::max(core(at), engine_->now()));
}

Time SimDaemon::next() const {
  if (more_backlog_) return at_ + Duration(1);
  Time due = std::min(publisher_->next(), ingest_->catching_up() ? never : engine_->next_wakeup());
  // Core time may run up to a twentieth slower or faster: then it is looked at more than once.
  due = at_ + std::max(due - std::min(time_, due), Duration(1));
  if (at_ < look_until_) due = std::min(due, next_look_);
  return std::min({due, next_second_, log_.next()});
}

void SimDaemon::make_snapshot() {
  replica::Replica replica(settings_.core);
  const log::Lsn to = log_.durable();
  const replica::Recovery recovery = replica::recover(log_, to, replica);
  if (recovery.snapshot >= to || replica.engine() == nullptr) return;
  log_.keep_snapshot(to, [&](const std::function<void(std::string_view)>& append) { replica.save(append); });
}

bool SimDaemon::acknowledge(const std::string& alert, Time at) {
  log_.set_now(at);
  const Time now = ingest_->catching_up() ? engine_->now() : core(at);
  v1::LogRecord record;
  record.set_received_ns(static_cast<std::uint64_t>(ns_of(now)));
  record.mutable_acknowledge()->set_alert(alert);
  record.mutable_acknowledge()->set_by("somebody");
  if (append(record.SerializeAsString()) == 0) return false;
  wire::Scratch scratch;
  wire::for_each_input(
      record, scratch, [&](const Input& input, Time) { step(input, now); },
      [](const v1::Event&, const std::string&) {});
  return engine_->last_acknowledge().done;
}

void SimDaemon::append_time(Time now) {
  v1::LogRecord record;
  record.set_received_ns(static_cast<std::uint64_t>(ns_of(now)));
  record.set_time_passed(true);
  append(record.SerializeAsString());
}

void SimDaemon::pass_time(Time now) {
  engine_->step(TimePassed{}, now, decisions_);
  const auto is_alert = [](const Decision& decision) { return std::holds_alternative<AlertChanged>(decision); };
  if (std::ranges::any_of(decisions_, is_alert)) append_time(now);
  decide(true);
}

bool SimDaemon::stop() {
  if (!ingest_->catching_up()) append_time(std::max(time_, engine_->now()));
  const bool done = log_.stop();
  log_changed();
  return done;
}

void SimDaemon::log_changed() {
  ingest_->log_reached(log_.durable());
  const std::string problem = log_.problem();
  if (problem == told_problem_) return;
  const bool changed = problem.empty() != told_problem_.empty();
  told_problem_ = problem;
  if (!changed) return;
  const Time now = ingest_->catching_up() ? engine_->now() : time_;
  v1::LogRecord record;
  record.set_received_ns(static_cast<std::uint64_t>(ns_of(now)));
  record.mutable_trouble()->set_problem(told_problem_);
  append(record.SerializeAsString());
  step(LogTrouble{told_problem_}, now);
}

log::Lsn SimDaemon::append(std::string record) {
  const std::string payload = record;
  const log::Lsn number = log_.append(std::move(record));
  if (number != 0) last_record_ = number;
  watcher_.recorded(number, payload);
  return number;
}

void SimDaemon::step(const Input& input, Time now) {
  engine_->step(input, now, decisions_);
  decide(false);
}

void SimDaemon::decide(bool by_time) {
  for (const Decision& decision : decisions_) {
    if (const auto* alert = std::get_if<AlertChanged>(&decision)) {
      v1::Alert said;
      wire::to_proto(alert->alert, said);
      watcher_.alerted(said, last_record_, by_time);
      publisher_->alert(alert->alert);
    } else if (const auto* segment = std::get_if<SegmentChanged>(&decision)) {
      publisher_->segment_changed(segment->segment);
    } else if (const auto* source = std::get_if<SourceChanged>(&decision)) {
      publisher_->source_changed(source->source);
    } else if (const auto* staffing = std::get_if<StaffingChanged>(&decision)) {
      publisher_->staffing_changed(staffing->pool);
    }
  }
  decisions_.clear();
}

}  // namespace reach::sim
