#include "clients/adapters/asterisk/ami_translator.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "clients/adapters/asterisk/members.hpp"
#include "clients/adapters/asterisk/recent_map.hpp"
#include "clients/adapters/common/event_lines.hpp"

namespace reach::asterisk {
namespace {

using adapter::event_at;

constexpr Duration ring_hold = std::chrono::milliseconds(500);  // DialEnd BUSY comes before AgentRingNoAnswer
constexpr Duration settle_after_listing = std::chrono::seconds(1);
constexpr Duration remember_ended = std::chrono::minutes(1);  // late AgentComplete of a call that is over

// What a broken stream may make this adapter remember. A PBX has far less of each.
constexpr std::size_t max_channels = 3 * AmiTranslator::max_calls;
constexpr std::size_t max_queues = 10'000;
constexpr std::size_t max_rings = 1'000;    // of one call at a time
constexpr std::size_t max_uniqueids = 100;  // of one call
constexpr std::size_t max_in_bridge = 16;   // a conversation has two

/// A call as far as queues are concerned.
struct Ring {
  std::string interface, channel;  // the agent's; channel: DestUniqueid
  std::string agent;
  bool answered = false;
  std::optional<Time> ended;  // DialEnd; what it meant is not known yet
  std::string cause = "other";
};

/// A reason of leaving that is none: what it was must not be guessed, OutcomeUnknown.
constexpr std::string_view untold = "untold";

/// It left the queue, or is about to; what that was is not known yet.
struct Leaving {
  Time at{};
  bool abandoned = false;  // QueueCallerAbandon: only says that no agent had it
  bool left = false;       // QueueCallerLeave
  bool hung_up = false;    // the caller is gone
  std::string reason, to;  // of Forwarded, once known; or `untold`
  bool derived = false;
  Time deadline = never;
};

struct Call {
  enum class Stage { outside, waiting, connected };
  std::string id, queue, journey, number;
  Stage stage = Stage::outside;
  Time joined{}, answered{};
  std::vector<Ring> rings;
  std::optional<Leaving> leaving;
  std::string agent, agent_interface, agent_channel;
  std::optional<Time> hung_up;
  std::vector<std::string> uniqueids;
  std::uint64_t touched = 0;  // number of the last message about it
  bool excluded = false, arrived = false, transferred = false, unseen_end = false, held = false;
  Time armed = never;
  std::pair<std::string, Time> findable;  // its key in State::findable; empty: it has none
};

struct Channel {
  std::string exten, queue;  // exten: where it began; queue: of the last Queue() it ran
  std::string other_half;    // of a Local channel: Uniqueid of its second end
  Time created{};
  bool from_outside = false;  // a customer's, so exten is what he dialled
};

struct ListedEntry {
  std::string queue, uniqueid, number;
  std::int32_t priority = 0;
  Time joined{};
  std::uint64_t message = 0;
};

struct ListedChannel {
  std::string name, linkedid, application, application_data, bridge;
  Duration age{};
  bool excluded = false;
};

struct WrapUp {
  std::string contact, agent;
};

std::string text(std::string_view view) {
  return std::string(view);
}

std::int64_t number(std::string_view digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

Duration seconds(std::string_view digits) {
  // Whatever a broken stream says: at most 31 years, so that no time overflows.
  return std::chrono::seconds(std::clamp<std::int64_t>(number(digits), 0, 1'000'000'000));
}

/// "00:01:30" as CoreShowChannels tells a channel's age.
Duration clock_time(std::string_view hms) {
  Duration sum{};
  std::int64_t part = 0;
  for (const char c : hms) {
    if (c == ':') {
      sum = (sum + std::chrono::seconds(part)) * 60;
      part = 0;
    } else if (c >= '0' && c <= '9') {
      part = std::min<std::int64_t>(part * 10 + (c - '0'), 1'000'000);
    }
  }
  return std::min<Duration>(sum + std::chrono::seconds(part), std::chrono::hours(24 * 365));
}

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("+*#0123456789") == std::string_view::npos;
}

std::string digits_of(std::string_view number) {
  std::string digits(number);
  std::erase_if(digits, [](char c) { return c < '0' || c > '9'; });
  return digits;
}

/// Whether both can be one number, spelled in two ways (+49171…, 0171…): their last seven digits are the same, or all
/// of the shorter one. Of less than four digits, all of both.
bool same_number(std::string_view one, std::string_view other) {
  constexpr std::size_t compared = 7, extension = 4;
  const std::string a = digits_of(one), b = digits_of(other);
  const std::size_t shorter = std::min(a.size(), b.size());
  if (shorter < extension) return !a.empty() && a == b;
  const std::size_t last = std::min(shorter, compared);
  return std::string_view(a).substr(a.size() - last) == std::string_view(b).substr(b.size() - last);
}

/// Whether somebody with a short number dialled a long one: out of the house, not into it.
bool calls_out(std::string_view caller, std::string_view dialled) {
  constexpr std::size_t longest_extension = 6;
  const std::size_t digits = digits_of(caller).size();
  return digits > 0 && digits <= longest_extension && digits_of(dialled).size() > longest_extension;
}

/// The reason QUEUESTATUS gives for leaving; empty for CONTINUE and what is not known.
std::string_view leave_reason(std::string_view status) {
  if (status == "TIMEOUT") return "timeout";
  if (status == "LEAVEEMPTY" || status == "LEAVEUNAVAIL") return "empty";
  if (status == "WITHDRAW") return "redirected";
  if (status == "FULL") return "full";
  return {};
}

/// The reason QUEUESTATUS gives for not letting a caller in; empty if it is none.
std::string_view refusal(std::string_view status) {
  if (status == "FULL") return "full";
  if (status == "JOINEMPTY" || status == "JOINUNAVAIL") return "empty";
  return {};
}

std::string_view queue_argument(std::string_view application_data) {
  return application_data.substr(0, application_data.find(','));
}

}  // namespace

struct AmiTranslator::State {
  State(TranslatorSettings given, adapter::Pseudonyms keyed)
      : settings(std::move(given)), pseudonyms(std::move(keyed)), members(settings, pseudonyms) {}

  TranslatorSettings settings;
  adapter::Pseudonyms pseudonyms;
  Members members;
  SeenCounts seen;

  RecentMap<Call> calls;                                          // by contact id
  std::unordered_map<std::string, std::string> by_uniqueid;       // to contact id
  std::unordered_map<std::string, std::string> by_agent_channel;  // of connected calls: to contact id
  // Calls that events may be about that do not name them: what they do, since when, and the contact id.
  std::set<std::tuple<std::string, Time, std::string>> findable;
  RecentMap<Channel> channels;                       // by Uniqueid
  std::set<std::pair<Time, std::string>> deadlines;  // of calls
  std::multimap<Time, WrapUp> wrap_ups;
  Names queues_said;
  Time now{};
  std::uint64_t messages = 0;

  // A listing, as far as it has come.
  bool in_resync = false;
  std::uint64_t resync_message = 0;
  Time resync_end = never;
  bool channels_listed = false;
  std::vector<ListedEntry> entries;
  std::unordered_map<std::string, ListedChannel> listed;                // by Uniqueid
  std::unordered_map<std::string, std::vector<std::string>> in_bridge;  // Uniqueids of `listed`
  Names listed_waiting;                                                 // Uniqueids
  Time lost_at{};

  // Asterisk numbers its channels: what came up unseen can be counted.
  std::uint64_t last_channel = 0;
  std::optional<std::uint64_t> gap_from;
  bool fresh = true;                  // no listing yet: reachd may know calls of a former life of this adapter
  std::optional<Time> listens_since;  // the beginning of the first listing
  Time listing_since{};               // of the present one

  // ---- saying things

  template <typename Fill>
  void say(Events& out, const Call& call, Time at, v1::Certainty certainty, Fill fill) {
    if (call.excluded) return;
    v1::Event event = event_at(at, call.id);
    event.set_certainty(certainty);
    fill(event);
    out.push_back(std::move(event));
  }

  void open_queue(const std::string& queue, Time at, Events& out) {
    if (queue.empty() || queues_said.size() >= max_queues || !queues_said.insert(queue).second) return;
    v1::Event event = event_at(at);
    event.mutable_queue_opened()->set_queue(queue);
    out.push_back(std::move(event));
  }

  // ---- calls by Uniqueid

  Call* find(std::string_view uniqueid) {
    const auto known = by_uniqueid.find(text(uniqueid));
    Call* call = known == by_uniqueid.end() ? nullptr : calls.use(known->second);
    if (call) call->touched = messages;
    return call;
  }

  /// Where there are too many, the one not heard of for the longest time goes: its end was not seen.
  Call& add(const std::string& uniqueid, Events& out) {
    if (calls.size() >= max_calls) give_up(calls.oldest().second, out);
    Call& call = calls[uniqueid];
    call.id = uniqueid;
    call.touched = messages;
    name(call, uniqueid);
    return call;
  }

  void give_up(Call& call, Events& out) {
    ++seen.calls_given_up;
    if (call.stage == Call::Stage::waiting) {
      call.leaving = Leaving{now, false, true, false, text(untold), {}, true, never};
      settle(call, out);
    } else if (call.stage == Call::Stage::connected) {
      end_talk(call, now, "", v1::CERTAINTY_DERIVED, out);
    } else if (call.arrived && call.queue.empty()) {
      say(out, call, now, v1::CERTAINTY_DERIVED, [](v1::Event& event) { event.mutable_ended(); });
    }
    forget(text(call.id));
  }

  void name(Call& call, const std::string& uniqueid) {
    if (uniqueid.empty() || call.uniqueids.size() >= max_uniqueids) return;
    const auto [known, inserted] = by_uniqueid.try_emplace(uniqueid, call.id);
    if (!inserted) {
      if (known->second == call.id) return;
      known->second = call.id;
    }
    call.uniqueids.push_back(uniqueid);
  }

  void forget(const std::string& id) {
    Call* call = calls.find(id);
    if (!call) return;
    for (const std::string& uniqueid : call->uniqueids)
      if (const auto entry = by_uniqueid.find(uniqueid); entry != by_uniqueid.end() && entry->second == id)
        by_uniqueid.erase(entry);
    deadlines.erase({call->armed, id});
    leave_agent(*call);
    make_findable(*call, {});
    calls.erase(id);
  }

  /// `call` no longer is the one of its agent's channel.
  void leave_agent(Call& call) {
    const auto known = by_agent_channel.find(call.agent_channel);
    if (known != by_agent_channel.end() && known->second == call.id) by_agent_channel.erase(known);
    call.agent_channel.clear();
  }

  Call* with_agent_channel(std::string_view channel) {
    const auto known = by_agent_channel.find(text(channel));
    return known == by_agent_channel.end() ? nullptr : calls.find(known->second);
  }

  static std::string waits_without_channel(std::string_view queue) { return text(queue); }
  static std::string talks(std::string_view queue, const std::string& interface, bool hung_up) {
    return text(queue) + '\n' + interface + (hung_up ? "\nhung up" : "");
  }

  /// The key under which events that do not name `call` find it; empty if they cannot be about it.
  static std::pair<std::string, Time> key_of(const Call& call) {
    if (call.stage == Call::Stage::waiting && call.hung_up) return {waits_without_channel(call.queue), call.joined};
    if (call.stage == Call::Stage::connected && !call.agent_interface.empty())
      return {talks(call.queue, call.agent_interface, call.hung_up.has_value()), call.answered};
    return {};
  }

  void make_findable(Call& call, std::pair<std::string, Time> key) {
    if (call.findable == key) return;
    if (const auto& [does, since] = call.findable; !does.empty()) findable.erase({does, since, call.id});
    call.findable = std::move(key);
    if (const auto& [does, since] = call.findable; !does.empty()) findable.emplace(does, since, call.id);
  }

  /// The call that does so since about `at`: the nearest, at most `apart` from it.
  Call* nearest(const std::string& does, Time at, Duration apart) {
    const auto after = findable.lower_bound({does, at, {}});
    auto best = findable.end();
    const auto consider = [&](auto entry) {
      const auto& [other, since, id] = *entry;
      if (other != does || std::chrono::abs(since - at) > apart) return;
      apart = std::chrono::abs(since - at);
      best = entry;
    };
    if (after != findable.begin()) consider(std::prev(after));
    if (after != findable.end()) consider(after);
    return best == findable.end() ? nullptr : calls.find(std::get<2>(*best));
  }

  /// The call a queue event is about. A masquerade gives a waiting call another Uniqueid: then it is the one that
  /// came to this queue at that time (HoldTime), in a channel that is gone.
  Call* find_in_queue(const AmiMessage& message, Time at) {
    Call* known = find(message.get("Uniqueid"));
    if (known && known->stage == Call::Stage::waiting && known->queue == message.get("Queue")) return known;
    const std::string_view hold = message.get("HoldTime");
    if (hold.empty() || message.get("Uniqueid").empty()) return known;
    Call* call =
        nearest(waits_without_channel(message.get("Queue")), at - seconds(hold), std::chrono::milliseconds(1500));
    if (!call) return known;
    take_over(*call, text(message.get("Uniqueid")));
    return call;
  }

  /// `call` goes on in the channel `uniqueid`; what happens to its former channel is no longer its business.
  void take_over(Call& call, const std::string& uniqueid) {
    for (const std::string& former : std::exchange(call.uniqueids, {})) by_uniqueid.erase(former);
    if (Call* was = find(uniqueid); was && was != &call) {  // his first contact: over, and without a channel of its own
      was->hung_up = now;
      arm(*was);
    }
    name(call, uniqueid);
    call.hung_up.reset();
    call.touched = messages;
    arm(call);
  }

  // ---- deadlines

  [[nodiscard]] Time due(const Call& call) const {
    Time due = never;
    if (call.leaving) due = call.leaving->deadline;
    for (const Ring& ring : call.rings)
      if (ring.ended) due = std::min(due, *ring.ended + ring_hold);
    if (call.hung_up && !call.leaving)
      due = std::min(due, *call.hung_up + (call.stage == Call::Stage::outside ? remember_ended : hold_window));
    return due;
  }

  /// After every change of `call`.
  void arm(Call& call) {
    make_findable(call, key_of(call));
    const Time at = due(call);
    if (at == call.armed) return;
    deadlines.erase({call.armed, call.id});
    call.armed = at;
    if (at != never) deadlines.insert({at, call.id});
  }

  void fire(Call& call, Events& out) {
    if (call.leaving && call.leaving->deadline <= now) settle(call, out);
    end_rings(call, now - ring_hold, {}, out);
    if (call.hung_up && !call.leaving) {
      if (call.stage == Call::Stage::outside) {
        if (*call.hung_up + remember_ended <= now) {
          forget(call.id);
          return;
        }
      } else if (*call.hung_up + hold_window <= now) {
        if (call.stage == Call::Stage::connected) {
          end_talk(call, *call.hung_up, "", v1::CERTAINTY_DERIVED, out);
        } else {  // the channel is gone, and the queue said nothing
          call.leaving = Leaving{*call.hung_up, true, true, true, {}, {}, true, never};
          settle(call, out);
        }
      }
    }
    arm(call);
  }

  void pass(Time to, Events& out) {
    now = std::max(now, to);
    while (!deadlines.empty() && deadlines.begin()->first <= now) {
      const std::string id = deadlines.begin()->second;
      deadlines.erase(deadlines.begin());
      Call& call = *calls.find(id);
      call.armed = never;
      fire(call, out);
    }
    while (!wrap_ups.empty() && wrap_ups.begin()->first <= now) {
      const auto [at, wrap_up] = *wrap_ups.begin();
      wrap_ups.erase(wrap_ups.begin());
      say_wrap_up_end(wrap_up, at, out);
    }
    if (resync_end <= now) end_resync(out);
  }

  void clock_stepped(Duration by) {
    const auto move = [by](auto& time) {
      if (time != never) time += by;
    };
    for (Time* time : {&now, &resync_end, &lost_at, &listing_since}) move(*time);
    if (listens_since) move(*listens_since);
    for (ListedEntry& entry : entries) move(entry.joined);
    for (auto& [uniqueid, channel] : channels) move(channel.created);
    for (auto& [at, wrap_up] : std::exchange(wrap_ups, {})) wrap_ups.emplace(at + by, wrap_up);
    deadlines.clear();
    for (auto& [id, call] : calls) {
      move(call.joined);
      move(call.answered);
      if (call.hung_up) move(*call.hung_up);
      if (call.leaving) {
        move(call.leaving->at);
        move(call.leaving->deadline);
      }
      for (Ring& ring : call.rings)
        if (ring.ended) move(*ring.ended);
      call.armed = never;
      arm(call);
    }
  }

  // ---- the life of a call

  void offer(Call& call, const std::string& queue, Time at, std::int32_t priority, std::string_view dialled,
             v1::Certainty certainty, Events& out) {
    open_queue(queue, at, out);
    call.queue = queue;
    call.joined = at;
    call.stage = Call::Stage::waiting;
    call.rings.clear();
    call.leaving.reset();
    call.transferred = call.unseen_end = call.held = false;
    say(out, call, at, certainty, [&](v1::Event& event) {
      event.set_journey(call.journey);
      v1::Offered& offered = *event.mutable_offered();
      offered.set_queue(queue);
      offered.set_dialled(text(dialled));
      offered.set_caller(pseudonyms.caller(call.number, at));
      offered.set_priority(priority);
    });
    arm(call);
  }

  /// Says what the held verdict has turned out to be.
  void settle(Call& call, Events& out) {
    if (!call.leaving) return;
    const Leaving leaving = *call.leaving;
    call.leaving.reset();
    call.stage = Call::Stage::outside;
    end_rings(call, never, "caller_left", out);
    if (leaving.reason == untold) {
      say(out, call, leaving.at, v1::CERTAINTY_DERIVED, [](v1::Event& event) { event.mutable_outcome_unknown(); });
    } else if (leaving.reason.empty() && leaving.abandoned) {
      const bool seen_going = leaving.hung_up && !leaving.derived;
      say(out, call, leaving.at, seen_going ? v1::CERTAINTY_SEEN : v1::CERTAINTY_DERIVED,
          [](v1::Event& event) { event.mutable_abandoned(); });
    } else {
      const bool seen_why = !leaving.reason.empty() && !leaving.derived;
      say(out, call, leaving.at, seen_why ? v1::CERTAINTY_SEEN : v1::CERTAINTY_DERIVED, [&](v1::Event& event) {
        event.mutable_forwarded()->set_reason(leaving.reason.empty() ? "key" : leaving.reason);
        event.mutable_forwarded()->set_to(leaving.to);
      });
    }
    arm(call);
  }

  void answer(Call& call, const std::string& agent, const std::string& interface, const std::string& channel, Time at,
              v1::Certainty certainty, Events& out) {
    std::erase_if(call.rings, [&](const Ring& ring) { return ring.interface == interface; });
    end_rings(call, never, "lost_race", out);
    call.leaving.reset();
    call.stage = Call::Stage::connected;
    call.answered = at;
    call.agent = agent;
    call.agent_interface = interface;
    leave_agent(call);
    call.agent_channel = channel;
    if (!channel.empty()) by_agent_channel[channel] = call.id;
    say(out, call, at, certainty, [&](v1::Event& event) {
      event.mutable_answered()->set_agent(agent);
      // Whoever was told that it waits elsewhere learns that it has moved on.
      if (certainty != v1::CERTAINTY_SEEN) event.mutable_answered()->set_queue(call.queue);
    });
    arm(call);
  }

  void end_talk(Call& call, Time at, const std::string& by, v1::Certainty certainty, Events& out) {
    if (call.held) {
      say(out, call, at, v1::CERTAINTY_DERIVED, [](v1::Event& event) { event.mutable_retrieved(); });
      call.held = false;
    }
    say(out, call, at, certainty, [&](v1::Event& event) { event.mutable_ended()->set_by(by); });
    call.stage = Call::Stage::outside;
    leave_agent(call);
    const Duration wrap_up = members.wrap_up(call.queue, call.agent_interface);
    if (!call.agent.empty() && !call.excluded && members.tells_wrap_up()) {
      if (wrap_up > Duration::zero())
        add_wrap_up(at + wrap_up, {call.id, call.agent}, out);
      else
        say_wrap_up_end({call.id, call.agent}, at, out);
    }
    arm(call);
  }

  void add_wrap_up(Time end, WrapUp wrap_up, Events& out) {
    wrap_ups.emplace(end, std::move(wrap_up));
    if (wrap_ups.size() <= max_calls) return;
    const auto first = wrap_ups.begin();
    say_wrap_up_end(first->second, first->first, out);
    wrap_ups.erase(first);
  }

  void say_wrap_up_end(const WrapUp& wrap_up, Time at, Events& out) {
    v1::Event event = event_at(at, wrap_up.contact);
    event.set_certainty(v1::CERTAINTY_DERIVED);  // LastCall + wrapuptime: Asterisk says nothing
    event.mutable_wrap_up_ended()->set_agent(wrap_up.agent);
    out.push_back(std::move(event));
  }

  void end_wrap_ups(Time at, Events& out) {
    for (const auto& [end, wrap_up] : std::exchange(wrap_ups, {})) say_wrap_up_end(wrap_up, at, out);
  }

  /// Ends the rings whose DialEnd came until `until` (never: all), that counted against nobody.
  void end_rings(Call& call, Time until, const std::string& cause, Events& out) {
    std::erase_if(call.rings, [&](const Ring& ring) {
      if (until != never && (!ring.ended || *ring.ended > until)) return false;
      const Time at = ring.ended.value_or(call.leaving ? call.leaving->at : now);
      if (!ring.agent.empty())
        say(out, call, at, v1::CERTAINTY_SEEN, [&](v1::Event& event) {
          event.mutable_ring_ended()->set_agent(ring.agent);
          event.mutable_ring_ended()->set_cause(cause.empty() || ring.cause == "busy" ? ring.cause : cause);
        });
      return true;
    });
  }

  /// A call whose beginning was not seen (cut, late start of the adapter), told by its agent's event.
  Call& add_unseen(const AmiMessage& message, Time joined, Events& out) {
    ++seen.unknown_calls;
    Call& call = add(text(message.get("Uniqueid")), out);
    describe(call, message);
    offer(call, text(message.get("Queue")), joined, 0, dialled(call, message), v1::CERTAINTY_DERIVED, out);
    return call;
  }

  /// A call of a former life of this adapter, which reachd was told of then: it must not be offered again.
  Call& add_told(const AmiMessage& message, Events& out) {
    ++seen.unknown_calls;
    Call& call = add(text(message.get("Uniqueid")), out);
    describe(call, message);
    call.queue = text(message.get("Queue"));
    return call;
  }

  void describe(Call& call, const AmiMessage& message) {
    if (const std::string_view journey = message.get("Linkedid"); !journey.empty()) call.journey = text(journey);
    if (const std::string_view caller = message.get("CallerIDNum"); !caller.empty()) call.number = text(caller);
    call.excluded = is_excluded(call.number, extension(message));
  }

  [[nodiscard]] bool is_excluded(std::string_view caller, std::string_view extension) const {
    return settings.excluded.contains(caller) || settings.excluded.contains(extension);
  }

  /// Where the channel of `message` began, else where it is now.
  std::string extension(const AmiMessage& message) const {
    const Channel* channel = channels.find(message.get("Uniqueid"));
    if (channel && is_number(channel->exten)) return channel->exten;
    return text(message.get("Exten"));
  }

  /// The company's number that this customer dialled; empty if it is not known, or may be a customer's own: extensions
  /// of channels that the PBX made itself, and those that the dialplan comes to later, are often numbers to call.
  std::string dialled(const Call& call, const AmiMessage& message) const {
    const Channel* channel = channels.find(message.get("Uniqueid"));
    if (!channel || !channel->from_outside) return {};
    const std::string& exten = channel->exten;
    if (!is_number(exten) || same_number(exten, call.number) || same_number(exten, message.get("ConnectedLineNum")) ||
        calls_out(call.number, exten))
      return {};
    return exten;
  }

  /// Whether a customer's call has come in by this new channel. One that the PBX makes itself is down (0), not ringing
  /// (4), or the end of a Local channel.
  bool comes_from_outside(const AmiMessage& message) const {
    const std::string_view channel = message.get("Channel");
    return message.get("ChannelState") == "4" && !channel.starts_with("Local/") && !members.have_telephone(channel) &&
           (settings.arrival_contexts.empty() || settings.arrival_contexts.contains(message.get("Context")));
  }

  Channel& channel_of(std::string_view uniqueid) {
    Channel& channel = channels[uniqueid];
    if (channels.size() > max_channels) channels.erase(text(channels.oldest().first));
    return channel;
  }

  // ---- events, in the order of a call's life

  void new_channel(const AmiMessage& message, Time at, Events& out) {
    ++seen.channels;
    const std::string uniqueid = text(message.get("Uniqueid"));
    Channel& channel = channel_of(uniqueid);
    channel.exten = text(message.get("Exten"));
    channel.created = at;
    channel.from_outside = comes_from_outside(message);
    count_channel(uniqueid, at, out);
    if (settings.arrival_contexts.contains(message.get("Context")) && !find(uniqueid)) {
      Call& call = add(uniqueid, out);
      describe(call, message);
      call.arrived = true;
      say(out, call, at, v1::CERTAINTY_SEEN, [&](v1::Event& event) {
        event.set_journey(call.journey);
        event.mutable_arrived()->set_dialled(dialled(call, message));
        event.mutable_arrived()->set_caller(pseudonyms.caller(call.number, at));
      });
    }
  }

  /// Uniqueids end in a number that counts the PBX's channels.
  void count_channel(const std::string& uniqueid, Time at, Events& out) {
    const std::size_t dot = uniqueid.rfind('.');
    if (dot == std::string::npos) return;
    const auto channel = static_cast<std::uint64_t>(number(std::string_view(uniqueid).substr(dot + 1)));
    if (gap_from && channel > *gap_from + 1) {
      v1::Event event = event_at(at);
      event.set_certainty(v1::CERTAINTY_DERIVED);
      v1::EventsLost& lost = *event.mutable_events_lost();
      lost.set_count(channel - *gap_from - 1);
      lost.set_reason("so many channels came up while the PBX was not heard; calls among them may be missing");
      out.push_back(std::move(event));
    }
    gap_from.reset();
    last_channel = std::max(last_channel, channel);
  }

  void new_extension(const AmiMessage& message, Time, Events& out) {
    ++seen.extensions;
    const std::string uniqueid = text(message.get("Uniqueid"));
    const std::string_view application = message.get("Application");
    if (application == "Queue") channel_of(uniqueid).queue = text(queue_argument(message.get("AppData")));
    Call* call = find(uniqueid);
    if (!call || !call->leaving || !call->leaving->left) return;
    Leaving& leaving = *call->leaving;
    // The h extension and hang-up handlers run for a caller who is gone.
    std::string_view exten = message.get("Extension");
    if (exten.empty()) exten = message.get("Exten");
    if (exten == "h") leaving.hung_up = true;
    if (leaving.hung_up) {
      settle(*call, out);
      return;
    }
    // The caller lives and is elsewhere: by his own key if nobody said Abandon, else somebody sent him there.
    if (leaving.reason.empty()) {
      leaving.reason = leaving.abandoned ? "redirected" : "key";
      leaving.derived = true;
      leaving.deadline = now + hold_window;
    }
    if (application == "Queue") {
      leaving.to = text(queue_argument(message.get("AppData")));
      settle(*call, out);
    } else if (application == "VoiceMail" || application == "MiniVM") {
      if (leaving.reason == "key") leaving.reason = "voicemail";
      leaving.to = "voicemail";
      settle(*call, out);
    } else if (application == "Hangup") {
      settle(*call, out);
    } else {
      arm(*call);
    }
  }

  void join(const AmiMessage& message, Time at, Events& out) {
    ++seen.joins;
    const std::string queue = text(message.get("Queue"));
    const std::string uniqueid = text(message.get("Uniqueid"));
    if (queue.empty() || uniqueid.empty()) return;
    Call* known = find(uniqueid);
    Call& call = known ? *known : add(uniqueid, out);
    if (call.stage == Call::Stage::waiting && !call.leaving && call.queue == queue) return;  // the listing knew it
    if (call.leaving) {
      Leaving& leaving = *call.leaving;
      if (leaving.reason.empty()) {
        leaving.reason = leaving.abandoned ? "redirected" : "key";
        leaving.derived = true;
      }
      leaving.to = queue;
      settle(call, out);
    } else if (call.stage == Call::Stage::waiting && !in_resync) {  // its Leave was not seen
      call.leaving = Leaving{at, true, true, false, "other", queue, true, never};
      settle(call, out);
    } else if (call.stage == Call::Stage::connected) {  // its transfer was not seen
      end_talk(call, at, "transfer", v1::CERTAINTY_DERIVED, out);
    }
    call.hung_up.reset();
    describe(call, message);
    offer(call, queue, at, 0, dialled(call, message), v1::CERTAINTY_SEEN, out);
  }

  void agent_called(const AmiMessage& message, Time at, Events& out) {
    Call* call = find(message.get("Uniqueid"));
    if (!call || call->stage != Call::Stage::waiting) return;
    end_rings(*call, now, {}, out);
    Ring ring;
    ring.interface = text(message.get("Interface"));
    ring.channel = text(message.get("DestUniqueid"));
    ring.agent = members.agent(ring.interface, message.get("MemberName"), now);
    if (!ring.agent.empty())
      say(out, *call, at, v1::CERTAINTY_SEEN,
          [&](v1::Event& event) { event.mutable_ringing()->set_agent(ring.agent); });
    if (call->rings.size() >= max_rings) call->rings.erase(call->rings.begin());
    call->rings.push_back(std::move(ring));
    arm(*call);
  }

  void ring_no_answer(const AmiMessage& message, Time at, Events& out) {
    Call* call = find(message.get("Uniqueid"));
    if (!call) return;
    const std::string_view interface = message.get("Interface"), channel = message.get("DestUniqueid");
    const auto ring = std::ranges::find_if(call->rings, [&](const Ring& other) {
      return other.interface == interface && (channel.empty() || other.channel == channel);
    });
    if (ring != call->rings.end()) call->rings.erase(ring);
    say(out, *call, at, v1::CERTAINTY_SEEN, [&](v1::Event& event) {
      event.mutable_ring_no_answer()->set_agent(members.agent(interface, message.get("MemberName"), now));
    });
    arm(*call);
  }

  void dial_end(const AmiMessage& message, Time at, Events&) {
    Call* call = find(message.get("Uniqueid"));
    if (!call) return;
    const std::string_view status = message.get("DialStatus");
    for (Ring& ring : call->rings) {
      if (ring.channel != message.get("DestUniqueid") || ring.ended) continue;
      if (status == "ANSWER") {
        ring.answered = true;
      } else {
        ring.ended = at;
        ring.cause = status == "BUSY" ? "busy" : "other";
        const bool other_answered =
            std::ranges::any_of(call->rings, [](const Ring& another) { return another.answered; });
        if (status == "CANCEL" && other_answered) ring.cause = "lost_race";
      }
    }
    arm(*call);
  }

  /// The agent hung up during his announcement: the caller waits on.
  void agent_dump(const AmiMessage& message, Time at, Events& out) {
    Call* call = find(message.get("Uniqueid"));
    if (!call) return;
    std::erase_if(call->rings, [&](const Ring& ring) {
      if (ring.interface != message.get("Interface")) return false;
      if (!ring.agent.empty())
        say(out, *call, at, v1::CERTAINTY_SEEN, [&](v1::Event& event) {
          event.mutable_ring_ended()->set_agent(ring.agent);
          event.mutable_ring_ended()->set_cause("other");
        });
      return true;
    });
    arm(*call);
  }

  void abandon(const AmiMessage& message, Time at, Events& out) {
    Call* call = find_in_queue(message, at);
    if (!call && message.get("Uniqueid").empty()) return;
    if (!call) call = &add_unseen(message, at - seconds(message.get("HoldTime")), out);
    if (call->stage != Call::Stage::waiting || call->leaving) return;
    call->leaving = Leaving{at, true, false, false, {}, {}, false, now + hold_window};
    end_rings(*call, never, "caller_left", out);
    arm(*call);
  }

  void leave(const AmiMessage& message, Time at, Events& out) {
    Call* call = find_in_queue(message, at);
    if (!call || call->stage != Call::Stage::waiting || call->queue != message.get("Queue")) return;
    if (!call->leaving) call->leaving = Leaving{at, false, false, false, {}, {}, false, never};
    Leaving& leaving = *call->leaving;
    leaving.left = true;
    // Whom an agent has taken can be before his AgentConnect for as long as an announcement or AGI runs.
    const bool taken =
        !leaving.abandoned && std::ranges::any_of(call->rings, [](const Ring& ring) { return !ring.ended; });
    leaving.deadline = taken ? never : now + hold_window;
    if (!taken) end_rings(*call, never, "caller_left", out);
    arm(*call);
  }

  void set_variable(const AmiMessage& message, Time at, Events& out) {
    ++seen.variables;
    if (message.get("Variable") != "QUEUESTATUS") return;
    const std::string_view status = message.get("Value");
    const std::string uniqueid = text(message.get("Uniqueid"));
    Call* call = find(uniqueid);
    if (call && call->leaving && call->leaving->left && call->leaving->reason.empty()) {
      const std::string_view reason = leave_reason(status);
      if (reason.empty()) return;
      call->leaving->reason = text(reason);
      call->leaving->deadline = now + hold_window;
      arm(*call);
      return;
    }
    const std::string_view reason = refusal(status);
    if (reason.empty() || (call && call->stage == Call::Stage::waiting && !call->leaving)) return;
    reject(call, message, text(reason), at, out);
  }

  /// Never let in. Asterisk raises no event and writes no line: only this variable tells.
  void reject(Call* call, const AmiMessage& message, const std::string& reason, Time at, Events& out) {
    const std::string uniqueid = text(message.get("Uniqueid"));
    const Channel* channel = channels.find(uniqueid);
    std::string queue = channel ? channel->queue : std::string();
    if (call && call->leaving) {
      call->leaving->to = queue;
      settle(*call, out);
    }
    if (!call) call = &add(uniqueid, out);
    describe(*call, message);
    if (queue.empty()) queue = "unknown";  // Queue() was run by AGI or ARI: nothing says which
    open_queue(queue, at, out);
    call->queue = queue;
    say(out, *call, at, queue == "unknown" ? v1::CERTAINTY_DERIVED : v1::CERTAINTY_SEEN, [&](v1::Event& event) {
      event.set_journey(call->journey);
      v1::Rejected& rejected = *event.mutable_rejected();
      rejected.set_reason(reason);
      rejected.set_queue(queue);
      rejected.set_dialled(dialled(*call, message));
      rejected.set_caller(pseudonyms.caller(call->number, at));
    });
    arm(*call);
  }

  void agent_connect(const AmiMessage& message, Time at, Events& out) {
    Call* call = find_in_queue(message, at);
    if (!call || (call->stage != Call::Stage::waiting && !call->unseen_end)) {
      if (call || message.get("Uniqueid").empty()) return;
      call = &add_unseen(message, at - seconds(message.get("HoldTime")), out);
    }
    const std::string interface = text(message.get("Interface"));
    answer(*call, members.agent(interface, message.get("MemberName"), now), interface,
           text(message.get("DestUniqueid")), at, call->unseen_end ? v1::CERTAINTY_DERIVED : v1::CERTAINTY_SEEN, out);
  }

  void agent_complete(const AmiMessage& message, Time at, Events& out) {
    const Duration talk = seconds(message.get("TalkTime"));
    const std::string interface = text(message.get("Interface"));
    const std::string_view uniqueid = message.get("Uniqueid");
    Call* call = uniqueid.empty() ? talking_with(interface, message.get("Queue"), at - talk) : find(uniqueid);
    if (!call && uniqueid.empty()) return;
    const Time answered = at - talk;
    // It waited before, talked, and was over while the lists were made that would have told.
    const bool unlisted = call && in_resync && call->stage == Call::Stage::waiting &&
                          call->queue == message.get("Queue") && call->joined < listing_since &&
                          call->joined <= answered;
    if (!call || unlisted) {
      // Seen for the first time: it came and was answered while the PBX was not heard. Unless that was in a former life
      // of this adapter: then reachd knows it. TalkTime is cut to seconds.
      if (!call && listens_since && answered < *listens_since + std::chrono::seconds(1))
        call = &add_told(message, out);
      else if (!call)
        call = &add_unseen(message, answered - seconds(message.get("HoldTime")), out);
      answer(*call, members.agent(interface, message.get("MemberName"), now), interface, {}, answered,
             v1::CERTAINTY_DERIVED, out);
    }
    // The first queue's AgentComplete can follow the second queue's Join, even its answer.
    if (call->stage != Call::Stage::connected || call->queue != message.get("Queue") ||
        call->agent_interface != interface || call->answered > at - talk + std::chrono::seconds(2))
      return;
    std::string reason = text(message.get("Reason"));
    if (reason != "caller" && reason != "agent" && reason != "transfer") reason.clear();
    end_talk(*call, at, reason, v1::CERTAINTY_SEEN, out);
  }

  /// AgentComplete can come without any channel, when both are gone already. A member may have several calls at a time:
  /// one whose channel is seen to be gone comes first.
  Call* talking_with(const std::string& interface, std::string_view queue, Time answered) {
    for (const bool hung_up : {true, false})
      if (Call* call = nearest(talks(queue, interface, hung_up), answered, std::chrono::seconds(2))) return call;
    return nullptr;
  }

  void hold(const AmiMessage& message, Time at, bool held, Events& out) {
    Call* call = with_agent_channel(message.get("Uniqueid"));
    if (!call || call->held == held) return;
    call->held = held;
    say(out, *call, at, v1::CERTAINTY_SEEN, [&](v1::Event& event) {
      if (held)
        event.mutable_held();
      else
        event.mutable_retrieved();
    });
  }

  void blind_transfer(const AmiMessage& message, Time at, Events& out) {
    if (message.get("Result") != "Success") return;
    Call* call = find(message.get("TransfereeUniqueid"));
    if (!call || call->stage != Call::Stage::connected) return;
    // A number is somebody's, inside the house too. A queue behind it says itself that the call has come.
    transfer(*call, members.agent_with_extension(message.get("Extension")), false, at, out);
  }

  void transfer(Call& call, const std::string& to, bool attended, Time at, Events& out) {
    say(out, call, at, v1::CERTAINTY_SEEN, [&](v1::Event& event) {
      event.mutable_transferred()->set_to(to);
      event.mutable_transferred()->set_attended(attended);
    });
    end_talk(call, at, "transfer", v1::CERTAINTY_SEEN, out);
    call.transferred = true;
  }

  void attended_transfer(const AmiMessage& message, Time at, Events& out) {
    if (message.get("Result") != "Success") return;
    // The agent's leg of the first call; the customer may be named as the transferee.
    const std::string_view agent_leg = message.get("OrigTransfererUniqueid");
    const std::string transferee = text(message.get("TransfereeUniqueid"));
    Call* consult = find(message.get("SecondTransfererUniqueid"));
    if (const Channel* leg = channels.find(message.get("TransferTargetUniqueid")); !consult && leg)
      consult = find(leg->other_half);
    Call* first = find(transferee);
    if (!first) first = with_agent_channel(agent_leg);
    const bool into_queue = consult && consult->stage == Call::Stage::waiting;
    if (first && first->stage == Call::Stage::connected)
      transfer(*first, into_queue ? consult->queue : std::string(), true, at, out);
    // The consulting leg waits in the queue itself: from now on the customer waits there, in its place. Through a Local
    // channel (DestType Bridge) the leg stays what it is, with the customer at its other end.
    if (into_queue && !transferee.empty() && message.get("DestType") == "App") take_over(*consult, transferee);
  }

  void local_bridge(const AmiMessage& message, Time, Events&) {
    channel_of(message.get("LocalOneUniqueid")).other_half = text(message.get("LocalTwoUniqueid"));
  }

  /// A caller who waits is in no bridge: somebody has taken him out of the queue (AMI Bridge, an operator's panel), for
  /// which Asterisk raises no queue event. If it was an agent after all, AgentConnect follows.
  void bridge_enter(const AmiMessage& message, Time at, Events& out) {
    Call* call = find(message.get("Uniqueid"));
    if (!call || call->stage != Call::Stage::waiting || call->leaving) return;
    end_rings(*call, never, "caller_left", out);
    call->leaving = Leaving{at, true, true, false, "redirected", {}, true, now + hold_window};
    arm(*call);
  }

  /// A Local channel steps out: its two ends are joined, and the call goes on in another channel.
  void local_optimization_begin(const AmiMessage& message, Time, Events&) {
    Call* call = find(message.get("LocalTwoUniqueid"));
    if (!call) call = find(message.get("LocalOneUniqueid"));
    const std::string source = text(message.get("SourceUniqueid"));
    if (!call || source.empty() || by_uniqueid.contains(source)) return;
    name(*call, source);
  }

  void hangup_requested(const AmiMessage& message, Time, Events& out) {
    Call* call = find(message.get("Uniqueid"));
    if (!call || !call->leaving || !call->leaving->left) return;
    call->leaving->hung_up = true;
    if (call->leaving->reason.empty() && call->leaving->abandoned) settle(*call, out);
  }

  void hangup(const AmiMessage& message, Time at, Events& out) {
    const std::string uniqueid = text(message.get("Uniqueid"));
    channels.erase(uniqueid);
    if (message.get("Channel").find("<ZOMBIE>") != std::string_view::npos) return;  // the rest of a masquerade
    Call* call = find(uniqueid);
    if (!call) return;
    if (call->leaving && (call->leaving->left || call->leaving->abandoned)) {
      call->leaving->hung_up = true;
      settle(*call, out);
    }
    if (call->arrived && call->queue.empty())  // never came to a queue
      say(out, *call, at, v1::CERTAINTY_SEEN, [](v1::Event& event) { event.mutable_ended(); });
    call->hung_up = at;
    arm(*call);
  }

  // ---- listings

  void queue_entry(const AmiMessage& message, Time at) {
    ListedEntry entry;
    entry.queue = text(message.get("Queue"));
    entry.uniqueid = text(message.get("Uniqueid"));
    entry.number = text(message.get("CallerIDNum"));
    entry.priority = static_cast<std::int32_t>(std::clamp<std::int64_t>(number(message.get("Priority")), -1000, 1000));
    entry.joined = at - seconds(message.get("Wait"));
    entry.message = messages;
    if (entry.queue.empty() || entry.uniqueid.empty() || entries.size() >= max_calls) return;
    listed_waiting.insert(entry.uniqueid);
    entries.push_back(std::move(entry));
  }

  void listed_channel(const AmiMessage& message) {
    if (!in_resync || listed.size() >= max_channels) return;
    const std::string uniqueid = text(message.get("Uniqueid"));
    if (const std::string bridge = text(message.get("BridgeId")); !bridge.empty())
      if (auto& there = in_bridge[bridge]; there.size() < max_in_bridge) there.push_back(uniqueid);
    listed[uniqueid] = {text(message.get("Channel")),
                        text(message.get("Linkedid")),
                        text(message.get("Application")),
                        text(message.get("ApplicationData")),
                        text(message.get("BridgeId")),
                        clock_time(message.get("Duration")),
                        is_excluded(message.get("CallerIDNum"), message.get("Exten"))};
  }

  /// Waiting calls of the list that were not known.
  void take_entries(Events& out) {
    for (const ListedEntry& entry : entries) {
      Call* call = nullptr;
      if (const auto known = by_uniqueid.find(entry.uniqueid); known != by_uniqueid.end())
        call = calls.find(known->second);
      if (call && call->touched >= entry.message) continue;  // an event after the list knows better
      if (call && call->stage == Call::Stage::waiting && call->queue == entry.queue) continue;
      // A call that waited in another queue: nobody saw how it left that one, and the offer alone says so.
      if (call && call->stage == Call::Stage::connected)
        end_talk(*call, entry.joined, "transfer", v1::CERTAINTY_DERIVED, out);
      if (!call) call = &add(entry.uniqueid, out);
      call->number = entry.number;
      call->excluded = is_excluded(call->number, {});
      if (const auto channel = listed.find(entry.uniqueid); channel != listed.end()) {
        call->journey = channel->second.linkedid;
        call->excluded = call->excluded || channel->second.excluded;
      }
      offer(*call, entry.queue, entry.joined, entry.priority, {}, v1::CERTAINTY_DERIVED, out);
    }
    entries.clear();
  }

  void upstream_lost(const std::string& reason, Time at, Events& out) {
    now = std::max(now, at);
    v1::Event event = event_at(now);
    event.mutable_upstream_lost()->set_reason(reason);
    out.push_back(std::move(event));
    lost_at = now;
    if (!gap_from && last_channel > 0) gap_from = last_channel;
    in_resync = false;
    resync_end = never;
  }

  void begin_resync(const std::string& reason, Time at, Events& out) {
    now = std::max(now, at);
    v1::Event event = event_at(now);
    event.mutable_resync_begin()->set_reason(reason);
    out.push_back(std::move(event));
    in_resync = true;
    resync_end = never;
    resync_message = messages;
    listing_since = now;
    if (!listens_since) listens_since = now;
    entries.clear();
    listed.clear();
    in_bridge.clear();
    listed_waiting.clear();
    members.begin_listing(true);
    if (reason == "restart") {  // nothing of the former process is left
      calls.clear();
      by_uniqueid.clear();
      by_agent_channel.clear();
      findable.clear();
      channels.clear();
      deadlines.clear();
      if (gap_from) gap_from = 0;
      last_channel = 0;
    }
  }

  void finish_listing(bool with_channels, Time at, Events& out) {
    now = std::max(now, at);
    channels_listed = with_channels;
    members.finish_listing(now, occupied(), out);
    take_entries(out);
    if (fresh) {
      take_talks(out);
      take_taken(out);
      if (members.tells_wrap_up()) members.doubt_wrap_ups();
    }
    fresh = false;
    members.settle_doubts(now, occupied(), out);
    resync_end = now + settle_after_listing;
  }

  /// Whether something is still to be said of calls of an agent. Holds as long as no call changes; seldom asked.
  [[nodiscard]] std::function<bool(const std::string&)> occupied() const {
    return [this, agents = std::optional<Names>()](const std::string& agent) mutable {
      if (!agents) {
        agents.emplace();
        for (const auto& [end, wrap_up] : wrap_ups) agents->insert(wrap_up.agent);
        for (const auto& [id, call] : calls) {
          if (call.stage == Call::Stage::connected) agents->insert(call.agent);
          for (const Ring& ring : call.rings) agents->insert(ring.agent);
        }
      }
      return agents->contains(agent);
    };
  }

  /// The other channels of the list in its bridge.
  [[nodiscard]] std::vector<std::pair<std::string, const ListedChannel*>> others_in_bridge(
      const std::string& uniqueid, const ListedChannel& channel) const {
    std::vector<std::pair<std::string, const ListedChannel*>> others;
    if (const auto there = in_bridge.find(channel.bridge); there != in_bridge.end())
      for (const std::string& other : there->second)
        if (const auto known = listed.find(other); other != uniqueid && known != listed.end())
          others.emplace_back(other, &known->second);
    return others;
  }

  /// Calls that talk when the adapter starts. reachd may have heard of them from its former life: they are not offered
  /// again; answered they are said to be, since they may have waited when they were last heard of.
  void take_talks(Events& out) {
    for (const auto& [uniqueid, channel] : listed) {
      if (channel.application != "Queue" || channel.bridge.empty() || by_uniqueid.contains(uniqueid)) continue;
      Call& call = add(uniqueid, out);
      call.queue = text(queue_argument(channel.application_data));
      call.journey = channel.linkedid;
      call.excluded = channel.excluded;
      std::string interface, agent_channel;
      Duration age = channel.age;
      for (const auto& [other_id, other] : others_in_bridge(uniqueid, channel)) {
        interface = members.interface_of_channel(other->name);
        agent_channel = other_id;
        age = other->age;  // made when it began to ring
        if (!interface.empty()) break;
      }
      answer(call, members.agent(interface, {}, now), interface, agent_channel, now - age, v1::CERTAINTY_GUESSED, out);
    }
  }

  /// Calls that an agent has taken when the adapter starts, and that do not talk yet. reachd may have heard of them
  /// from its former life: they are not offered again; if AgentConnect does not follow, nobody can tell what became of
  /// them.
  void take_taken(Events& out) {
    for (const auto& [uniqueid, channel] : listed) {
      if (by_uniqueid.contains(uniqueid) || !being_taken(channel)) continue;
      Call& call = add(uniqueid, out);
      call.queue = text(queue_argument(channel.application_data));
      call.journey = channel.linkedid;
      call.excluded = channel.excluded;
      call.stage = Call::Stage::waiting;
      call.joined = now - channel.age;  // at the earliest
      call.leaving = Leaving{now, false, true, false, text(untold), {}, true, never};
    }
  }

  /// In Queue(), in no bridge, and (by the other list) not waiting: an agent has it, and a subroutine or AGI runs
  /// first. Or it comes or goes in this very moment, then events follow.
  [[nodiscard]] bool being_taken(const ListedChannel& channel) const {
    return channel.application == "Queue" && channel.bridge.empty();
  }

  /// What was known and is in neither list, and of which no event came since, ended unseen.
  void end_resync(Events& out) {
    resync_end = never;
    in_resync = false;
    v1::ResyncEnd there;
    for (auto& [id, call] : calls) {
      if (call.stage == Call::Stage::outside) {
        if (call.hung_up) continue;
        if (!confirmed(call)) {  // nobody saw it hang up
          call.hung_up = now;
          arm(call);
        } else if (call.arrived && call.queue.empty() && !call.excluded) {
          there.add_contacts(call.id);
        }
        continue;
      }
      if (!confirmed(call)) confirm_or_drop(call, out);
      if (call.stage != Call::Stage::outside && !call.excluded) there.add_contacts(call.id);
      arm(call);
    }
    if (channels_listed)
      channels.erase_if(
          [&](const auto& entry) { return entry.second.created < lost_at && !listed.contains(entry.first); });
    listed.clear();
    in_bridge.clear();
    listed_waiting.clear();
    v1::Event event = event_at(now);
    *event.mutable_resync_end() = std::move(there);
    out.push_back(std::move(event));
  }

  [[nodiscard]] bool confirmed(const Call& call) const {
    if (call.touched > resync_message) return true;
    // It left the queue in our sight a moment ago, so no listing has it; its verdict is still held.
    if (call.leaving && call.leaving->at >= lost_at && call.leaving->deadline != never) return true;
    // An agent took it in our sight; only the other list could tell that it is gone.
    if (call.leaving && call.leaving->at >= lost_at && !channels_listed) return true;
    return std::ranges::any_of(call.uniqueids, [&](const std::string& uniqueid) {
      const auto channel = listed.find(uniqueid);
      if (call.stage != Call::Stage::waiting) return !channels_listed || channel != listed.end();
      return listed_waiting.contains(uniqueid) || (channel != listed.end() && being_taken(channel->second) &&
                                                   queue_argument(channel->second.application_data) == call.queue);
    });
  }

  /// A call that waited and is no longer in the queue, but talks from within Queue(): answered unseen.
  void confirm_or_drop(Call& call, Events& out) {
    if (call.stage == Call::Stage::waiting) {
      for (const std::string& uniqueid : call.uniqueids) {
        const auto channel = listed.find(uniqueid);
        if (channel == listed.end() || channel->second.bridge.empty() || channel->second.application != "Queue")
          continue;
        for (const auto& [other_id, other] : others_in_bridge(uniqueid, channel->second)) {
          const std::string interface = members.interface_of_channel(other->name);
          if (interface.empty()) continue;
          // The agent's channel was made when it began to ring: the answer came then or a little later.
          const Time answered = std::clamp(now - other->age, std::min(std::max(call.joined, lost_at), now), now);
          if (const auto queue = queue_argument(channel->second.application_data); !queue.empty())
            call.queue = text(queue);  // it may have moved on before
          answer(call, members.agent(interface, {}, now), interface, other_id, answered, v1::CERTAINTY_GUESSED, out);
          return;
        }
      }
    }
    call.stage = Call::Stage::outside;
    call.rings.clear();
    call.leaving.reset();
    leave_agent(call);
    call.unseen_end = true;
    call.hung_up = now;  // to be forgotten, unless it is heard of again
  }

  void take(const AmiMessage& message, Time at, Events& out) {
    ++messages;
    pass(at, out);
    const std::string_view event = message.event();
    using Handler = void (State::*)(const AmiMessage&, Time, Events&);
    static const std::map<std::string_view, Handler> handlers = {
        {"Newchannel", &State::new_channel},
        {"Newexten", &State::new_extension},
        {"QueueCallerJoin", &State::join},
        {"Join", &State::join},  // Asterisk 11
        {"AgentCalled", &State::agent_called},
        {"AgentRingNoAnswer", &State::ring_no_answer},
        {"DialEnd", &State::dial_end},
        {"AgentDump", &State::agent_dump},
        {"QueueCallerAbandon", &State::abandon},
        {"QueueCallerLeave", &State::leave},
        {"Leave", &State::leave},
        {"VarSet", &State::set_variable},
        {"AgentConnect", &State::agent_connect},
        {"AgentComplete", &State::agent_complete},
        {"BlindTransfer", &State::blind_transfer},
        {"AttendedTransfer", &State::attended_transfer},
        {"LocalBridge", &State::local_bridge},
        {"BridgeEnter", &State::bridge_enter},
        {"LocalOptimizationBegin", &State::local_optimization_begin},
        {"SoftHangupRequest", &State::hangup_requested},
        {"Hangup", &State::hangup},
    };
    if (const auto handler = handlers.find(event); handler != handlers.end()) {
      (this->*handler->second)(message, at, out);
    } else if (event == "Hold" || event == "Unhold") {
      hold(message, at, event == "Hold", out);
    } else if (event == "QueueParams") {
      members.listed_queue(message.get("Queue"));
      open_queue(text(message.get("Queue")), at, out);
    } else if (event == "QueueEntry") {
      queue_entry(message, at);
    } else if (event == "CoreShowChannel") {
      listed_channel(message);
    } else if (event == "QueueStatusComplete") {
      if (!in_resync) {  // somebody's listing in a recorded stream
        members.finish_listing(at, occupied(), out);
        take_entries(out);
        listed_waiting.clear();
      }
    } else if (event.starts_with("QueueMember")) {
      members.take(message, at, out);
      seen.members_ignored = members.ignored();
    } else if (!event.empty() || !message.response().empty()) {
      return;  // nothing is missed by what it lacks
    }
    if (message.cut) say_cut(message, at, out);
  }

  void say_cut(const AmiMessage& message, Time at, Events& out) {
    if (message.event() == "VarSet" && message.get("Variable") != "QUEUESTATUS") return;  // may be as long as it likes
    v1::Event event = event_at(at);
    event.mutable_events_lost()->set_count(1);
    event.mutable_events_lost()->set_reason("a message of the PBX, or a line of it, was too long to be read");
    out.push_back(std::move(event));
  }
};

AmiTranslator::AmiTranslator(TranslatorSettings settings, adapter::Pseudonyms pseudonyms)
    : state_(std::make_unique<State>(std::move(settings), std::move(pseudonyms))) {}
AmiTranslator::~AmiTranslator() = default;
AmiTranslator::AmiTranslator(AmiTranslator&&) noexcept = default;
AmiTranslator& AmiTranslator::operator=(AmiTranslator&&) noexcept = default;

void AmiTranslator::take(const AmiMessage& message, Time at, Events& out) {
  state_->take(message, at, out);
}

Time AmiTranslator::next_wakeup() const {
  Time next = state_->resync_end;
  if (!state_->deadlines.empty()) next = std::min(next, state_->deadlines.begin()->first);
  if (!state_->wrap_ups.empty()) next = std::min(next, state_->wrap_ups.begin()->first);
  return next;
}

void AmiTranslator::pass(Time now, Events& out) {
  state_->pass(now, out);
}
void AmiTranslator::end_wrap_ups(Time now, Events& out) {
  state_->end_wrap_ups(now, out);
}
void AmiTranslator::clock_stepped(Duration by) {
  state_->clock_stepped(by);
}
void AmiTranslator::upstream_lost(const std::string& reason, Time now, Events& out) {
  state_->upstream_lost(reason, now, out);
}
void AmiTranslator::begin_resync(const std::string& reason, Time now, Events& out) {
  state_->begin_resync(reason, now, out);
}
void AmiTranslator::finish_listing(bool channels_listed, Time now, Events& out) {
  state_->finish_listing(channels_listed, now, out);
}
bool AmiTranslator::resyncing() const {
  return state_->in_resync;
}

std::uint64_t AmiTranslator::last_channel() const {
  return state_->last_channel;
}
void AmiTranslator::resume_after(std::uint64_t channel) {
  state_->last_channel = channel;
  if (channel > 0) state_->gap_from = channel;
}

std::map<std::string, int, std::less<>> AmiTranslator::waiting() const {
  std::map<std::string, int, std::less<>> waiting;
  for (const std::string& queue : state_->queues_said) waiting[queue] = 0;
  for (const auto& [id, call] : state_->calls)
    if (call.stage == Call::Stage::waiting && !call.leaving) ++waiting[call.queue];
  return waiting;
}

const SeenCounts& AmiTranslator::seen() const {
  return state_->seen;
}

}  // namespace reach::asterisk
