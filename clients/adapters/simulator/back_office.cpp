#include "clients/adapters/simulator/back_office.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <unordered_map>
#include <utility>

namespace reach::simulator {

namespace {

constexpr double fastest_work = 6;  // talks of 25 s: shorter ones would be mostly ringing

Duration seconds(double s) {
  return std::chrono::round<Duration>(std::chrono::duration<double>(s));
}

/// What an agent does. An item in hand does not keep the telephone from ringing.
enum class Doing { away, on_break, idle, ringing, talking, wrap_up };

struct Agent {
  const AgentSpec* spec = nullptr;
  std::vector<std::size_t> queues;  // best first
  Doing doing = Doing::away;
  Time since{};          // idle since
  std::size_t item = 0;  // in hand; 0: none
  bool item_running = false;
  std::string wants_break;  // reason, as soon as the call is over
  Time break_until{};
  bool wants_home = false;
};

struct Call {
  std::string id, journey, caller;
  std::size_t dialled = 0;  // the queue of the number
  std::size_t queue = 0;    // where it is now
  Time offered{};
  std::int64_t step = 0;  // counts up when its situation changes: older plans for it are void
  bool waiting = false;
  std::size_t agent = 0;  // rings or talks; agents.size(): none
  bool transferred = false;
  bool redial = false;
};

struct Item {
  std::string id;
  std::size_t inbox = 0;
  Time due{};
  double work_s = 0;  // left
  std::size_t assigned = SIZE_MAX;
  bool started = false, responded = false;
  bool stopped = false;  // paused by an agent who left it
  std::int64_t step = 0;
  Time running_since{};
};

}  // namespace

struct BackOffice::World {
  struct Task {
    Time at;
    std::uint64_t order;
    std::function<void()> run;
    bool operator>(const Task& other) const { return std::pair(at, order) > std::pair(other.at, other.order); }
  };

  Company company;
  Options options;
  DayClock clock;
  std::mt19937_64 random;
  double work_pace;

  Time now;
  std::uint64_t order = 0;
  std::priority_queue<Task, std::vector<Task>, std::greater<>> tasks;
  std::vector<v1::Event>* out = nullptr;
  Tally tally;

  std::vector<Agent> agents;
  std::vector<std::deque<std::size_t>> waiting;  // per queue, call numbers, oldest first
  std::vector<bool> closed;                      // per queue
  std::unordered_map<std::size_t, Call> calls;
  std::map<std::size_t, Item> items;
  std::vector<std::set<std::pair<Time, std::size_t>>> inbox;  // per inbox: (due, item) nobody has in hand
  std::size_t last_number = 0;
  std::string id_prefix;

  World(Company c, Options o)
      : company(std::move(c)),
        options(o),
        clock(o.start, o.weekday, o.hour, o.speed),
        random(o.seed),
        work_pace(std::min(o.speed, fastest_work)),
        now(o.start) {
    // Contact ids must not meet those of an earlier run under the same source name.
    const auto start_s = std::chrono::floor<std::chrono::seconds>(o.start).time_since_epoch().count();
    char text[32];
    std::snprintf(text, sizeof text, "%llx-", static_cast<unsigned long long>(start_s));
    id_prefix = text;
    waiting.resize(company.queues.size());
    closed.resize(company.queues.size());
    inbox.resize(company.inboxes.size());
    for (const AgentSpec& spec : company.agents) {
      Agent& agent = agents.emplace_back();
      agent.spec = &spec;
      for (const std::string& name : spec.queues) agent.queues.push_back(find_queue(spec.source, name));
    }
    at(now, [this] { open_office(); });
  }

  // ---- time and chance
  // -----------------------------------------------------------------------------------------------

  void at(Time t, std::function<void()> run) { tasks.push({std::max(t, now), order++, std::move(run)}); }
  void after(Duration d, std::function<void()> run) { at(now + d, std::move(run)); }

  double uniform() { return std::uniform_real_distribution<>(0, 1)(random); }
  bool chance(double p) { return uniform() < p; }
  double uniform(double from, double to) { return from + (to - from) * uniform(); }
  double exponential(double mean) { return -mean * std::log1p(-uniform()); }
  /// Handling times are skewed: lognormal with a coefficient of variation of 0.7.
  double skewed(double mean) {
    const double variance = std::log(1 + 0.7 * 0.7);
    const double normal = std::normal_distribution<>(0, 1)(random);
    return mean * std::exp(normal * std::sqrt(variance) - variance / 2);
  }
  /// Some hang up at the first announcement, most hold out: hyperexponential with the mean `mean`.
  double patience(double mean) { return chance(0.15) ? exponential(0.25 * mean) : exponential(1.13 * mean); }

  // ---- events
  // --------------------------------------------------------------------------------------------------------

  v1::Event& say(const std::string& source) {
    v1::Event& event = out->emplace_back();
    event.set_time_ns(static_cast<std::uint64_t>(ns_of(now)));
    event.set_source(source);
    ++tally.events;
    return event;
  }
  v1::Event& say(const Call& call) {
    const QueueSpec& queue = company.queues[call.queue];
    v1::Event& event = say(queue.source);
    event.set_contact(call.id);
    event.set_journey(call.journey);
    event.set_caller_class(queue.caller_class);
    event.set_site(queue.source);
    return event;
  }
  v1::Event& say(const Item& item) {
    const InboxSpec& spec = company.inboxes[item.inbox];
    v1::Event& event = say(spec.source);
    event.set_contact(item.id);
    event.set_site(spec.source);
    return event;
  }
  v1::Event& say(const Agent& agent) {
    v1::Event& event = say(agent.spec->source);
    event.set_agent(agent.spec->id);
    event.set_site(agent.spec->source);
    return event;
  }

  std::string next_id(const char* kind) { return kind + id_prefix + std::to_string(++last_number); }

  std::size_t find_queue(const std::string& source, const std::string& name) const {
    for (std::size_t i = 0; i < company.queues.size(); ++i) {
      if (company.queues[i].source == source && company.queues[i].name == name) return i;
    }
    return company.queues.size();
  }

  // ---- the day
  // -------------------------------------------------------------------------------------------------------

  void open_office() {
    for (const std::string& source : company.sources) say(source).mutable_resync_begin()->set_reason("connect");
    for (const QueueSpec& queue : company.queues) say(queue.source).mutable_queue_opened()->set_queue(queue.name);
    plan_day(clock.at(now).day);
    // Whoever should be here already sits down before the listing ends.
    for (std::size_t i = 0; i < agents.size(); ++i) {
      if (on_shift(i)) log_in(i);
    }
    for (const std::string& source : company.sources) say(source).mutable_resync_end();
    for (std::size_t q = 0; q < company.queues.size(); ++q) plan_arrival(q);
    for (std::size_t i = 0; i < company.inboxes.size(); ++i) plan_receipt(i);
  }

  bool ill(std::size_t agent, int day) const { return agents[agent].spec->ill_on_monday && clock.weekday_of(day) == 0; }
  bool on_shift(std::size_t agent) const {
    const DayTime time = clock.at(now);
    const AgentSpec& spec = *agents[agent].spec;
    return time.weekday < 5 && !ill(agent, time.day) && time.hour >= spec.from_h && time.hour < spec.to_h;
  }

  void plan_day(int day) {
    // A minute before the first shift of the next day, so that every plan lies ahead.
    at(clock.when(day + 1, 7.6), [this, day] { plan_day(day + 1); });
    const auto plan = [&](double hour, std::function<void()> run) {
      const Time t = clock.when(day, hour);
      if (t > now) at(t, std::move(run));
    };
    if (clock.weekday_of(day) > 4) return;
    for (std::size_t i = 0; i < agents.size(); ++i) {
      const AgentSpec& spec = *agents[i].spec;
      // Drawn for everybody, so that who is ill does not change the others' day.
      const double arrives = spec.from_h + uniform(0, 5.0 / 60);
      const double coffee = uniform(10.5, 11.5);
      const double lunch = uniform(11.75, 13.25);
      if (ill(i, day)) continue;
      plan(arrives, [this, i] { log_in(i); });
      plan(coffee, [this, i] { take_break(i, "break", 0.25); });
      plan(lunch, [this, i] { take_break(i, "lunch", 0.5); });
      if (i % 5 == 0) plan(15.5, [this, i] { take_break(i, "meeting", 0.5); });
      plan(spec.to_h, [this, i] { go_home(i); });
    }
    if (clock.weekday_of(day) != 0) return;
    for (const OutageSpec& outage : company.outages) {
      const std::size_t q = find_queue(outage.source, outage.queue);
      plan(outage.from_h, [this, q] { close_queue(q); });
      plan(outage.to_h, [this, q] { open_queue(q); });
    }
  }

  // ---- people
  // --------------------------------------------------------------------------------------------------------

  void log_in(std::size_t a) {
    Agent& agent = agents[a];
    if (agent.doing != Doing::away) return;
    agent.wants_home = false;
    auto& logged_in = *say(agent).mutable_logged_in();
    for (const std::string& queue : agent.spec->queues) logged_in.add_queues(queue);
    std::set<std::string> inboxes;
    for (std::size_t i = 0; i < company.inboxes.size(); ++i) {
      if (reads(agent, i) && inboxes.insert(company.inboxes[i].name).second) {
        logged_in.add_queues(company.inboxes[i].name);
      }
    }
    for (const std::string& queue : agent.spec->queues) logged_in.add_skills(queue);
    logged_in.set_site(agent.spec->source);
    become_free(a);
  }

  void take_break(std::size_t a, const std::string& reason, double hours) {
    Agent& agent = agents[a];
    if (agent.doing == Doing::away || agent.doing == Doing::on_break) return;
    agent.wants_break = reason;
    agent.break_until = now + clock.span(hours);
    if (agent.doing == Doing::idle) become_free(a);
  }

  void go_home(std::size_t a) {
    Agent& agent = agents[a];
    agent.wants_home = true;
    if (agent.doing == Doing::idle || agent.doing == Doing::on_break) become_free(a);
  }

  /// The one place where an agent decides what to do next.
  void become_free(std::size_t a) {
    Agent& agent = agents[a];
    if (agent.doing == Doing::on_break) say(agent).mutable_agent_resumed();
    if (agent.wants_home) {
      put_back(a);
      agent.wants_home = false;
      agent.wants_break.clear();
      agent.doing = Doing::away;
      say(agent).mutable_logged_out();
      return;
    }
    if (!agent.wants_break.empty()) {
      stop_item(a, "break");
      agent.doing = Doing::on_break;
      say(agent).mutable_agent_paused()->set_reason(std::exchange(agent.wants_break, {}));
      const Time until = std::max(agent.break_until, now + clock.span(0.1));
      at(until, [this, a] {
        if (agents[a].doing == Doing::on_break) become_free(a);
      });
      return;
    }
    if (agent.doing != Doing::idle) agent.since = now;
    agent.doing = Doing::idle;
    if (take_waiting_call(a)) return;
    if (agent.item != 0) {
      run_item(a);
    } else {
      // Nobody opens the next letter the moment the receiver is down.
      after(seconds(uniform(4, 10)), [this, a] { look_into_inbox(a); });
    }
  }

  bool take_waiting_call(std::size_t a) {
    std::size_t best = company.queues.size();
    for (std::size_t q : agents[a].queues) {
      if (waiting[q].empty()) continue;
      if (best == company.queues.size()) {
        best = q;
        continue;
      }
      const auto rank = [&](std::size_t queue) {
        return std::pair(-company.queues[queue].priority, calls.at(waiting[queue].front()).offered);
      };
      if (rank(q) < rank(best)) best = q;
    }
    if (best == company.queues.size()) return false;
    ring(waiting[best].front(), a);
    return true;
  }

  // ---- calls
  // ---------------------------------------------------------------------------------------------------------

  double rate_per_s(std::size_t q, const DayTime& time) const {
    const QueueSpec& queue = company.queues[q];
    double rate = queue.calls_per_hour / 3600 * work_pace * weekday_factor(time.weekday) * day_curve(time.hour);
    for (const MailingSpec& mailing : company.mailings) {
      if (time.weekday == 0 && time.hour >= mailing.from_h && time.hour < mailing.to_h &&
          std::find(mailing.segments.begin(), mailing.segments.end(), queue.segment) != mailing.segments.end()) {
        rate *= mailing.factor;
      }
    }
    return rate;
  }

  /// Non-homogeneous Poisson arrivals by thinning (Lewis and Shedler 1979): candidates come at the highest rate there
  /// can be and are kept with the share of the rate of their instant.
  void plan_arrival(std::size_t q) {
    double peak = company.queues[q].calls_per_hour / 3600 * work_pace * weekday_factor(0) * day_curve_peak;
    for (const MailingSpec& mailing : company.mailings) peak *= std::max(1.0, mailing.factor);
    after(seconds(exponential(1 / peak)), [this, q, peak] {
      if (chance(rate_per_s(q, clock.at(now)) / peak)) {
        char caller[16];
        std::snprintf(caller, sizeof caller, "p:%04x", static_cast<unsigned>(random() & 0xffff));
        Call call;
        call.dialled = q;
        call.caller = chance(0.08) ? "" : caller;  // withheld
        arrive(std::move(call));
      }
      plan_arrival(q);
    });
  }

  void arrive(Call call) {
    call.id = next_id("c");
    const std::size_t number = last_number;
    call.queue = call.dialled;
    if (call.journey.empty()) call.journey = call.id;
    auto& arrived = *say(call).mutable_arrived();
    arrived.set_dialled(company.queues[call.queue].dialled);
    arrived.set_caller(call.caller);
    calls.emplace(number, std::move(call));
    after(seconds(uniform(3, 6)), [this, number] { ask_in(number); });  // the greeting
  }

  bool staffed(std::size_t q) const {
    return std::any_of(agents.begin(), agents.end(), [q](const Agent& agent) {
      return agent.doing != Doing::away && std::find(agent.queues.begin(), agent.queues.end(), q) != agent.queues.end();
    });
  }

  void ask_in(std::size_t number) {
    Call& call = calls.at(number);
    const QueueSpec& queue = company.queues[call.queue];
    ++tally.calls;
    if (call.redial) ++tally.redials;
    const char* why_not = closed[call.queue]                         ? "rejected"
                          : !staffed(call.queue)                     ? "empty"
                          : waiting[call.queue].size() >= queue.room ? "full"
                                                                     : nullptr;
    if (why_not == nullptr) {
      enter_queue(number);
      return;
    }
    auto& rejected = *say(call).mutable_rejected();
    rejected.set_reason(why_not);
    rejected.set_queue(queue.name);
    rejected.set_dialled(queue.dialled);
    rejected.set_caller(call.caller);
    ++tally.rejected;
    perhaps_redial(call);
    calls.erase(number);
  }

  /// A new entry: of a fresh call, an overflow, or a transfer.
  void enter_queue(std::size_t number) {
    Call& call = calls.at(number);
    const QueueSpec& queue = company.queues[call.queue];
    auto& offered = *say(call).mutable_offered();
    offered.set_queue(queue.name);
    offered.set_dialled(queue.dialled);
    offered.set_caller(call.caller);
    offered.set_priority(queue.priority);
    call.waiting = true;
    call.agent = agents.size();
    call.offered = now;
    ++call.step;
    waiting[call.queue].push_back(number);

    while_waiting(number, seconds(patience(queue.patience_s)), [this, number] { give_up(number); });
    while_waiting(number, seconds(queue.timeout_s), [this, number] { leave_queue(number, "timeout", "voicemail"); });
    if (!queue.overflow_to.empty()) {
      while_waiting(number, seconds(queue.overflow_s), [this, number] { overflow(number); });
    }
    if (chance(0.12)) {  // listens to the menu that is offered after half a minute
      const double choice = uniform();
      while_waiting(number, seconds(uniform(30, 50)), [this, number, choice] {
        if (choice < 0.5) {
          leave_queue(number, "callback", "callback");
        } else if (choice < 0.8) {
          leave_queue(number, "key", "reception");
        } else {
          leave_queue(number, "voicemail", "voicemail");
        }
      });
    }
    if (const std::size_t a = best_idle_agent(call.queue); a < agents.size()) ring(number, a);
  }

  /// Runs `then` after `d` unless the call's situation has changed by then. Ringing is still waiting.
  void while_waiting(std::size_t number, Duration d, std::function<void()> then) {
    after(d, [this, number, entry = calls.at(number).offered, then = std::move(then)] {
      const auto call = calls.find(number);
      if (call != calls.end() && call->second.waiting && call->second.offered == entry) then();
    });
  }

  /// The longest idle; people with a letter in hand only when nobody else is free.
  std::size_t best_idle_agent(std::size_t q) const {
    std::size_t best = agents.size();
    for (std::size_t a = 0; a < agents.size(); ++a) {
      const Agent& agent = agents[a];
      if (agent.doing != Doing::idle || !agent.wants_break.empty() || agent.wants_home) continue;
      const auto skill = std::find(agent.queues.begin(), agent.queues.end(), q);
      if (skill == agent.queues.end()) continue;
      const auto rank = [q](const Agent& x) {
        return std::tuple(x.item != 0, std::find(x.queues.begin(), x.queues.end(), q) - x.queues.begin(), x.since);
      };
      if (best == agents.size() || rank(agent) < rank(agents[best])) best = a;
    }
    return best;
  }

  void ring(std::size_t number, std::size_t a) {
    Call& call = calls.at(number);
    Agent& agent = agents[a];
    agent.doing = Doing::ringing;
    std::erase(waiting[call.queue], number);
    call.agent = a;
    ++call.step;
    say(call).mutable_ringing()->set_agent(agent.spec->id);
    const bool sleeps = chance(0.03);
    after(seconds(sleeps ? 12 : uniform(1.5, 5)), [this, number, sleeps, step = call.step] {
      const auto found = calls.find(number);
      if (found == calls.end() || found->second.step != step) return;
      if (sleeps) {
        not_answered(number);
      } else {
        answer(number);
      }
    });
  }

  void not_answered(std::size_t number) {
    Call& call = calls.at(number);
    const std::size_t a = call.agent;
    say(call).mutable_ring_no_answer()->set_agent(agents[a].spec->id);
    call.agent = agents.size();
    ++call.step;
    waiting[call.queue].push_front(number);
    // The PBX takes someone who does not answer out of the queues for a moment.
    agents[a].doing = Doing::wrap_up;
    after(seconds(10), [this, a] { become_free(a); });
    if (const std::size_t other = best_idle_agent(call.queue); other < agents.size()) ring(number, other);
  }

  void answer(std::size_t number) {
    Call& call = calls.at(number);
    Agent& agent = agents[call.agent];
    const QueueSpec& queue = company.queues[call.queue];
    call.waiting = false;
    ++call.step;
    ++tally.answered;
    agent.doing = Doing::talking;
    say(call).mutable_answered()->set_agent(agent.spec->id);
    stop_item(call.agent, "call");

    const double talk = skewed(queue.talk_s / work_pace);
    if (chance(0.2) && talk > 6) {
      const double from = talk * uniform(0.2, 0.5);
      const double to = from + talk * uniform(0.1, 0.3);
      talking(number, from, [this](Call& c) { say(c).mutable_held(); });
      talking(number, to, [this](Call& c) { say(c).mutable_retrieved(); });
    }
    if (chance(0.08)) {
      const bool handed_over = chance(0.4);
      talking(number, talk * 0.9, [this, handed_over](Call& c) {
        say(c).mutable_lead()->set_kind("asked");
        if (handed_over) say(c).mutable_lead()->set_kind("handed_over");
      });
    }
    const bool wrong_team = !queue.transfer_to.empty() && !call.transferred && chance(0.06);
    const bool asks_colleague = !wrong_team && chance(0.03);
    if (asks_colleague) talking(number, talk * 0.6, [this, number, talk](Call&) { ask_colleague(number, talk * 0.3); });
    talking(number, talk, [this, number, wrong_team](Call& c) {
      if (wrong_team) {
        transfer(number);
      } else {
        say(c).mutable_ended()->set_by(chance(0.6) ? "caller" : "agent");
        hang_up(number);
      }
    });
  }

  void talking(std::size_t number, double after_s, std::function<void(Call&)> then) {
    after(seconds(after_s), [this, number, step = calls.at(number).step, then = std::move(then)] {
      const auto found = calls.find(number);
      if (found != calls.end() && found->second.step == step) then(found->second);
    });
  }

  void ask_colleague(std::size_t number, double length_s) {
    Call& call = calls.at(number);
    const std::size_t other = best_idle_agent(call.queue);
    if (other == agents.size()) return;
    agents[other].doing = Doing::talking;
    say(call).mutable_consult_started()->set_agent(agents[other].spec->id);
    stop_item(other, "call");
    after(seconds(length_s), [this, number, other] {
      say(calls.at(number)).mutable_consult_ended()->set_agent(agents[other].spec->id);
      become_free(other);
    });
  }

  void hang_up(std::size_t number) {
    wrap_up(number);
    calls.erase(number);
  }

  void wrap_up(std::size_t number) {
    const Call& call = calls.at(number);
    const std::size_t a = call.agent;
    agents[a].doing = Doing::wrap_up;
    const double length = skewed(company.queues[call.queue].wrap_up_s / work_pace);
    after(seconds(length), [this, a, ended = call] {
      say(ended).mutable_wrap_up_ended()->set_agent(agents[a].spec->id);
      become_free(a);
    });
  }

  void transfer(std::size_t number) {
    Call& call = calls.at(number);
    const QueueSpec& queue = company.queues[call.queue];
    auto& transferred = *say(call).mutable_transferred();
    transferred.set_to(queue.transfer_to);
    transferred.set_to_queue(queue.transfer_to);
    wrap_up(number);
    call.transferred = true;
    call.queue = find_queue(queue.source, queue.transfer_to);
    if (closed[call.queue] || !staffed(call.queue)) {
      auto& rejected = *say(call).mutable_rejected();
      rejected.set_reason(closed[call.queue] ? "rejected" : "empty");
      rejected.set_queue(company.queues[call.queue].name);
      ++tally.rejected;
      calls.erase(number);
      return;
    }
    enter_queue(number);
  }

  /// The call stops waiting: whoever it rings at is free again, and the telephone says why.
  void stop_waiting(Call& call, std::size_t number, const char* cause) {
    call.waiting = false;
    ++call.step;
    std::erase(waiting[call.queue], number);
    if (call.agent == agents.size()) return;
    auto& ring_ended = *say(call).mutable_ring_ended();
    ring_ended.set_agent(agents[call.agent].spec->id);
    ring_ended.set_cause(cause);
    at(now, [this, a = call.agent] { become_free(a); });
    call.agent = agents.size();
  }

  void give_up(std::size_t number) {
    Call& call = calls.at(number);
    stop_waiting(call, number, "caller_left");
    say(call).mutable_abandoned();
    ++tally.abandoned;
    perhaps_redial(call);
    calls.erase(number);
  }

  void perhaps_redial(const Call& call) {
    if (!chance(call.redial ? 0.25 : 0.45)) return;
    Call again;
    again.dialled = call.dialled;
    again.journey = call.journey;
    again.caller = call.caller;
    again.redial = true;
    after(seconds(uniform(20, 120)), [this, again] { arrive(again); });
  }

  void leave_queue(std::size_t number, const char* reason, const char* to) {
    Call& call = calls.at(number);
    stop_waiting(call, number, "other");
    auto& forwarded = *say(call).mutable_forwarded();
    forwarded.set_reason(reason);
    forwarded.set_to(to);
    ++tally.forwarded;
    if (std::string_view(to) == "voicemail") say(call).mutable_voicemail_left();
    if (std::string_view(to) == "callback") say(call).mutable_callback_requested();
    calls.erase(number);
  }

  void overflow(std::size_t number) {
    Call& call = calls.at(number);
    const QueueSpec& queue = company.queues[call.queue];
    const std::size_t other = find_queue(queue.source, queue.overflow_to);
    if (call.agent != agents.size() || closed[other]) return;  // it rings already, or there is no better place
    stop_waiting(call, number, "other");
    auto& forwarded = *say(call).mutable_forwarded();
    forwarded.set_reason("overflow");
    forwarded.set_to(queue.overflow_to);
    call.queue = other;
    enter_queue(number);
  }

  void close_queue(std::size_t q) {
    closed[q] = true;
    say(company.queues[q].source).mutable_queue_closed()->set_queue(company.queues[q].name);
    while (!waiting[q].empty()) leave_queue(waiting[q].front(), "other", "");
  }

  void open_queue(std::size_t q) {
    closed[q] = false;
    say(company.queues[q].source).mutable_queue_opened()->set_queue(company.queues[q].name);
  }

  // ---- work items
  // ----------------------------------------------------------------------------------------------------

  /// People read the inboxes of the segments whose calls they take, at their own site.
  bool reads(const Agent& agent, std::size_t box) const {
    const InboxSpec& spec = company.inboxes[box];
    return spec.source == agent.spec->source &&
           std::any_of(agent.queues.begin(), agent.queues.end(),
                       [&](std::size_t q) { return company.queues[q].segment == spec.segment; });
  }

  void plan_receipt(std::size_t box) {
    const double peak = company.inboxes[box].items_per_hour / 3600 * work_pace * weekday_factor(0) * day_curve_peak;
    after(seconds(exponential(1 / peak)), [this, box, peak] {
      const DayTime time = clock.at(now);
      const double rate =
          company.inboxes[box].items_per_hour / 3600 * work_pace * weekday_factor(time.weekday) * day_curve(time.hour);
      if (chance(rate / peak)) receive(box);
      plan_receipt(box);
    });
  }

  void receive(std::size_t box) {
    const InboxSpec& spec = company.inboxes[box];
    Item item;
    item.id = next_id("w");
    const std::size_t number = last_number;
    item.inbox = box;
    item.due = now + clock.span(spec.due_h);
    item.work_s = skewed(spec.handling_s / work_pace);
    ++tally.items;
    v1::Event& event = say(item);
    event.set_service(spec.service);
    auto& received = *event.mutable_received();
    received.set_queue(spec.name);
    received.set_service(spec.service);
    received.set_due_ns(static_cast<std::uint64_t>(ns_of(item.due)));
    if (chance(0.03)) {
      after(seconds(uniform(5, 20)), [this, item] {
        say(item).mutable_cancelled()->set_reason("spam");
        ++tally.items_done;
      });
      return;
    }
    items.emplace(number, item);
    lay_into_inbox(number);
  }

  void lay_into_inbox(std::size_t number) {
    const Item& item = items.at(number);
    inbox[item.inbox].emplace(item.due, number);
    for (std::size_t a = 0; a < agents.size(); ++a) {
      if (agents[a].doing == Doing::idle && agents[a].item == 0 && reads(agents[a], item.inbox)) {
        after(seconds(uniform(2, 8)), [this, a] { look_into_inbox(a); });
        return;
      }
    }
  }

  void look_into_inbox(std::size_t a) {
    Agent& agent = agents[a];
    if (agent.doing != Doing::idle || agent.item != 0) return;
    std::size_t best = inbox.size();
    for (std::size_t box = 0; box < inbox.size(); ++box) {
      if (inbox[box].empty() || !reads(agent, box)) continue;
      if (best == inbox.size() || *inbox[box].begin() < *inbox[best].begin()) best = box;
    }
    if (best == inbox.size()) return;
    agent.item = inbox[best].begin()->second;
    inbox[best].erase(inbox[best].begin());
    Item& item = items.at(agent.item);
    if (item.assigned != a) say(item).mutable_assigned()->set_agent(agent.spec->id);
    item.assigned = a;
    run_item(a);
  }

  /// Begins or goes on with the item in hand.
  void run_item(std::size_t a) {
    Agent& agent = agents[a];
    if (agent.item_running) return;
    const std::size_t number = agent.item;
    Item& item = items.at(number);
    if (!item.started) {
      say(item).mutable_started()->set_agent(agent.spec->id);
      item.started = true;
    } else if (item.stopped) {
      v1::Event& event = say(item);
      event.set_agent(agent.spec->id);
      event.mutable_resumed();
    }
    item.stopped = false;
    agent.item_running = true;
    item.running_since = now;
    ++item.step;
    if (!item.responded && company.inboxes[item.inbox].service == "complaint") {
      after(seconds(std::min(item.work_s, 60 / work_pace)), [this, number, a, step = item.step] {
        const auto found = items.find(number);
        if (found == items.end() || found->second.step != step) return;
        found->second.responded = true;
        say(found->second).mutable_responded()->set_agent(agents[a].spec->id);
      });
    }
    after(seconds(item.work_s), [this, number, a, step = item.step] {
      const auto found = items.find(number);
      if (found != items.end() && found->second.step == step) finish_item(number, a);
    });
  }

  /// The item stays in hand, its clock stops: a person does one thing at a time.
  void stop_item(std::size_t a, const char* reason) {
    Agent& agent = agents[a];
    if (agent.item == 0 || !agent.item_running) return;
    Item& item = items.at(agent.item);
    agent.item_running = false;
    ++item.step;
    item.work_s = std::max(1.0, item.work_s - seconds_of(now - item.running_since));
    item.stopped = true;
    v1::Event& event = say(item);
    event.set_agent(agent.spec->id);
    event.mutable_paused()->set_reason(reason);
  }

  /// Going home: somebody else goes on with it.
  void put_back(std::size_t a) {
    Agent& agent = agents[a];
    if (agent.item == 0) return;
    stop_item(a, "shift_end");
    const std::size_t number = std::exchange(agent.item, 0);
    lay_into_inbox(number);
  }

  void finish_item(std::size_t number, std::size_t a) {
    Agent& agent = agents[a];
    Item& item = items.at(number);
    agent.item = 0;
    agent.item_running = false;
    ++item.step;
    if (chance(0.1)) {  // a question to the customer; the answer comes after half an hour to two hours
      say(item).mutable_paused()->set_reason("customer");
      item.work_s = skewed(90 / work_pace);
      item.responded = true;
      const Duration away = clock.span(uniform(0.5, 2));
      item.due += away;
      after(away, [this, number] {
        say(items.at(number)).mutable_resumed();
        lay_into_inbox(number);
      });
    } else {
      say(item).mutable_completed()->set_agent(agent.spec->id);
      ++tally.items_done;
      if (chance(0.03)) {  // it was not quite right
        after(clock.span(uniform(0.3, 1.5)), [this, number] {
          Item& again = items.at(number);
          say(again).mutable_reopened();
          --tally.items_done;
          again.work_s = skewed(120 / work_pace);
          again.started = false;
          again.assigned = SIZE_MAX;
          lay_into_inbox(number);
        });
      } else {
        items.erase(number);
      }
    }
    if (agent.doing == Doing::idle) become_free(a);
  }
};

BackOffice::BackOffice(Company company, Options options)
    : world_(std::make_unique<World>(std::move(company), options)) {}
BackOffice::~BackOffice() = default;

void BackOffice::run_until(Time until, std::vector<v1::Event>& out) {
  World& world = *world_;
  world.out = &out;
  while (world.tasks.top().at <= until) {
    const auto task = world.tasks.top();
    world.tasks.pop();
    world.now = task.at;
    task.run();
  }
}

Time BackOffice::next() const {
  return world_->tasks.top().at;
}
const DayClock& BackOffice::clock() const {
  return world_->clock;
}
const Tally& BackOffice::tally() const {
  return world_->tally;
}

double BackOffice::expected_calls(std::size_t queue, Time from, Time to) const {
  const Duration step = world_->clock.span(1.0 / 60);
  double sum = 0;
  for (Time t = from; t < to; t += step) {
    const Duration length = std::min(step, to - t);
    sum += world_->rate_per_s(queue, world_->clock.at(t + length / 2)) * seconds_of(length);
  }
  return sum;
}

}  // namespace reach::simulator
