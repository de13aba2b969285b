#include "clients/library/subscriber.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "clients/library/query.hpp"
#include "tests/unit/library/fake_daemon.hpp"

namespace reach::client {
namespace {

using std::chrono::milliseconds;

/// Writes down what the subscriber says, a line each: "snapshot 3", "segment sales 5", "alert a1 2", "connected".
class Told {
 public:
  SubscriberCalls calls() {
    SubscriberCalls made;
    made.snapshot = [this](const v1::Snapshot& s) { add("snapshot " + std::to_string(s.global_sequence())); };
    made.segment = [this](const v1::SegmentState& s) { add("segment " + s.id() + ' ' + std::to_string(s.time_ns())); };
    made.alert = [this](const v1::Alert& a) { add("alert " + a.id() + ' ' + std::to_string(a.revision())); };
    made.staffing = [this](const v1::Staffing& s) { add("staffing " + s.pool()); };
    made.source = [this](const v1::SourceState& s) { add("source " + s.id()); };
    made.connection = [this](bool connected, const std::string& why) { add(connected ? "connected" : "lost: " + why); };
    return made;
  }
  /// The next line; empty after five seconds without one.
  std::string next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(5), [&] { return !lines_.empty(); })) return {};
    std::string line = lines_.front();
    lines_.erase(lines_.begin());
    return line;
  }
  void add(const std::string& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

v1::SegmentState segment(std::uint64_t time) {
  v1::SegmentState state;
  state.set_id("sales");
  state.set_time_ns(time);
  return state;
}
v1::Alert alert(const std::string& id, std::uint32_t revision) {
  v1::Alert made;
  made.set_id(id);
  made.set_revision(revision);
  return made;
}
v1::Snapshot snapshot(std::uint64_t global, const std::vector<std::pair<std::string, std::uint64_t>>& topics) {
  v1::Snapshot made;
  made.set_global_sequence(global);
  for (const auto& [name, number] : topics) {
    auto* topic = made.add_topics();
    topic->set_topic(name);
    topic->set_sequence(number);
  }
  return made;
}

SubscriberOptions options(const FakeDaemon& daemon) {
  SubscriberOptions made;
  made.publish_endpoint = daemon.publish_endpoint();
  made.query_endpoint = daemon.query_endpoint();
  made.silence = milliseconds(5000);
  return made;
}

TEST(Subscriber, TakesASnapshotAndThenOnlyWhatIsNewer) {
  FakeDaemon daemon("newer");
  Told told;
  const Subscriber subscriber(options(daemon), told.calls());
  daemon.wait_for_subscriptions();
  daemon.publish("state/sales", 4, segment(4));  // the last value, then news, both before the snapshot
  daemon.publish("state/sales", 5, segment(5));
  daemon.publish("state/sales", 6, segment(6));
  daemon.answer(snapshot(20, {{"state/sales", 5}}));
  EXPECT_EQ(told.next(), "snapshot 20");
  EXPECT_EQ(told.next(), "connected");
  EXPECT_EQ(told.next(), "segment sales 6");
  daemon.publish("state/sales", 6, segment(6));  // the last value, repeated
  v1::Staffing staffing;
  staffing.set_pool("all");
  daemon.publish("staffing/all", 1, staffing);
  v1::SourceState source;
  source.set_id("_daemon");
  daemon.publish("system/_daemon", 1, source);  // its pulse is not told
  source.set_id("pbx1");
  daemon.publish("system/pbx1", 1, source);
  EXPECT_EQ(told.next(), "staffing all");
  EXPECT_EQ(told.next(), "source pbx1");
  EXPECT_EQ(subscriber.state().repeated, 3u);
  EXPECT_EQ(subscriber.state().gaps, 0u);
  EXPECT_TRUE(subscriber.state().connected);
}

TEST(Subscriber, RepairsAGapByAnotherSnapshotAndTheAlertsInIt) {
  FakeDaemon daemon("gap");
  Told told;
  const Subscriber subscriber(options(daemon), told.calls());
  daemon.wait_for_subscriptions();
  daemon.publish("state/sales", 1, segment(1));
  daemon.answer(snapshot(1, {{"state/sales", 1}, {"alert/sales", 3}}), {alert("old", 3)});
  EXPECT_EQ(told.next(), "snapshot 1");
  EXPECT_EQ(told.next(), "connected");
  daemon.publish("alert/sales", 6, alert("new", 3));  // 4 and 5 were lost
  EXPECT_EQ(told.next(), "alert new 3");
  daemon.answer(snapshot(6, {{"state/sales", 1}, {"alert/sales", 6}}),
                {alert("old", 4), alert("new", 3), alert("gone", 2)});
  EXPECT_EQ(told.next(), "snapshot 6");
  EXPECT_EQ(told.next(), "alert old 4");
  EXPECT_EQ(told.next(), "alert gone 2");
  daemon.publish("alert/sales", 7, alert("new", 4));
  EXPECT_EQ(told.next(), "alert new 4");
  EXPECT_EQ(subscriber.state().gaps, 1u);
  EXPECT_EQ(subscriber.state().repaired, 1u);
}

TEST(Subscriber, HandsOverAllAlertsWithEachSnapshot) {
  FakeDaemon daemon("all-alerts");
  Told told;
  SubscriberCalls calls = told.calls();
  calls.alerts = [&](const v1::Alerts& all) {
    std::string line = "all";
    for (const v1::Alert& each : all.alerts()) line += ' ' + each.id() + ' ' + std::to_string(each.revision());
    told.add(line);
  };
  const Subscriber subscriber(options(daemon), calls);
  daemon.wait_for_subscriptions();
  daemon.publish("state/sales", 1, segment(1));
  daemon.answer(snapshot(1, {{"state/sales", 1}, {"alert/sales", 1}}), {alert("old", 1)});
  EXPECT_EQ(told.next(), "snapshot 1");
  EXPECT_EQ(told.next(), "all old 1");
  EXPECT_EQ(told.next(), "connected");
  daemon.publish("state/sales", 3, segment(3));  // a gap
  EXPECT_EQ(told.next(), "segment sales 3");
  daemon.answer(snapshot(3, {{"state/sales", 3}, {"alert/sales", 2}}), {alert("old", 1), alert("new", 1)});
  EXPECT_EQ(told.next(), "snapshot 3");
  EXPECT_EQ(told.next(), "all old 1 new 1");
  EXPECT_EQ(told.next(), "alert new 1");
}

TEST(Subscriber, StartsAnewWhenTheDaemonDoes) {
  FakeDaemon daemon("restart");
  Told told;
  const Subscriber subscriber(options(daemon), told.calls());
  daemon.wait_for_subscriptions();
  daemon.publish("state/sales", 9, segment(9));
  daemon.answer(snapshot(9, {{"state/sales", 9}}), {alert("a", 1)});
  EXPECT_EQ(told.next(), "snapshot 9");
  EXPECT_EQ(told.next(), "connected");
  daemon.die();
  EXPECT_EQ(told.next(), "lost: the connection to reachd at " + daemon.publish_endpoint() + " was cut");
  EXPECT_FALSE(subscriber.state().connected);
  daemon.start();
  daemon.wait_for_subscriptions();
  daemon.publish("state/sales", 1, segment(1));  // it counts from 1 again
  daemon.answer(snapshot(1, {{"state/sales", 1}}), {alert("a", 2)});
  EXPECT_EQ(told.next(), "snapshot 1");
  EXPECT_EQ(told.next(), "alert a 2") << "what changed while it was away";
  EXPECT_EQ(told.next(), "connected");
  daemon.publish("state/sales", 2, segment(2));
  EXPECT_EQ(told.next(), "segment sales 2");
}

TEST(Subscriber, SaysOnceThatNobodyIsThere) {
  Told told;
  SubscriberOptions with;
  with.publish_endpoint = "ipc:///tmp/reach-test-nobody-pub";
  with.query_endpoint = "ipc:///tmp/reach-test-nobody-query";
  with.silence = milliseconds(50);
  std::string first;
  {
    const Subscriber subscriber(with, told.calls());
    first = told.next();
  }
  EXPECT_EQ(first, "lost: nothing was heard from reachd at ipc:///tmp/reach-test-nobody-pub for 50 ms");
}

TEST(Subscriber, IgnoresFramesThatAreNoneOfOurs) {
  FakeDaemon daemon("foreign");
  Told told;
  const Subscriber subscriber(options(daemon), told.calls());
  daemon.wait_for_subscriptions();
  daemon.publish("state/sales", 1, segment(1));
  daemon.answer(snapshot(1, {{"state/sales", 1}}));
  EXPECT_EQ(told.next(), "snapshot 1");
  EXPECT_EQ(told.next(), "connected");
  v1::Snapshot nonsense;
  nonsense.set_global_sequence(77);
  daemon.publish("state/other/thing", 1, nonsense);
  daemon.publish("state/sales", 2, segment(2));
  std::string line = told.next();
  if (line != "segment sales 2") line = told.next();  // the nonsense may parse as some state
  EXPECT_EQ(line, "segment sales 2");
}

/// A call that does not return before it is let go.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void wait_until_somebody_waits() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(5), [&] { return waiting_ > 0; }));
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

bool took(const Subscriber& subscriber, std::uint64_t messages) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (subscriber.state().messages < messages) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Subscriber, GivesSlowCallsTheNewestStatesAndEveryAlert) {
  FakeDaemon daemon("slow");
  Told told;
  Gate gate;
  SubscriberCalls calls = told.calls();
  calls.segment = [&, tell = calls.segment](const v1::SegmentState& state) {
    gate.wait();
    tell(state);
  };
  const Subscriber subscriber(options(daemon), calls);
  daemon.wait_for_subscriptions();
  daemon.publish("state/sales", 1, segment(1));
  daemon.answer(snapshot(1, {{"state/sales", 1}}));
  EXPECT_EQ(told.next(), "snapshot 1");
  EXPECT_EQ(told.next(), "connected");
  daemon.publish("state/sales", 2, segment(2));
  gate.wait_until_somebody_waits();
  for (std::uint32_t i = 1; i <= 100; ++i) {
    daemon.publish("state/sales", 2 + i, segment(2 + i));
    daemon.publish("alert/sales", i, alert("a", i));
  }
  EXPECT_TRUE(took(subscriber, 201)) << "it reads on while a call is slow";
  gate.open();
  EXPECT_EQ(told.next(), "segment sales 2");
  EXPECT_EQ(told.next(), "segment sales 102") << "nobody is shown what was true long ago";
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(told.next(), "alert a " + std::to_string(i));
  EXPECT_EQ(subscriber.state().replaced, 99U);
  EXPECT_EQ(subscriber.state().gaps, 0U);
}

TEST(Subscriber, ReadsNoFurtherThanItHasRoomForAlerts) {
  FakeDaemon daemon("room");
  Told told;
  Gate gate;
  SubscriberCalls calls = told.calls();
  calls.alert = [&, tell = calls.alert](const v1::Alert& a) {
    gate.wait();
    tell(a);
  };
  SubscriberOptions with = options(daemon);
  with.alert_queue = 5;
  const Subscriber subscriber(with, calls);
  daemon.wait_for_subscriptions();
  daemon.publish("state/sales", 1, segment(1));
  daemon.answer(snapshot(1, {{"state/sales", 1}}));
  EXPECT_EQ(told.next(), "snapshot 1");
  EXPECT_EQ(told.next(), "connected");
  for (std::uint32_t i = 1; i <= 100; ++i) daemon.publish("alert/sales", i, alert("a", i));
  gate.wait_until_somebody_waits();
  EXPECT_TRUE(took(subscriber, 6));
  EXPECT_LE(subscriber.state().messages, 6U) << "one is being told, five wait";
  gate.open();
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(told.next(), "alert a " + std::to_string(i));
  EXPECT_EQ(subscriber.state().gaps, 0U);
}

TEST(Subscriber, AsksAnewForWhatWasNotTakenInTime) {
  FakeDaemon daemon("stuck");
  Told told;
  Gate gate;
  SubscriberCalls calls = told.calls();
  calls.alert = [&, tell = calls.alert](const v1::Alert& a) {
    gate.wait();
    tell(a);
  };
  SubscriberOptions with = options(daemon);
  with.alert_queue = 1;
  with.silence = milliseconds(500);
  const Subscriber subscriber(with, calls);
  daemon.wait_for_subscriptions();
  daemon.publish("state/sales", 1, segment(1));
  daemon.answer(snapshot(1, {{"state/sales", 1}}));
  EXPECT_EQ(told.next(), "snapshot 1");
  EXPECT_EQ(told.next(), "connected");
  daemon.publish("alert/sales", 1, alert("a", 1));
  gate.wait_until_somebody_waits();
  daemon.publish("alert/sales", 2, alert("b", 1));
  daemon.publish("alert/sales", 3, alert("c", 1));  // no room for this one, nor for anything after it
  daemon.wait_for_subscriptions();                  // with a new connection
  gate.open();
  EXPECT_EQ(told.next(), "alert a 1");
  EXPECT_EQ(told.next(), "alert b 1");
  EXPECT_EQ(told.next(), "lost: the alerts of reachd were not taken for 500 ms");
  EXPECT_FALSE(subscriber.state().connected);
  daemon.publish("state/sales", 9, segment(9));
  daemon.answer(snapshot(9, {{"state/sales", 9}, {"alert/sales", 3}}), {alert("b", 1), alert("c", 2)});
  EXPECT_EQ(told.next(), "snapshot 9");
  EXPECT_EQ(told.next(), "alert c 2");
  EXPECT_EQ(told.next(), "connected");
}

TEST(Query, AsksAndIsAnswered) {
  FakeDaemon daemon("query");
  std::thread answering([&] {
    v1::Reply stale;
    const auto request = daemon.request();
    stale.set_id(request.id() + 100);  // somebody else's
    daemon.reply(stale);
    v1::Reply reply;
    reply.set_id(request.id());
    reply.mutable_pong()->set_software("reachd");
    daemon.reply(reply);
  });
  Query query(daemon.query_endpoint(), milliseconds(5000));
  v1::Request request;
  request.mutable_ping();
  EXPECT_EQ(query.ask(request).pong().software(), "reachd");
  answering.join();
}

TEST(Query, SaysWhereItLookedWhenNobodyAnswers) {
  Query query("ipc:///tmp/reach-test-nobody", milliseconds(20));
  try {
    (void)query.ask({});
    FAIL() << "answered by nobody";
  } catch (const NotReachable& error) {
    EXPECT_NE(std::string(error.what()).find("ipc:///tmp/reach-test-nobody"), std::string::npos);
  }
}

}  // namespace
}  // namespace reach::client
