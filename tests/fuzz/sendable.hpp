// What every adapter promises of its events.
#pragma once
#include <string>
#include <vector>

#include "reachd/v1/event.pb.h"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"

namespace reach::fuzz {

/// reachd refuses a whole batch for one event that it cannot parse, and what is behind it waits for ever.
inline void require_sendable(const std::vector<reachd::v1::Event>& events) {
  static std::string bytes;
  static reachd::v1::Event again;
  for (const reachd::v1::Event& event : events) {
    event.SerializeToString(&bytes);
    require(again.ParseFromString(bytes), "reachd can parse every event of an adapter");
  }
}

}  // namespace reach::fuzz
