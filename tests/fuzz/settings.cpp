// reachd's configuration; one that is called good must give an engine that works.
#include "daemon/settings/settings.hpp"

#include "daemon/core/engine.hpp"
#include "daemon/wire/wire.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  settings::Loaded loaded = settings::load_text(fuzz::text_of(data, size), "reachd.toml");
  for (const settings::Problem& problem : loaded.problems) (void)settings::render(problem, true);
  if (!loaded.good()) return 0;
  std::string queue = "sales";
  if (!loaded.core.segments.empty() && !loaded.core.segments[0].queues.empty())
    queue = loaded.core.segments[0].queues[0].queue;
  Engine engine(std::move(loaded.core), {}, fuzz::monday);
  Decisions decisions;
  Event event;
  event.kind = EventKind::offered;
  event.source = "pbx";
  event.contact = "c";
  event.queue = queue;
  event.at = fuzz::monday;
  engine.step(event, fuzz::monday, decisions);
  engine.step(TimePassed{}, fuzz::monday + std::chrono::hours(2), decisions);
  (void)wire::status_of(engine, {}, engine.now());
  return 0;
}
