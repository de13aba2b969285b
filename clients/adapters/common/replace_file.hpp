// Small files that an adapter keeps for its next life.
#pragma once
#include <string>
#include <string_view>

namespace reach::adapter {

/// `path` has the content `text` afterwards, also after a power failure, or what it had before: `text` is written to
/// PATH.new first, and to the disk. Throws std::system_error, a sentence with the name of the file, if that fails.
void replace_file(const std::string& path, std::string_view text);

}  // namespace reach::adapter
