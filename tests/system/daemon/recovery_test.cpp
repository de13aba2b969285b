// What reachd does when it comes back: from snapshots, after an hour away, past damage.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "daemon/log/segments.hpp"
#include "daemon/settings/settings.hpp"
#include "reachd/v1/log.pb.h"
#include "tests/system/daemon/running.hpp"

namespace reach::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const std::string configuration = R"(
[[segment]]
id = "sales"
queues = ["sales"]
[[service]]
id = "phone"
threshold = "20s"
[[contract]]
id = "c"
segments = ["sales"]
  [[contract.objective]]
  id = "wait"
  figure = "longest_wait_s"
  target = "60s"
  window = "now"
)";

std::uint64_t ns(Time t) {
  return static_cast<std::uint64_t>(ns_of(t));
}

v1::Event at(Time t, v1::Event event) {
  event.set_time_ns(ns(t));
  return event;
}

std::vector<v1::Alert> alerts_of(Running& daemon) {
  v1::Request request;
  request.mutable_alerts()->set_all(true);
  const v1::Reply reply = daemon.ask(request);
  return {reply.alerts().alerts().begin(), reply.alerts().alerts().end()};
}

TEST(Recovery, BeginsWithASnapshotAndGoesOnWithTheLog) {
  Running daemon("snapshot_every = \"1MiB\"\nfile_size = \"1MiB\"\n" + configuration);
  daemon.start();
  std::int64_t sent = 0;
  {
    Adapter adapter(daemon, "pbx");
    adapter.hello();
    for (; daemon.metric("reachd_snapshots_total").value_or(0) < 1 && sent < 200'000; sent += 2000) {
      for (int i = 0; i < 4; ++i) {
        std::vector<v1::Event> events;
        for (int n = 0; n < 500; ++n) events.push_back(offered("c" + std::to_string(sent + i * 500 + n), "sales"));
        adapter.batch(static_cast<std::uint64_t>(sent + i * 500 + 1), events);
      }
      ASSERT_TRUE(adapter.acknowledged(static_cast<std::uint64_t>(sent + 2000)));
    }
    adapter.batch(static_cast<std::uint64_t>(sent + 1), {answered("c0")});
    ASSERT_TRUE(adapter.acknowledged(static_cast<std::uint64_t>(sent + 1)));
  }
  ASSERT_EQ(daemon.stop(SIGKILL), -SIGKILL);
  daemon.start();
  EXPECT_TRUE(daemon.logged("after the snapshot of record ")) << daemon.log_output();
  EXPECT_EQ(daemon.segment("sales").figures().offered(), sent);
  EXPECT_EQ(daemon.segment("sales").figures().answered(), 1);
  Adapter adapter(daemon, "pbx");
  EXPECT_EQ(adapter.hello().next_sequence(), static_cast<std::uint64_t>(sent + 2));
}

/// A log whose last record was written an hour ago, with two sources that were there then.
void write_log_of_an_hour_ago(const Running& daemon, Time ago) {
  std::ifstream in(daemon.config_file());
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::string> records;
  v1::LogRecord record;
  record.set_received_ns(ns(ago));
  record.mutable_configuration()->set_fingerprint(settings::load_text(text, daemon.config_file()).core.fingerprint);
  v1::ConfigurationFile& file = *record.mutable_configuration()->add_files();
  file.set_name(daemon.config_file());
  file.set_text(text);
  records.push_back(record.SerializeAsString());
  for (const char* source : {"pbx", "pbx2"}) {
    record.mutable_hello()->set_source(source);
    record.mutable_hello()->set_epoch(1);
    record.mutable_hello()->set_next_sequence(1);
    record.mutable_hello()->set_resumes(true);
    records.push_back(record.SerializeAsString());
  }
  log::Segments(log::local_disk(daemon.directory() + "/log")).write(records, ago);
}

TEST(Recovery, GoesThroughWeeksAwayAndIsNotTakenForHanging) {
  std::string pools = configuration;
  for (const char* id : {"a", "b", "c"})
    pools += "[[segment]]\nid = \"" + std::string(id) + "\"\nqueues = [\"" + id + "\"]\n";
  Running daemon(pools);
  const Time now = time_from_ns(static_cast<std::int64_t>(now_ns()));
  write_log_of_an_hour_ago(daemon, now - std::chrono::hours(21 * 24));
  daemon.start();  // and waits five seconds for the sources that were there
  const auto until = std::chrono::steady_clock::now() + seconds(90);
  std::string health;
  while (!health.starts_with("ok") && std::chrono::steady_clock::now() < until) {
    health = daemon.get("/healthz").second;
    ASSERT_EQ(health.find("hangs"), std::string::npos) << "systemd would start it again, and again";
  }
  EXPECT_TRUE(health.starts_with("ok")) << health;
  EXPECT_NEAR(static_cast<double>(daemon.segment("sales").time_ns()), static_cast<double>(now_ns()), 5e9);
}

TEST(Recovery, SaysThatTheLogIsAheadOfTheClock) {
  Running daemon(configuration);
  write_log_of_an_hour_ago(daemon, time_from_ns(static_cast<std::int64_t>(now_ns())) + minutes(60));
  daemon.start();
  EXPECT_TRUE(daemon.logged("behind reachd's time, which never steps back")) << daemon.log_output();
}

TEST(Recovery, RefusesALogWhoseNewestFilesAreMissing) {
  Running daemon("snapshot_every = \"1MiB\"\nfile_size = \"1MiB\"\n" + configuration);
  daemon.start();
  {
    Adapter adapter(daemon, "pbx");
    adapter.hello();
    std::uint64_t sent = 0;
    while (daemon.metric("reachd_snapshots_total").value_or(0) < 1 && sent < 200'000) {
      std::vector<v1::Event> events;
      for (int n = 0; n < 500; ++n)
        events.push_back(offered("c" + std::to_string(sent + static_cast<unsigned>(n)), "sales"));
      adapter.batch(sent + 1, events);
      sent += 500;
      ASSERT_TRUE(adapter.acknowledged(sent));
    }
  }
  ASSERT_EQ(daemon.stop(), 0);
  for (const auto& entry : std::filesystem::directory_iterator(daemon.directory() + "/log"))
    if (entry.path().extension() == ".log") std::filesystem::remove(entry.path());
  std::string output;
  EXPECT_EQ(daemon.run({"--config", daemon.config_file()}, &output), 1);
  EXPECT_NE(output.find("its newest files are missing"), std::string::npos) << output;
  daemon.start({"--accept-damage"});
  EXPECT_GT(daemon.segment("sales").figures().offered(), 0) << "what the snapshot knows is kept";
}

TEST(Recovery, AfterAnHourAwayTakesWhatWaitedAsIfItHadBeenThere) {
  Running daemon(configuration);
  const Time now = time_from_ns(static_cast<std::int64_t>(now_ns()));
  const Time ago = now - minutes(60);
  write_log_of_an_hour_ago(daemon, ago);
  // A call a minute in each source, every one answered after 10 s, but one of pbx2, after 90 s.
  std::vector<v1::Event> first, second;
  for (int minute = 0; minute < 60; ++minute) {
    for (auto* events : {&first, &second}) {
      const std::string contact = "m" + std::to_string(minute);
      const Time begin = ago + minutes(minute) + seconds(events == &first ? 1 : 20);
      events->push_back(at(begin, offered(contact, "sales")));
      const bool slow = events == &second && minute == 30;
      if (!slow) events->push_back(at(begin + seconds(10), answered(contact)));
    }
  }
  second.push_back(at(ago + minutes(30) + seconds(20 + 90), answered("m30")));
  std::ranges::stable_sort(second, {}, &v1::Event::time_ns);
  daemon.start();
  EXPECT_TRUE(daemon.get("/healthz").second.starts_with("catching up")) << daemon.get("/healthz").second;
  Adapter pbx(daemon, "pbx"), pbx2(daemon, "pbx2");
  ASSERT_EQ(pbx.hello(1, true).next_sequence(), 1U);
  pbx.batch(1, first);
  pbx.heartbeat(first.size() + 1);
  EXPECT_EQ(daemon.segment("sales").figures().offered(), 0) << "pbx2 may still send what came before";
  ASSERT_EQ(pbx2.hello(1, true).next_sequence(), 1U);
  pbx2.batch(1, second);
  pbx2.heartbeat(second.size() + 1);
  ASSERT_TRUE(pbx.acknowledged(first.size()));
  ASSERT_TRUE(pbx2.acknowledged(second.size()));

  const auto alerts = alerts_of(daemon);
  ASSERT_EQ(alerts.size(), 1U) << "nobody was silent, and nobody else waited for long";
  EXPECT_EQ(alerts[0].kind(), "longest_wait");
  EXPECT_EQ(alerts[0].evidence(0), "pbx2/m30");
  EXPECT_EQ(alerts[0].fired_ns(), ns(ago + minutes(30) + seconds(80)) + 1) << "the very instant, an hour ago";
  EXPECT_EQ(alerts[0].state(), "resolved");
  const v1::Figures figures = daemon.segment("sales").figures();
  EXPECT_EQ(figures.offered(), 120);
  EXPECT_EQ(figures.answered(), 120);
  EXPECT_EQ(figures.met(), 119);
  EXPECT_EQ(figures.missed(), 1);

  v1::Request request;
  request.mutable_snapshot();
  const v1::Behind behind = daemon.ask(request).snapshot().status().behind();
  EXPECT_EQ(behind.events(), 240);
  EXPECT_EQ(behind.from_ns(), ns(ago + seconds(1)));
  EXPECT_EQ(behind.to_ns(), second.back().time_ns());
  EXPECT_GE(behind.until_ns(), ns(now));
  EXPECT_TRUE(daemon.logged("240 events had waited: the figures from " + to_rfc3339(ago + seconds(1))))
      << daemon.log_output();
  EXPECT_TRUE(daemon.get("/healthz").second.starts_with("ok"));
}

TEST(Recovery, WaitsNotForEverForASourceThatStaysAway) {
  Running daemon(configuration);
  write_log_of_an_hour_ago(daemon, time_from_ns(static_cast<std::int64_t>(now_ns())) - minutes(60));
  daemon.start();
  Adapter pbx(daemon, "pbx");
  pbx.hello(1, true);
  pbx.batch(1, {offered("c1", "sales")});
  pbx.heartbeat(2);
  EXPECT_TRUE(daemon.logged("source pbx2 is not back", milliseconds(10'000))) << daemon.log_output();
  EXPECT_TRUE(pbx.acknowledged(1));
  EXPECT_EQ(daemon.segment("sales").figures().offered(), 1);
}

TEST(Recovery, TimeWaitsForAnAdapterThatWasCutOff) {
  Running daemon(configuration);
  daemon.start();
  Adapter other(daemon, "other");
  other.hello();
  {
    Adapter pbx(daemon, "pbx");
    pbx.hello(1, true);
    pbx.batch(1, {at(time_from_ns(static_cast<std::int64_t>(now_ns())) - seconds(59), offered("c1", "sales"))});
    ASSERT_TRUE(pbx.acknowledged(1));
  }
  // In a second the call would be too long in the queue, but who answered it is not heard yet.
  EXPECT_TRUE(daemon.logged("the connection to source pbx ended"));
  other.batch(1, {offered("d1", "sales")});
  for (std::uint64_t until = now_ns() + 1'500'000'000; now_ns() < until;) (void)other.receive(milliseconds(100));
  EXPECT_TRUE(alerts_of(daemon).empty());
  EXPECT_EQ(daemon.segment("sales").figures().offered(), 1) << "time stands still";
  Adapter pbx(daemon, "pbx");
  ASSERT_EQ(pbx.hello(2, true).next_sequence(), 2U);
  pbx.batch(2, {at(time_from_ns(static_cast<std::int64_t>(now_ns())) - seconds(2), answered("c1"))});
  pbx.heartbeat(3);
  ASSERT_TRUE(pbx.acknowledged(2));
  EXPECT_EQ(daemon.segment("sales").figures().offered(), 2);
  EXPECT_TRUE(alerts_of(daemon).empty()) << "it was answered in time";
}

TEST(Recovery, GoesOnPastDamageWhenToldTo) {
  Running daemon(configuration);
  daemon.start();
  {
    Adapter adapter(daemon, "pbx");
    adapter.hello();
    for (std::uint64_t i = 1; i <= 20; ++i) {
      adapter.batch(i, {offered("caller-" + std::to_string(i), "sales")});
      ASSERT_TRUE(adapter.acknowledged(i));
    }
  }
  ASSERT_EQ(daemon.stop(), 0);
  const std::string file = daemon.directory() + "/log/00000000000000000001.log";
  {
    std::ifstream in(file, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(in), {}};
    const std::size_t place = content.find("caller-7");
    ASSERT_NE(place, std::string::npos);
    content[place] = 'C';
    std::ofstream(file, std::ios::binary) << content;
  }
  std::string output;
  EXPECT_EQ(daemon.run({"--config", daemon.config_file()}, &output), 1);
  EXPECT_NE(output.find("--accept-damage"), std::string::npos) << output;
  daemon.start({"--accept-damage"});
  EXPECT_EQ(daemon.segment("sales").figures().offered(), 19);
  v1::Request request;
  request.mutable_snapshot();
  EXPECT_EQ(daemon.ask(request).snapshot().status().sources(0).events_lost(), 1);
  EXPECT_TRUE(std::filesystem::exists(file + ".damaged"));
  ASSERT_EQ(daemon.stop(), 0);
  daemon.start();
  EXPECT_EQ(daemon.segment("sales").figures().offered(), 19) << "and from then on without being told";
}

}  // namespace
}  // namespace reach::test
