// The configuration loader: what it makes of good files, and every sentence it says about bad ones.
#include "daemon/settings/settings.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "daemon/core/engine.hpp"

namespace reach::settings {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const fs::path root = REACH_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string rendered(const Loaded& loaded, bool show_line) {
  std::string text;
  for (const auto& problem : loaded.problems) text += render(problem, show_line) + "\n";
  return text;
}

Loaded load_good(std::string_view text) {
  auto loaded = load_text(text, "test.toml");
  EXPECT_EQ(rendered(loaded, true), "");
  return loaded;
}

Time at(std::string_view text) {
  return parse_rfc3339(text).value_or(Time{});
}

std::vector<fs::path> fixtures(std::string_view ending) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(root / "tests/settings")) {
    if (entry.path().string().ends_with(ending)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  EXPECT_FALSE(found.empty());
  return found;
}

class Scratch : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }
  fs::path folder;
};
using SettingsFolder = Scratch;

constexpr std::string_view small = R"(
[[segment]]
id = "sales"
queues = ["sales"]
[[service]]
id = "phone"
[[service]]
id = "letter"
medium = "item"
[[contract]]
id = "c"
segments = ["sales"]
)";

// ---- the fixtures
// ------------------------------------------------------------------------------------------------------

TEST(Settings, TakesEveryGoodFile) {
  for (const auto& file : fixtures(".good.toml")) {
    const auto loaded = load(file.string());
    EXPECT_EQ(rendered(loaded, true), "") << file;
  }
}

TEST(Settings, SaysExactlyWhatIsWrongWithEveryBadFile) {
  for (const auto& file : fixtures(".bad.toml")) {
    const auto said = rendered(load_text(read(file), file.filename().string()), true);
    auto expected = file;
    expected.replace_extension(".txt");
    EXPECT_EQ(said, read(expected)) << "If the new text is better, write it to " << expected;
  }
}

TEST(Settings, GivesAnEngineThatRunsWithoutAnySegment) {
  Loaded loaded = load_good("");
  const Time start = time_from_ns(1'795'420'800'000'000'000);
  Engine engine(std::move(loaded.core), {}, start);
  Decisions decisions;
  engine.step(TimePassed{}, start + 1h, decisions);
  EXPECT_EQ(engine.pool_count(), 0U);
  EXPECT_EQ(rendered(load_text("[[segment]]\nid = \"s\"\nqueues = [\"q\"]\n[[pool]]\nid = \"p\"\nsegments = []\n"
                               "[[pool]]\nid = \"all\"\nsegments = [\"s\"]\n",
                               "test.toml"),
                     false),
            "test.toml:6:12: pool \"p\" serves no segment; expected the ids of one or more segments\n");
}

TEST(Settings, NeverShowsASecret) {
  const auto said = rendered(load((root / "tests/settings/secret.bad.toml").string()), true);
  EXPECT_EQ(said.find("planted"), std::string::npos) << said;
}

// ---- what is made of it
// ------------------------------------------------------------------------------------------------

TEST(Settings, MakesWhatTheInterfacePromisesOfItsExample) {
  const auto loaded = load((root / "tests/settings/sample.good.toml").string());
  const auto& core = loaded.core;
  EXPECT_EQ(core.zone.name, "Europe/Berlin");
  ASSERT_EQ(core.segments.size(), 1U);
  EXPECT_EQ(core.segments[0].name, "key-accounts");
  ASSERT_EQ(core.segments[0].queues.size(), 2U);
  EXPECT_EQ(core.segments[0].queues[0].source, "");
  EXPECT_EQ(core.segments[0].queues[0].queue, "sales");
  EXPECT_EQ(core.segments[0].queues[1].source, "pbx2");
  EXPECT_EQ(core.segments[0].queues[1].queue, "offers");
  ASSERT_EQ(core.services.size(), 2U);
  EXPECT_EQ(core.services[1].medium, Medium::item);
  EXPECT_EQ(core.services[1].due_in, 4h);
  EXPECT_EQ(core.services[1].handling, 12min);
  ASSERT_EQ(core.contracts.size(), 1U);
  EXPECT_EQ(core.contracts[0].client, "Field sales South");
  EXPECT_TRUE(core.contracts[0].calendar.is_open(at("2026-07-01T06:00:00Z")));
  EXPECT_FALSE(core.contracts[0].calendar.is_open(at("2026-07-01T16:00:00Z")));
  ASSERT_EQ(core.contracts[0].objectives.size(), 1U);
  const auto& objective = core.contracts[0].objectives[0];
  EXPECT_EQ(objective.id, "key-accounts-2026/phone/service_level/30m");
  EXPECT_EQ(objective.window.length, 30min);
  EXPECT_DOUBLE_EQ(objective.target, 0.8);
  EXPECT_DOUBLE_EQ(objective.clear, 0.82);
  EXPECT_EQ(objective.min_samples, 10);
  ASSERT_EQ(core.pools.size(), 1U) << "without [[pool]] all segments are one";
  EXPECT_EQ(core.pools[0].id, "all");
  EXPECT_EQ(core.pools[0].segments, std::vector<std::string>{"key-accounts"});
  EXPECT_EQ(loaded.daemon.ingest, "tcp://127.0.0.1:5570");
  EXPECT_EQ(loaded.daemon.publish, "tcp://127.0.0.1:5571");
  EXPECT_EQ(loaded.daemon.query, "tcp://127.0.0.1:5572");
  EXPECT_EQ(loaded.daemon.metrics, "http://127.0.0.1:9570");
}

TEST(Settings, DerivesSamplesAndClearFromFigureAndTarget) {
  struct Case {
    std::string figure, target;
    std::int64_t min_samples;
    double clear;
  };
  for (const auto& [figure, target, min_samples, clear] : std::vector<Case>{
           {"service_level", "0.8", 10, 0.82},
           {"service_level", "0.9", 20, 0.92},
           {"service_level", "0.95", 40, 0.97},
           {"service_level", "0.97", 67, 0.99},
           {"service_level", "0.98", 100, 0.99},  // two points would ask for perfection
           {"service_level", "0.99", 200, 0.995},
           {"service_level", "1", 10, 1},
           {"abandon_rate", "0.05", 40, 0.03},
           {"abandon_rate", "0.01", 200, 0.005},
           {"asa_s", "\"20s\"", 10, 20},
           {"longest_wait_s", "120", 0, 120},
           {"longest_wait_s", "\"2m\"", 0, 120},
           {"waiting", "5", 0, 5},
           {"on_time_rate", "0.95", 40, 0.97},
       }) {
    std::ostringstream text;
    text << small << "[[contract.objective]]\nfigure = \"" << figure << "\"\ntarget = " << target;
    const auto loaded = load_good(text.str());
    const auto& objective = loaded.core.contracts.at(0).objectives.at(0);
    EXPECT_EQ(objective.min_samples, min_samples) << figure << " " << target;
    EXPECT_DOUBLE_EQ(objective.clear, clear) << figure << " " << target;
  }
}

TEST(Settings, GivesEveryObjectiveTheWindowItsFigureNeeds) {
  const auto loaded = load((root / "tests/settings/objectives.good.toml").string());
  std::string ids;
  for (const auto& objective : loaded.core.contracts.at(0).objectives) ids += objective.id + "\n";
  EXPECT_EQ(ids,
            "all/call/service_level/30m-interval\nall/phone/reachability/day\nall/call/abandon_rate/2h\n"
            "all/call/asa_s/hour\nall/call/wait_p90_s/week\nall/call/longest_wait_s/now\nall/call/waiting/now\n"
            "all/item/on_time_rate/month\nfirst-response/month\nall/item/backlog/now\nall/item/overdue/now\n"
            "all/item/oldest_age_s/now\n");
  const auto& on_time = loaded.core.contracts.at(0).objectives.at(7);
  EXPECT_EQ(on_time.hold, 1min);
  EXPECT_EQ(on_time.clear_for, 5min);
  EXPECT_EQ(on_time.repeat, 0s);
}

TEST(Settings, RoutesAQueueToAService) {
  const auto loaded = load((root / "tests/settings/objectives.good.toml").string());
  const auto& route = loaded.core.segments.at(0).queues.at(2);
  EXPECT_EQ(route.source, "helpdesk");
  EXPECT_EQ(route.queue, "mail/in");
  EXPECT_EQ(route.service, "letter");
}

TEST(Settings, CombinesHoursOfAContractWithHolidaysOfACalendar) {
  const auto loaded = load((root / "tests/settings/hours.good.toml").string());
  ASSERT_EQ(loaded.core.contracts.size(), 3U);
  const auto& office = loaded.core.contracts[0].calendar;  // New York, 5 hours behind in winter
  EXPECT_TRUE(office.is_open(at("2026-12-21T13:00:00Z"))) << "Monday 08:00";
  EXPECT_FALSE(office.is_open(at("2026-12-21T17:30:00Z"))) << "lunch";
  EXPECT_TRUE(office.is_open(at("2026-12-24T13:30:00Z"))) << "Christmas Eve 08:30";
  EXPECT_FALSE(office.is_open(at("2026-12-24T15:30:00Z"))) << "Christmas Eve 10:30";
  EXPECT_FALSE(office.is_open(at("2026-12-25T15:00:00Z"))) << "Christmas";
  EXPECT_FALSE(office.is_open(at("2026-12-27T04:00:00Z"))) << "a date given as text: the 26th, 23:00";
  EXPECT_EQ(office.next_change(at("2026-12-21T04:00:00Z")), at("2026-12-21T11:00:00Z"))
      << "open from Sunday 22:00 over midnight to Monday 06:00";
  const auto& own = loaded.core.contracts[1].calendar;  // Berlin, with the same holidays
  EXPECT_TRUE(own.is_open(at("2026-12-23T17:30:00Z"))) << "18:30";
  EXPECT_FALSE(own.is_open(at("2026-12-23T08:00:00Z"))) << "09:00, when only the calendar is open";
  EXPECT_TRUE(own.is_open(at("2026-12-24T07:00:00Z"))) << "Christmas Eve at the holiday's hours, in Berlin";
  const auto& always = loaded.core.contracts[2].calendar;
  EXPECT_FALSE(always.always_open());
  EXPECT_TRUE(always.is_open(at("2026-12-31T12:00:00Z")));
  EXPECT_FALSE(always.is_open(at("2027-01-01T12:00:00Z")));
}

TEST(Settings, LeaveAContractWithoutHoursAlwaysOpen) {
  EXPECT_TRUE(load_good(small).core.contracts.at(0).calendar.always_open());
}

TEST(Settings, ReadTheDaemonsOwnKeys) {
  const auto loaded = load_good(R"(
    [endpoints]
    ingest = "ipc:///run/reachd/ingest"
    query = "tcp://[::1]:5572"
    metrics = "off"
    [ingest]
    credit = 500
    max_frame = "64KiB"
    max_contacts = 5000
    max_agents = 70
    [publish]
    interval = "1s"
    [event_log]
    directory = "/srv/log"
    retain_for = "30d"
    retain_size = "2TiB"
    [logging]
    level = "debug"
    format = "json"
  )");
  const auto& daemon = loaded.daemon;
  EXPECT_EQ(daemon.ingest, "ipc:///run/reachd/ingest");
  EXPECT_EQ(daemon.query, "tcp://[::1]:5572");
  EXPECT_EQ(daemon.metrics, "");
  EXPECT_EQ(daemon.credit, 500);
  EXPECT_EQ(loaded.core.max_contacts, 5000);
  EXPECT_EQ(loaded.core.max_agents, 70);
  EXPECT_EQ(daemon.max_frame, 65536);
  EXPECT_EQ(daemon.publish_interval, 1s);
  EXPECT_EQ(daemon.log_directory, "/srv/log");
  EXPECT_EQ(daemon.log_retain_for, 30 * 24h);
  EXPECT_EQ(daemon.log_retain_size, std::int64_t{2} << 40);
  EXPECT_EQ(daemon.log_level, LogLevel::debug);
  EXPECT_EQ(daemon.log_format, LogFormat::json);
}

TEST(Settings, HaveAFingerprintOfTheirText) {
  EXPECT_EQ(load_text("", "a").core.fingerprint, load_text("", "b").core.fingerprint);
  EXPECT_NE(load_text("", "a").core.fingerprint, load_text("\n", "a").core.fingerprint);
  EXPECT_EQ(load_text("x", "a").core.fingerprint.size(), 16U);
}

// ---- files
// -------------------------------------------------------------------------------------------------------------

TEST_F(SettingsFolder, ReadsAFolderAsOneInTheOrderOfNames) {
  write(folder / "20-contracts.toml",
        "[[contract]]\nid = \"c\"\nsegments = [\"sales\"]\n[logging]\nlevel = \"debug\"\n");
  write(folder / "10-segments.toml",
        "timezone = \"Europe/Berlin\"\n[[segment]]\nid = \"sales\"\nqueues = [\"sales\"]\n"
        "[logging]\nformat = \"json\"\n");
  write(folder / "notes.txt", "not TOML");
  const auto loaded = load(folder.string());
  EXPECT_EQ(rendered(loaded, true), "");
  EXPECT_EQ(loaded.core.contracts.size(), 1U);
  EXPECT_EQ(loaded.daemon.log_level, LogLevel::debug);
  EXPECT_EQ(loaded.daemon.log_format, LogFormat::json);
}

TEST_F(SettingsFolder, NamesBothFilesOfADuplicate) {
  const auto one = (folder / "1.toml").string();
  const auto two = (folder / "2.toml").string();
  write(one, "timezone = \"UTC\"\n[[segment]]\nid = \"sales\"\nqueues = [\"q\"]\n[logging]\nlevel = \"info\"\n");
  write(two, "timezone = \"UTC\"\n[[segment]]\nid = \"sales\"\nqueues = [\"q\"]\n[logging]\nlevel = \"info\"\n");
  EXPECT_EQ(rendered(load(folder.string()), false),
            two + ":1:1: \"timezone\" is already set on line 1 of " + one + "; expected it once\n" + two +
                ":3:6: the segment \"sales\" is already there on line 3 of " + one + "; expected each id once\n" + two +
                ":4:11: queue \"q\" already belongs to segment \"sales\" on line 4 of " + one +
                "; expected each queue in one segment, once\n" + two + ":6:1: \"level\" is already set on line 6 of " +
                one + "; expected it once\n");
}

TEST_F(SettingsFolder, SaysWhatCannotBeRead) {
  EXPECT_EQ(rendered(load(folder.string()), true),
            folder.string() +
                ":1:1: cannot be read: it has no *.toml files; expected a TOML file, or a directory of "
                "*.toml files\n");
  EXPECT_EQ(rendered(load((folder / "none").string()), true),
            (folder / "none").string() +
                ":1:1: cannot be read: No such file or directory; expected a TOML file, or a "
                "directory of *.toml files\n");
  write(folder / "large.toml", std::string((4 << 20) + 1, '\n'));
  EXPECT_NE(rendered(load(folder.string()), true).find("larger than 4 MiB"), std::string::npos);
}

TEST(Settings, PutTheCaretUnderTheCharacter) {
  const Problem problem{"f", 1, 8, "wrong", "right", "\tä = \"ö\x1b\" 5"};
  EXPECT_EQ(render(problem, true), "f:1:8: wrong; right\n ä = \"ö?\" 5\n       ^");
  EXPECT_EQ(render(problem), "f:1:8: wrong; right");
}

TEST(Settings, SurviveAnyChangeOfTheirText) {
  const auto full = read(root / "config/full.toml");
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    auto text = full;
    for (int k = 0; k < 1 + i % 5; ++k) {
      const auto place = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[place] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(place, random() % 20);
          break;
        case 2:
          text.insert(place, 1, "[]{}\"'=,.\n#\0"[random() % 12]);
          break;
        default:
          text.insert(place, text.substr(random() % text.size(), random() % 60));
          break;
      }
    }
    for (const auto& problem : load_text(text, "changed.toml").problems) {
      ASSERT_EQ(render(problem).find('\n'), std::string::npos) << "seed 11, run " << i;
    }
  }
}

// ---- what is installed
TEST(Settings, SurviveLinesAndListsWithoutEnd) {
  const auto repeated = [](std::string_view part, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += part;
    return text;
  };
  for (const auto& text :
       {"a = " + repeated("1", 1'000'000) + "s", "a = " + repeated("1", 16'000) + "s",
        repeated("a.", 1'000'000) + "a = 1", repeated("a.", 8'000) + "a = 1", "[" + repeated("a.", 8'000) + "a]",
        repeated("[", 16'000), "a = " + repeated("[\n", 16'000), "a = " + repeated("{a=", 5'000),
        "a = \"" + repeated("x", 15'000), repeated("a = 1\n", 1'000)}) {
    EXPECT_FALSE(load_text(text, "long.toml").good()) << text.substr(0, 20);
  }
}

// -------------------------------------------------------------------------------------------------

TEST(Settings, LoadWhatIsInstalled) {
  for (const auto* file : {"config/minimal.toml", "config/full.toml", "config/reachd.toml"}) {
    EXPECT_EQ(rendered(load((root / file).string()), true), "") << file;
  }
}

TEST(Settings, HaveEveryKeyInTheFullExample) {
  const auto full = read(root / "config/full.toml");
  std::istringstream lines(reference());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const auto key = line.substr(3, line.find('`', 3) - 3);
    EXPECT_TRUE(full.find("\n" + key + " ") != std::string::npos || full.find(" " + key + " ") != std::string::npos)
        << key << " is not in config/full.toml";
  }
}

TEST(Settings, AreDescribedKeyByKey) {
  EXPECT_NE(read(root / "config/README.md").find(reference()), std::string::npos)
      << "config/README.md should end with:\n"
      << reference();
}

}  // namespace
}  // namespace reach::settings
