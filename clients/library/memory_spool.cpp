#include <algorithm>

#include "clients/library/event_queue.hpp"
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
    if (events_.size() + events.size() > limits_.events || events_.bytes() + bytes > limits_.bytes) return false;
    for (const v1::Event& event : events) events_.push_back(event);
    stretch_.next += events.size();
    if (!bookmark.empty()) bookmark_ = bookmark;
    return true;
  }

  void read(std::uint64_t first, const std::function<bool(std::uint64_t, std::string_view)>& take) override {
    std::uint64_t number = std::max(first, stretch_.first);
    events_.read(number - stretch_.first, [&](std::string_view event) { return take(number++, event); });
  }

  void acknowledged(std::uint64_t sequence) override {
    while (!events_.empty() && stretch_.first <= sequence) {
      events_.pop_front();
      ++stretch_.first;
    }
  }

 private:
  const SpoolLimits limits_;
  Stretch stretch_;
  std::string bookmark_;
  EventQueue events_;
};

}  // namespace

std::unique_ptr<Spool> memory_spool(std::uint64_t epoch, SpoolLimits limits) {
  return std::make_unique<MemorySpool>(epoch, limits);
}

}  // namespace reach::client
