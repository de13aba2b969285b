#include "clients/wallboard/accounts.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "clients/wallboard/secrets.hpp"

namespace reach::wallboard {
namespace {

namespace fs = std::filesystem;

/// An open file, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

std::string errno_text() {
  return std::strerror(errno);
}

/// Takes the next word off `line`.
std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

/// What is wrong with a line, empty if nothing.
std::string read_user(std::string_view line, Accounts& to) {
  const auto role = role_of(next_word(line));
  if (!role) return "unknown role; expected viewer or supervisor";
  const std::string hash(next_word(line));
  if (!is_password_hash(hash)) return "bad password; expected what --add-user wrote";
  const std::string name(line.substr(std::min<std::size_t>(1, line.size())));
  if (std::string wrong = wrong_with_name(name); !wrong.empty()) return wrong;
  if (!to.users.emplace(name, User{*role, hash}).second) return "a second user \"" + name + "\"; expected each once";
  if (to.users.size() > Accounts::users_max) return "too many users; expected at most 1000";
  return {};
}

std::string read_ticket(std::string_view line, Accounts& to) {
  const auto made = parse_rfc3339(next_word(line));
  const std::string_view end = next_word(line);
  const auto expires = end == "-" ? never : parse_rfc3339(end);
  if (!made || !expires) return "bad time; expected such as 2026-11-23T08:00:00Z, or - for a ticket that does not end";
  const std::string print(next_word(line));
  if (print.size() != 64 || print.find_first_not_of("0123456789abcdef") != std::string::npos)
    return "bad ticket; expected what --ticket wrote";
  const std::string name(line.substr(std::min<std::size_t>(1, line.size())));
  if (std::string wrong = wrong_with_name(name); !wrong.empty()) return wrong;
  if (!to.tickets.emplace(name, Ticket{print, *made, *expires}).second)
    return "a second ticket \"" + name + "\"; expected each once";
  if (to.tickets.size() > Accounts::tickets_max) return "too many tickets; expected at most 1000";
  return {};
}

/// The whole of an open file; nullopt with errno if it cannot be read.
std::optional<std::string> content_of(int file) {
  std::string content;
  char part[4096];
  for (;;) {
    const ssize_t got = ::read(file, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return content;
    content.append(part, static_cast<std::size_t>(got));
  }
}

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t done = ::write(file, content.data(), content.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

/// Replaces `file` in `folder` with `content`; what went wrong, empty if nothing.
std::string replace(const std::string& file, int folder, const std::string& content) {
  std::string fresh = file + ".XXXXXX";
  const Descriptor out(::mkostemp(fresh.data(), O_CLOEXEC));  // mode 0600
  if (out.get() < 0) return file + ": cannot be written: " + errno_text();
  struct stat owner {};
  bool good = ::fstat(folder, &owner) == 0;
  if (::geteuid() == 0) good = good && ::fchown(out.get(), owner.st_uid, owner.st_gid) == 0;
  good = good && write_all(out.get(), content) && ::fsync(out.get()) == 0 &&
         ::rename(fresh.c_str(), file.c_str()) == 0 && ::fsync(folder) == 0;
  if (good) return {};
  const std::string why = errno_text();
  ::unlink(fresh.c_str());
  return file + ": cannot be written: " + why;
}

}  // namespace

std::string_view name_of(Role role) {
  return role == Role::supervisor ? "supervisor" : "viewer";
}

std::optional<Role> role_of(std::string_view name) {
  if (name == "viewer") return Role::viewer;
  if (name == "supervisor") return Role::supervisor;
  return std::nullopt;
}

std::string wrong_with_name(std::string_view name) {
  const bool control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 127; });
  if (name.empty() || name.size() > 80 || control || name.front() == ' ' || name.back() == ' ')
    return "bad name; expected 1 to 80 bytes without line breaks, and no blanks around them";
  return {};
}

LoadedAccounts read_accounts(const std::string& file, std::string_view text) {
  LoadedAccounts loaded;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    const std::string_view kind = next_word(line);
    std::string wrong = "unknown line; expected \"user …\" or \"ticket …\"";
    if (kind == "user") wrong = read_user(line, loaded.accounts);
    if (kind == "ticket") wrong = read_ticket(line, loaded.accounts);
    if (!wrong.empty()) loaded.problems.push_back(file + ":" + std::to_string(number) + ":1: " + wrong);
  }
  return loaded;
}

std::string to_text(const Accounts& accounts) {
  std::string text = "# Who may open the wallboard. Written by reach-wallboard --add-user, --ticket and the page.\n";
  for (const auto& [name, user] : accounts.users)
    text += "user " + std::string(name_of(user.role)) + " " + user.password_hash + " " + name + "\n";
  for (const auto& [name, ticket] : accounts.tickets)
    text += "ticket " + to_rfc3339(ticket.made) + " " + (ticket.expires == never ? "-" : to_rfc3339(ticket.expires)) +
            " " + ticket.fingerprint + " " + name + "\n";
  return text;
}

LoadedAccounts load_accounts(const std::string& file) {
  const auto problem = [&](const std::string& what) { return LoadedAccounts{{}, {file + ":1:1: " + what}}; };
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0)
    return problem("cannot be read: " + errno_text() + "; expected what reach-wallboard --add-user writes");
  struct stat status {};
  if (::fstat(in.get(), &status) != 0) return problem("cannot be read: " + errno_text());
  if ((status.st_mode & S_IRWXO) != 0)
    return problem("everybody can read who may sign in; expected mode 0600: chmod 600 " + file);
  const auto content = content_of(in.get());
  if (!content) return problem("cannot be read: " + errno_text());
  return read_accounts(file, *content);
}

std::string change_accounts(const std::string& file, const std::function<std::string(Accounts&)>& change) {
  const fs::path parent = fs::path(file).parent_path();
  const Descriptor folder(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return file + ": its folder cannot be opened: " + errno_text();
  // The folder stays the same one when the file is replaced, so it carries the lock.
  while (::flock(folder.get(), LOCK_EX) != 0)
    if (errno != EINTR) return file + ": cannot be locked: " + errno_text();
  LoadedAccounts loaded;
  std::error_code error;
  if (fs::exists(file, error)) loaded = load_accounts(file);
  if (!loaded.problems.empty()) return loaded.problems.front();
  if (std::string wrong = change(loaded.accounts); !wrong.empty()) return wrong;
  return replace(file, folder.get(), to_text(loaded.accounts));
}

std::string add_ticket(Accounts& accounts, const std::string& name, const std::string& secret, Time made,
                       Time expires) {
  if (std::string wrong = wrong_with_name(name); !wrong.empty()) return wrong;
  if (accounts.tickets.size() >= Accounts::tickets_max) return "there are 1000 tickets; remove some first";
  if (!accounts.tickets.emplace(name, Ticket{fingerprint(secret), made, expires}).second)
    return "there is a ticket \"" + name + "\" already; revoke it first, or choose another name";
  return {};
}

std::string remove_ticket(Accounts& accounts, const std::string& name) {
  return accounts.tickets.erase(name) == 0 ? "there is no ticket \"" + name + "\"" : std::string();
}

}  // namespace reach::wallboard
