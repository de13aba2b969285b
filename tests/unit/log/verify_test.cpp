#include "daemon/log/verify.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "daemon/log/segments.hpp"
#include "daemon/log/snapshots.hpp"
#include "tests/unit/log/temporary.hpp"

namespace reach::log {
namespace {

using Texts = std::vector<std::string>;

constexpr Time begun = time_from_ns(1'795'420'800'000'000'000);

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void replace(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// Three files of five records "record 1" to "record 15", a snapshot after none.
class VerifyTest : public testing::Test {
 protected:
  VerifyTest() {
    for (int file = 0; file < 3; ++file) {
      Segments log(local_disk(dir.path()));
      for (int i = 1; i <= 5; ++i) log.write(Texts{"record " + std::to_string(file * 5 + i)}, begun);
      log.confirm();
    }
  }
  Inspection look() { return inspect(*local_disk_read_only(dir.path())); }
  /// Number and text of every record that can be read, "NUMBER:" for those that stand for lost ones.
  Texts readable() {
    Texts found;
    const Segments log(local_disk(dir.path()));
    read_records(*log.disk(), 1, log.durable(), [&](Lsn number, std::string_view payload) {
      found.push_back(std::to_string(number) + ":" + std::string(payload));
    });
    return found;
  }
  static Texts all() {
    Texts texts;
    for (int i = 1; i <= 15; ++i) texts.push_back(std::to_string(i) + ":record " + std::to_string(i));
    return texts;
  }
  void flip(std::size_t file, std::size_t at) {
    std::string content = content_of(dir.file(file));
    content[at] = static_cast<char>(content[at] ^ 1);
    replace(dir.file(file), content);
  }
  TemporaryDirectory dir;
};

TEST_F(VerifyTest, FindsNothingInAGoodLog) {
  const Inspection found = look();
  EXPECT_TRUE(found.findings.empty()) << found.findings.front().what;
  EXPECT_EQ(found.first, 1U);
  EXPECT_EQ(found.last, 15U);
  EXPECT_EQ(found.segments, 3U);
  EXPECT_TRUE(accept_damage(*local_disk(dir.path()), begun).empty());
}

TEST_F(VerifyTest, TellsATornTailFromDamage) {
  const std::string content = content_of(dir.file(2));
  replace(dir.file(2), content + "torn");
  ASSERT_EQ(look().findings.size(), 1U);
  EXPECT_EQ(look().findings[0].kind, Finding::Kind::torn_tail);
  EXPECT_FALSE(look().findings[0].is_damage());
  EXPECT_EQ(look().findings[0].offset, content.size());
  EXPECT_EQ(readable(), all());
}

TEST_F(VerifyTest, TellsABeginningThatOnlyLooksTorn) {
  for (const std::size_t file : {2, 0}) {
    std::string content = content_of(dir.file(file));
    content[0] = '\0';
    replace(dir.file(file), content);
    EXPECT_THROW(readable(), LogError);
    const Inspection found = look();
    ASSERT_EQ(found.findings.size(), 1U) << file;
    EXPECT_EQ(found.findings[0].kind, Finding::Kind::damage);
    EXPECT_EQ(found.findings[0].file, std::filesystem::path(dir.file(file)).filename());
    EXPECT_EQ(found.findings[0].lost_from, 0U) << "every record can be read";
    accept_damage(*local_disk(dir.path()), begun);
    EXPECT_EQ(readable(), all());
  }
}

TEST_F(VerifyTest, ComesToAnEndWhereAFileBeginsWithALaterRecord) {
  for (const std::size_t file : {2, 0}) {
    replace(dir.file(file), content_of(dir.file(file)).substr(segment_header_bytes + record_header_bytes + 8));
    const Inspection found = look();
    const Lsn lost = file * 5 + 1;
    EXPECT_TRUE(std::ranges::any_of(found.findings, [lost](const Finding& finding) {
      return finding.kind == Finding::Kind::damage && finding.lost_from == lost && finding.lost_to == lost;
    }));
    EXPECT_EQ(found.last, 15U);
    accept_damage(*local_disk(dir.path()), begun);
    EXPECT_TRUE(std::ranges::none_of(look().findings, &Finding::is_damage));
  }
}

TEST_F(VerifyTest, NamesWhatAFlippedBitCosts) {
  const std::size_t record = record_header_bytes + 8;
  flip(1, segment_header_bytes + 2 * record - 2);  // "record 7"
  const Inspection found = look();
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(found.findings[0].kind, Finding::Kind::damage);
  EXPECT_EQ(found.findings[0].file, "00000000000000000006.log");
  EXPECT_EQ(found.findings[0].offset, segment_header_bytes + record);
  EXPECT_EQ(found.findings[0].lost_from, 7U);
  EXPECT_EQ(found.findings[0].lost_to, 7U);
  EXPECT_NE(found.findings[0].advice.find("--accept-damage"), std::string::npos);
  EXPECT_EQ(found.last, 15U);
}

TEST_F(VerifyTest, FindsAFlippedBitInTheLastRecordBecauseItWasConfirmed) {
  flip(2, content_of(dir.file(2)).size() - record_header_bytes - 2);
  ASSERT_EQ(look().findings.size(), 1U);
  EXPECT_EQ(look().findings[0].kind, Finding::Kind::damage);
  EXPECT_EQ(look().findings[0].lost_from, 15U);
  EXPECT_EQ(look().findings[0].lost_to, 15U);
  EXPECT_THROW(Segments(local_disk(dir.path())), LogError);
}

TEST_F(VerifyTest, FindsAMissingPart) {
  std::filesystem::remove(dir.file(1));
  Inspection found = look();
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(found.findings[0].kind, Finding::Kind::missing);
  EXPECT_EQ(found.findings[0].lost_from, 6U);
  EXPECT_EQ(found.findings[0].lost_to, 10U);
  EXPECT_THROW(readable(), LogError);
  std::filesystem::remove(dir.file(0));
  found = look();
  ASSERT_EQ(found.findings.size(), 1U) << "the beginning is missing, and no snapshot has it";
  EXPECT_EQ(found.findings[0].lost_from, 1U);
  EXPECT_EQ(found.findings[0].lost_to, 10U);
}

TEST_F(VerifyTest, MissesNothingThatASnapshotHas) {
  {
    const auto disk = local_disk(dir.path());
    write_snapshot(*disk, 12, [](const auto& append) { append("all of it"); });
  }
  std::filesystem::remove(dir.file(0));
  EXPECT_TRUE(look().findings.empty());
  EXPECT_EQ(look().snapshots, 1U);
  std::filesystem::remove(dir.file(1));
  std::filesystem::remove(dir.file(0));
  ASSERT_EQ(look().findings.size(), 1U) << "the log ends before the snapshot";
  EXPECT_EQ(look().findings[0].lost_to, 12U);
}

TEST_F(VerifyTest, FindsForeignFilesAndBadSnapshots) {
  replace(dir.path() + "/notes.txt", "mine");
  replace(dir.path() + "/00000000000000000099.log", std::string(100, 'x'));
  replace(dir.path() + "/00000000000000000010.snapshot", "RCHDSNAP and then nothing of use, but long enough");
  const Inspection found = look();
  std::vector<std::pair<Finding::Kind, std::string>> kinds;
  for (const Finding& each : found.findings) kinds.emplace_back(each.kind, each.file);
  using enum Finding::Kind;
  EXPECT_EQ(kinds, (std::vector<std::pair<Finding::Kind, std::string>>{
                       {missing, "00000000000000000099.log"},
                       {foreign, "00000000000000000099.log"},
                       {bad_snapshot, "00000000000000000010.snapshot"},
                       {foreign, "notes.txt"},
                   }));
  EXPECT_THROW(Segments(local_disk(dir.path())), LogError) << "somebody else's file is not removed";
}

TEST_F(VerifyTest, AcceptedDamageIsReadPastAndStaysKnown) {
  const std::size_t record = record_header_bytes + 8;
  flip(0, segment_header_bytes + record - 1);  // record 1
  flip(1, segment_header_bytes + 3 * record - 1);
  flip(1, segment_header_bytes + 4 * record - 1);  // records 8 and 9
  flip(2, 3);                                      // the beginning of the third file
  EXPECT_THROW(readable(), LogError);
  EXPECT_FALSE(accept_damage(*local_disk(dir.path()), begun).empty());
  Texts expected = all();
  expected[0] = "1:";
  expected[8] = "9:";
  expected.erase(expected.begin() + 7);
  EXPECT_EQ(readable(), expected);
  for (const Finding& each : look().findings) EXPECT_FALSE(each.is_damage()) << each.what;
  EXPECT_EQ(look().findings.size(), 2U) << "what was lost stays known";
  EXPECT_TRUE(accept_damage(*local_disk(dir.path()), begun).empty()) << "a second time there is nothing to do";
}

TEST_F(VerifyTest, AcceptingThatIsInterruptedAndBegunAgainLosesNoMore) {
  const std::size_t record = record_header_bytes + 8;
  flip(1, segment_header_bytes + 3 * record - 1);  // record 8
  for (const int renames : {0, 1}) {
    const auto faults = std::make_shared<Faults>();
    faults->renames_left = renames;
    try {
      FaultyDisk disk(local_disk(dir.path()), faults);
      accept_damage(disk, begun);
    } catch (const std::system_error&) {  // it was interrupted there
    }
  }
  accept_damage(*local_disk(dir.path()), begun);
  Texts expected = all();
  expected[7] = "8:";
  EXPECT_EQ(readable(), expected);
}

TEST_F(VerifyTest, AcceptedDamageFillsMissingParts) {
  std::filesystem::remove(dir.file(1));
  EXPECT_EQ(accept_damage(*local_disk(dir.path()), begun).size(), 1U);
  Texts expected = all();
  expected.erase(expected.begin() + 5, expected.begin() + 9);
  expected[5] = "10:";
  EXPECT_EQ(readable(), expected);
}

TEST_F(VerifyTest, AcceptedDamageOfAWholeFileLeavesTheOneBeforeItWhereItEnds) {
  std::ofstream(dir.file(1), std::ios::binary | std::ios::app) << content_of(dir.file(2));
  replace(dir.file(2), std::string(100, 'x'));
  EXPECT_THROW(readable(), LogError);
  EXPECT_EQ(accept_damage(*local_disk(dir.path()), begun).size(), 1U);
  Texts expected = all();
  expected.resize(10);
  EXPECT_EQ(readable(), expected);
  EXPECT_EQ(content_of(dir.file(2) + ".damaged"), std::string(100, 'x'));
  EXPECT_TRUE(accept_damage(*local_disk(dir.path()), begun).empty()) << "a second time there is nothing to do";
}

TEST_F(VerifyTest, EveryFlippedBitIsFoundAndCanBeAccepted) {
  const std::string good = content_of(dir.file(1));
  for (std::size_t at = 0; at < good.size(); ++at) {
    const TemporaryDirectory copy;
    for (const auto& entry : std::filesystem::directory_iterator(dir.path()))
      if (entry.path().extension() == ".log")
        std::filesystem::copy_file(entry.path(), copy.path() + "/" + entry.path().filename().string());
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    replace(copy.file(1), bad);
    const Inspection found = inspect(*local_disk_read_only(copy.path()));
    // The record that confirms the last one is needed only for the last file.
    if (at < good.size() - record_header_bytes) {
      EXPECT_FALSE(found.findings.empty()) << "flipped at " << at;
    }
    try {
      const std::shared_ptr<Disk> disk = local_disk(copy.path());
      accept_damage(*disk, begun);
      const Segments log(disk);
      Lsn last = 0;
      read_records(*disk, 1, log.durable(), [&](Lsn number, std::string_view) { last = number; });
      EXPECT_EQ(last, 15U) << "flipped at " << at;
    } catch (const LogError& e) {
      EXPECT_NE(std::string(e.what()).find("newer"), std::string::npos) << "flipped at " << at << ": " << e.what();
    }
  }
}

TEST(Snapshots, AreWholeOrNotThere) {
  const TemporaryDirectory dir;
  const auto faults = std::make_shared<Faults>();
  FaultyDisk disk(local_disk(dir.path()), faults);
  const auto content = [](const auto& append) {
    append("a");
    append("bc");
  };
  faults->sync_error = 5;
  EXPECT_THROW(write_snapshot(disk, 7, content), std::system_error);
  EXPECT_TRUE(snapshot_files(disk).empty());
  EXPECT_FALSE(std::filesystem::exists(dir.path() + "/snapshot.new")) << "the log needs the room";
  faults->sync_error = 0;
  faults->room = 20;
  EXPECT_NO_THROW(write_snapshot(disk, 7, [](const auto& append) { append("ab"); }));
  EXPECT_THROW(write_snapshot(disk, 8, content), std::system_error) << "half of it is the log's";
  EXPECT_FALSE(std::filesystem::exists(dir.path() + "/snapshot.new"));
  faults->room = std::numeric_limits<std::uint64_t>::max();
  for (const Lsn number : {7U, 9U, 12U}) write_snapshot(disk, number, content);
  ASSERT_EQ(snapshot_files(disk).size(), 2U) << "the newest two are kept";
  EXPECT_EQ(snapshot_files(disk)[0].number, 9U);
  EXPECT_EQ(read_snapshot(disk, snapshot_files(disk)[1]), "abc");
  const std::string path = dir.path() + "/" + snapshot_files(disk)[1].name;
  const std::string good = content_of(path);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    replace(path, bad);
    EXPECT_FALSE(read_snapshot(disk, snapshot_files(disk)[1])) << "flipped at " << at;
    replace(path, good.substr(0, at));
    EXPECT_FALSE(read_snapshot(disk, snapshot_files(disk)[1])) << "cut at " << at;
  }
}

TEST(Retention, RemovesFilesByAgeAndBySizeButOnlyWhatASnapshotHas) {
  const TemporaryDirectory dir;
  const std::shared_ptr<Disk> disk = local_disk(dir.path());
  Segments log(disk, 1);  // a file for each group
  for (int i = 0; i < 6; ++i) log.write(Texts{std::string(1000, 'x')}, begun + std::chrono::hours(i));
  constexpr std::uint64_t unlimited = ~std::uint64_t{0};
  EXPECT_EQ(remove_old_segments(*disk, 6, begun, unlimited), 0U);
  EXPECT_EQ(remove_old_segments(*disk, 6, begun + std::chrono::minutes(61), unlimited), 1U)
      << "the first ended when the second was begun";
  EXPECT_EQ(remove_old_segments(*disk, 3, begun + std::chrono::hours(9), unlimited), 2U);
  EXPECT_EQ(remove_old_segments(*disk, 6, begun, 2500), 1U) << "the oldest, until the others fit";
  EXPECT_EQ(segment_files(*disk).front().first, 5U);
  EXPECT_EQ(remove_old_segments(*disk, 6, begun + std::chrono::hours(9), 0), 1U);
  EXPECT_EQ(segment_files(*disk).size(), 1U) << "the newest stays";
}

}  // namespace
}  // namespace reach::log
