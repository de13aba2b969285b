// Who may do what: every key of a client has a role, and a role opens some of the daemon's sockets.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace reach::keys {

enum class Role : std::uint8_t {
  adapter,     ///< sends events, under the source names of its key alone; may ask whether reachd is there
  viewer,      ///< sees everything, changes nothing
  supervisor,  ///< sees everything, takes alerts
  operator_,   ///< everything, under every source name
  server       ///< the daemon's own key, by which clients know it
};

/// The sockets of [endpoints].
enum class Door : std::uint8_t { ingest, publish, query };

[[nodiscard]] std::string_view to_text(Role role) noexcept;
[[nodiscard]] std::string_view to_text(Door door) noexcept;
/// nullopt if there is no such role (or socket).
[[nodiscard]] std::optional<Role> role_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<Door> door_from(std::string_view text) noexcept;

/// Whether a connection to this socket is accepted at all.
[[nodiscard]] bool may_open(Role role, Door door) noexcept;
/// Whether it may ask for figures and alerts; a ping is free to everybody who is let in.
[[nodiscard]] bool may_read(Role role) noexcept;
/// Whether it may change what others see, such as taking an alert.
[[nodiscard]] bool may_change(Role role) noexcept;

}  // namespace reach::keys
