// One TOML text, parsed, with the places of everything in it; and the list of problems found in all of them.
#pragma once
#include <toml++/toml.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/settings/settings.hpp"

namespace reach::settings {

struct Document {
  std::string file;
  std::vector<std::string> lines;
  toml::table root;
};

struct Place {
  std::size_t document = 0;
  int line = 1, column = 1;
};

/// Where something was written: a table in a document. Lives as long as the documents.
struct Spot {
  std::size_t document = 0;
  const toml::table* table = nullptr;

  /// The value of `key`, or nullptr.
  [[nodiscard]] const toml::node* get(std::string_view key) const { return table->get(key); }
  /// Where the value of `key` stands, or its element `index`; of the table itself if it has no such key.
  [[nodiscard]] Place at(std::string_view key, std::size_t index = std::string::npos) const;
  [[nodiscard]] Place place() const;
};

/// Collects problems. The reader of the tables and the checks across them both speak through it.
class Checker {
 public:
  /// Parses `text`. Where a line cannot be read it is said, left out, and the rest is read all the same.
  void add_document(const std::string& file, std::string_view text);

  void say(const Place& place, std::string what, std::string expected);
  /// For what may merely follow from a line that could not be read (something is missing, a name is unknown):
  /// said only if all lines could be read.
  void say_if_complete(const Place& place, std::string what, std::string expected);
  /// Something that must be neither shown nor logged is written at `place`.
  void say_secret(const Place& place, std::string what, std::string expected);
  /// The value itself is wrong: checks that compare it with others leave it out.
  void say_bad_value(std::size_t document, const toml::node& value, std::string what, std::string expected);
  [[nodiscard]] bool is_bad(const toml::node* value) const { return bad_.count(value) != 0; }

  /// Remembers that `name` was set at `place`; says a problem and returns false if it was before.
  bool set_once(const std::string& name, const Place& place, const std::string& what);
  /// "on line 5", with the file if it is another one than `from`'s.
  [[nodiscard]] std::string where(const Place& place, const Place& from) const;

  [[nodiscard]] const std::vector<Document>& documents() const { return documents_; }
  /// All problems, by file, line and column.
  [[nodiscard]] std::vector<Problem> take_problems();

 private:
  struct Found {
    Place place;
    Problem problem;
  };
  bool parse(Document& document, std::size_t index, std::vector<std::string>& readable);

  std::vector<Document> documents_;
  std::vector<Found> found_;
  std::set<const toml::node*> bad_;
  std::map<std::string, Place> set_;
  bool complete_ = true;
};

[[nodiscard]] Place place_of(std::size_t document, const toml::source_region& region);

/// `text` in quotes, short and without control characters: fit for a message.
[[nodiscard]] std::string in_quotes(std::string_view text);
/// A value as it was written, short: "20 sec", 80, a list, a table.
[[nodiscard]] std::string described(const toml::node& value);
/// The shortest text that reads back as `number`.
[[nodiscard]] std::string format_number(double number);
/// Whether a key of this name would hold a password or the like.
[[nodiscard]] bool looks_secret(std::string_view key);

}  // namespace reach::settings
