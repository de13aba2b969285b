#include "daemon/settings/settings.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/settings/schema.hpp"

namespace reach::settings {
namespace {

constexpr std::uintmax_t file_size_max = 4 << 20;

/// FNV-1a: tells configurations apart, protects nothing.
std::string fingerprint_of(const std::vector<Text>& texts) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto take = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U; };
  for (const auto& [file, text] : texts) {
    for (const char c : text) take(c);
    take('\0');
  }
  std::ostringstream out;
  out << std::hex;
  out.width(16);
  out.fill('0');
  out << hash;
  return out.str();
}

Problem cannot_read(const std::string& path, const std::string& why) {
  return {path, 1, 1, "cannot be read: " + why, "expected a TOML file, or a directory of *.toml files", ""};
}

/// `at` of `line`, cut to what fits a terminal, with a caret below the character `column`.
std::string with_caret(std::string_view line, int column) {
  constexpr std::size_t width = 100;
  std::vector<std::string_view> characters;  // as shown
  characters.reserve(line.size());
  for (std::size_t i = 0; i < line.size();) {
    std::size_t end = i + 1;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xc0U) == 0x80U) ++end;
    const auto first = static_cast<unsigned char>(line[i]);
    const auto as_is = line.substr(i, end - i);
    characters.push_back(first == '\t' ? " " : first < 0x20 || first == 0x7f ? "?" : as_is);
    i = end;
  }
  auto caret = std::min(static_cast<std::size_t>(column > 0 ? column - 1 : 0), characters.size());
  const auto cut = caret >= width ? caret - width / 2 : 0;
  std::string shown = cut > 0 ? "…" : "";
  for (auto i = cut; i < std::min(cut + width, characters.size()); ++i) shown += characters[i];
  if (cut + width < characters.size()) shown += "…";
  return shown + "\n" + std::string(caret - cut + (cut > 0 ? 1 : 0), ' ') + "^";
}

}  // namespace

Loaded load_texts(std::vector<Text> texts) {
  Checker checker;
  for (const auto& [file, text] : texts) checker.add_document(file, text);
  Draft draft;
  for (std::size_t i = 0; i < checker.documents().size(); ++i) {
    read_table(schema(), Spot{i, &checker.documents()[i].root}, draft, checker);
  }
  Loaded loaded;
  loaded.core = resolve(draft, checker);
  loaded.core.fingerprint = fingerprint_of(texts);
  loaded.daemon = draft.daemon;
  loaded.texts = std::move(texts);
  loaded.problems = checker.take_problems();
  return loaded;
}

Loaded load_text(std::string_view text, const std::string& name) {
  return load_texts({{name, std::string(text)}});
}

Loaded load(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<std::string> files;
  if (fs::is_directory(path, error)) {
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
      if (entry->path().extension() == ".toml") files.push_back(entry->path().string());
    }
    std::sort(files.begin(), files.end());
    if (files.empty()) {
      Loaded loaded;
      loaded.problems.push_back(cannot_read(path, error ? error.message() : "it has no *.toml files"));
      return loaded;
    }
  } else {
    files.push_back(path);
  }

  std::vector<Text> texts;
  std::vector<Problem> unreadable;
  for (const auto& file : files) {
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::string text;
    std::array<char, 65536> buffer{};
    while (in && text.size() <= file_size_max) {
      in.read(buffer.data(), buffer.size());
      text.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    }
    if (text.size() > file_size_max) {
      unreadable.push_back(cannot_read(file, "it is larger than 4 MiB"));
    } else if (!in.eof()) {
      unreadable.push_back(cannot_read(file, std::strerror(errno)));
    } else {
      texts.push_back({file, std::move(text)});
    }
  }
  if (unreadable.empty()) return load_texts(std::move(texts));
  Loaded loaded;  // references into a file that is not there would all be wrong
  loaded.problems = std::move(unreadable);
  return loaded;
}

std::string render(const Problem& problem, bool show_line) {
  auto text = problem.file + ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column) + ": " +
              problem.what + "; " + problem.expected;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  }
  if (show_line && !problem.source_line.empty()) text += "\n" + with_caret(problem.source_line, problem.column);
  return text;
}

}  // namespace reach::settings
