#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "clients/adapters/asterisk/config.hpp"
#include "clients/adapters/common/event_lines.hpp"
#include "clients/adapters/common/key_file.hpp"
#include "clients/adapters/common/pseudonym.hpp"
#include "clients/adapters/common/replace_file.hpp"
#include "clients/adapters/common/utf8.hpp"

namespace reach::adapter {
namespace {

using namespace std::chrono_literals;

TEST(Pseudonyms, RecogniseACallerWithinTheDayOnly) {
  const Pseudonyms names("0123456789abcdef");
  const Time noon = Time(12h);
  EXPECT_EQ(names.caller("0891", noon), names.caller("0891", noon + 11h));
  EXPECT_NE(names.caller("0891", noon), names.caller("0891", noon + 12h));
  EXPECT_NE(names.caller("0891", noon), names.caller("0892", noon));
  EXPECT_EQ(names.caller("0891", noon).size(), 18U);
}

TEST(Pseudonyms, FollowNobodysWorkOverDays) {
  const Pseudonyms names("0123456789abcdef");
  const Time noon = Time(12h);
  EXPECT_EQ(names.agent("Eva", noon), names.agent("Eva", noon + 11h));
  EXPECT_NE(names.agent("Eva", noon), names.agent("Eva", noon + 12h));
  EXPECT_NE(names.agent("Eva", noon), names.agent("Max", noon));
  EXPECT_EQ(names.agent("Eva", noon).size(), 14U);
}

TEST(Pseudonyms, DependOnTheKey) {
  EXPECT_NE(Pseudonyms("0123456789abcdef").agent("Eva", Time()), Pseudonyms("0123456789abcdeg").agent("Eva", Time()));
  EXPECT_THROW(Pseudonyms("short"), std::invalid_argument);
  EXPECT_NE(random_key(), random_key());
}

TEST(Pseudonyms, GiveNoneToWithheldNumbers) {
  const Pseudonyms names("0123456789abcdef");
  for (const char* withheld : {"", "<unknown>", "Anonymous", "anonymous", "Private", "Restricted", "unavailable"})
    EXPECT_EQ(names.caller(withheld, Time(1h)), "") << withheld;
}

TEST(Utf8, LeavesTextAndReadsOtherBytesAsLatin1) {
  for (const char* text : {"", "sales", "M\u00fcller", "\u20ac 5", "\U0010ffff"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(to_utf8(text), text);
  }
  EXPECT_EQ(to_utf8("M\xfcller"), "M\u00fcller");
  EXPECT_EQ(to_utf8("\u00fc\xfc"), "\u00fc\u00fc") << "what is UTF-8 beside it stays";
}

/// Every beginning of a character, with what may follow: as Protocol Buffers sees it, since it decides.
TEST(Utf8, IsWhatProtocolBuffersTake) {
  const std::string bytes("\x00\x41\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xff", 11);
  v1::Event event, parsed;
  for (int first = 0; first < 256; ++first) {
    for (const char second : bytes) {
      for (const std::size_t length : {1, 2, 3, 4}) {
        std::string text{static_cast<char>(first), second, '\x80', '\xbf'};
        text.resize(length);
        const std::string field = std::string{'\x1a', static_cast<char>(text.size())} + text;  // Event.contact
        EXPECT_EQ(is_utf8(text), parsed.ParseFromString(field)) << first << ' ' << static_cast<int>(second);
        event.set_contact(to_utf8(text));
        EXPECT_TRUE(parsed.ParseFromString(event.SerializeAsString())) << first << ' ' << static_cast<int>(second);
      }
    }
  }
}

TEST(KeyFile, IsRefusedWhenOthersCanReadIt) {
  const std::string path = testing::TempDir() + "key_file_test";
  std::ofstream(path) << "secret word \n\n";
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(read_key_file(path), "secret word");
  ::chmod(path.c_str(), 0644);
  try {
    (void)read_key_file(path);
    FAIL() << "a key file that everybody can read was taken";
  } catch (const KeyFileProblem& problem) {
    EXPECT_NE(std::string(problem.what()).find("chmod 600 " + path), std::string::npos);
  }
  EXPECT_THROW((void)read_key_file(path + "-none"), KeyFileProblem);
  ::unlink(path.c_str());
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ReplaceFile, WritesAllOfIt) {
  const std::string path = testing::TempDir() + "replace_file_test";
  replace_file(path, "1 first\n");
  replace_file(path, "2\n");
  EXPECT_EQ(content(path), "2\n");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  std::filesystem::remove(path);
}

TEST(ReplaceFile, KeepsTheOldOneOnAFullDisk) {
  const std::string path = testing::TempDir() + "replace_file_full_test";
  replace_file(path, "good\n");
  const auto former = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit four_bytes{4, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &four_bytes), 0);
  std::string why;
  try {
    replace_file(path, "better\n");
  } catch (const std::system_error& problem) {
    why = problem.what();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, former);
  EXPECT_EQ(why, "cannot write " + path + ": File too large");
  EXPECT_EQ(content(path), "good\n");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  std::filesystem::remove(path);
}

TEST(ReplaceFile, SaysThatThereIsNoFolder) {
  EXPECT_THROW(replace_file(testing::TempDir() + "replace_file_test_none/file", "x"), std::system_error);
}

TEST(EventLines, SortsWhatComesLateWithinTheWindow) {
  std::ostringstream out;
  {
    EventLines lines(out, "", 2s);
    const auto say = [&](Duration at, const char* contact) {
      v1::Event event = event_at(Time(at), contact);
      event.mutable_abandoned();
      lines.take(event);
      lines.pass(Time(at));
    };
    say(10s, "a");
    say(11s, "c");
    say(10500ms, "b");
    say(11s, "d");
    EXPECT_EQ(out.str(), "");
    lines.pass(Time(13s));
    EXPECT_NE(out.str().find("\"b\""), std::string::npos);
  }
  std::istringstream all(out.str());
  std::string line, contacts;
  while (std::getline(all, line)) contacts += line[line.find("\"contact\":\"") + 11];
  EXPECT_EQ(contacts, "abcd");
}

TEST(EventLines, HoldNothingBackWhenTheClockWasSetBack) {
  std::ostringstream out;
  EventLines lines(out, "", 2s);
  lines.take(event_at(Time(5000s), "a"));
  lines.pass(Time(5000s));
  lines.pass(Time(4999s));
  EXPECT_EQ(out.str(), "");
  lines.pass(Time(1000s));
  EXPECT_NE(out.str().find("\"a\""), std::string::npos);
}

TEST(Reload, GoesOnWithTheOldConfigurationIfTheNewOneCannotBeUsed) {
  std::string kept = "old", running = kept;
  const auto start = [&](const std::string& with) {
    running = "none";
    if (with == "bad") throw std::runtime_error("cannot make the folder");
    running = with;
  };
  EXPECT_EQ(reload(kept, std::string("bad"), start), "cannot make the folder");
  EXPECT_EQ(running, "old");
  EXPECT_EQ(reload(kept, std::string("new"), start), "");
  EXPECT_EQ(running, "new");
  EXPECT_EQ(kept, "new");
}

TEST(AsteriskConfig, RefusesAnEndpointThatReachdCannotOpen) {
  const std::string path = testing::TempDir() + "asterisk_endpoint_test.toml";
  for (const std::string bad : {"127.0.0.1:5570", "tcp://127.0.0.1", "http://127.0.0.1:5570", "ipc://ingest", ""}) {
    std::ofstream(path) << "source = \"pbx1\"\nendpoint = \"" << bad << "\"\n";
    const auto loaded = load_config(path, asterisk::config_section());
    ASSERT_EQ(loaded.problems.size(), 1U) << bad;
    EXPECT_TRUE(settings::render(loaded.problems[0]).starts_with(path + ":2:12: endpoint = \"" + bad + "\" "))
        << settings::render(loaded.problems[0]);
  }
  for (const std::string good : {"tcp://127.0.0.1:5570", "tcp://[::1]:5570", "tcp://reachd.example:5570", "ipc:///i"}) {
    std::ofstream(path) << "source = \"pbx1\"\nendpoint = \"" << good << "\"\n";
    const auto loaded = load_config(path, asterisk::config_section());
    EXPECT_TRUE(loaded.problems.empty()) << good;
    EXPECT_EQ(loaded.config.endpoint, good);
  }
  ::unlink(path.c_str());
}

TEST(AsteriskConfig, SaysEveryMistakeWithItsPlace) {
  const std::string path = testing::TempDir() + "asterisk_config_test.toml";
  std::ofstream(path) << "sorce = \"pbx1\"\nwrap_up = 5\n[pbx]\nport = 99999\nsecret = \"x\"\n";
  const auto loaded = load_config(path, asterisk::config_section());
  std::string all;
  for (const auto& problem : loaded.problems) all += settings::render(problem) + '\n';
  EXPECT_NE(all.find(path + ":1:1: unknown key \"sorce\""), std::string::npos) << all;
  EXPECT_NE(all.find("did you mean \"source\""), std::string::npos) << all;
  EXPECT_NE(all.find(path + ":2:11: wrap_up = 5 has no unit"), std::string::npos) << all;
  EXPECT_NE(all.find(path + ":4:8: port = 99999 is out of range"), std::string::npos) << all;
  EXPECT_NE(all.find(path + ":5:1: "), std::string::npos) << all;
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace reach::adapter
