// Scenario files: what happens when, and what must be true then. The language: tests/scenarios/README.md.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/time.hpp"
#include "daemon/settings/settings.hpp"

namespace reach::ctl {

struct ScenarioFailure {
  int line = 0;          ///< of the expectation, or of what cannot be read
  std::string expected;  ///< the line as written; empty where the file itself is wrong
  std::string got;       ///< what is true instead, or what is wrong with the line
  std::string behind;    ///< the numbers behind it; may be empty
};

struct ScenarioResult {
  int expectations = 0;
  std::vector<ScenarioFailure> failures;  ///< in the order of the lines; empty: passed
  [[nodiscard]] bool passed() const noexcept { return failures.empty(); }
};

/// Gives the configuration in the file at `path`.
using LoadSettings = std::function<settings::Loaded(const std::string& path)>;

/// Runs a scenario through an engine of its own. `file` is its name for messages and the place from which a `config`
/// path is meant; `load` reads that. Nothing happens later than `longest` after the start. Any text gives a result; if
/// it cannot be read, nothing of it is run.
[[nodiscard]] ScenarioResult run_scenario(std::string_view text, const std::string& file,
                                          const LoadSettings& load = settings::load,
                                          Duration longest = std::chrono::days(400));

}  // namespace reach::ctl
