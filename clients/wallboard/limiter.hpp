// How often something may be tried: a bucket of tokens per key, refilled one by one.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace reach::wallboard {

/// Each key has `burst` tries, and one more every `refill`. Remembers at most `keys_max` keys: beyond them the one that
/// is nearest to being full again is forgotten. Time is handed in. Not thread-safe; O(log keys), O(keys) when full.
class Limiter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;
  Limiter(int burst, Duration refill, std::size_t keys_max) : burst_(burst), refill_(refill), keys_max_(keys_max) {}

  /// Takes a try. Returns how long there is none: zero if it was taken.
  [[nodiscard]] Duration take(const std::string& key, Time now) {
    const auto found = full_at_.find(key);
    const Time full_at = found == full_at_.end() ? now : std::max(found->second, now);
    const Duration wait = full_at + refill_ - now - burst_ * refill_;
    if (wait > Duration::zero()) return wait;
    if (found == full_at_.end() && full_at_.size() >= keys_max_) forget(now);
    full_at_[key] = full_at + refill_;
    return Duration::zero();
  }

  /// Puts a try back: it was none of those that are counted.
  void give_back(const std::string& key) {
    if (const auto found = full_at_.find(key); found != full_at_.end()) found->second -= refill_;
  }

 private:
  void forget(Time now) {
    std::erase_if(full_at_, [&](const auto& entry) { return entry.second <= now; });
    if (full_at_.size() < keys_max_) return;
    full_at_.erase(std::min_element(full_at_.begin(), full_at_.end(),
                                    [](const auto& a, const auto& b) { return a.second < b.second; }));
  }

  const int burst_;
  const Duration refill_;
  const std::size_t keys_max_;
  std::map<std::string, Time> full_at_;  ///< when all tries of the key are there again
};

}  // namespace reach::wallboard
