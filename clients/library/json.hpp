// Protocol Buffers messages as the JSON of reachd's interfaces, and event lines back.
//
// One set of rules for every message, read off its descriptor: *_ns times are RFC 3339 text under the name without
// "_ns" (0: null); enum values are lower case without their prefix; an absent optional or message, a NaN and an
// infinity are null; numbers keep full precision; 64-bit counts are numbers.
#pragma once
#include <google/protobuf/message.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reachd/v1/event.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::client {

/// Any message: snake_case names in the order of the .proto, every field written (absent: null; empty lists: []; of a
/// oneof only the one that is set). An Event, alone or inside, is written as by to_json_line().
[[nodiscard]] nlohmann::ordered_json to_json(const google::protobuf::Message& message);

/// `json` on one line without a line end; text that is no UTF-8 is replaced, so this never throws.
[[nodiscard]] std::string to_line(const nlohmann::ordered_json& json);

/// One event as one line of the JSON-lines format (lowerCamelCase, only what is known, no line end).
[[nodiscard]] std::string to_json_line(const v1::Event& event);

/// Reads one line into `event`. Returns a sentence that says what is wrong and what is expected ("column 14: unknown
/// field "ofered"; did you mean "offered"?"), or nullopt if all is well. Rules: exactly one event field; `time`
/// required and after 1970; contact events need a `contact`, agent events an `agent`, Offered a queue; unknown names
/// and forward reasons are refused with the nearest known one; null is "not known".
[[nodiscard]] std::optional<std::string> from_json_line(std::string_view line, v1::Event& event);

/// The same for an object that is there already; names no column.
[[nodiscard]] std::optional<std::string> from_json(const nlohmann::ordered_json& json, v1::Event& event);

}  // namespace reach::client
