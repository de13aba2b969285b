// What the commands of reachctl share. One file a command; each adds itself to the command line.
#pragma once
#include <google/protobuf/message.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "clients/library/keys.hpp"
#include "clients/library/program.hpp"
#include "reachd/v1/query.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::ctl {

using client::exit_configuration;
using client::exit_failed;
using client::exit_good;
using client::exit_not_reachable;
using client::exit_usage;

/// Options that every command has, and what is to run once the command line is read.
struct Context {
  client::CommonOptions common;
  bool json = false;
  std::string config;    ///< the endpoints of this configuration, where none is given
  std::string endpoint;  ///< query; empty: of the configuration, or the default
  std::string publish_endpoint;
  std::string ingest_endpoint;
  client::KeyFiles key_files;
  client::ClientKeys keys;  ///< after resolve_endpoints()
  std::function<int()> run;

  /// Fills the endpoints that are still empty and reads the keys. Returns false after telling what is wrong with the
  /// configuration or the keys.
  [[nodiscard]] bool resolve_endpoints();
};

/// Adds a command that runs `body` and returns the exit code.
CLI::App* add_command(CLI::App& app, Context& context, const std::string& name, const std::string& description,
                      std::function<int()> body);

void add_status(CLI::App& app, Context& context);
void add_watch(CLI::App& app, Context& context);
void add_alerts(CLI::App& app, Context& context);
void add_ack(CLI::App& app, Context& context);
void add_keygen(CLI::App& app, Context& context);
void add_send(CLI::App& app, Context& context);
void add_staffing(CLI::App& app, Context& context);
void add_replay(CLI::App& app, Context& context);
void add_log(CLI::App& app, Context& context);
void add_test(CLI::App& app, Context& context);

/// Asks the daemon; nullopt-like: on failure tells why on stderr and returns the exit code in `failed`.
[[nodiscard]] bool ask(const Context& context, const v1::Request& request, v1::Reply& reply, int& failed);

/// Prints one JSON object on one line to stdout.
void print_json(const google::protobuf::Message& message);
/// Prints a sentence to stderr, "reachctl: " before it.
void complain(const std::string& sentence);
/// The signal to end was given (SIGINT, SIGTERM): commands that go on until then, and have blocked the signals
/// (client::block_signals), ask between two steps. All others end at once by the signal itself.
[[nodiscard]] bool stop_requested();

/// Blocks with text for people, used by `status` and `replay`.
[[nodiscard]] std::string status_text(const v1::Status& status, bool details);
[[nodiscard]] std::string alert_text(const v1::Alert& alert);

}  // namespace reach::ctl
