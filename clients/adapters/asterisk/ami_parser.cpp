#include "clients/adapters/asterisk/ami_parser.hpp"

#include <algorithm>
#include <cctype>

#include "clients/adapters/common/utf8.hpp"

namespace reach::asterisk {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

constexpr std::string_view banner_start = "Asterisk Call Manager/";

}  // namespace

std::string_view AmiMessage::get(std::string_view name) const {
  for (const auto& [field, value] : fields)
    if (same_name(field, name)) return value;
  return {};
}

void AmiParser::reset() {
  text_.clear();
  spans_.clear();
  line_start_ = 0;
  skip_line_ = skip_message_ = cut_ = false;
}

void AmiParser::feed(std::string_view bytes, const std::function<void(const AmiMessage&)>& take) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (!skip_line_) {
      if (text_.size() - line_start_ + piece.size() > limits_.line_bytes) {
        ++counts_.oversized;
        skip_line_ = cut_ = true;
        text_.resize(line_start_);
      } else {
        text_.append(piece);
      }
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    end_line(take);
  }
}

void AmiParser::end_line(const std::function<void(const AmiMessage&)>& take) {
  if (skip_line_) {
    skip_line_ = false;
    return;
  }
  if (text_.size() > line_start_ && text_.back() == '\r') text_.pop_back();
  if (const std::string_view raw = std::string_view(text_).substr(line_start_); !adapter::is_utf8(raw))
    text_.replace(line_start_, std::string::npos, adapter::to_utf8(raw));
  const std::string_view line = std::string_view(text_).substr(line_start_);
  if (line.empty()) {
    end_message(take);
    return;
  }
  if (skip_message_) {
    text_.resize(line_start_);
    return;
  }
  if (text_.size() > limits_.message_bytes) {
    ++counts_.oversized;
    skip_message_ = cut_ = true;
    text_.clear();
    spans_.clear();
    line_start_ = 0;
    return;
  }
  if (line.starts_with(banner_start)) {  // a message of its own; what was incomplete belongs to a former connection
    const std::string banner(line);
    reset();
    message_.fields.assign(1, {"Banner", banner});
    message_.cut = false;
    ++counts_.messages;
    take(message_);
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) {
    ++counts_.malformed;
    text_.resize(line_start_);
    return;
  }
  std::size_t value = colon + 1;
  if (value < line.size() && line[value] == ' ') ++value;
  spans_.push_back({line_start_, colon, line_start_ + value, line.size() - value});
  line_start_ = text_.size();
}

void AmiParser::end_message(const std::function<void(const AmiMessage&)>& take) {
  if (!spans_.empty() || cut_) {
    message_.fields.clear();
    message_.cut = cut_;
    const std::string_view text = text_;
    for (const Span& span : spans_)
      message_.fields.emplace_back(text.substr(span.name, span.name_size), text.substr(span.value, span.value_size));
    ++counts_.messages;
    take(message_);
  }
  reset();
}

}  // namespace reach::asterisk
