// The engine's memory: every table, and the small operations that more than one part of the engine needs.
// Private to daemon/core. Read the structs first; the functions then hold no surprise.
#pragma once
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/engine.hpp"
#include "daemon/core/lifecycle.hpp"
#include "daemon/core/line.hpp"
#include "daemon/core/short_text.hpp"
#include "daemon/core/slab.hpp"
#include "daemon/core/timers.hpp"
#include "daemon/core/window.hpp"
#include "daemon/staffing/erlang.hpp"

namespace reach {

/// Where a contact stands.
enum class Stage : std::uint8_t {
  arrived,    ///< at the PBX, in no queue yet
  waiting,    ///< in a queue
  moving,     ///< left a queue unanswered towards another one that we know of
  connected,  ///< talks to a person
  handed_on,  ///< was answered and transferred: comes back into a queue, to a colleague, or ends
  ended,      ///< over; remembered for corrections
  open_item,
  done_item,
  aside,  ///< not a customer contact, unrouted or outside the catalogue: known, counted nowhere
};

struct Contact {
  ShortText id;
  std::uint32_t source = none, queue = none, segment = none, service = none, site = none;
  std::uint32_t offer = none;  ///< stay in a (segment, service)
  std::uint32_t entry = none;  ///< stay in a queue
  std::uint32_t agent = none;  ///< who talks or works
  std::uint32_t item = none;
  std::uint32_t older = none, newer = none;  ///< neighbours in the list by last event
  Time touched{};
  Time arrived{};       ///< at the PBX; epoch: not known
  Time connected_at{};  ///< beginning of the conversation
  Time left_at{};       ///< moving: when it left; ended: when it ended
  Stage stage = Stage::arrived;
  std::uint8_t list = 0;  ///< which of the lists holds it
  ForwardReason left_reason = ForwardReason::other;
};

/// What only work items have.
struct Item {
  std::uint32_t contact = none;
  Time received{}, due = never, respond_due = never, completed_at{};
  Time paused_at{};        ///< when the pause began; not paused: when the last one ended, at first the receipt
  Duration paused_open{};  ///< open time spent paused, not counting a pause that goes on
  bool paused = false, clock_stands = false, overdue = false, responded = false;
  Verdict verdict = Verdict::undecided, respond_verdict = Verdict::undecided;
  Time decided_at{};
};

/// Rows of a table (contacts, agents) in the order of their last event, to forget the oldest. The links live in them.
struct RowList {
  std::uint32_t first = none, last = none;
  std::size_t size = 0;

  template <class Table>
  void append(Table& table, std::uint32_t row) {
    table[row].older = last;
    table[row].newer = none;
    (last == none ? first : table[last].newer) = row;
    last = row;
    ++size;
  }
  template <class Table>
  void remove(Table& table, std::uint32_t row) {
    const std::uint32_t older = table[row].older, newer = table[row].newer;
    (older == none ? first : table[older].newer) = newer;
    (newer == none ? last : table[newer].older) = older;
    --size;
  }
};

struct Queue {
  std::string name;  ///< as the PBX says
  std::uint32_t source = none, segment = none, service = none;
  std::uint32_t line = none;  ///< none: unrouted
  Scope scope;
  std::int64_t unrouted_events = 0;
};

/// A service in a segment.
struct Slot {
  std::uint32_t service = none;
  std::uint32_t line = none;
  Scope scope;
  std::int64_t overdue = 0;  ///< open items past their due time
};

struct Site {
  std::string name;
  std::uint32_t source = none;  ///< whose events brought it along; none: the configuration names it
  friend bool operator==(const Site&, const Site&) = default;
};
/// Names that only events bring along have a bound; those beyond are counted together, under this one.
inline constexpr std::string_view the_others = "…";
inline constexpr std::uint32_t other_sites = 0;  ///< its row among the sites

struct SiteScope {
  std::uint32_t site = none;
  Scope scope;
};

enum class AgentState : std::uint8_t { logged_out, available, ringing, busy, wrap_up, paused, count_ };

struct People {
  std::array<std::int64_t, static_cast<std::size_t>(AgentState::count_)> in{};
  [[nodiscard]] AgentCounts counts(bool known) const;
};

/// A set of queues that people serve, and what follows from it. Forgotten when the last of them serves others.
struct Team {
  std::vector<std::uint32_t> queues, segments, pools;  ///< in order, each once
  std::uint32_t people = 0;                            ///< who serve them; not counted of the team without queues
};

struct Agent {
  ShortText id;
  std::uint32_t source = none, site = none;
  std::uint32_t team = 0;
  std::uint32_t older = none, newer = none;  ///< neighbours in the list by last event
  Time touched{};                            ///< the last event, roughly
  std::uint32_t place = none;                ///< in Source::agents; none: not there
  std::uint32_t listing = 0;                 ///< the source's when it was last named; `listed` and `ringing` are of it
  bool logged_in = false, paused = false, wrap_up = false, unavailable = false;
  bool listed = false;  ///< the source said something about it since its last listing began
  std::uint32_t ringing = 0, talking = 0;
  AgentState state = AgentState::logged_out;
};

/// The open-time clock of a contract's calendar, or of no calendar (always open).
struct OpenClock {
  Calendar calendar;
  Time since{};        ///< the last opening or closing
  Duration open_at{};  ///< clock at `since`
  bool open = true;
  [[nodiscard]] Duration at(Time t) const;
};

/// One thing that can raise one alert at a time.
struct Watch {
  AlertKind kind{};
  AlertRule rule;
  AlertLifecycle life;
  Alert alert;              ///< as last said
  std::string subject_key;  ///< what makes the fingerprint
  std::uint32_t objective = none;
  std::optional<double> value;  ///< of an objective's figure, now; the alert keeps the one it was said with
  std::int64_t samples = 0;
  Time last_opened{};             ///< the latest instant at which one of its alerts opened
  std::uint32_t opened_late = 0;  ///< alerts that opened, by late events, at that instant or before: it tells ids apart
};

struct Objective {
  const ObjectiveConfig* config = nullptr;
  std::uint32_t contract = none, segment = none, service = none, watch = none;
  std::deque<std::string> evidence;  ///< the last contacts that missed
  ObjectiveStatus status = ObjectiveStatus::no_data;
  Time woken{};  ///< when time alone last made it be looked at
};

struct Segment {
  std::uint32_t clock = none, contract = none, pool = none;
  Duration first_open{};  ///< open-time clock when counting began
  Scope scope;
  std::vector<Slot> slots;       ///< services seen or promised
  std::vector<SiteScope> sites;  ///< sites seen
  std::vector<std::uint32_t> objectives, queues, sources;
  std::vector<std::uint32_t> overflow_to;
  People people;
  bool touched = false;    ///< objectives are to be evaluated after this step
  bool announced = false;  ///< SegmentChanged was said and not yet viewed
};

struct Pool {
  std::vector<std::uint32_t> segments;
  std::vector<std::uint32_t> clocks;   ///< of its segments' calendars, each once
  std::vector<std::uint32_t> sources;  ///< that feed its segments, each once
  People people;
  Scope scope;                  ///< its segments' calls together; busy and idle time
  staffing::Goal goal;          ///< the strictest of its segments
  Duration first_open{};        ///< open-time clock when counting began
  std::int64_t items_load = 0;  ///< millionths of a person: open items' handling time over their due time
  Time accrued{};               ///< busy and idle time is booked up to here
  std::uint32_t no_agents = none, staffing_gap = none;  ///< watches
  StaffingView advice;                                  ///< as last published
  std::int64_t wanted = -1;  ///< a new requirement that has not lasted long enough to be published
  Time wanted_since{}, published{};
  [[nodiscard]] std::uint32_t clock() const { return clocks.size() == 1 ? clocks.front() : 0; }
};

struct Source {
  SourceView view;
  Time last_event{};
  Time last_late{};  ///< when an event last came that was late by more than stale_after
  std::uint32_t site = none, watch = none;
  std::vector<std::uint32_t> segments;
  RowList live_calls;
  std::vector<std::uint32_t> agents;                ///< who may be there: named since a listing was last without them
  std::uint32_t listings = 0;                       ///< so many have begun
  std::uint32_t queues_named = 0, sites_named = 0;  ///< names that only its events brought along
  std::uint32_t live_contacts = 0, people = 0;      ///< known now
  bool tells_agents = false, tells_wrap_up = false, announced = false, in_resync = false;
  bool heard_meanwhile = false;  ///< since catching up began
};

/// Look-up by name without making a string of it. (Debian's Abseil has a string_view of its own, so its ready-made
/// transparent hash does not take ours.)
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return absl::HashOf(absl::string_view(text.data(), text.size()));
  }
};
struct TextEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
};
template <class Value>
using ByName = absl::flat_hash_map<std::string, Value, TextHash, TextEqual>;

/// Likewise for names that are unique within a source.
struct SourceNameHash {
  using is_transparent = void;
  std::size_t operator()(const std::pair<std::uint32_t, std::string_view>& key) const noexcept {
    return absl::HashOf(absl::string_view(key.second.data(), key.second.size()), key.first);
  }
};
struct SourceNameEqual {
  using is_transparent = void;
  using Key = std::pair<std::uint32_t, std::string_view>;
  bool operator()(const Key& a, const Key& b) const noexcept { return a == b; }
};
using BySourceName =
    absl::flat_hash_map<std::pair<std::uint32_t, std::string>, std::uint32_t, SourceNameHash, SourceNameEqual>;

/// Likewise, where the names stand in the rows of a table: the index holds row numbers alone.
using SourceName = std::pair<std::uint32_t, std::string_view>;
template <class Table>
struct RowHash {
  using is_transparent = void;
  const Table* table;
  std::size_t operator()(const SourceName& key) const { return SourceNameHash{}(key); }
  std::size_t operator()(std::uint32_t i) const {
    return (*this)(SourceName((*table)[i].source, view((*table)[i].id)));
  }
};
template <class Table>
struct RowEqual {
  using is_transparent = void;
  const Table* table;
  [[nodiscard]] bool is(std::uint32_t i, const SourceName& key) const {
    return (*table)[i].source == key.first && view((*table)[i].id) == key.second;
  }
  bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
  bool operator()(std::uint32_t a, const SourceName& b) const { return is(a, b); }
  bool operator()(const SourceName& a, std::uint32_t b) const { return is(b, a); }
};
template <class Table>
using RowIndex = absl::flat_hash_set<std::uint32_t, RowHash<Table>, RowEqual<Table>>;

struct Engine::State {
  State(Config configuration, EngineOptions engine_options, Time start);
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // ---- engine.cpp: time and dispatch
  void take(const Event& event, Time at, Decisions& out);
  void take(const Input& input, Time at, Decisions& out);
  void advance(Time to, bool inclusive);
  void fire(const Timers::Due& due);
  void apply(const Event& event);
  void evaluate_touched();
  void touch(std::uint32_t segment);
  void announce_segment(std::uint32_t segment);
  void remark(std::string_view kind, std::string text);
  void on_log_trouble(const std::string& problem);
  void catch_up(bool begins);
  void contradiction(const Event& event, std::string_view what, std::string_view then = "counted, otherwise ignored");
  void over_limit(std::uint32_t source, std::int64_t& total, const char* limit);

  // ---- scopes.cpp: where things are counted
  void count(const Stay& stay, const Changes& changes, Time at, bool correction = false);
  void count_wait(const Stay& stay, Duration wait, Time at, std::int64_t n, bool correction);
  void count_segment(std::uint32_t segment, std::uint32_t service, std::uint32_t site, const Changes& changes, Time at,
                     bool correction = false);
  Scope& fresh(Scope& scope);
  Slot& slot(std::uint32_t segment, std::uint32_t service);
  Scope& site_scope(Segment& segment, std::uint32_t site);
  Scope new_scope(std::uint32_t segment) const;
  [[nodiscard]] Duration open_at(std::uint32_t segment, Time t) const;

  // ---- routing.cpp: names to indices
  std::uint32_t source_of(std::string_view id);
  std::uint32_t site_of(std::uint32_t source, std::string_view name);
  std::uint32_t add_site(std::string_view name, std::uint32_t source);
  std::uint32_t queue_of(std::uint32_t source, std::string_view name);
  std::uint32_t add_queue(std::uint32_t source, std::string_view name);
  std::uint32_t agent_of(std::uint32_t source, std::string_view id);
  std::uint32_t add_agent(std::uint32_t source, std::string_view id);
  [[nodiscard]] std::uint32_t find_contact(std::uint32_t source, std::string_view id) const;
  std::uint32_t add_contact(std::uint32_t source, std::string_view id);
  void forget_contact(std::uint32_t contact);
  void touch_agent(std::uint32_t agent);
  void forget_old_agents();
  void link_contact(std::uint32_t contact, std::uint8_t list);
  void unlink_contact(std::uint32_t contact);
  void move_to_list(std::uint32_t contact, std::uint8_t list);
  void purge();
  void arm_expiry(std::uint32_t source);
  RowList& list_of(std::uint32_t source, std::uint8_t list);
  [[nodiscard]] std::uint32_t service_index(std::string_view id) const;
  [[nodiscard]] std::uint32_t only_service(Medium medium) const;
  std::uint32_t service_for(const Event& event, const Queue& queue, Medium medium) const;
  void link_source(std::uint32_t source, std::uint32_t segment);
  [[nodiscard]] std::string contact_name(const Contact& contact) const;

  // ---- calls.cpp
  void on_call(const Event& event, std::uint32_t source);
  void on_offered(const Event& event, std::uint32_t contact, std::uint32_t source);
  void on_rejected(const Event& event, std::uint32_t contact, std::uint32_t source);
  void move_unseen(std::uint32_t contact, std::uint32_t segment, Time at);
  void on_answered(const Event& event, std::uint32_t contact);
  void on_abandoned(const Event& event, std::uint32_t contact);
  void on_forwarded(const Event& event, std::uint32_t contact);
  void on_outcome_unknown(std::uint32_t contact, Time at);
  void on_answer_retracted(const Event& event, std::uint32_t contact);
  void on_ended(const Event& event, std::uint32_t contact);
  void on_classified(const Event& event, std::uint32_t contact);
  void begin_offer(const Event& event, std::uint32_t contact, std::uint32_t queue, std::uint32_t service);
  void begin_entry(const Event& event, std::uint32_t contact, std::uint32_t queue);
  [[nodiscard]] int came_by_overflows(std::uint32_t offer) const;
  void settle_move(std::uint32_t contact);
  void resume_move(std::uint32_t contact);
  void take_back_loss(std::uint32_t contact, std::uint32_t stay);
  void end_origin(std::uint32_t origin, Verdict within, Time at);
  void end_origins(std::uint32_t first, Verdict within, Time at);
  void end_talk(std::uint32_t contact, Time at);
  void let_go(std::uint32_t contact, Time at, bool wrap_up);

  // ---- stays.cpp: one wait, decided once
  std::uint32_t begin_stay(std::uint32_t line, std::uint32_t contact, Time start, Time offered_at, bool while_open);
  void decide(std::uint32_t stay, Verdict verdict, Time at);
  [[nodiscard]] Changes note_verdict(std::uint32_t stay, Verdict verdict, Time at);
  void retract_decision(std::uint32_t stay);
  void end_stay(std::uint32_t stay, Outcome outcome, Time at);
  void reopen_stay(std::uint32_t stay);
  void drop_stay(std::uint32_t stay);
  void arm_line(std::uint32_t line);
  void link_waiting_stay(std::uint32_t stay);
  void link_undecided_stay(std::uint32_t stay);
  void pass_threshold(std::uint32_t line);

  // ---- items.cpp
  void on_item(const Event& event, std::uint32_t source);
  void decide_item(std::uint32_t item, Verdict verdict, Time at);
  void decide_response(std::uint32_t item, Verdict verdict, Time at);
  void set_overdue(std::uint32_t item, bool overdue);
  void arm_item(std::uint32_t item);
  void close_item(std::uint32_t contact, Time at);
  void load_pool(const Contact& contact, std::int64_t items);
  [[nodiscard]] Duration age_of(const Item& item, const Contact& contact, Time at) const;

  // ---- agents.cpp
  void on_agent(const Event& event, std::uint32_t source);
  void serve_queues(std::uint32_t agent, std::vector<std::uint32_t> queues);
  std::uint32_t team_of(const std::vector<std::uint32_t>& queues);
  void leave_team(std::uint32_t team);
  void refresh_agent(std::uint32_t agent);
  void named_agent(std::uint32_t agent);
  void no_agent(std::uint32_t agent);
  void end_unlisted(std::uint32_t source);
  void move_people(std::uint32_t agent, AgentState to);
  void accrue(std::uint32_t pool, Time to);

  // ---- sources.cpp
  void on_source(const Event& event, std::uint32_t source);
  void heard(std::uint32_t source, bool upstream);
  void lost(std::uint32_t source, SourceCondition condition, std::string_view reason);
  void watch_lateness(std::uint32_t source, Time at);
  void end_lateness(std::uint32_t source);
  void end_unseen(std::uint32_t source, std::span<const std::string_view> still_there);
  void announce_source(std::uint32_t source);
  [[nodiscard]] bool is_stale(const Segment& segment) const;

  // ---- objectives.cpp
  struct Measure {
    std::optional<double> value;
    std::int64_t samples = 0;
  };
  [[nodiscard]] Measure measure(const Objective& objective, Time at);
  void evaluate(std::uint32_t objective);
  [[nodiscard]] Time passes_target(const Objective& objective) const;
  void observe(std::uint32_t watch, Condition condition);
  void pass_alert(std::uint32_t watch);
  void say(std::uint32_t watch, AlertReason reason);
  void describe(Watch& watch);
  void advance_windows(Segment& segment);
  void note_miss(std::uint32_t segment, std::uint32_t service, const Contact& contact);
  void take_back_miss(std::uint32_t segment, const Contact& contact);
  void evaluate_pool(std::uint32_t pool);
  Acknowledged acknowledge(const Acknowledge& input);
  [[nodiscard]] CalendarState calendar_state(const Segment& segment) const;
  [[nodiscard]] std::uint32_t watch_of(AlertKind kind, std::string subject_key, AlertRule rule);

  // ---- recommend.cpp
  void recommend(std::uint32_t pool);
  [[nodiscard]] staffing::Goal goal_of(std::span<const std::uint32_t> segments) const;
  [[nodiscard]] bool tells_agents(const std::vector<std::uint32_t>& of) const;

  // ---- views.cpp
  [[nodiscard]] Tally tally(Scope& scope, std::uint32_t segment, const Window& window);
  [[nodiscard]] Between counts(Scope& scope, std::uint32_t segment, const Window& window);
  [[nodiscard]] Figures segment_figures(std::uint32_t segment, const Window& window, Time at);
  void live_figures(Figures& figures, const Slot& slot, Time at) const;

  // ---- snapshot.cpp
  template <class A>
  void visit_tables(A& archive);

  // ---- snapshot_check.cpp: what was read fits together, or ArchiveError
  void check_tables() const;
  void check_contacts() const;
  void check_timers() const;

  // ---- tables
  Config config;
  EngineOptions options;
  Time now{};
  Time happened_at{};  ///< when what is being handled happened: the instant that alerts tell; <= now
  bool catching_up = false;
  std::optional<BehindView> behind;
  std::uint32_t log_watch = none;  ///< raises log_failed
  Periods periods;
  Timers timers;
  Totals totals;
  Decisions* out = nullptr;  ///< of the step that is under way

  std::vector<Segment> segments;
  std::vector<OpenClock> clocks;  ///< [0]: always open; then one a contract
  std::deque<Line> lines;
  std::deque<Queue> queues;
  std::vector<Objective> objectives;
  std::vector<Pool> pools;
  std::vector<Source> sources;
  std::uint32_t last_source = 0;  ///< that was looked up
  Slab<Agent> agents;
  RowList agent_list;
  Slab<Team> teams;         ///< [0]: no queues
  std::vector<Site> sites;  ///< [0]: the others; then those of the configuration
  std::deque<Watch> watches;
  std::deque<Alert> resolved;  ///< the last ones, newest last
  std::vector<std::uint32_t> touched;

  Slab<Contact> contacts;
  Slab<Stay> stays;
  Slab<Item> items;
  std::array<RowList, 3> lists;  ///< ended calls, open items, done items; live calls have a list in their source

  ByName<std::uint32_t> segment_index, service_by_id, source_index, site_index, pool_index;
  ByName<std::uint32_t> open_alerts;  ///< id to watch
  ByName<Time> last_remark;
  struct Route {
    std::uint32_t segment = none, service = none;
  };
  ByName<Route> routes;  ///< "queue" or "source/queue"
  RowIndex<Slab<Contact>> contact_index{0, RowHash<Slab<Contact>>{&contacts}, RowEqual<Slab<Contact>>{&contacts}};
  RowIndex<Slab<Agent>> agent_index{0, RowHash<Slab<Agent>>{&agents}, RowEqual<Slab<Agent>>{&agents}};
  BySourceName queue_index;
  absl::flat_hash_map<std::vector<std::uint32_t>, std::uint32_t> team_index;  ///< by queues
  Acknowledged last_acknowledge;
};

/// Which alert a missed objective of this figure raises.
[[nodiscard]] AlertKind alert_kind_of(Figure figure);

/// Lists of contacts (Contact::list).
enum : std::uint8_t { ended_calls = 0, open_items = 1, done_items = 2, live_calls = 3 };

}  // namespace reach
