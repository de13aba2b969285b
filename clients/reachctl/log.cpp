// reachctl log: what is wrong with a daemon's event log, and what is in it.
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "clients/library/json.hpp"
#include "clients/reachctl/command.hpp"
#include "daemon/log/segments.hpp"
#include "daemon/log/verify.hpp"
#include "daemon/replica/replica.hpp"
#include "daemon/settings/settings.hpp"

namespace reach::ctl {
namespace {

struct Options {
  std::string directory, from, to;
  bool records = false;
};

/// The directory that was named, or that of the configuration, or the default. Empty after telling what is wrong.
std::string directory_of(const Context& context, const Options& options) {
  if (!options.directory.empty()) return options.directory;
  if (context.config.empty()) return settings::DaemonSettings{}.log_directory;
  const settings::Loaded loaded = settings::load(context.config);
  for (const auto& problem : loaded.problems) std::cerr << settings::render(problem) << '\n';
  return loaded.good() ? loaded.daemon.log_directory : std::string();
}

int verify(const Context& context, const Options& options) {
  const std::string directory = directory_of(context, options);
  if (directory.empty()) return exit_configuration;
  const auto disk = log::local_disk_read_only(directory);
  const log::Inspection found = log::inspect(*disk);
  bool damaged = false;
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const log::Finding& each : found.findings) {
    damaged = damaged || each.is_damage();
    nlohmann::ordered_json json = {{"kind", log::to_text(each.kind)},
                                   {"file", each.file.empty() ? "" : directory + "/" + each.file},
                                   {"offset", each.offset},
                                   {"lost_from", nullptr},
                                   {"lost_to", nullptr},
                                   {"what", each.what},
                                   {"advice", each.advice}};
    if (each.lost_from > 0) {
      json["lost_from"] = each.lost_from;
      json["lost_to"] = each.lost_to;
    }
    findings.push_back(std::move(json));
  }
  if (context.json) {
    std::cout << client::to_line({{"directory", directory},
                                  {"good", !damaged},
                                  {"first", found.first},
                                  {"last", found.last},
                                  {"files", found.segments},
                                  {"bytes", found.bytes},
                                  {"snapshots", found.snapshots},
                                  {"findings", std::move(findings)}})
              << '\n';
    return damaged ? exit_failed : exit_good;
  }
  for (const log::Finding& each : found.findings) {
    std::cout << log::to_text(each.kind) << ": " << directory;
    if (!each.file.empty()) std::cout << '/' << each.file;
    if (each.offset > 0) std::cout << " at offset " << each.offset;
    std::cout << "\n  " << each.what << ".\n  To do: " << each.advice << ".\n";
  }
  if (found.segments == 0) {
    std::cout << directory << ": no event log files\n";
  } else {
    std::cout << directory << ": records " << found.first << " to " << found.last << " in " << found.segments
              << (found.segments == 1 ? " file" : " files") << " (" << found.bytes << " bytes), " << found.snapshots
              << (found.snapshots == 1 ? " snapshot: " : " snapshots: ") << (damaged ? "DAMAGED" : "good") << '\n';
  }
  return damaged ? exit_failed : exit_good;
}

/// What is in one record, for people and scripts; events in the shape that `send` and `replay` read.
void print_record(log::Lsn number, std::string_view bytes, bool records) {
  static v1::LogRecord record;
  if (bytes.empty() || !record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    if (records) std::cout << client::to_line({{"record", number}, {"lost", true}}) << '\n';
    return;
  }
  if (!records) {
    if (!record.has_batch()) return;
    for (v1::Event& event : *record.mutable_batch()->mutable_events()) {
      if (event.source().empty()) event.set_source(record.batch().source());
      event.set_time_ns(event.time_ns() - static_cast<std::uint64_t>(record.clock_offset_ns()));
      std::cout << client::to_json_line(event) << '\n';
    }
    return;
  }
  nlohmann::ordered_json json = {{"record", number}};
  json.update(client::to_json(record));
  std::cout << client::to_line(json) << '\n';
}

int export_events(const Context& context, const Options& options) {
  const std::string directory = directory_of(context, options);
  if (directory.empty()) return exit_configuration;
  std::optional<Time> from, to;
  for (const auto& [text, time] : {std::pair{&options.from, &from}, std::pair{&options.to, &to}}) {
    if (text->empty()) continue;
    *time = parse_rfc3339(*text);
    if (*time) continue;
    complain("\"" + *text + "\" is no time; expected is RFC 3339, like 2026-11-23T11:30:00+01:00");
    return exit_usage;
  }
  const std::shared_ptr<log::Disk> disk = log::local_disk_read_only(directory);
  const log::Segments log(disk, 1, log::Tail::leave);
  const std::vector<log::SegmentFile> files = log::segment_files(*disk);
  if (files.empty()) {
    complain(directory + " has no event log files");
    return exit_failed;
  }
  v1::LogRecord record;
  log::read_records(*disk, files.front().first, log.durable(), [&](log::Lsn number, std::string_view bytes) {
    if (from || to) {
      if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
      const Time at = wire::received_of(record);
      if ((from && at < *from) || (to && at >= *to)) return;
    }
    print_record(number, bytes, options.records);
  });
  std::cout.flush();
  return std::cout ? exit_good : exit_failed;
}

}  // namespace

void add_log(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* log = app.add_subcommand("log", "checks or exports the daemon's event log; beside a running daemon, too");
  log->require_subcommand(1);
  log->fallthrough();
  const auto add = [&](const char* name, const char* description, auto body) {
    CLI::App* command = log->add_subcommand(name, description);
    command->fallthrough();
    command->add_option("DIRECTORY", options->directory, "the log's; default: of --config, or /var/lib/reachd/log");
    command->callback(
        [&context, options, body] { context.run = [&context, options, body] { return body(context, *options); }; });
    return command;
  };
  add("verify", "says what is damaged or missing, what is lost by it and what to do; exit code 1 if anything is",
      verify);
  CLI::App* command = add("export", "the events as JSON lines, as `send` and `replay` read them", export_events);
  command->add_option("--from", options->from, "RFC 3339: only what was received from this time on");
  command->add_option("--to", options->to, "RFC 3339: only what was received before this time");
  command->add_flag("--records", options->records, "every record as it stands in the log, not only events");
}

}  // namespace reach::ctl
