#include "clients/reachctl/command.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "clients/library/json.hpp"
#include "clients/library/query.hpp"
#include "daemon/base/printable.hpp"
#include "daemon/settings/settings.hpp"

namespace reach::ctl {

CLI::App* add_command(CLI::App& app, Context& context, const std::string& name, const std::string& description,
                      std::function<int()> body) {
  CLI::App* command = app.add_subcommand(name, description);
  command->fallthrough();
  command->callback([&context, body = std::move(body)] { context.run = body; });
  return command;
}

bool Context::resolve_endpoints() {
  settings::DaemonSettings daemon;
  if (!config.empty()) {
    const settings::Loaded loaded = settings::load(config);
    for (const auto& problem : loaded.problems) std::cerr << settings::render(problem) << '\n';
    if (!loaded.good()) return false;
    daemon = loaded.daemon;
  }
  if (endpoint.empty()) endpoint = daemon.query;
  if (publish_endpoint.empty()) publish_endpoint = daemon.publish;
  if (ingest_endpoint.empty()) ingest_endpoint = daemon.ingest;
  try {
    keys = client::read_keys(key_files);
  } catch (const client::KeyFileProblem& problem) {
    complain(problem.what());
    return false;
  }
  return true;
}

bool ask(const Context& context, const v1::Request& request, v1::Reply& reply, int& failed) {
  try {
    reply = client::Query(context.endpoint, client::Query::usual_timeout, context.keys).ask(request);
  } catch (const client::NotReachable& error) {
    complain(error.what());
    failed = exit_not_reachable;
    return false;
  } catch (const std::invalid_argument& error) {  // no endpoint at all
    complain(error.what());
    failed = exit_usage;
    return false;
  }
  if (reply.has_error()) {
    complain(reply.error().message());
    failed = exit_failed;
    return false;
  }
  return true;
}

void print_json(const google::protobuf::Message& message) {
  std::cout << client::to_line(client::to_json(message)) << '\n' << std::flush;
}

void complain(const std::string& sentence) {
  std::cerr << "reachctl: " << printable(sentence) << '\n';
}

bool stop_requested() {
  return client::wait_signal(0) != 0;
}

}  // namespace reach::ctl
