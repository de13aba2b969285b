// Questions to reachd and its answers.
#pragma once
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "clients/library/keys.hpp"
#include "reachd/v1/query.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::client {

/// The daemon did not answer in time, or does not let this program in; what() says where it was sought and what to
/// check. Programs exit 69.
struct NotReachable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One connection, one question at a time; not thread-safe.
class Query {
 public:
  static constexpr std::chrono::milliseconds usual_timeout{3000};
  explicit Query(std::string endpoint = "tcp://127.0.0.1:5572", std::chrono::milliseconds timeout = usual_timeout,
                 ClientKeys keys = {});
  ~Query();
  /// Sends `request` (its id is set here) and returns the reply. A Reply with `error` set is returned, not thrown.
  /// Throws NotReachable.
  [[nodiscard]] v1::Reply ask(v1::Request request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reach::client
