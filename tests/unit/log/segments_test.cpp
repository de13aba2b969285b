#include "daemon/log/segments.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "tests/unit/log/temporary.hpp"

namespace reach::log {
namespace {

using Texts = std::vector<std::string>;

constexpr Time begun = time_from_ns(1'795'420'800'000'000'000);

Texts all_of(Segments& log, Lsn from = 1) {
  Texts found;
  read_records(*log.disk(), from, log.durable(), [&](Lsn number, std::string_view payload) {
    found.push_back(std::to_string(number) + ":" + std::string(payload));
  });
  return found;
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void replace(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

TEST(Segments, GiveBackWhatWasWritten) {
  const TemporaryDirectory dir;
  {
    Segments log(local_disk(dir.path()));
    EXPECT_EQ(log.durable(), 0U);
    log.write(Texts{"a", "b"}, begun);
    log.write(Texts{"c"}, begun);
    EXPECT_EQ(log.durable(), 3U);
  }
  Segments log(local_disk(dir.path()));
  EXPECT_EQ(log.durable(), 3U);
  EXPECT_TRUE(log.repairs().empty());
  EXPECT_EQ(all_of(log), (Texts{"1:a", "2:b", "3:c"}));
  EXPECT_EQ(all_of(log, 3), (Texts{"3:c"}));
  EXPECT_EQ(all_of(log, 4), Texts{});
}

TEST(Segments, FollowOneAnother) {
  const TemporaryDirectory dir;
  Texts expected;
  for (int run = 0; run < 3; ++run) {
    Segments log(local_disk(dir.path()), 100);
    for (int i = 0; i < 5; ++i) {
      log.write(Texts{std::string(40, 'x')}, begun);
      expected.push_back(std::to_string(log.durable()) + ":" + std::string(40, 'x'));
    }
    EXPECT_EQ(all_of(log), expected);
  }
  EXPECT_NE(dir.file(5), "") << "15 records of 64 bytes need more than five files of about 100";
}

TEST(Segments, CutATornTailWhereverItTears) {
  const TemporaryDirectory dir;
  Segments(local_disk(dir.path())).write(Texts{"kept"}, begun);
  const std::size_t good = content_of(dir.file()).size();
  {
    Segments log(local_disk(dir.path()));
    log.write(Texts{"torn 1", "torn 2"}, begun);
  }
  const std::string second = content_of(dir.file(1));
  // The second run began a file of its own; tear that one at every byte.
  for (std::size_t size = 0; size < second.size(); ++size) {
    replace(dir.path() + "/00000000000000000002.log", second.substr(0, size));
    Segments log(local_disk(dir.path()));
    const Texts found = all_of(log);
    ASSERT_GE(found.size(), 1U) << "torn at " << size;
    EXPECT_EQ(found[0], "1:kept");
    ASSERT_LE(found.size(), 2U) << "torn at " << size;
    const bool whole = size == segment_header_bytes || size == segment_header_bytes + record_header_bytes + 6;
    EXPECT_EQ(log.repairs().empty(), whole) << "torn at " << size;
  }
  EXPECT_EQ(content_of(dir.file()).size(), good);
}

TEST(Segments, AreWrittenAfterARepair) {
  const TemporaryDirectory dir;
  Segments(local_disk(dir.path())).write(Texts{"a", "b"}, begun);
  const std::string content = content_of(dir.file());
  replace(dir.file(), content.substr(0, content.size() - 1));
  {
    Segments log(local_disk(dir.path()));
    ASSERT_EQ(log.repairs().size(), 1U);
    EXPECT_NE(log.repairs()[0].find("never acknowledged"), std::string::npos);
    log.write(Texts{"B"}, begun);
  }
  Segments log(local_disk(dir.path()));
  EXPECT_EQ(all_of(log), (Texts{"1:a", "2:B"}));
}

TEST(Segments, LeaveATornTailWhereTheyOnlyLook) {
  const TemporaryDirectory dir;
  Segments(local_disk(dir.path())).write(Texts{"a", "b"}, begun);
  const std::string torn = content_of(dir.file()).substr(0, content_of(dir.file()).size() - 1);
  replace(dir.file(), torn);
  Segments log(local_disk_read_only(dir.path()), 100, Tail::leave);
  EXPECT_EQ(all_of(log), (Texts{"1:a"}));
  EXPECT_EQ(log.repairs().size(), 1U);
  EXPECT_EQ(content_of(dir.file()), torn);
}

TEST(Segments, RefuseDamageBeforeWhatWasConfirmed) {
  const TemporaryDirectory dir;
  {
    Segments log(local_disk(dir.path()));
    log.write(Texts{"first"}, begun);
    log.write(Texts{"second"}, begun);
    log.write(Texts{"third"}, begun);
  }
  const std::string good = content_of(dir.file());
  const std::size_t second = segment_header_bytes + record_header_bytes + 5;
  for (std::size_t at = 0; at < second + record_header_bytes + 6; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    replace(dir.file(), bad);
    try {
      Segments log(local_disk(dir.path()));
      FAIL() << "opened in spite of a flipped bit at " << at;
    } catch (const LogError& e) {
      const std::string offset = at < segment_header_bytes ? "0" : std::to_string(at < second ? 32 : second);
      const bool newer = std::string(e.what()).find("newer") != std::string::npos;  // a flip in the version
      EXPECT_TRUE(newer || std::string(e.what()).find("offset " + offset + ":") != std::string::npos) << e.what();
    }
  }
}

TEST(Segments, RefuseDamageInAnOlderFile) {
  const TemporaryDirectory dir;
  Segments(local_disk(dir.path())).write(Texts{"a", "b"}, begun);
  Segments(local_disk(dir.path())).write(Texts{"c"}, begun);
  std::string bad = content_of(dir.file(0));
  bad.back() = '?';
  replace(dir.file(0), bad);
  Segments log(local_disk(dir.path()));
  EXPECT_THROW(all_of(log), LogError);
}

TEST(Segments, EndWhereAFileThatWasBegunSaysSo) {
  const TemporaryDirectory dir, other;
  {
    Segments log(local_disk(dir.path()));
    log.write(Texts{"a", "b"}, begun);
    Segments longer(local_disk(other.path()));
    for (const char* text : {"1", "2", "3", "4"}) longer.write(Texts{text}, begun);
  }
  const std::string good = content_of(dir.file());
  replace(dir.file(), good + content_of(other.file()).substr(segment_header_bytes));
  EXPECT_THROW(Segments(local_disk(dir.path())), LogError) << "there was a record 3 once";
  const std::string begun_file = dir.path() + "/" + segment_name(3);
  replace(begun_file, std::string(10, '\0'));
  Segments log(local_disk(dir.path()));
  EXPECT_EQ(all_of(log), (Texts{"1:a", "2:b"}));
  EXPECT_EQ(log.repairs().size(), 2U);
  EXPECT_EQ(content_of(dir.file()), good);
  EXPECT_FALSE(std::filesystem::exists(begun_file));
}

TEST(Segments, RefuseALogWithoutWhatWasThereWhenAFileWasBegun) {
  const TemporaryDirectory dir;
  Segments(local_disk(dir.path())).write(Texts{"a", "b"}, begun);
  replace(dir.path() + "/" + segment_name(5), std::string(10, '\0'));
  try {
    Segments log(local_disk(dir.path()));
    FAIL() << "the records 3 and 4 are missing";
  } catch (const LogError& e) {
    EXPECT_NE(std::string(e.what()).find("record 3 cannot be read, but was once durable"), std::string::npos)
        << e.what();
  }
  EXPECT_TRUE(std::filesystem::exists(dir.path() + "/" + segment_name(5))) << "a second try finds the same";
}

TEST(Segments, CutAGroupOfWhichAPowerLossKeptOnlyTheEnd) {
  const TemporaryDirectory dir;
  {
    Segments log(local_disk(dir.path()));
    log.write(Texts{"kept"}, begun);
    log.write(Texts{"lost page", "page that reached the disk"}, begun);
  }
  std::string content = content_of(dir.file());
  content.replace(content.find("lost page"), 9, std::string(9, '\0'));
  replace(dir.file(), content);
  Segments log(local_disk(dir.path()));
  EXPECT_EQ(all_of(log), (Texts{"1:kept"}));
  EXPECT_EQ(log.repairs().size(), 1U);
}

TEST(Segments, WriteAnewElsewhereAfterAFailedSync) {
  const TemporaryDirectory dir;
  const auto faults = std::make_shared<Faults>();
  {
    Segments log(std::make_unique<FaultyDisk>(local_disk(dir.path()), faults));
    log.write(Texts{"a"}, begun);
    faults->sync_error = EIO;
    EXPECT_THROW(log.write(Texts{"b"}, begun), std::system_error);
    EXPECT_THROW(log.write(Texts{"b"}, begun), std::system_error);
    EXPECT_EQ(log.durable(), 1U);
    faults->sync_error = 0;
    log.write(Texts{"b", "c"}, begun);
    EXPECT_EQ(log.durable(), 3U);
    EXPECT_EQ(all_of(log), (Texts{"1:a", "2:b", "3:c"}));
  }
  EXPECT_NE(dir.file(1), "");
  Segments log(local_disk(dir.path()));
  EXPECT_EQ(all_of(log), (Texts{"1:a", "2:b", "3:c"}));
}

TEST(Segments, SurviveADiskThatFillsUpHalfWay) {
  const TemporaryDirectory dir;
  const auto faults = std::make_shared<Faults>();
  Segments log(std::make_unique<FaultyDisk>(local_disk(dir.path()), faults));
  log.write(Texts{"a"}, begun);
  faults->half_append = true;
  faults->append_error = ENOSPC;
  EXPECT_THROW(log.write(Texts{"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}, begun), std::system_error);
  faults->append_error = 0;
  log.write(Texts{"B"}, begun);
  EXPECT_EQ(all_of(log), (Texts{"1:a", "2:B"}));
}

TEST(LocalDisk, IsRefusedToASecondDaemon) {
  const TemporaryDirectory dir;
  const auto first = local_disk(dir.path());
  EXPECT_THROW(local_disk(dir.path()), LogError);
  EXPECT_NO_THROW(local_disk_read_only(dir.path()));
}

TEST(LocalDisk, ReadsNothingButFilesOfASensibleLength) {
  const TemporaryDirectory dir;
  const auto disk = local_disk(dir.path());
  ASSERT_EQ(mkfifo((dir.path() + "/pipe").c_str(), 0600), 0);
  EXPECT_THROW((void)disk->read("pipe"), LogError) << "and does not wait for a writer";
  disk->create("sparse");
  ASSERT_EQ(truncate((dir.path() + "/sparse").c_str(), off_t{200} << 30), 0);
  EXPECT_THROW((void)disk->read("sparse"), LogError);
  EXPECT_EQ(disk->read_beginning("sparse", 4).size(), 4U);
  EXPECT_GT(disk->room(), 0U);
}

TEST(LocalDisk, WritesNothingWhereItOnlyLooks) {
  const TemporaryDirectory dir;
  const auto disk = local_disk_read_only(dir.path());
  EXPECT_THROW(disk->create("x"), std::system_error);
  EXPECT_TRUE(disk->list().empty());
}

}  // namespace
}  // namespace reach::log
