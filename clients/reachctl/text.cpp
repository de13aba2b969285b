#include "clients/reachctl/text.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "daemon/base/printable.hpp"

namespace reach::ctl {

std::string percent(double ratio) {
  const double rounded = std::round(ratio * 100);
  if (rounded >= 100 && ratio < 1) return "> 99 %";
  if (rounded <= 0 && ratio > 0) return "< 1 %";
  return number(rounded, 0) + " %";
}

std::string percent_of(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return dash;
  return percent(static_cast<double>(part) / static_cast<double>(whole)) + " (" + std::to_string(part) + " of " +
         std::to_string(whole) + ')';
}

std::string percent_of(std::optional<double> ratio, std::int64_t samples) {
  if (!ratio) return dash;
  return percent_of(std::llround(*ratio * static_cast<double>(samples)), samples);
}

std::string clock_text(std::optional<double> seconds) {
  if (!seconds) return dash;
  const auto whole = static_cast<long long>(std::floor(std::max(*seconds, 0.0)));
  std::array<char, 32> text{};
  if (whole < 3600) {
    std::snprintf(text.data(), text.size(), "%lld:%02lld", whole / 60, whole % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return text.data();
}

std::string number(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  std::string out = text.data();
  if (out.find('.') != std::string::npos) {
    out.erase(out.find_last_not_of('0') + 1);
    if (out.back() == '.') out.pop_back();
  }
  return out;
}

std::string local_time(Time t, bool date) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
  const std::time_t clock = seconds;
  std::tm local{};
  localtime_r(&clock, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &local);
  return text.data();
}

std::string local_time_ns(std::uint64_t ns, bool date) {
  return ns == 0 ? dash : local_time(time_from_ns(static_cast<std::int64_t>(ns)), date);
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // not a continuation byte
  return width;
}

std::string fit(std::string_view any, std::size_t width, bool right) {
  const std::string text = printable(any);
  const std::size_t has = width_of(text);
  if (has <= width) {
    const std::string blanks(width - has, ' ');
    return right ? blanks + text : text + blanks;
  }
  std::string cut;
  std::size_t taken = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80 && taken++ + 1 == width) break;
    cut += c;
  }
  return width == 0 ? std::string() : cut + "…";
}

Table::Table(std::vector<std::string> titles) : titles_(std::move(titles)) {
  for (std::string& title : titles_) {
    right_.push_back(title.starts_with('>'));
    if (right_.back()) title.erase(0, 1);
  }
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(titles_.size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text(std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < titles_.size(); ++c) {
    widths.push_back(width_of(titles_[c]));
    for (const auto& row : rows_) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string one(indent, ' ');
    for (std::size_t c = 0; c < cells.size(); ++c) {
      if (c > 0) one += "  ";
      one += fit(cells[c], widths[c], right_[c]);
    }
    one.erase(one.find_last_not_of(' ') + 1);
    out += one + '\n';
  };
  line(titles_);
  for (const auto& row : rows_) line(row);
  return out;
}

}  // namespace reach::ctl
