#include "clients/wallboard/settings.hpp"

#include <arpa/inet.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "daemon/base/nearest.hpp"

namespace reach::wallboard {
namespace {

bool is_ip(const std::string& address) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, address.c_str(), bytes) == 1 || inet_pton(AF_INET6, address.c_str(), bytes) == 1;
}

/// Reads one table key by key, and says what is wrong with the place.
class Reader {
 public:
  Reader(std::string file, std::vector<std::string>& problems) : file_(std::move(file)), problems_(problems) {}

  void say(const toml::source_region& at, const std::string& what) { problems_.push_back(place(at) + ": " + what); }

  /// `take` returns what is wrong with the text, empty if nothing.
  void text(const toml::table& table, const char* key, const std::function<std::string(const std::string&)>& take) {
    known_.emplace_back(key);
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const auto value = node->value<std::string>();
    const std::string wrong = value && node->is_string() ? take(*value) : "expected text in quotes";
    if (!wrong.empty()) say(node->source(), "bad value of '" + std::string(key) + "'; " + wrong);
  }

  void yes_or_no(const toml::table& table, const char* key, bool& to) {
    known_.emplace_back(key);
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    if (const auto value = node->as_boolean()) {
      to = value->get();
    } else {
      say(node->source(), "bad value of '" + std::string(key) + "'; expected true or false");
    }
  }

  /// "FILE:LINE:COLUMN" of a key's value; empty if it is not there.
  [[nodiscard]] std::string place(const toml::table& table, const char* key) const {
    const toml::node* node = table.get(key);
    return node == nullptr ? std::string() : place(node->source());
  }

  void known(const char* key) { known_.emplace_back(key); }

  void unknown_keys(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      const std::string near = nearest(name, known_);
      say(key.source(), "unknown key '" + name + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
  }

 private:
  [[nodiscard]] std::string place(const toml::source_region& at) const {
    return file_ + ":" + std::to_string(at.begin.line) + ":" + std::to_string(at.begin.column);
  }

  std::string file_;
  std::vector<std::string>& problems_;
  std::vector<std::string> known_;
};

std::string set_endpoint(std::string& endpoint, const std::string& value) {
  if (!value.starts_with("tcp://") && !value.starts_with("ipc://")) {
    return "expected an endpoint such as \"tcp://127.0.0.1:5571\" or \"ipc:///run/reachd/publish\"";
  }
  endpoint = value;
  return {};
}

}  // namespace

std::string set_listen(Settings& settings, std::string_view listen) {
  static constexpr const char* expected = "expected ADDRESS:PORT such as \"127.0.0.1:8570\" or \"[::1]:8570\"";
  const auto colon = listen.rfind(':');
  if (colon == std::string_view::npos) return expected;
  std::string address(listen.substr(0, colon));
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  const std::string_view digits = listen.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0 || !is_ip(address)) return expected;
  settings.address = address;
  settings.port = port;
  return {};
}

std::string wrong_with_access(const Settings& settings) {
  if (!settings.users_file.empty()) return {};
  const std::string place = settings.listen_place.empty() ? "listen" : settings.listen_place;
  if (!is_loopback(settings.address))
    return place + ": " + settings.address +
           " can be reached from other machines, and nobody would have to sign in; expected users_file with who may "
           "(reach-wallboard --add-user), or an address of loopback";
  if (settings.behind_tls)
    return place +
           ": behind_tls brings the page to other machines, and nobody would have to sign in; expected "
           "users_file with who may (reach-wallboard --add-user)";
  return {};
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

Loaded read_settings(const std::string& file, std::string_view text) {
  Loaded loaded;
  Settings& to = loaded.settings;
  Reader read(file, loaded.problems);
  toml::table root;
  try {
    root = toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    read.say(error.source(), std::string(error.description()));
    return loaded;
  }
  read.text(root, "listen", [&](const std::string& value) { return set_listen(to, value); });
  to.listen_place = read.place(root, "listen");
  read.text(root, "users_file", [&](const std::string& value) {
    to.users_file = value;
    return std::string(value.empty() ? "expected a file such as \"/var/lib/reach-wallboard/users\"" : "");
  });
  read.yes_or_no(root, "behind_tls", to.behind_tls);
  read.text(root, "publish", [&](const std::string& value) { return set_endpoint(to.publish, value); });
  read.text(root, "query", [&](const std::string& value) { return set_endpoint(to.query, value); });
  read.text(root, "key_file", [&](const std::string& value) { return to.key_files.key_file = value, std::string(); });
  read.text(root, "server_key_file",
            [&](const std::string& value) { return to.key_files.server_key_file = value, std::string(); });
  read.text(root, "web_root", [&](const std::string& value) { return to.web_root = value, std::string(); });
  read.text(root, "title", [&](const std::string& value) { return to.title = value, std::string(); });
  read.text(root, "language", [&](const std::string& value) {
    to.language = value;
    return std::string(value == "de" || value == "en" ? "" : "expected \"de\" or \"en\"");
  });
  read.text(root, "timezone", [&](const std::string& value) {
    to.timezone = value;
    std::error_code unusable;  // a name too long for a file, and the like
    const bool known = !value.empty() && value.find("..") == std::string::npos &&
                       std::filesystem::exists("/usr/share/zoneinfo/" + value, unusable);
    return std::string(known ? "" : "expected a zone such as \"Europe/Berlin\"");
  });

  read.known("hosts");
  if (const toml::node* node = root.get("hosts")) {
    const toml::array* list = node->as_array();
    if (list == nullptr) read.say(node->source(), "bad value of 'hosts'; expected a list of names in quotes");
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const auto name = (*list)[i].value<std::string>();
      if (name) {
        to.hosts.push_back(*name);
      } else {
        read.say((*list)[i].source(), "bad value in 'hosts'; expected a name in quotes");
      }
    }
  }
  read.known("names");
  if (const toml::node* node = root.get("names")) {
    const toml::table* table = node->as_table();
    if (table == nullptr) read.say(node->source(), "bad value of 'names'; expected a table: segment = \"Name\"");
    if (table != nullptr) {
      for (const auto& [key, value] : *table) {
        if (const auto name = value.value<std::string>()) {
          to.names[std::string(key.str())] = *name;
        } else {
          read.say(value.source(), "bad name of '" + std::string(key.str()) + "'; expected text in quotes");
        }
      }
    }
  }
  read.unknown_keys(root);
  return loaded;
}

Loaded load_settings(const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return {{}, {file + ":1:1: cannot be read; expected a file that this user may read"}};
  return read_settings(file, text.str());
}

}  // namespace reach::wallboard
