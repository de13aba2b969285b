// What is asked of the gateway, checked: who may ask from where, and what an acknowledgement says.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reach::wallboard {

/// The headers that say where a request comes from; empty if absent.
struct Origin {
  std::string host, origin, fetch_site;
};

/// Whether a browser may be asking under the name it says: an IP address, "localhost", one of `names`. Other names are
/// refused, or a foreign page could point a name of its own at this machine and read the board (DNS rebinding).
[[nodiscard]] bool is_known_host(std::string_view host, const std::vector<std::string>& names);

/// Whether a request that changes something comes from our own page, or from no browser at all.
[[nodiscard]] bool is_same_origin(const Origin& from);

/// "application/json", with or without parameters. A form of a foreign page cannot send it unasked.
[[nodiscard]] bool is_json(std::string_view content_type);

struct Acknowledge {
  std::string by, note;
};
inline constexpr std::size_t by_bytes_max = 200, note_bytes_max = 2000, body_bytes_max = 16 * 1024;

/// Reads {"by", "note"} (the note may be absent). Returns the acknowledgement, or what is wrong with it, a sentence.
struct AcknowledgeBody {
  std::optional<Acknowledge> acknowledge;
  std::string problem;
};
[[nodiscard]] AcknowledgeBody read_acknowledge(std::string_view body);

/// "a%20b" → "a b"; nullopt if it is no valid escape or has a zero byte.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

/// The alert in "/api/v1/alerts/ALERT/acknowledge"; nullopt for every other path.
[[nodiscard]] std::optional<std::string> acknowledged_alert(std::string_view path);

/// {"error":{"code","message"}}
[[nodiscard]] std::string error_json(std::string_view code, std::string_view message);

}  // namespace reach::wallboard
