// Every choice of a simulated run, from one seed.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <random>

#include "daemon/base/time.hpp"

namespace reach::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_(seed) {}
  /// 0 … n - 1, n > 0.
  std::size_t pick(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(bits_); }
  bool chance(double p) { return std::uniform_real_distribution<double>(0, 1)(bits_) < p; }
  /// From `least` to `most`, both included.
  Duration between(Duration least, Duration most) {
    return Duration(std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(bits_));
  }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[pick(values.size())];
  }
  /// The seed of something that is to draw on its own, so that more draws here change nothing there.
  std::uint64_t seed() { return bits_(); }

 private:
  std::mt19937_64 bits_;
};

}  // namespace reach::sim
