// Where an adapter's events wait for reachd.
#pragma once
#include <memory>
#include <string>

#include "clients/library/sender.hpp"

namespace reach::adapter {

/// `directory`, or if that is empty systemd's state directory ($STATE_DIRECTORY), or empty if there is none.
[[nodiscard]] std::string state_directory(const std::string& directory);

/// In files below state_directory(); without one in memory: then the events that reachd does not have yet are lost when
/// the adapter itself is killed.
[[nodiscard]] std::unique_ptr<client::Spool> spool_for(const std::string& directory);

}  // namespace reach::adapter
