// RESTinio's servers as our programs have them: in one thread, with a bound on their connections.
//
// RESTinio's own bound (0.6.16) counts an accept as under way until a connection comes of it. None comes of one that
// was reset before it was looked at, since asking for its peer's address throws then. So each takes a place for ever,
// and after as many as there are places (a port scan, a check that only knocks) nobody is let in again. Ours counts
// connections alone.
#pragma once
#include <cstddef>
#include <restinio/traits.hpp>
#include <vector>

namespace reach::program {

/// Bounds the connections of a server in one thread. Those that it was accepting already may come on top:
/// concurrent_accepts_count() of them.
class HttpConnections {
 public:
  using Acceptor = restinio::connection_count_limits::impl::acceptor_callback_iface_t;

  HttpConnections(restinio::not_null_pointer_t<Acceptor> acceptor,
                  restinio::connection_count_limits::max_parallel_connections_t most,
                  restinio::connection_count_limits::max_active_accepts_t accepts)
      : acceptor_(acceptor), most_(most.value()) {
    waiting_.reserve(accepts.value());
  }
  HttpConnections(const HttpConnections&) = delete;
  HttpConnections& operator=(const HttpConnections&) = delete;

  // What RESTinio calls.
  void accept_next(std::size_t index) noexcept {
    if (connections_ < most_) {
      acceptor_->call_accept_now(index);
    } else {
      waiting_.push_back(index);
    }
  }
  void increment_parallel_connections() noexcept { ++connections_; }
  void decrement_parallel_connections() noexcept {
    --connections_;
    if (connections_ >= most_ || waiting_.empty()) return;
    const std::size_t index = waiting_.back();
    waiting_.pop_back();
    acceptor_->schedule_next_accept_attempt(index);
  }

 private:
  restinio::not_null_pointer_t<Acceptor> acceptor_;
  const std::size_t most_;
  std::size_t connections_ = 0;
  std::vector<std::size_t> waiting_;  ///< accepts to begin when a connection has ended; never more than were reserved
};

struct HttpTraits : restinio::default_single_thread_traits_t {
  static constexpr bool use_connection_count_limiter = true;
};

}  // namespace reach::program

template <>
struct restinio::connection_count_limit_types<reach::program::HttpTraits> {
  using limiter_t = reach::program::HttpConnections;
  using lifetime_monitor_t = restinio::connection_count_limits::connection_lifetime_monitor_t<limiter_t>;
};
