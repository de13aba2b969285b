#include "daemon/keys/roles.hpp"

#include <array>

namespace reach::keys {
namespace {

constexpr std::array<std::string_view, 5> roles{"adapter", "viewer", "supervisor", "operator", "server"};
constexpr std::array<std::string_view, 3> doors{"ingest", "publish", "query"};

template <class Enum, class Names>
std::optional<Enum> found_in(const Names& names, std::string_view text) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(Role role) noexcept {
  return roles[static_cast<std::size_t>(role)];
}

std::string_view to_text(Door door) noexcept {
  return doors[static_cast<std::size_t>(door)];
}

std::optional<Role> role_from(std::string_view text) noexcept {
  return found_in<Role>(roles, text);
}

std::optional<Door> door_from(std::string_view text) noexcept {
  return found_in<Door>(doors, text);
}

bool may_open(Role role, Door door) noexcept {
  switch (door) {
    case Door::ingest:
      return role == Role::adapter || role == Role::operator_;
    case Door::publish:
      return may_read(role);
    case Door::query:
      return role != Role::server;
  }
  return false;
}

bool may_read(Role role) noexcept {
  return role == Role::viewer || may_change(role);
}

bool may_change(Role role) noexcept {
  return role == Role::supervisor || role == Role::operator_;
}

}  // namespace reach::keys
