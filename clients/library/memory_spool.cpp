#include <deque>

#include "clients/library/sender.hpp"

namespace reach::client {
namespace {

class MemorySpool final : public Spool {
 public:
  MemorySpool(std::uint64_t epoch, std::size_t limit) : epoch_(epoch), limit_(limit) {}

  [[nodiscard]] std::uint64_t epoch() const override { return epoch_; }
  [[nodiscard]] std::uint64_t next_sequence() const override { return first_ + events_.size(); }
  [[nodiscard]] std::size_t size() const override { return events_.size(); }

  bool append(const v1::Event& event) override {
    if (events_.size() >= limit_) return false;
    events_.push_back(event);
    return true;
  }

  void read(std::uint64_t first, const std::function<bool(std::uint64_t, const v1::Event&)>& take) override {
    for (std::uint64_t n = std::max(first, first_); n < next_sequence(); ++n) {
      if (!take(n, events_[n - first_])) return;
    }
  }

  void acknowledged(std::uint64_t sequence) override {
    while (!events_.empty() && first_ <= sequence) {
      events_.pop_front();
      ++first_;
    }
  }

 private:
  std::uint64_t epoch_;
  std::size_t limit_;
  std::uint64_t first_ = 1;  // number of events_.front()
  std::deque<v1::Event> events_;
};

}  // namespace

std::unique_ptr<Spool> memory_spool(std::uint64_t epoch, std::size_t limit) {
  return std::make_unique<MemorySpool>(epoch, limit);
}

}  // namespace reach::client
