// Questions that change nothing, and their answers.
#pragma once
#include <optional>
#include <string>

#include "daemon/core/engine.hpp"
#include "daemon/keys/key_files.hpp"
#include "daemon/shell/publisher.hpp"
#include "daemon/wire/wire.hpp"
#include "reachd/v1/query.pb.h"

namespace reach::shell {

[[nodiscard]] v1::Error error(const std::string& code, const std::string& message);

/// What the holder of `key` may not ask, as the error to answer with; nullopt if he may.
[[nodiscard]] std::optional<v1::Error> not_allowed(const v1::Request& request, const keys::PublicKey& key);

/// "snapshot", "ping" …; "unknown" where none is set.
[[nodiscard]] const char* kind_of(const v1::Request& request);

/// Answers into `out`, or returns what is wrong with the question. Every request but `acknowledge`.
[[nodiscard]] std::optional<v1::Error> answer_query(const Engine& engine, const Publisher& publisher,
                                                    const v1::Request& request, Time now, v1::Reply& out);

}  // namespace reach::shell
