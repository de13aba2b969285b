// How long a recommendation takes, from small teams to cities, beside the textbook way: Erlang C by the recursion over
// agents, tried with one more agent until the goal is reached.
#include <cmath>

#include "daemon/staffing/recommend.hpp"
#include "tests/bench/bench.hpp"

namespace reach::bench {
namespace {

constexpr double aht_s = 240;
constexpr double longest_s = 1e-3;

staffing::Measured work_for(double agents) {
  staffing::Measured measured;
  measured.arrivals_per_hour = agents * 0.9 * 3600 / aht_s;
  measured.calls = measured.handled = 1'000;
  measured.aht_s = aht_s;
  measured.patience = {180, 100};
  return measured;
}

/// Keeps the result alive, or the compiler leaves the work out.
volatile double sink = 0;

double textbook(double erlangs, const staffing::Goal& goal) {
  double blocking = 1;
  for (int n = 1;; ++n) {
    blocking = erlangs * blocking / (n + erlangs * blocking);
    if (n <= erlangs) continue;
    const double wait = blocking / (1 - (1 - blocking) * erlangs / n);
    if (1 - wait * std::exp(-(n - erlangs) * goal.threshold_s / aht_s) >= goal.service_level) return n;
  }
}

double median_of(int runs, int repeats, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    times.push_back(cpu_seconds_of_work([&] {
                      for (int k = 0; k < repeats; ++k) work();
                    }) /
                    repeats);
  }
  return median(times);
}

}  // namespace

void staffing(const Options& options, Report& report) {
  const staffing::Goal goal;
  const int runs = options.quick ? 3 : 21;
  for (const int agents : {10, 1'000, 100'000}) {
    const staffing::Measured measured = work_for(agents);
    const std::string size = " agents=" + std::to_string(agents);
    const double limit = median_of(runs, 20, [&] { sink = textbook(measured.arrivals_per_hour * aht_s / 3600, goal); });
    const auto add = [&](const std::string& what, int peers, const std::function<void()>& work) {
      report.add({"staffing", what + size, median_of(runs, 20, work), "s", limit * peers, longest_s,
                  Row::Goal::value_at_most});
    };
    add("recommendation", 1, [&] { sink = staffing::recommend(measured, goal, 0.3, agents).at_current->asa_s; });
    add("what-if", 1, [&] {
      sink = staffing::service_level({measured.arrivals_per_hour, aht_s, measured.patience.mean_s}, agents - 1, goal);
    });
    add("pool, 8 intervals", 8, [&] {
      for (int i = 0; i < 8; ++i) {
        staffing::Measured then = measured;
        then.arrivals_per_hour *= 1 + 0.05 * i;
        sink = staffing::recommend(then, goal, 0.3, agents).at_current->asa_s;
      }
    });
  }
}

}  // namespace reach::bench
