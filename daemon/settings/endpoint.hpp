// What may stand in [endpoints].
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace reach::settings {

/// What is wrong with a ZeroMQ endpoint that reachd is to open, and what is expected; nullopt if nothing is.
/// Good are ipc:///ABSOLUTE/PATH and tcp://ADDRESS:PORT on loopback. Whatever leaves the machine needs CURVE keys,
/// which this version does not have, so it is refused.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> socket_problem(std::string_view endpoint);

/// The same for the address of /metrics: http://ADDRESS:PORT on loopback, or "off".
[[nodiscard]] std::optional<std::pair<std::string, std::string>> metrics_problem(std::string_view endpoint);

}  // namespace reach::settings
