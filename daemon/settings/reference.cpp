#include "daemon/settings/reference.hpp"

#include "daemon/settings/settings.hpp"

namespace reach::settings {
namespace {

std::string as_cell(const std::string& text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

}  // namespace

std::string reference() {
  std::string text;
  for (const auto& section : sections()) {
    text += section.title.starts_with('[') ? "## `" + section.title + "`\n" : "## At " + section.title + "\n";
    text += section.meaning + "\n\n| Key | Meaning | Default | Value |\n| --- | --- | --- | --- |\n";
    for (const auto& key : section.keys) {
      text += "| `" + key.name + "` | " + as_cell(key.meaning) + " | " + as_cell(key.fallback) + " | " +
              as_cell(key.expected) + " |\n";
    }
    text += "\n";
  }
  return text;
}

}  // namespace reach::settings
