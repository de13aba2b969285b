// How often something took how long: fixed bounds, exact counts, as Prometheus' histograms want them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/base/time.hpp"

namespace reach {

/// Counts of durations by upper bound (inclusive). 15 bounds from 50 µs to 10 s; the last count is of everything above.
/// A plain value: one thread writes, a copy is handed out.
struct Buckets {
  static constexpr std::array<double, 15> bounds_s = {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01,
                                                      0.02,    0.05,   0.1,    0.5,    1.0,   2.0,   10.0};
  std::array<std::uint64_t, bounds_s.size() + 1> counts{};  ///< not cumulative
  double sum_s = 0;

  /// A negative duration (clocks differ) counts as 0.
  void add(Duration d) noexcept {
    const double s = d.count() > 0 ? seconds_of(d) : 0.0;
    std::size_t i = 0;
    while (i < bounds_s.size() && s > bounds_s[i]) ++i;
    ++counts[i];
    sum_s += s;
  }
};

}  // namespace reach
