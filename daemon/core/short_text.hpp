// Names by the million: texts of up to 24 bytes take no memory of their own.
#pragma once
#include <absl/container/inlined_vector.h>

#include <string_view>

namespace reach {

using ShortText = absl::InlinedVector<char, 24>;

[[nodiscard]] inline std::string_view view(const ShortText& text) noexcept {
  return {text.data(), text.size()};
}

}  // namespace reach
