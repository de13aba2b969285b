// The manager interface's bytes as messages: "Name: value" lines, ended by an empty line.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reach::asterisk {

/// One message, UTF-8 whatever the bytes were. A view: valid only during the call that hands it over.
struct AmiMessage {
  std::vector<std::pair<std::string_view, std::string_view>> fields;  ///< in the order sent; names can repeat
  bool cut = false;  ///< lines of it were over the limits and are missing; if it was itself, all of them

  /// The value of the first field called `name` (upper and lower case alike); empty if there is none.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  /// "QueueCallerJoin"; empty for responses and the banner.
  [[nodiscard]] std::string_view event() const { return get("Event"); }
  /// "Success", "Error", "Goodbye"…; empty for events and the banner.
  [[nodiscard]] std::string_view response() const { return get("Response"); }
  /// "Asterisk Call Manager/11.0.0": the first line of a connection; empty otherwise.
  [[nodiscard]] std::string_view banner() const { return get("Banner"); }
};

/// What one connection may send before it is taken for broken; Asterisk's own lines are far below.
struct AmiLimits {
  std::size_t line_bytes = 64 * 1024;      ///< a longer line is dropped and counted, and its message cut
  std::size_t message_bytes = 512 * 1024;  ///< a longer message is counted and handed over cut, without any line
};

struct AmiCounts {
  std::uint64_t messages = 0;   ///< handed over
  std::uint64_t malformed = 0;  ///< lines without "Name:"; skipped, the rest of the message counts
  std::uint64_t oversized = 0;  ///< lines and messages over the limits
};

/// Incremental: bytes in pieces of any size. Never throws on any input; memory is bounded by the limits.
class AmiParser {
 public:
  explicit AmiParser(AmiLimits limits = {}) : limits_(limits) {}

  /// Appends `bytes` and calls `take` for each message that is complete. An incomplete one waits for more.
  void feed(std::string_view bytes, const std::function<void(const AmiMessage&)>& take);
  /// A new connection: what was incomplete is forgotten.
  void reset();
  [[nodiscard]] const AmiCounts& counts() const { return counts_; }

 private:
  void end_line(const std::function<void(const AmiMessage&)>& take);
  void end_message(const std::function<void(const AmiMessage&)>& take);

  struct Span {
    std::size_t name, name_size, value, value_size;
  };
  AmiLimits limits_;
  AmiCounts counts_;
  std::string text_;  ///< the message so far, lines without their ends
  std::size_t line_start_ = 0;
  std::vector<Span> spans_;
  bool skip_line_ = false, skip_message_ = false, cut_ = false;
  AmiMessage message_;
};

}  // namespace reach::asterisk
