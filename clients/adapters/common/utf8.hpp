// Text of a PBX as UTF-8: reachd refuses a batch with anything else in it, and what is behind that would wait for ever.
#pragma once
#include <string>
#include <string_view>

namespace reach::adapter {

/// By the rules of Protocol Buffers: shortest forms only, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// `text` if that is UTF-8. Otherwise each byte that is part of none is read as Latin-1, which PBXs with umlauts in
/// their configuration write: "M\xfcller" becomes "Müller".
[[nodiscard]] std::string to_utf8(std::string_view text);

}  // namespace reach::adapter
