// reachctl keygen: the pair of keys with which a program is known to reachd, or reachd to its clients.
#include <iostream>
#include <nlohmann/json.hpp>

#include "clients/library/json.hpp"
#include "clients/reachctl/command.hpp"
#include "daemon/keys/key_files.hpp"

namespace reach::ctl {
namespace {

struct Options {
  std::string name, role, directory = ".";
  std::vector<std::string> sources;
};

int keygen(const Context& context, const Options& options) {
  const auto wrong = [](const std::string& what) {
    complain(what);
    return static_cast<int>(exit_usage);
  };
  keys::PublicKey key;
  key.name = options.name;
  key.role = *keys::role_from(options.role);
  key.sources = options.sources;
  if (!keys::is_key_name(key.name)) return wrong("a key's name has 1 to 64 of A-Z a-z 0-9 . _ -, and no dot first");
  if (key.role != keys::Role::adapter && !key.sources.empty()) {
    return wrong("--source is for the role adapter: no other key is bound to sources");
  }
  if (key.role == keys::Role::adapter && key.sources.empty()) key.sources = {key.name};
  for (const std::string& source : key.sources) {
    if (!keys::is_key_name(source)) return wrong("\"" + source + "\" is no source name");
  }
  try {
    keys::write_new_pair(options.directory, key);
  } catch (const keys::KeyFileProblem& problem) {
    complain(problem.what());
    return exit_failed;
  }
  const std::string base = (std::filesystem::path(options.directory) / key.name).string();
  if (context.json) {
    std::cout << client::to_line({{"key", base + ".key"}, {"pub", base + ".pub"}}) << '\n';
    return exit_good;
  }
  std::cout << base << ".key  secret: stays with " << (key.role == keys::Role::server ? "reachd" : "the program")
            << ", readable for it alone\n"
            << base << ".pub  public: copy it "
            << (key.role == keys::Role::server ? "to the clients (server_key_file, --server-key)"
                                               : "into reachd's folder of allowed keys, then: systemctl reload reachd")
            << '\n';
  return exit_good;
}

}  // namespace

void add_keygen(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, context, "keygen", "a new pair of keys: NAME.key and NAME.pub",
                                  [&context, options] { return keygen(context, *options); });
  command->add_option("NAME", options->name, "what log lines and acknowledgements call its holder")->required();
  command->add_option("--role", options->role, "what it may do; server: the daemon's own")
      ->required()
      ->check(CLI::IsMember({"adapter", "viewer", "supervisor", "operator", "server"}));
  command->add_option("--source", options->sources, "of an adapter: a source name it may use (default: NAME)");
  command->add_option("--directory", options->directory, "where the two files are written")->capture_default_str();
}

}  // namespace reach::ctl
