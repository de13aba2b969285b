#include "clients/reachctl/screen.hpp"

#include <ncurses.h>

#include <clocale>
#include <stdexcept>

namespace reach::ctl {

struct Screen::Impl {
  SCREEN* terminal = nullptr;
};

Screen::Screen() : impl_(std::make_unique<Impl>()) {
  // The board has its own symbols, so UTF-8 also where the environment names no language.
  const char* locale = std::setlocale(LC_CTYPE, "");
  if (locale == nullptr || std::string(locale).find("UTF-8") == std::string::npos) std::setlocale(LC_CTYPE, "C.UTF-8");
  impl_->terminal = newterm(nullptr, stdout, stdin);
  if (impl_->terminal == nullptr) {
    throw std::runtime_error("this terminal cannot show a full-screen board (check $TERM); use --once");
  }
  cbreak();
  noecho();
  curs_set(0);
  keypad(stdscr, TRUE);
  if (has_colors()) {
    start_color();
    use_default_colors();
    init_pair(1, COLOR_GREEN, -1);
    init_pair(2, COLOR_YELLOW, -1);
    init_pair(3, COLOR_RED, -1);
    init_pair(4, COLOR_MAGENTA, -1);
  }
}

Screen::~Screen() {
  endwin();
  delscreen(impl_->terminal);
}

std::size_t Screen::width() const {
  return static_cast<std::size_t>(getmaxx(stdscr));
}

void Screen::draw(const std::vector<Line>& lines, const std::string& footer) {
  const auto attribute = [](Style style) -> attr_t {
    switch (style) {
      case Style::dim:
        return A_DIM;
      case Style::heading:
        return A_BOLD;
      case Style::good:
        return static_cast<attr_t>(COLOR_PAIR(1));
      case Style::warning:
        return static_cast<attr_t>(COLOR_PAIR(2)) | A_BOLD;
      case Style::bad:
        return static_cast<attr_t>(COLOR_PAIR(3)) | A_BOLD | A_REVERSE;
      case Style::stale:
        return static_cast<attr_t>(COLOR_PAIR(4)) | A_DIM;
      case Style::plain:
        break;
    }
    return A_NORMAL;
  };
  erase();
  const int rows = getmaxy(stdscr) - 1;
  int row = 0;
  for (const Line& line : lines) {
    if (row >= rows) break;
    move(row++, 0);
    for (const Span& span : line) {
      attrset(static_cast<int>(attribute(span.style)));
      addstr(span.text.c_str());
    }
  }
  attrset(static_cast<int>(A_DIM));
  mvaddstr(rows, 0, footer.c_str());
  attrset(static_cast<int>(A_NORMAL));
  refresh();
}

int Screen::key(int milliseconds) {
  timeout(milliseconds);
  const int key = getch();
  return key == ERR || key == KEY_RESIZE ? 0 : key;
}

}  // namespace reach::ctl
