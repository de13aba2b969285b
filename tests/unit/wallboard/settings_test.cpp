#include "clients/wallboard/settings.hpp"

#include <gtest/gtest.h>

namespace reach::wallboard {
namespace {

TEST(WallboardSettings, ReadsEveryKey) {
  const Loaded loaded = read_settings("w.toml", R"(
listen = "[::1]:8000"
publish = "ipc:///run/p"
query = "tcp://10.0.0.1:5572"
web_root = "/srv/web"
title = "Innendienst"
language = "de"
timezone = "Europe/Berlin"
hosts = ["wall.example"]
users_file = "/var/lib/w/users"
behind_tls = true
[names]
key-accounts = "Großkunden"
)");
  EXPECT_EQ(loaded.problems, std::vector<std::string>());
  const Settings& s = loaded.settings;
  EXPECT_EQ(s.address, "::1");
  EXPECT_EQ(s.port, 8000);
  EXPECT_EQ(s.publish, "ipc:///run/p");
  EXPECT_EQ(s.query, "tcp://10.0.0.1:5572");
  EXPECT_EQ(s.web_root, "/srv/web");
  EXPECT_EQ(s.title + s.language + s.timezone, "InnendienstdeEurope/Berlin");
  EXPECT_EQ(s.hosts, std::vector<std::string>{"wall.example"});
  EXPECT_EQ(s.users_file, "/var/lib/w/users");
  EXPECT_TRUE(s.behind_tls);
  EXPECT_EQ(s.names.at("key-accounts"), "Großkunden");
}

TEST(WallboardSettings, NeedsNothing) {
  const Loaded loaded = read_settings("w.toml", "");
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_TRUE(is_loopback(loaded.settings.address));
  EXPECT_EQ(loaded.settings.port, 8570);
}

TEST(WallboardSettings, SaysAllProblemsWithTheirPlaces) {
  const Loaded loaded =
      read_settings("w.toml", "listne = \"x\"\nlanguage = \"fr\"\nquery = 5\nhosts = [1]\ntimezone = \"Mars\"\n");
  const std::vector<std::string> expected = {
      "w.toml:3:9: bad value of 'query'; expected text in quotes",
      "w.toml:2:12: bad value of 'language'; expected \"de\" or \"en\"",
      "w.toml:5:12: bad value of 'timezone'; expected a zone such as \"Europe/Berlin\"",
      "w.toml:4:10: bad value in 'hosts'; expected a name in quotes",
      "w.toml:1:1: unknown key 'listne'; did you mean 'listen'?",
  };
  EXPECT_EQ(loaded.problems, expected);
  EXPECT_EQ(read_settings("w.toml", "title = ").problems.size(), 1U);
  // No file can have such a name.
  EXPECT_EQ(read_settings("w.toml", "timezone = \"" + std::string(300, 'x') + '"').problems.size(), 1U);
  EXPECT_EQ(load_settings("/nowhere/w.toml").problems.size(), 1U);
}

TEST(WallboardSettings, AreSafeOnLoopbackOrWithUsers) {
  const auto wrong = [](const char* text) { return wrong_with_access(read_settings("w.toml", text).settings); };
  EXPECT_EQ(wrong(""), "");
  EXPECT_EQ(wrong("listen = \"[::1]:80\""), "");
  EXPECT_EQ(wrong("listen = \"0.0.0.0:80\"\nusers_file = \"u\""), "");
  EXPECT_EQ(wrong("behind_tls = true\nusers_file = \"u\""), "");
  EXPECT_EQ(wrong("title = \"x\"\nlisten = \"0.0.0.0:80\"").substr(0, 21), "w.toml:2:10: 0.0.0.0 ");
  EXPECT_NE(wrong("behind_tls = true"), "");
  EXPECT_EQ(read_settings("w.toml", "behind_tls = 1\nusers_file = \"\"").problems.size(), 2U);
}

TEST(WallboardSettings, ListensOnAnAddressWithAPort) {
  Settings settings;
  EXPECT_EQ(set_listen(settings, "0.0.0.0:80"), "");
  EXPECT_FALSE(is_loopback(settings.address));
  for (const char* wrong :
       {"", "8570", "localhost:8570", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "::1:8570x"}) {
    EXPECT_NE(set_listen(settings, wrong), "") << wrong;
  }
  EXPECT_EQ(settings.port, 80);
}

}  // namespace
}  // namespace reach::wallboard
