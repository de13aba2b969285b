#include "clients/reachctl/replay.hpp"

#include "daemon/wire/wire.hpp"

namespace reach::ctl {

Replay::Replay(Config config, ReplayOptions options, ReplayCalls calls)
    : config_(std::move(config)), options_(options), calls_(std::move(calls)) {}

bool Replay::take(const Input& input, Time t) {
  if (options_.until && t >= *options_.until) return false;
  if (!engine_) {
    engine_.emplace(config_, options_.engine, t);
    period_ = period_at(config_.zone, options_.every, config_.interval, t);
    clock_ = t;
  }
  if (t < clock_) ++stepped_back_;
  clock_ = std::max(clock_, t);
  run_to(clock_);
  step(input, clock_);
  return true;
}

void Replay::configure(Config config, Time t) {
  if (!engine_ || (options_.until && t >= *options_.until)) {
    if (!engine_) config_ = std::move(config);
    return;
  }
  if (engine_->config().fingerprint == config.fingerprint) return;
  clock_ = std::max(clock_, t);
  run_to(clock_);
  decisions_.clear();
  engine_->reconfigure(std::move(config), clock_, decisions_);
  say_decisions();
}

void Replay::finish() {
  if (!engine_) return;
  if (options_.until) {
    clock_ = *options_.until;
    // A clock that stops at the end of a period has not begun the next one.
    run_to(clock_ - Duration(1));
    step(TimeUpTo{}, clock_);
  }
  say(clock_, clock_ < period_.to);
}

/// Says every period that is over at `t`: what is due in it happens before, what is at its end belongs to the next.
void Replay::run_to(Time t) {
  while (t >= period_.to) {
    step(TimeUpTo{}, period_.to);
    say(period_.to, false);
    period_ = period_at(config_.zone, options_.every, config_.interval, period_.to);
  }
}

void Replay::step(const Input& input, Time t) {
  decisions_.clear();
  engine_->step(input, t, decisions_);
  say_decisions();
}

void Replay::say_decisions() {
  for (const Decision& decision : decisions_) {
    if (const auto* changed = std::get_if<AlertChanged>(&decision)) {
      if (calls_.alert) calls_.alert(changed->alert);
    } else if (const auto* remark = std::get_if<Remark>(&decision)) {
      if (calls_.remark) calls_.remark(*remark);
    }
  }
}

void Replay::say(Time at, bool partial) {
  v1::Status status = wire::status_of(*engine_, Window{Window::Kind::calendar, {}, options_.every}, at);
  status.mutable_period()->set_from_ns(static_cast<std::uint64_t>(ns_of(period_.from)));
  status.mutable_period()->set_to_ns(static_cast<std::uint64_t>(ns_of(period_.to)));
  status.mutable_period()->set_partial(partial);
  if (calls_.status) calls_.status(std::move(status));
}

}  // namespace reach::ctl
