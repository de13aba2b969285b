// Agents: queue members as persons, who are logged in to queues, pause, and have a telephone.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
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

struct TranslatorSettings;

/// A member is an interface in one queue; a person is whoever shares its state interface or its member name, over all
/// queues. Events are said of persons, and only when something changed: LoggedIn with the queues in which the person
/// can get calls (not those in which alone it is paused), LoggedOut, AgentPaused once it is paused in all of them or
/// its telephone is gone (reason "unavailable"), AgentResumed. Whoever is in no queue any more is forgotten.
class Members {
 public:
  /// In all queues together, and of one person; more are ignored and counted.
  static constexpr std::size_t max_members = 100'000, max_of_person = 1'000;

  Members(const TranslatorSettings& settings, const adapter::Pseudonyms& pseudonyms);

  /// QueueMember (of a listing), QueueMemberAdded, -Removed, -Pause, -Status, -Penalty, -Ringinuse.
  void take(const AmiMessage& message, Time at, std::vector<v1::Event>& out);
  /// A listing begins. `resync`: everybody is said anew, since reachd takes whoever it does not name for gone.
  void begin_listing(bool resync);
  void listed_queue(std::string_view queue);
  /// The listing is complete: members of its queues that it does not name are gone. On a new day people get their new
  /// pseudonym here, unless their telephone is in use or `occupied(pseudonym)`: those at a later listing.
  void finish_listing(Time at, const std::function<bool(const std::string&)>& occupied, std::vector<v1::Event>& out);
  /// The adapter has begun anew: reachd may think that whoever is there now is in wrap-up since a call of its former
  /// life, and nobody knows that call to end it.
  void doubt_wrap_ups();
  /// Says of those in doubt what they do (AgentStateChanged), unless their telephone is in use or
  /// `occupied(pseudonym)`: those at a later listing. No LoggedOut does it, since that would be somebody less for a
  /// moment.
  void settle_doubts(Time at, const std::function<bool(const std::string&)>& occupied, std::vector<v1::Event>& out);

  /// The pseudonym of whoever is at `interface`; empty for extensions that are excluded.
  [[nodiscard]] std::string agent(std::string_view interface, std::string_view name, Time at) const;
  /// The same for whoever has the telephone with this extension; empty: no member.
  [[nodiscard]] std::string agent_with_extension(std::string_view extension) const;
  /// The member whose channel `channel` is ("PJSIP/1001-0000002a" is of PJSIP/1001); empty: nobody's.
  [[nodiscard]] std::string interface_of_channel(std::string_view channel) const;
  /// Whether `channel` is of a member's telephone.
  [[nodiscard]] bool have_telephone(std::string_view channel) const;
  /// The member's own wrapuptime, else the queue's by configuration, else the default.
  [[nodiscard]] Duration wrap_up(const std::string& queue, const std::string& interface) const;
  /// Whether anything is known of wrap-up at all.
  [[nodiscard]] bool tells_wrap_up() const;
  /// Events of members for whom there was no room.
  [[nodiscard]] std::uint64_t ignored() const { return ignored_; }

 private:
  struct Person {
    std::string pseudonym;
    std::chrono::sys_days day{};  ///< of the pseudonym
    bool excluded = false;
    bool in_doubt = false;                                  ///< doubt_wrap_ups()
    std::set<std::pair<std::string, std::string>> members;  ///< queue and interface
    // What was said last.
    std::vector<std::string> queues;
    bool logged_in = false, paused = false;
    std::string reason;
  };
  struct Member {
    std::string person;
    bool paused = false;
    std::string reason;
    int status = 1;  // AST_DEVICE_*: 1 not in use, 2 in use, 3 busy, 4 invalid, 5 unavailable, 6 ringing, 8 on hold
    Duration wrap_up{};
  };

  [[nodiscard]] std::string key_of(std::string_view interface, std::string_view state_interface,
                                   std::string_view name) const;
  const std::string& person_of(const std::string& interface, const std::string& state_interface,
                               const std::string& name, Time at);
  void remove(const std::string& queue, const std::string& interface);
  void forget_gone();
  /// False if there is no room for it.
  bool update(const AmiMessage& message, const std::string& queue, const std::string& interface, Time at);
  void name(Person& person, const std::string& key, Time at);
  void rename(const std::string& key, Time at, std::vector<v1::Event>& out);
  [[nodiscard]] bool in_use(const std::string& key) const;
  /// What has changed; `anew`: all of it, also that nobody is paused: a former life of the adapter may have said so.
  void say(const std::string& person, Time at, std::vector<v1::Event>& out, bool anew = false);

  const TranslatorSettings& settings_;
  const adapter::Pseudonyms& pseudonyms_;
  std::map<std::string, Person, std::less<>> persons_;  // by the word they were first known by
  using Words = std::map<std::string, std::string, std::less<>>;
  Words by_interface_, by_name_, by_extension_;  // to that word
  Words by_device_;                              // members' interfaces by the device in the names of their channels
  std::map<std::string, std::map<std::string, Member, std::less<>>, std::less<>> queues_;
  std::set<std::string, std::less<>> listed_queues_, touched_;
  std::set<std::pair<std::string, std::string>> listed_;
  std::size_t members_ = 0;  // in all queues
  std::uint64_t ignored_ = 0;
  bool any_wrap_up_ = false, resync_ = false;
};

}  // namespace reach::asterisk
