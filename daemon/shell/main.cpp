// reachd: takes the events of telephone systems, keeps the state of every queue, and says when a promise breaks.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "daemon/program/program.hpp"
#include "daemon/settings/settings.hpp"
#include "daemon/shell/daemon.hpp"

namespace {

const char* text_of(reach::settings::LogLevel level) {
  constexpr const char* names[] = {"trace", "debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

}  // namespace

int main(int argc, char** argv) {
  using namespace reach;
  program::block_signals();  // in every thread; the main thread takes them when it is ready

  CLI::App app("Live service levels, alerts and staffing for a back office.", "reachd");
  std::string config = "/etc/reachd/reachd.toml";
  bool check = false;
  program::CommonOptions common;
  app.add_option("--config", config, "Configuration: a TOML file, or a directory of them")->capture_default_str();
  app.add_flag("--check", check, "Check the configuration, print every problem, and leave");
  bool accept_damage = false;
  app.add_flag("--accept-damage", accept_damage,
               "Start in spite of a damaged event log: give up what cannot be read (see: reachctl log verify)");
  common.add_to(app);
  if (const int code = program::parse(app, argc, argv); code >= 0) return code;

  shell::Loaded loaded = shell::load(config);
  for (const settings::Problem& problem : loaded.settings.problems) {
    std::fprintf(check ? stdout : stderr, "%s\n", settings::render(problem).c_str());
  }
  if (!loaded.settings.good()) return program::exit_configuration;
  if (check) {
    if (const std::string problem = shell::key_file_problem(loaded.settings.daemon); !problem.empty()) {
      std::printf("%s:1:1: key_file: %s\n", config.c_str(), problem.c_str());
      return program::exit_configuration;
    }
    std::printf("%s: good\n", config.c_str());
    return program::exit_good;
  }

  if (app.count("--log-level") == 0) common.log_level = text_of(loaded.settings.daemon.log_level);
  if (app.count("--log-format") == 0 && loaded.settings.daemon.log_format == settings::LogFormat::json) {
    common.log_format = "json";
  }
  common.start("reachd", program::Logging::background);
  int code = program::exit_failed;
  try {
    code = shell::run_daemon({std::move(loaded), [config] { return shell::load(config); }, accept_damage});
  } catch (const std::exception& e) {
    spdlog::critical("reachd ends: {}", e.what());
  }
  spdlog::shutdown();  // writes what is still queued
  return code;
}
