// An adapter's configuration file: read and checked by the same rules as reachd's own.
#pragma once
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/settings/endpoint.hpp"
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

/// After SIGHUP: `start(next)`, and `next` becomes `kept`. If that throws (a folder that cannot be written, …),
/// `start(kept)`: a program that runs goes on. Returns why it does so with the old configuration, empty if with the new
/// one; throws what `start(kept)` throws.
template <class Config, class Start>
[[nodiscard]] std::string reload(Config& kept, Config next, const Start& start) {
  try {
    start(next);
    kept = std::move(next);
    return {};
  } catch (const std::exception& problem) {
    const std::string why = problem.what();
    start(kept);
    return why;
  }
}

/// The form of a ZeroMQ endpoint to connect to: of one that reachd can open.
template <class T>
[[nodiscard]] settings::Form<T> endpoint(std::string T::*member) {
  return settings::form(
      "a ZeroMQ endpoint, such as \"tcp://127.0.0.1:5570\"", member,
      [](const settings::ValueReader& reader) {
        auto written = reader.text();
        const auto problem = written ? settings::socket_problem(*written) : std::nullopt;
        if (problem) {
          settings::say_bad(reader.checker, reader.document, reader.key, reader.value, problem->first, problem->second);
          written.reset();
        }
        return written;
      },
      [](const std::string& value) { return settings::in_quotes(value); });
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
