// A full-screen terminal for lines of styled text.
#pragma once
#include <memory>
#include <vector>

#include "clients/reachctl/board.hpp"

namespace reach::ctl {

/// Takes over the terminal while it lives. One at a time, used by one thread.
class Screen {
 public:
  Screen();   ///< throws std::runtime_error if the terminal cannot be used that way ($TERM)
  ~Screen();  ///< the terminal is as it was
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  [[nodiscard]] std::size_t width() const;
  void draw(const std::vector<Line>& lines, const std::string& footer);
  /// Waits up to `milliseconds` for a key. Returns it, or 0; a change of the window's size returns at once.
  [[nodiscard]] int key(int milliseconds);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reach::ctl
