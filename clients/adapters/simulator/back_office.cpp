#include "clients/adapters/simulator/back_office.hpp"

#include <algorithm>

#include "clients/adapters/simulator/world.hpp"

namespace reach::simulator {

BackOffice::BackOffice(Company company, Options options)
    : world_(std::make_unique<World>(std::move(company), options)) {}
BackOffice::~BackOffice() = default;

void BackOffice::run_until(Time until, std::vector<v1::Event>& out) {
  World& world = *world_;
  world.out = &out;
  while (world.tasks.top().at <= until) {
    const auto task = world.tasks.top();
    world.tasks.pop();
    world.now = task.at;
    task.run();
  }
}

Time BackOffice::next() const {
  return world_->tasks.top().at;
}
const DayClock& BackOffice::clock() const {
  return world_->clock;
}
const Tally& BackOffice::tally() const {
  return world_->tally;
}

double BackOffice::expected_calls(std::size_t queue, Time from, Time to) const {
  const Duration step = world_->clock.span(1.0 / 60);
  double sum = 0;
  for (Time t = from; t < to; t += step) {
    const Duration length = std::min(step, to - t);
    sum += world_->rate_per_s(queue, world_->clock.at(t + length / 2)) * seconds_of(length);
  }
  return sum;
}

}  // namespace reach::simulator
