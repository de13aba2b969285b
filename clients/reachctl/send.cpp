// reachctl send: JSON lines on stdin to acknowledged events.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

#include "clients/library/json.hpp"
#include "clients/library/sender.hpp"
#include "clients/reachctl/command.hpp"
#include "clients/reachctl/patience.hpp"
#include "daemon/base/time.hpp"

namespace reach::ctl {
namespace {

using Wall = std::chrono::system_clock;

struct Options {
  std::string source;
  double speed = 0;  // 0: as fast as it goes
  bool rebase = false;
  double timeout_s = 30;
};

std::chrono::milliseconds timeout_of(const Options& options) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_s * 1000));
}

Time wall_time() {
  return std::chrono::time_point_cast<Duration>(Wall::now());
}
Time time_of(const v1::Event& event) {
  return time_from_ns(static_cast<std::int64_t>(event.time_ns()));
}

/// Moves every instant of an event by the same span.
void move_by(v1::Event& event, Duration by) {
  const auto moved = [by](std::uint64_t ns) {
    return ns == 0 ? 0 : static_cast<std::uint64_t>(static_cast<std::int64_t>(ns) + by.count());
  };
  event.set_time_ns(moved(event.time_ns()));
  if (event.has_received()) {
    event.mutable_received()->set_due_ns(moved(event.received().due_ns()));
    event.mutable_received()->set_received_ns(moved(event.received().received_ns()));
  }
  if (event.has_due_changed()) event.mutable_due_changed()->set_due_ns(moved(event.due_changed().due_ns()));
}

/// Sleeps until `t`; false if the signal to end came.
bool wait_until(Time t) {
  const double seconds = seconds_of(t - wall_time());
  return (seconds <= 0 ? client::wait_signal(0) : client::wait_signal(seconds)) == 0;
}

/// Reads events from stdin; counts the lines that are none and tells of the first ten.
class Lines {
 public:
  bool next(v1::Event& event) {
    while (wait_for_input() && std::getline(std::cin, line_)) {
      ++number_;
      if (line_.find_first_not_of(" \t\r") == std::string::npos) continue;
      const auto problem = client::from_json_line(line_, event);
      if (!problem) return true;
      if (++bad_ <= 10) complain("line " + std::to_string(number_) + ": " + *problem);
    }
    return false;
  }
  [[nodiscard]] std::uint64_t bad() const { return bad_; }

 private:
  /// False when the signal to end comes first.
  static bool wait_for_input() {
    while (std::cin.rdbuf()->in_avail() <= 0) {
      pollfd input{STDIN_FILENO, POLLIN, 0};
      if (poll(&input, 1, 100) > 0) return true;
      if (stop_requested()) return false;
    }
    return true;
  }

  std::string line_;
  std::uint64_t number_ = 0, bad_ = 0;
};

/// Hands over events one by one; false when the signal to end came, or nobody takes them.
class Posting {
 public:
  Posting(client::Sender& sender, const Options& options) : sender_(sender), options_(options) {}

  bool post(v1::Event& event) {
    if (options_.speed > 0) {
      const Time at = time_of(event);
      if (!first_) first_ = at;
      const auto after = static_cast<double>((at - *first_).count()) / options_.speed;
      if (!wait_until(begin_ + Duration(static_cast<std::int64_t>(after)))) return false;
      if (options_.rebase) move_by(event, wall_time() - at);
    } else if (sent_ % 1000 == 0) {
      if (stop_requested()) return false;
      if (!let_it_keep_up()) return false;
    }
    sender_.post(event);
    ++sent_;
    return true;
  }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  /// The spool is the only bound on what waits here. False: no use to wait any longer.
  bool let_it_keep_up() {
    Patience patience(timeout_of(options_), std::chrono::steady_clock::now());
    for (;;) {
      const client::SenderState state = sender_.state();
      if (state.pending <= 100'000) return true;
      if (state.refused || patience.ended(state.connected, std::chrono::steady_clock::now())) return false;
      if (client::wait_signal(0.01) != 0) return false;
    }
  }

  client::Sender& sender_;
  const Options& options_;
  const Time begin_ = wall_time();
  std::optional<Time> first_;
  std::uint64_t sent_ = 0;
};

void post_all(Lines& lines, Posting& posting, const Options& options) {
  v1::Event event;
  if (!options.rebase || options.speed > 0) {
    while (lines.next(event) && posting.post(event)) {
    }
    return;
  }
  // Moved to now means: the last of them happens now, the others as long before as they did.
  std::vector<v1::Event> events;
  Time last{};
  while (lines.next(event)) {
    last = std::max(last, time_of(event));
    events.push_back(event);
  }
  const Duration by = wall_time() - last;
  for (v1::Event& one : events) {
    move_by(one, by);
    if (!posting.post(one)) return;
  }
}

int send(const Context& context, const Options& options) {
  client::block_signals();  // an interrupted sending still waits for its acknowledgements
  client::SenderOptions with;
  with.endpoint = context.ingest_endpoint;
  with.keys = context.keys;
  with.source = options.source;
  with.software = std::string("reachctl ") + client::version;
  with.resumes = false;  // killed, it does not come back: nobody should wait for it
  // Lines may hold any event: a figure that the lines never feed is the writer's choice.
  with.capabilities = {"calls", "agents", "wrap_up", "ringing", "rejected", "items", "held"};
  const auto epoch = static_cast<std::uint64_t>(ns_of(wall_time()));
  std::optional<client::Sender> sender;
  try {
    sender.emplace(with, client::memory_spool(epoch), complain);
  } catch (const std::invalid_argument& error) {
    complain(error.what());
    return exit_usage;
  }
  Lines lines;
  Posting posting(*sender, options);
  post_all(lines, posting, options);
  // Who is not let in now is not waited for: that does not change by itself.
  constexpr auto slice = std::chrono::milliseconds(100);
  bool all = false;
  for (auto left = timeout_of(options); !all && left.count() > 0 && !sender->state().refused; left -= slice) {
    all = sender->drain(std::min(left, slice));
  }
  const client::SenderState state = sender->state();
  if (lines.bad() > 10) complain(std::to_string(lines.bad() - 10) + " more lines could not be read");
  if (context.json) {
    const nlohmann::ordered_json json = {{"source", options.source},
                                         {"sent", posting.sent()},
                                         {"acknowledged", state.acknowledged},
                                         {"bad_lines", lines.bad()},
                                         {"lost", state.lost}};
    std::cout << client::to_line(json) << '\n';
  } else {
    std::cout << state.acknowledged << " of " << posting.sent() << " events acknowledged";
    if (lines.bad() > 0)
      std::cout << ", " << lines.bad() << (lines.bad() == 1 ? " line" : " lines") << " could not be read";
    std::cout << '\n';
  }
  if (!all) {
    complain(
        std::to_string(state.pending) + " events were not acknowledged" +
        (state.refused ? ": " : " within " + std::to_string(static_cast<std::int64_t>(options.timeout_s)) + " s: ") +
        (state.last_problem.empty() ? "reachd does not answer at " + with.endpoint : state.last_problem));
    return state.acknowledged == 0 && !state.connected ? exit_not_reachable : exit_failed;
  }
  return lines.bad() > 0 || state.lost > 0 ? exit_failed : exit_good;
}

}  // namespace

void add_send(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, context, "send", "JSON lines on stdin to acknowledged events", [&context, options] {
        // The socket this command talks to is the ingest one.
        if (context.ingest_endpoint.empty()) context.ingest_endpoint = context.endpoint;
        if (!context.resolve_endpoints()) return static_cast<int>(exit_configuration);
        return send(context, *options);
      });
  command->add_option("--source", options->source, "name of the source the events are sent as")->required();
  command->add_option("--speed", options->speed, "times faster than they happened: 1 as they did (default: at once)")
      ->check(CLI::PositiveNumber);
  command->add_flag("--rebase", options->rebase,
                    "move the times so that the last event happens now; at a --speed, every event when it is sent");
  command->add_option("--timeout", options->timeout_s, "seconds to wait for the last acknowledgement")
      ->capture_default_str();
}

}  // namespace reach::ctl
