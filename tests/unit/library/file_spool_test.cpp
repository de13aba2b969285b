#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "clients/library/sender.hpp"

namespace reach::client {
namespace {

class FileSpool : public testing::Test {
 protected:
  FileSpool() { std::filesystem::remove_all(directory); }
  ~FileSpool() override { std::filesystem::remove_all(directory); }

  static v1::Event event(std::uint64_t n) {
    v1::Event made;
    made.set_time_ns(n);
    made.set_contact("c" + std::to_string(n));
    return made;
  }
  static std::vector<std::pair<std::uint64_t, std::uint64_t>> all(Spool& spool) {  // number, time
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    spool.read(0, [&](std::uint64_t number, const v1::Event& e) {
      found.emplace_back(number, e.time_ns());
      return true;
    });
    return found;
  }
  using Numbers = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  const std::string directory = "/tmp/reach-spool-" + std::to_string(getpid());
};

TEST_F(FileSpool, GoesOnWhereTheLastRunEnded) {
  std::uint64_t epoch = 0;
  {
    const auto spool = file_spool(directory);
    epoch = spool->epoch();
    EXPECT_GT(epoch, 0u);
    EXPECT_EQ(spool->next_sequence(), 1u);
    for (std::uint64_t n = 1; n <= 3; ++n) EXPECT_TRUE(spool->append(event(n)));
  }
  const auto spool = file_spool(directory);
  EXPECT_EQ(spool->epoch(), epoch);
  EXPECT_EQ(spool->next_sequence(), 4u);
  EXPECT_EQ(all(*spool), (Numbers{{1, 1}, {2, 2}, {3, 3}}));
  spool->append(event(4));
  EXPECT_EQ(all(*spool).back(), (std::pair<std::uint64_t, std::uint64_t>{4, 4}));
}

TEST_F(FileSpool, ForgetsFilesWhoseEventsAreAcknowledged) {
  {
    const auto spool = file_spool(directory);
    v1::Event big = event(1);
    big.set_client(std::string(1024 * 1024, 'x'));
    for (int i = 0; i < 10; ++i) spool->append(big);
    spool->acknowledged(9);
    EXPECT_EQ(spool->size(), 1u);
  }
  {
    const auto spool = file_spool(directory);
    EXPECT_EQ(spool->next_sequence(), 11u);
    EXPECT_LE(spool->size(), 5u) << "what is in one file with an unacknowledged event may come again";
    spool->acknowledged(10);
  }
  EXPECT_LT(std::distance(std::filesystem::directory_iterator(directory), {}), 6);
  const auto spool = file_spool(directory);
  EXPECT_EQ(spool->next_sequence(), 11u) << "an empty spool keeps counting";
}

TEST_F(FileSpool, CutsATornTail) {
  {
    const auto spool = file_spool(directory);
    spool->append(event(1));
    spool->append(event(2));
  }
  const auto file = std::filesystem::path(directory) / "00000000000000000001.events";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  const auto spool = file_spool(directory);
  EXPECT_EQ(all(*spool), (Numbers{{1, 1}}));
  EXPECT_EQ(spool->next_sequence(), 2u);
}

TEST_F(FileSpool, ContinuesBehindWhatTheDaemonAlreadyHas) {
  {
    const auto spool = file_spool(directory);
    spool->append(event(1));
  }
  {
    const auto spool = file_spool(directory);
    spool->append(event(7));  // of this run, numbered 2 in ignorance
    EXPECT_FALSE(spool->continue_at(2)) << "that is no news";
    EXPECT_TRUE(spool->continue_at(5));
    EXPECT_EQ(all(*spool), (Numbers{{5, 7}}));
    EXPECT_EQ(spool->next_sequence(), 6u);
  }
  const auto spool = file_spool(directory);
  EXPECT_EQ(all(*spool), (Numbers{{5, 7}}));
}

TEST_F(FileSpool, IsFullAtItsLimit) {
  const auto spool = file_spool(directory, 2);
  EXPECT_TRUE(spool->append(event(1)));
  EXPECT_TRUE(spool->append(event(2)));
  EXPECT_FALSE(spool->append(event(3)));
  spool->acknowledged(1);
  EXPECT_TRUE(spool->append(event(3)));
}

TEST_F(FileSpool, IsUsedByOneAdapterOnly) {
  const auto spool = file_spool(directory);
  EXPECT_THROW((void)file_spool(directory), std::runtime_error);
}

TEST_F(FileSpool, SaysWhyADirectoryCannotBeUsed) {
  try {
    (void)file_spool("/proc/no/such");
    FAIL() << "made a directory in /proc";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("/proc/no/such"), std::string::npos);
  }
}

}  // namespace
}  // namespace reach::client
