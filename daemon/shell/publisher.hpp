// What subscribers see: topics, numbers, last values. Knows no socket.
//
// A state (segment, source, pool) goes out at most once per interval, however often it changed; an alert at once, each
// revision as a message of its own. Every message is numbered in its topic and in the whole stream. The numbers of the
// stream and of the topics known at the start begin at the start time in microseconds, so that a subscriber that misses
// a restart sees a gap and not old numbers; a topic that is born later begins with 1, which is no gap for anybody. The
// pulse, once a second, names the last number of every topic that spoke since the one before: who lost the end of a
// topic sees it there, also where nothing follows.
#pragma once
#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/core/engine.hpp"
#include "daemon/wire/wire.hpp"
#include "reachd/v1/query.pb.h"

namespace reach::shell {

struct Message {
  std::string topic;
  std::uint64_t sequence = 0;  ///< in its topic
  std::uint64_t global = 0;
  std::string payload;
};

/// Name of the pulse: a source of this name says every second that the daemon lives.
inline constexpr std::string_view daemon_source = "_daemon";

class Publisher {
 public:
  /// `send` must not block; what it cannot queue is lost, and its number tells the subscriber.
  /// `complete`: see complete().
  Publisher(Engine& engine, Duration interval, Time start, std::function<void(const Message&)> send,
            std::function<void(v1::SourceState&)> complete);

  /// After the start and after a new configuration: every topic exists and has a number, open alerts are known, every
  /// state is due.
  void restart(Duration interval, Time now);

  void alert(const Alert& alert);
  void segment_changed(std::uint32_t segment) { dirty_segments_.insert(segment); }
  void source_changed(std::uint32_t source);
  void staffing_changed(std::uint32_t pool) { dirty_pools_.insert(pool); }
  /// Bytes; longer prefixes match no topic that can exist.
  static constexpr std::size_t longest_prefix = 256;
  /// A peer subscribed to everything that begins with `prefix`: its last values are due.
  void subscribed(std::string_view prefix);

  /// While the core catches up, segments and pools are not published: nobody should see an hour ago as now.
  void hold_states(bool hold) noexcept { hold_states_ = hold; }

  /// Sends what is due at `now`, at most a slice of about 50 messages so that no event waits behind a long list.
  /// True if there is more: call again soon.
  bool work(Time now);
  /// The next instant at which work() has something to do; `never` if only an input can bring it.
  [[nodiscard]] Time next() const noexcept;

  /// Fills in what the engine does not know of a source.
  void complete(v1::SourceState& state) const { complete_(state); }
  /// Where the stream stands, for a snapshot.
  void fill(v1::Snapshot& snapshot) const;
  [[nodiscard]] std::uint64_t published() const noexcept { return published_; }
  [[nodiscard]] std::uint64_t resent() const noexcept { return resent_; }

 private:
  struct Again {
    std::uint64_t global;  ///< of the message meant
    bool is_alert;
    std::string key;  ///< of states_ or open_alerts_
    auto operator<=>(const Again&) const = default;
  };

  void say(Message& message, const google::protobuf::MessageLite& content);
  Message& state(const std::string& topic);
  void every_second(Time now);

  Engine& engine_;
  Duration interval_;
  std::uint64_t before_first_;  ///< number before a new topic's first message
  std::function<void(const Message&)> send_;
  std::function<void(v1::SourceState&)> complete_;

  std::uint64_t global_;
  std::map<std::string, Message, std::less<>> states_;                    ///< by topic: the last one
  std::map<std::string, std::uint64_t, std::less<>> alert_numbers_;       ///< by topic
  std::map<std::string, Message, std::less<>> open_alerts_;               ///< by alert id: the last revision
  std::set<std::uint32_t> dirty_segments_, dirty_sources_, dirty_pools_;  ///< changed since the last interval
  std::deque<std::uint32_t> due_segments_, due_sources_, due_pools_;      ///< of this interval, to be sent
  std::set<std::string, std::less<>> asked_;                              ///< prefixes subscribed to since
  std::unordered_map<std::string, std::uint64_t> said_;                   ///< topic: its number, since the last pulse
  std::deque<Again> due_again_;                                           ///< last values to be repeated, oldest first
  bool hold_states_ = false;
  Time next_tick_{}, next_second_{}, next_minute_{}, next_again_{}, again_began_{};
  std::uint64_t published_ = 0, resent_ = 0;
  v1::SegmentState segment_;
};

}  // namespace reach::shell
