// A table whose rows keep their index until they are erased. Freed rows are used again.
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

namespace reach {

inline constexpr std::uint32_t none = UINT32_MAX;  ///< "no row"

template <class Row>
class Slab {
 public:
  /// A fresh row; O(1). References to other rows stay valid.
  std::uint32_t add() {
    if (!free_.empty()) {
      const std::uint32_t index = free_.back();
      free_.pop_back();
      rows_[index] = Row{};
      return index;
    }
    rows_.emplace_back();
    return static_cast<std::uint32_t>(rows_.size() - 1);
  }
  void erase(std::uint32_t index) {
    rows_[index] = Row{};
    free_.push_back(index);
  }
  [[nodiscard]] Row& operator[](std::uint32_t index) { return rows_[index]; }
  [[nodiscard]] const Row& operator[](std::uint32_t index) const { return rows_[index]; }
  template <class A>
  void visit(A& archive) {
    archive(rows_, free_);
  }
  [[nodiscard]] std::size_t used() const noexcept { return rows_.size() - free_.size(); }

 private:
  std::deque<Row> rows_;
  std::vector<std::uint32_t> free_;
};

}  // namespace reach
