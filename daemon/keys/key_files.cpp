#include "daemon/keys/key_files.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "daemon/settings/keys.hpp"

namespace reach::keys {
namespace {

using settings::Section;
using settings::ValueReader;

constexpr std::size_t pub_size_max = 64 << 10;

bool is_key(const std::string& z85) {
  std::array<std::uint8_t, 32> bytes{};
  return z85.size() == key_length && zmq_z85_decode(bytes.data(), z85.c_str()) != nullptr;
}

const Section<PublicKey>& pub_section() {
  static const std::string key_form = "the 40 characters that reachctl keygen wrote";
  static const Section<PublicKey> section{
      "a .pub file",
      "",
      {{"name", settings::id(&PublicKey::name, "a name of letters, digits, '.', '_' and '-'"), "", "", true},
       {"role",
        settings::choice(&PublicKey::role, {{"adapter", Role::adapter},
                                            {"viewer", Role::viewer},
                                            {"supervisor", Role::supervisor},
                                            {"operator", Role::operator_},
                                            {"server", Role::server}}),
        "", "", true},
       {"sources", settings::texts(&PublicKey::sources, "a list of source names, such as [\"pbx1\"]"), ""},
       {"public_key",
        settings::form(
            key_form, &PublicKey::key,
            [](const ValueReader& reader) -> std::optional<std::string> {
              auto written = reader.text();
              if (written && is_key(*written)) return written;
              if (written) reader.bad("is no key");
              return std::nullopt;
            },
            [](const std::string& value) { return value; }),
        "", "", true}}};
  return section;
}

settings::Problem problem_of(const std::string& file, std::string what, std::string expected) {
  return {file, 1, 1, std::move(what), std::move(expected), ""};
}

/// False, and a problem, if the file cannot be read.
bool read_text(const std::string& file, std::string& text, std::vector<settings::Problem>& problems) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  text.resize(pub_size_max + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.eof()) return true;
  problems.push_back(problem_of(
      file,
      std::string("cannot be read: ") + (text.size() > pub_size_max ? "it is far too large" : std::strerror(errno)),
      "expected a .pub file that reachctl keygen wrote"));
  return false;
}

/// Writes a new file that did not exist before. Throws KeyFileProblem.
void write_new(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) {
    throw KeyFileProblem(path.string() + ": " + std::strerror(errno) +
                         (errno == EEXIST ? "; a key is never overwritten: take another name, or move it away first"
                                          : "; choose a directory that you may write: --directory"));
  }
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int why = errno;
  close(fd);
  if (written) return;
  unlink(path.c_str());
  throw KeyFileProblem(path.string() + " cannot be written: " + std::strerror(why));
}

std::string pub_text(const PublicKey& key) {
  std::string text =
      "# The public half of a key of reachd: no secret. It belongs into " +
      std::string(key.role == Role::server ? "the clients' server_key_file.\n" : "the daemon's folder allowed_keys.\n");
  text += "name       = \"" + key.name + "\"\nrole       = \"" + std::string(to_text(key.role)) + "\"\n";
  if (!key.sources.empty()) {
    text += "sources    = [";
    for (const std::string& source : key.sources) text += (&source == &key.sources[0] ? "\"" : ", \"") + source + "\"";
    text += "]\n";
  }
  return text + "public_key = \"" + key.key + "\"\n";
}

}  // namespace

bool PublicKey::may_send_as(std::string_view source) const noexcept {
  return role == Role::operator_ || (role == Role::adapter && std::ranges::find(sources, source) != sources.end());
}

bool AllowedKeys::add(PublicKey key) {
  std::string by = key.key;
  return by_key_.emplace(std::move(by), std::move(key)).second;
}

const PublicKey* AllowedKeys::find(std::string_view z85) const {
  const auto found = by_key_.find(z85);
  return found == by_key_.end() ? nullptr : &found->second;
}

bool is_key_name(std::string_view name) noexcept {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '.' && std::ranges::all_of(name, good);
}

PublicKey parse_public_key(const std::string& file, std::string_view text, std::vector<settings::Problem>& problems) {
  PublicKey key;
  settings::Checker checker;
  checker.add_document(file, text);
  const settings::Spot spot{0, &checker.documents().front().root};
  settings::read_table(pub_section(), spot, key, checker);
  if (key.role == Role::adapter && spot.get("sources") == nullptr) {
    checker.say_if_complete(spot.at("role"), "the key of an adapter has no sources",
                            "expected sources = [\"NAME\", …]: the source names it may use");
  } else if (key.role != Role::adapter && !key.sources.empty()) {
    checker.say(spot.at("sources"), "only the key of an adapter has sources", "expected role = \"adapter\", or none");
  }
  for (settings::Problem& problem : checker.take_problems()) problems.push_back(std::move(problem));
  return key;
}

LoadedKeys load_allowed_keys(const std::filesystem::path& directory) {
  LoadedKeys loaded;
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".pub") files.push_back(entry->path().string());
  }
  if (error) {
    loaded.problems.push_back(problem_of(directory.string(), "cannot be read: " + error.message(),
                                         "expected the folder of the allowed keys, NAME.pub each"));
    return loaded;
  }
  std::ranges::sort(files);
  std::map<std::string, std::string> names;  // name → file
  for (const std::string& file : files) {
    std::string text;
    if (!read_text(file, text, loaded.problems)) continue;
    const std::size_t before = loaded.problems.size();
    PublicKey key = parse_public_key(file, text, loaded.problems);
    if (loaded.problems.size() > before) continue;
    if (key.role == Role::server) {
      loaded.problems.push_back(problem_of(file, "is the key of a daemon, not of a client",
                                           "expected it at the clients, as their server_key_file"));
      continue;
    }
    const auto [earlier, is_new] = names.emplace(key.name, file);
    if (!is_new) {
      loaded.problems.push_back(problem_of(file, "has the name \"" + key.name + "\" like " + earlier->second,
                                           "expected each name once: log lines tell clients apart by it"));
    } else if (const PublicKey* same = loaded.keys.find(key.key)) {
      loaded.problems.push_back(problem_of(file, "has the same public_key as \"" + same->name + "\"",
                                           "expected a key of its own for each client: reachctl keygen"));
    } else {
      loaded.keys.add(std::move(key));
    }
  }
  return loaded;
}

KeyPair read_key_pair(const std::string& file) {
  KeyPair pair;
  pair.secret = read_key_file(file);
  std::array<char, key_length + 1> open{};
  if (!is_key(pair.secret) || zmq_curve_public(open.data(), pair.secret.c_str()) != 0) {
    throw KeyFileProblem(file + ": this is no secret key; make one with: reachctl keygen NAME --role ROLE");
  }
  pair.open = open.data();
  return pair;
}

std::string read_server_key(const std::string& file) {
  std::vector<settings::Problem> problems;
  std::string text;
  PublicKey key;
  if (read_text(file, text, problems)) key = parse_public_key(file, text, problems);
  if (!problems.empty()) throw KeyFileProblem(settings::render(problems.front()));
  if (key.role != Role::server) {
    throw KeyFileProblem(file + " is the key of a client with the role " + std::string(to_text(key.role)) +
                         "; expected the .pub of the daemon's own key, which has the role server");
  }
  return key.key;
}

void write_new_pair(const std::filesystem::path& directory, const PublicKey& described) {
  std::array<char, key_length + 1> open{}, secret{};
  if (zmq_curve_keypair(open.data(), secret.data()) != 0) throw KeyFileProblem("this libzmq was built without CURVE");
  PublicKey made = described;
  made.key = open.data();
  const auto path = [&](const char* end) { return directory / (made.name + end); };
  if (std::filesystem::exists(path(".pub"))) {
    throw KeyFileProblem(path(".pub").string() +
                         " exists; a key is never overwritten: take another name, or move it "
                         "away first");
  }
  write_new(path(".key"), std::string(secret.data()) + "\n", 0600);
  try {
    write_new(path(".pub"), pub_text(made), 0644);
  } catch (const KeyFileProblem&) {
    unlink(path(".key").c_str());  // half a pair is none
    throw;
  }
}

}  // namespace reach::keys
