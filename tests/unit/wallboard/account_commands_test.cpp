#include "clients/wallboard/account_commands.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

namespace reach::wallboard {
namespace {

/// `--add-user` in a process and on a terminal of its own.
class AddingAUser {
 public:
  AddingAUser() {
    EXPECT_EQ(openpty(&keyboard_, &terminal_, nullptr, nullptr, nullptr), 0);
    pid_ = fork();
    if (pid_ != 0) return;
    std::signal(SIGINT, SIG_DFL);  // whoever started the tests may ignore it
    login_tty(terminal_);
    Settings settings;
    settings.users_file = testing::TempDir() + "reach-users-" + std::to_string(getpid());
    AccountCommand command;
    command.add_user = "Anna";
    command.role = "viewer";
    _exit(run_account_command(command, settings));
  }
  ~AddingAUser() {
    end();
    close(keyboard_);
    close(terminal_);
  }
  AddingAUser(const AddingAUser&) = delete;
  AddingAUser& operator=(const AddingAUser&) = delete;

  [[nodiscard]] bool echoes() const {
    termios now{};
    EXPECT_EQ(tcgetattr(terminal_, &now), 0);
    return (now.c_lflag & ECHO) != 0;
  }
  /// False: it does not ask for the password within five seconds.
  [[nodiscard]] bool asks() const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (echoes() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return !echoes();
  }
  void type(char key) const { EXPECT_EQ(write(keyboard_, &key, 1), 1); }
  /// What waitpid says after five seconds at most; nullopt: it goes on.
  std::optional<int> status() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > until) return std::nullopt;
      std::this_thread::yield();
    }
    pid_ = -1;
    return status;
  }

 private:
  void end() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  int keyboard_ = -1, terminal_ = -1;
  pid_t pid_ = -1;
};

TEST(AddUser, EndsBySignalAtThePromptAndLeavesTheTerminalAsItWas) {
  AddingAUser adding;
  ASSERT_TRUE(adding.asks());
  adding.type('\x03');
  const auto status = adding.status();
  ASSERT_TRUE(status) << "Ctrl-C is not heard";
  EXPECT_TRUE(WIFSIGNALED(*status));
  EXPECT_EQ(WTERMSIG(*status), SIGINT);
  EXPECT_TRUE(adding.echoes());
}

}  // namespace
}  // namespace reach::wallboard
