// Events as JSON lines: what is taken can be said again, and means the same.
#include "clients/library/json.hpp"
#include "daemon/wire/wire.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  static wire::Scratch scratch;
  v1::Event event, again;
  if (client::from_json_line(fuzz::text_of(data, size), event)) return 0;
  const std::string line = client::to_json_line(event);
  fuzz::require(!client::from_json_line(line, again), "a line that was written can be read");
  fuzz::require(event.SerializeAsString() == again.SerializeAsString(), "it means the same");
  Event taken;
  (void)wire::event_from(event, "pbx", {}, fuzz::monday, scratch, taken);
  return 0;
}
