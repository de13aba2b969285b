// How a subscriber follows reachd ("Listening" in proto/README.md): no socket, no thread, no clock.
//
// It is in one of three states:
//   waiting    connected, nothing heard yet
//   asking     something was heard; the snapshot and the alerts are asked for, the stream waits in its socket
//   following  the stream is read; a missing number leads back to asking
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "clients/library/subscriber.hpp"

namespace reach::client {

/// One message of the publish socket; views into its frames.
struct PublishedMessage {
  std::string_view topic;
  std::uint64_t sequence = 0;  ///< in its topic
  std::string_view payload;
};

class Follower {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct World {
    /// Sends a request to the query socket; must not block.
    std::function<void(const v1::Request&)> ask;
    /// Closes both connections and opens new ones: nothing of the old ones may be handed in afterwards.
    std::function<void()> reopen;
  };
  /// What to subscribe to: everything.
  static constexpr std::array<const char*, 4> topics = {"state/", "alert/", "staffing/", "system/"};

  /// Both connections are new at `now`. `calls` are called from within the functions below.
  Follower(SubscriberOptions options, SubscriberCalls calls, World world, TimePoint now);

  /// Whether to hand in what the stream brings. If not, leave it where it is: it is applied after the snapshot.
  [[nodiscard]] bool wants_stream() const noexcept { return state_ != State::asking; }
  /// Only if wants_stream().
  void take(const PublishedMessage& message, TimePoint now);
  void take(v1::Reply reply, TimePoint now);

  /// Without news until this instant the connection is lost.
  [[nodiscard]] TimePoint deadline() const noexcept { return heard_ + options_.silence; }
  /// Call before handing in what came. At or after deadline() it begins anew with new connections: what waited for so
  /// long, because nobody spoke or because this program stood still, must not be shown as new.
  void pass(TimePoint now);
  /// The connections are of no use, because of `why` (a sentence): begins anew with new ones.
  void lose(const std::string& why, TimePoint now);

  [[nodiscard]] const SubscriberState& state() const noexcept { return counted_; }

 private:
  enum class State : std::uint8_t { waiting, asking, following };
  struct Known {
    std::uint32_t revision = 0;  ///< the last one said
    std::uint64_t changed_ns = 0;
    bool open = false;
  };

  void ask(TimePoint now);
  void begin(const v1::Alerts& alerts, TimePoint now);
  void take_state(const PublishedMessage& message);
  void check(const v1::Pulse& pulse);
  enum class Word : std::uint8_t { stream, answer };
  bool say(const v1::Alert& alert, Word word);
  bool remember(const v1::Alert& alert, Word word);
  void tell_lost(const v1::Alerts& alerts);

  const SubscriberOptions options_;
  const SubscriberCalls calls_;
  const World world_;
  SubscriberState counted_;
  State state_ = State::waiting;
  TimePoint heard_;
  bool missed_ = false;                                     ///< a number of the stream
  bool told_connected_ = false;                             ///< the last connection() that was called
  std::string refused_;                                     ///< why this question is not answered
  std::string told_why_;                                    ///< of the last connection(false)
  bool first_snapshot_ = true;                              ///< none was taken yet
  std::uint64_t last_id_ = 0;                               ///< of the last request
  std::optional<v1::Snapshot> snapshot_;                    ///< came, the alerts that go with it not yet
  std::unordered_map<std::string, std::uint64_t> numbers_;  ///< topic: last number taken
  std::unordered_map<std::string, Known> alerts_;           ///< by id: all open ones, and those of ended_
  std::deque<std::string> ended_;                           ///< ids of alerts that ended, newest last, bounded
  std::uint64_t complete_until_ns_ = 0;  ///< core time up to which no revision of an alert can be missing
};

}  // namespace reach::client
