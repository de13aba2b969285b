#include "clients/library/keys.hpp"

#include <CLI/CLI.hpp>

#include "daemon/keys/key_files.hpp"

namespace reach::client {

void KeyFiles::add_to(CLI::App& app) {
  app.add_option("--key", key_file, "this program's secret key (NAME.key), where reachd's endpoints need one");
  app.add_option("--server-key", server_key_file, "reachd's public key (its .pub), together with --key");
}

KeyFiles KeyFiles::unless(const KeyFiles& first) const {
  return first.key_file.empty() && first.server_key_file.empty() ? *this : first;
}

ClientKeys read_keys(const KeyFiles& files) {
  if (files.key_file.empty() && files.server_key_file.empty()) return {};
  if (files.key_file.empty() || files.server_key_file.empty()) {
    throw KeyFileProblem(
        files.key_file.empty()
            ? "the daemon's public key is given, but no key of this program; give it, too (--key or key_file)"
            : "a key is given, but not the daemon's public key; give it, too (--server-key or server_key_file)");
  }
  keys::KeyPair pair = keys::read_key_pair(files.key_file);
  return {std::move(pair.secret), std::move(pair.open), keys::read_server_key(files.server_key_file), files};
}

}  // namespace reach::client
