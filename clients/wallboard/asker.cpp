#include "clients/wallboard/asker.hpp"

#include <utility>

namespace reach::wallboard {
namespace {

v1::Reply unavailable(const std::string& why) {
  v1::Reply reply;
  reply.mutable_error()->set_code("unavailable");
  reply.mutable_error()->set_message(why);
  return reply;
}

}  // namespace

Asker::Asker(const std::string& endpoint, const client::ClientKeys& keys)
    : query_(endpoint, client::Query::usual_timeout, keys), thread_([this] { run(); }) {}

Asker::~Asker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Asker::ask(v1::Request request, Then then) {
  {
    const std::lock_guard lock(mutex_);
    if (!stop_ && waiting_.size() < waiting_max) {
      waiting_.push_back({std::move(request), std::move(then)});
      changed_.notify_one();
      return;
    }
  }
  then(unavailable("too many questions wait for the daemon; try again"));
}

void Asker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Question question = std::move(waiting_.front());
    waiting_.pop_front();
    const bool stopping = stop_;
    lock.unlock();
    v1::Reply reply = unavailable("the gateway is stopping");
    if (!stopping) {
      try {
        reply = query_.ask(std::move(question.request));
      } catch (const client::NotReachable& problem) {
        reply = unavailable(problem.what());
      }
    }
    question.then(reply);
    lock.lock();
  }
}

}  // namespace reach::wallboard
