#include "daemon/core/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace reach {
namespace {
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

void WaitHistogram::add_page(std::size_t octave) {
  pages_.emplace_back();
  page_of_[octave] = static_cast<std::uint8_t>(pages_.size());
}

void WaitHistogram::add(const WaitHistogram& other) {
  for (std::size_t octave = 0; octave < octaves; ++octave) {
    if (other.page_of_[octave] == 0) continue;
    if (page_of_[octave] == 0) add_page(octave);
    for (std::size_t i = 0; i < steps; ++i)
      pages_[page_of_[octave] - 1U][i] += other.pages_[other.page_of_[octave] - 1U][i];
  }
}

bool WaitHistogram::is_whole() const noexcept {
  return std::ranges::all_of(page_of_, [this](std::size_t page) { return page <= pages_.size(); });
}

std::int64_t WaitHistogram::count() const noexcept {
  std::int64_t sum = 0;
  for (const auto& page : pages_)
    for (const std::int32_t n : page) sum += n;
  return sum;
}

std::optional<Duration> WaitHistogram::quantile(double p) const {
  const std::int64_t n = count();
  if (n <= 0) return std::nullopt;
  const auto rank = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(p * static_cast<double>(n))));
  std::int64_t seen = 0;
  Bucket last = 0;
  for (std::size_t octave = 0; octave < octaves; ++octave) {
    if (page_of_[octave] == 0) continue;
    for (std::size_t i = 0; i < steps; ++i) {
      const std::int32_t here = pages_[page_of_[octave] - 1U][i];
      if (here == 0) continue;
      last = static_cast<Bucket>(octave * steps + i);
      if ((seen += here) >= rank) return middle_of(last);
    }
  }
  return middle_of(last);
}

}  // namespace reach
