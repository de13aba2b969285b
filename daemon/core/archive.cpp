#include "daemon/core/archive.hpp"

#include <bit>

namespace reach {

void ArchiveWriter::real(double& number) {
  auto bits = std::bit_cast<std::uint64_t>(number);
  for (int i = 0; i < 8; ++i, bits >>= 8) buffer_ += static_cast<char>(bits & 0xff);
}

void ArchiveReader::real(double& number) {
  if (rest_.size() < 8) throw ArchiveError("it ends in the middle of a number");
  std::uint64_t bits = 0;
  for (int i = 7; i >= 0; --i) bits = (bits << 8) | static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]);
  number = std::bit_cast<double>(bits);
  rest_.remove_prefix(8);
}

}  // namespace reach
