// What is asked of the gateway, checked: from where, as whom, and what it says. Pure.
#pragma once
#include <map>
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

/// The members of a JSON object of texts, or what is wrong with it, a sentence.
struct Texts {
  std::map<std::string, std::string> members;
  std::string problem;  ///< empty: nothing
};
/// Reads an object that has all of `required`, and nothing but those and `optional`.
[[nodiscard]] Texts read_texts(std::string_view body, const std::vector<std::string>& required,
                               const std::vector<std::string>& optional = {});

struct Acknowledge {
  std::string by, note;
};
/// Of these, who takes an alert and the note have at most what reachd takes.
inline constexpr std::size_t by_bytes_max = 100, note_bytes_max = 1000, body_bytes_max = 16 * 1024;

/// Reads {"by", "note"} (the note may be absent). Returns the acknowledgement, or what is wrong with it, a sentence.
/// `visitor`: who is signed in; not empty: then it is by that one, whatever the body says.
struct AcknowledgeBody {
  std::optional<Acknowledge> acknowledge;
  std::string problem;
};
[[nodiscard]] AcknowledgeBody read_acknowledge(std::string_view body, const std::string& visitor);

/// The value of cookie `name` in a Cookie header; empty if it is not there.
[[nodiscard]] std::string cookie(std::string_view header, std::string_view name);

/// What limits count one browser by: an IPv4 address; of IPv6 the first 64 bits, since one customer has them all.
/// `forwarded`: the X-Forwarded-For that our own proxy wrote; its last address counts, without a port. Empty, or no
/// address: the peer's.
[[nodiscard]] std::string address_of(const std::string& peer, std::string_view forwarded);

/// The value of `name` in "a=1&b=2", decoded; nullopt if it is not there or badly written.
[[nodiscard]] std::optional<std::string> query_value(std::string_view query, std::string_view name);
/// The same query without `name`.
[[nodiscard]] std::string query_without(std::string_view query, std::string_view name);

/// Fit for a log line: at most 80 bytes, no control characters.
[[nodiscard]] std::string for_log(std::string_view text);

/// "a%20b" → "a b"; nullopt if it is no valid escape or has a zero byte.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

/// The ALERT in "/api/v1/alerts/ALERT/acknowledge": what stands between `before` and `after`, decoded; nullopt for
/// every other path.
[[nodiscard]] std::optional<std::string> name_between(std::string_view path, std::string_view before,
                                                      std::string_view after);

/// {"error":{"code","message"}}
[[nodiscard]] std::string error_json(std::string_view code, std::string_view message);

}  // namespace reach::wallboard
