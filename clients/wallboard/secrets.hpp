// Secrets of people and screens: passwords, and what a browser shows instead of one. All of it is libsodium's.
#pragma once
#include <cstddef>
#include <string>

namespace reach::wallboard {

inline constexpr std::size_t password_bytes_min = 10, password_bytes_max = 1000;

/// Argon2id with a salt of its own, as text. Takes about a tenth of a second and 64 MiB: not on a thread that serves.
/// Throws std::runtime_error if the machine has no memory for it.
[[nodiscard]] std::string hash_password(const std::string& password);

/// Whether `hash` was made of `password`. As slow as hash_password, whatever the answer. No hash: false.
[[nodiscard]] bool password_matches(const std::string& hash, const std::string& password);

/// Whether `text` is what hash_password returns.
[[nodiscard]] bool is_password_hash(const std::string& text);

/// 256 random bits, 43 letters, digits, '-' and '_': nobody guesses it.
[[nodiscard]] std::string random_secret();

/// What is kept of a random secret: it recognises the secret and does not tell it. 64 hex digits. (BLAKE2b; a secret of
/// 256 random bits needs no slow hash.)
[[nodiscard]] std::string fingerprint(const std::string& secret);

}  // namespace reach::wallboard
