#include "clients/library/event_queue.hpp"

#include <algorithm>

namespace reach::client {
namespace {

constexpr std::size_t block_bytes = 64U << 10;
constexpr std::size_t alone = block_bytes / 8;  // one larger than this has a block of its own

}  // namespace

void EventQueue::push_back(const ::reachd::v1::Event& event) {
  const std::size_t size = event.ByteSizeLong();
  if (blocks_.empty() || blocks_.back().bytes.size() + size > blocks_.back().bytes.capacity()) {
    if (blocks_.empty() || !blocks_.back().ends.empty()) blocks_.push_back({gone_ + size_, {}, {}});
    blocks_.back().bytes.reserve(size > alone ? size : block_bytes);
  }
  Block& block = blocks_.back();
  event.AppendToString(&block.bytes);
  block.ends.push_back(static_cast<std::uint32_t>(block.bytes.size()));
  ++size_;
  bytes_ += size;
}

void EventQueue::pop_front() {
  Block& block = blocks_.front();
  bytes_ -= block.event(gone_ - block.first).size();
  ++gone_;
  --size_;
  if (gone_ - block.first < block.ends.size()) return;
  if (blocks_.size() > 1) {
    blocks_.pop_front();
  } else {  // its memory serves what comes next
    block.first = gone_;
    block.bytes.clear();
    block.ends.clear();
  }
}

/// The block that holds the event at `index`; that behind the last if none does.
std::size_t EventQueue::block_of(std::size_t index) const {
  const auto behind = std::upper_bound(blocks_.begin(), blocks_.end(), gone_ + index,
                                       [](std::size_t number, const Block& block) { return number < block.first; });
  return behind == blocks_.begin() ? 0 : static_cast<std::size_t>(behind - blocks_.begin()) - 1;
}

}  // namespace reach::client
