// What the adapter says to Asterisk and when: login, listings, checks. Pure: messages and times in, requests out.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clients/adapters/asterisk/ami_translator.hpp"

namespace reach::asterisk {

struct DialogueSettings {
  std::string place = "127.0.0.1:5038";  ///< for sentences
  std::string user, secret;
  std::string secret_file;  ///< for sentences
  Duration resync_every = std::chrono::minutes(5);
  Duration check_every = std::chrono::minutes(1);
};

/// What follows from one step; the caller does it and empties it.
struct DialogueOutput {
  std::string send;                   ///< bytes for Asterisk
  Events events;                      ///< for reachd
  std::vector<std::string> problems;  ///< sentences for the operator: what is wrong, which line to change
  std::vector<std::string> notes;     ///< sentences of what went well
  std::string close;                  ///< not empty: close the connection, for this reason
};

/// Turns Asterisk's clock into this machine's. Both mostly agree; only a difference of more than half a second is taken
/// out, so that jitter of the network stays out of the waits.
class PbxClock {
 public:
  /// When the message stamped `stamp` by the PBX, received at `received`, happened by this machine's clock. Never
  /// after `received`.
  [[nodiscard]] Time local(Time stamp, Time received);
  /// By how much the PBX's clock is behind (+) or ahead (-); zero while they agree.
  [[nodiscard]] Duration behind() const { return behind_; }

 private:
  std::optional<Duration> least_;  // received - stamp, the least of this minute
  Time minute_end_{};
  Duration behind_{};
};

/// Notices that this machine's clock was set.
class ClockSteps {
 public:
  /// By how much the clock was set since the last call, back (-) or forward (+), given what it and a monotonic clock
  /// show now. Zero for up to a second: that is taken for the slow corrections of NTP.
  [[nodiscard]] Duration since_last(Time clock, Duration monotonic);

 private:
  std::optional<Duration> apart_;
};

/// A count that the operator is told of when it has grown: at once, then at most once a minute.
class GrowthReport {
 public:
  /// When there is something to tell of `count`; `never` if it has not grown.
  [[nodiscard]] Time due(std::uint64_t count) const { return count > told_ ? next_ : never; }
  /// By how much it has grown since it was told; it counts as told now. Zero if nothing is due.
  [[nodiscard]] std::uint64_t take(std::uint64_t count, Time now);
  void clock_stepped(Duration by) { next_ += by; }

 private:
  std::uint64_t told_ = 0;
  Time next_{};
};

/// What outlives the adapter itself, so that it can tell what it missed.
struct DialogueMemory {
  std::string startup;             ///< when the Asterisk process began that was heard last; empty: none was
  std::uint64_t last_channel = 0;  ///< the number of its newest channel
  bool operator==(const DialogueMemory&) const = default;
};

/// One PBX, over all its connections. `now` and `received` are this machine's clock; when it is set, clock_stepped().
class AmiDialogue {
 public:
  AmiDialogue(DialogueSettings settings, AmiTranslator translator, const DialogueMemory& memory = {});

  void connected(Time now);
  void take(const AmiMessage& message, Time received, DialogueOutput& out);
  /// The connection is gone, or could not be made: `reason` is a sentence.
  void disconnected(const std::string& reason, Time now, DialogueOutput& out);
  void pass(Time now, DialogueOutput& out);
  /// The adapter ends: what is held is said, and wrap-ups that still run end.
  void end(Time now, DialogueOutput& out);
  /// This machine's clock was set by `by`: everything goes on after as long as it would have.
  void clock_stepped(Duration by);
  [[nodiscard]] Time next_wakeup() const;
  [[nodiscard]] DialogueMemory memory() const { return {startup_, translator_.last_channel()}; }
  /// Asterisk is logged in to and tells its events.
  [[nodiscard]] bool hears() const { return step_ == Step::listing || step_ == Step::listening; }

 private:
  enum class Step { offline, banner, login, booting, status, listing, listening };

  void request(DialogueOutput& out, const std::string& action,
               const std::vector<std::pair<std::string, std::string>>& fields = {});
  void respond(const AmiMessage& message, Time now, DialogueOutput& out);
  void begin_listing(const std::string& reason, Time now, DialogueOutput& out);
  void listing_progress(Time now, DialogueOutput& out);
  void compare(Time now, DialogueOutput& out);
  void look_for_missing_rights(DialogueOutput& out);
  void tell_growth(Time now, DialogueOutput& out);
  void say_once(const std::string& sentence, DialogueOutput& out);
  [[nodiscard]] std::string section() const;

  DialogueSettings settings_;
  AmiTranslator translator_;
  PbxClock clock_;
  Step step_ = Step::offline;
  Time deadline_ = never;  // of the present step
  Time heard_{};           // anything from Asterisk
  bool pinged_ = false;
  std::string startup_;  // CoreStatus: when this Asterisk process began
  bool heard_before_ = false, clock_said_ = false, stamped_ = false;
  bool queues_listed_ = false, channels_listed_ = false, channels_denied_ = false;
  Time next_check_ = never, next_resync_ = never;
  std::map<std::string, int, std::less<>> callers_;  // QueueSummary
  int differing_ = 0;
  std::set<std::string> said_;
  std::uint64_t cut_ = 0;  // messages
  GrowthReport cut_report_, given_up_report_, ignored_report_;
};

}  // namespace reach::asterisk
