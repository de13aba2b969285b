#include "daemon/base/printable.hpp"

#include <algorithm>

namespace reach {

std::string printable(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const unsigned char lead = byte(at);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    const std::string_view one = text.substr(at, length);
    const bool whole = one.size() == length && length > 0 &&
                       std::ranges::all_of(one.substr(1), [](unsigned char c) { return (c & 0xc0) == 0x80; });
    if (!whole) {
      out += '?';
      ++at;
      continue;
    }
    const bool control = lead < 0x20 || lead == 0x7f || (lead == 0xc2 && byte(at + 1) < 0xa0);
    if (control)
      out += ' ';
    else
      out += one;
    at += length;
  }
  return out;
}

}  // namespace reach
