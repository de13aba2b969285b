// People: where they are logged in and what they do now. Counted live; per person nothing is kept.
#include <algorithm>

#include "daemon/core/state.hpp"

namespace reach {
namespace {

/// Each change of what a person does is counted in the segments of all these queues.
constexpr std::size_t queues_served_at_most = 256;

std::size_t at(AgentState state) {
  return static_cast<std::size_t>(state);
}

AgentState state_of(const Agent& agent) {
  if (!agent.logged_in) return AgentState::logged_out;
  if (agent.talking > 0) return AgentState::busy;
  if (agent.wrap_up) return AgentState::wrap_up;
  if (agent.paused || agent.unavailable) return AgentState::paused;
  if (agent.ringing > 0) return AgentState::ringing;
  return AgentState::available;
}

/// In order, each once.
void make_set(std::vector<std::uint32_t>& list) {
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

AgentCounts People::counts(bool known) const {
  AgentCounts c;
  c.available = in[at(AgentState::available)];
  c.ringing = in[at(AgentState::ringing)];
  c.busy = in[at(AgentState::busy)];
  c.wrap_up = in[at(AgentState::wrap_up)];
  c.paused = in[at(AgentState::paused)];
  c.logged_in = c.available + c.ringing + c.busy + c.wrap_up + c.paused;
  c.known = known;
  return c;
}

/// Books the time since the last change as busy or idle time of the pool's people.
void Engine::State::accrue(std::uint32_t index, Time to) {
  Pool& pool = pools[index];
  const std::int64_t passed = (to - pool.accrued).count();
  if (passed <= 0) return;
  const AgentCounts c = pool.people.counts(true);
  Scope& scope = fresh(pool.scope);
  const Time booked = to - Duration(1);  // the instant `to` itself belongs to what follows
  scope.add({{Counter::busy_ns, (c.busy + c.wrap_up + c.ringing) * passed}, {Counter::idle_ns, c.available * passed}},
            booked, booked.time_since_epoch());
  pool.accrued = to;
}

void Engine::State::move_people(std::uint32_t index, AgentState to) {
  Agent& agent = agents[index];
  const AgentState from = agent.state;
  agent.state = to;
  for (const std::uint32_t segment : teams[agent.team].segments) {
    --segments[segment].people.in[at(from)];
    ++segments[segment].people.in[at(to)];
    announce_segment(segment);  // no objective is about people
  }
  for (const std::uint32_t pool : teams[agent.team].pools) {
    accrue(pool, now);
    --pools[pool].people.in[at(from)];
    ++pools[pool].people.in[at(to)];
    if ((from == AgentState::logged_out) != (to == AgentState::logged_out) ||
        (from == AgentState::paused) != (to == AgentState::paused))
      evaluate_pool(pool);
  }
}

/// An event names the agent: what it was before the source's last listing began holds no more.
void Engine::State::named_agent(std::uint32_t index) {
  Agent& agent = agents[index];
  Source& source = sources[agent.source];
  if (agent.listing != source.listings) {
    agent.listing = source.listings;
    agent.listed = false;
    agent.ringing = 0;
  }
  if (agent.place != none) return;
  agent.place = static_cast<std::uint32_t>(source.agents.size());
  source.agents.push_back(index);
}

void Engine::State::no_agent(std::uint32_t index) {
  if (agents[index].place == none) return;
  std::vector<std::uint32_t>& there = sources[agents[index].source].agents;
  there[agents[index].place] = there.back();
  agents[there.back()].place = agents[index].place;
  there.pop_back();
  agents[index].place = none;
}

/// Agents that the source's listing did not name are not there.
void Engine::State::end_unlisted(std::uint32_t index) {
  Source& source = sources[index];
  std::uint32_t kept = 0;
  for (const std::uint32_t i : source.agents) {
    Agent& agent = agents[i];
    if (agent.listing == source.listings && agent.listed) {
      agent.place = kept;
      source.agents[kept++] = i;
      continue;
    }
    agent.place = none;
    agent.logged_in = agent.paused = agent.wrap_up = false;
    agent.ringing = 0;
    if (const AgentState now_is = state_of(agent); now_is != agent.state) move_people(i, now_is);
  }
  source.agents.resize(kept);
}

void Engine::State::refresh_agent(std::uint32_t index) {
  named_agent(index);
  const AgentState now_is = state_of(agents[index]);
  if (now_is != agents[index].state) move_people(index, now_is);
}

std::uint32_t Engine::State::team_of(const std::vector<std::uint32_t>& served) {
  if (const auto found = team_index.find(served); found != team_index.end()) return found->second;
  const std::uint32_t index = teams.add();
  Team& team = teams[index];
  team.queues = served;
  for (const std::uint32_t queue : served)
    if (queues[queue].segment != none) team.segments.push_back(queues[queue].segment);
  make_set(team.segments);
  for (const std::uint32_t segment : team.segments)
    if (segments[segment].pool != none) team.pools.push_back(segments[segment].pool);
  make_set(team.pools);
  team_index.emplace(served, index);
  return index;
}

void Engine::State::leave_team(std::uint32_t index) {
  if (index == 0 || --teams[index].people > 0) return;
  team_index.erase(teams[index].queues);
  teams.erase(index);
}

/// The agent serves these queues, and no others, from now on.
void Engine::State::serve_queues(std::uint32_t index, std::vector<std::uint32_t> served) {
  Agent& agent = agents[index];
  make_set(served);
  const std::uint32_t team = team_of(served), before = agent.team;
  if (before == team) return;
  const AgentState keep = agent.state;
  if (keep != AgentState::logged_out) move_people(index, AgentState::logged_out);
  const auto count_out = [&](std::int64_t n) {
    for (const std::uint32_t s : teams[agent.team].segments) segments[s].people.in[at(AgentState::logged_out)] += n;
    for (const std::uint32_t p : teams[agent.team].pools) pools[p].people.in[at(AgentState::logged_out)] += n;
  };
  count_out(-1);
  agent.team = team;
  if (team != 0) ++teams[team].people;
  leave_team(before);
  for (const std::uint32_t segment : teams[team].segments) link_source(agent.source, segment);
  count_out(1);
  if (keep != AgentState::logged_out) move_people(index, keep);
}

void Engine::State::on_agent(const Event& event, std::uint32_t source) {
  purge();
  const std::uint32_t index = agent_of(source, event.agent);
  sources[source].tells_agents = true;
  if (index == none) return;
  agents[index].listed = true;
  if (!event.site.empty()) agents[index].site = site_of(source, event.site);
  switch (event.kind) {
    case EventKind::logged_in: {
      std::vector<std::uint32_t> served;
      for (const std::string_view queue : event.list) {
        if (served.size() == queues_served_at_most) {
          contradiction(event, "that logs into more queues than " + std::to_string(queues_served_at_most),
                        "counted, and the others are left out");
          break;
        }
        served.push_back(queue_of(source, queue));
      }
      serve_queues(index, std::move(served));
      agents[index].logged_in = true;
      break;
    }
    case EventKind::logged_out:
      agents[index].logged_in = agents[index].paused = agents[index].wrap_up = agents[index].unavailable = false;
      agents[index].ringing = 0;
      break;
    case EventKind::agent_paused:
      agents[index].paused = true;
      break;
    case EventKind::agent_resumed:
      agents[index].paused = false;
      break;
    case EventKind::agent_state: {
      // From systems that report states only.
      Agent& agent = agents[index];
      agent.logged_in = event.reason != "logged_out";
      agent.paused = event.reason == "paused";
      agent.unavailable = event.reason == "unavailable";
      agent.wrap_up = event.reason == "wrap_up";
      agent.ringing = event.reason == "ringing" ? 1 : 0;
      agent.talking = event.reason == "busy" ? std::max(agent.talking, 1U) : 0;
      break;
    }
    default:
      break;
  }
  refresh_agent(index);
}

}  // namespace reach
