#include "clients/adapters/asterisk/dialogue.hpp"

#include <algorithm>
#include <charconv>

#include "clients/adapters/asterisk/members.hpp"
#include "clients/adapters/asterisk/recording.hpp"

namespace reach::asterisk {
namespace {

using namespace std::chrono_literals;

constexpr Duration answer_timeout = 10s;
constexpr Duration boot_timeout = 5s;  // FullyBooted follows the login at once, if Asterisk is up and we may hear it
constexpr Duration listing_timeout = 30s;
constexpr Duration silence_before_ping = 10s;
constexpr Duration ping_timeout = 5s;
constexpr Duration clock_tolerance = 500ms;
constexpr Duration least_step = 1s;
constexpr std::size_t most_said = 100;          // sentences that are not said again
constexpr std::size_t most_summaries = 10'000;  // queues of one QueueSummary

int number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

Time PbxClock::local(Time stamp, Time received) {
  const Duration apart = received - stamp;
  if (received >= minute_end_) {  // a stepped clock is followed within a minute
    if (least_) behind_ = std::chrono::abs(*least_) > clock_tolerance ? *least_ : Duration::zero();
    least_.reset();
    minute_end_ = received + 1min;
  }
  const bool first = !least_ && behind_ == Duration::zero();
  least_ = std::min(least_.value_or(apart), apart);
  if (first && std::chrono::abs(apart) > 5s) behind_ = apart;  // hours apart: no need to wait for the minute
  if (*least_ < behind_ - clock_tolerance) behind_ = std::chrono::abs(*least_) > clock_tolerance ? *least_ : Duration{};
  return std::min(stamp + behind_, received);
}

Duration ClockSteps::since_last(Time clock, Duration monotonic) {
  const Duration apart = clock.time_since_epoch() - monotonic;
  const Duration by = apart - apart_.value_or(apart);
  apart_ = apart;
  return std::chrono::abs(by) > least_step ? by : Duration::zero();
}

std::uint64_t GrowthReport::take(std::uint64_t count, Time now) {
  if (now < due(count)) return 0;
  next_ = now + 1min;
  return count - std::exchange(told_, count);
}

AmiDialogue::AmiDialogue(DialogueSettings settings, AmiTranslator translator, const DialogueMemory& memory)
    : settings_(std::move(settings)), translator_(std::move(translator)), startup_(memory.startup) {
  heard_before_ = !startup_.empty();
  translator_.resume_after(memory.last_channel);
}

std::string AmiDialogue::section() const {
  return "manager.conf, section [" + settings_.user + "]: ";
}

void AmiDialogue::request(DialogueOutput& out, const std::string& action,
                          const std::vector<std::pair<std::string, std::string>>& fields) {
  out.send += "Action: " + action + "\r\nActionID: reachd-" + action + "\r\n";
  for (const auto& [name, value] : fields) out.send += name + ": " + value + "\r\n";
  out.send += "\r\n";
}

void AmiDialogue::say_once(const std::string& sentence, DialogueOutput& out) {
  if (said_.size() >= most_said) said_.clear();
  if (said_.insert(sentence).second) out.problems.push_back(sentence);
}

void AmiDialogue::connected(Time now) {
  step_ = Step::banner;
  deadline_ = now + answer_timeout;
  heard_ = now;
  pinged_ = false;
}

void AmiDialogue::disconnected(const std::string& reason, Time now, DialogueOutput& out) {
  const bool heard = hears();
  step_ = Step::offline;
  deadline_ = next_check_ = next_resync_ = never;
  differing_ = 0;
  if (heard) translator_.upstream_lost(reason, now, out.events);
  say_once(reason, out);
}

void AmiDialogue::take(const AmiMessage& message, Time received, DialogueOutput& out) {
  heard_ = received;
  pinged_ = false;
  if (message.cut) ++cut_;
  if (step_ == Step::banner) {
    if (message.banner().empty()) {
      out.close = settings_.place + " is no Asterisk manager interface; expected is `port` of manager.conf";
      return;
    }
    step_ = Step::login;
    deadline_ = received + answer_timeout;
    // Only the system's events until the listing begins: FullyBooted is one of them.
    request(out, "Login", {{"Username", settings_.user}, {"Secret", settings_.secret}, {"Events", "system"}});
    return;
  }
  if (message.get("ActionID").starts_with("reachd-") && !message.response().empty()) {
    respond(message, received, out);
    return;
  }
  const std::string_view event = message.event();
  if (event == "FullyBooted" && step_ == Step::booting) {
    step_ = Step::status;
    deadline_ = received + answer_timeout;
    request(out, "CoreStatus");
  }
  if (event == "Shutdown") {
    out.close = "Asterisk at " + settings_.place + " shuts down" +
                (message.get("Restart") == "True" ? " to start again" : "") + "; waiting for it to come back";
    return;
  }
  if (!hears()) return;

  Time at = received;
  if (const auto stamp = timestamp_of(message)) {
    stamped_ = true;
    at = clock_.local(*stamp, received);
    if (clock_.behind() != Duration::zero() && !clock_said_) {
      clock_said_ = true;
      out.problems.push_back("the clock of Asterisk at " + settings_.place + " is " +
                             format_duration(std::chrono::abs(clock_.behind())) +
                             (clock_.behind() > Duration::zero() ? " behind" : " ahead of") +
                             " this machine's; it is taken out of all times, but let both use NTP");
    }
  } else if (event == "QueueCallerJoin" && !stamped_) {
    say_once("Asterisk at " + settings_.place +
                 " sends no Timestamp, so waits are measured by arrival here; write in manager.conf, section "
                 "[general]: timestampevents = yes",
             out);
  }
  if (event == "QueueSummary") {
    if (callers_.size() < most_summaries) callers_[std::string(message.get("Queue"))] = number(message.get("Callers"));
    return;
  }
  if (event == "QueueSummaryComplete") {
    compare(received, out);
    return;
  }
  translator_.take(message, at, out.events);
  if (step_ != Step::listing) return;
  if (event == "QueueStatusComplete") queues_listed_ = true;
  if (event == "CoreShowChannelsComplete") channels_listed_ = true;
  listing_progress(received, out);
}

void AmiDialogue::respond(const AmiMessage& message, Time now, DialogueOutput& out) {
  const std::string action(message.get("ActionID").substr(std::string_view("reachd-").size()));
  const bool good = message.response() == "Success" || message.response() == "Pong";
  const std::string why(message.get("Message"));
  if (action == "Login") {
    if (!good) {
      out.close = "Asterisk at " + settings_.place + " does not let user \"" + settings_.user + "\" in (" + why +
                  "); in " + section() + "secret = the content of " + settings_.secret_file +
                  ", and its deny, permit and acl lines must let this machine in; then run: asterisk -rx \"manager "
                  "reload\"";
      return;
    }
    step_ = Step::booting;
    deadline_ = now + boot_timeout;
  } else if (action == "CoreStatus" && step_ == Step::status) {
    std::string reason = heard_before_ ? "gap" : "connect";
    if (good) {
      const std::string startup =
          std::string(message.get("CoreStartupDate")) + ' ' + std::string(message.get("CoreStartupTime"));
      if (!startup_.empty() && startup != startup_) reason = "restart";
      startup_ = startup;
    } else {
      say_once("user \"" + settings_.user + "\" may not ask for CoreStatus (" + why +
                   "), so a restart of Asterisk cannot be told from a broken line; write in " + section() +
                   "write = reporting",
               out);
    }
    begin_listing(reason, now, out);
  } else if (action == "QueueStatus" && !good && step_ == Step::listing) {
    say_once("Asterisk at " + settings_.place + " has no queues (" + why +
                 "); is app_queue loaded? asterisk -rx \"module load app_queue.so\"",
             out);
    queues_listed_ = true;
    listing_progress(now, out);
  } else if (action == "CoreShowChannels" && !good && step_ == Step::listing) {
    channels_listed_ = channels_denied_ = true;
    say_once("user \"" + settings_.user + "\" may not list channels (" + why +
                 "), so calls that ended while Asterisk was not heard stay connected for hours; write in " + section() +
                 "write = reporting",
             out);
    listing_progress(now, out);
  }
}

void AmiDialogue::begin_listing(const std::string& reason, Time now, DialogueOutput& out) {
  step_ = Step::listing;
  deadline_ = now + listing_timeout;
  queues_listed_ = channels_listed_ = channels_denied_ = false;
  next_check_ = next_resync_ = never;
  translator_.begin_resync(reason, now, out.events);
  if (reason != "periodic") {
    // From here on nothing is missed; what the lists overtake is sorted out when they are complete.
    request(out, "Events", {{"EventMask", "system,call,agent,dialplan"}});
    out.notes.push_back("hears Asterisk at " + settings_.place + " (" + reason + ")");
  }
  heard_before_ = true;
  request(out, "QueueStatus");
  request(out, "CoreShowChannels");
}

void AmiDialogue::listing_progress(Time now, DialogueOutput& out) {
  if (step_ != Step::listing || !queues_listed_ || !channels_listed_) return;
  step_ = Step::listening;
  deadline_ = never;
  translator_.finish_listing(!channels_denied_, now, out.events);
  next_check_ = now + settings_.check_every;
  next_resync_ = now + settings_.resync_every;
  said_.clear();  // of a connection that works; when it breaks again, say so again
}

/// QueueSummary against what is known. A call that comes or goes in this very moment is no difference: it must be
/// there twice.
void AmiDialogue::compare(Time now, DialogueOutput& out) {
  const auto known = translator_.waiting();
  std::string difference;
  for (const auto& [queue, callers] : callers_) {
    const auto ours = known.find(queue);
    const int waiting = ours == known.end() ? 0 : ours->second;
    if (waiting != callers)
      difference = "queue " + queue + " has " + std::to_string(callers) + " callers by QueueSummary, " +
                   std::to_string(waiting) + " by its events";
  }
  callers_.clear();
  look_for_missing_rights(out);
  if (difference.empty()) {
    differing_ = 0;
    return;
  }
  if (++differing_ < 2) {
    next_check_ = now + 2s;
    return;
  }
  differing_ = 0;
  out.notes.push_back(difference + "; listing everything anew");
  if (translator_.seen().joins == 0)
    say_once("there are callers in queues, but Asterisk tells no queue events to user \"" + settings_.user +
                 "\"; write in " + section() +
                 "read = agent,call,dialplan,system (and no eventfilter that drops Queue... and Agent... events)",
             out);
  begin_listing("gap", now, out);
}

void AmiDialogue::look_for_missing_rights(DialogueOutput& out) {
  const SeenCounts& seen = translator_.seen();
  if (seen.joins < 3) return;
  if (seen.extensions == 0 && seen.variables == 0)
    say_once(
        "queue calls come, but no dialplan events: callers who are turned away cannot be seen, and how others "
        "leave is guessed; write in " +
            section() + "read = agent,call,dialplan,system",
        out);
  else if (seen.variables == 0)
    say_once(
        "queue calls come, but no VarSet events: callers who are turned away cannot be seen, and how others leave "
        "is guessed; let the eventfilter lines of " +
            section() + "pass eventfilter(name(VarSet)) =",
        out);
  if (seen.channels == 0)
    say_once("queue calls come, but no call events, so abandons and transfers are guessed; write in " + section() +
                 "read = agent,call,dialplan,system",
             out);
}

void AmiDialogue::tell_growth(Time now, DialogueOutput& out) {
  constexpr AmiLimits limits;
  if (const std::uint64_t cut = cut_report_.take(cut_, now))
    out.problems.push_back("messages of Asterisk at " + settings_.place +
                           " that were too long to be read (a line over " + std::to_string(limits.line_bytes / 1024) +
                           " KiB, or all of it over " + std::to_string(limits.message_bytes / 1024) +
                           " KiB): " + std::to_string(cut) + "; calls among them may be missing or wrong");
  const SeenCounts& seen = translator_.seen();
  if (const std::uint64_t calls = given_up_report_.take(seen.calls_given_up, now))
    out.problems.push_back(
        "Asterisk at " + settings_.place + " tells of more than " + std::to_string(AmiTranslator::max_calls) +
        " calls at a time; given up, with an unknown outcome: " + std::to_string(calls) +
        "; if it has not so many, let the eventfilter lines of " + section() + "pass eventfilter(name(Hangup)) =");
  if (const std::uint64_t events = ignored_report_.take(seen.members_ignored, now))
    out.problems.push_back("Asterisk at " + settings_.place + " tells of more than " +
                           std::to_string(Members::max_members) + " queue members, or of one in more than " +
                           std::to_string(Members::max_of_person) +
                           " queues; events of further ones, ignored: " + std::to_string(events));
}

void AmiDialogue::pass(Time now, DialogueOutput& out) {
  translator_.pass(now, out.events);
  tell_growth(now, out);
  if (step_ == Step::offline) return;
  if (now >= deadline_) {
    deadline_ = never;
    if (step_ == Step::booting) {  // no right to hear FullyBooted, or a slow start: ask
      step_ = Step::status;
      deadline_ = now + answer_timeout;
      request(out, "CoreStatus");
    } else {
      out.close = "Asterisk at " + settings_.place + " does not answer" +
                  (step_ == Step::banner ? "; is this `port` of manager.conf?" : "");
      return;
    }
  }
  if (step_ == Step::listening && now >= next_resync_) {
    begin_listing("periodic", now, out);
  } else if (step_ == Step::listening && now >= next_check_) {
    next_check_ = now + settings_.check_every;
    callers_.clear();
    request(out, "QueueSummary");
  }
  if (hears() && now >= heard_ + silence_before_ping) {
    if (!pinged_) {
      pinged_ = true;
      request(out, "Ping");
    } else if (now >= heard_ + silence_before_ping + ping_timeout) {
      out.close = "Asterisk at " + settings_.place + " has been silent for " +
                  format_duration(silence_before_ping + ping_timeout) + ": the line is dead";
    }
  }
}

void AmiDialogue::end(Time now, DialogueOutput& out) {
  pass(now + hold_window, out);
  translator_.end_wrap_ups(now, out.events);
}

void AmiDialogue::clock_stepped(Duration by) {
  translator_.clock_stepped(by);
  clock_ = {};
  for (GrowthReport* report : {&cut_report_, &given_up_report_, &ignored_report_}) report->clock_stepped(by);
  for (Time* time : {&deadline_, &heard_, &next_check_, &next_resync_})
    if (*time != never) *time += by;
}

Time AmiDialogue::next_wakeup() const {
  Time next = std::min({translator_.next_wakeup(), deadline_, next_check_, next_resync_, cut_report_.due(cut_),
                        given_up_report_.due(translator_.seen().calls_given_up),
                        ignored_report_.due(translator_.seen().members_ignored)});
  if (hears()) next = std::min(next, heard_ + silence_before_ping + (pinged_ ? ping_timeout : Duration::zero()));
  return next;
}

}  // namespace reach::asterisk
