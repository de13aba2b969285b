// What a subscriber hears: published messages, snapshots and alerts.
#include "clients/library/follower.hpp"

#include <algorithm>

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  using namespace std::chrono;
  client::SubscriberCalls calls;
  calls.snapshot = [](const v1::Snapshot&) {};
  calls.segment = [](const v1::SegmentState&) {};
  calls.alert = [](const v1::Alert&) {};
  calls.alerts_lost = [](const client::AlertsLost&) {};
  calls.staffing = [](const v1::Staffing&) {};
  calls.source = [](const v1::SourceState&) {};
  calls.connection = [](bool, const std::string&) {};
  client::Follower::TimePoint now(hours(1));
  client::Follower follower({}, std::move(calls), {[](const v1::Request&) {}, [] {}}, now);
  fuzz::for_each_piece(fuzz::text_of(data, size), [&](unsigned control, std::string_view bytes) {
    constexpr milliseconds steps[] = {0ms, 100ms, 1000ms, 10s};
    now += steps[control >> 6];
    follower.pass(now);
    if ((control & 1) == 0) {
      v1::Reply reply;
      if (reply.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) follower.take(std::move(reply), now);
    } else if (follower.wants_stream()) {
      // The topic, a zero byte, the payload; the number is in the control byte, so that gaps and repetitions are easy.
      const std::string_view topic = bytes.substr(0, bytes.find('\0'));
      follower.take({topic, control >> 1 & 15U, bytes.substr(std::min(topic.size() + 1, bytes.size()))}, now);
    }
  });
  return 0;
}
