#include "clients/wallboard/access.hpp"

#include <algorithm>
#include <utility>

#include "clients/wallboard/secrets.hpp"

namespace reach::wallboard {
namespace {

/// What an unknown name's password is checked against: it costs what a user's costs, and no known password gives it.
constexpr const char* nobodys_hash =
    "$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

std::chrono::seconds whole_seconds(Limiter::Duration wait) {
  return std::chrono::ceil<std::chrono::seconds>(wait);
}

}  // namespace

Credentials what_counted(Credentials shown, const Visitor& visitor) {
  (visitor.screen ? shown.session : shown.ticket).clear();
  return shown;
}

bool Access::ended(const Session& session, Now now) const {
  const auto user = accounts_->users.find(session.user);
  return user == accounts_->users.end() || user->second.password_hash != session.password_hash ||
         now.steady - session.used >= idle_max || now.steady - session.began >= life_max;
}

std::optional<Visitor> Access::visitor(const Credentials& credentials, Now now) {
  if (!accounts_) return Visitor{"", Role::supervisor, false};
  if (const auto found = sessions_.find(fingerprint(credentials.session)); found != sessions_.end()) {
    Session& session = found->second;
    if (!ended(session, now)) {
      session.used = now.steady;
      return Visitor{session.user, accounts_->users.at(session.user).role, false};
    }
    sessions_.erase(found);
  }
  if (auto name = ticket(credentials.ticket, now.wall)) return Visitor{std::move(*name), Role::viewer, true};
  return std::nullopt;
}

std::optional<std::string> Access::ticket(const std::string& secret, Time now) const {
  if (!accounts_ || secret.empty()) return std::nullopt;
  const std::string print = fingerprint(secret);
  for (const auto& [name, ticket] : accounts_->tickets)
    if (ticket.fingerprint == print && now < ticket.expires) return name;
  return std::nullopt;
}

Access::Attempt Access::begin(const std::string& name, const std::string& address, Now now) {
  Attempt attempt{name, address, {}, whole_seconds(addresses_.take(address, now.steady))};
  if (attempt.wait.count() == 0) attempt.wait = whole_seconds(names_.take(name, now.steady));
  if (attempt.wait.count() != 0) {
    ++refused_;
    return attempt;
  }
  const auto user = accounts_->users.find(name);
  attempt.password_hash = user == accounts_->users.end() ? nobodys_hash : user->second.password_hash;
  return attempt;
}

std::optional<std::string> Access::finish(const Attempt& attempt, bool password_matched, const std::string& old_session,
                                          Now now) {
  const auto user = accounts_->users.find(attempt.name);
  if (!password_matched || user == accounts_->users.end() || user->second.password_hash != attempt.password_hash) {
    ++refused_;
    return std::nullopt;
  }
  abandon(attempt);
  sign_out(old_session);
  make_room(attempt.name, now);
  std::string secret = random_secret();
  sessions_.emplace(fingerprint(secret), Session{attempt.name, attempt.password_hash, now.steady, now.steady});
  return secret;
}

void Access::abandon(const Attempt& attempt) {
  addresses_.give_back(attempt.address);
  names_.give_back(attempt.name);
}

void Access::sign_out(const std::string& session) {
  sessions_.erase(fingerprint(session));
}

void Access::make_room(const std::string& user, Now now) {
  std::erase_if(sessions_, [&](const auto& entry) { return ended(entry.second, now); });
  auto oldest = sessions_.end();
  std::size_t count = 0;
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (it->second.user != user) continue;
    ++count;
    if (oldest == sessions_.end() || it->second.used < oldest->second.used) oldest = it;
  }
  if (count >= sessions_per_user_max) sessions_.erase(oldest);
}

}  // namespace reach::wallboard
