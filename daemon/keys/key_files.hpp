// The keys of reachd and its clients, and the files they are kept in.
//
// Each program has a pair: NAME.key, the secret half, which never leaves its machine, and NAME.pub, the public half
// with the name, the role and the source names that belong to it. As with ssh, the operator copies a client's NAME.pub
// into the daemon's folder of allowed keys, and the daemon's own .pub to its clients. Keys are CURVE25519, written in
// Z85 (ZeroMQ RFC 32): 40 printable characters without quotes or backslashes.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/keys/roles.hpp"
#include "daemon/keys/secret_file.hpp"
#include "daemon/settings/settings.hpp"

namespace reach::keys {

/// Characters of a key in Z85.
inline constexpr std::size_t key_length = 40;

struct KeyPair {
  std::string secret, open;  ///< Z85; `open` is the public half
};

/// A .pub file.
struct PublicKey {
  std::string name;
  Role role = Role::viewer;
  std::vector<std::string> sources;  ///< of an adapter: what it may call itself
  std::string key;                   ///< Z85

  /// Whether events of `source` may be sent with it.
  [[nodiscard]] bool may_send_as(std::string_view source) const noexcept;
};

/// The keys that are let in, by their Z85 text. Immutable once it is shared between threads.
class AllowedKeys {
 public:
  /// False if the key is there already.
  bool add(PublicKey key);
  /// nullptr if it is not allowed.
  [[nodiscard]] const PublicKey* find(std::string_view z85) const;
  [[nodiscard]] std::size_t size() const noexcept { return by_key_.size(); }

 private:
  std::map<std::string, PublicKey, std::less<>> by_key_;
};

struct LoadedKeys {
  AllowedKeys keys;
  std::vector<settings::Problem> problems;  ///< keys may be used only if empty
};

/// Reads every *.pub of `directory`; other files are left alone. Finds all problems, each with its place; a folder that
/// cannot be read is one, an empty folder is none (nobody is let in).
[[nodiscard]] LoadedKeys load_allowed_keys(const std::filesystem::path& directory);

/// One .pub text; `file` stands for it in `problems`, to which what is wrong with it is added.
[[nodiscard]] PublicKey parse_public_key(const std::string& file, std::string_view text,
                                         std::vector<settings::Problem>& problems);

/// The pair whose secret half is in `file` (read_key_file: also among systemd's credentials). Throws KeyFileProblem.
[[nodiscard]] KeyPair read_key_pair(const std::string& file);

/// The daemon's public key for a client: Z85. Throws KeyFileProblem if `file` is no .pub of a server.
[[nodiscard]] std::string read_server_key(const std::string& file);

/// Makes a pair and writes `directory`/NAME.key (mode 0600) and NAME.pub. Throws KeyFileProblem; overwrites nothing.
void write_new_pair(const std::filesystem::path& directory, const PublicKey& described);

/// Whether `name` fits a file and a log line: 1 to 64 of A-Z a-z 0-9 . _ - and no dot first.
[[nodiscard]] bool is_key_name(std::string_view name) noexcept;

}  // namespace reach::keys
