// What may stand in [endpoints].
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace reach::settings {

/// What is wrong with a ZeroMQ endpoint that reachd is to open, and what is expected; nullopt if nothing is.
/// Good are ipc:///ABSOLUTE/PATH and tcp://ADDRESS:PORT.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> socket_problem(std::string_view endpoint);

/// Whether other machines can reach a good endpoint: then it needs CURVE keys. Only the numeric loopback addresses are
/// known not to leave.
[[nodiscard]] bool leaves_machine(std::string_view endpoint);

/// The same for the address of /metrics: http://ADDRESS:PORT on loopback, or "off".
[[nodiscard]] std::optional<std::pair<std::string, std::string>> metrics_problem(std::string_view endpoint);

}  // namespace reach::settings
