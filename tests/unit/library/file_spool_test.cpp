#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <system_error>

#include "clients/library/spool.hpp"
#include "daemon/log/disk.hpp"

namespace reach::client {
namespace {

/// A disk in memory that forgets like a real one. What is on it outlives the objects that write to it.
struct Platter {
  struct Content {
    std::string bytes;
    std::size_t safe = 0;  // of bytes
  };
  std::map<std::string, std::shared_ptr<Content>> names, safe_names;
  int operations = 0, fail_from = -1, fail_to = -1;  // counted; those from … to (not included) fail
  bool removing_fails = false;

  void operate() {
    const int now = operations++;
    if (now >= fail_from && now < fail_to) throw std::system_error(ENOSPC, std::generic_category(), "cannot write");
  }
  /// The machine goes down: of what was not synced, as much stays as `random` likes.
  void crash(std::mt19937_64& random) {
    if (random() % 2 == 0) names = safe_names;
    for (auto& [name, content] : names) {
      const std::size_t unsafe = content->bytes.size() - content->safe;
      content->bytes.resize(content->safe + random() % (unsafe + 1));
      content->safe = content->bytes.size();
    }
    safe_names = names;
  }
};

class PlatterFile final : public log::File {
 public:
  PlatterFile(Platter& platter, std::shared_ptr<Platter::Content> content)
      : platter_(platter), content_(std::move(content)) {}
  void append(std::string_view bytes) override {
    try {
      platter_.operate();
    } catch (...) {
      content_->bytes += bytes.substr(0, bytes.size() / 2);
      throw;
    }
    content_->bytes += bytes;
  }
  void sync() override {
    platter_.operate();
    content_->safe = content_->bytes.size();
  }

 private:
  Platter& platter_;
  std::shared_ptr<Platter::Content> content_;
};

class PlatterDisk final : public log::Disk {
 public:
  explicit PlatterDisk(Platter& platter) : platter_(platter) {}
  [[nodiscard]] std::string path() const override { return "spool"; }
  [[nodiscard]] std::vector<std::string> list() override {
    std::vector<std::string> names;
    for (const auto& [name, content] : platter_.names) names.push_back(name);
    return names;
  }
  [[nodiscard]] std::string read(const std::string& name) override { return platter_.names.at(name)->bytes; }
  [[nodiscard]] std::string read_beginning(const std::string& name, std::size_t most) override {
    return read(name).substr(0, most);
  }
  [[nodiscard]] std::uint64_t size(const std::string& name) override { return read(name).size(); }
  std::unique_ptr<log::File> create(const std::string& name) override {
    platter_.operate();
    platter_.names[name] = std::make_shared<Platter::Content>();
    return std::make_unique<PlatterFile>(platter_, platter_.names[name]);
  }
  void truncate(const std::string& name, std::uint64_t size) override {
    platter_.operate();
    platter_.names.at(name)->bytes.resize(size);
    platter_.names.at(name)->safe = size;
  }
  void remove(const std::string& name) override {
    if (platter_.removing_fails) throw std::system_error(EROFS, std::generic_category(), "cannot remove");
    platter_.names.erase(name);
  }
  void rename(const std::string& from, const std::string& to) override {
    platter_.names[to] = platter_.names.at(from);
    platter_.names.erase(from);
  }
  void sync_directory() override {
    platter_.operate();
    platter_.safe_names = platter_.names;
  }

 private:
  Platter& platter_;
};

v1::Event event(std::uint64_t n) {
  v1::Event made;
  made.set_time_ns(n);
  made.set_contact("c" + std::to_string(n));
  return made;
}

bool append(Spool& spool, std::uint64_t n, std::string_view bookmark = {}) {
  const v1::Event one = event(n);
  return spool.append({&one, 1}, bookmark);
}

using Numbers = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // number, time

std::uint64_t time_of(std::string_view bytes) {
  v1::Event event;
  EXPECT_TRUE(event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return event.time_ns();
}

/// What may be sent of the present stretch.
Numbers to_send(Spool& spool) {
  Numbers found;
  spool.read(0, [&](std::uint64_t number, std::string_view bytes) {
    found.emplace_back(number, time_of(bytes));
    return true;
  });
  return found;
}

class FileSpool : public testing::Test {
 protected:
  FileSpool() { std::filesystem::remove_all(directory); }
  ~FileSpool() override { std::filesystem::remove_all(directory); }

  std::unique_ptr<Spool> open(SpoolLimits limits = {}) {
    return file_spool(std::make_unique<PlatterDisk>(platter), ++epoch, limits);
  }

  Platter platter;
  std::uint64_t epoch = 100;
  const std::string directory = "/tmp/reach-spool-" + std::to_string(getpid());
};

TEST_F(FileSpool, SendsWhatTheLastRunLeftUnderItsOldNumbersFirst) {
  std::uint64_t first_epoch = 0;
  {
    const auto spool = file_spool(directory);
    first_epoch = spool->stretch().epoch;
    EXPECT_GT(first_epoch, 0u);
    EXPECT_EQ(spool->stretch().next, 1u);
    EXPECT_TRUE(spool->stretch().is_last);
    for (std::uint64_t n = 1; n <= 3; ++n) EXPECT_TRUE(append(*spool, n));
  }
  const auto spool = file_spool(directory);
  EXPECT_EQ(spool->stretch().epoch, first_epoch);
  EXPECT_FALSE(spool->stretch().is_last);
  EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}, {2, 2}, {3, 3}}));
  append(*spool, 4);
  EXPECT_EQ(to_send(*spool).size(), 3u) << "what this run adds is of another epoch";
  EXPECT_EQ(spool->size(), 4u);
  spool->acknowledged(3);
  spool->begin_next_stretch();
  EXPECT_GT(spool->stretch().epoch, first_epoch);
  EXPECT_TRUE(spool->stretch().is_last);
  EXPECT_EQ(to_send(*spool), (Numbers{{1, 4}}));
}

TEST_F(FileSpool, NeverComesBackToAnEpochThatIsOver) {
  append(*open(), 1);
  {
    const auto spool = open();
    append(*spool, 2);
    spool->acknowledged(1);
    spool->begin_next_stretch();
    ASSERT_TRUE(spool->settle());
  }
  platter.names = platter.safe_names;  // the machine goes down at once
  EXPECT_EQ(open()->stretch().epoch, 102u);
}

TEST_F(FileSpool, DoesNotSettleWhileAnEpochCannotBeForgotten) {
  append(*open(), 1);
  const auto spool = open();
  platter.removing_fails = true;
  spool->acknowledged(1);
  spool->begin_next_stretch();
  EXPECT_FALSE(spool->settle());
  EXPECT_NE(spool->problem().find("cannot remove"), std::string::npos);
  platter.removing_fails = false;
  EXPECT_TRUE(spool->settle());
}

TEST_F(FileSpool, TellsTheEpochBeforeThoughNothingOfItIsHeld) {
  {
    const auto spool = open();
    append(*spool, 1);
    spool->acknowledged(1);
  }
  const auto spool = open();
  EXPECT_EQ(spool->stretch().epoch, 101u);
  EXPECT_EQ(spool->stretch().next, 2u) << "so that a daemon with an older log can say what it lacks";
}

TEST_F(FileSpool, ForgetsRunsThatNumberedNothing) {
  for (int i = 0; i < 5; ++i) (void)open();
  EXPECT_TRUE(open()->stretch().is_last);
  EXPECT_EQ(platter.names.size(), 1u);
}

TEST_F(FileSpool, ForgetsFilesWhoseEventsAreAcknowledged) {
  {
    const auto spool = open();
    v1::Event big = event(1);
    big.set_client(std::string(1024 * 1024, 'x'));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(spool->append({&big, 1}, {}));
    EXPECT_EQ(platter.names.size(), 3u);
    spool->acknowledged(9);
    EXPECT_EQ(spool->size(), 1u);
    EXPECT_EQ(platter.names.size(), 1u);
    spool->acknowledged(10);
    EXPECT_LT(platter.names.begin()->second->bytes.size(), 100u) << "a restart must not send megabytes again";
  }
  EXPECT_EQ(open()->stretch().next, 11u);
}

TEST_F(FileSpool, CutsATornTail) {
  {
    const auto spool = open();
    append(*spool, 1);
    append(*spool, 2, "two");
  }
  auto& bytes = platter.names.begin()->second->bytes;
  bytes.pop_back();
  const auto spool = open();
  EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}}));
  EXPECT_EQ(spool->bookmark(), "") << "the bookmark goes with its events";
  EXPECT_EQ(spool->problem(), "");
}

TEST_F(FileSpool, TellsWhichFileIsDamagedAndWhere) {
  {
    const auto spool = open();
    append(*spool, 1);
    append(*spool, 2);
  }
  platter.names.begin()->second->bytes.back() ^= 1;
  const auto spool = open();
  EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}}));
  EXPECT_NE(spool->problem().find("spool/101-1-0.events is damaged at byte "), std::string::npos) << spool->problem();
}

/// Where each record of the only file begins, and its end: of the mark at the beginning and one an append.
std::vector<std::size_t> records_of(const std::string& bytes) {
  std::vector<std::size_t> found{0};
  while (found.back() < bytes.size()) {
    std::uint32_t length = 0;
    for (std::size_t i = 4; i-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[found.back() + i]);
    found.push_back(found.back() + 8 + length);
  }
  return found;
}

TEST_F(FileSpool, FindsWhatIsBehindDamage) {
  const std::vector<std::pair<std::size_t, char>> flips{{0, 1}, {1, 1}, {3, 0x40}, {4, 1}, {8, 1}, {20, 1}};
  for (const auto& [offset, bit] : flips) {
    SCOPED_TRACE("bit " + std::to_string(bit) + " of byte " + std::to_string(offset));
    platter = {};
    {
      const auto spool = open();
      for (std::uint64_t n = 1; n <= 5; ++n) append(*spool, n);
    }
    auto& bytes = platter.names.begin()->second->bytes;
    bytes[records_of(bytes)[2] + offset] ^= bit;
    (void)open();  // does not cut the good ones away
    const auto spool = open();
    EXPECT_NE(spool->problem().find("is damaged at byte "), std::string::npos) << spool->problem();
    EXPECT_NE(spool->problem().find("its event 2 is lost unless reachd has it"), std::string::npos) << spool->problem();
    EXPECT_EQ(spool->size(), 4u);
    EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}}));
    const std::uint64_t damaged = spool->stretch().epoch;
    spool->acknowledged(1);
    spool->begin_next_stretch();
    ASSERT_TRUE(spool->settle());
    EXPECT_EQ(spool->stretch().epoch, damaged) << "so that the daemon sees that 2 is missing";
    EXPECT_FALSE(spool->stretch().is_last);
    EXPECT_EQ(to_send(*spool), (Numbers{{3, 3}, {4, 4}, {5, 5}}));
    EXPECT_FALSE(platter.names.begin()->second->bytes.empty()) << "not acknowledged, so not forgotten";
    EXPECT_EQ(open()->size(), 4u);
  }
}

TEST_F(FileSpool, LosesOnlyWhatDamageHits) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    platter = {};
    std::vector<std::uint64_t> last{0};  // number of each record's last event
    {
      const auto spool = open();
      while (last.back() < 40) {
        std::vector<v1::Event> events;
        for (std::uint64_t i = 0; i <= random() % 3; ++i) events.push_back(event(last.back() + i + 1));
        spool->append(events, {});
        last.push_back(last.back() + events.size());
      }
    }
    auto& bytes = platter.names.begin()->second->bytes;
    const std::vector<std::size_t> records = records_of(bytes);
    std::set<std::uint64_t> hit;
    for (std::uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
      const std::size_t at = random() % bytes.size();
      bytes[at] ^= static_cast<char>(1 << random() % 8);
      const auto record = static_cast<std::size_t>(std::ranges::upper_bound(records, at) - records.begin()) - 1;
      for (std::uint64_t n = record == 0 ? 1 : last[record - 1] + 1; n <= last[record]; ++n) hit.insert(n);
    }
    const auto spool = open();
    std::uint64_t before = 0;
    std::set<std::uint64_t> found;
    for (; !spool->stretch().is_last; spool->begin_next_stretch()) {
      EXPECT_GE(spool->stretch().first, before);
      for (const auto& [number, time] : to_send(*spool)) {
        EXPECT_EQ(number, time);
        EXPECT_GT(number, before);
        found.insert(before = number);
      }
      spool->acknowledged(spool->stretch().next - 1);
    }
    for (std::uint64_t n = 1; n <= last.back(); ++n) EXPECT_TRUE(hit.contains(n) || found.contains(n)) << n;
    if (HasFailure()) return;
  }
}

TEST_F(FileSpool, LetsTheDaemonCountWhatIsMissingAtTheBeginning) {
  {
    const auto spool = open();
    append(*spool, 1);
    append(*spool, 2);
  }
  auto& bytes = platter.names.begin()->second->bytes;
  bytes[records_of(bytes)[1] + 8] ^= 1;
  const auto spool = open();
  EXPECT_EQ(spool->stretch().first, 1u);
  EXPECT_EQ(spool->stretch().next, 1u);
  spool->begin_next_stretch();
  EXPECT_EQ(spool->stretch().epoch, 101u);
  EXPECT_EQ(to_send(*spool), (Numbers{{2, 2}}));
}

TEST_F(FileSpool, LosesNothingWhenOnlyAMarkIsDamaged) {
  append(*open(), 1);
  platter.names.begin()->second->bytes[8] ^= 1;
  const auto spool = open();
  EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}}));
  EXPECT_NE(spool->problem().find("no event is missing"), std::string::npos) << spool->problem();
}

TEST_F(FileSpool, KnowsALengthThatNoRecordHasFromATornTail) {
  append(*open(), 1);
  auto& bytes = platter.names.begin()->second->bytes;
  bytes[records_of(bytes)[1] + 3] ^= 0x40;
  EXPECT_NE(open()->problem().find("what follows there is lost unless reachd has it"), std::string::npos);
}

// A later part on the disk without an earlier one, as a power failure may leave it.
TEST_F(FileSpool, GoesBackToTheBookmarkBeforeAHoleInWhatWasNeverSent) {
  {
    const auto spool = open();
    append(*spool, 1, "line 1");
    EXPECT_EQ(to_send(*spool).size(), 1u);  // with it on the disk
    for (std::uint64_t n = 2; n <= 4; ++n) append(*spool, n, "line " + std::to_string(n));
  }
  auto& bytes = platter.names.begin()->second->bytes;
  const auto records = records_of(bytes);  // mark, 1, mark, 2, 3, 4
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(records[4]), records[5] - records[4], '\0');
  const auto spool = open();
  EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}, {2, 2}}));
  EXPECT_EQ(spool->bookmark(), "line 2") << "3 and 4 are told again";
  EXPECT_EQ(spool->size(), 2u);
  EXPECT_NE(spool->problem().find("was not sent yet and is told again"), std::string::npos) << spool->problem();
}

TEST_F(FileSpool, KeepsTheNewestBookmarkWhenWhatWasSentIsDamaged) {
  {
    const auto spool = open();
    for (std::uint64_t n = 1; n <= 4; ++n) append(*spool, n, "line " + std::to_string(n));
    EXPECT_EQ(to_send(*spool).size(), 4u);
  }
  auto& bytes = platter.names.begin()->second->bytes;
  bytes[records_of(bytes)[2] + 20] ^= 1;
  const auto spool = open();
  EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}}));
  EXPECT_EQ(spool->bookmark(), "line 4") << "told again, 3 and 4 would come twice";
  EXPECT_EQ(spool->size(), 3u);
}

TEST_F(FileSpool, LeavesAGapInTheNumbersWhereAFileEndsEarly) {
  {
    const auto spool = open();
    v1::Event big = event(1);
    big.set_client(std::string(3 * 1024 * 1024, 'x'));
    for (int i = 0; i < 3; ++i) spool->append({&big, 1}, {});
  }
  platter.names.begin()->second->bytes.resize(4U << 20);  // one event in it is left
  const auto spool = open();
  EXPECT_EQ(spool->stretch().next, 2u);
  EXPECT_NE(spool->problem().find("its event 2 is lost unless reachd has it"), std::string::npos) << spool->problem();
  spool->acknowledged(1);
  spool->begin_next_stretch();
  EXPECT_EQ(spool->stretch().epoch, 101u);
  EXPECT_EQ(spool->stretch().first, 3u) << "that 2 is missing is for the daemon to find out";
  EXPECT_FALSE(spool->stretch().is_last);
}

TEST_F(FileSpool, KeepsTheBookmarkWhenEveryEventIsForgotten) {
  {
    const auto spool = open();
    append(*spool, 1, "line 1");
    append(*spool, 2);
    EXPECT_EQ(to_send(*spool).size(), 2u);
    spool->acknowledged(2);
  }
  for (int i = 0; i < 3; ++i) {
    const auto spool = open();
    EXPECT_EQ(spool->bookmark(), "line 1");
    while (!spool->stretch().is_last) spool->begin_next_stretch();
    ASSERT_TRUE(spool->settle());
  }
}

TEST_F(FileSpool, KeepsAllEventsOfOneAppendOrNone) {
  {
    const auto spool = open();
    append(*spool, 1, "line 1");
    const std::vector<v1::Event> three{event(2), event(3), event(4)};
    spool->append(three, "line 2");
  }
  auto& bytes = platter.names.begin()->second->bytes;
  bytes.resize(bytes.size() - 1);
  const auto spool = open();
  EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}}));
  EXPECT_EQ(spool->bookmark(), "line 1");
}

TEST_F(FileSpool, SendsLiveEventsThoughTheDiskIsFull) {
  {
    const auto spool = open();
    append(*spool, 1);
    platter.fail_from = platter.operations;
    platter.fail_to = platter.operations + 1000;
    append(*spool, 2);
    EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}, {2, 2}}));
    EXPECT_NE(spool->problem().find("No space left"), std::string::npos) << spool->problem();
    platter.fail_to = 0;
    append(*spool, 3);
    EXPECT_EQ(spool->problem(), "");
  }
  EXPECT_EQ(to_send(*open()), (Numbers{{1, 1}, {2, 2}, {3, 3}})) << "written later";
}

TEST_F(FileSpool, HoldsBackWhatCouldBeToldAgainUntilTheDiskHasIt) {
  const auto spool = open();
  append(*spool, 1, "line 1");
  platter.fail_from = platter.operations;
  platter.fail_to = platter.operations + 1000;
  append(*spool, 2, "line 2");
  append(*spool, 3);
  EXPECT_TRUE(to_send(*spool).empty());
  platter.fail_to = 0;
  EXPECT_EQ(to_send(*spool), (Numbers{{1, 1}, {2, 2}, {3, 3}}));
}

TEST_F(FileSpool, IsFullAtItsLimits) {
  const auto spool = open({.events = 2});
  EXPECT_TRUE(append(*spool, 1));
  EXPECT_TRUE(append(*spool, 2));
  EXPECT_FALSE(append(*spool, 3));
  spool->acknowledged(1);
  EXPECT_TRUE(append(*spool, 3));
  Platter other;
  const auto small = file_spool(std::make_unique<PlatterDisk>(other), 1, {.bytes = 3 * event(1).ByteSizeLong() - 1});
  EXPECT_TRUE(append(*small, 1));
  EXPECT_TRUE(append(*small, 2));
  EXPECT_FALSE(append(*small, 3));
  small->acknowledged(1);
  EXPECT_TRUE(append(*small, 3));
}

// A run appends, sends, is acknowledged and ends by kill -9 or with the machine, on a disk that fails now and then.
// What an event is called by is its time. The daemon takes a known number for a repetition, and forgets an epoch with
// the next one: with both it must have every event once in the end, but for those lost with the machine unsent.
TEST_F(FileSpool, LosesAndDoublesNothingWhateverHappens) {
  const char* more = std::getenv("REACH_SEEDS");
  const std::uint64_t seeds = more == nullptr ? 300 : std::stoull(more);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    platter = {};
    std::uint64_t made = 0;                // events 1 … made exist
    std::uint64_t read_up_to = 0;          // by bookmark
    std::vector<std::uint64_t> taken;      // by the daemon, in order
    std::set<std::uint64_t> unsent, gone;  // gone: with the machine, unsent, and no bookmark tells them again
    std::uint64_t daemon_epoch = 0, daemon_next = 1;
    const bool told_by_bookmark = seed % 2 == 0;
    for (int run = 0; run < 6; ++run) {
      const bool is_last_run = run == 5;
      platter.fail_from = -1;
      auto spool = open();
      if (told_by_bookmark) {
        read_up_to = spool->bookmark().empty() ? 0 : std::stoull(spool->bookmark());
        made = read_up_to;
      }
      std::uint64_t hello_epoch = 0, next_to_send = 0, said = 0;
      const std::uint64_t steps = random() % 60;
      for (std::uint64_t step = 0; step < steps || is_last_run; ++step) {
        if (!is_last_run && random() % 20 == 0) {
          platter.fail_from = platter.operations + static_cast<int>(random() % 3);
          platter.fail_to = platter.fail_from + static_cast<int>(random() % 6);
        }
        const Stretch now = spool->stretch();
        switch (random() % 4) {
          case 0:
            if (!is_last_run || step < 20) {
              std::vector<v1::Event> events;
              for (std::uint64_t i = 0; i <= random() % 3; ++i) {
                events.push_back(event(++made));
                unsent.insert(made);
              }
              ASSERT_TRUE(spool->append(events, told_by_bookmark ? std::to_string(made) : ""));
            }
            break;
          case 1:
            if (hello_epoch != now.epoch || said != now.first) {
              if (!spool->settle()) break;
              hello_epoch = now.epoch;
              said = next_to_send = now.first;
              if (daemon_epoch != now.epoch) {
                daemon_epoch = now.epoch;
                daemon_next = now.first;
              }
              daemon_next = std::max(daemon_next, now.first);
            }
            spool->read(next_to_send, [&](std::uint64_t number, std::string_view bytes) {
              const std::uint64_t event = time_of(bytes);
              next_to_send = number + 1;
              unsent.erase(event);
              if (number == daemon_next) {
                taken.push_back(event);
                ++daemon_next;
              } else {
                EXPECT_LT(number, daemon_next);
                EXPECT_NE(std::find(taken.begin(), taken.end(), event), taken.end()) << "lost: " << event;
              }
              return random() % 8 != 0;
            });
            break;
          case 2:
            if (hello_epoch == now.epoch && daemon_next > now.first) {
              spool->acknowledged(now.first + random() % (daemon_next - now.first));
              said = spool->stretch().first;
              next_to_send = std::max(next_to_send, said);
            }
            break;
          default:
            if (hello_epoch == now.epoch && !now.is_last && now.first == now.next) spool->begin_next_stretch();
        }
        if (is_last_run && step >= 20 && spool->size() == 0) break;
        ASSERT_LT(step, 5000u) << "never ends: " << spool->problem();
      }
      const bool machine = random() % 2 == 0;
      const bool full = !spool->problem().empty();  // then even kill -9 takes what was in memory only
      spool.reset();
      if (machine) platter.crash(random);
      if (!told_by_bookmark && (machine || full)) gone.insert(unsent.begin(), unsent.end());
    }
    std::vector<std::uint64_t> sorted = taken;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end()) << "doubled";
    const auto back = std::is_sorted_until(taken.begin(), taken.end());
    EXPECT_EQ(back, taken.end()) << "out of order: " << *back << " behind " << *(back - 1);
    for (std::uint64_t n = 1; n <= made; ++n) {
      if (!gone.contains(n)) {
        ASSERT_TRUE(std::binary_search(sorted.begin(), sorted.end(), n)) << "lost: " << n;
      }
    }
    if (HasFailure()) return;
  }
}

TEST_F(FileSpool, IsUsedByOneAdapterOnly) {
  const auto spool = file_spool(directory);
  try {
    (void)file_spool(directory);
    FAIL() << "two adapters with one spool";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(),
              "the spool directory " + directory + " is in use by another adapter; stop it or give this one its own");
  }
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
