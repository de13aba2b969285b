// What a PBX's messages mean for customers and agents. Pure: messages and times in, events out.
//
// The words of Asterisk end here. Facts about its events: README.md beside this file, "What Asterisk says and means".
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "clients/adapters/asterisk/ami_parser.hpp"
#include "clients/adapters/common/pseudonym.hpp"
#include "daemon/base/time.hpp"
#include "reachd/v1/event.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::asterisk {

using Events = std::vector<v1::Event>;
using Names = std::set<std::string, std::less<>>;

/// How long a verdict may wait to learn what it was. QUEUESTATUS follows within a millisecond; the rest is for the
/// next Queue() of the dialplan, which tells where the caller went.
inline constexpr Duration hold_window = std::chrono::seconds(2);

struct TranslatorSettings {
  std::map<std::string, Duration, std::less<>> wrap_up;  ///< wrapuptime per queue; AMI never tells it
  Duration default_wrap_up{};                            ///< of all other queues; >= 0
  Names excluded;          ///< extensions and numbers that never leave the adapter (works council, company doctor)
  Names arrival_contexts;  ///< dialplan contexts whose new channels are customers: Arrived
  std::map<std::string, std::string, std::less<>> pause_reasons;  ///< the PBX's word -> the word to send
};

/// What was seen of each class of events: tells a missing right from a quiet night.
struct SeenCounts {
  std::uint64_t joins = 0, channels = 0, extensions = 0, variables = 0;
  std::uint64_t unknown_calls = 0;    ///< events of calls that were never seen to join
  std::uint64_t calls_given_up = 0;   ///< there were too many at a time
  std::uint64_t members_ignored = 0;  ///< events of queue members for whom there was no room
};

/// One PBX. Every function appends to `out` what follows; times are those of the PBX's events, also of verdicts that
/// come late. Contact ids are Uniqueids, journeys Linkedids. Memory: a few hundred bytes per live channel.
class AmiTranslator {
 public:
  /// At a time. Of more, the one not heard of for the longest time is given up: its outcome is told as unknown.
  static constexpr std::size_t max_calls = 100'000;

  AmiTranslator(TranslatorSettings settings, adapter::Pseudonyms pseudonyms);
  ~AmiTranslator();
  AmiTranslator(AmiTranslator&&) noexcept;
  AmiTranslator& operator=(AmiTranslator&&) noexcept;

  /// One message that happened at `at`. Messages come in stream order; `at` may step back a little. Of one that is cut
  /// what is left counts, and EventsLost is said where something may be missed.
  void take(const AmiMessage& message, Time at, Events& out);
  /// When pass() has something to do; `never` if nothing.
  [[nodiscard]] Time next_wakeup() const;
  /// Time has come to `now`: verdicts whose evidence did not come are said, wrap-ups end.
  void pass(Time now, Events& out);
  /// Wrap-ups that still run end `now`: the adapter ends, and nobody else would say so.
  void end_wrap_ups(Time now, Events& out);

  /// The clock behind `at` and `now` was set by `by`, back (-) or forward (+): what is still to be said goes by the new
  /// one, as long after as it would have been.
  void clock_stepped(Duration by);

  /// The connection is gone. What is held is said when its time comes; calls stay known until a listing says otherwise.
  void upstream_lost(const std::string& reason, Time now, Events& out);
  /// A full listing (QueueStatus, CoreShowChannels) begins. `reason`: connect, gap, restart (all calls of the former
  /// PBX process are over) or periodic.
  void begin_resync(const std::string& reason, Time now, Events& out);
  /// Both lists have come. Events that were under way may still follow, so ResyncEnd comes a second later, by pass().
  /// `channels_listed`: CoreShowChannels was allowed; else connected calls are taken to be still there.
  void finish_listing(bool channels_listed, Time now, Events& out);
  [[nodiscard]] bool resyncing() const;

  /// Asterisk numbers its channels. The highest number seen; 0: none yet.
  [[nodiscard]] std::uint64_t last_channel() const;
  /// This adapter was here before and saw channels up to this number: what came up since is reported as lost.
  void resume_after(std::uint64_t channel);

  /// Calls that wait now, per queue of which a call was ever known.
  [[nodiscard]] std::map<std::string, int, std::less<>> waiting() const;
  [[nodiscard]] const SeenCounts& seen() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reach::asterisk
