// Scenario files. Those that name another file are left out: nothing is read from a disk here.
#include "clients/reachctl/scenario.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  const std::string_view text = fuzz::text_of(data, size);
  constexpr std::string_view word = "config";
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t behind = at + word.size();
    if (behind < text.size() && text[behind] != '\n') return 0;
  }
  (void)ctl::run_scenario(text, "fuzz.scn");
  return 0;
}
