#include "clients/adapters/common/pseudonym.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

namespace reach::adapter {

Pseudonyms::Pseudonyms(std::string key) : key_(std::move(key)) {
  if (key_.size() < 16) throw std::invalid_argument("a pseudonym key needs at least 16 bytes");
}

std::string Pseudonyms::hash(std::string_view key, std::string_view text, std::size_t bytes) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const std::basic_string<unsigned char> input(text.begin(), text.end());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), input.data(), input.size(), digest.data(), &size) ==
      nullptr)
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-256 on this machine");
  static constexpr const char* digits = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes, size); ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

std::string Pseudonyms::day_key(Time at) const {
  return hash(key_, "day " + std::to_string(day(at).time_since_epoch().count()), 32);
}

std::string Pseudonyms::caller(std::string_view number, Time at) const {
  if (is_withheld(number)) return {};
  return "p:" + hash(day_key(at), number, 8);
}

std::string Pseudonyms::agent(std::string_view person, Time at) const {
  return "a:" + hash(day_key(at), "agent " + std::string(person), 6);
}

std::string random_key() {
  std::string key(32, '\0');
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("the machine gives no random bytes");
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

bool is_withheld(std::string_view number) {
  std::string word;
  for (const char c : number)
    if (std::isalnum(static_cast<unsigned char>(c)))
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static constexpr std::string_view words[] = {"",           "unknown",     "anonymous", "private",       "withheld",
                                               "restricted", "unavailable", "asterisk",  "unknowncaller", "none",
                                               "null"};
  return std::ranges::find(words, word) != std::end(words);
}

}  // namespace reach::adapter
