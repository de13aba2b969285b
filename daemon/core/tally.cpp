#include "daemon/core/tally.hpp"

#include <algorithm>

namespace reach {
namespace {

std::optional<double> ratio(std::int64_t part, std::int64_t whole) noexcept {
  if (whole <= 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<double> mean_s(std::int64_t sum_ns, std::int64_t count) noexcept {
  if (count <= 0) return std::nullopt;
  return static_cast<double>(sum_ns) / 1e9 / static_cast<double>(count);
}

std::int64_t forwarded(const Counts& t) noexcept {
  return t[Counter::forwarded_choice] + t[Counter::forwarded_failure] + t[Counter::forwarded_agreed];
}

std::optional<double> wait_s(const Tally& t, double p) {
  const auto wait = t.waits.quantile(p);
  return wait ? std::optional(seconds_of(*wait)) : std::nullopt;
}

}  // namespace

std::int64_t served_or_lost(const Counts& t) noexcept {
  return t[Counter::answered] + t[Counter::abandoned] + forwarded(t) - t[Counter::short_abandons];
}

void Counts::add(const Counts& other) noexcept {
  for (std::size_t i = 0; i < counter_count; ++i) counts[i] += other.counts[i];
}

void Tally::add(const Tally& other) {
  Counts::add(other);
  waits.add(other.waits);
}

void Tally::clear() noexcept {
  counts.fill(0);
  waits.clear();
}

bool Tally::empty() const noexcept {
  return waits.used().empty() && std::ranges::all_of(counts, [](std::int64_t n) { return n == 0; });
}

std::optional<double> service_level(const Counts& t) noexcept {
  return ratio(t[Counter::met], t[Counter::met] + t[Counter::missed]);
}
std::optional<double> reachability(const Counts& t) noexcept {
  return ratio(t[Counter::answered], served_or_lost(t));
}
std::optional<double> abandon_rate(const Counts& t) noexcept {
  return ratio(t[Counter::abandoned] - t[Counter::short_abandons], served_or_lost(t));
}
std::optional<double> asa_s(const Counts& t) noexcept {
  return mean_s(t[Counter::answer_wait_ns], t[Counter::answered]);
}
std::optional<double> aht_s(const Counts& t) noexcept {
  return mean_s(t[Counter::handle_ns], t[Counter::handled]);
}
std::optional<double> patience_s(const Counts& t) noexcept {
  return mean_s(t[Counter::waited_ns], t[Counter::abandoned]);
}
std::optional<double> on_time_rate(const Counts& t) noexcept {
  return ratio(t[Counter::items_met], t[Counter::items_met] + t[Counter::items_missed]);
}
std::optional<double> respond_on_time_rate(const Counts& t) noexcept {
  return ratio(t[Counter::responded_met], t[Counter::responded_met] + t[Counter::responded_missed]);
}

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
