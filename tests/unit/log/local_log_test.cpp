#include "daemon/log/local_log.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <future>

#include "tests/unit/log/temporary.hpp"

namespace reach::log {
namespace {

using std::chrono::milliseconds;

/// Lets the test wait until the log's thread reports what it hopes for.
class Changes {
 public:
  std::function<void()> report() {
    return [this] {
      const std::lock_guard lock(mutex_);
      changed_.notify_all();
    };
  }
  template <class Predicate>
  bool wait(Predicate hoped_for) {
    std::unique_lock lock(mutex_);
    for (int i = 0; i < 200 && !hoped_for(); ++i) changed_.wait_for(lock, milliseconds(50));
    return hoped_for();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class LocalLogTest : public testing::Test {
 protected:
  std::unique_ptr<LocalLog> open(std::size_t queue_bytes = 1U << 20) {
    LocalLogOptions options;
    options.queue_bytes = queue_bytes;
    options.retry = milliseconds(1);
    options.answers_within = answers_within_;
    return std::make_unique<LocalLog>(Segments(std::make_unique<FaultyDisk>(local_disk(dir_.path()), faults_)), options,
                                      changes_.report());
  }
  std::vector<std::string> stored() {
    std::vector<std::string> found;
    const Segments log(local_disk(dir_.path()));
    read_records(*log.disk(), 1, log.durable(), [&](Lsn, std::string_view text) { found.emplace_back(text); });
    return found;
  }

  TemporaryDirectory dir_;
  std::shared_ptr<Faults> faults_ = std::make_shared<Faults>();
  Changes changes_;
  milliseconds answers_within_{60'000};
};

TEST_F(LocalLogTest, ReportsEveryRecordDurable) {
  const auto log = open();
  EXPECT_EQ(log->durable(), 0U);
  for (Lsn i = 1; i <= 1000; ++i) EXPECT_EQ(log->append(std::to_string(i)), i);
  EXPECT_TRUE(changes_.wait([&] { return log->durable() == 1000; }));
  EXPECT_EQ(log->problem(), "");
  const Statistics statistics = log->statistics();
  EXPECT_EQ(statistics.records, 1000U);
  EXPECT_EQ(statistics.queued_bytes, 0U);
}

TEST_F(LocalLogTest, NumbersGoOnAfterARestart) {
  open()->append("a");
  const auto log = open();
  EXPECT_EQ(log->durable(), 1U);
  EXPECT_EQ(log->append("b"), 2U);
  EXPECT_TRUE(log->stop());
  EXPECT_EQ(log->append("after the end"), 0U);
}

TEST_F(LocalLogTest, StopMakesEverythingDurable) {
  for (int i = 0; i < 100; ++i) {
    auto log = open();
    log->append("x");
    EXPECT_TRUE(log->stop());
  }
  EXPECT_EQ(stored().size(), 100U);
}

TEST_F(LocalLogTest, ConfirmsNothingWhileSyncsFailAndGoesOnByItself) {
  const auto log = open();
  faults_->sync_error = EIO;
  log->append("a");
  ASSERT_TRUE(changes_.wait([&] { return !log->problem().empty(); }));
  EXPECT_EQ(log->append("b"), 2U) << "it still takes events while its queue has room";
  EXPECT_EQ(log->durable(), 0U);
  faults_->sync_error = 0;
  EXPECT_TRUE(changes_.wait([&] { return log->durable() == 2 && log->problem().empty(); }));
  EXPECT_GE(log->statistics().failures, 1U);
  EXPECT_TRUE(log->stop());
}

TEST_F(LocalLogTest, SaysThatTheDiskIsFull) {
  const auto log = open();
  faults_->append_error = ENOSPC;
  log->append("a");
  ASSERT_TRUE(changes_.wait([&] { return !log->problem().empty(); }));
  EXPECT_NE(log->problem().find("No space left on device; make room"), std::string::npos) << log->problem();
  EXPECT_FALSE(log->stop()) << "nothing was confirmed";
}

TEST_F(LocalLogTest, SaysThatTheDiskDoesNotAnswer) {
  answers_within_ = milliseconds(0);
  const auto log = open();
  EXPECT_EQ(log->problem(), "") << "there is nothing to write";
  faults_->hang = true;
  log->append("a");
  ASSERT_TRUE(changes_.wait([&] { return !log->problem().empty(); }));
  EXPECT_EQ(log->problem(), "the disk has not answered for over 0s");
  EXPECT_EQ(log->durable(), 0U);
  faults_->hang = false;
  faults_->hang.notify_all();
  EXPECT_TRUE(changes_.wait([&] { return log->durable() == 1 && log->problem().empty(); }));
}

TEST_F(LocalLogTest, TakesNothingWhenItsQueueIsFull) {
  const auto log = open(1000);
  faults_->create_error = EROFS;
  Lsn taken = 0;
  while (log->append(std::string(76, 'x')) != 0) ++taken;
  EXPECT_EQ(taken, 10U);
  EXPECT_NE(log->problem(), "");
  faults_->create_error = 0;
  EXPECT_TRUE(changes_.wait([&] { return log->durable() == taken; }));
  EXPECT_EQ(log->append("room again"), taken + 1);
}

}  // namespace
}  // namespace reach::log
