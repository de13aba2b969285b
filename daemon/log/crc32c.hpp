// CRC-32C (Castagnoli), as iSCSI, ext4 and leveldb use it: finds torn and flipped bytes.
#pragma once
#include <cstdint>
#include <string_view>

namespace reach::log {

/// The checksum of `bytes`, going on from that of the bytes before them (0 at the beginning).
/// crc32c("123456789") is 0xe3069283 (RFC 3720, appendix B.4 has more).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace reach::log
