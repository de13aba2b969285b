// What the fuzz targets share. libFuzzer calls each target with bytes that it makes up; whatever they are, nothing may
// crash, hang, or take more memory than a small input is worth.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "daemon/base/time.hpp"

/// The target: every .cpp of this folder defines it once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace reach::fuzz {

/// A Monday, when the worlds of the targets begin.
inline constexpr Time monday = time_from_ns(1'795'420'800'000'000'000);

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Many things in one input, one after the other: calls `take` with the control byte and the bytes of each. Each is a
/// control byte, the number of its bytes (two bytes, little-endian) and these, or what is left.
template <class Take>
void for_each_piece(std::string_view input, const Take& take) {
  while (input.size() >= 3) {
    const auto byte = [input](std::size_t at) { return static_cast<unsigned char>(input[at]); };
    const auto control = byte(0);
    const std::size_t length = byte(1) | static_cast<std::size_t>(byte(2)) << 8;
    input.remove_prefix(3);
    take(control, input.substr(0, length));
    input.remove_prefix(length < input.size() ? length : input.size());
  }
}

/// Ends the run with a finding unless `true_here`: `what` is then not as promised.
inline void require(bool true_here, const char* what) {
  if (true_here) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

}  // namespace reach::fuzz
