// Waits, counted by length, for quantiles.
#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/base/time.hpp"

namespace reach {

/// A log-linear histogram of waits (64 steps per octave of milliseconds, as in HdrHistogram): quantiles have a
/// relative error of at most 1/128. Only buckets in use take memory; adding costs O(buckets in use), at most 1536.
class WaitHistogram {
 public:
  using Bucket = std::uint16_t;
  /// The bucket of a wait; waits below 0 count as 0, above 24 h as 24 h.
  [[nodiscard]] static Bucket bucket_of(Duration wait) noexcept;
  /// The middle of a bucket.
  [[nodiscard]] static Duration middle_of(Bucket bucket) noexcept;

  void add(Bucket bucket, std::int64_t count);
  void add(const WaitHistogram& other);
  void clear() noexcept { used_.clear(); }
  [[nodiscard]] std::int64_t count() const noexcept;
  /// The nearest-rank quantile, `p` in (0, 1]; nullopt without any wait.
  [[nodiscard]] std::optional<Duration> quantile(double p) const;
  [[nodiscard]] const std::vector<std::pair<Bucket, std::int64_t>>& used() const noexcept { return used_; }
  template <class A>
  void visit(A& archive) {
    archive(used_);
  }

 private:
  std::vector<std::pair<Bucket, std::int64_t>> used_;  // ascending by bucket, counts never 0
};

}  // namespace reach
