// reachctl test: runs scenario files and prints readable differences.
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "clients/library/json.hpp"
#include "clients/reachctl/command.hpp"
#include "clients/reachctl/scenario.hpp"

namespace reach::ctl {
namespace {

void print_text(const std::string& file, const ScenarioResult& result) {
  if (result.passed()) {
    std::cout << "ok      " << file << "  " << result.expectations << " expectations\n";
    return;
  }
  std::cout << "FAILED  " << file << '\n';
  for (const ScenarioFailure& failure : result.failures) {
    if (failure.expected.empty()) {
      std::cout << file << ':' << failure.line << ": " << failure.got << '\n';
      continue;
    }
    std::cout << file << ':' << failure.line << ": " << failure.expected << "\n      got: " << failure.got << '\n';
    if (!failure.behind.empty()) std::cout << "   behind: " << failure.behind << '\n';
  }
}

void print_json_line(const std::string& file, const ScenarioResult& result) {
  nlohmann::ordered_json json = {{"file", file}, {"passed", result.passed()}, {"expectations", result.expectations}};
  json["failures"] = nlohmann::ordered_json::array();
  for (const ScenarioFailure& f : result.failures) {
    json["failures"].push_back({{"line", f.line}, {"expected", f.expected}, {"got", f.got}, {"behind", f.behind}});
  }
  std::cout << client::to_line(json) << '\n';
}

}  // namespace

void add_test(CLI::App& app, Context& context) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      add_command(app, context, "test", "runs scenario files and prints readable differences", [&context, files] {
        bool all = true;
        for (const std::string& file : *files) {
          std::ifstream in(file);
          if (!in) {
            complain("cannot read " + file + ": does it exist, and may you read it?");
            all = false;
            continue;
          }
          const std::string text{std::istreambuf_iterator<char>(in), {}};
          const ScenarioResult result = run_scenario(text, file);
          all = all && result.passed();
          if (context.json) {
            print_json_line(file, result);
          } else {
            print_text(file, result);
          }
        }
        return static_cast<int>(all ? exit_good : exit_failed);
      });
  command->add_option("SCENARIO", *files, "files to run")->required();
}

}  // namespace reach::ctl
