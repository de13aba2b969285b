// Questions to the daemon that hold up nothing else.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "clients/library/query.hpp"

namespace reach::wallboard {

/// Asks one question after the other on a thread of its own. At most `waiting_max` wait; more are refused at once.
class Asker {
 public:
  static constexpr std::size_t waiting_max = 256;
  /// Called on the asker's thread with the reply; one with `error` "unavailable" if the daemon does not answer.
  using Then = std::function<void(const v1::Reply&)>;

  Asker(const std::string& endpoint, const client::ClientKeys& keys);
  ~Asker();  ///< waits for the question under way; those that wait are answered "unavailable"
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  void ask(v1::Request request, Then then);

 private:
  struct Question {
    v1::Request request;
    Then then;
  };
  void run();

  client::Query query_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Question> waiting_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace reach::wallboard
