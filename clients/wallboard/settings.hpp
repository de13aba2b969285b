// The gateway's configuration: one TOML file (wallboard.toml shows every key), and the options that override it.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "clients/library/keys.hpp"

namespace reach::wallboard {

struct Settings {
  std::string address = "127.0.0.1";  ///< an IP address of this machine; the pages are served there
  std::uint16_t port = 8570;
  std::string publish = "tcp://127.0.0.1:5571";  ///< the daemon's sockets
  std::string query = "tcp://127.0.0.1:5572";
  client::KeyFiles key_files;      ///< where those speak CURVE
  std::string web_root;            ///< the built page; empty: where the installation or the build put it
  std::vector<std::string> hosts;  ///< names under which browsers may ask for the page, besides IP addresses,
                                   ///< "localhost" and this machine's own name
  std::string users_file;          ///< who may sign in (accounts.hpp); empty: nobody has to
  bool behind_tls = false;         ///< a proxy in front speaks HTTPS and tells in X-Forwarded-For who asks
  std::string listen_place;        ///< where `listen` was said, for messages: "FILE:LINE:COLUMN"; empty: nowhere
  // What the page shows:
  std::string title;                         ///< empty: the page's own word
  std::string language;                      ///< de | en; empty: the reader's
  std::string timezone;                      ///< IANA name; empty: the reader's
  std::map<std::string, std::string> names;  ///< segment or pool → its name on the board
};

struct Loaded {
  Settings settings;
  std::vector<std::string> problems;  ///< "FILE:LINE:COLUMN: what is wrong; what is expected"; empty: all is well
};

/// Reads `text`; `file` is for the messages. All problems are found in one go.
[[nodiscard]] Loaded read_settings(const std::string& file, std::string_view text);

/// The same from a file; one that cannot be read is a problem.
[[nodiscard]] Loaded load_settings(const std::string& file);

/// "127.0.0.1:8570" or "[::1]:8570" into `settings`. Returns what is wrong, empty if nothing.
[[nodiscard]] std::string set_listen(Settings& settings, std::string_view listen);

/// What makes these settings unsafe to serve with, a sentence with its place; empty: nothing. Without sign-in only this
/// machine may reach the page.
[[nodiscard]] std::string wrong_with_access(const Settings& settings);

/// Whether `address` is reachable from this machine only.
[[nodiscard]] bool is_loopback(const std::string& address);

}  // namespace reach::wallboard
