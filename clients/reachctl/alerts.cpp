// reachctl alerts and ack: what is open, what changes, and taking one.
#include "clients/reachctl/alerts.hpp"

#include <pwd.h>
#include <unistd.h>

#include <iostream>
#include <utility>

#include "clients/library/json.hpp"
#include "clients/library/query.hpp"
#include "clients/library/subscriber.hpp"
#include "clients/reachctl/command.hpp"
#include "clients/reachctl/text.hpp"
#include "daemon/base/time.hpp"

namespace reach::ctl {

std::vector<v1::Alert> FollowedAlerts::pick(const v1::Alerts& alerts) {
  std::vector<v1::Alert> picked;
  if (std::exchange(began_, true)) return picked;
  for (const v1::Alert& alert : alerts.alerts()) {
    first_.insert(revision_of(alert));
    if (is_wanted(alert) && (all_ || alert.state() != "resolved")) picked.push_back(alert);
  }
  return picked;
}

bool FollowedAlerts::pick(const v1::Alert& alert) {
  return first_.erase(revision_of(alert)) == 0 && is_wanted(alert);
}

namespace {

void print(const Context& context, const v1::Alert& alert) {
  if (context.json) {
    print_json(alert);
  } else {
    std::cout << alert_text(alert) << '\n' << std::flush;
  }
}

int follow(const Context& context, FollowedAlerts followed) {
  client::block_signals();
  client::SubscriberOptions options;
  options.publish_endpoint = context.publish_endpoint;
  options.query_endpoint = context.endpoint;
  options.keys = context.keys;
  client::SubscriberCalls calls;
  calls.alerts = [&](const v1::Alerts& alerts) {
    for (const v1::Alert& alert : followed.pick(alerts)) print(context, alert);
  };
  calls.alert = [&](const v1::Alert& alert) {
    if (followed.pick(alert)) print(context, alert);
  };
  calls.alerts_lost = [](const client::AlertsLost& lost) {
    std::string over;
    for (const std::string& id : lost.over) over += (over.empty() ? "; over are " : " ") + id;
    complain("alerts between " + to_rfc3339(time_from_ns(static_cast<std::int64_t>(lost.from_ns))) + " and " +
             to_rfc3339(time_from_ns(static_cast<std::int64_t>(lost.to_ns))) +
             " may be missing: more came and went than reachd remembers" + over);
  };
  calls.connection = [](bool connected, const std::string& why) {
    if (!connected) complain(why + "; trying on");
  };
  const client::Subscriber subscriber(options, calls);
  while (client::wait_signal(3600) == 0) {
  }
  return exit_good;
}

}  // namespace

void add_alerts(CLI::App& app, Context& context) {
  struct Options {
    bool follow = false, all = false;
    std::string segment;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, context, "alerts", "the alerts that are open", [&context, options] {
    if (!context.resolve_endpoints()) return static_cast<int>(exit_configuration);
    v1::Request request;
    request.mutable_alerts()->set_all(options->all);
    request.mutable_alerts()->set_segment(options->segment);
    v1::Reply reply;
    int failed = 0;
    if (!ask(context, request, reply, failed)) return failed;
    // That it answers, and knows the segment, is enough here: what happens from now on must not fall into a gap.
    if (options->follow) return follow(context, {options->segment, options->all});
    if (context.json) {
      print_json(reply.alerts());
      return static_cast<int>(exit_good);
    }
    for (const auto& alert : reply.alerts().alerts()) print(context, alert);
    if (reply.alerts().alerts().empty()) std::cout << "No alerts.\n";
    return static_cast<int>(exit_good);
  });
  command->add_option("SEGMENT", options->segment, "only of this one");
  command->add_flag("--follow", options->follow, "then every change as it happens, until interrupted");
  command->add_flag("--all", options->all, "also the resolved ones that are still remembered");
}

void add_ack(CLI::App& app, Context& context) {
  struct Options {
    std::string alert, note, by, until;
  };
  auto options = std::make_shared<Options>();
  if (const passwd* user = getpwuid(geteuid())) options->by = user->pw_name;
  CLI::App* command =
      add_command(app, context, "ack", "takes an alert, so that the next person knows", [&context, options] {
        if (!context.resolve_endpoints()) return static_cast<int>(exit_configuration);
        v1::Request request;
        auto& ack = *request.mutable_acknowledge();
        ack.set_alert(options->alert);
        ack.set_note(options->note);
        ack.set_by(options->by);
        if (!options->until.empty()) {
          const auto until = parse_rfc3339(options->until);
          if (!until) {
            complain("--until \"" + options->until +
                     "\" is no time; expected is RFC 3339, like 2026-11-23T11:30:00+01:00");
            return static_cast<int>(exit_usage);
          }
          ack.set_until_ns(static_cast<std::uint64_t>(ns_of(*until)));
        }
        v1::Reply reply;
        int failed = 0;
        if (!ask(context, request, reply, failed)) return failed;
        print(context, reply.acknowledged());
        return static_cast<int>(exit_good);
      });
  command->add_option("ALERT", options->alert, "its id, the last word of a line of `reachctl alerts`")->required();
  command->add_option("--note", options->note, "what is being done about it")->required();
  command->add_option("--by", options->by, "who takes it (default: your user name)");
  command->add_option("--until", options->until, "RFC 3339; default: until it resolves");
}

}  // namespace reach::ctl
