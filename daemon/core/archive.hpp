// Values to bytes and back, by one description of each type that serves both ways.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "daemon/core/short_text.hpp"

namespace reach {

/// The bytes are not what this version writes: cut short, damaged, or of another version.
struct ArchiveError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ArchiveReader;

/// Both directions. A type takes part by a member `template <class A> void visit(A& archive) { archive(a_, b_); }` or
/// a function `visit(A&, T&)` beside it. Integers are zigzag varints, so that small numbers take one byte.
template <class Derived>
class Archive {
 public:
  template <class... Fields>
  void operator()(Fields&... fields) {
    (one(fields), ...);
  }
  /// Anything with size(), resize() and [].
  template <class List>
  void list(List& values) {
    std::size_t size = values.size();
    self().size(size);
    if (values.size() > size) values.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      if (values.size() == i) values.resize(i + 1);  // not all at once: the bytes may end long before
      one(values[i]);
    }
  }

 private:
  static constexpr bool reads = std::is_same_v<Derived, ArchiveReader>;
  Derived& self() { return static_cast<Derived&>(*this); }

  template <class T>
  void one(T& value) {
    if constexpr (std::is_enum_v<T>) {
      auto number = static_cast<std::int64_t>(value);
      self().integer(number);
      value = static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, double>) {
      self().real(value);
    } else if constexpr (std::is_integral_v<T>) {
      auto number = static_cast<std::int64_t>(value);
      self().integer(number);
      value = static_cast<T>(number);
    } else if constexpr (requires { visit(self(), value); }) {
      visit(self(), value);
    } else {
      value.visit(self());
    }
  }
  void one(std::string& text) {
    if constexpr (reads)
      text = self().text();
    else
      self().text(text);
  }
  void one(ShortText& text) {
    if constexpr (reads) {
      const std::string_view read = self().text();
      text.assign(read.begin(), read.end());
    } else {
      self().text(view(text));
    }
  }
  // Indices: "none" is as short as 0.
  void one(std::uint32_t& index) {
    auto number = static_cast<std::int64_t>(static_cast<std::int32_t>(index));
    self().integer(number);
    index = static_cast<std::uint32_t>(number);
  }
  template <class Rep, class Ratio>
  void one(std::chrono::duration<Rep, Ratio>& d) {
    auto count = static_cast<std::int64_t>(d.count());
    self().integer(count);
    d = std::chrono::duration<Rep, Ratio>(static_cast<Rep>(count));
  }
  template <class Clock, class Span>
  void one(std::chrono::time_point<Clock, Span>& t) {
    Span since = t.time_since_epoch();
    one(since);
    t = std::chrono::time_point<Clock, Span>(since);
  }
  template <class A, class B>
  void one(std::pair<A, B>& pair) {
    one(pair.first);
    one(pair.second);
  }
  template <class T>
  void one(std::optional<T>& value) {
    bool present = value.has_value();
    one(present);
    if (!present) {
      value.reset();
      return;
    }
    if (!value) value.emplace();
    one(*value);
  }
  template <class T, std::size_t n>
  void one(std::array<T, n>& values) {
    for (T& value : values) one(value);
  }
  template <class T>
  void one(std::vector<T>& values) {
    list(values);
  }
  template <class T>
  void one(std::deque<T>& values) {
    list(values);
  }
};

/// Writes; hands over the bytes in pieces of about 64 KiB.
class ArchiveWriter : public Archive<ArchiveWriter> {
 public:
  explicit ArchiveWriter(std::function<void(std::string_view)> sink) : sink_(std::move(sink)) {}
  /// Hands over what is left; call once at the end.
  void finish() {
    if (used_ > 0) sink_({buffer_.data(), used_});
    used_ = 0;
  }

 private:
  friend Archive<ArchiveWriter>;
  void integer(std::int64_t& number) {
    if (used_ + 10 > buffer_.size()) finish();
    auto rest = (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
    for (; rest >= 0x80; rest >>= 7) buffer_[used_++] = static_cast<char>(rest | 0x80);
    buffer_[used_++] = static_cast<char>(rest);
  }
  void real(double& number);
  void size(std::size_t& number) {
    auto count = static_cast<std::int64_t>(number);
    integer(count);
  }
  void text(std::string_view text);
  std::function<void(std::string_view)> sink_;
  std::vector<char> buffer_ = std::vector<char>(65536);
  std::size_t used_ = 0;
};

/// Reads. Throws ArchiveError; reads never go past the end, lists are never larger than the bytes that are left.
class ArchiveReader : public Archive<ArchiveReader> {
 public:
  explicit ArchiveReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }

 private:
  friend Archive<ArchiveReader>;
  void integer(std::int64_t& number) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at_ == end_) throw ArchiveError("it ends in the middle of a number");
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        number = static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
        return;
      }
    }
    throw ArchiveError("a number is longer than 64 bits");
  }
  void real(double& number);
  void size(std::size_t& number) {
    std::int64_t count = 0;
    integer(count);
    if (count < 0 || count > end_ - at_) throw ArchiveError("a list is longer than the data");
    number = static_cast<std::size_t>(count);
  }
  std::string_view text() {
    std::size_t length = 0;
    size(length);
    const std::string_view text(at_, length);
    at_ += length;
    return text;
  }
  const char *at_, *end_;
};

}  // namespace reach
