#include "daemon/core/tally.hpp"

namespace reach {
namespace {

std::optional<double> wait_s(const Tally& t, double p) {
  const auto wait = t.waits.quantile(p);
  return wait ? std::optional(seconds_of(*wait)) : std::nullopt;
}

}  // namespace

Figures figures_of(const Tally& t) {
  Figures f;
  f.offered = t[Counter::offered];
  f.answered = t[Counter::answered];
  f.abandoned = t[Counter::abandoned];
  f.short_abandons = t[Counter::short_abandons];
  f.forwarded = forwarded(t);
  f.forwarded_choice = t[Counter::forwarded_choice];
  f.forwarded_failure = t[Counter::forwarded_failure];
  f.forwarded_agreed = t[Counter::forwarded_agreed];
  f.unknown = t[Counter::unknown];
  f.met = t[Counter::met];
  f.missed = t[Counter::missed];
  f.service_level = service_level(t);
  if (const std::int64_t open = t[Counter::unknown_undecided]; open > 0) {
    const std::int64_t all = t[Counter::met] + t[Counter::missed] + open;
    f.service_level_low = ratio(t[Counter::met], all);
    f.service_level_high = ratio(t[Counter::met] + open, all);
  }
  f.reachability = reachability(t);
  f.abandon_rate = abandon_rate(t);
  f.asa_s = asa_s(t);
  f.wait_p50_s = wait_s(t, 0.50);
  f.wait_p90_s = wait_s(t, 0.90);
  f.wait_p99_s = wait_s(t, 0.99);
  f.aht_s = aht_s(t);
  f.handled = t[Counter::handled];
  if (t[Counter::handled] > 0) f.workload_s = mean_s(t[Counter::work_ns], t[Counter::offered]);
  f.ring_no_answer = t[Counter::ring_no_answer];
  f.transferred_in = t[Counter::transferred_in];
  f.overflow_in = t[Counter::overflow_in];
  f.offered_closed = t[Counter::offered_closed];
  f.items_received = t[Counter::items_received];
  f.items_completed = t[Counter::items_completed];
  f.items_met = t[Counter::items_met];
  f.items_missed = t[Counter::items_missed];
  f.on_time_rate = on_time_rate(t);
  f.respond_on_time_rate = respond_on_time_rate(t);
  f.leads = t[Counter::leads];
  f.leads_asked = t[Counter::leads_asked];
  f.outside_catalogue = t[Counter::outside_catalogue];
  f.patience_s = patience_s(t);
  return f;
}

}  // namespace reach
