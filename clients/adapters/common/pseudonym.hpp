// People as pseudonyms: numbers and names of callers and agents never leave the adapter.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/time.hpp"

namespace reach::adapter {

/// Keyed pseudonyms (HMAC-SHA-256, cut to 64 bits). Without the key nobody can try all numbers against them.
class Pseudonyms {
 public:
  /// `key`: any bytes, at least 16; the same key gives the same pseudonyms after a restart.
  explicit Pseudonyms(std::string key);

  /// The caller's pseudonym on the UTC day of `at`, "p:" and 16 hex digits. The key rotates with the day, so nobody is
  /// followed over days, and a caller who tries again within the day is recognised. Empty for a withheld number: "",
  /// "<unknown>", "anonymous", "private" and their like, or they would look like one customer who calls all day.
  [[nodiscard]] std::string caller(std::string_view number, Time at) const;

  /// An agent's pseudonym on the UTC day of `at`, "a:" and 12 hex digits: nobody's work is followed over days. Whoever
  /// is logged in at midnight keeps the old one until it can be changed without a call being torn apart: the adapters
  /// then say LoggedIn of the new one and LoggedOut of the old one.
  [[nodiscard]] std::string agent(std::string_view person, Time at) const;

  /// The day whose key counts at `at`.
  [[nodiscard]] static std::chrono::sys_days day(Time at) { return std::chrono::floor<std::chrono::days>(at); }

 private:
  [[nodiscard]] std::string day_key(Time at) const;
  [[nodiscard]] std::string hash(std::string_view key, std::string_view text, std::size_t bytes) const;
  std::string key_;
};

/// 32 bytes nobody knows: for runs without a key file. Pseudonyms then change with every start.
[[nodiscard]] std::string random_key();

/// Whether `number` tells nothing about who calls.
[[nodiscard]] bool is_withheld(std::string_view number);

}  // namespace reach::adapter
