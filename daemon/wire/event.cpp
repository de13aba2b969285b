#include <algorithm>

#include "daemon/wire/wire.hpp"

namespace reach::wire {
namespace {

/// What an event of this kind must name beside its time and source.
enum class Needs : std::uint8_t { contact, agent, queue, contact_and_queue, contact_or_agent, nothing };

std::string_view first_of(std::string_view a, std::string_view b) noexcept {
  return a.empty() ? b : a;
}

template <class List>
void fill(const List& texts, Scratch& scratch, Event& out) {
  scratch.list.assign(texts.begin(), texts.end());
  out.list = scratch.list;
}

/// An instant of the source's clock by ours. However far ahead it is said to be, nothing happened before 1970, where a
/// time means none.
Time by_our_clock(std::uint64_t ns, Duration offset) {
  return std::max(time_from_ns(static_cast<std::int64_t>(ns)) - offset, time_from_ns(1));
}

/// Copies what is particular to the kind of event; nullopt where none is set.
std::optional<Needs> read_kind(const v1::Event& in, Duration offset, Scratch& scratch, Event& out) {
  const auto due_from = [offset](std::uint64_t ns) -> std::optional<Time> {
    if (ns == 0 || ns > latest_ns) return std::nullopt;
    return by_our_clock(ns, offset);
  };
  const auto by = [&out](const auto& what) { out.agent = first_of(what.agent(), out.agent); };
  switch (in.event_case()) {
    case v1::Event::kArrived:
      out.kind = EventKind::arrived;
      out.dialled = in.arrived().dialled();
      out.caller = in.arrived().caller();
      return Needs::contact;
    case v1::Event::kOffered:
      out.kind = EventKind::offered;
      out.queue = in.offered().queue();
      out.dialled = in.offered().dialled();
      out.caller = in.offered().caller();
      out.priority = in.offered().priority();
      return Needs::contact_and_queue;
    case v1::Event::kRinging:
      out.kind = EventKind::ringing;
      by(in.ringing());
      return Needs::contact;
    case v1::Event::kRingNoAnswer:
      out.kind = EventKind::ring_no_answer;
      by(in.ring_no_answer());
      return Needs::contact;
    case v1::Event::kRingEnded:
      out.kind = EventKind::ring_ended;
      by(in.ring_ended());
      out.reason = in.ring_ended().cause();
      return Needs::contact;
    case v1::Event::kAnswered:
      out.kind = EventKind::answered;
      by(in.answered());
      out.queue = in.answered().queue();
      return Needs::contact;
    case v1::Event::kAnswerRetracted:
      out.kind = EventKind::answer_retracted;
      out.reason = in.answer_retracted().reason();
      return Needs::contact;
    case v1::Event::kHeld:
      out.kind = EventKind::held;
      return Needs::contact;
    case v1::Event::kRetrieved:
      out.kind = EventKind::retrieved;
      return Needs::contact;
    case v1::Event::kAbandoned:
      out.kind = EventKind::abandoned;
      return Needs::contact;
    case v1::Event::kForwarded:
      out.kind = EventKind::forwarded;
      out.reason = in.forwarded().reason();
      out.to = in.forwarded().to();
      out.forward_reason = forward_reason_from(out.reason).value_or(ForwardReason::other);
      return Needs::contact;
    case v1::Event::kRejected:
      out.kind = EventKind::rejected;
      out.reason = in.rejected().reason();
      out.queue = in.rejected().queue();
      out.dialled = in.rejected().dialled();
      out.caller = in.rejected().caller();
      out.forward_reason = forward_reason_from(out.reason).value_or(ForwardReason::rejected);
      return Needs::contact;
    case v1::Event::kOutcomeUnknown:
      out.kind = EventKind::outcome_unknown;
      out.reason = in.outcome_unknown().reason();
      return Needs::contact;
    case v1::Event::kTransferred: {
      const auto& transferred = in.transferred();
      out.kind = EventKind::transferred;
      out.to = first_of(transferred.to(), first_of(transferred.to_queue(), transferred.to_agent()));
      return Needs::contact;
    }
    case v1::Event::kPickedUp:
      out.kind = EventKind::picked_up;
      by(in.picked_up());
      return Needs::contact;
    case v1::Event::kConsultStarted:
      out.kind = EventKind::consult_started;
      by(in.consult_started());
      return Needs::contact;
    case v1::Event::kConsultEnded:
      out.kind = EventKind::consult_ended;
      by(in.consult_ended());
      return Needs::contact;
    case v1::Event::kVoicemailLeft:
      out.kind = EventKind::voicemail_left;
      return Needs::contact;
    case v1::Event::kCallbackRequested:
      out.kind = EventKind::callback_requested;
      return Needs::contact;
    case v1::Event::kClassified:
      out.kind = EventKind::classified;
      out.service = first_of(in.classified().service(), out.service);
      return Needs::contact;
    case v1::Event::kEnded:
      out.kind = EventKind::ended;
      out.reason = in.ended().by();
      return Needs::contact;
    case v1::Event::kWrapUpEnded:
      out.kind = EventKind::wrap_up_ended;
      by(in.wrap_up_ended());
      return Needs::contact_or_agent;

    case v1::Event::kReceived:
      out.kind = EventKind::received;
      out.queue = in.received().queue();
      out.service = first_of(in.received().service(), out.service);
      out.due = due_from(in.received().due_ns());
      out.received_at = due_from(in.received().received_ns());
      out.priority = in.received().priority();
      return Needs::contact_and_queue;
    case v1::Event::kAssigned:
      out.kind = EventKind::assigned;
      by(in.assigned());
      return Needs::contact;
    case v1::Event::kStarted:
      out.kind = EventKind::started;
      by(in.started());
      return Needs::contact;
    case v1::Event::kPaused:
      out.kind = EventKind::paused;
      out.reason = in.paused().reason();
      return Needs::contact;
    case v1::Event::kResumed:
      out.kind = EventKind::resumed;
      return Needs::contact;
    case v1::Event::kResponded:
      out.kind = EventKind::responded;
      by(in.responded());
      return Needs::contact;
    case v1::Event::kRerouted:
      out.kind = EventKind::rerouted;
      out.queue = in.rerouted().queue();
      return Needs::contact_and_queue;
    case v1::Event::kReclassified:
      out.kind = EventKind::reclassified;
      out.service = first_of(in.reclassified().service(), out.service);
      return Needs::contact;
    case v1::Event::kMerged:
      out.kind = EventKind::merged;
      out.to = in.merged().into();
      return Needs::contact;
    case v1::Event::kDueChanged:
      out.kind = EventKind::due_changed;
      out.due = due_from(in.due_changed().due_ns());
      out.reason = in.due_changed().reason();
      return Needs::contact;
    case v1::Event::kCompleted:
      out.kind = EventKind::completed;
      by(in.completed());
      return Needs::contact;
    case v1::Event::kCancelled:
      out.kind = EventKind::cancelled;
      out.reason = in.cancelled().reason();
      return Needs::contact;
    case v1::Event::kReopened:
      out.kind = EventKind::reopened;
      return Needs::contact;

    case v1::Event::kLoggedIn:
      out.kind = EventKind::logged_in;
      out.site = first_of(in.logged_in().site(), out.site);
      fill(in.logged_in().queues(), scratch, out);
      return Needs::agent;
    case v1::Event::kLoggedOut:
      out.kind = EventKind::logged_out;
      return Needs::agent;
    case v1::Event::kAgentPaused:
      out.kind = EventKind::agent_paused;
      out.reason = in.agent_paused().reason();
      return Needs::agent;
    case v1::Event::kAgentResumed:
      out.kind = EventKind::agent_resumed;
      return Needs::agent;
    case v1::Event::kAgentState:
      out.kind = EventKind::agent_state;
      out.reason = in.agent_state().state();
      return Needs::agent;

    case v1::Event::kQueueOpened:
      out.kind = EventKind::queue_opened;
      out.queue = in.queue_opened().queue();
      return Needs::queue;
    case v1::Event::kQueueClosed:
      out.kind = EventKind::queue_closed;
      out.queue = in.queue_closed().queue();
      return Needs::queue;

    case v1::Event::kResyncBegin:
      out.kind = EventKind::resync_begin;
      out.reason = in.resync_begin().reason();
      return Needs::nothing;
    case v1::Event::kResyncEnd:
      out.kind = EventKind::resync_end;
      fill(in.resync_end().contacts(), scratch, out);
      return Needs::nothing;
    case v1::Event::kUpstreamLost:
      out.kind = EventKind::upstream_lost;
      out.reason = in.upstream_lost().reason();
      return Needs::nothing;
    case v1::Event::kEventsLost: {
      const auto& lost = in.events_lost();
      out.kind = EventKind::events_lost;
      out.reason = lost.reason();
      out.lost_count = lost.count();
      if (out.lost_count == 0 && lost.from() > 0 && lost.to() >= lost.from()) {
        out.lost_count = lost.to() - lost.from() + 1;
      }
      return Needs::nothing;
    }
    case v1::Event::kWatermark:
      out.kind = EventKind::watermark;
      return Needs::nothing;

    case v1::Event::kLead:
      out.kind = EventKind::lead;
      out.reason = in.lead().kind();
      out.state = in.lead().state();
      return Needs::contact;

    case v1::Event::EVENT_NOT_SET:
      break;
  }
  return std::nullopt;
}

std::optional<std::string> missing(Needs needs, const Event& event) {
  const auto no = [](const char* what) { return std::optional<std::string>(what); };
  const bool contact = !event.contact.empty(), agent = !event.agent.empty(), queue = !event.queue.empty();
  switch (needs) {
    case Needs::contact:
      if (!contact) return no("it names no contact; set \"contact\"");
      break;
    case Needs::contact_and_queue:
      if (!contact) return no("it names no contact; set \"contact\"");
      if (!queue) return no("it names no queue; set its \"queue\"");
      break;
    case Needs::contact_or_agent:
      if (!contact && !agent) return no("it names neither contact nor agent; set one of them");
      break;
    case Needs::agent:
      if (!agent) return no("it names no agent; set \"agent\"");
      break;
    case Needs::queue:
      if (!queue) return no("it names no queue; set its \"queue\"");
      break;
    case Needs::nothing:
      break;
  }
  return std::nullopt;
}

/// What is kept or shown must not be as long as a frame.
std::optional<std::string> too_long(const Event& event) {
  constexpr std::size_t most_of_name = 200, most_of_site = 100, most_of_reason = 1024;
  struct Text {
    const char* what;
    std::string_view text;
    std::size_t most;
  };
  for (const Text& each : {Text{"contact", event.contact, most_of_name}, Text{"agent", event.agent, most_of_name},
                           Text{"queue", event.queue, most_of_name}, Text{"site", event.site, most_of_site},
                           Text{"reason", event.reason, most_of_reason}}) {
    if (each.text.size() > each.most)
      return "its " + std::string(each.what) + " is longer than " + std::to_string(each.most) + " bytes";
  }
  if (event.kind == EventKind::resync_end) return std::nullopt;  // its list is not kept
  for (const std::string_view each : event.list) {
    if (each.size() > most_of_name)
      return "a name in its list is longer than " + std::to_string(most_of_name) + " bytes";
  }
  return std::nullopt;
}

}  // namespace

bool is_source_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

std::optional<std::string> event_from(const v1::Event& event, std::string_view batch_source, Duration clock_offset,
                                      Time not_after, Scratch& scratch, Event& out) {
  out = Event{};
  if (event.time_ns() == 0) return "it has no time; set \"time_ns\", the nanoseconds since 1970 by the source's clock";
  if (event.time_ns() > latest_ns) return "its time lies after the year 2100; \"time_ns\" is in nanoseconds since 1970";
  out.at = std::min(by_our_clock(event.time_ns(), clock_offset), not_after);
  out.source = batch_source;
  if (!event.source().empty()) {
    if (!is_source_name(event.source())) return "its source name is not made of 1 to 64 of A-Z a-z 0-9 . _ -";
    out.source = event.source();
  }
  if (out.source.empty()) return "it names no source, and neither does what carries it";
  out.contact = event.contact();
  out.agent = event.agent();
  out.service = event.service();
  out.site = event.site();
  out.caller_class = event.caller_class();
  out.client = event.client();
  out.journey = event.journey();
  switch (event.certainty()) {
    case v1::CERTAINTY_SEEN:
      out.certainty = Certainty::seen;
      break;
    case v1::CERTAINTY_DERIVED:
      out.certainty = Certainty::derived;
      break;
    default:
      out.certainty = Certainty::guessed;
      break;  // a newer adapter's word: trust it least
  }
  switch (event.direction()) {
    case v1::DIRECTION_INBOUND:
      out.direction = Direction::inbound;
      break;
    case v1::DIRECTION_OUTBOUND:
      out.direction = Direction::outbound;
      break;
    case v1::DIRECTION_INTERNAL:
      out.direction = Direction::internal;
      break;
    default:
      return "its direction is none of inbound, outbound, internal";
  }
  const std::optional<Needs> needs = read_kind(event, clock_offset, scratch, out);
  if (!needs) return "it does not say what happened, or something this reachd does not know; set one event field";
  if (auto problem = missing(*needs, out)) return problem;
  return too_long(out);
}

}  // namespace reach::wire
