#include "clients/wallboard/access.hpp"

#include <gtest/gtest.h>

#include "clients/wallboard/secrets.hpp"

namespace reach::wallboard {
namespace {

using namespace std::chrono_literals;

class WallboardAccess : public testing::Test {
 protected:
  WallboardAccess() {
    accounts.users["Anna"] = {Role::supervisor, "hash of Anna"};
    accounts.users["Bert"] = {Role::viewer, "hash of Bert"};
    EXPECT_EQ(add_ticket(accounts, "lobby", "secret of the lobby", now.wall, never), "");
    EXPECT_EQ(add_ticket(accounts, "fair", "secret of the fair", now.wall, now.wall + 24h), "");
    access.set_accounts(accounts);
  }
  void pass(std::chrono::seconds time) { now = {now.steady + time, now.wall + time}; }
  std::optional<std::string> sign_in(const std::string& name, bool matched = true,
                                     const std::string& from = "10.0.0.1") {
    const Access::Attempt attempt = access.begin(name, from, now);
    if (attempt.wait.count() != 0) return std::nullopt;
    return access.finish(attempt, matched, "", now);
  }
  std::string name_with_session(const std::string& session) {
    const auto visitor = access.visitor({session, ""}, now);
    return visitor ? visitor->name : "nobody";
  }

  Now now{std::chrono::steady_clock::time_point(1000h), time_from_ns(1'795'000'000'000'000'000)};
  Accounts accounts;
  Access access{Accounts()};
};

TEST_F(WallboardAccess, LetsNobodyInWithoutASessionOrATicket) {
  EXPECT_FALSE(access.visitor({}, now));
  EXPECT_FALSE(access.visitor({"guess", "guess"}, now));
  EXPECT_FALSE(access.visitor({"Anna", "lobby"}, now));
  EXPECT_FALSE(access.visitor({fingerprint("x"), accounts.tickets["lobby"].fingerprint}, now))
      << "no fingerprint will do";
}

TEST_F(WallboardAccess, KnowsWhoSignedIn) {
  const auto anna = sign_in("Anna");
  const auto bert = sign_in("Bert");
  ASSERT_TRUE(anna && bert);
  EXPECT_NE(*anna, *bert);
  EXPECT_EQ(access.visitor({*anna, ""}, now)->name, "Anna");
  EXPECT_EQ(access.visitor({*anna, ""}, now)->role, Role::supervisor);
  EXPECT_EQ(access.visitor({*bert, ""}, now)->role, Role::viewer);
  access.sign_out(*anna);
  EXPECT_FALSE(access.visitor({*anna, ""}, now));
  EXPECT_TRUE(access.visitor({*bert, ""}, now));
}

TEST_F(WallboardAccess, ChecksAnUnknownNameLikeAKnownOne) {
  const Access::Attempt unknown = access.begin("Mallory", "10.0.0.1", now);
  EXPECT_EQ(unknown.wait, 0s);
  const std::string real = hash_password("correct horse");
  EXPECT_TRUE(is_password_hash(unknown.password_hash));
  EXPECT_EQ(unknown.password_hash.substr(0, unknown.password_hash.find("$", 20)), real.substr(0, real.find("$", 20)))
      << "the same cost";
  EXPECT_FALSE(access.finish(unknown, true, "", now)) << "even if the password were right";
  EXPECT_EQ(access.refused(), 1U);
}

TEST_F(WallboardAccess, EndsASessionThatIsNotUsed) {
  const auto session = sign_in("Anna");
  pass(Access::idle_max - 1s);
  EXPECT_EQ(name_with_session(*session), "Anna");
  pass(Access::idle_max - 1s);
  EXPECT_EQ(name_with_session(*session), "Anna") << "it was used";
  pass(Access::idle_max);
  EXPECT_EQ(name_with_session(*session), "nobody");
}

TEST_F(WallboardAccess, EndsEverySessionSomeDay) {
  const auto session = sign_in("Anna");
  for (auto age = 0h; age < Access::life_max; age += 1h) {
    EXPECT_EQ(name_with_session(*session), "Anna") << age.count();
    pass(1h);
  }
  EXPECT_EQ(name_with_session(*session), "nobody");
}

TEST_F(WallboardAccess, BoundsTheSessionsOfAPerson) {
  const auto first = sign_in("Anna");
  const auto bert = sign_in("Bert");
  std::vector<std::string> later;
  for (std::size_t i = 0; i < Access::sessions_per_user_max; ++i) {
    pass(1s);
    later.push_back(*sign_in("Anna"));
  }
  EXPECT_EQ(name_with_session(*first), "nobody") << "unused for the longest";
  for (const std::string& session : later) EXPECT_EQ(name_with_session(session), "Anna");
  EXPECT_EQ(name_with_session(*bert), "Bert") << "another's";
}

TEST_F(WallboardAccess, ReplacesTheSessionOfTheSameBrowser) {
  const auto first = sign_in("Anna");
  const auto second = access.finish(access.begin("Bert", "10.0.0.1", now), true, *first, now);
  EXPECT_EQ(name_with_session(*first), "nobody");
  EXPECT_EQ(name_with_session(*second), "Bert");
}

TEST_F(WallboardAccess, EndsSessionsOfWhoIsGoneOrHasAnotherPassword) {
  const auto anna = sign_in("Anna");
  const auto bert = sign_in("Bert");
  const Access::Attempt under_way = access.begin("Bert", "10.0.0.1", now);
  accounts.users.erase("Anna");
  accounts.users["Bert"] = {Role::supervisor, "another hash"};
  access.set_accounts(accounts);
  EXPECT_EQ(name_with_session(*anna), "nobody");
  EXPECT_EQ(name_with_session(*bert), "nobody");
  EXPECT_FALSE(access.finish(under_way, true, "", now)) << "it was the old password";
}

TEST_F(WallboardAccess, GivesTheRoleThatTheFileSaysNow) {
  const auto anna = sign_in("Anna");
  accounts.users["Anna"].role = Role::viewer;
  access.set_accounts(accounts);
  EXPECT_EQ(access.visitor({*anna, ""}, now)->role, Role::viewer);
}

TEST_F(WallboardAccess, LimitsFailuresOfAnAddressAndLetsOthersIn) {
  for (int i = 0; i < Access::tries_per_address; ++i) EXPECT_FALSE(sign_in("name " + std::to_string(i), false));
  EXPECT_EQ(access.begin("Anna", "10.0.0.1", now).wait, Access::refill_per_address);
  EXPECT_TRUE(sign_in("Anna", true, "10.0.0.2"));
  pass(Access::refill_per_address);
  EXPECT_TRUE(sign_in("Anna"));
}

TEST_F(WallboardAccess, LimitsFailuresForAName) {
  const auto guess = [&](int i) { return access.begin("Anna", "10.0.1." + std::to_string(i), now); };
  for (int i = 0; i < Access::tries_per_name; ++i) EXPECT_FALSE(access.finish(guess(i), false, "", now));
  EXPECT_EQ(guess(200).wait, Access::refill_per_name);
  EXPECT_TRUE(sign_in("Bert"));
  EXPECT_EQ(access.refused(), static_cast<std::uint64_t>(Access::tries_per_name) + 1);
}

TEST_F(WallboardAccess, DoesNotCountSuccesses) {
  for (int i = 0; i < 3 * Access::tries_per_name; ++i) EXPECT_TRUE(sign_in("Anna")) << i;
}

TEST_F(WallboardAccess, LetsAScreenSeeAndNoMore) {
  const auto screen = access.visitor({"", "secret of the lobby"}, now);
  ASSERT_TRUE(screen);
  EXPECT_EQ(screen->name, "lobby");
  EXPECT_EQ(screen->role, Role::viewer);
  EXPECT_TRUE(screen->screen);
  const auto anna = sign_in("Anna");
  EXPECT_EQ(access.visitor({*anna, "secret of the lobby"}, now)->name, "Anna") << "a person counts more";
}

TEST_F(WallboardAccess, CountsByWhatLetAVisitorInAlone) {
  const auto counted = [&](const Credentials& shown) { return what_counted(shown, *access.visitor(shown, now)); };
  const Credentials screen{"", "secret of the lobby"};
  EXPECT_EQ(counted(screen), screen);
  EXPECT_EQ(counted({"made up", "secret of the lobby"}), screen);
  EXPECT_NE(counted({"made up", "secret of the fair"}), screen);
  const auto anna = sign_in("Anna");
  EXPECT_EQ(counted({*anna, "made up"}), (Credentials{*anna, ""}));
  EXPECT_EQ(counted({*anna, "secret of the lobby"}), (Credentials{*anna, ""}));
}

TEST_F(WallboardAccess, EndsTicketsThatAreRevokedOrExpired) {
  pass(24h - 1s);
  EXPECT_TRUE(access.visitor({"", "secret of the fair"}, now));
  pass(1s);
  EXPECT_FALSE(access.visitor({"", "secret of the fair"}, now));
  EXPECT_TRUE(access.visitor({"", "secret of the lobby"}, now));
  EXPECT_EQ(remove_ticket(accounts, "lobby"), "");
  access.set_accounts(accounts);
  EXPECT_FALSE(access.visitor({"", "secret of the lobby"}, now));
}

TEST(WallboardAccessOpen, NeedsNoSignInWithoutAccounts) {
  Access access{std::nullopt};
  const auto visitor = access.visitor({}, {});
  ASSERT_TRUE(visitor);
  EXPECT_EQ(visitor->name, "");
  EXPECT_EQ(visitor->role, Role::supervisor);
  EXPECT_FALSE(access.ticket("x", {}));
}

TEST(Secrets, KeepAPasswordThatTheyCannotTell) {
  const std::string hash = hash_password("correct horse");
  EXPECT_TRUE(is_password_hash(hash));
  EXPECT_EQ(hash.find("correct"), std::string::npos);
  EXPECT_TRUE(password_matches(hash, "correct horse"));
  EXPECT_FALSE(password_matches(hash, "correct horsf"));
  EXPECT_FALSE(password_matches("", ""));
  EXPECT_NE(hash, hash_password("correct horse")) << "salted";
  for (const char* wrong : {"", "$argon2id$", "$argon2i$v=19$m=65536,t=2,p=1$AAAA$AAAA", "correct horse"})
    EXPECT_FALSE(is_password_hash(wrong)) << wrong;
}

TEST(Secrets, AreLongAndDiffer) {
  const std::string secret = random_secret();
  EXPECT_EQ(secret.size(), 43U);
  EXPECT_EQ(secret.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  EXPECT_NE(secret, random_secret());
  EXPECT_EQ(fingerprint(secret).size(), 64U);
  EXPECT_EQ(fingerprint(secret), fingerprint(secret));
  EXPECT_NE(fingerprint(secret), fingerprint(secret + "x"));
}

}  // namespace
}  // namespace reach::wallboard
