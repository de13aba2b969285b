// What the daemon answers to adapters.
#include "clients/library/delivery.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"

namespace {

using namespace reach;

struct World final : client::DeliveryWorld {
  bool send(const v1::ToDaemon&) override { return !full; }
  void reconnect() override {}
  void problem(const std::string&) override {}
  bool full = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono;
  static v1::ToAdapter message;
  World world;
  client::SenderOptions options;
  options.source = "pbx";
  options.batch_limit = 3;
  client::Delivery delivery(options, client::memory_spool(1), world);
  client::Delivery::Now now{client::Delivery::Time(hours(1)), 1'795'420'800'000'000'000};
  v1::Event event;
  event.set_time_ns(now.wall_ns);
  event.mutable_abandoned();
  delivery.start(now);
  fuzz::for_each_piece(fuzz::text_of(data, size), [&](unsigned control, std::string_view frame) {
    constexpr milliseconds steps[] = {0ms, 10ms, 1000ms, 10s};
    now.steady += steps[control >> 6];
    world.full = (control & 1) != 0;
    for (unsigned i = 0; i < (control >> 1 & 7); ++i) delivery.post({&event, 1}, {});
    if ((control & 16) != 0) delivery.cut(now);
    delivery.step(now);
    if (message.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) delivery.take(message, now);
    for (int i = 0; i < 10 && delivery.next_deadline() <= now.steady; ++i) delivery.step(now);
    const client::SenderState state = delivery.state();
    fuzz::require(state.acknowledged <= state.posted, "nothing is acknowledged that was never posted");
  });
  delivery.leave(now);
  return 0;
}
