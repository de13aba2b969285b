// Everything a source can tell about contacts, agents, queues and itself, as a value.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/base/time.hpp"

namespace reach {

/// What happened. The names and meanings are those of proto/reachd/v1/event.proto.
enum class EventKind : std::uint8_t {
  // calls
  arrived,
  offered,
  ringing,
  ring_no_answer,
  ring_ended,
  answered,
  answer_retracted,
  held,
  retrieved,
  abandoned,
  forwarded,
  rejected,
  outcome_unknown,
  transferred,
  picked_up,
  consult_started,
  consult_ended,
  voicemail_left,
  callback_requested,
  classified,
  ended,
  wrap_up_ended,
  // work items
  received,
  assigned,
  started,
  paused,
  resumed,
  responded,
  rerouted,
  reclassified,
  merged,
  due_changed,
  completed,
  cancelled,
  reopened,
  // agents
  logged_in,
  logged_out,
  agent_paused,
  agent_resumed,
  agent_state,
  // queues
  queue_opened,
  queue_closed,
  // sources
  resync_begin,
  resync_end,
  upstream_lost,
  events_lost,
  watermark,
  // anywhere
  lead,
};

/// How the adapter knows: the PBX said so, it follows, it is plausible.
enum class Certainty : std::uint8_t { seen, derived, guessed };
/// Only inbound contacts are customer contacts; the others are part of the agents' time.
enum class Direction : std::uint8_t { inbound, outbound, internal };

/// Why a call left a queue unanswered (config/figures.md, forwarded).
enum class ForwardReason : std::uint8_t {
  timeout,
  empty,
  full,
  rejected,
  key,
  callback,
  voicemail,
  overflow,
  redirected,
  other
};

/// One event. A view: the texts live in the message it was read from, for the duration of Engine::step().
/// Fields a kind does not use are empty. Which kind uses which: see event.proto; each text field there has its
/// namesake here.
struct Event {
  EventKind kind{};
  Time at{};                 ///< when it happened, on the core's clock (the source's offset taken out)
  std::string_view source;   ///< required
  std::string_view contact;  ///< contact events
  std::string_view agent;    ///< who answered, rings, logs in ...
  std::string_view queue;    ///< offered, rejected, answered unseen, received, rerouted, queue_opened/closed
  std::string_view service;  ///< service id, if the source knows it
  std::string_view site;
  std::string_view caller;  ///< pseudonym
  std::string_view dialled;
  std::string_view caller_class;
  std::string_view client;
  std::string_view journey;
  std::string_view to;      ///< forwarded, transferred, merged
  std::string_view reason;  ///< pause reasons, causes, agent states, ended by, lead kind
  std::string_view state;   ///< lead: accepted, won, lost
  Certainty certainty = Certainty::seen;
  Direction direction = Direction::inbound;
  ForwardReason forward_reason = ForwardReason::other;  ///< forwarded, rejected
  std::int32_t priority = 0;
  std::optional<Time> due;                 ///< received, due_changed
  std::optional<Time> received_at;         ///< received: the receipt stamp
  std::uint64_t lost_count = 0;            ///< events_lost
  std::span<const std::string_view> list;  ///< logged_in: queues; resync_end: contacts that are still there
};

/// "timeout", "empty" … or nullopt for a word that is none of them.
[[nodiscard]] std::optional<ForwardReason> forward_reason_from(std::string_view text) noexcept;
[[nodiscard]] std::string_view to_text(ForwardReason reason) noexcept;

}  // namespace reach
