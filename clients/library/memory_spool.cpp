#include <algorithm>
#include <deque>

#include "clients/library/spool.hpp"

namespace reach::client {
namespace {

class MemorySpool final : public Spool {
 public:
  MemorySpool(std::uint64_t epoch, SpoolLimits limits) : limits_(limits) { stretch_.epoch = epoch; }

  [[nodiscard]] Stretch stretch() const override { return stretch_; }
  [[nodiscard]] std::string bookmark() const override { return bookmark_; }
  [[nodiscard]] std::size_t size() const override { return events_.size(); }

  bool append(std::span<const v1::Event> events, std::string_view bookmark) override {
    std::size_t bytes = 0;
    for (const v1::Event& event : events) bytes += event.ByteSizeLong();
    if (events_.size() + events.size() > limits_.events || bytes_ + bytes > limits_.bytes) return false;
    events_.insert(events_.end(), events.begin(), events.end());
    bytes_ += bytes;
    stretch_.next += events.size();
    if (!bookmark.empty()) bookmark_ = bookmark;
    return true;
  }

  void read(std::uint64_t first, const std::function<bool(std::uint64_t, const v1::Event&)>& take) override {
    for (std::uint64_t n = std::max(first, stretch_.first); n < stretch_.next; ++n) {
      if (!take(n, events_[n - stretch_.first])) return;
    }
  }

  void acknowledged(std::uint64_t sequence) override {
    while (!events_.empty() && stretch_.first <= sequence) {
      bytes_ -= events_.front().ByteSizeLong();
      events_.pop_front();
      ++stretch_.first;
    }
  }

 private:
  const SpoolLimits limits_;
  Stretch stretch_;
  std::size_t bytes_ = 0;
  std::string bookmark_;
  std::deque<v1::Event> events_;
};

}  // namespace

std::unique_ptr<Spool> memory_spool(std::uint64_t epoch, SpoolLimits limits) {
  return std::make_unique<MemorySpool>(epoch, limits);
}

}  // namespace reach::client
