#include "daemon/settings/keys.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "daemon/base/nearest.hpp"
#include "daemon/settings/schema.hpp"

namespace reach::settings {
namespace {

constexpr std::size_t text_max = 200;
constexpr std::size_t id_max = 100;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> size_units{{{"TiB", std::int64_t{1} << 40},
                                                                               {"GiB", std::int64_t{1} << 30},
                                                                               {"MiB", std::int64_t{1} << 20},
                                                                               {"KiB", std::int64_t{1} << 10}}};

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

void say_unknown_key(Checker& checker, const Place& place, std::string_view key, const std::string& title,
                     const std::vector<std::string>& known, const std::vector<Unsupported>& unsupported) {
  const auto key_here = in_quotes(key) + (title.starts_with("the ") ? " at " : " in ") + title;
  if (looks_secret(key)) {
    return checker.say_secret(place, key_here + " looks like a secret, which the configuration never holds",
                              "expected it removed, and changed where it is used: this file may be read by many");
  }
  for (const auto& [name, advice] : unsupported) {
    if (name == key) return checker.say(place, key_here + " is not supported by this version of reachd", advice);
  }
  const auto what = "unknown key " + key_here;
  if (const auto near = nearest(key, known); !near.empty()) {
    return checker.say(place, what, "did you mean " + in_quotes(near) + "?");
  }
  if (const auto home = section_with(key); !home.empty()) return checker.say(place, what, "expected it in " + home);
  std::string list;
  for (const auto& name : known) list += (list.empty() ? "" : ", ") + name;
  checker.say(place, what, "expected one of " + list);
}

void say_bad(Checker& checker, std::size_t document, std::string_view key, const toml::node& value,
             const std::string& problem, const std::string& expected) {
  const bool is_whole = value.is_array() || value.is_table();
  checker.say_bad_value(document, value, std::string(key) + (is_whole ? " " : " = " + described(value) + " ") + problem,
                        expected.starts_with("expected") ? expected : "expected " + expected);
}

std::optional<std::string> ValueReader::text() const {
  const auto* written = value.as_string();
  if (written == nullptr) return bad("is no text"), std::nullopt;
  const auto& text = written->get();
  if (text.empty()) return bad("is empty"), std::nullopt;
  if (text.size() > text_max) return bad("is longer than 200 characters"), std::nullopt;
  for (const char c : text) {
    if (is_control(c)) return bad("has a control character"), std::nullopt;
  }
  return text;
}

std::optional<std::string> ValueReader::id(std::string_view allowed_besides) const {
  auto name = text();
  if (!name) return std::nullopt;
  if (name->size() > id_max) return bad("is longer than 100 characters"), std::nullopt;
  for (const char c : *name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!plain && allowed_besides.find(c) == std::string_view::npos) {
      return bad("has a character that names must not have"), std::nullopt;
    }
  }
  return name;
}

std::optional<Duration> ValueReader::span(Duration least, Duration most) const {
  if (value.is_number()) return bad("has no unit"), std::nullopt;
  const auto* written = value.as_string();
  const auto span = written == nullptr ? std::nullopt : parse_duration(written->get());
  if (!span) return bad("is no span of time"), std::nullopt;
  if (*span < least || *span > most) return bad("is out of range"), std::nullopt;
  return span;
}

std::optional<std::int64_t> ValueReader::count(std::int64_t least, std::int64_t most) const {
  const auto* written = value.as_integer();
  if (written == nullptr) return bad("is no whole number"), std::nullopt;
  if (written->get() < least || written->get() > most) return bad("is out of range"), std::nullopt;
  return written->get();
}

std::optional<std::int64_t> ValueReader::size(std::int64_t least, std::int64_t most) const {
  if (value.is_number()) return bad("has no unit"), std::nullopt;
  const auto* written = value.as_string();
  if (written == nullptr) return bad("is no size"), std::nullopt;
  const std::string_view text = written->get();
  for (const auto& [unit, bytes] : size_units) {
    if (!text.ends_with(unit)) continue;
    const auto digits = text.substr(0, text.size() - unit.size());
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) break;
    if (number < 0 || number > most / bytes || number * bytes < least) return bad("is out of range"), std::nullopt;
    return number * bytes;
  }
  return bad("is no size"), std::nullopt;
}

std::optional<double> ValueReader::ratio(double least, double most, bool most_is_in) const {
  if (!value.is_number()) return bad("is no number"), std::nullopt;
  const auto number = value.value<double>().value_or(-1);
  const bool inside = number >= least && (most_is_in ? number <= most : number < most);  // false for nan
  if (!inside) return bad("is out of range"), std::nullopt;
  return number;
}

std::string format_size(std::int64_t bytes) {
  for (const auto& [unit, size] : size_units) {
    if (bytes >= size && bytes % size == 0) return std::to_string(bytes / size) + std::string(unit);
  }
  return std::to_string(bytes) + " bytes";
}

}  // namespace reach::settings
