// A snapshot whose checksum is right was written by reachd, but perhaps by one with a fault. What stands in it is
// looked at before it is used: every index points to a row, every list leads from its first row to its last, every row
// belongs to whom it says. Times and counts are taken as they are.
#include "daemon/core/snapshot_check.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "daemon/core/state.hpp"

namespace reach {
namespace {

constexpr Duration day_length = std::chrono::days(1);
constexpr Duration longest_span = std::chrono::days(3660);
constexpr std::chrono::sys_days first_date = std::chrono::year(1678) / 1 / 1,
                                last_date = std::chrono::year(2261) / 12 / 31;

void check_span(Duration span) {
  check(span >= Duration::zero() && span <= longest_span, "a span of its configuration is out of range");
}

void check_zone(const Zone& zone) {
  for (std::size_t i = 0; i < zone.changes.size(); ++i) {
    const Zone::Change& change = zone.changes[i];
    check(change.from >= Time(first_date) && change.from <= Time(last_date) &&
              (i == 0 || zone.changes[i - 1].from < change.from) && change.utc_offset >= -day_length &&
              change.utc_offset <= day_length,
          "a time zone has changes that no zone has");
  }
}

void check_day(const Calendar::Day& day) {
  Duration until{};
  for (const Calendar::Hours& hours : day) {
    check(hours.from >= until && hours.to >= hours.from && hours.to <= day_length,
          "opening hours overlap, or leave their day");
    until = hours.to;
  }
}

void check_window(const Window& window) {
  check(window.kind <= Window::Kind::calendar && window.period <= Period::month, "a window is of no known kind");
  check(window.kind != Window::Kind::rolling || window.length > Duration::zero(), "a rolling window has no length");
  check_span(window.length);
}

void check_objective(const ObjectiveConfig& objective) {
  check(!to_text(objective.figure).empty(), "an objective is about no known figure");
  check(std::isfinite(objective.target) && std::isfinite(objective.clear), "an objective has no target");
  check_window(objective.window);
  for (const Duration span : {objective.hold, objective.clear_for, objective.repeat}) check_span(span);
}

}  // namespace

void check_hours(const Zone& zone, const std::array<Calendar::Day, 7>& week,
                 const std::vector<Calendar::Exception>& exceptions) {
  check_zone(zone);
  for (const Calendar::Day& day : week) check_day(day);
  for (std::size_t i = 0; i < exceptions.size(); ++i) {
    check(exceptions[i].date >= first_date && exceptions[i].date <= last_date &&
              (i == 0 || exceptions[i - 1].date < exceptions[i].date),
          "a calendar's exceptions are not in order");
    check_day(exceptions[i].hours);
  }
}

void check_config(const Config& config) {
  check_zone(config.zone);
  check(config.interval >= std::chrono::seconds(1) && config.interval <= day_length, "its interval is none");
  check_span(config.stale_after);
  check_span(config.expire_after);
  check(config.max_contacts > 0 && config.max_agents > 0, "it has no room for contacts or people");
  for (const ServiceConfig& service : config.services) {
    check(service.medium <= Medium::item, "a service has no known medium");
    for (const Duration span : {service.threshold, service.short_abandon, service.due_in,
                                service.respond_in.value_or(Duration{}), service.reopen_within, service.handling})
      check_span(span);
  }
  ByName<std::size_t> contracts, pools;  // of segments: so many have it
  for (const SegmentConfig& segment : config.segments) {
    check_span(segment.requeue_within);
    contracts[segment.id] = pools[segment.id] = 0;
  }
  const auto belongs_once = [](ByName<std::size_t>& owners, const std::string& segment) {
    const auto found = owners.find(segment);
    check(found != owners.end() && found->second++ == 0, "a contract or pool is of segments that are not its own");
  };
  for (const ContractConfig& contract : config.contracts) {
    for (const std::string& segment : contract.segments) belongs_once(contracts, segment);
    for (const ObjectiveConfig& objective : contract.objectives) check_objective(objective);
  }
  for (const PoolConfig& pool : config.pools) {
    check(!pool.segments.empty(), "a pool serves no segment");
    for (const std::string& segment : pool.segments) belongs_once(pools, segment);
    check(pool.shrinkage >= 0 && pool.shrinkage < 1 && pool.max_occupancy.value_or(1) > 0 &&
              pool.max_occupancy.value_or(1) <= 1,
          "a pool's shares are out of range");
    check_span(pool.staffing_gap_for);
  }
}

namespace {

using Rows = std::vector<bool>;  // of a table: some of them

/// The rows that are in use.
template <class Row>
Rows used_rows(const Slab<Row>& table) {
  Rows used(table.size(), true);
  for (const std::uint32_t row : table.free()) {
    check(row < used.size() && used[row], "a table's free rows are none");
    used[row] = false;
  }
  return used;
}

/// Takes one row out of `left`: each belongs to one thing only.
void claim(Rows& left, std::uint32_t row, const char* what) {
  check(row < left.size() && left[row], what);
  left[row] = false;
}

template <class Table>
void check_index(std::uint32_t index, const Table& table) {
  check(index < table.size(), "an index points beyond its table");
}
template <class Table>
void check_index_or_none(std::uint32_t index, const Table& table) {
  if (index != none) check_index(index, table);
}
template <class Table>
void check_indices(const std::vector<std::uint32_t>& indices, const Table& table) {
  for (const std::uint32_t index : indices) check_index(index, table);
}
void check_scope(const Scope& scope) {
  check(scope.is_whole(), "figures are kept in parts that do not fit");
}

/// Goes through a list of contacts or agents, takes its rows out of `left`, calls `look` with each.
template <class Table, class Look>
void check_rows(const RowList& list, const Table& table, Rows& left, const Look& look) {
  std::uint32_t older = none;
  std::size_t size = 0;
  for (std::uint32_t i = list.first; i != none; older = i, i = table[i].newer, ++size) {
    claim(left, i, "a list names a row that it does not have");
    check(table[i].older == older, "a list's rows do not know each other");
    look(i);
  }
  check(list.last == older && list.size == size, "a list does not end where it says");
}

using Link = std::uint32_t Stay::*;

/// Goes through the used stays that are kept apart, takes them out of `left`, calls `look` with each; returns how many
/// are of each line.
template <class Look>
std::vector<std::size_t> check_apart(std::size_t lines, const Slab<Stay>& stays, const Rows& used, Rows& left,
                                     Link before, Link after, const Look& look) {
  std::vector<std::size_t> apart(lines);
  for (std::uint32_t i = 0; i < used.size(); ++i) {
    if (stays[i].*before != kept_apart) continue;
    claim(left, i, "a wait is kept apart, but there is none");
    check(stays[i].*after == kept_apart, "a wait is kept apart and linked");
    ++apart[stays[i].line];
    look(stays[i]);
  }
  return apart;
}

/// Goes through one of a line's lists, takes its stays out of `left`, calls `look` with each; `size`: so many are kept
/// apart.
template <class Look>
void check_stays(const StayList& list, std::uint32_t line, const Slab<Stay>& stays, Rows& left, Link before, Link after,
                 std::size_t size, const Look& look) {
  std::uint32_t last = none;
  for (std::uint32_t i = list.first; i != none; last = i, i = stays[i].*after, ++size) {
    claim(left, i, "a line names a wait that it does not have");
    check(stays[i].*before == last && stays[i].line == line, "a line's waits do not know each other");
    look(stays[i]);
  }
  check(list.last == last && list.size == size, "a line does not end where it says");
}

}  // namespace

void Engine::State::check_tables() const {
  for (std::uint32_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    check_index(line.segment, segments);
    if (line.queue == none) {
      check_index(line.service, config.services);
    } else {
      check_index(line.queue, queues);
      check(queues[line.queue].line == i, "a queue has another line");
    }
  }
  for (std::uint32_t i = 0; i < queues.size(); ++i) {
    const Queue& queue = queues[i];
    check_index(queue.source, sources);
    check_index_or_none(queue.service, config.services);
    check((queue.line == none) == (queue.segment == none), "a queue is routed by half");
    check_scope(queue.scope);
    if (queue.line == none) continue;
    check_index(queue.line, lines);
    check(lines[queue.line].queue == i && lines[queue.line].segment == queue.segment, "a line is of another queue");
  }
  for (std::uint32_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    check_scope(segment.scope);
    for (const Slot& slot : segment.slots) {
      check_index(slot.line, lines);
      const Line& line = lines[slot.line];
      check(line.queue == none && line.segment == i && line.service == slot.service, "a service has another line");
      check_scope(slot.scope);
    }
    for (const SiteScope& site : segment.sites) {
      check_index(site.site, sites);
      check_scope(site.scope);
    }
    check_indices(segment.queues, queues);
    for (const std::uint32_t queue : segment.queues) check(queues[queue].segment == i, "a queue is of another segment");
    check_indices(segment.sources, sources);
  }
  for (const Pool& pool : pools) {
    check_indices(pool.sources, sources);
    check_scope(pool.scope);
  }
  for (const Site& site : sites) check_index_or_none(site.source, sources);
  for (const Source& source : sources) {
    check_index(source.watch, watches);
    check_index_or_none(source.site, sites);
    check_indices(source.segments, segments);
  }
  for (std::uint32_t i = 0; i < watches.size(); ++i)
    check(watches[i].objective == none ||
              (watches[i].objective < objectives.size() && objectives[watches[i].objective].watch == i),
          "an alert is of another objective");
  for (const Objective& objective : objectives)
    check(objective.watch < watches.size() && watches[objective.watch].objective != none, "an objective has no alert");
  for (const Pool& pool : pools) check(pool.staffing_gap < watches.size(), "a pool has no alerts");

  const Rows used_teams = used_rows(teams);
  check(!used_teams.empty() && used_teams[0] && teams[0].queues.empty(), "its first team is none");
  for (std::uint32_t i = 0; i < teams.size(); ++i) {
    const Team& team = teams[i];
    check(std::ranges::is_sorted(team.queues, std::less_equal{}), "a team serves a queue twice");
    check_indices(team.queues, queues);
    check_indices(team.segments, segments);
    check_indices(team.pools, pools);
  }
  Rows agents_left = used_rows(agents), empty_teams = used_teams;
  empty_teams[0] = false;
  check_rows(agent_list, agents, agents_left, [&](std::uint32_t i) {
    check_index(agents[i].source, sources);
    check_index_or_none(agents[i].site, sites);
    check(agents[i].team < used_teams.size() && used_teams[agents[i].team], "a person is in no team");
    empty_teams[agents[i].team] = false;
    check(agents[i].state < AgentState::count_, "a person does what nobody does");
  });
  check(std::ranges::count(agents_left, true) == 0, "a person is in no list");
  check(std::ranges::count(empty_teams, true) == 0, "nobody is in a team");
  std::size_t placed = 0;
  for (std::uint32_t i = agent_list.first; i != none; i = agents[i].newer) placed += agents[i].place != none ? 1 : 0;
  for (std::uint32_t s = 0; s < sources.size(); ++s) {
    const std::vector<std::uint32_t>& there = sources[s].agents;
    for (std::uint32_t place = 0; place < there.size(); ++place, --placed) {
      check_index(there[place], agents);
      check(placed > 0 && agents[there[place]].source == s && agents[there[place]].place == place,
            "a person is in another place");
    }
  }
  check(placed == 0, "a person is in no place");

  check_contacts();
  check_timers();
}

/// Contacts with their waits and items: each wait and each item belongs to one contact.
void Engine::State::check_contacts() const {
  const Rows used_stays = used_rows(stays);
  Rows contacts_left = used_rows(contacts), stays_left = used_stays, items_left = used_rows(items);
  const Rows used_contacts = contacts_left;
  const auto check_stay = [&](std::uint32_t contact, std::uint32_t first) {
    for (std::uint32_t i = first; i != none; i = stays[i].origin) {
      claim(stays_left, i, "a wait is of two contacts");
      check(stays[i].contact == contact, "a wait is of another contact");
      check_index(stays[i].line, lines);
    }
  };
  const auto check_list = [&](std::uint8_t which, const RowList& list, std::uint32_t source) {
    check_rows(list, contacts, contacts_left, [&](std::uint32_t i) {
      const Contact& contact = contacts[i];
      check(contact.list == which, "a contact is in another list");
      check_index(contact.source, sources);
      check(source == none || contact.source == source, "a call is another source's");
      check_index_or_none(contact.queue, queues);
      check_index_or_none(contact.segment, segments);
      check_index_or_none(contact.service, config.services);
      check_index_or_none(contact.site, sites);
      check_index_or_none(contact.agent, agents);
      check_stay(i, contact.offer);
      check_stay(i, contact.entry);
      const bool is_counted = contact.stage == Stage::waiting || contact.stage == Stage::moving ||
                              contact.stage == Stage::connected || contact.stage == Stage::handed_on ||
                              contact.stage == Stage::open_item || contact.stage == Stage::done_item;
      check(!is_counted || (contact.offer != none && contact.segment != none && contact.service != none),
            "a contact is counted nowhere");
      check(contact.stage != Stage::waiting || contact.entry != none, "a caller waits in no queue");
      if (contact.stage == Stage::connected)
        for (std::uint32_t origin = stays[contact.offer].origin; origin != none; origin = stays[origin].origin)
          check(stays[origin].verdict != Verdict::undecided, "a wait is undecided after the answer");
      const bool is_item = contact.stage == Stage::open_item || contact.stage == Stage::done_item;
      check((contact.item != none) == is_item || contact.stage == Stage::aside, "a call is a work item");
      if (contact.item == none) return;
      claim(items_left, contact.item, "a work item is of two contacts");
      check(items[contact.item].contact == i && contact.offer != none, "a work item is of another contact");
    });
  };
  for (std::uint32_t s = 0; s < sources.size(); ++s) check_list(live_calls, sources[s].live_calls, s);
  for (std::uint8_t which = 0; which < lists.size(); ++which) check_list(which, lists[which], none);
  check(std::ranges::count(contacts_left, true) == 0, "a contact is in no list");
  check(std::ranges::count(stays_left, true) == 0, "a wait is of no contact");
  check(std::ranges::count(items_left, true) == 0, "a work item is of no contact");

  // Who is in no list of a line knows no neighbours.
  Rows not_waiting = used_stays, not_undecided = used_stays;
  const auto check_waiting = [&](const Stay& stay) {
    const Line& line = lines[stay.line];
    const bool of_items = line.queue == none && config.services[line.service].medium == Medium::item;
    const Contact& contact = contacts[stay.contact];
    check(stay.outcome == Outcome::waiting && (contact.item != none) == of_items &&
              (!of_items || contact.stage == Stage::open_item),
          "who waits in a line does not wait");
  };
  const auto check_undecided = [](const Stay& stay) {
    check(stay.verdict == Verdict::undecided, "a wait was decided already");
  };
  const auto waiting_apart = check_apart(lines.size(), stays, used_stays, not_waiting, &Stay::before_waiting,
                                         &Stay::after_waiting, check_waiting);
  const auto undecided_apart = check_apart(lines.size(), stays, used_stays, not_undecided, &Stay::before_undecided,
                                           &Stay::after_undecided, check_undecided);
  for (std::uint32_t i = 0; i < lines.size(); ++i) {
    check_stays(lines[i].waiting, i, stays, not_waiting, &Stay::before_waiting, &Stay::after_waiting, waiting_apart[i],
                check_waiting);
    check_stays(lines[i].undecided, i, stays, not_undecided, &Stay::before_undecided, &Stay::after_undecided,
                undecided_apart[i], check_undecided);
  }
  for (std::uint32_t i = 0; i < used_stays.size(); ++i) {
    check(!not_waiting[i] || (stays[i].before_waiting == none && stays[i].after_waiting == none),
          "a wait is linked, but in no line");
    check(!not_undecided[i] || (stays[i].before_undecided == none && stays[i].after_undecided == none),
          "a wait is linked, but in no line");
  }
}

void Engine::State::check_timers() const {
  check(timers.in_order(), "its timers are in no order");
  const Rows used_items = used_rows(items);
  timers.for_each([&](const Timers::Due& due) {
    const std::size_t rows[] = {1,
                                clocks.size(),
                                lines.size(),
                                contacts.size(),
                                items.size(),
                                items.size(),
                                objectives.size(),
                                watches.size(),
                                sources.size(),
                                pools.size(),
                                sources.size()};
    static_assert(std::size(rows) == static_cast<std::size_t>(TimerKind::count_));
    check(due.subject < rows[static_cast<std::size_t>(due.kind)], "a timer is of nothing");
    if (due.kind == TimerKind::calendar) check(due.subject > 0, "what is always open has a timer");
    if (due.kind == TimerKind::item_due || due.kind == TimerKind::item_response)
      check(used_items[due.subject], "a timer is of an item that is gone");
  });
}

}  // namespace reach
