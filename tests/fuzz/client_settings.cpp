// The configurations of the wallboard's gateway, if the text begins with a comment, and of the Asterisk adapter.
#include "clients/adapters/asterisk/config.hpp"
#include "clients/wallboard/settings.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  const std::string_view text = fuzz::text_of(data, size);
  if (text.starts_with('#')) {
    (void)wallboard::read_settings("wallboard.toml", text);
    return 0;
  }
  settings::Checker checker;
  asterisk::AdapterConfig config;
  checker.add_document("asterisk.toml", text);
  settings::read_table(asterisk::config_section(), settings::Spot{0, &checker.documents().front().root}, config,
                       checker);
  const auto problems = checker.take_problems();
  for (const settings::Problem& problem : problems) (void)settings::render(problem, true);
  if (problems.empty()) (void)config.translator();
  return 0;
}
