// reachctl staffing: the daemon's recommendations; staffing calc: the same formulas on given numbers.
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "clients/library/json.hpp"
#include "clients/reachctl/command.hpp"
#include "clients/reachctl/text.hpp"
#include "daemon/staffing/calc.hpp"

namespace reach::ctl {
namespace {

std::string count_or_dash(bool has, std::int64_t value) {
  return has ? std::to_string(value) : dash;
}

std::string staffing_text(const v1::StaffingList& list) {
  std::string out;
  for (const auto& pool : list.pools()) {
    Table table({"POOL " + pool.pool(), "INTERVAL", ">NEEDED", ">THERE", ">GAP", ">SCHEDULE", ">CALLS", ">ITEMS",
                 ">LEVEL NOW", ">LEVEL THEN", "WHY"});
    for (const auto& r : pool.recommendations()) {
      const auto level = [](bool has, const v1::Expected& e) {
        return has && e.has_service_level() ? percent(e.service_level()) : std::string(dash);
      };
      table.add({r.segment().empty() ? "all" : r.segment(), local_time_ns(r.interval_start_ns(), false),
                 count_or_dash(r.has_required(), r.required()), count_or_dash(r.has_available(), r.available()),
                 count_or_dash(r.has_gap(), r.gap()), count_or_dash(r.has_scheduled(), r.scheduled()),
                 count_or_dash(r.has_for_calls(), r.for_calls()), count_or_dash(r.has_for_items(), r.for_items()),
                 level(r.has_at_current(), r.at_current()), level(r.has_at_required(), r.at_required()), r.reason()});
    }
    if (!out.empty()) out += '\n';
    out += table.text();
  }
  return out.empty() ? "No pools.\n" : out;
}

int show(Context& context, const std::string& pool) {
  if (!context.resolve_endpoints()) return exit_configuration;
  v1::Request request;
  request.mutable_staffing()->set_pool(pool);
  v1::Reply reply;
  int failed = 0;
  if (!ask(context, request, reply, failed)) return failed;
  if (context.json) {
    print_json(reply.staffing());
  } else {
    std::cout << staffing_text(reply.staffing());
  }
  return exit_good;
}

nlohmann::ordered_json finite(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

int calculate(const Context& context, const staffing::CalcOptions& options) {
  const staffing::CalcAnswer answer = staffing::calc(options);
  for (const std::string& error : answer.errors) complain(error);
  if (!answer.result) return answer.wrong_usage ? exit_usage : exit_failed;
  const staffing::CalcResult& r = *answer.result;
  if (context.json) {
    const nlohmann::ordered_json json = {{"agents", r.agents},
                                         {"model", r.model},
                                         {"service_level", finite(r.service_level)},
                                         {"asa_s", finite(r.asa_s)},
                                         {"p_wait", finite(r.p_wait)},
                                         {"p_abandon", finite(r.p_abandon)},
                                         {"occupancy", finite(r.occupancy)},
                                         {"scheduled", r.scheduled}};
    std::cout << client::to_line(json) << '\n';
    return exit_good;
  }
  std::cout << "agents         " << r.agents << "  (scheduled " << r.scheduled << ")\n"
            << "service level  " << percent(r.service_level) << " answered within " << number(options.within_s)
            << " s\n"
            << "mean wait      " << (std::isfinite(r.asa_s) ? number(r.asa_s) + " s" : "grows without end") << "\n"
            << "have to wait   " << percent(r.p_wait) << "\n"
            << "give up        " << percent(r.p_abandon) << "\n"
            << "occupancy      " << percent(r.occupancy) << "\n"
            << "model          " << r.model << "\n";
  return exit_good;
}

}  // namespace

void add_staffing(CLI::App& app, Context& context) {
  auto pool = std::make_shared<std::string>();
  CLI::App* command = add_command(app, context, "staffing", "how many people are needed now, and why", {});
  command->add_option("POOL", *pool, "only this one");

  auto options = std::make_shared<staffing::CalcOptions>();
  CLI::App* calc = command->add_subcommand("calc", "the same formulas on given numbers; needs no daemon");
  calc->fallthrough();
  calc->add_option("--arrivals-per-hour", options->arrivals_per_hour, "calls an hour")->required();
  calc->add_option("--aht", options->aht_s, "mean handling time in seconds: talk, hold and wrap-up")->required();
  calc->add_option("--patience", options->patience_s, "mean patience in seconds (default: nobody gives up)");
  calc->add_option("--within", options->within_s, "seconds within which a call is answered in time")->required();
  auto* goal = calc->add_option_group("goal");
  goal->add_option("--service-level", options->service_level, "find the least agents for this ratio, like 0.8");
  goal->add_option("--agents", options->agents, "say what so many agents reach");
  goal->require_option(1);
  calc->add_option("--max-occupancy", options->max_occupancy, "ratio of busy time not to be passed");
  calc->add_option("--shrinkage", options->shrinkage, "share of paid time not available, like 0.3");
  command->callback([&context, pool, options, calc] {
    context.run = [&context, pool, options, calculating = calc->parsed()] {
      return calculating ? calculate(context, *options) : show(context, *pool);
    };
  });
}

}  // namespace reach::ctl
