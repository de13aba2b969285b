// Events that wait, in the form in which they travel.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "reachd/v1/event.pb.h"

namespace reach::client {

/// Serialised events, oldest first. Takes their bytes and four more an event, in blocks of 64 KiB of which at most an
/// eighth stays empty: parsed, the same events would take six to nine times as much.
class EventQueue {
 public:
  void push_back(const ::reachd::v1::Event& event);
  /// Not empty before.
  void pop_front();
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  ///< of the serialised forms

  /// Calls `take` with each event's serialised form, from the one at `index` (0: the oldest) on, until it returns
  /// false.
  template <class Take>
  void read(std::size_t index, const Take& take) const {
    for (std::size_t at = block_of(index); at < blocks_.size(); ++at) {
      const Block& block = blocks_[at];
      for (std::size_t i = index + gone_ - block.first; i < block.ends.size(); ++i, ++index) {
        if (!take(block.event(i))) return;
      }
    }
  }

 private:
  struct Block {
    std::size_t first;                // of all events ever pushed: how many came before this block
    std::string bytes;                // one event's after the other's
    std::vector<std::uint32_t> ends;  // of each in `bytes`
    [[nodiscard]] std::size_t begin(std::size_t i) const { return i == 0 ? 0 : ends[i - 1]; }
    [[nodiscard]] std::string_view event(std::size_t i) const {
      return std::string_view(bytes).substr(begin(i), ends[i] - begin(i));
    }
  };

  [[nodiscard]] std::size_t block_of(std::size_t index) const;

  std::deque<Block> blocks_;
  std::size_t gone_ = 0;  // events popped ever
  std::size_t size_ = 0, bytes_ = 0;
};

}  // namespace reach::client
