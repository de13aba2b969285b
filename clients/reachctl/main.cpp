// reachctl: the command line for supervisors, operators and scripts.
#include <exception>
#include <iostream>

#include "clients/reachctl/command.hpp"

int main(int argc, char** argv) {
  using namespace reach::ctl;
  std::ios::sync_with_stdio(false);  // replays read and write a lot
  CLI::App app("Asks, follows and feeds reachd; replays and tests without it.", "reachctl");
  Context context;
  context.common.add_to(app);
  app.add_flag("--json", context.json, "one JSON object, or one a line where several follow");
  app.add_option("--config", context.config,
                 "a configuration of reachd: its endpoints; of replay: what is replayed with");
  app.add_option("--endpoint", context.endpoint,
                 "the socket that the command talks to: query (default tcp://127.0.0.1:5572), of send: ingest");
  app.add_option("--publish-endpoint", context.publish_endpoint, "publish endpoint (default tcp://127.0.0.1:5571)");
  app.add_option("--ingest-endpoint", context.ingest_endpoint, "ingest endpoint (default tcp://127.0.0.1:5570)");
  context.key_files.add_to(app);
  app.require_subcommand(1);
  app.fallthrough();  // the options above may follow the command
  app.footer("Exit codes: 0 good, 1 failed, 64 wrong usage, 69 reachd not reachable, 78 bad configuration.");
  add_status(app, context);
  add_watch(app, context);
  add_alerts(app, context);
  add_ack(app, context);
  add_staffing(app, context);
  add_send(app, context);
  add_replay(app, context);
  add_log(app, context);
  add_keygen(app, context);
  add_test(app, context);
  if (const int code = reach::client::parse(app, argc, argv); code >= 0) return code;
  context.common.start("reachctl");
  try {
    return context.run();
  } catch (const std::exception& error) {
    complain(error.what());
    return exit_failed;
  }
}
