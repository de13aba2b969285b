// Inside the simulated back office: who and what there is, and everything that can happen to them. One file each for
// people, calls and items; the scheduler and the day are in world.cpp.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "clients/adapters/simulator/back_office.hpp"

namespace reach::simulator {

inline constexpr double fastest_work = 6;  // talks of 25 s: shorter ones would be mostly ringing

inline Duration seconds(double s) {
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

/// Everything, in one thread and one place. In the functions below `a` is an index into agents, `q` into queues, `box`
/// into inboxes; `number` is the number of a call or item. Only what is still true when a plan falls due happens.
struct World {
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

  World(Company c, Options o);

  // time and chance
  void at(Time t, std::function<void()> run) { tasks.push({std::max(t, now), order++, std::move(run)}); }
  void after(Duration d, std::function<void()> run) { at(now + d, std::move(run)); }
  double uniform() { return std::uniform_real_distribution<>(0, 1)(random); }
  bool chance(double p) { return uniform() < p; }
  double uniform(double from, double to) { return from + (to - from) * uniform(); }
  double exponential(double mean) { return -mean * std::log1p(-uniform()); }
  /// Handling times are skewed: lognormal with a coefficient of variation of 0.7.
  double skewed(double mean);
  /// Some hang up at the first announcement, most hold out: hyperexponential with the mean `mean`.
  double patience(double mean) { return chance(0.15) ? exponential(0.25 * mean) : exponential(1.13 * mean); }

  // events
  v1::Event& say(const std::string& source);
  v1::Event& say(const Call& call);
  v1::Event& say(const Item& item);
  v1::Event& say(const Agent& agent);
  std::string next_id(const char* kind) { return kind + id_prefix + std::to_string(++last_number); }
  std::size_t find_queue(const std::string& source, const std::string& name) const;

  // the day
  void open_office();
  bool ill(std::size_t agent, int day) const { return agents[agent].spec->ill_on_monday && clock.weekday_of(day) == 0; }
  bool on_shift(std::size_t agent) const;
  void plan_day(int day);

  // people
  void log_in(std::size_t a);
  void take_break(std::size_t a, const std::string& reason, double hours);
  void go_home(std::size_t a);
  /// The one place where an agent decides what to do next.
  void become_free(std::size_t a);
  bool take_waiting_call(std::size_t a);

  // calls
  double rate_per_s(std::size_t q, const DayTime& time) const;
  /// Non-homogeneous Poisson arrivals by thinning (Lewis and Shedler 1979): candidates come at the highest rate there
  /// can be and are kept with the share of the rate of their instant.
  void plan_arrival(std::size_t q);
  void arrive(Call call);
  bool staffed(std::size_t q) const;
  void ask_in(std::size_t number);
  /// A new entry: of a fresh call, an overflow, or a transfer.
  void enter_queue(std::size_t number);
  /// Runs `then` after `d` unless the call's situation has changed by then. Ringing is still waiting.
  void while_waiting(std::size_t number, Duration d, std::function<void()> then);
  /// The longest idle; people with a letter in hand only when nobody else is free.
  std::size_t best_idle_agent(std::size_t q) const;
  void ring(std::size_t number, std::size_t a);
  void not_answered(std::size_t number);
  void answer(std::size_t number);
  void talking(std::size_t number, double after_s, std::function<void(Call&)> then);
  void ask_colleague(std::size_t number, double length_s);
  void hang_up(std::size_t number);
  void wrap_up(std::size_t number);
  void transfer(std::size_t number);
  /// The call stops waiting: whoever it rings at is free again, and the telephone says why.
  void stop_waiting(Call& call, std::size_t number, const char* cause);
  void give_up(std::size_t number);
  void perhaps_redial(const Call& call);
  void leave_queue(std::size_t number, const char* reason, const char* to);
  void overflow(std::size_t number);
  void close_queue(std::size_t q);
  void open_queue(std::size_t q);

  // work items
  /// People read the inboxes of the segments whose calls they take, at their own site.
  bool reads(const Agent& agent, std::size_t box) const;
  void plan_receipt(std::size_t box);
  void receive(std::size_t box);
  void lay_into_inbox(std::size_t number);
  void look_into_inbox(std::size_t a);
  /// Begins or goes on with the item in hand.
  void run_item(std::size_t a);
  /// The item stays in hand, its clock stops: a person does one thing at a time.
  void stop_item(std::size_t a, const char* reason);
  /// Going home: somebody else goes on with it.
  void put_back(std::size_t a);
  void finish_item(std::size_t number, std::size_t a);
};

}  // namespace reach::simulator
