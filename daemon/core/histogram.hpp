// Waits, counted by length, for quantiles.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/base/time.hpp"

namespace reach {

/// A log-linear histogram of waits (64 steps per octave of milliseconds, as in HdrHistogram): quantiles have a
/// relative error of at most 1/128. Adding is O(1). An octave takes 256 bytes from its first wait on.
class WaitHistogram {
 public:
  using Bucket = std::uint16_t;
  /// The bucket of a wait; waits below 0 count as 0, above 24 h as 24 h.
  [[nodiscard]] static Bucket bucket_of(Duration wait) noexcept;
  /// The middle of a bucket.
  [[nodiscard]] static Duration middle_of(Bucket bucket) noexcept;

  void add(Bucket bucket, std::int64_t count) {
    if (page_of_[bucket / steps] == 0) add_page(bucket / steps);
    pages_[page_of_[bucket / steps] - 1U][bucket % steps] += static_cast<std::int32_t>(count);
  }
  void add(const WaitHistogram& other);
  void clear() noexcept {
    page_of_.fill(0);
    pages_.clear();
  }
  [[nodiscard]] std::int64_t count() const noexcept;
  /// The nearest-rank quantile, `p` in (0, 1]; nullopt without any wait.
  [[nodiscard]] std::optional<Duration> quantile(double p) const;
  /// Whether there is a bucket of this number.
  [[nodiscard]] static bool has(std::size_t bucket) noexcept { return bucket < octaves * steps; }
  /// Whether every octave's waits are there: false only of what was read from bytes that are none of ours.
  [[nodiscard]] bool is_whole() const noexcept;
  template <class A>
  void visit(A& archive) {
    archive(page_of_, pages_);
  }

 private:
  static constexpr int steps = 64;  // per octave
  static constexpr std::size_t octaves = 24;
  void add_page(std::size_t octave);

  std::array<std::uint8_t, octaves> page_of_{};         // its place in pages_, from 1; 0: no wait yet
  std::vector<std::array<std::int32_t, steps>> pages_;  // in the order in which they were needed
};

}  // namespace reach
