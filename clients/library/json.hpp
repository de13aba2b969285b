// Protocol Buffers messages as the JSON of reachd's interfaces, and event lines back.
//
// One set of rules for every message: *_ns fields are RFC 3339 text under the name without "_ns" (0: null, but for
// Event.time); enum values are lower case without their prefix; an absent optional and a NaN or infinity are null;
// numbers keep full precision; 64-bit counts are numbers.
#pragma once
#include <google/protobuf/message.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "reachd/v1/event.pb.h"

namespace reach::client {

/// Any message but Event: snake_case names, every field written (absent: null; empty lists: []).
[[nodiscard]] nlohmann::ordered_json to_json(const google::protobuf::Message& message);

/// One event as one line of the JSON-lines format (lowerCamelCase, only what is known, no line end).
[[nodiscard]] std::string to_json_line(const v1::Event& event);

/// Reads one line into `event`. Returns a sentence that says what is wrong and what is expected ("column 14: unknown
/// field "ofered"; did you mean "offered"?"), or nullopt if all is well. Rules: exactly one event field; `time`
/// required; unknown names refused with the nearest known one.
[[nodiscard]] std::optional<std::string> from_json_line(std::string_view line, v1::Event& event);

}  // namespace reach::client
