// Where an adapter's events wait for reachd.
#pragma once
#include <memory>
#include <string>

#include "clients/library/sender.hpp"

namespace reach::adapter {

/// In files of `directory`; if that is empty, of systemd's state directory ($STATE_DIRECTORY); without one in memory:
/// then the events that reachd does not have yet are lost when the adapter itself is killed.
[[nodiscard]] std::unique_ptr<client::Spool> spool_for(std::string directory);

}  // namespace reach::adapter
