#include "tests/bench/load.hpp"

#include <stdexcept>

namespace reach::bench {

std::string configuration(int segments) {
  std::string text =
      "timezone = \"UTC\"\nexpire_after = \"10d\"\n"
      "[ingest]\nmax_contacts = 10000000\nmax_agents = 10000000\n[[service]]\nid = \"phone\"\n";
  std::string names;
  for (int i = 0; i < segments; ++i) {
    const std::string n = std::to_string(i);
    text += "[[segment]]\nid = \"s" + n + "\"\nqueues = [\"q" + n + "\"]\n";
    names += "\"s" + n + "\",\n";  // a line of its own: lines are not endless
  }
  return text + "[[contract]]\nid = \"contract\"\nsegments = [" + names +
         "]\nobjective = [{ figure = \"service_level\", target = 0.80, window = \"30m\" }]\n";
}

Config loaded(const std::string& toml) {
  settings::Loaded result = settings::load_text(toml, "bench.toml");
  if (!result.good()) throw std::runtime_error(settings::render(result.problems.front()));
  return std::move(result.core);
}

Calls::Calls(int segments, std::int64_t live, std::int64_t waiting, Time begin, Duration step, std::string prefix)
    : segments_(segments), live_(live), waiting_(waiting), step_(step), prefix_(std::move(prefix)), now_(begin) {
  for (int i = 0; i < segments; ++i) queues_.push_back("q" + std::to_string(i));
  event_.source = "bench";
}

const Event& Calls::next() {
  now_ += step_;
  std::int64_t call = 0;
  if (offered_ - answered_ > waiting_) {
    call = answered_++;
    event_.kind = EventKind::answered;
  } else if (offered_ - ended_ > live_) {
    call = ended_++;
    event_.kind = EventKind::ended;
  } else {
    call = offered_++;
    event_.kind = EventKind::offered;
  }
  contact_ = prefix_ + std::to_string(100'000'000 + call);
  event_.contact = contact_;
  event_.agent = event_.queue = {};
  if (event_.kind == EventKind::answered) {
    agent_ = "agent-" + std::to_string(call % (live_ - waiting_ + 1));
    event_.agent = agent_;
  } else if (event_.kind == EventKind::offered) {
    event_.queue = queues_[static_cast<std::size_t>(call % segments_)];
  }
  event_.at = now_;
  return event_;
}

void Calls::next(v1::Event& message) {
  const Event& event = next();
  message.Clear();
  message.set_time_ns(static_cast<std::uint64_t>(ns_of(event.at)));
  message.set_contact(event.contact.data(), event.contact.size());
  if (event.kind == EventKind::offered) {
    message.mutable_offered()->set_queue(event.queue.data(), event.queue.size());
  } else if (event.kind == EventKind::answered) {
    message.mutable_answered()->set_agent(event.agent.data(), event.agent.size());
  } else {
    message.mutable_ended();
  }
}

}  // namespace reach::bench
