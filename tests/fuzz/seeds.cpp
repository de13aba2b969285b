// Writes what the fuzzers of binary inputs begin with: DIRECTORY/TARGET/NAME. The events are those of EVENTS, JSON
// lines.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "clients/library/json.hpp"
#include "daemon/log/crc32c.hpp"
#include "daemon/log/format.hpp"
#include "daemon/log/snapshots.hpp"
#include "daemon/replica/replica.hpp"
#include "daemon/wire/wire.hpp"
#include "reachd/v1/ingest.pb.h"
#include "reachd/v1/log.pb.h"
#include "reachd/v1/query.pb.h"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/memory_disk.hpp"
#include "tests/unit/core/world.hpp"

namespace {

using namespace reach;

std::filesystem::path directory;

void write(const std::string& target, const std::string& name, const std::string& bytes) {
  std::filesystem::create_directories(directory / target);
  std::ofstream(directory / target / name, std::ios::binary) << bytes;
}

/// See for_each_piece().
std::string piece(unsigned control, const std::string& bytes) {
  return std::string{static_cast<char>(control), static_cast<char>(bytes.size() & 0xff),
                     static_cast<char>(bytes.size() >> 8)} +
         bytes;
}
std::string piece(unsigned control, const google::protobuf::Message& message) {
  return piece(control, message.SerializeAsString());
}

/// A spool's record, as clients/library/file_spool.cpp describes it.
std::string spool_record(const std::string& bookmark, const v1::EventBatch& batch) {
  const auto number = [](std::size_t value) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
    return bytes;
  };
  const std::string rest = number(bookmark.size()) + bookmark + batch.SerializeAsString();
  return number(rest.size()) + number(log::crc32c(rest)) + rest;
}

v1::EventBatch batch_of(const std::vector<v1::Event>& events, std::size_t from, std::size_t count) {
  v1::EventBatch batch;
  batch.set_source("pbx");
  batch.set_epoch(5);
  batch.set_first_sequence(from + 1);
  batch.set_sent_ns(static_cast<std::uint64_t>(ns_of(fuzz::monday)));
  for (std::size_t i = from; i < std::min(from + count, events.size()); ++i) *batch.add_events() = events[i];
  return batch;
}

void write_ingest(const std::vector<v1::Event>& events) {
  v1::ToDaemon hello;
  hello.mutable_hello()->set_source("pbx");
  hello.mutable_hello()->set_epoch(5);
  hello.mutable_hello()->set_next_sequence(1);
  hello.mutable_hello()->set_resumes(true);
  for (const char* each : {"calls", "agents", "ringing", "items"}) hello.mutable_hello()->add_capabilities(each);
  hello.mutable_hello()->set_sent_ns(static_cast<std::uint64_t>(ns_of(fuzz::monday)));
  v1::ToDaemon heartbeat;
  heartbeat.mutable_heartbeat()->set_source("pbx");
  heartbeat.mutable_heartbeat()->set_next_sequence(9);
  heartbeat.mutable_heartbeat()->set_upstream_connected(true);
  constexpr std::size_t portion = 2;
  for (std::size_t from = 0; from < events.size(); from += portion) {
    v1::ToDaemon first, second;
    *first.mutable_batch() = batch_of(events, from, portion);
    first.mutable_batch()->set_first_sequence(1);
    *second.mutable_batch() = batch_of(events, from + portion, portion);
    second.mutable_batch()->set_first_sequence(1 + portion);
    // Hello, events; heartbeat; gone and back with more.
    write("ingest", "events-" + std::to_string(from),
          piece(0, hello) + piece(64, first) + piece(16 + 128, heartbeat) + piece(32 + 2, heartbeat) + piece(0, hello) +
              piece(64, second) + piece(16 + 128, heartbeat));
    v1::LogRecord record;
    record.set_received_ns(static_cast<std::uint64_t>(ns_of(fuzz::monday)));
    *record.mutable_batch() = first.batch();
    write("log_record", "batch-" + std::to_string(from), piece(1, record));
  }
  const auto record = [](const std::string& name, const auto& fill) {
    v1::LogRecord made;
    made.set_received_ns(static_cast<std::uint64_t>(ns_of(fuzz::monday)));
    fill(made);
    write("log_record", name, piece(1, made) + piece(3, made));
  };
  record("hello", [&](v1::LogRecord& r) { *r.mutable_hello() = hello.hello(); });
  record("seen", [&](v1::LogRecord& r) { r.mutable_seen()->set_source("pbx"); });
  record("gone", [&](v1::LogRecord& r) { r.mutable_gone()->set_source("pbx"); });
  record("acknowledge", [&](v1::LogRecord& r) { r.mutable_acknowledge()->set_alert("a"); });
  record("trouble", [&](v1::LogRecord& r) { r.mutable_trouble()->set_problem("full"); });
  record("catch_up", [&](v1::LogRecord& r) { r.mutable_catch_up()->set_begins(true); });
  record("time", [&](v1::LogRecord& r) { r.set_time_passed(true); });
  record("configuration", [&](v1::LogRecord& r) {
    auto& file = *r.mutable_configuration()->add_files();
    file.set_name("reachd.toml");
    file.set_text("[[segment]]\nid = \"sales\"\nqueues = [\"sales\"]\n");
  });
}

void write_answers() {
  v1::ToAdapter welcome, ack, heartbeat, reject;
  welcome.mutable_welcome()->set_epoch(1);
  welcome.mutable_welcome()->set_next_sequence(1);
  welcome.mutable_welcome()->set_credit(10);
  ack.mutable_ack()->set_epoch(1);
  ack.mutable_ack()->set_sequence(2);
  ack.mutable_ack()->set_credit(5);
  heartbeat.mutable_heartbeat()->set_sent_ns(static_cast<std::uint64_t>(ns_of(fuzz::monday)));
  reject.mutable_reject()->set_code(v1::REJECT_CODE_GAP);
  reject.mutable_reject()->set_expected_sequence(1);
  write("delivery", "acknowledged", piece(4, welcome) + piece(64, ack) + piece(128, heartbeat));
  write("delivery", "rejected", piece(4, welcome) + piece(64, reject) + piece(192, heartbeat) + piece(16, welcome));
}

void write_questions() {
  const auto write_question = [](const std::string& name, const auto& fill) {
    v1::Request request;
    request.set_id(1);
    fill(request);
    write("query", name, request.SerializeAsString());
  };
  write_question("ping", [](v1::Request& r) { r.mutable_ping(); });
  write_question("snapshot", [](v1::Request& r) { r.mutable_snapshot(); });
  write_question("snapshot-30m", [](v1::Request& r) {
    r.mutable_snapshot()->set_segment("sales");
    r.mutable_snapshot()->set_window("30m");
  });
  write_question("alerts", [](v1::Request& r) { r.mutable_alerts()->set_all(true); });
  write_question("staffing", [](v1::Request& r) { r.mutable_staffing()->set_pool("all"); });
  write_question("history", [](v1::Request& r) { r.mutable_history()->set_segment("sales"); });
}

void write_published() {
  test::World world;
  world.offered(1, "c1", "sales");
  world.offered(2, "c2", "sales");
  world.pass(300);
  v1::Alert alert;
  alert.set_id("a1");
  alert.set_revision(1);
  alert.set_state("firing");
  v1::Reply snapshot, alerts;
  snapshot.set_id(1);
  *snapshot.mutable_snapshot()->mutable_status() = wire::status_of(world.engine, {}, world.engine.now());
  for (const char* topic : {"state/sales", "alert/sales"}) {
    v1::TopicSequence& each = *snapshot.mutable_snapshot()->add_topics();
    each.set_topic(topic);
    each.set_sequence(1);
  }
  alerts.set_id(2);
  alerts.mutable_alerts()->set_time_ns(1);
  *alerts.mutable_alerts()->add_alerts() = alert;
  v1::Pulse pulse;
  pulse.set_last_heard_ns(1);
  pulse.add_said()->set_topic("state/sales");
  v1::SegmentState state;
  state.set_id("sales");
  alert.set_revision(2);
  const auto published = [](unsigned number, const std::string& topic, const google::protobuf::Message& message) {
    return piece(1 + 2 * number, topic + '\0' + message.SerializeAsString());
  };
  const std::string following = published(1, "system/_daemon", pulse) + piece(0, snapshot) + piece(0, alerts);
  write("follower", "following",
        following + published(2, "state/sales", state) + published(2, "alert/sales", alert) +
            published(2, "system/_daemon", pulse));
  write("follower", "gap", following + published(5, "state/sales", state) + piece(0, snapshot) + piece(0, alerts));
}

/// The smallest world that has something in most tables of the engine: calls and items, waiting and over, an alert.
void write_replicas() {
  Config config = test::small_config();
  config.segments.pop_back();
  config.segments[0].overflow_to.clear();
  config.contracts[0].segments = config.pools[0].segments = {"sales"};
  replica::Replica replica(config, {.staffing = false});
  Decisions decisions;
  log::Lsn number = 0;
  double second = 0;
  const auto save = [&replica](const std::string& name) {
    std::string bytes;
    replica.save([&bytes](std::string_view piece) { bytes += piece; });
    write("snapshot", name, bytes);
  };
  const auto happens = [&](const auto& fill) {
    v1::LogRecord record;
    record.set_received_ns(static_cast<std::uint64_t>(ns_of(test::World::time(second += 2))));
    v1::EventBatch& batch = *record.mutable_batch();
    batch.set_source("pbx");
    batch.set_epoch(5);
    batch.set_first_sequence(number + 1);
    v1::Event& event = *batch.add_events();
    event.set_time_ns(record.received_ns());
    fill(event);
    replica.apply(++number, record.SerializeAsString(), decisions);
  };
  happens([](v1::Event& e) { e.set_contact("c1"), e.mutable_offered()->set_queue("sales"); });
  save("one-waits");
  happens([](v1::Event& e) { e.set_agent("a1"), e.mutable_logged_in()->add_queues("sales"); });
  happens([](v1::Event& e) { e.set_contact("c1"), e.set_agent("a1"), e.mutable_answered(); });
  save("one-talks");
  happens([](v1::Event& e) { e.set_contact("i1"), e.mutable_received()->set_queue("letters"); });
  happens([](v1::Event& e) { e.set_contact("c2"), e.mutable_offered()->set_queue("offers"); });
  second += 60;
  happens([](v1::Event& e) { e.set_contact("c3"), e.mutable_offered()->set_queue("sales"); });
  save("some-waited-long");
  happens([](v1::Event& e) { e.set_contact("c2"), e.mutable_abandoned(); });
  happens([](v1::Event& e) { e.set_contact("i1"), e.mutable_completed(); });
  happens([](v1::Event& e) { e.set_contact("c1"), e.mutable_ended(); });
  happens([](v1::Event& e) { e.set_contact("c4"), e.mutable_offered()->set_queue("elsewhere"); });
  second += 8000;
  happens([](v1::Event& e) { e.set_contact("c5"), e.set_site("hamburg"), e.mutable_offered()->set_queue("sales"); });
  save("later");
}

void write_files(const std::vector<v1::Event>& events) {
  const auto file = [](log::Lsn first, log::Lsn last) {
    std::string content = log::segment_header(first, fuzz::monday);
    for (log::Lsn i = first; i <= last; ++i) log::put_record(content, i, i - 1, "record");
    log::put_record(content, last, last, {});
    return content;
  };
  const auto disk = fuzz::memory_disk();
  log::write_snapshot(*disk, 2, [](const auto& append) { append("all of it"); });
  const std::string snapshot = disk->read("00000000000000000002.snapshot");
  write("log_files", "whole", piece(0, file(1, 2)) + piece(1, file(3, 6)) + piece(2, file(7, 8)));
  write("log_files", "hole", piece(0, file(1, 2)) + piece(2, file(7, 8)) + piece(3, snapshot));
  write("log_files", "damage", piece(0, file(1, 2)) + piece(1, file(3, 6).replace(70, 2, "xx")));
  write("spool", "two-runs",
        piece(0, spool_record("", {}) + spool_record("one", batch_of(events, 0, 2))) +
            piece(1, spool_record("one", batch_of(events, 2, 2))) +
            piece(3, spool_record("two", batch_of(events, 0, 1))));
  write("spool", "written-twice",
        piece(1, spool_record("a", batch_of(events, 0, 2))) + piece(2, spool_record("b", batch_of(events, 0, 3))) +
            piece(4, spool_record("b", batch_of(events, 0, 1))));

  write("snapshot", "file", snapshot);
  write_replicas();
  write("snapshot", "archive", std::string("\x06one\x02\x06two\x02\0\0\0\0\0\0\xf0\x3f\x02\x02\x04\x06\0\x08\x02", 26));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "seeds EVENTS DIRECTORY\n";
    return 64;
  }
  directory = argv[2];
  std::ifstream lines(argv[1]);
  std::vector<v1::Event> events;
  for (std::string line; std::getline(lines, line);) {
    if (const auto problem = client::from_json_line(line, events.emplace_back())) {
      std::cerr << line << ": " << *problem << '\n';
      return 1;
    }
    write("json_lines", std::to_string(events.size()), line);
  }
  write_ingest(events);
  write_answers();
  write_questions();
  write_published();
  write_files(events);
  return 0;
}
