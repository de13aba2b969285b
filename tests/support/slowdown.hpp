// How patient a test is.
#pragma once
#include <cstdlib>

namespace reach::test {

/// How many times slower than usual the programs are: those of the sanitizers' builds ($REACH_SLOWDOWN, which ctest
/// sets in them). Limits of time are multiplied by it.
[[nodiscard]] inline int slowdown() {
  const char* text = std::getenv("REACH_SLOWDOWN");
  const int times = text == nullptr ? 1 : std::atoi(text);
  return times > 1 ? times : 1;
}

}  // namespace reach::test
