#include "daemon/core/archive.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace reach {

static_assert(std::endian::native == std::endian::little, "a snapshot holds numbers as this processor does");

void ArchiveWriter::real(double& number) {
  if (used_ + sizeof number > buffer_.size()) finish();
  std::memcpy(buffer_.data() + used_, &number, sizeof number);
  used_ += sizeof number;
}

void ArchiveWriter::text(std::string_view text) {
  std::size_t length = text.size();
  size(length);
  while (!text.empty()) {
    if (used_ == buffer_.size()) finish();
    const std::string_view piece = text.substr(0, buffer_.size() - used_);
    std::ranges::copy(piece, buffer_.data() + used_);
    used_ += piece.size();
    text.remove_prefix(piece.size());
  }
}

void ArchiveReader::real(double& number) {
  if (end_ - at_ < static_cast<std::ptrdiff_t>(sizeof number)) throw ArchiveError("it ends in the middle of a number");
  std::memcpy(&number, at_, sizeof number);
  at_ += sizeof number;
}

}  // namespace reach
