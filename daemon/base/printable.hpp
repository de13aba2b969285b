// Texts from outside where people read them.
#pragma once
#include <string>
#include <string_view>

namespace reach {

/// `text` as it may stand in one line of a terminal or a log: control characters (U+0000 to U+001F, U+007F to U+009F:
/// what ends a line, or what a terminal would obey) are blanks, and bytes that are no UTF-8 are question marks.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace reach
