// A section of the configuration is a table of keys. Each key says its name, its meaning, what may stand there and how
// it is read, so that reading, checking, "did you mean" and the reference all come from one place.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/settings/document.hpp"

namespace reach::settings {

/// What may stand as the value of a key, and how it gets into a T.
template <class T>
struct Form {
  std::string expected;  ///< "a span of time from 1ms to 1d, such as \"20s\""
  std::function<void(T&, std::string_view key, const toml::node&, std::size_t document, Checker&)> read;
  std::function<std::string(const T&)> show;  ///< the value as it would be written: of a new T, the default
};

template <class T>
struct Key {
  std::string name;
  Form<T> form;
  std::string meaning;
  std::string fallback{};  ///< said instead of the default, where that is worked out from other keys
  bool required = false;
};

/// For names that the documents promise and this version does not know yet: refused with a sentence of their own.
struct Unsupported {
  std::string name;
  std::string advice;  ///< "remove it: …"
};

template <class T>
struct Section {
  std::string title;  ///< "[[service]]"
  std::string meaning;
  std::vector<Key<T>> keys;
  std::vector<Unsupported> unsupported{};
  bool once = false;  ///< a key may be set once in all files (not a list of tables)
};

/// Says that `key` is none of `known` (with the nearest one), not supported, or a secret.
void say_unknown_key(Checker& checker, const Place& place, std::string_view key, const std::string& title,
                     const std::vector<std::string>& known, const std::vector<Unsupported>& unsupported);

template <class T>
void read_table(const Section<T>& section, Spot spot, T& into, Checker& checker) {
  for (auto&& [name, value] : *spot.table) {
    const auto place = place_of(spot.document, name.source());
    const Key<T>* known = nullptr;
    for (const auto& key : section.keys) {
      if (key.name == name.str()) known = &key;
    }
    if (known == nullptr) {
      std::vector<std::string> names;
      for (const auto& key : section.keys) names.push_back(key.name);
      say_unknown_key(checker, place, name.str(), section.title, names, section.unsupported);
      continue;
    }
    const bool is_section = known->form.expected.starts_with('[');
    if (section.once && !is_section && !checker.set_once(section.title + known->name, place, in_quotes(known->name))) {
      continue;
    }
    known->form.read(into, known->name, value, spot.document, checker);
  }
  for (const auto& key : section.keys) {
    if (key.required && !spot.table->contains(key.name)) {
      checker.say_if_complete(spot.place(), section.title + " has no " + in_quotes(key.name),
                              "expected " + key.name + " = " + key.form.expected);
    }
  }
}

// ---- forms
// -----------------------------------------------------------------------------------------------------------

/// Says `KEY = VALUE PROBLEM; expected EXPECTED`.
void say_bad(Checker& checker, std::size_t document, std::string_view key, const toml::node& value,
             const std::string& problem, const std::string& expected);

/// Readers of single values: the value, or nullopt after saying what is wrong.
struct ValueReader {
  std::string_view key;
  const toml::node& value;
  std::size_t document;
  Checker& checker;
  const std::string& expected;

  void bad(const std::string& problem) const { say_bad(checker, document, key, value, problem, expected); }
  [[nodiscard]] std::optional<std::string> text() const;
  [[nodiscard]] std::optional<std::string> id(std::string_view allowed_besides) const;
  [[nodiscard]] std::optional<Duration> span(Duration least, Duration most) const;
  [[nodiscard]] std::optional<std::int64_t> count(std::int64_t least, std::int64_t most) const;
  [[nodiscard]] std::optional<std::int64_t> size(std::int64_t least, std::int64_t most) const;
  [[nodiscard]] std::optional<double> ratio(double least, double most, bool most_is_in) const;
};

/// Sizes as people write them: "64MiB".
[[nodiscard]] std::string format_size(std::int64_t bytes);

/// A form made of a function (ValueReader) → optional value, and how a value is shown.
template <class T, class Member, class Read, class Show>
Form<T> form(std::string expected, Member T::*member, Read read, Show show) {
  return {expected,
          [=](T& into, std::string_view key, const toml::node& value, std::size_t document, Checker& checker) {
            if (auto got = read(ValueReader{key, value, document, checker, expected})) into.*member = std::move(*got);
          },
          [=](const T& from) { return show(from.*member); }};
}

template <class T>
Form<T> text(std::string T::*member, std::string expected) {
  return form(
      std::move(expected), member, [](const ValueReader& reader) { return reader.text(); },
      [](const std::string& value) { return value.empty() ? value : in_quotes(value); });
}

/// A name that others refer to. `allowed_besides`: characters besides letters, digits and . _ -
template <class T>
Form<T> id(std::string T::*member, std::string what, const std::string& allowed_besides = "") {
  return {what,
          [=](T& into, std::string_view key, const toml::node& value, std::size_t document, Checker& checker) {
            // A bad name still is the name that others refer to: one problem, not many.
            if (const auto* written = value.as_string()) into.*member = written->get();
            (void)ValueReader{key, value, document, checker, what}.id(allowed_besides);
          },
          [=](const T& from) { return (from.*member).empty() ? std::string() : in_quotes(from.*member); }};
}

template <class T, class Member>
Form<T> span(Member T::*member, Duration least, Duration most, const std::string& example) {
  return form(
      "a span of time from " + format_duration(least) + " to " + format_duration(most) + ", such as " +
          in_quotes(example),
      member, [=](const ValueReader& reader) { return reader.span(least, most); },
      [](const std::optional<Duration>& value) { return value ? in_quotes(format_duration(*value)) : ""; });
}

template <class T>
Form<T> count(std::int64_t T::*member, std::int64_t least, std::int64_t most) {
  return form(
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most), member,
      [=](const ValueReader& reader) { return reader.count(least, most); },
      [](std::int64_t value) { return std::to_string(value); });
}

template <class T>
Form<T> optional_count(std::optional<std::int64_t> T::*member, std::int64_t least, std::int64_t most) {
  return form(
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most), member,
      [=](const ValueReader& reader) { return reader.count(least, most); },
      [](const std::optional<std::int64_t>& value) { return value ? std::to_string(*value) : ""; });
}

template <class T, class Member>
Form<T> size(Member T::*member, std::int64_t least, std::int64_t most, const std::string& example) {
  return form(
      "a size from " + format_size(least) + " to " + format_size(most) + ", such as " + in_quotes(example), member,
      [=](const ValueReader& reader) { return reader.size(least, most); },
      [](const std::optional<std::int64_t>& value) { return value ? in_quotes(format_size(*value)) : ""; });
}

template <class T, class Member>
Form<T> ratio(Member T::*member, double least, double most, bool most_is_in, const std::string& example) {
  return form(
      "a ratio from " + format_number(least) + " to " + (most_is_in ? "" : "below ") + format_number(most) +
          ", such as " + example,
      member, [=](const ValueReader& reader) { return reader.ratio(least, most, most_is_in); },
      [](const std::optional<double>& value) { return value ? format_number(*value) : ""; });
}

template <class T, class E>
Form<T> choice(E T::*member, std::vector<std::pair<std::string, E>> choices) {
  std::string expected;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) expected += i + 1 == choices.size() ? " or " : ", ";
    expected += in_quotes(choices[i].first);
  }
  return form(
      expected, member,
      [=](const ValueReader& reader) -> std::optional<E> {
        const auto* written = reader.value.as_string();
        for (const auto& [name, value] : choices) {
          if (written != nullptr && written->get() == name) return value;
        }
        reader.bad("is none of the choices");
        return std::nullopt;
      },
      [=](E value) {
        for (const auto& [name, candidate] : choices) {
          if (candidate == value) return in_quotes(name);
        }
        return std::string();
      });
}

/// A list of texts. `check` says what is wrong with an element, or nullopt.
template <class T>
Form<T> texts(std::vector<std::string> T::*member, std::string expected,
              const std::function<std::optional<std::string>(const std::string&)>& check = nullptr) {
  return {expected,
          [=](T& into, std::string_view key, const toml::node& value, std::size_t document, Checker& checker) {
            const auto* list = value.as_array();
            if (list == nullptr) return say_bad(checker, document, key, value, "is no list", expected);
            for (const auto& element : *list) {
              const auto* written = element.as_string();
              if (written == nullptr || written->get().empty()) {
                say_bad(checker, document, key, element, "is no text", expected);
              } else if (const auto problem = check ? check(written->get()) : std::nullopt) {
                say_bad(checker, document, key, element, *problem, expected);
              }
              (into.*member).push_back(written == nullptr ? "" : written->get());  // indexes stay those of the list
            }
          },
          [](const T&) { return std::string("[]"); }};
}

/// A thing with the place where it was written.
template <class T>
struct Item {
  T made;
  Spot spot;
};

/// [[tables]] of a section of their own.
template <class T, class Made>
Form<T> tables(std::vector<Item<Made>> T::*member, const Section<Made>& section) {
  return {section.title,
          [=](T& into, std::string_view key, const toml::node& value, std::size_t document, Checker& checker) {
            const auto* list = value.as_array();
            if (list == nullptr) {
              return say_bad(checker, document, key, value, "must be a list of tables", "expected " + section.title);
            }
            for (const auto& element : *list) {
              if (const auto* table = element.as_table()) {
                (into.*member).push_back({Made{}, Spot{document, table}});
                read_table(section, (into.*member).back().spot, (into.*member).back().made, checker);
              } else {
                say_bad(checker, document, key, element, "is no table", "expected " + section.title);
              }
            }
          },
          [](const T&) { return std::string(); }};
}

/// One [table].
template <class T, class Made>
Form<T> table(Made T::*member, const Section<Made>& section) {
  return {section.title,
          [=](T& into, std::string_view key, const toml::node& value, std::size_t document, Checker& checker) {
            if (const auto* written = value.as_table()) {
              read_table(section, Spot{document, written}, into.*member, checker);
            } else {
              say_bad(checker, document, key, value, "must be one table", "expected " + section.title);
            }
          },
          [](const T&) { return std::string(); }};
}

}  // namespace reach::settings
