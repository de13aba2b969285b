#include "daemon/keys/key_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace reach::keys {
namespace {

namespace fs = std::filesystem;

class KeyFiles : public testing::Test {
 protected:
  KeyFiles() { fs::create_directories(directory); }
  ~KeyFiles() override { fs::remove_all(directory); }

  void make(const std::string& name, Role role, std::vector<std::string> sources = {}) const {
    write_new_pair(directory, {name, role, std::move(sources), {}});
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(directory / name) << text; }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory / name).string(); }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in(directory / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Every problem of the folder, a line each, without the folder's name.
  [[nodiscard]] std::string problems() const {
    std::string all;
    for (const auto& problem : load_allowed_keys(directory).problems) all += settings::render(problem) + "\n";
    for (std::size_t at = 0; (at = all.find(directory.string() + "/", at)) != std::string::npos;)
      all.erase(at, directory.string().size() + 1);
    return all;
  }

  const fs::path directory =
      fs::path(testing::TempDir()) /
      ("reach-keys-" + std::to_string(getpid()) + "-" + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(KeyFiles, AreMadeReadAndFoundAgain) {
  make("pbx1", Role::adapter, {"pbx1", "pbx1-b"});
  const KeyPair pair = read_key_pair(path("pbx1.key"));
  const LoadedKeys loaded = load_allowed_keys(directory);
  ASSERT_TRUE(loaded.problems.empty()) << problems();
  const PublicKey* const key = loaded.keys.find(pair.open);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->name, "pbx1");
  EXPECT_EQ(key->role, Role::adapter);
  EXPECT_TRUE(key->may_send_as("pbx1-b"));
  EXPECT_FALSE(key->may_send_as("pbx2"));
  EXPECT_EQ(loaded.keys.find(pair.secret), nullptr);
}

TEST_F(KeyFiles, KeepTheSecretForTheirOwner) {
  make("desk", Role::viewer);
  struct stat status {};
  ASSERT_EQ(stat(path("desk.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(read("desk.pub").find(read_key_pair(path("desk.key")).secret), std::string::npos);
  chmod(path("desk.key").c_str(), 0644);
  try {
    (void)read_key_pair(path("desk.key"));
    FAIL() << "a secret that everybody can read was taken";
  } catch (const KeyFileProblem& problem) {
    EXPECT_NE(std::string(problem.what()).find("chmod 600"), std::string::npos) << problem.what();
  }
}

TEST_F(KeyFiles, AreNeverOverwritten) {
  make("desk", Role::viewer);
  const std::string secret = read("desk.key"), open = read("desk.pub");
  EXPECT_THROW(make("desk", Role::viewer), KeyFileProblem);
  fs::remove(path("desk.pub"));
  EXPECT_THROW(make("desk", Role::viewer), KeyFileProblem);
  EXPECT_EQ(read("desk.key"), secret);
  write("desk.pub", open);
  fs::remove(path("desk.key"));
  EXPECT_THROW(make("desk", Role::viewer), KeyFileProblem);
  EXPECT_EQ(read("desk.pub"), open);
  EXPECT_FALSE(fs::exists(path("desk.key"))) << "half a pair was left";
}

TEST_F(KeyFiles, NameEveryMistakeWithItsPlace) {
  write("a.pub", "name = \"a\"\nrole = \"chef\"\npublic_key = \"short\"\n");
  write("b.pub", "name = \"b\"\nrole = \"adapter\"\npublik_key = \"x\"\n");
  const std::string found = problems();
  EXPECT_NE(found.find("a.pub:2:8: role = \"chef\" is none of the choices"), std::string::npos) << found;
  EXPECT_NE(found.find("a.pub:3:14: public_key = \"short\" is no key"), std::string::npos) << found;
  EXPECT_NE(found.find("b.pub:3:1: "), std::string::npos) << found;
  EXPECT_NE(found.find("did you mean \"public_key\""), std::string::npos) << found;
  EXPECT_NE(found.find("b.pub:2:8: the key of an adapter has no sources"), std::string::npos) << found;
}

TEST_F(KeyFiles, RefuseTheSameNameOrKeyTwiceAndTheDaemonsOwn) {
  make("desk", Role::viewer);
  make("reachd", Role::server);
  fs::copy_file(path("desk.pub"), path("desk-again.pub"));
  std::string other = read("desk.pub");
  other.replace(other.find("\"desk\""), 6, "\"wall\"");
  write("wall.pub", other);
  const std::string found = problems();
  EXPECT_NE(found.find("desk.pub:1:1: has the name \"desk\" like "), std::string::npos) << found;
  EXPECT_NE(found.find("wall.pub:1:1: has the same public_key as \"desk\""), std::string::npos) << found;
  EXPECT_NE(found.find("reachd.pub:1:1: is the key of a daemon"), std::string::npos) << found;
}

TEST_F(KeyFiles, LetNobodyInFromAnEmptyFolderAndSayAMissingOne) {
  EXPECT_TRUE(load_allowed_keys(directory).problems.empty());
  EXPECT_EQ(load_allowed_keys(directory).keys.size(), 0U);
  EXPECT_EQ(load_allowed_keys(directory / "missing").problems.size(), 1U);
}

TEST_F(KeyFiles, SayWhatCannotBeRead) {
  fs::create_directory(directory / "folder.pub");
  write("huge.pub", std::string(1 << 17, '#'));
  const std::string found = problems();
  EXPECT_NE(found.find("folder.pub:1:1: cannot be read: Is a directory"), std::string::npos) << found;
  EXPECT_NE(found.find("huge.pub:1:1: cannot be read: it is far too large"), std::string::npos) << found;
  const auto why = [&](const std::string& name) -> std::string {
    try {
      return read_key_file(path(name));
    } catch (const KeyFileProblem& problem) {
      return problem.what();
    }
  };
  EXPECT_NE(why("folder.pub").find("is a directory"), std::string::npos) << why("folder.pub");
  write("empty.key", "\n");
  fs::permissions(directory / "empty.key", fs::perms::owner_read);
  EXPECT_NE(why("empty.key").find("is empty"), std::string::npos) << why("empty.key");
  EXPECT_NE(why("/proc/self/mem").find("cannot be read: Input/output error"), std::string::npos)
      << why("/proc/self/mem");  // opens, and gives nothing
}

TEST_F(KeyFiles, KnowAServersKeyFromAClients) {
  make("reachd", Role::server);
  make("desk", Role::viewer);
  EXPECT_EQ(read_server_key(path("reachd.pub")), read_key_pair(path("reachd.key")).open);
  EXPECT_THROW((void)read_server_key(path("desk.pub")), KeyFileProblem);
  EXPECT_THROW((void)read_server_key(path("reachd.key")), KeyFileProblem);
  EXPECT_THROW((void)read_key_pair(path("reachd.pub")), KeyFileProblem);
}

TEST(KeyNames, FitAFileAndALogLine) {
  for (const char* good : {"pbx1", "wall-board_2.a", "A"}) EXPECT_TRUE(is_key_name(good)) << good;
  for (const char* bad : {"", ".hidden", "../up", "two words", "line\n"}) EXPECT_FALSE(is_key_name(bad)) << bad;
}

TEST(Roles, OpenTheirSocketsAndNoOthers) {
  const auto doors = [](Role role) {
    return std::string(may_open(role, Door::ingest) ? "i" : "-") + (may_open(role, Door::publish) ? "p" : "-") +
           (may_open(role, Door::query) ? "q" : "-") + (may_read(role) ? "r" : "-") + (may_change(role) ? "c" : "-");
  };
  EXPECT_EQ(doors(Role::adapter), "i-q--");
  EXPECT_EQ(doors(Role::viewer), "-pqr-");
  EXPECT_EQ(doors(Role::supervisor), "-pqrc");
  EXPECT_EQ(doors(Role::operator_), "ipqrc");
  EXPECT_EQ(doors(Role::server), "-----");
}

TEST(Roles, OfAnOperatorSendsAsEverySource) {
  EXPECT_TRUE((PublicKey{"root", Role::operator_, {}, {}}).may_send_as("any"));
  EXPECT_FALSE((PublicKey{"chief", Role::supervisor, {}, {}}).may_send_as("any"));
}

}  // namespace
}  // namespace reach::keys
