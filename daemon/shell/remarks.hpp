// Log lines about what clients do again and again.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/base/time.hpp"

namespace reach::shell {

/// Lets one line of a kind through every ten seconds and counts those it keeps back: whoever does what is refused, and
/// does not stop, must not fill the log. It knows a hundred kinds at a time, as their names may come from clients, too;
/// lines of further ones are kept back until some of those have been quiet.
class Remarks {
 public:
  static constexpr Duration every = std::chrono::seconds(10);
  static constexpr std::size_t most_kinds = 100;

  /// nullopt: the line is not to be written; else how many of its kind were kept back since the last one.
  [[nodiscard]] std::optional<std::int64_t> next(std::string_view kind, Time now) {
    auto found = kinds_.find(kind);
    if (found == kinds_.end()) {
      if (kinds_.size() >= most_kinds)
        std::erase_if(kinds_, [&](const auto& each) { return now - each.second.written >= every; });
      if (kinds_.size() >= most_kinds) return std::nullopt;
      kinds_.emplace(kind, Kind{now, 0});
      return 0;
    }
    Kind& known = found->second;
    if (now - known.written < every) {
      ++known.kept_back;
      return std::nullopt;
    }
    known.written = now;
    return std::exchange(known.kept_back, 0);
  }

 private:
  struct Kind {
    Time written;
    std::int64_t kept_back;
  };
  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace reach::shell
