// A table whose rows keep their index until they are erased. Freed rows are used again.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
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
    rows_.resize(rows_.size() + 1);
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
    archive.list(rows_);
    archive(free_);
  }
  [[nodiscard]] std::size_t used() const noexcept { return rows_.size() - free_.size(); }
  /// Every row there ever was, free ones included: an index below it is a row.
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] const std::vector<std::uint32_t>& free() const noexcept { return free_; }

 private:
  /// Grows in pieces and never moves a row: a million of them must not be copied while callers wait.
  class Rows {
   public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void resize(std::size_t size) {
      while (pieces_.size() * piece < size) pieces_.push_back(std::make_unique<std::array<Row, piece>>());
      size_ = size;
    }
    Row& operator[](std::size_t i) { return (*pieces_[i / piece])[i % piece]; }
    const Row& operator[](std::size_t i) const { return (*pieces_[i / piece])[i % piece]; }

   private:
    static constexpr std::size_t piece = 256;
    std::vector<std::unique_ptr<std::array<Row, piece>>> pieces_;
    std::size_t size_ = 0;
  };
  Rows rows_;
  std::vector<std::uint32_t> free_;
};

}  // namespace reach
