// An adapter's configuration file: read and checked by the same rules as reachd's own.
#pragma once
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "daemon/settings/keys.hpp"
#include "daemon/settings/settings.hpp"

namespace reach::adapter {

template <class T>
struct LoadedConfig {
  T config;  ///< may be used only if there are no problems
  std::vector<settings::Problem> problems;
};

/// Reads `path` into a T by the keys of `section`. Every problem has its place (render() makes a line of it).
template <class T>
[[nodiscard]] LoadedConfig<T> load_config(const std::string& path, const settings::Section<T>& section) {
  LoadedConfig<T> loaded;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open()) {
    loaded.problems.push_back(
        {path, 1, 1, std::string("cannot be read: ") + std::strerror(errno), "expected a TOML file", ""});
    return loaded;
  }
  settings::Checker checker;
  checker.add_document(path, text);
  settings::read_table(section, settings::Spot{0, &checker.documents().front().root}, loaded.config, checker);
  loaded.problems = checker.take_problems();
  return loaded;
}

/// key_file and server_key_file of a T that is client::KeyFiles, too.
template <class T>
[[nodiscard]] std::vector<settings::Key<T>> with_key_files(std::vector<settings::Key<T>> keys) {
  keys.push_back({"key_file", settings::text<T>(&T::key_file, "the path of a file"),
                  "this adapter's secret key, where reachd's endpoint needs one; a relative name is looked up among "
                  "systemd's credentials first"});
  keys.push_back({"server_key_file", settings::text<T>(&T::server_key_file, "the path of a file"),
                  "reachd's public key (its .pub)"});
  return keys;
}

}  // namespace reach::adapter
