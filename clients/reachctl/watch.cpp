// reachctl watch: the board, live; once and as plain text where nobody sits before it.
#include <unistd.h>

#include <iostream>
#include <mutex>

#include "clients/library/subscriber.hpp"
#include "clients/reachctl/board.hpp"
#include "clients/reachctl/command.hpp"
#include "clients/reachctl/screen.hpp"

namespace reach::ctl {
namespace {

Time wall_time() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

int print_once(const Context& context) {
  v1::Request whole, open_alerts;
  whole.mutable_snapshot();
  open_alerts.mutable_alerts();
  v1::Reply snapshot, alerts;
  int failed = 0;
  if (!ask(context, whole, snapshot, failed) || !ask(context, open_alerts, alerts, failed)) return failed;
  if (context.json) {
    print_json(snapshot.snapshot());
    return exit_good;
  }
  Board board;
  board.take(snapshot.snapshot(), wall_time());
  board.take(alerts.alerts());
  board.set_connection(true, {});
  for (const Line& line : board.lines(wall_time(), 200)) {
    std::string text;
    for (const Span& span : line) text += span.text;
    text.erase(text.find_last_not_of(' ') + 1);
    std::cout << text << '\n';
  }
  return exit_good;
}

int watch(const Context& context) {
  client::block_signals();  // the terminal is put right before the end
  std::mutex mutex;         // guards board
  Board board;
  client::SubscriberOptions options;
  options.publish_endpoint = context.publish_endpoint;
  options.query_endpoint = context.endpoint;
  options.keys = context.keys;
  client::SubscriberCalls calls;
  const auto timed = [&](const auto& value) {
    const std::lock_guard lock(mutex);
    board.take(value, wall_time());
  };
  const auto simple = [&](const auto& value) {
    const std::lock_guard lock(mutex);
    board.take(value);
  };
  calls.snapshot = timed;
  calls.segment = timed;
  calls.alerts = simple;
  calls.alert = simple;
  calls.staffing = simple;
  calls.source = simple;
  calls.connection = [&](bool connected, const std::string& why) {
    const std::lock_guard lock(mutex);
    board.set_connection(connected, why);
  };
  Screen screen;
  const client::Subscriber subscriber(options, calls);
  while (!stop_requested()) {
    std::vector<Line> lines;
    {
      const std::lock_guard lock(mutex);
      lines = board.lines(wall_time(), screen.width());
    }
    screen.draw(lines, "q quits    ✔ met  ▲ at risk  ✖ breached  ? stale  · no data yet  ○ closed");
    const int key = screen.key(250);  // four times a second: waits tick, and news is there soon enough for an eye
    if (key == 'q' || key == 'Q' || key == 27) break;
  }
  return exit_good;
}

}  // namespace

void add_watch(CLI::App& app, Context& context) {
  auto once = std::make_shared<bool>(false);
  CLI::App* command = add_command(app, context, "watch", "full-screen terminal board, updates live", [&context, once] {
    if (!context.resolve_endpoints()) return static_cast<int>(exit_configuration);
    const bool terminal = isatty(STDOUT_FILENO) != 0 && isatty(STDIN_FILENO) != 0;
    return *once || context.json || !terminal ? print_once(context) : watch(context);
  });
  command->add_flag("--once", *once, "print the board once as plain text (always so where stdout is no terminal)");
}

}  // namespace reach::ctl
