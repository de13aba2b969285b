#include "daemon/settings/document.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sstream>
#include <tuple>

namespace reach::settings {
namespace {

constexpr int unreadable_lines_max = 50;        // then the text is no configuration at all
constexpr std::size_t line_length_max = 16384;  // keeps what recurses over a line (keys with dots) off the stack's end
constexpr std::size_t explained_line_max = 300;
constexpr std::string_view unreadable_section = "unreadable line ";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

bool is_header(std::string_view line) {
  return trimmed(line).starts_with('[');
}

/// The line above `line` that sets the same key in the same section, or has the same header; 0: none.
int first_line_like(const std::vector<std::string>& lines, int line) {
  const auto head = [](const std::string& text) {
    const auto clean = trimmed(text);
    return clean.starts_with('[') ? clean.substr(0, clean.find(']') + 1) : trimmed(clean.substr(0, clean.find('=')));
  };
  const auto wanted = head(lines[static_cast<std::size_t>(line) - 1]);
  const bool of_header = is_header(wanted);
  for (int i = line - 1; i >= 1; --i) {
    const auto& text = lines[static_cast<std::size_t>(i) - 1];
    if (text.find_first_of(of_header ? "[" : "=[") != std::string::npos && head(text) == wanted) return i;
    if (!of_header && is_header(text)) return 0;
  }
  return 0;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The beginning of `text` in which every character is as `wanted`; taken off it.
template <class Wanted>
std::string_view take_while(std::string_view& text, Wanted wanted) {
  const auto end = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), wanted) - text.begin());
  const auto taken = text.substr(0, end);
  text.remove_prefix(end);
  return taken;
}
void skip_blanks(std::string_view& text) {
  take_while(text, [](char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; });
}
bool ends_or_comments(std::string_view text) {
  skip_blanks(text);
  return text.empty() || text.front() == '#';
}

/// What `form` finds behind an equals sign of the line; it is given the rest of the line from the first character on.
template <class Form>
std::optional<std::string> after_equals(std::string_view line, Form form) {
  for (auto equals = line.find('='); equals != std::string_view::npos; equals = line.find('=', equals + 1)) {
    auto rest = line.substr(equals + 1);
    skip_blanks(rest);
    if (const std::string_view found = form(rest); !found.empty()) return std::string(found);
  }
  return std::nullopt;
}

/// The rest of a line: a number with a unit of time or size at once behind it, and nothing else.
std::string_view span_without_quotes(std::string_view text) {
  const auto whole = text;
  if (text.empty() || !is_digit(text.front())) return {};
  take_while(text, [](char c) { return is_digit(c) || c == '.'; });
  const auto begins = [&](std::initializer_list<std::string_view> units) {
    return std::any_of(units.begin(), units.end(), [&](std::string_view unit) { return text.starts_with(unit); });
  };
  if (begins({"k", "K", "M", "G"})) {
    text.remove_prefix(1);
    if (!begins({"B", "iB"})) return {};
    text.remove_prefix(text.front() == 'i' ? 2 : 1);
  } else if (!begins({"s", "m", "h", "d"})) {
    return {};
  }
  take_while(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.'; });
  return ends_or_comments(text) ? whole.substr(0, whole.size() - text.size()) : std::string_view();
}

/// The rest of a line: a number with a percent sign.
std::string_view percentage(std::string_view text) {
  if (text.empty() || !is_digit(text.front())) return {};
  const auto number = take_while(text, [](char c) { return is_digit(c) || c == '.'; });
  skip_blanks(text);
  return text.starts_with('%') ? number : std::string_view();
}

/// The rest of a line: a word, and nothing else.
std::string_view word_without_quotes(std::string_view text) {
  if (text.empty() || !(is_letter(text.front()) || text.front() == '_')) return {};
  const auto word = take_while(text, [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("_./-").find(c) != std::string_view::npos;
  });
  return ends_or_comments(text) ? word : std::string_view();
}

/// What the parser says of a line it cannot read, in the words of someone who edits a configuration.
std::pair<std::string, std::string> explain(std::string_view description, std::string_view line) {
  if (line.size() > explained_line_max) line = {};
  if (const auto span = after_equals(line, span_without_quotes)) {
    return {*span + " stands without quotes", "expected text in quotes: \"" + *span + "\""};
  }
  if (const auto percent = after_equals(line, percentage)) {
    return {*percent + " % is no TOML value", "expected a ratio, such as 0.8 for 80 %"};
  }
  if (description.find("could not determine value type") != std::string_view::npos) {
    if (const auto word = after_equals(line, word_without_quotes)) {
      return {*word + " stands without quotes", "expected text in quotes: \"" + *word + "\""};
    }
    return {"this is no TOML value", "expected text in quotes, a number, true, false, a date or a list in [ ]"};
  }
  if (description.find("unescaped control characters") != std::string_view::npos) {
    return {"the text does not end on its line", "expected a closing quote and no control characters"};
  }
  // "Error while parsing array: expected comma or closing ']', saw 'b'"
  if (const auto colon = description.find(": ");
      description.starts_with("Error while parsing ") && colon != std::string_view::npos) {
    description.remove_prefix(colon + 2);
  }
  if (description.starts_with("expected ")) {
    const auto saw = description.rfind(", saw ");
    if (saw != std::string_view::npos) {
      const auto found = description.substr(saw + 6);
      return {found == R"('\n')" ? "the line ends too early" : "found " + std::string(found),
              std::string(description.substr(0, saw))};
    }
  }
  return {std::string(description), "expected TOML: SECTION in [ ] or [[ ]], KEY = VALUE, # comment"};
}

/// Whether what follows can be read without this line: a header, or a key with a value that is all on it.
bool stands_alone(const std::string& line) {
  if (is_header(line)) return true;
  const auto equals = line.find('=');
  if (equals == std::string::npos) return false;
  const auto value = std::string_view(line).substr(equals);
  const auto count = [&](char c) { return std::count(value.begin(), value.end(), c); };
  return count('[') == count(']') && count('{') == count('}') && value.find("\"\"\"") == std::string_view::npos &&
         value.find("'''") == std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

Place place_of(std::size_t document, const toml::source_region& region) {
  return {document, std::max(1, static_cast<int>(region.begin.line)),
          std::max(1, static_cast<int>(region.begin.column))};
}

Place Spot::place() const {
  return place_of(document, table->source());
}

Place Spot::at(std::string_view key, std::size_t index) const {
  const auto* node = table->get(key);
  if (node == nullptr) return place();
  const auto* list = node->as_array();
  if (list != nullptr && index < list->size()) return place_of(document, list->get(index)->source());
  return place_of(document, node->source());
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string result = "\"";
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  if (text.size() > longest) {
    while (!result.empty() && (static_cast<unsigned char>(result.back()) & 0xc0U) == 0x80U) result.pop_back();
    if (static_cast<unsigned char>(result.back()) >= 0xc0U) result.pop_back();
    result += "…";
  }
  return result + "\"";
}

std::string described(const toml::node& value) {
  if (const auto* text = value.as_string()) return in_quotes(text->get());
  if (value.is_array()) return "a list";
  if (value.is_table()) return "a table";
  if (const auto* number = value.as_floating_point()) return format_number(number->get());
  std::ostringstream out;
  out << toml::node_view<const toml::node>(value);
  return out.str();
}

std::string format_number(double number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), end};
}

bool looks_secret(std::string_view key) {
  const auto name = lower(key);
  for (const auto* word :
       {"password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "private_key", "credential"}) {
    if (name.find(word) != std::string::npos && !name.ends_with("_file")) return true;
  }
  return false;
}

void Checker::add_document(const std::string& file, std::string_view text) {
  documents_.push_back({file, lines_of(text), {}});
  auto& document = documents_.back();
  auto readable = document.lines;
  for (std::size_t i = 0; i < readable.size(); ++i) {
    if (readable[i].size() <= line_length_max) continue;
    complete_ = false;
    return say({documents_.size() - 1, static_cast<int>(i) + 1, 1}, "the line is longer than 16384 characters",
               "expected shorter lines; lists may go over several");
  }
  for (int i = 0; i < unreadable_lines_max; ++i) {
    if (!parse(document, documents_.size() - 1, readable)) break;
  }
  for (auto it = document.root.begin(); it != document.root.end();) {
    it = it->first.str().starts_with(unreadable_section) ? document.root.erase(it) : std::next(it);
  }
}

/// True if a line was taken out of `readable` and it should be tried again.
bool Checker::parse(Document& document, std::size_t index, std::vector<std::string>& readable) {
  std::string text;
  for (const auto& line : readable) text += line + '\n';
  try {
    document.root = toml::parse(text, std::string_view(document.file));
    return false;
  } catch (const toml::parse_error& error) {
    auto place = place_of(index, error.source());
    const auto last_line = static_cast<int>(document.lines.size());
    place.line = std::clamp(place.line, 1, std::max(1, last_line));
    const auto line = last_line == 0 ? std::string() : document.lines[static_cast<std::size_t>(place.line) - 1];
    if (error.description().find("cannot redefine existing") != std::string_view::npos) {
      const int first = first_line_like(document.lines, place.line);
      place.column = static_cast<int>(std::min(line.find_first_not_of(" \t"), line.size())) + 1;
      const auto name = trimmed(line.substr(0, is_header(line) ? std::string::npos : line.find('=')));
      say(place,
          first > 0 ? in_quotes(name) + " is already set on line " + std::to_string(first)
                    : in_quotes(name) + " is already set",
          "expected it once");
    } else if (looks_secret(line.substr(0, line.find('=')))) {
      complete_ = false;
      say_secret(place, "this line cannot be read, and looks like a secret, which the configuration never holds",
                 "expected it removed, and changed where it is used: this file may be read by many");
    } else {
      complete_ = false;
      auto [what, expected] = explain(error.description(), line);
      say(place, std::move(what), std::move(expected));
    }
    if (readable.empty()) return false;
    auto& bad_line = readable[static_cast<std::size_t>(place.line) - 1];
    if (!stands_alone(line) || bad_line != line) {
      complete_ = false;
      return false;
    }
    // Every other line keeps its number. What stands below a header that cannot be read belongs to nothing.
    if (is_header(line)) complete_ = false;
    bad_line = is_header(line) ? "[\"" + std::string(unreadable_section) + std::to_string(place.line) + "\"]" : "";
    return true;
  }
}

void Checker::say(const Place& place, std::string what, std::string expected) {
  const auto& document = documents_[place.document];
  const auto line = static_cast<std::size_t>(place.line) - 1;
  found_.push_back({place,
                    {document.file, place.line, place.column, std::move(what), std::move(expected),
                     line < document.lines.size() ? document.lines[line] : std::string()}});
}

void Checker::say_if_complete(const Place& place, std::string what, std::string expected) {
  if (complete_) say(place, std::move(what), std::move(expected));
}

void Checker::say_secret(const Place& place, std::string what, std::string expected) {
  say(place, std::move(what), std::move(expected));
  found_.back().problem.source_line.clear();
}

void Checker::say_bad_value(std::size_t document, const toml::node& value, std::string what, std::string expected) {
  bad_.insert(&value);
  say(place_of(document, value.source()), std::move(what), std::move(expected));
}

bool Checker::set_once(const std::string& name, const Place& place, const std::string& what) {
  const auto [earlier, is_new] = set_.emplace(name, place);
  if (!is_new) say(place, what + " is already set " + where(earlier->second, place), "expected it once");
  return is_new;
}

std::string Checker::where(const Place& place, const Place& from) const {
  const auto line = "on line " + std::to_string(place.line);
  return place.document == from.document ? line : line + " of " + documents_[place.document].file;
}

std::vector<Problem> Checker::take_problems() {
  std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
    return std::tie(a.place.document, a.place.line, a.place.column) <
           std::tie(b.place.document, b.place.line, b.place.column);
  });
  std::vector<Problem> problems;
  for (auto& found : found_) problems.push_back(std::move(found.problem));
  found_.clear();
  return problems;
}

}  // namespace reach::settings
