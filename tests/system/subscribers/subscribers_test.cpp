// Ten thousand segments at the real reachd: what slow, stopped and many subscribers do to each other. Nothing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "clients/library/subscriber.hpp"
#include "tests/support/slowdown.hpp"
#include "tests/system/daemon/running.hpp"

extern char** environ;

namespace reach::test {
namespace {

using std::chrono::seconds;

std::string name_of(int i) {
  return "s" + std::to_string(i);
}

/// Every segment has a queue of its name and promises that nobody waits longer than a second.
std::string configuration(int segments) {
  std::string text, names;
  for (int i = 0; i < segments; ++i) {
    text += "[[segment]]\nid = \"" + name_of(i) + "\"\nqueues = [\"" + name_of(i) + "\"]\n";
    names += "\n\"" + name_of(i) + "\",";
  }
  return text + R"(
[[service]]
id = "phone"
medium = "call"
threshold = "20s"
[[contract]]
id = "c"
client = "Everybody"
segments = [)" +
         names + R"(]
  [[contract.objective]]
  id = "wait"
  service = "phone"
  figure = "longest_wait_s"
  target = "1s"
  window = "now"
  clear_for = "0s"
)";
}

double now_s() {
  return static_cast<double>(now_ns()) / 1e9;
}

/// A subscriber of the client library, and what it was told.
class Healthy {
 public:
  explicit Healthy(const Running& daemon) {
    client::SubscriberOptions options;
    options.publish_endpoint = daemon.endpoint("publish");
    options.query_endpoint = daemon.endpoint("query");
    options.silence = seconds(20);  // this machine may be busy with other things
    client::SubscriberCalls calls;
    calls.connection = [this](bool connected, const std::string& why) {
      note([&] {
        connected_ = connected;
        if (!connected) std::printf("the healthy subscriber: %s\n", why.c_str());
      });
    };
    calls.segment = [this](const v1::SegmentState& state) {
      note([&] { waiting_[state.id()] = state.figures().waiting(); });
    };
    calls.alert = [this](const v1::Alert& alert) {
      const auto at = now_ns();
      note([&] {
        auto& revision = revisions_[alert.id()];
        if (alert.revision() != revision + 1) ++out_of_order_;
        revision = alert.revision();
        if (alert.reason() == "fired") {
          ++fired_;
          if (alert.evidence_size() > 0) fired_at_ns_[alert.evidence(0)] = at;
        }
        if (alert.reason() == "resolved") ++resolved_;
      });
    };
    calls.alerts_lost = [this](const client::AlertsLost&) { note([&] { ++lost_; }); };
    subscriber_.emplace(options, calls);
  }
  [[nodiscard]] bool wait(const std::function<bool(const Healthy&)>& until, milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return until(*this); });
  }
  /// Segments that show `waiting` callers.
  [[nodiscard]] int showing(std::int64_t waiting) const {
    return static_cast<int>(
        std::count_if(waiting_.begin(), waiting_.end(), [&](const auto& each) { return each.second == waiting; }));
  }
  client::SubscriberState state() const { return subscriber_->state(); }

  bool connected_ = false;
  std::atomic<int> fired_ = 0, resolved_ = 0, out_of_order_ = 0, lost_ = 0;
  std::map<std::string, std::uint64_t> fired_at_ns_;  ///< by the contact that waited

 private:
  template <typename Change>
  void note(const Change& change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::int64_t> waiting_;
  std::map<std::string, std::uint32_t> revisions_;
  std::optional<client::Subscriber> subscriber_;
};

class SubscribersTest : public testing::Test {
 protected:
  explicit SubscribersTest(int count = 10'000) : segments(count), daemon(configuration(count)) {}
  void SetUp() override {
    daemon.start();
    adapter.emplace(daemon, "pbx");
    adapter->hello();
  }

  /// One call to each queue, all at the same instant.
  void offer_everywhere(const std::string& call) {
    const auto at = now_ns();
    everywhere([&](int i) {
      v1::Event event = offered(call + name_of(i), name_of(i));
      event.set_time_ns(at);
      return event;
    });
  }
  void answer_everywhere(const std::string& call) {
    const auto at = now_ns();
    everywhere([&](int i) {
      v1::Event event = answered(call + name_of(i));
      event.set_time_ns(at);
      event.mutable_answered()->set_agent("a" + std::to_string(i));
      return event;
    });
  }
  void everywhere(const std::function<v1::Event(int)>& make) {
    for (int i = 0; i < segments;) {
      std::vector<v1::Event> events;
      const std::uint64_t first = next;
      for (; events.size() < 500 && i < segments; ++i, ++next) events.push_back(make(i));
      adapter->batch(first, events);
    }
    expect_acknowledged();
  }
  /// Patient: the machine may be busy with other things.
  void expect_acknowledged() {
    for (int i = 0; i < 6; ++i) {
      adapter->heartbeat();
      if (adapter->acknowledged(next - 1)) return;
    }
    ADD_FAILURE() << "event " << next - 1 << " is not acknowledged";
  }
  /// Waits like Healthy::wait(), and keeps the source alive meanwhile.
  [[nodiscard]] bool wait(Healthy& healthy, const std::function<bool(const Healthy&)>& until) {
    for (int i = 0; i < 60; ++i) {
      adapter->heartbeat();
      if (healthy.wait(until, milliseconds(500))) return true;
    }
    return false;
  }

  /// Milliseconds from the instant that decides an alert to the subscriber's call, in order, of twenty alerts apart.
  std::vector<double> alert_latencies_ms(Healthy& healthy, const std::string& call) {
    std::map<std::string, std::uint64_t> decided_ns;
    const int before = healthy.fired_;
    constexpr int count = 20;
    for (int i = 0; i < count; ++i) {
      const v1::Event event = offered(call + std::to_string(i), name_of(i * 97));
      decided_ns["pbx/" + event.contact()] = event.time_ns() + 1'000'000'000;
      adapter->batch(next++, {event});
      std::this_thread::sleep_for(milliseconds(41));
    }
    EXPECT_TRUE(wait(healthy, [&](const Healthy& h) { return h.fired_ >= before + count; }));
    std::vector<double> late;
    for (const auto& [contact, at] : decided_ns)
      late.push_back(static_cast<double>(static_cast<std::int64_t>(healthy.fired_at_ns_[contact] - at)) / 1e6);
    std::sort(late.begin(), late.end());
    const std::uint64_t first = next;
    std::vector<v1::Event> events;
    for (int i = 0; i < count; ++i, ++next) events.push_back(answered(call + std::to_string(i)));
    adapter->batch(first, events);
    expect_acknowledged();
    return late;
  }

  static void print(const char* what, const std::vector<double>& late_ms) {
    std::printf("alert latency, %s: median %.2f ms, worst of %zu %.2f ms\n", what, late_ms[late_ms.size() / 2],
                late_ms.size(), late_ms.back());
  }

  [[nodiscard]] double resident_mib() const {
    std::ifstream status("/proc/" + std::to_string(daemon.pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
    }
    ADD_FAILURE() << "no VmRSS";
    return 0;
  }

  const int segments;
  Running daemon;
  std::optional<Adapter> adapter;
  std::uint64_t next = 1;  ///< number of the next event
};

/// Subscribers that connect, listen to a little and leave, `at_once` at a time.
void come_and_go(Running& daemon, int total, int at_once) {
  zmq::context_t context;
  for (int done = 0; done < total; done += at_once) {
    std::vector<zmq::socket_t> sockets;
    for (int i = 0; i < at_once; ++i) {
      zmq::socket_t& socket = sockets.emplace_back(context, zmq::socket_type::sub);
      socket.set(zmq::sockopt::linger, 0);
      socket.set(zmq::sockopt::rcvtimeo, 200);
      socket.set(zmq::sockopt::subscribe, i % 4 == 0 ? std::string() : "state/" + name_of(done + i));
      socket.connect(daemon.endpoint("publish"));
    }
    zmq::message_t frame;
    for (zmq::socket_t& socket : sockets) (void)socket.recv(frame);
  }
}

TEST_F(SubscribersTest, ABurstOverAllSegmentsReachesAHealthyOneWholeWhateverTheOthersDo) {
  Healthy healthy(daemon);
  ASSERT_TRUE(wait(healthy, [](const Healthy& h) { return h.connected_; }));
  print("undisturbed", alert_latencies_ms(healthy, "quiet"));
  const double before_mib = resident_mib();

  // Never reads; small queues on its side, so that the daemon's own queue for it fills.
  Listener stopped(daemon, "", 100);

  std::thread others([&] { come_and_go(daemon, 1000, 100); });
  const int fired_before = healthy.fired_, resolved_before = healthy.resolved_;
  double began = now_s();
  offer_everywhere("first");
  EXPECT_TRUE(wait(healthy, [&](const Healthy& h) { return h.showing(1) == segments; }))
      << healthy.showing(1) << " segments show a caller";
  std::printf("a state of each segment after %.2f s\n", now_s() - began);
  EXPECT_TRUE(wait(healthy, [&](const Healthy& h) { return h.fired_ == fired_before + segments; }))
      << healthy.fired_ - fired_before << " alerts";
  std::printf("10,000 alerts of one instant within %.2f s\n", now_s() - began - 1);
  began = now_s();
  answer_everywhere("first");
  // Some of the alerts before these may resolve only now, too: in the end all have.
  EXPECT_TRUE(wait(
      healthy, [&](const Healthy& h) { return h.resolved_ >= resolved_before + segments && h.resolved_ == h.fired_; }))
      << healthy.fired_ << " fired, " << healthy.resolved_ - resolved_before << " resolved";
  std::printf("10,000 alerts resolved within %.2f s\n", now_s() - began);
  others.join();
  std::printf("RSS of the daemon: %.0f MiB before, %.0f MiB now\n", before_mib, resident_mib());
  print("one stopped", alert_latencies_ms(healthy, "stopped"));

  // Until the stopped one's queue is full for certain: four messages a segment fit.
  double most_mib = 0;
  for (int round = 0; round < 6; ++round) {
    const std::string call = "round" + std::to_string(round);
    offer_everywhere(call);
    EXPECT_TRUE(wait(healthy, [&](const Healthy& h) { return h.showing(1) == segments; })) << round;
    answer_everywhere(call);
    EXPECT_TRUE(wait(healthy, [&](const Healthy& h) { return h.showing(0) == segments; })) << round;
    most_mib = std::max(most_mib, resident_mib());
    std::printf("RSS after round %d: %.0f MiB\n", round, resident_mib());
  }
  print("one stopped, its queue full", alert_latencies_ms(healthy, "full"));
  EXPECT_LT(most_mib, 600 * slowdown()) << "a sanitizer keeps its own account of each byte";

  // It reads again: its old queue, and then, by a jump or by the pulse, that more was said.
  std::map<std::string, std::uint64_t> last;
  int read = 0;
  bool noticed = false;
  while (!noticed) {
    const auto message = stopped.next(seconds(10));
    ASSERT_TRUE(message.has_value()) << "the pulse comes every second";
    ++read;
    std::uint64_t& number = last[message->topic];
    noticed = number != 0 && message->sequence > number + 1;
    number = std::max(number, message->sequence);
    v1::Pulse pulse;
    if (message->topic != "system/_daemon" || !pulse.ParseFromString(message->payload)) continue;
    for (const v1::TopicSequence& said : pulse.said()) noticed |= said.sequence() > last[said.topic()];
  }
  std::printf("the stopped one noticed its gap after %d messages of its old queue\n", read);
  EXPECT_LT(read, 6 * segments);

  const client::SubscriberState state = healthy.state();
  EXPECT_EQ(state.gaps, 0U) << "nothing was dropped for who reads";
  EXPECT_EQ(healthy.out_of_order_, 0);
  EXPECT_EQ(healthy.lost_, 0);
}

/// reachctl as a child that writes into a file.
class Follow {
 public:
  explicit Follow(const Running& daemon) : output_(daemon.directory() + "/followed") {
    std::vector<std::string> words = {REACHCTL, "alerts", "--follow", "--json", "--config", daemon.config_file()};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, output_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    EXPECT_EQ(posix_spawn(&pid_, REACHCTL, &files, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&files);
  }
  ~Follow() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Follow(const Follow&) = delete;
  Follow& operator=(const Follow&) = delete;
  void signal(int number) const { kill(pid_, number); }
  [[nodiscard]] int lines_with(const std::string& text) const {
    std::ifstream in(output_);
    int found = 0;
    for (std::string line; std::getline(in, line);) found += line.find(text) != std::string::npos ? 1 : 0;
    return found;
  }
  [[nodiscard]] bool wait_for(const std::string& text, int lines) const {
    for (int i = 0; i < 1500; ++i) {
      if (lines_with(text) >= lines) return true;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return false;
  }

 private:
  std::string output_;
  pid_t pid_ = -1;
};

const std::string fired_line = R"("reason":"fired")", resolved_line = R"("reason":"resolved")";

class FewerSegments : public SubscribersTest {
 protected:
  FewerSegments() : SubscribersTest(1500) {}
};

TEST_F(FewerSegments, AProgramThatStoodStillLearnsWhatItMissedAndWhatNobodyRemembers) {
  Healthy healthy(daemon);
  ASSERT_TRUE(wait(healthy, [](const Healthy& h) { return h.connected_; }));
  const Follow follow(daemon);
  // Its first alert: from now on it follows.
  int begun = 0;
  for (; begun < 100 && follow.lines_with(fired_line) == 0; ++begun) {
    adapter->batch(next++, {offered("first" + std::to_string(begun), name_of(begun))});
    std::this_thread::sleep_for(milliseconds(300));
  }
  ASSERT_TRUE(follow.wait_for(fired_line, 1));
  follow.signal(SIGSTOP);
  const int fired = healthy.fired_, resolved = healthy.resolved_;
  offer_everywhere("all");
  EXPECT_TRUE(wait(healthy, [&](const Healthy& h) { return h.fired_ >= segments; })) << healthy.fired_ - fired;
  answer_everywhere("all");
  for (int i = 0; i < begun; ++i) adapter->batch(next++, {answered("first" + std::to_string(i))});
  EXPECT_TRUE(wait(healthy, [&](const Healthy& h) { return h.resolved_ >= segments; })) << healthy.resolved_ - resolved;
  std::this_thread::sleep_for(seconds(4));  // longer than what may count as a pause
  follow.signal(SIGCONT);
  EXPECT_TRUE(follow.wait_for(resolved_line, 1000)) << follow.lines_with(resolved_line);
  EXPECT_TRUE(follow.wait_for("may be missing", 1)) << "1,500 resolved, and reachd remembers 1,000";
  EXPECT_EQ(follow.lines_with(resolved_line), 1000);
  EXPECT_EQ(healthy.lost_, 0);
}

}  // namespace
}  // namespace reach::test
