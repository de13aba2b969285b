// The configuration: TOML text in, a checked core configuration and the daemon's own settings out.
//
// The loader is the checker: `reachd --check` prints what load() finds. It finds everything at once, in one form:
//   FILE:LINE:COLUMN: what is wrong; what is expected
// Every key with its meaning, unit, default and range: config/README.md, made from the same tables (reference()).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/config.hpp"

namespace reach::settings {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };

/// What only the shell needs to know: sockets, files, limits.
struct DaemonSettings {
  // [endpoints]: ipc:// or loopback; with a key_file any address
  std::string ingest = "tcp://127.0.0.1:5570";
  std::string publish = "tcp://127.0.0.1:5571";
  std::string query = "tcp://127.0.0.1:5572";
  std::string metrics = "http://127.0.0.1:9570";  ///< empty: none
  std::int64_t max_connections = 4'000;           ///< to each of the three sockets; more are closed at once
  // [security]
  std::string key_file;  ///< the daemon's secret key: every tcp:// endpoint speaks CURVE; empty: none does
  std::string allowed_keys = "/etc/reachd/allowed-keys";  ///< folder of the clients' .pub files
  // [ingest]
  std::int64_t credit = 10'000;                        ///< events that one adapter may have unacknowledged
  std::int64_t max_frame = 1 << 20;                    ///< bytes; larger messages are rejected
  Duration wait_for_source = std::chrono::seconds(3);  ///< how long time waits for a source that was cut off
  std::int64_t max_sources = 1'000;                    ///< a Hello of one more is rejected
  std::optional<std::int64_t> max_rate;                ///< events per second of one source; empty: no limit
  std::int64_t max_contacts = Config{}.max_contacts, max_agents = Config{}.max_agents;  ///< the core's
  // [publish]
  Duration publish_interval = std::chrono::milliseconds(250);  ///< a state goes out at most this often; alerts at once
  std::int64_t max_subscriptions = 1'000;                      ///< of one subscriber; with more it is cut off
  std::int64_t subscriber_queue = 10'000;  ///< messages that wait for a slow subscriber before it loses the newest
  // [event_log]
  std::string log_directory = "/var/lib/reachd/log";
  std::int64_t log_file_size = 64 << 20;                   ///< bytes, then a new file begins
  std::int64_t snapshot_every = 64 << 20;                  ///< bytes of log; a start reads about so much at most
  Duration log_retain_for = std::chrono::hours(24 * 400);  ///< files whose newest record is older are removed
  std::optional<std::int64_t> log_retain_size;             ///< bytes of all files; the oldest go first
  // [logging]: of the program itself, to stderr
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
};

/// One mistake of the operator, with its place.
struct Problem {
  std::string file;
  int line = 1, column = 1;  ///< from 1; columns count characters, not bytes
  std::string what;          ///< `threshold = 20 has no unit`
  std::string expected;      ///< `expected a span of time from 1ms to 1d, such as "20s"`
  std::string source_line;   ///< empty where it must not be shown (a secret) or does not exist
};

/// One file of a configuration as it was read.
struct Text {
  std::string file, text;
};

struct Loaded {
  Config core;
  DaemonSettings daemon;
  std::vector<Text> texts;        ///< what it was made from
  std::vector<Problem> problems;  ///< in the order of files and lines; core and daemon may be used only if empty
  [[nodiscard]] bool good() const noexcept { return problems.empty(); }
};

/// Reads a file, or every *.toml of a directory in the order of their names as if they were one.
/// At most 4 MiB each. Reads the system's time zone database; opens no other file. Never throws on any input.
[[nodiscard]] Loaded load(const std::string& path);

/// The same for texts that were read before.
[[nodiscard]] Loaded load_texts(std::vector<Text> texts);

/// The same for a text; `name` stands for the file in problems.
[[nodiscard]] Loaded load_text(std::string_view text, const std::string& name);

/// `FILE:LINE:COLUMN: what; expected`, one line without its end. With `show_line` (for terminals) two more: the line
/// and a caret under the place.
[[nodiscard]] std::string render(const Problem& problem, bool show_line = false);

/// Every key of every section as Markdown tables: the reference part of config/README.md.
[[nodiscard]] std::string reference();

}  // namespace reach::settings
