#include "clients/wallboard/request.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

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

AcknowledgeBody read_acknowledge(std::string_view body) {
  static constexpr const char* expected = R"(expected {"by":"NAME","note":"TEXT"})";
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return {{}, std::string("the body is no JSON object; ") + expected};
  Acknowledge acknowledge;
  for (const auto& [key, value] : json.items()) {
    if (key != "by" && key != "note") return {{}, "unknown member \"" + key + "\"; " + expected};
    if (!value.is_string()) return {{}, "\"" + key + "\" is no text; " + expected};
    (key == "by" ? acknowledge.by : acknowledge.note) = value.get<std::string>();
  }
  if (acknowledge.by.find_first_not_of(" \t\r\n") == std::string::npos) {
    return {{}, std::string("\"by\" is missing or empty; ") + expected};
  }
  if (acknowledge.by.size() > by_bytes_max || acknowledge.note.size() > note_bytes_max) {
    return {{},
            "a name has at most " + std::to_string(by_bytes_max) + " bytes, a note " + std::to_string(note_bytes_max)};
  }
  return {std::move(acknowledge), {}};
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

std::optional<std::string> acknowledged_alert(std::string_view path) {
  static constexpr std::string_view before = "/api/v1/alerts/";
  static constexpr std::string_view after = "/acknowledge";
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
