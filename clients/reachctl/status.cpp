// reachctl status: figures, objectives and open alerts, per segment.
#include <iostream>

#include "clients/reachctl/command.hpp"
#include "clients/reachctl/text.hpp"
#include "daemon/base/printable.hpp"

namespace reach::ctl {
namespace {

std::optional<double> optional_of(bool has, double value) {
  return has ? std::optional(value) : std::nullopt;
}

std::string service_level_text(const v1::Figures& f) {
  std::string text = percent_of(f.met(), f.met() + f.missed());
  if (f.unknown() > 0 && f.has_service_level_low() && f.has_service_level_high()) {
    text += ", " + percent(f.service_level_low()) + " to " + percent(f.service_level_high());
  }
  return text;
}

std::string reachability_text(const v1::Figures& f) {
  const std::int64_t ended = f.answered() + f.abandoned() + f.forwarded() - f.short_abandons();
  return f.has_reachability() ? percent_of(std::optional(f.reachability()), ended) : dash;
}

std::string abandoned_text(const v1::Figures& f) {
  std::string text = std::to_string(f.abandoned());
  if (f.short_abandons() > 0) text += " (" + std::to_string(f.short_abandons()) + " short)";
  return text;
}

std::string target_text(const v1::ObjectiveState& o, double value) {
  const std::string& figure = o.figure();
  if (figure.ends_with("_s")) return clock_text(value);
  if (figure == "waiting" || figure == "backlog" || figure == "overdue") return number(value);
  return percent(value);
}

std::string value_text(const v1::ObjectiveState& o) {
  if (!o.has_value()) return dash;
  if (target_text(o, o.value()).ends_with('%')) return percent_of(std::optional(o.value()), o.samples());
  return target_text(o, o.value());
}

/// Where nothing of work items is known, nothing of them is shown.
bool has_items(const v1::Figures& f) {
  return f.backlog() > 0 || f.items_received() > 0 || f.items_met() > 0 || f.items_missed() > 0;
}

std::string figures_table(const v1::Status& status) {
  Table table({"SEGMENT", "STATE", "SERVICE LEVEL", "REACHABILITY", ">OFFERED", ">ANSWERED", ">ABANDONED", ">FORWARDED",
               ">WAITING", ">LONGEST", ">ASA", ">AHT", "AGENTS"});
  for (const auto& s : status.segments()) {
    const v1::Figures& f = s.figures();
    table.add({s.id(), s.stale() ? "STALE" : s.calendar(), service_level_text(f), reachability_text(f),
               std::to_string(f.offered()), std::to_string(f.answered()), abandoned_text(f),
               std::to_string(f.forwarded()), std::to_string(f.waiting()),
               clock_text(optional_of(f.has_longest_wait_s(), f.longest_wait_s())),
               clock_text(optional_of(f.has_asa_s(), f.asa_s())), clock_text(optional_of(f.has_aht_s(), f.aht_s())),
               s.agents().known()
                   ? std::to_string(s.agents().available()) + " free of " + std::to_string(s.agents().logged_in())
                   : dash});
  }
  return table.text();
}

std::string items_table(const v1::Status& status) {
  Table table({"SEGMENT", "ON TIME", ">BACKLOG", ">OVERDUE", ">OLDEST", ">WORK", ">RECEIVED", ">COMPLETED"});
  for (const auto& s : status.segments()) {
    const v1::Figures& f = s.figures();
    if (!has_items(f)) continue;
    table.add({s.id(), percent_of(f.items_met(), f.items_met() + f.items_missed()), std::to_string(f.backlog()),
               std::to_string(f.overdue()), clock_text(optional_of(f.has_oldest_age_s(), f.oldest_age_s())),
               clock_text(optional_of(f.has_work_content_s(), f.work_content_s())), std::to_string(f.items_received()),
               std::to_string(f.items_completed())});
  }
  return table.empty() ? std::string() : "\n" + table.text();
}

std::string parts_table(const v1::SegmentState& s) {
  Table table({s.id(), "SERVICE LEVEL", ">OFFERED", ">ANSWERED", ">ABANDONED", ">FORWARDED", ">WAITING", ">ASA"});
  const auto add = [&](const std::string& kind, const auto& scopes) {
    for (const auto& scope : scopes) {
      const v1::Figures& f = scope.figures();
      table.add({kind + ' ' + scope.id(), service_level_text(f), std::to_string(f.offered()),
                 std::to_string(f.answered()), abandoned_text(f), std::to_string(f.forwarded()),
                 std::to_string(f.waiting()), clock_text(optional_of(f.has_asa_s(), f.asa_s()))});
    }
  };
  add("queue", s.queues());
  add("service", s.services());
  add("site", s.sites());
  return table.empty() ? std::string() : "\n" + table.text();
}

std::string objectives_table(const v1::Status& status) {
  Table table({"OBJECTIVE", "SEGMENT", "STATUS", "VALUE", "TARGET", "WINDOW"});
  for (const auto& s : status.segments()) {
    for (const auto& o : s.objectives()) {
      std::string state = o.status();
      if (state == "no_data") {
        state = "no data yet (" + std::to_string(o.samples()) + " of " + std::to_string(o.min_samples()) + ")";
      } else if (state == "at_risk") {
        state = "at risk";
      } else if (state == "breached") {
        state = "BREACHED";
      }
      table.add(
          {o.id(), s.id(), state, value_text(o), (o.at_most() ? "≤ " : "≥ ") + target_text(o, o.target()), o.window()});
    }
  }
  return table.empty() ? std::string() : "\n" + table.text();
}

std::string sources_table(const v1::Status& status) {
  Table table(
      {"SOURCE", "STATE", "LAST HEARD", ">EVENTS", ">LATE", ">CORRECTED", ">INFERRED", ">CONTRADICTIONS", ">LOST"});
  for (const auto& s : status.sources()) {
    table.add({s.id(), s.state(), local_time_ns(s.last_heard_ns()), std::to_string(s.events()),
               std::to_string(s.late()), std::to_string(s.corrected()), std::to_string(s.inferred()),
               std::to_string(s.contradictions()), std::to_string(s.events_lost())});
  }
  return table.empty() ? std::string() : "\n" + table.text();
}

/// When figures were incomplete because events came late, a sentence a line; empty: never.
std::string behind_text(const v1::Status& status) {
  std::string text;
  const auto add = [&text](const std::string& who, const v1::Behind& behind) {
    if (behind.events() == 0) return;
    text += who + " from " + local_time_ns(behind.from_ns()) + " to " + local_time_ns(behind.to_ns()) +
            (behind.until_ns() == 0 ? " are incomplete: "
                                    : " were incomplete until " + local_time_ns(behind.until_ns()) + ": ") +
            std::to_string(behind.events()) + " events came late\n";
  };
  add("All figures", status.behind());
  for (const auto& source : status.sources()) add("Figures of source " + source.id(), source.behind());
  return text.empty() ? text : "\n" + text;
}

}  // namespace

std::string alert_text(const v1::Alert& a) {
  std::string text = local_time_ns(a.changed_ns()) + "  " + a.state();
  if (a.stale()) text += ", stale";
  if (a.corrected()) text += ", corrected";
  text += "  " + (a.segment().empty() ? a.subject() : a.segment()) + "  " + a.kind() + "  " + a.summary();
  if (!a.help().empty()) text += " " + a.help();
  if (a.has_acknowledged()) {
    text += "  [taken by " + a.acknowledged().by() + ": " + a.acknowledged().note() + "]";
  }
  return printable(text + "  " + a.id());
}

std::string status_text(const v1::Status& status, bool details) {
  std::string out = local_time_ns(status.time_ns());
  if (status.has_period()) {
    out +=
        "  figures from " + local_time_ns(status.period().from_ns()) + " to " + local_time_ns(status.period().to_ns());
    if (status.period().partial()) out += " (not over yet)";
  } else if (status.segments_size() > 0) {
    out += "  figures: " + status.segments(0).window();
  }
  out += "\n\n" + figures_table(status) + items_table(status) + objectives_table(status);
  out += behind_text(status);
  std::string alerts;
  for (const auto& s : status.segments()) {
    for (const auto& a : s.alerts()) alerts += alert_text(a) + '\n';
    if (s.stale()) alerts += printable(s.id() + " is stale: " + s.stale_reason()) + '\n';
  }
  if (!alerts.empty()) out += '\n' + alerts;
  if (details) {
    for (const auto& s : status.segments()) out += parts_table(s);
  }
  out += sources_table(status);
  for (const auto& queue : status.unrouted()) {
    out += "\nQueue " + printable(queue.id()) + " belongs to no segment: " + std::to_string(queue.events()) +
           " events; name it in a segment's queues.";
  }
  if (status.unrouted_size() > 0) out += '\n';
  if (status.outside_catalogue() > 0) {
    out += "\nOutside the service catalogue: " + std::to_string(status.outside_catalogue()) + " contacts.\n";
  }
  return out;
}

void add_status(CLI::App& app, Context& context) {
  struct Options {
    std::string segment, window;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, context, "status", "figures, objectives and open alerts, per segment", [&context, options] {
        if (!context.resolve_endpoints()) return static_cast<int>(exit_configuration);
        v1::Request request;
        request.mutable_snapshot()->set_segment(options->segment);
        request.mutable_snapshot()->set_window(options->window);
        v1::Reply reply;
        int failed = 0;
        if (!ask(context, request, reply, failed)) return failed;
        if (context.json) {
          print_json(reply.snapshot().status());
        } else {
          std::cout << status_text(reply.snapshot().status(), !options->segment.empty());
        }
        return static_cast<int>(exit_good);
      });
  command->add_option("SEGMENT", options->segment, "only this one, with its queues, services and sites");
  command->add_option("--window", options->window,
                      "of the figures: 30m, 2h …, interval, hour, day (default), week or month");
}

}  // namespace reach::ctl
