// Who may come in: people with a password, and screens with a ticket. A file of its own, which the programs write.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/time.hpp"

namespace reach::wallboard {

/// A viewer sees; a supervisor also takes alerts and lets screens in.
enum class Role { viewer, supervisor };
[[nodiscard]] std::string_view name_of(Role role);
[[nodiscard]] std::optional<Role> role_of(std::string_view name);

struct User {
  Role role = Role::viewer;
  std::string password_hash;
};

/// Lets a screen on the wall see without anybody's password, and see only.
struct Ticket {
  std::string fingerprint;  ///< of its secret, which only the link holds
  Time made{};
  Time expires = never;
};

struct Accounts {
  static constexpr std::size_t users_max = 1000, tickets_max = 1000;
  std::map<std::string, User> users;      ///< by name
  std::map<std::string, Ticket> tickets;  ///< by name
};

/// What is wrong with a name of a person or screen; empty: nothing. 1 to 80 bytes, no line breaks, no blanks around it.
[[nodiscard]] std::string wrong_with_name(std::string_view name);

struct LoadedAccounts {
  Accounts accounts;
  std::vector<std::string> problems;  ///< "FILE:LINE:COLUMN: what is wrong; what is expected"; empty: all is well
};

/// Reads `text`, a line each: "user ROLE HASH NAME", "ticket MADE EXPIRES|- FINGERPRINT NAME"; empty lines and those
/// with # are left out. `file` is for the messages. All problems are found in one go.
[[nodiscard]] LoadedAccounts read_accounts(const std::string& file, std::string_view text);
[[nodiscard]] std::string to_text(const Accounts& accounts);

/// The same from a file. One that is missing or that others than its owner and group can read is a problem.
[[nodiscard]] LoadedAccounts load_accounts(const std::string& file);

/// Reads `file` (missing: empty), lets `change` change it, and replaces it at once or not at all, readable for its
/// owner alone. Two programs that do so at a time wait for each other. `change` returns what is wrong, and then nothing
/// is written. Returns what went wrong, a sentence; empty: it is done, and on disk.
///
/// Written by root, the file belongs to the owner of its folder: the service, whose state it is.
[[nodiscard]] std::string change_accounts(const std::string& file, const std::function<std::string(Accounts&)>& change);

/// A change for `change_accounts`: a new ticket. `secret` is what its link holds. Refused if the name is taken.
[[nodiscard]] std::string add_ticket(Accounts& accounts, const std::string& name, const std::string& secret, Time made,
                                     Time expires);
/// Another: the ticket is gone. Refused if there is none.
[[nodiscard]] std::string remove_ticket(Accounts& accounts, const std::string& name);

}  // namespace reach::wallboard
