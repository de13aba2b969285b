#include "daemon/core/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace reach {
namespace {
constexpr int steps = 64;  // per octave
constexpr int step_bits = 6;
constexpr std::int64_t longest_ms = 24 * 3600 * 1000;
}  // namespace

WaitHistogram::Bucket WaitHistogram::bucket_of(Duration wait) noexcept {
  const std::int64_t ms = std::clamp<std::int64_t>(wait.count() / 1'000'000, 0, longest_ms);
  if (ms < steps) return static_cast<Bucket>(ms);
  const int octave = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(ms))) - 1 - step_bits;
  return static_cast<Bucket>((octave + 1) * steps + ((ms >> octave) - steps));
}

Duration WaitHistogram::middle_of(Bucket bucket) noexcept {
  if (bucket < steps) return std::chrono::milliseconds(bucket);
  const int octave = bucket / steps - 1;
  const std::int64_t low = static_cast<std::int64_t>(bucket % steps + steps) << octave;
  return Duration((low * 2 + (std::int64_t{1} << octave) - 1) * 500'000);
}

void WaitHistogram::add(Bucket bucket, std::int64_t count) {
  if (count == 0) return;
  const auto at = std::lower_bound(used_.begin(), used_.end(), bucket,
                                   [](const auto& entry, Bucket wanted) { return entry.first < wanted; });
  if (at == used_.end() || at->first != bucket) {
    used_.insert(at, {bucket, count});
  } else if ((at->second += count) == 0) {
    used_.erase(at);
  }
}

void WaitHistogram::add(const WaitHistogram& other) {
  for (const auto& [bucket, count] : other.used_) add(bucket, count);
}

std::int64_t WaitHistogram::count() const noexcept {
  std::int64_t sum = 0;
  for (const auto& entry : used_) sum += entry.second;
  return sum;
}

std::optional<Duration> WaitHistogram::quantile(double p) const {
  const std::int64_t n = count();
  if (n <= 0) return std::nullopt;
  const auto rank = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(p * static_cast<double>(n))));
  std::int64_t seen = 0;
  for (const auto& [bucket, count] : used_)
    if ((seen += count) >= rank) return middle_of(bucket);
  return middle_of(used_.back().first);
}

}  // namespace reach
