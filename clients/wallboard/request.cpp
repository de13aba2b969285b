#include "clients/wallboard/request.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "daemon/base/printable.hpp"

namespace reach::wallboard {
namespace {

bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// "name:8570" → "name"; "[::1]:8570" → "::1".
std::string without_port(std::string_view host) {
  if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
  return std::string(host.substr(0, host.find(':')));
}

}  // namespace

bool is_known_host(std::string_view host, const std::vector<std::string>& names) {
  const std::string name = without_port(host);
  unsigned char bytes[sizeof(in6_addr)];
  if (inet_pton(AF_INET, name.c_str(), bytes) == 1 || inet_pton(AF_INET6, name.c_str(), bytes) == 1) return true;
  if (same_text(name, "localhost")) return true;
  return std::any_of(names.begin(), names.end(), [&](const std::string& known) { return same_text(known, name); });
}

bool is_same_origin(const Origin& from) {
  if (!from.fetch_site.empty() && from.fetch_site != "same-origin") return false;
  if (from.origin.empty()) return true;
  const auto scheme_end = from.origin.find("://");
  return scheme_end != std::string::npos && same_text(std::string_view(from.origin).substr(scheme_end + 3), from.host);
}

bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return same_text(type, "application/json");
}

Texts read_texts(std::string_view body, const std::vector<std::string>& required,
                 const std::vector<std::string>& optional) {
  const auto is_in = [](const std::vector<std::string>& list, const std::string& key) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  std::string expected = "; expected {";
  for (const auto* list : {&required, &optional})
    for (const std::string& key : *list) expected += (expected.back() == '{' ? "\"" : ",\"") + key + "\":TEXT";
  expected += "}";

  Texts texts;
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return {{}, "the body is no JSON object" + expected};
  for (const auto& [key, value] : json.items()) {
    if (!is_in(required, key) && !is_in(optional, key)) return {{}, "unknown member \"" + key + "\"" + expected};
    if (!value.is_string()) return {{}, "\"" + key + "\" is no text" + expected};
    texts.members[key] = value.get<std::string>();
  }
  for (const std::string& key : required)
    if (texts.members[key].find_first_not_of(" \t\r\n") == std::string::npos)
      return {{}, "\"" + key + "\" is missing or empty" + expected};
  return texts;
}

AcknowledgeBody read_acknowledge(std::string_view body, const std::string& visitor) {
  Texts texts = visitor.empty() ? read_texts(body, {"by"}, {"note"}) : read_texts(body, {}, {"by", "note"});
  if (!texts.problem.empty()) return {{}, texts.problem};
  Acknowledge acknowledge{visitor.empty() ? texts.members["by"] : visitor, texts.members["note"]};
  if (acknowledge.by.size() > by_bytes_max || acknowledge.note.size() > note_bytes_max) {
    return {{},
            "a name has at most " + std::to_string(by_bytes_max) + " bytes, a note " + std::to_string(note_bytes_max)};
  }
  return {std::move(acknowledge), {}};
}

std::string cookie(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    std::string_view pair = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(header.size(), pair.size() + 1));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return std::string(pair.substr(name.size() + 1));
  }
  return {};
}

std::string address_of(const std::string& peer, std::string_view forwarded) {
  std::string address = peer;
  if (!forwarded.empty()) {
    std::string_view last = forwarded.substr(forwarded.rfind(',') + 1);  // those before it are what the browser claims
    last.remove_prefix(std::min(last.find_first_not_of(' '), last.size()));
    last = last.substr(0, last.find_last_not_of(' ') + 1);
    const bool one_colon = last.find(':') == last.rfind(':');  // an address of version 6 has more
    address = last.starts_with('[') || one_colon ? without_port(last) : std::string(last);
  }
  unsigned char bytes[sizeof(in6_addr)];
  if (inet_pton(AF_INET, address.c_str(), bytes) == 1) return address;
  if (inet_pton(AF_INET6, address.c_str(), bytes) != 1) return forwarded.empty() ? peer : address_of(peer, {});
  if (std::any_of(bytes, bytes + 8, [](unsigned char byte) { return byte != 0; }))
    std::fill(bytes + 8, bytes + sizeof bytes, static_cast<unsigned char>(0));
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, bytes, text, sizeof text);
  return text;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return percent_decoded(pair.substr(name.size() + 1));
  }
  return std::nullopt;
}

std::string query_without(std::string_view query, std::string_view name) {
  std::string kept;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.substr(0, pair.find('=')) == name || pair.empty()) continue;
    kept.append(kept.empty() ? "" : "&").append(pair);
  }
  return kept;
}

std::string for_log(std::string_view text) {
  return printable(text.substr(0, 80));
}

std::optional<std::string> percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit(text[i + 1]);
    const int low = digit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<std::string> name_between(std::string_view path, std::string_view before, std::string_view after) {
  if (!path.starts_with(before) || !path.ends_with(after) || path.size() <= before.size() + after.size()) {
    return std::nullopt;
  }
  return percent_decoded(path.substr(before.size(), path.size() - before.size() - after.size()));
}

std::string error_json(std::string_view code, std::string_view message) {
  const nlohmann::json error = {{"error", {{"code", code}, {"message", message}}}};
  return error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace reach::wallboard
