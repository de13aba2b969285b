// Who is asking, and what they may: signing in and out, sessions, tickets of screens.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "clients/wallboard/accounts.hpp"
#include "clients/wallboard/limiter.hpp"

namespace reach::wallboard {

/// Both clocks: spans are measured with the one that never steps, expiries are dates.
struct Now {
  std::chrono::steady_clock::time_point steady;
  Time wall;
};

struct Visitor {
  std::string name;  ///< of the person or the screen; empty: nobody has to sign in here
  Role role = Role::viewer;
  bool screen = false;  ///< came with a ticket
};

/// What a browser shows for itself, from its cookies; empty if absent.
struct Credentials {
  std::string session, ticket;
  bool operator==(const Credentials&) const = default;
};

/// What of `shown` let `visitor` in, without the rest: whoever shows the same of this is counted as one.
[[nodiscard]] Credentials what_counted(Credentials shown, const Visitor& visitor);

/// Pure but for random secrets: time is handed in, passwords are checked by the caller, who has a thread for it.
/// Not thread-safe.
class Access {
 public:
  /// A session ends after so long without use (an open page uses it), and at the latest after `life_max`.
  static constexpr std::chrono::hours idle_max{12}, life_max{7 * 24};
  /// Sessions of one person at a time; beyond them the one unused for the longest ends. So their number is bounded.
  static constexpr std::size_t sessions_per_user_max = 20;
  /// Failed sign-ins: so many at once, then one more every … . Of one address, and for one name from wherever.
  static constexpr int tries_per_address = 10, tries_per_name = 20;
  static constexpr std::chrono::seconds refill_per_address{10}, refill_per_name{30};

  /// nullopt: nobody has to sign in, and everybody is a supervisor without a name.
  explicit Access(std::optional<Accounts> accounts) : accounts_(std::move(accounts)) {}

  /// New accounts. Sessions of people who are gone or have another password end, tickets that are gone too.
  void set_accounts(Accounts accounts) { accounts_ = std::move(accounts); }
  [[nodiscard]] bool sign_in_needed() const { return accounts_.has_value(); }
  [[nodiscard]] const Accounts& accounts() const { return *accounts_; }  ///< requires sign_in_needed()

  /// Who it is; nullopt: nobody who may come in. Counts as use of the session.
  [[nodiscard]] std::optional<Visitor> visitor(const Credentials& credentials, Now now);
  /// The name of the ticket with this secret, if it is still good.
  [[nodiscard]] std::optional<std::string> ticket(const std::string& secret, Time now) const;

  /// Begins a sign-in: check the password against `password_hash`, then call `finish`. For an unknown name that is a
  /// hash of nobody's password: it takes the same time, and the answer is the same.
  struct Attempt {
    std::string name, address, password_hash;
    std::chrono::seconds wait{0};  ///< not zero: too many have failed; nothing is checked for so long
  };
  [[nodiscard]] Attempt begin(const std::string& name, const std::string& address, Now now);
  /// The secret of the new session, which replaces `old_session`; nullopt: refused, and counted.
  [[nodiscard]] std::optional<std::string> finish(const Attempt& attempt, bool password_matched,
                                                  const std::string& old_session, Now now);
  /// The attempt was not checked after all and does not count.
  void abandon(const Attempt& attempt);
  void sign_out(const std::string& session);
  [[nodiscard]] std::uint64_t refused() const { return refused_; }  ///< sign-ins since the start

 private:
  struct Session {
    std::string user, password_hash;  ///< as they were at the sign-in
    std::chrono::steady_clock::time_point began, used;
  };
  [[nodiscard]] bool ended(const Session& session, Now now) const;
  void make_room(const std::string& user, Now now);

  std::optional<Accounts> accounts_;
  std::map<std::string, Session> sessions_;  ///< by the fingerprint of their secret: looking it up tells nothing
  Limiter addresses_{tries_per_address, refill_per_address, 10'000};
  Limiter names_{tries_per_name, refill_per_name, 10'000};
  std::uint64_t refused_ = 0;
};

}  // namespace reach::wallboard
