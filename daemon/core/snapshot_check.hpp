// What must be true of the bytes of a snapshot besides their form, so that an engine can be made of them. Private to
// daemon/core.
#pragma once
#include "daemon/core/archive.hpp"
#include "daemon/core/config.hpp"

namespace reach {

/// Throws ArchiveError(`what`) unless `true_here`.
inline void check(bool true_here, const char* what) {
  if (!true_here) throw ArchiveError(what);
}

/// What Calendar's constructor relies on. Throws ArchiveError.
void check_hours(const Zone& zone, const std::array<Calendar::Day, 7>& week,
                 const std::vector<Calendar::Exception>& exceptions);
/// What the engine relies on, and the settings loader promises. Throws ArchiveError.
void check_config(const Config& config);

}  // namespace reach
