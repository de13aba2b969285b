// reach-wallboard: the web page for the wall and for supervisors. Options → settings → server → signals.
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "clients/library/program.hpp"
#include "clients/wallboard/account_commands.hpp"
#include "clients/wallboard/server.hpp"

namespace {

using namespace reach;
using wallboard::Settings;

struct Options {
  std::string file, listen, publish, query, users_file, web_root, title, language;
  client::KeyFiles key_files;
};

/// The file, then the options over it. Problems are said; then `good` is false.
struct Effective {
  Settings settings;
  bool good = true;
};
Effective effective_settings(const Options& options) {
  wallboard::Loaded loaded;
  if (!options.file.empty()) loaded = wallboard::load_settings(options.file);
  for (const std::string& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  Effective got{std::move(loaded.settings), loaded.problems.empty()};
  Settings& settings = got.settings;
  if (!options.listen.empty()) {
    const std::string wrong = wallboard::set_listen(settings, options.listen);
    if (!wrong.empty()) std::fprintf(stderr, "--listen %s: %s\n", options.listen.c_str(), wrong.c_str());
    got.good = got.good && wrong.empty();
    settings.listen_place = "--listen";
  }
  if (!options.publish.empty()) settings.publish = options.publish;
  if (!options.query.empty()) settings.query = options.query;
  if (!options.users_file.empty()) settings.users_file = options.users_file;
  settings.key_files = settings.key_files.unless(options.key_files);
  if (!options.web_root.empty()) settings.web_root = options.web_root;
  if (!options.title.empty()) settings.title = options.title;
  if (!options.language.empty()) settings.language = options.language;
  return got;
}

/// Who may come in; nullopt: everybody. Problems are said; then `good` is false.
struct Access {
  std::optional<wallboard::Accounts> accounts;
  bool good = true;
};
Access access_of(const Settings& settings) {
  if (settings.users_file.empty()) return {};
  wallboard::LoadedAccounts loaded = wallboard::load_accounts(settings.users_file);
  for (const std::string& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  return {std::move(loaded.accounts), loaded.problems.empty()};
}

void reload(wallboard::Server& server, const Settings& old, const Options& options) {
  const Effective now = effective_settings(options);
  if (!now.good) {
    spdlog::error("the configuration was not reloaded: {} is wrong; the old one stays", options.file);
    return;
  }
  Access access = access_of(old);
  if (!access.good) {
    spdlog::error("the configuration was not reloaded: {} is wrong; the old one stays", old.users_file);
    return;
  }
  server.set_settings(now.settings);
  if (access.accounts) server.set_accounts(std::move(*access.accounts));
  const auto fixed = [](const Settings& s) {
    return std::tie(s.address, s.port, s.publish, s.query, s.web_root, s.users_file, s.behind_tls, s.key_files.key_file,
                    s.key_files.server_key_file);
  };
  if (fixed(now.settings) != fixed(old)) {
    spdlog::warn("listen, publish, query, the keys, web_root, users_file and behind_tls change with a restart only");
  }
  spdlog::info("configuration reloaded");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Serves the wallboard and the supervisor's page, and their API, from what reachd publishes.",
               "reach-wallboard");
  client::CommonOptions common;
  common.add_to(app);
  Options options;
  app.add_option("--config", options.file, "configuration, a TOML file (default: none)");
  app.add_option("--listen", options.listen, "where browsers find the page (default: 127.0.0.1:8570)");
  app.add_option("--publish", options.publish, "reachd's publish socket (default: tcp://127.0.0.1:5571)");
  app.add_option("--query", options.query, "reachd's query socket (default: tcp://127.0.0.1:5572)");
  app.add_option("--users-file", options.users_file, "who may sign in (default: none; then nobody has to)");
  options.key_files.add_to(app);
  app.add_option("--web-root", options.web_root,
                 "the built page (default: the one installed or built with this program)");
  app.add_option("--title", options.title, "the board's title");
  app.add_option("--language", options.language, "the board's language (default: the reader's)")
      ->check(CLI::IsMember({"de", "en"}));
  wallboard::AccountCommand command;
  auto* accounts = app.add_option_group("Who may come in (each changes the file of users and ends)");
  auto* add_user = accounts->add_option("--add-user", command.add_user, "adds a user, or sets role and password anew");
  app.add_option("--role", command.role, "of the new user: viewer or supervisor")
      ->needs(add_user)
      ->check(CLI::IsMember({"viewer", "supervisor"}));
  accounts->add_option("--remove-user", command.remove_user, "this user may sign in no more");
  auto* ticket = accounts->add_option("--ticket", command.ticket, "prints a link that lets a screen see the board");
  app.add_option("--valid-for", command.valid_for, "of the new ticket, such as 30d (default: until it is removed)")
      ->needs(ticket);
  accounts->add_option("--remove-ticket", command.remove_ticket, "this screen sees the board no more");
  accounts->add_flag("--accounts", command.list, "lists users and tickets");
  accounts->require_option(0, 1);
  if (const int leave = client::parse(app, argc, argv); leave >= 0) return leave;

  const Effective start = effective_settings(options);
  if (!start.good) return options.file.empty() ? client::exit_usage : client::exit_configuration;
  const Settings& settings = start.settings;
  if (command.given()) return wallboard::run_account_command(command, settings);
  client::block_signals();  // before any thread starts
  if (const std::string wrong = wallboard::wrong_with_access(settings); !wrong.empty()) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    return client::exit_configuration;
  }
  Access access = access_of(settings);
  if (!access.good) return client::exit_configuration;
  common.start("reach-wallboard");
  try {
    wallboard::Server server(settings, std::move(access.accounts), client::raise_file_limit());
    spdlog::info("serving http://{}:{}/", settings.address, settings.port);
    if (!wallboard::is_loopback(settings.address) && !settings.behind_tls) {
      spdlog::warn(
          "{} can be reached from other machines, and passwords go there unencrypted: put a proxy with HTTPS "
          "in front (behind_tls), and listen on loopback",
          settings.address);
    }
    client::notify_systemd("READY=1");
    for (;;) {
      const int signal = client::wait_signal(5);
      if (signal == SIGTERM || signal == SIGINT) break;
      if (signal == SIGHUP) reload(server, settings, options);
      client::notify_systemd("WATCHDOG=1\nSTATUS=" + server.status());
    }
    client::notify_systemd("STOPPING=1");
  } catch (const client::KeyFileProblem& problem) {
    spdlog::error("{}", problem.what());
    return client::exit_configuration;
  } catch (const std::exception& problem) {
    spdlog::error("{}", problem.what());
    return client::exit_failed;
  }
  spdlog::info("stopped");
  return client::exit_good;
}
