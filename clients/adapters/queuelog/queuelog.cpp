#include "clients/adapters/queuelog/queuelog.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

#include "clients/adapters/common/event_lines.hpp"
#include "clients/adapters/common/utf8.hpp"

namespace reach::queuelog {
namespace {

using adapter::event_at;

constexpr Duration hold_window = std::chrono::seconds(2);
constexpr Duration remember_ended = std::chrono::minutes(1);
constexpr Duration clock_step = std::chrono::seconds(5);                    // lines are out of order by less
constexpr Duration longest_stride = hold_window + std::chrono::seconds(1);  // enough to decide what is held

struct Line {
  Time at{};
  std::string_view call, queue, agent, event;
  std::array<std::string_view, 6> data{};
};

std::optional<Time> time_from(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || seconds < 0 || seconds > 8'000'000'000) return std::nullopt;
  std::int64_t nanoseconds = 0, unit = 100'000'000;
  if (end != text.data() + text.size()) {
    if (*end != '.') return std::nullopt;
    for (const char* digit = end + 1; digit != text.data() + text.size(); ++digit) {
      if (*digit < '0' || *digit > '9') return std::nullopt;
      nanoseconds += (*digit - '0') * unit;
      unit /= 10;
    }
  }
  return time_from_ns(seconds * 1'000'000'000 + nanoseconds);
}

std::optional<Line> parse(std::string_view text) {
  Line line;
  std::array<std::string_view, 11> fields{};
  std::size_t count = 0;
  while (count < fields.size()) {
    const std::size_t bar = text.find('|');
    fields[count++] = text.substr(0, bar);
    if (bar == std::string_view::npos) break;
    text.remove_prefix(bar + 1);
  }
  if (count < 5 || fields[4].empty()) return std::nullopt;
  const auto at = time_from(fields[0]);
  if (!at) return std::nullopt;
  line.at = *at;
  line.call = fields[1];
  line.queue = fields[2];
  line.agent = fields[3];
  line.event = fields[4];
  for (std::size_t i = 5; i < count; ++i) line.data[i - 5] = fields[i];
  return line;
}

Duration seconds(std::string_view digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return std::chrono::seconds(std::clamp<std::int64_t>(value, 0, 1'000'000'000));
}

/// A call that left a queue, until it is decided or forgotten.
struct Gone {
  Duration due{};  // on the even clock
  Time left{};
  std::string id;
};

struct Call {
  enum class Stage { outside, waiting, leaving, connected };
  Stage stage = Stage::outside;
  std::string queue, agent, number, position;  // agent: the log's word; position: at entering
  Time joined{}, answered{}, left{};
  std::string reason;  // leaving: of Forwarded; empty: abandoned
  bool excluded = false;
};

struct Member {
  bool paused = false;
  std::string reason;
};

struct Person {
  std::string pseudonym;
  std::chrono::sys_days day{};  // of the pseudonym
  std::map<std::string, Member, std::less<>> queues;
  // What was said last.
  std::vector<std::string> said;
  bool logged_in = false, paused = false;
  std::string reason;
};

/// "Local/1001@agents/n" -> "1001", "PJSIP/1001" -> "1001", a name stays a name.
std::string_view extension_of(std::string_view agent) {
  if (const std::size_t slash = agent.find('/'); slash != std::string_view::npos) agent.remove_prefix(slash + 1);
  return agent.substr(0, agent.find('@'));
}

}  // namespace

struct QueueLog::State {
  State(adapter::Pseudonyms keyed, Options with) : pseudonyms(std::move(keyed)), options(std::move(with)) {}

  adapter::Pseudonyms pseudonyms;
  Options options;
  Counts counts;
  std::unordered_map<std::string, Call> calls;
  std::unordered_map<std::string, std::string> renamed;  // a masquerade's call id to the one of ENTERQUEUE
  std::deque<Gone> held;                                 // calls that left, the earliest first
  std::deque<Gone> ended;                                // to be forgotten
  std::map<std::string, Person, std::less<>> persons;
  std::multimap<Time, v1::Event> waiting;  // sorted output
  Time now{};       // the log's clock, which may step: goes back with the lines if it does so by more than clock_step
  Duration even{};  // grows as `now` does, but never goes back, and at once by longest_stride at most

  // ---- saying

  void say(v1::Event event, std::vector<v1::Event>& out) {
    if (options.sorted)
      waiting.emplace(time_from_ns(static_cast<std::int64_t>(event.time_ns())), std::move(event));
    else
      out.push_back(std::move(event));
  }

  template <typename Fill>
  void say(const std::string& id, const Call& call, Time at, v1::Certainty certainty, std::vector<v1::Event>& out,
           Fill fill) {
    if (call.excluded) return;
    v1::Event event = event_at(at, id);
    event.set_certainty(certainty);
    fill(event);
    say(std::move(event), out);
  }

  void release(Time before, std::vector<v1::Event>& out) {
    while (!waiting.empty() && waiting.begin()->first < before) {
      out.push_back(std::move(waiting.begin()->second));
      waiting.erase(waiting.begin());
    }
  }

  [[nodiscard]] bool is_agent(std::string_view word) const {
    return !word.empty() && word != "NONE" && !options.excluded.contains(extension_of(word));
  }

  /// The pseudonym of the log's word for an agent; empty if it is none.
  std::string agent(std::string_view word, Time at) {
    if (!is_agent(word)) return {};
    return person_of(word, at).pseudonym;
  }

  Person& person_of(std::string_view word, Time at) {
    Person& person = persons[std::string(word)];
    if (!person.logged_in) name(person, word, at);  // nothing that a new name could tear apart
    return person;
  }

  void name(Person& person, std::string_view word, Time at) const {
    const std::size_t context = word.find('@');  // the options of a Local channel are no part of the person
    person.pseudonym =
        pseudonyms.agent(context == std::string_view::npos ? word : word.substr(0, word.find('/', context)), at);
    person.day = adapter::Pseudonyms::day(at);
  }

  /// A former life of the adapter may have left somebody logged in whom this one meets for the first time: under the
  /// pseudonym of the day of that last line, a week ago at most.
  void forget_former(std::string_view word, Time at, std::vector<v1::Event>& out) {
    if (!options.resumed || persons.contains(word)) return;
    for (int days = 1; days <= 7; ++days) {
      Person former;
      name(former, word, at - std::chrono::days(days));
      v1::Event old = event_at(at);
      old.set_agent(former.pseudonym);
      old.set_certainty(v1::CERTAINTY_DERIVED);
      old.mutable_logged_out();
      say(std::move(old), out);
    }
  }

  /// A line of an agent on a new day: the new pseudonym comes, then the old one goes, unless a call would be torn
  /// apart.
  void rename(std::string_view word, Time at, std::vector<v1::Event>& out) {
    const auto known = persons.find(word);
    if (known == persons.end() || !known->second.logged_in || known->second.day >= adapter::Pseudonyms::day(at)) return;
    for (const auto& [id, call] : calls)
      if (call.stage == Call::Stage::connected && call.agent == word) return;
    Person& person = known->second;
    v1::Event old = event_at(at);
    old.set_agent(person.pseudonym);
    old.set_certainty(v1::CERTAINTY_DERIVED);
    old.mutable_logged_out();
    name(person, word, at);
    person.said.clear();
    person.logged_in = person.paused = false;
    say_person(person, at, v1::CERTAINTY_DERIVED, out);
    say(std::move(old), out);
  }

  // ---- calls

  void pass(Time to, std::vector<v1::Event>& out) {
    if (to > now) {
      even += std::min<Duration>(to - now, longest_stride);
      now = to;
    }
    while (!held.empty() && held.front().due < even) {
      const Gone gone = std::move(held.front());
      held.pop_front();
      decide(gone, out);
    }
    while (!ended.empty() && ended.front().due < even) {
      const auto call = calls.find(ended.front().id);
      if (call != calls.end() && call->second.stage == Call::Stage::outside && call->second.left == ended.front().left)
        forget(call->first);
      ended.pop_front();
    }
    if (options.sorted) release(now - hold_window, out);
  }

  /// A line of the log says that it is `at`.
  void pass_line(Time at, std::vector<v1::Event>& out) {
    if (at < now - clock_step) now = at;
    pass(at, out);
  }

  /// When `span` will have passed since `at`.
  [[nodiscard]] Duration due(Time at, Duration span) const {
    return even - std::max<Duration>(now - at, Duration::zero()) + span;
  }

  void decide(const Gone& gone, std::vector<v1::Event>& out) {
    const auto call = calls.find(gone.id);
    if (call != calls.end() && call->second.stage == Call::Stage::leaving && call->second.left == gone.left)
      settle(gone.id, call->second, {}, out);
  }

  void forget(std::string id) {  // by value: it may be the key that goes
    std::erase_if(renamed, [&](const auto& entry) { return entry.second == id; });  // rare and few
    calls.erase(id);
  }

  /// Says how the call left. `to`: the queue it went on to.
  void settle(const std::string& id, Call& call, const std::string& to, std::vector<v1::Event>& out) {
    // A call id that comes back is a caller who lives: the log calls every redirect ABANDON.
    const bool lives = call.reason.empty() && !to.empty();
    say(id, call, call.left, lives ? v1::CERTAINTY_DERIVED : v1::CERTAINTY_SEEN, out, [&](v1::Event& event) {
      if (call.reason.empty() && !lives) {
        event.mutable_abandoned();
      } else {
        event.mutable_forwarded()->set_reason(lives ? "redirected" : call.reason);
        event.mutable_forwarded()->set_to(to);
      }
    });
    over(id, call, call.left);
  }

  void over(const std::string& id, Call& call, Time at) {
    call.stage = Call::Stage::outside;
    call.left = at;
    ended.push_back({due(at, remember_ended), at, id});
  }

  Call& offer(const std::string& id, const Line& line, Time joined, std::string_view number, v1::Certainty certainty,
              std::vector<v1::Event>& out) {
    Call& call = calls[id];
    call.stage = Call::Stage::waiting;
    call.queue = line.queue;
    call.joined = joined;
    if (!number.empty()) call.number = number;
    call.excluded = options.excluded.contains(call.number);
    say(id, call, joined, certainty, out, [&](v1::Event& event) {
      event.mutable_offered()->set_queue(call.queue);
      event.mutable_offered()->set_caller(pseudonyms.caller(call.number, joined));
    });
    return call;
  }

  /// The call of a line that ends a wait. A masquerade (attended transfer into a queue, a caller taken out of it)
  /// gives it another call id: then it is the one that came to this queue `waited` ago, at this position. One that
  /// came before the file began is offered as the line tells. `id` becomes the id it was offered under.
  Call* waiting_call(std::string& id, const Line& line, Duration waited, std::string_view position,
                     std::vector<v1::Event>& out) {
    const auto known = calls.find(id);
    if (known != calls.end()) {
      Call& call = known->second;
      if (call.stage == Call::Stage::waiting && call.queue == line.queue) return &call;
      if (call.stage != Call::Stage::outside) return nullptr;
    }
    for (auto& [other, call] : calls) {
      if (call.stage != Call::Stage::waiting || call.queue != line.queue) continue;
      if (!position.empty() && !call.position.empty() && call.position != position) continue;
      if (std::chrono::abs(line.at - waited - call.joined) > std::chrono::seconds(1)) continue;
      renamed[id] = other;
      id = other;
      return &call;
    }
    if (known != calls.end()) return nullptr;  // over already: a line that comes twice
    return &offer(id, line, line.at - waited, {}, v1::CERTAINTY_DERIVED, out);
  }

  void enter(const std::string& id, const Line& line, std::vector<v1::Event>& out) {
    if (const auto known = calls.find(id); known != calls.end()) {
      Call& call = known->second;
      if (call.stage == Call::Stage::leaving) {
        settle(id, call, std::string(line.queue), out);
      } else if (call.stage == Call::Stage::connected) {  // the line of the transfer can follow this one
        say(id, call, line.at, v1::CERTAINTY_DERIVED, out,
            [](v1::Event& event) { event.mutable_ended()->set_by("transfer"); });
      } else if (call.stage == Call::Stage::waiting) {
        if (call.queue == line.queue) return;
        call.left = line.at;
        call.reason = "other";
        settle(id, call, std::string(line.queue), out);
      }
    }
    offer(id, line, line.at, line.data[1], v1::CERTAINTY_SEEN, out).position = line.data[2];
  }

  void leave(std::string id, const Line& line, const std::string& reason, Duration waited, std::string_view position,
             std::vector<v1::Event>& out) {
    Call* call = waiting_call(id, line, waited, position, out);
    if (!call) return;  // doubled EXITEMPTY and ABANDON of old versions too
    call->stage = Call::Stage::leaving;
    call->left = line.at;
    call->reason = reason;
    held.push_back({due(line.at, hold_window), line.at, id});
  }

  void connect(const std::string& id, const Line& line, Time at, v1::Certainty certainty, Call& call,
               std::vector<v1::Event>& out) {
    call.stage = Call::Stage::connected;
    call.answered = at;
    call.agent = line.agent;
    say(id, call, at, certainty, out,
        [&](v1::Event& event) { event.mutable_answered()->set_agent(agent(line.agent, at)); });
    member(line, out);
  }

  void complete(const std::string& id, const Line& line, const std::string& by, Duration waited, Duration talked,
                std::vector<v1::Event>& out) {
    if (!calls.contains(id)) {  // answered before the file began
      Call& call = offer(id, line, line.at - talked - waited, {}, v1::CERTAINTY_DERIVED, out);
      connect(id, line, line.at - talked, v1::CERTAINTY_DERIVED, call, out);
    }
    Call& call = calls.at(id);
    // A transfer back into a queue: the first queue's line can follow the second's, even in the same queue.
    if (call.stage != Call::Stage::connected || call.queue != line.queue || call.agent != line.agent ||
        call.answered > line.at - talked + std::chrono::seconds(2))
      return;
    if (by == "transfer")
      say(id, call, line.at, v1::CERTAINTY_SEEN, out, [&](v1::Event& event) {
        v1::Transferred& transferred = *event.mutable_transferred();
        transferred.set_attended(line.event == "ATTENDEDTRANSFER");
        // Where to is a number, and somebody's. A queue behind it says itself that the call has come.
      });
    say(id, call, line.at, v1::CERTAINTY_SEEN, out, [&](v1::Event& event) { event.mutable_ended()->set_by(by); });
    over(id, call, line.at);
  }

  template <typename Fill>
  void ring(const std::string& id, const Line& line, std::vector<v1::Event>& out, Fill fill) {
    const auto call = calls.find(id);
    if (call == calls.end()) return;
    say(id, call->second, line.at, v1::CERTAINTY_SEEN, out, fill);
    member(line, out);
  }

  // ---- agents. Static members are never added by a line: who is called or paused in a queue is a member of it.

  void member(const Line& line, std::vector<v1::Event>& out) {
    if (!is_agent(line.agent) || line.queue.empty() || line.queue == "NONE") return;
    Person& person = person_of(line.agent, line.at);
    if (person.queues.try_emplace(std::string(line.queue)).second)
      say_person(person, line.at, v1::CERTAINTY_DERIVED, out);
  }

  void membership(const Line& line, std::vector<v1::Event>& out) {
    if (!is_agent(line.agent) || line.queue.empty() || line.queue == "NONE") return;  // PAUSEALL: one a queue follows
    Person& person = person_of(line.agent, line.at);
    v1::Certainty certainty = v1::CERTAINTY_SEEN;
    if (line.event == "REMOVEMEMBER") {
      person.queues.erase(std::string(line.queue));
    } else {
      const auto [entry, is_new] = person.queues.try_emplace(std::string(line.queue));
      if (is_new && line.event != "ADDMEMBER") certainty = v1::CERTAINTY_DERIVED;
      if (line.event == "ADDMEMBER") entry->second = {line.data[0] == "PAUSED", {}};
      if (line.event == "PAUSE") entry->second = {true, std::string(line.data[0])};
      if (line.event == "UNPAUSE") entry->second = {};
    }
    say_person(person, line.at, certainty, out);
  }

  void say_person(Person& person, Time at, v1::Certainty certainty, std::vector<v1::Event>& out) {
    const auto event = [&] {
      v1::Event started = event_at(at);
      started.set_agent(person.pseudonym);
      started.set_certainty(certainty);
      return started;
    };
    if (person.queues.empty()) {
      if (person.logged_in) {
        v1::Event logged_out = event();
        logged_out.mutable_logged_out();
        say(std::move(logged_out), out);
      }
      person = {};
      return;
    }
    std::vector<std::string> open, all;
    std::string reason;
    for (const auto& [queue, member] : person.queues) {
      all.push_back(queue);
      if (member.paused)
        reason = member.reason;
      else
        open.push_back(queue);
    }
    const bool paused = open.empty();
    const std::vector<std::string> queues = paused ? (person.logged_in ? person.said : all) : open;
    if (!person.logged_in || queues != person.said) {
      v1::Event logged_in = event();
      for (const std::string& queue : queues) logged_in.mutable_logged_in()->add_queues(queue);
      say(std::move(logged_in), out);
      person.said = queues;
      person.logged_in = true;
    }
    if (paused && (!person.paused || reason != person.reason)) {
      v1::Event pause = event();
      pause.mutable_agent_paused()->set_reason(reason);
      say(std::move(pause), out);
      person.reason = reason;
    }
    if (!paused && person.paused) {
      v1::Event resume = event();
      resume.mutable_agent_resumed();
      say(std::move(resume), out);
    }
    person.paused = paused;
  }

  /// Asterisk began anew: whoever was there is gone, and nobody saw how.
  void restart(Time at, std::vector<v1::Event>& out) {
    for (const Gone& gone : held) decide(gone, out);
    held.clear();
    ended.clear();
    calls.clear();
    renamed.clear();
    persons.clear();  // the listing below names nobody: reachd forgets them, too
    v1::Event begin = event_at(at), end = event_at(at);
    begin.mutable_resync_begin()->set_reason("restart");
    end.mutable_resync_end();
    say(std::move(begin), out);
    say(std::move(end), out);
  }

  // ---- lines

  void apply(const Line& line, std::vector<v1::Event>& out) {
    std::string id(line.call);
    if (const auto other = renamed.find(id); other != renamed.end()) id = other->second;
    const std::string_view event = line.event;
    const auto& data = line.data;
    if (event == "QUEUESTART") return restart(line.at, out);
    if (is_agent(line.agent)) {
      forget_former(line.agent, line.at, out);
      rename(line.agent, line.at, out);
    }
    if (event == "ADDMEMBER" || event == "REMOVEMEMBER" || event == "PAUSE" || event == "UNPAUSE")
      return membership(line, out);
    if (event == "PAUSEALL" || event == "UNPAUSEALL" || event == "CONFIGRELOAD" || event == "MEMBERPENALTY" ||
        event == "DID" || event == "INFO")
      return;  // one line a queue says the same; or nothing about customers
    if (id.empty() || id == "NONE" || line.queue.empty() || line.queue == "NONE") {
      ++counts.unknown;
      return;
    }
    if (event == "ENTERQUEUE") return enter(id, line, out);
    if (event == "CONNECT") {
      if (Call* call = waiting_call(id, line, seconds(data[0]), {}, out))
        connect(id, line, line.at, v1::CERTAINTY_SEEN, *call, out);
      return;
    }
    if (event == "ABANDON") return leave(id, line, {}, seconds(data[2]), data[1], out);
    if (event == "EXITWITHTIMEOUT") return leave(id, line, "timeout", seconds(data[2]), data[1], out);
    if (event == "EXITEMPTY") return leave(id, line, "empty", seconds(data[2]), data[1], out);
    if (event == "EXITWITHKEY") return leave(id, line, "key", seconds(data[3]), data[2], out);
    if (event == "WITHDRAW") return leave(id, line, "redirected", seconds(data[2]), data[1], out);
    if (event == "SYSCOMPAT") return leave(id, line, "other", {}, {}, out);
    if (event == "COMPLETECALLER") return complete(id, line, "caller", seconds(data[0]), seconds(data[1]), out);
    if (event == "COMPLETEAGENT") return complete(id, line, "agent", seconds(data[0]), seconds(data[1]), out);
    if (event == "BLINDTRANSFER" || event == "TRANSFER")
      return complete(id, line, "transfer", seconds(data[2]), seconds(data[3]), out);
    if (event == "ATTENDEDTRANSFER") {
      // METHOD|details of it…|hold|talk|position: the last three of what there is.
      std::size_t size = data.size();
      while (size > 0 && data[size - 1].empty()) --size;
      const std::string_view hold = size >= 3 ? data[size - 3] : "", talk = size >= 3 ? data[size - 2] : "";
      return complete(id, line, "transfer", seconds(hold), seconds(talk), out);
    }
    if (event == "RINGNOANSWER")
      return ring(id, line, out,
                  [&](v1::Event& said) { said.mutable_ring_no_answer()->set_agent(agent(line.agent, line.at)); });
    if (event == "RINGCANCELED" || event == "AGENTDUMP")
      return ring(id, line, out, [&](v1::Event& said) {
        said.mutable_ring_ended()->set_agent(agent(line.agent, line.at));
        said.mutable_ring_ended()->set_cause(event == "AGENTDUMP" ? "other" : "caller_left");
      });
    ++counts.unknown;
  }
};

QueueLog::QueueLog(adapter::Pseudonyms pseudonyms, Options options)
    : state_(std::make_unique<State>(std::move(pseudonyms), std::move(options))) {}
QueueLog::~QueueLog() = default;
QueueLog::QueueLog(QueueLog&&) noexcept = default;
QueueLog& QueueLog::operator=(QueueLog&&) noexcept = default;

bool QueueLog::take(std::string_view text, std::vector<v1::Event>& out) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  if (text.empty()) return true;
  std::string converted;
  if (!adapter::is_utf8(text)) text = converted = adapter::to_utf8(text);
  ++state_->counts.lines;
  const auto line = parse(text);
  if (!line) {
    ++state_->counts.malformed;
    return false;
  }
  state_->pass_line(line->at, out);
  state_->apply(*line, out);
  return true;
}

void QueueLog::pass(Time now, std::vector<v1::Event>& out) {
  state_->pass(now, out);
}

void QueueLog::finish(std::vector<v1::Event>& out) {
  state_->pass(state_->now + 2 * hold_window, out);
  state_->release(never, out);
}

const Counts& QueueLog::counts() const {
  return state_->counts;
}

}  // namespace reach::queuelog
