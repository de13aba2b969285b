#include "clients/library/event_queue.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace reach::client {
namespace {

namespace v1 = ::reachd::v1;

std::vector<std::string> from(const EventQueue& queue, std::size_t index, std::size_t most) {
  std::vector<std::string> found;
  if (most == 0) return found;
  queue.read(index, [&](std::string_view event) {
    found.emplace_back(event);
    return found.size() < most;
  });
  return found;
}

TEST(EventQueue, GivesWhatWasPutInWhereverItIsAsked) {
  std::mt19937_64 random(1);
  EventQueue queue;
  std::deque<std::string> expected;
  std::size_t bytes = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 8 < (step % 5000 < 2000 ? 6U : 2U)) {
      v1::Event event;
      event.set_time_ns(static_cast<std::uint64_t>(step));
      constexpr std::size_t sizes[] = {0, 10, 100, 1000, 40'000, 400'000};
      event.set_contact(std::string(sizes[random() % 100 == 0 ? random() % 6 : random() % 3], 'x'));
      queue.push_back(event);
      expected.push_back(event.SerializeAsString());
      bytes += expected.back().size();
    } else if (!expected.empty()) {
      queue.pop_front();
      bytes -= expected.front().size();
      expected.pop_front();
    }
    ASSERT_EQ(queue.size(), expected.size());
    ASSERT_EQ(queue.bytes(), bytes);
    const std::size_t index = random() % (expected.size() + 1), most = random() % 4;
    const std::size_t end = std::min(expected.size(), index + most);
    ASSERT_EQ(from(queue, index, most), std::vector<std::string>(expected.begin() + static_cast<std::ptrdiff_t>(index),
                                                                 expected.begin() + static_cast<std::ptrdiff_t>(end)))
        << "step " << step;
  }
}

}  // namespace
}  // namespace reach::client
