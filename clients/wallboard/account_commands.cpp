#include "clients/wallboard/account_commands.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>

#include "clients/library/program.hpp"
#include "clients/wallboard/accounts.hpp"
#include "clients/wallboard/secrets.hpp"

namespace reach::wallboard {
namespace {

int wrong(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  return client::exit_failed;
}

Time now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// One line; on a terminal without echo, with `prompt` before it. nullopt at the end of the input. A signal to end ends
/// the program here, after the terminal is as it was.
std::optional<std::string> ask(const char* prompt) {
  const bool terminal = ::isatty(STDIN_FILENO) != 0;
  termios before{};
  int signal = 0;
  if (terminal) {
    client::block_signals();
    std::fputs(prompt, stderr);
    ::tcgetattr(STDIN_FILENO, &before);
    termios silent = before;
    silent.c_lflag &= static_cast<tcflag_t>(~ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    pollfd input{STDIN_FILENO, POLLIN, 0};
    while (signal == 0 && ::poll(&input, 1, 100) <= 0) signal = client::wait_signal(0);
  }
  std::string line;
  const bool got = signal == 0 && std::getline(std::cin, line);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputc('\n', stderr);
    client::unblock_signals();
    if (signal != 0) std::raise(signal);
  }
  if (!got) return std::nullopt;
  return line;
}

/// A password that was given twice, or once if nobody sits there. Empty: `problem` says why.
std::string ask_password(std::string& problem) {
  const auto password = ask("Password: ");
  if (!password || password->size() < password_bytes_min || password->size() > password_bytes_max) {
    problem = "a password has at least " + std::to_string(password_bytes_min) + " bytes, and at most " +
              std::to_string(password_bytes_max);
    return {};
  }
  if (::isatty(STDIN_FILENO) != 0 && ask("Again: ") != password) {
    problem = "the second one differs";
    return {};
  }
  return *password;
}

int add_user(const std::string& file, const std::string& name, Role role) {
  if (const std::string problem = wrong_with_name(name); !problem.empty()) return wrong(problem);
  std::string problem;
  const std::string password = ask_password(problem);
  if (!problem.empty()) return wrong(problem);
  const std::string hash = hash_password(password);
  problem = change_accounts(file, [&](Accounts& accounts) -> std::string {
    accounts.users[name] = {role, hash};
    return accounts.users.size() > Accounts::users_max ? "there are 1000 users; remove some first" : "";
  });
  if (!problem.empty()) return wrong(problem);
  std::printf("%s may sign in as a %s.\n", name.c_str(), std::string(name_of(role)).c_str());
  return client::exit_good;
}

int make_ticket(const std::string& file, const AccountCommand& command, const Settings& settings) {
  const Time made = now();
  Time expires = never;
  if (!command.valid_for.empty()) {
    const auto length = parse_duration(command.valid_for);
    if (!length || length->count() == 0 || *length >= never - made) {
      std::fprintf(stderr, "--valid-for: expected a time such as 30d\n");
      return client::exit_usage;
    }
    expires = made + *length;
  }
  const std::string secret = random_secret();
  const std::string problem = change_accounts(
      file, [&](Accounts& accounts) { return add_ticket(accounts, command.ticket, secret, made, expires); });
  if (!problem.empty()) return wrong(problem);
  std::string host = settings.hosts.empty() ? settings.address : settings.hosts.front();
  if (host.find(':') != std::string::npos) host = '[' + host + ']';
  if (!settings.behind_tls) host += ':' + std::to_string(settings.port);
  std::printf("%s://%s/?mode=tv&ticket=%s\n", settings.behind_tls ? "https" : "http", host.c_str(), secret.c_str());
  std::fprintf(stderr, "Open this link once on the screen. Who has it may see the board.\n");
  return client::exit_good;
}

int list(const std::string& file) {
  const LoadedAccounts loaded = load_accounts(file);
  for (const std::string& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  for (const auto& [name, user] : loaded.accounts.users)
    std::printf("%-10s  %s\n", std::string(name_of(user.role)).c_str(), name.c_str());
  for (const auto& [name, ticket] : loaded.accounts.tickets) {
    const std::string end = ticket.expires == never ? "until it is removed" : "until " + to_rfc3339(ticket.expires);
    std::printf("%-10s  %s (since %s, %s)\n", "ticket", name.c_str(), to_rfc3339(ticket.made).c_str(), end.c_str());
  }
  return loaded.problems.empty() ? client::exit_good : client::exit_failed;
}

int run(const AccountCommand& command, const Settings& settings) {
  const std::string& file = settings.users_file;
  if (command.list) return list(file);
  const auto folder = std::filesystem::path(file).parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder)) {
    std::filesystem::create_directories(folder.parent_path());
    if (::mkdir(folder.c_str(), S_IRWXU) != 0) return wrong(folder.string() + ": cannot be made");
  }
  int code = client::exit_good;
  if (!command.add_user.empty()) {
    const auto role = role_of(command.role);
    if (!role) {
      std::fprintf(stderr, "--add-user needs --role viewer or --role supervisor\n");
      return client::exit_usage;
    }
    code = add_user(file, command.add_user, *role);
  } else if (!command.ticket.empty()) {
    code = make_ticket(file, command, settings);
  } else {
    const std::string problem = change_accounts(file, [&](Accounts& accounts) {
      if (!command.remove_ticket.empty()) return remove_ticket(accounts, command.remove_ticket);
      return accounts.users.erase(command.remove_user) == 0 ? "there is no user \"" + command.remove_user + "\""
                                                            : std::string();
    });
    if (!problem.empty()) return wrong(problem);
  }
  if (code == client::exit_good) std::fprintf(stderr, "A running reach-wallboard takes it over with SIGHUP.\n");
  return code;
}

}  // namespace

bool AccountCommand::given() const {
  return list || !(add_user.empty() && remove_user.empty() && ticket.empty() && remove_ticket.empty());
}

int run_account_command(const AccountCommand& command, const Settings& settings) {
  if (settings.users_file.empty()) {
    std::fprintf(stderr, "no file of users is named; expected users_file in the configuration, or --users-file FILE\n");
    return client::exit_usage;
  }
  try {
    return run(command, settings);
  } catch (const std::exception& problem) {
    return wrong(problem.what());
  }
}

}  // namespace reach::wallboard
