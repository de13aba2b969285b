// The keys that a client of reachd shows and expects where the daemon's endpoints speak CURVE
// (daemon/keys/key_files.hpp).
#pragma once
#include <string>

#include "daemon/keys/secret_file.hpp"

namespace CLI {
class App;
}

namespace reach::client {

using keys::KeyFileProblem;

/// As they are named in a configuration or on the command line; both or neither.
struct KeyFiles {
  std::string key_file;         ///< the client's own secret, NAME.key
  std::string server_key_file;  ///< the daemon's public key, its .pub
  /// --key and --server-key; `app` keeps references to this object.
  void add_to(CLI::App& app);
  /// The files of `first`, or these where it names none.
  [[nodiscard]] KeyFiles unless(const KeyFiles& first) const;
};

/// Z85. Without them sockets speak plainly, as ipc:// always does.
struct ClientKeys {
  std::string secret, open;  ///< the client's own pair
  std::string server;        ///< the daemon's public key
  KeyFiles files;            ///< where they are from, for sentences
  [[nodiscard]] bool given() const noexcept { return !secret.empty(); }
};

/// None if no files are named. Throws KeyFileProblem if one of the two is missing, or wrong.
[[nodiscard]] ClientKeys read_keys(const KeyFiles& files);

}  // namespace reach::client
