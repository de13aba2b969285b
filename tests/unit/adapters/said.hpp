// Events as short texts, so that a test reads like the story it checks.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "clients/library/json.hpp"
#include "daemon/base/time.hpp"

namespace reach {

/// "12.5 c1 forwarded timeout service ?" : seconds, contact or agent, kind, its texts in the order of the format, and
/// "?" if derived, "??" if guessed. Pseudonyms and journeys are left out.
inline std::string said(const v1::Event& event) {
  const auto json = nlohmann::ordered_json::parse(client::to_json_line(event));
  std::string text =
      std::to_string(seconds_of(time_from_ns(static_cast<std::int64_t>(event.time_ns())).time_since_epoch()));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  if (json.contains("contact")) text += ' ' + json["contact"].get<std::string>();
  if (json.contains("agent")) text += " agent";
  for (const auto& [name, value] : json.items()) {
    if (!value.is_object()) continue;
    text += ' ' + name;
    for (const auto& [key, part] : value.items()) {
      if (key == "caller" || key == "agent") continue;
      if (part.is_array())
        for (const auto& one : part) text += ' ' + one.get<std::string>();
      else
        text += ' ' + (part.is_string() ? part.get<std::string>() : key + '=' + part.dump());
    }
  }
  if (event.certainty() == v1::CERTAINTY_DERIVED) text += " ?";
  if (event.certainty() == v1::CERTAINTY_GUESSED) text += " ??";
  return text;
}

inline std::vector<std::string> said(const std::vector<v1::Event>& events) {
  std::vector<std::string> all;
  for (const v1::Event& event : events) all.push_back(said(event));
  return all;
}

using Story = std::vector<std::string>;

}  // namespace reach
