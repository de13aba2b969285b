// The commands that change who may open the page: --add-user, --remove-user, --ticket, --remove-ticket, --accounts.
#pragma once
#include <string>

#include "clients/wallboard/settings.hpp"

namespace reach::wallboard {

struct AccountCommand {
  std::string add_user, role, remove_user, ticket, valid_for, remove_ticket;
  bool list = false;
  [[nodiscard]] bool given() const;
};

/// Does what is asked in settings.users_file; makes its folder, readable for its owner alone, if it is missing. A new
/// user's password is asked for on the terminal, twice and without echo; otherwise it is the first line of stdin.
/// Says on stdout what was done, on stderr what went wrong. Returns the program's exit code.
[[nodiscard]] int run_account_command(const AccountCommand& command, const Settings& settings);

}  // namespace reach::wallboard
