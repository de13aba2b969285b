// Scenario files, but for their first line, which names the configuration that all of them have: mistakes in one are
// what `settings` tries. Ten minutes at most pass in each: an engine takes as long for a week as for a thousand of
// them.
#include "clients/reachctl/scenario.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  static const settings::Loaded basic = settings::load_text(R"(
[[segment]]
id = "sales"
queues = ["sales", "sales2"]
overflow_to = ["dealers"]
[[segment]]
id = "dealers"
queues = ["dealers"]
[[service]]
id = "phone"
medium = "call"
threshold = "20s"
short_abandon = "5s"
[[service]]
id = "complaint"
medium = "item"
due_in = "4h"
[[contract]]
id = "c1"
client = "Field sales"
segments = ["sales"]
[[contract.objective]]
id = "low_sl"
service = "phone"
figure = "service_level"
target = 0.80
window = "30m"
min_samples = 2
)",
                                                            "basic.toml");
  fuzz::require(basic.good(), "the configuration of all scenarios is good");
  std::string text = "config basic.toml\n";
  text += fuzz::text_of(data, size);
  (void)ctl::run_scenario(
      text, "fuzz.scn", [](const std::string&) { return basic; }, std::chrono::minutes(10));
  return 0;
}
