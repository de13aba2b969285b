#include "clients/adapters/asterisk/members.hpp"

#include <algorithm>
#include <charconv>

#include "clients/adapters/asterisk/ami_translator.hpp"
#include "clients/adapters/common/event_lines.hpp"

namespace reach::asterisk {
namespace {

constexpr std::size_t max_words = 4 * Members::max_members;  // interfaces that people were known by

int number(std::string_view digits, int otherwise) {
  int value = otherwise;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

/// "Local/1001@agents/n" -> "Local/1001@agents": what stands after the context are options of the channel driver.
std::string_view without_options(std::string_view interface) {
  const std::size_t at = interface.find('@');
  return at == std::string_view::npos ? interface : interface.substr(0, interface.find('/', at));
}

/// "PJSIP/1001" -> "1001", "Local/1001@agents/n" -> "1001".
std::string_view extension_of(std::string_view interface) {
  const std::size_t slash = interface.find('/');
  if (slash != std::string_view::npos) interface.remove_prefix(slash + 1);
  return interface.substr(0, interface.find('@'));
}

/// "PJSIP/1001-0000002a" -> "PJSIP/1001".
std::string_view device_of(std::string_view channel) {
  return channel.substr(0, channel.rfind('-'));
}

/// Whether `name` is a person's, not the interface once more.
bool is_named(std::string_view interface, std::string_view name) {
  return !name.empty() && without_options(name) != without_options(interface);
}

}  // namespace

Members::Members(const TranslatorSettings& settings, const adapter::Pseudonyms& pseudonyms)
    : settings_(settings), pseudonyms_(pseudonyms) {
  any_wrap_up_ =
      settings.default_wrap_up > Duration::zero() ||
      std::ranges::any_of(settings.wrap_up, [](const auto& entry) { return entry.second > Duration::zero(); });
}

std::string Members::key_of(std::string_view interface, std::string_view state_interface, std::string_view name) const {
  const std::string_view device = without_options(state_interface.empty() ? interface : state_interface);
  const bool named = is_named(interface, name);
  if (const auto known = by_interface_.find(interface); state_interface.empty() && known != by_interface_.end())
    return known->second;
  if (const auto same_device = by_interface_.find(device); same_device != by_interface_.end())
    return same_device->second;
  if (const auto same_name = by_name_.find(name); named && same_name != by_name_.end()) return same_name->second;
  return std::string(named ? name : device);
}

const std::string& Members::person_of(const std::string& interface, const std::string& state_interface,
                                      const std::string& name, Time at) {
  if (persons_.size() >= 2 * max_members || by_interface_.size() >= max_words) forget_gone();
  const std::string device(without_options(state_interface.empty() ? interface : state_interface));
  const std::string key = key_of(interface, state_interface, name);
  if (by_interface_.size() < max_words) {
    by_interface_[interface] = key;
    by_interface_[device] = key;
    if (is_named(interface, name)) by_name_.try_emplace(name, key);
    by_extension_.try_emplace(std::string(extension_of(interface)), key);
    by_extension_.try_emplace(std::string(extension_of(device)), key);
    by_device_.try_emplace(std::string(without_options(interface)), interface);
  }
  const auto [person, is_new] = persons_.try_emplace(key);
  // Who is not logged in has nothing that a new name could tear apart.
  if (is_new || !person->second.logged_in) this->name(person->second, key, at);
  if (settings_.excluded.contains(extension_of(interface)) || settings_.excluded.contains(extension_of(device)))
    person->second.excluded = true;
  return person->first;
}

void Members::remove(const std::string& queue, const std::string& interface) {
  const auto members = queues_.find(queue);
  const auto member = members->second.find(interface);
  persons_.at(member->second.person).members.erase({queue, interface});
  members->second.erase(member);
  if (members->second.empty()) queues_.erase(members);
  --members_;
}

/// Persons who are in no queue, and what they were known by.
void Members::forget_gone() {
  std::erase_if(persons_, [](const auto& entry) { return entry.second.members.empty(); });
  const auto is_gone = [this](const auto& entry) { return !persons_.contains(entry.second); };
  for (Words* words : {&by_interface_, &by_name_, &by_extension_}) std::erase_if(*words, is_gone);
  std::erase_if(by_device_, [this](const auto& entry) { return !by_interface_.contains(entry.second); });
}

void Members::name(Person& person, const std::string& key, Time at) {
  person.pseudonym = pseudonyms_.agent(key, at);
  person.day = adapter::Pseudonyms::day(at);
}

std::string Members::agent(std::string_view interface, std::string_view name, Time at) const {
  if (interface.empty() || settings_.excluded.contains(extension_of(interface))) return {};
  const std::string key = key_of(interface, {}, name);
  const auto person = persons_.find(key);
  if (person == persons_.end() || (!person->second.logged_in && !person->second.excluded))
    return pseudonyms_.agent(key, at);
  return person->second.excluded ? std::string() : person->second.pseudonym;
}

std::string Members::agent_with_extension(std::string_view extension) const {
  const auto key = by_extension_.find(extension);
  const auto person = key == by_extension_.end() ? persons_.end() : persons_.find(key->second);
  return person == persons_.end() || person->second.excluded ? std::string() : person->second.pseudonym;
}

std::string Members::interface_of_channel(std::string_view channel) const {
  const auto interface = by_device_.find(device_of(channel));
  return interface == by_device_.end() ? std::string() : interface->second;
}

bool Members::have_telephone(std::string_view channel) const {
  return by_interface_.contains(device_of(channel));
}

Duration Members::wrap_up(const std::string& queue, const std::string& interface) const {
  if (const auto members = queues_.find(queue); members != queues_.end())
    if (const auto member = members->second.find(interface);
        member != members->second.end() && member->second.wrap_up > Duration::zero())
      return member->second.wrap_up;
  const auto own = settings_.wrap_up.find(queue);
  return own == settings_.wrap_up.end() ? settings_.default_wrap_up : own->second;
}

bool Members::tells_wrap_up() const {
  return any_wrap_up_;
}

void Members::take(const AmiMessage& message, Time at, std::vector<v1::Event>& out) {
  const std::string_view event = message.event();
  const std::string queue(message.get("Queue"));
  std::string interface(message.get("Interface"));
  if (interface.empty()) interface = message.get("Location");
  if (queue.empty() || interface.empty()) return;
  if (event == "QueueMemberRemoved") {
    const auto members = queues_.find(queue);
    if (members == queues_.end()) return;
    const auto member = members->second.find(interface);
    if (member == members->second.end()) return;
    const std::string person = member->second.person;
    remove(queue, interface);
    say(person, at, out);
    return;
  }
  if (!update(message, queue, interface, at)) return;
  const std::string person = queues_[queue][interface].person;
  if (event == "QueueMember") {  // said once the listing is complete
    listed_.emplace(queue, interface);
    touched_.insert(person);
    return;
  }
  say(person, at, out);
}

bool Members::update(const AmiMessage& message, const std::string& queue, const std::string& interface, Time at) {
  const auto members = queues_.find(queue);
  const bool is_new = members == queues_.end() || !members->second.contains(interface);
  if (is_new && members_ >= max_members) {
    ++ignored_;
    return false;
  }
  std::string called(message.get("MemberName"));
  if (called.empty()) called = message.get("Name");
  const std::string& person = person_of(interface, std::string(message.get("StateInterface")), called, at);
  if (is_new && persons_.at(person).members.size() >= max_of_person) {
    ++ignored_;
    return false;
  }
  Member& member = queues_[queue][interface];
  if (is_new) ++members_;
  if (member.person != person) {
    if (!is_new) persons_.at(member.person).members.erase({queue, interface});
    persons_.at(person).members.emplace(queue, interface);
    member.person = person;
  }
  if (const auto paused = message.get("Paused"); !paused.empty()) {
    member.paused = paused == "1";
    std::string reason(message.get("PausedReason"));
    if (const auto word = settings_.pause_reasons.find(reason); word != settings_.pause_reasons.end())
      reason = word->second;
    member.reason = member.paused ? reason : std::string();
  }
  member.status = number(message.get("Status"), member.status);
  if (const int wrap_up = number(message.get("Wrapuptime"), 0); wrap_up > 0) {
    member.wrap_up = std::chrono::seconds(wrap_up);
    any_wrap_up_ = true;
  }
  return true;
}

void Members::begin_listing(bool resync) {
  resync_ = resync;
  listed_queues_.clear();
  listed_.clear();
}

void Members::listed_queue(std::string_view queue) {
  if (listed_queues_.size() < max_members) listed_queues_.emplace(queue);
}

void Members::finish_listing(Time at, const std::function<bool(const std::string&)>& occupied,
                             std::vector<v1::Event>& out) {
  for (const std::string& queue : listed_queues_) {
    const auto members = queues_.find(queue);
    if (members == queues_.end()) continue;
    std::vector<std::string> gone;
    for (const auto& [interface, member] : members->second) {
      if (listed_.contains({queue, interface})) continue;
      touched_.insert(member.person);
      gone.push_back(interface);
    }
    for (const std::string& interface : gone) remove(queue, interface);
  }
  const auto touched = std::exchange(touched_, {});
  for (const std::string& key : touched) {
    const auto known = persons_.find(key);
    if (known == persons_.end()) continue;
    const Person& person = known->second;
    if (person.day < adapter::Pseudonyms::day(at) && !in_use(key) && !occupied(person.pseudonym))
      rename(key, at, out);
    else
      say(key, at, out, resync_);
  }
  forget_gone();
  begin_listing(false);
}

void Members::doubt_wrap_ups() {
  for (auto& [key, person] : persons_) person.in_doubt = true;
}

void Members::settle_doubts(Time at, const std::function<bool(const std::string&)>& occupied,
                            std::vector<v1::Event>& out) {
  for (auto& [key, person] : persons_) {
    if (!person.in_doubt || !person.logged_in || person.excluded || in_use(key) || occupied(person.pseudonym)) continue;
    person.in_doubt = false;
    out.push_back(adapter::event_at(at));
    out.back().set_agent(person.pseudonym);
    out.back().set_certainty(v1::CERTAINTY_DERIVED);
    out.back().mutable_agent_state()->set_state(person.paused ? "paused" : "available");
  }
}

bool Members::in_use(const std::string& key) const {
  for (const auto& [queue, interface] : persons_.at(key).members)
    if (const Member& member = queues_.at(queue).at(interface);
        member.status != 0 && member.status != 1 && member.status != 4 && member.status != 5)
      return true;
  return false;
}

/// The new name comes before the old one goes: there is nobody less in between.
void Members::rename(const std::string& key, Time at, std::vector<v1::Event>& out) {
  Person& person = persons_.at(key);
  const Person before = person;
  name(person, key, at);
  person.queues.clear();
  person.logged_in = person.paused = false;
  say(key, at, out, resync_);
  if (!before.logged_in || before.excluded) return;
  out.push_back(adapter::event_at(at));
  out.back().set_agent(before.pseudonym);
  out.back().mutable_logged_out();
}

void Members::say(const std::string& key, Time at, std::vector<v1::Event>& out, bool anew) {
  Person& person = persons_.at(key);
  if (person.excluded) return;
  std::vector<std::string> all, open;
  std::string reason;
  bool reachable = false;
  for (const auto& [queue, interface] : person.members) {
    const Member& member = queues_.at(queue).at(interface);
    if (all.empty() || all.back() != queue) all.push_back(queue);
    if (member.paused)
      reason = member.reason;
    else if (open.empty() || open.back() != queue)
      open.push_back(queue);
    reachable = reachable || (member.status != 4 && member.status != 5);
  }
  const auto event = [&]() -> v1::Event& {
    out.push_back(adapter::event_at(at));
    out.back().set_agent(person.pseudonym);
    return out.back();
  };
  if (all.empty()) {
    if (person.logged_in) event().mutable_logged_out();
    person.queues.clear();
    person.logged_in = person.paused = false;
    return;
  }
  const bool paused = open.empty() || !reachable;
  if (paused && !open.empty()) reason = "unavailable";  // nobody can be called where no telephone answers
  const std::vector<std::string>& queues = paused ? (person.logged_in ? person.queues : all) : open;
  if (!person.logged_in || queues != person.queues || anew) {
    v1::LoggedIn& logged_in = *event().mutable_logged_in();
    for (const std::string& queue : queues) logged_in.add_queues(queue);
    if (&queues != &person.queues) person.queues = queues;
    person.logged_in = true;
  }
  if (paused && (!person.paused || reason != person.reason || anew)) {
    event().mutable_agent_paused()->set_reason(reason);
    person.reason = reason;
  }
  if (!paused && (person.paused || anew)) event().mutable_agent_resumed();
  person.paused = paused;
}

}  // namespace reach::asterisk
