#include "daemon/wire/wire.hpp"

namespace reach::wire {
namespace {

std::uint64_t wire_time(Time t) {
  return static_cast<std::uint64_t>(ns_of(t));
}
std::uint64_t wire_time(const std::optional<Time>& t) {
  return t ? wire_time(*t) : 0;
}
std::string text_of(auto value) {
  return std::string(to_text(value));
}

}  // namespace

// Parts of the messages below; overloads, so beside them and not in the unnamed namespace, where they would hide them.
static void to_proto(const ObjectiveView& view, v1::ObjectiveState& out) {
  out.set_id(view.id);
  out.set_contract(view.contract);
  out.set_service(view.service);
  out.set_figure(view.figure);
  out.set_window(view.window);
  out.set_status(text_of(view.status));
  if (view.value) out.set_value(*view.value);
  out.set_target(view.target);
  out.set_samples(view.samples);
  out.set_min_samples(view.min_samples);
  out.set_at_most(view.at_most);
}

static void to_proto(const ExpectedView& view, v1::Expected& out) {
  if (view.service_level) out.set_service_level(*view.service_level);
  if (view.asa_s) out.set_asa_s(*view.asa_s);
  if (view.occupancy) out.set_occupancy(*view.occupancy);
  if (view.p_abandon) out.set_p_abandon(*view.p_abandon);
}

static void to_proto(const RecommendationView& view, v1::Recommendation& out) {
  out.set_pool(view.pool);
  out.set_segment(view.segment);
  out.set_interval_start_ns(wire_time(view.interval_start));
  out.set_interval_s(view.interval_s);
  if (view.required) out.set_required(*view.required);
  if (view.available) out.set_available(*view.available);
  if (view.gap) out.set_gap(*view.gap);
  if (view.scheduled) out.set_scheduled(*view.scheduled);
  if (view.for_calls) out.set_for_calls(*view.for_calls);
  if (view.for_items) out.set_for_items(*view.for_items);
  to_proto(view.at_current, *out.mutable_at_current());
  to_proto(view.at_required, *out.mutable_at_required());
  v1::Forecast& forecast = *out.mutable_forecast();
  if (view.calls) forecast.set_calls(*view.calls);
  if (view.aht_s) forecast.set_aht_s(*view.aht_s);
  if (view.patience_s) forecast.set_patience_s(*view.patience_s);
  forecast.set_basis(view.basis);
  if (view.pooling_gain) out.set_pooling_gain(*view.pooling_gain);
  out.set_model(view.model);
  for (const std::string& each : view.assumptions) out.add_assumptions(each);
  out.set_not_enough_data(view.not_enough_data);
  out.set_reason(view.reason);
}

template <class List>
static void scopes_to_proto(const std::vector<ScopeView>& scopes, List& out) {
  for (const ScopeView& scope : scopes) {
    v1::ScopeFigures& each = *out.Add();
    each.set_id(scope.id);
    to_proto(scope.figures, *each.mutable_figures());
  }
}

void to_proto(const Figures& f, v1::Figures& out) {
  out.set_offered(f.offered);
  out.set_answered(f.answered);
  out.set_abandoned(f.abandoned);
  out.set_short_abandons(f.short_abandons);
  out.set_forwarded(f.forwarded);
  out.set_unknown(f.unknown);
  out.set_met(f.met);
  out.set_missed(f.missed);
  if (f.service_level) out.set_service_level(*f.service_level);
  if (f.service_level_low) out.set_service_level_low(*f.service_level_low);
  if (f.service_level_high) out.set_service_level_high(*f.service_level_high);
  if (f.reachability) out.set_reachability(*f.reachability);
  if (f.abandon_rate) out.set_abandon_rate(*f.abandon_rate);
  if (f.asa_s) out.set_asa_s(*f.asa_s);
  if (f.wait_p50_s) out.set_wait_p50_s(*f.wait_p50_s);
  if (f.wait_p90_s) out.set_wait_p90_s(*f.wait_p90_s);
  if (f.wait_p99_s) out.set_wait_p99_s(*f.wait_p99_s);
  if (f.aht_s) out.set_aht_s(*f.aht_s);
  if (f.workload_s) out.set_workload_s(*f.workload_s);
  if (f.occupancy) out.set_occupancy(*f.occupancy);
  out.set_waiting(f.waiting);
  if (f.longest_wait_s) out.set_longest_wait_s(*f.longest_wait_s);
  out.set_ring_no_answer(f.ring_no_answer);
  out.set_transferred_in(f.transferred_in);
  out.set_overflow_in(f.overflow_in);
  out.set_offered_closed(f.offered_closed);
  out.set_backlog(f.backlog);
  out.set_overdue(f.overdue);
  if (f.oldest_age_s) out.set_oldest_age_s(*f.oldest_age_s);
  if (f.work_content_s) out.set_work_content_s(*f.work_content_s);
  out.set_items_received(f.items_received);
  out.set_items_completed(f.items_completed);
  out.set_items_met(f.items_met);
  out.set_items_missed(f.items_missed);
  if (f.on_time_rate) out.set_on_time_rate(*f.on_time_rate);
  if (f.respond_on_time_rate) out.set_respond_on_time_rate(*f.respond_on_time_rate);
  out.set_leads(f.leads);
  out.set_leads_asked(f.leads_asked);
  out.set_outside_catalogue(f.outside_catalogue);
  out.set_forwarded_choice(f.forwarded_choice);
  out.set_forwarded_failure(f.forwarded_failure);
  out.set_forwarded_agreed(f.forwarded_agreed);
  if (f.patience_s) out.set_patience_s(*f.patience_s);
  out.set_handled(f.handled);
}

void to_proto(const AgentCounts& agents, v1::Agents& out) {
  out.set_available(agents.available);
  out.set_ringing(agents.ringing);
  out.set_busy(agents.busy);
  out.set_wrap_up(agents.wrap_up);
  out.set_paused(agents.paused);
  out.set_logged_in(agents.logged_in);
  out.set_known(agents.known);
}

void to_proto(const Alert& alert, v1::Alert& out) {
  out.set_id(alert.id);
  out.set_fingerprint(alert.fingerprint);
  out.set_revision(alert.revision);
  out.set_kind(text_of(alert.kind));
  out.set_state(text_of(alert.state));
  out.set_reason(text_of(alert.reason));
  out.set_segment(alert.segment);
  out.set_contract(alert.contract);
  out.set_objective(alert.objective);
  out.set_subject(alert.subject);
  out.set_figure(alert.figure);
  out.set_window(alert.window);
  if (alert.value) out.set_value(*alert.value);
  if (alert.target) out.set_target(*alert.target);
  out.set_samples(alert.samples);
  out.set_pending_since_ns(wire_time(alert.pending_since));
  out.set_fired_ns(wire_time(alert.fired));
  out.set_resolved_ns(wire_time(alert.resolved));
  out.set_changed_ns(wire_time(alert.changed));
  for (const std::string& each : alert.evidence) out.add_evidence(each);
  out.set_help(alert.help);
  out.set_summary(alert.summary);
  out.set_stale(alert.stale);
  out.set_corrected(alert.corrected);
  out.set_inhibited_by(alert.inhibited_by);
  if (alert.acknowledged) {
    v1::Acknowledgement& acknowledged = *out.mutable_acknowledged();
    acknowledged.set_by(alert.acknowledged->by);
    acknowledged.set_note(alert.acknowledged->note);
    acknowledged.set_at_ns(wire_time(alert.acknowledged->at));
    acknowledged.set_until_ns(wire_time(alert.acknowledged->until));
  }
}

void to_proto(const SegmentView& view, v1::SegmentState& out) {
  out.set_id(view.id);
  out.set_name(view.name);
  out.set_pool(view.pool);
  out.set_time_ns(wire_time(view.time));
  out.set_stale(view.stale);
  out.set_stale_reason(view.stale_reason);
  out.set_fresh_ns(wire_time(view.fresh));
  out.set_calendar(text_of(view.calendar));
  out.set_window(view.window);
  if (view.period) {
    out.mutable_period()->set_from_ns(wire_time(view.period->from));
    out.mutable_period()->set_to_ns(wire_time(view.period->to));
    out.mutable_period()->set_partial(view.time < view.period->to);
  }
  to_proto(view.figures, *out.mutable_figures());
  scopes_to_proto(view.queues, *out.mutable_queues());
  scopes_to_proto(view.services, *out.mutable_services());
  scopes_to_proto(view.sites, *out.mutable_sites());
  to_proto(view.agents, *out.mutable_agents());
  for (const ObjectiveView& objective : view.objectives) to_proto(objective, *out.add_objectives());
  for (const Alert& alert : view.alerts) to_proto(alert, *out.add_alerts());
  out.set_longest_wait_since_ns(wire_time(view.longest_wait_since));
}

void to_proto(const BehindView& view, v1::Behind& out) {
  out.set_from_ns(wire_time(view.from));
  out.set_to_ns(wire_time(view.to));
  out.set_until_ns(wire_time(view.until));
  out.set_events(view.events);
}

void to_proto(const SourceView& view, v1::SourceState& out) {
  out.set_id(view.id);
  out.set_state(text_of(view.condition));
  out.set_last_heard_ns(wire_time(view.last_heard));
  out.set_software(view.software);
  for (const std::string& each : view.capabilities) out.add_capabilities(each);
  out.set_events(view.events);
  out.set_late(view.late);
  out.set_corrected(view.corrected);
  out.set_inferred(view.inferred);
  out.set_contradictions(view.contradictions);
  out.set_events_lost(view.events_lost);
  out.set_unknown_contacts(view.unknown_contacts);
  out.set_over_limit(view.over_limit);
  if (view.behind) to_proto(*view.behind, *out.mutable_behind());
}

void to_proto(const StaffingView& view, v1::Staffing& out) {
  out.set_pool(view.pool);
  out.set_time_ns(wire_time(view.time));
  to_proto(view.agents, *out.mutable_agents());
  if (view.occupancy) out.set_occupancy(*view.occupancy);
  for (const RecommendationView& each : view.recommendations) to_proto(each, *out.add_recommendations());
}

void to_proto(const TrendView& view, v1::TrendPoint& out) {
  out.set_from_ns(wire_time(view.from));
  out.set_offered(view.offered);
  out.set_met(view.met);
  out.set_missed(view.missed);
  out.set_answered(view.answered);
  out.set_abandoned(view.abandoned);
}

v1::Status status_of(const Engine& engine, const Window& window, Time at, std::optional<std::uint32_t> segment) {
  v1::Status status;
  status.set_time_ns(wire_time(at));
  for (std::uint32_t i = 0; i < engine.segment_count(); ++i) {
    if (!segment || *segment == i) to_proto(engine.view_segment(i, window, at), *status.add_segments());
  }
  for (std::uint32_t i = 0; i < engine.source_count(); ++i) to_proto(engine.view_source(i, at), *status.add_sources());
  if (engine.behind()) to_proto(*engine.behind(), *status.mutable_behind());
  for (const UnroutedView& queue : engine.unrouted()) {
    v1::UnroutedQueue& each = *status.add_unrouted();
    each.set_id(queue.id);
    each.set_events(queue.events);
  }
  status.set_outside_catalogue(engine.totals().outside_catalogue);
  return status;
}

}  // namespace reach::wire
