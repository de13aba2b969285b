#include "clients/wallboard/accounts.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "clients/wallboard/secrets.hpp"

namespace reach::wallboard {
namespace {

namespace fs = std::filesystem;

class WallboardAccounts : public testing::Test {
 protected:
  WallboardAccounts() { fs::create_directories(folder); }
  ~WallboardAccounts() override { fs::remove_all(folder); }
  static unsigned mode(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
  }

  const fs::path folder = fs::temp_directory_path() / ("reach-accounts-" + std::to_string(getpid()));
  const std::string file = folder / "users";
  const std::string hash = hash_password("correct horse");
  const Time made = *parse_rfc3339("2026-11-23T08:00:00Z");
};

TEST_F(WallboardAccounts, AreTheSameAfterWritingAndReading) {
  Accounts accounts;
  accounts.users["M. Brandt"] = {Role::supervisor, hash};
  accounts.users["Jürgen"] = {Role::viewer, hash};
  EXPECT_EQ(add_ticket(accounts, "Foyer links", "s1", made, never), "");
  EXPECT_EQ(add_ticket(accounts, "fair", "s2", made, made + std::chrono::hours(24)), "");
  const LoadedAccounts read = read_accounts("users", to_text(accounts));
  EXPECT_EQ(read.problems, std::vector<std::string>());
  ASSERT_EQ(read.accounts.users.size(), 2U);
  EXPECT_EQ(read.accounts.users.at("M. Brandt").role, Role::supervisor);
  EXPECT_EQ(read.accounts.users.at("M. Brandt").password_hash, hash);
  ASSERT_EQ(read.accounts.tickets.size(), 2U);
  EXPECT_EQ(read.accounts.tickets.at("Foyer links").fingerprint, fingerprint("s1"));
  EXPECT_EQ(read.accounts.tickets.at("Foyer links").expires, never);
  EXPECT_EQ(read.accounts.tickets.at("fair").made, made);
  EXPECT_EQ(read.accounts.tickets.at("fair").expires, made + std::chrono::hours(24));
  EXPECT_EQ(to_text(accounts).find("s1\n"), std::string::npos) << "no secret is written";
}

TEST_F(WallboardAccounts, SayEveryProblemWithItsLine) {
  const std::string print = fingerprint("x");
  const std::string text = "# comment\n\nuser boss " + hash + " A\nuser viewer plain A\nuser viewer " + hash +
                           "\nuser viewer " + hash + " B\nuser viewer " + hash + " B\nguest A\nticket today - " +
                           print + " T\nticket 2026-11-23T08:00:00Z - short T\n";
  const std::vector<std::string> expected = {
      "users:3:1: unknown role; expected viewer or supervisor",
      "users:4:1: bad password; expected what --add-user wrote",
      "users:5:1: bad name; expected 1 to 80 bytes without line breaks, and no blanks around them",
      "users:7:1: a second user \"B\"; expected each once",
      "users:8:1: unknown line; expected \"user …\" or \"ticket …\"",
      "users:9:1: bad time; expected such as 2026-11-23T08:00:00Z, or - for a ticket that does not end",
      "users:10:1: bad ticket; expected what --ticket wrote",
  };
  EXPECT_EQ(read_accounts("users", text).problems, expected);
}

TEST_F(WallboardAccounts, AreChangedAtOnceAndForTheOwnerAlone) {
  EXPECT_EQ(change_accounts(file,
                            [&](Accounts& a) {
                              return a.users["Anna"] = {Role::viewer, hash}, std::string();
                            }),
            "");
  EXPECT_EQ(mode(file), 0600U);
  EXPECT_EQ(load_accounts(file).accounts.users.size(), 1U);
  EXPECT_EQ(change_accounts(file, [&](Accounts& a) { return a.users.clear(), std::string("no"); }), "no");
  EXPECT_EQ(load_accounts(file).accounts.users.size(), 1U) << "a refused change changes nothing";
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1) << "nothing is left beside it";
  EXPECT_NE(change_accounts("/nowhere/users", [](Accounts&) { return std::string(); }), "");
}

TEST_F(WallboardAccounts, AreNotLostWhenTwoWriteAtATime) {
  const auto add_many = [&](const std::string& name) {
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ(change_accounts(
                    file, [&](Accounts& a) { return add_ticket(a, name + std::to_string(i), name, made, never); }),
                "");
  };
  std::thread other(add_many, "b");
  add_many("a");
  other.join();
  EXPECT_EQ(load_accounts(file).accounts.tickets.size(), 40U);
}

TEST_F(WallboardAccounts, AreRefusedWhenOthersCanReadThem) {
  std::ofstream(file) << "";
  for (const unsigned bad : {0604U, 0666U, 0602U}) {
    ASSERT_EQ(::chmod(file.c_str(), bad), 0);
    EXPECT_EQ(load_accounts(file).problems,
              std::vector<std::string>{
                  file + ":1:1: everybody can read who may sign in; expected mode 0600: chmod 600 " + file});
    EXPECT_NE(change_accounts(file, [](Accounts&) { return std::string(); }), "");
  }
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  EXPECT_EQ(load_accounts(file).problems, std::vector<std::string>());
  EXPECT_EQ(load_accounts(folder / "none").problems.size(), 1U);
}

TEST_F(WallboardAccounts, HaveNamesThatFitIntoALine) {
  for (const char* good : {"a", "M. Brandt", "Jürgen Größe"}) EXPECT_EQ(wrong_with_name(good), "") << good;
  for (const std::string& bad : {std::string(), std::string("a\nuser supervisor x y"), std::string(" a"),
                                 std::string("a "), std::string(81, 'a'), std::string("a\0b", 3)})
    EXPECT_NE(wrong_with_name(bad), "") << bad;
  Accounts accounts;
  EXPECT_NE(add_ticket(accounts, "a\nb", "s", made, never), "");
  EXPECT_EQ(add_ticket(accounts, "a", "s", made, never), "");
  EXPECT_NE(add_ticket(accounts, "a", "t", made, never), "") << "taken";
  EXPECT_EQ(accounts.tickets.at("a").fingerprint, fingerprint("s"));
  EXPECT_NE(remove_ticket(accounts, "b"), "");
}

}  // namespace
}  // namespace reach::wallboard
