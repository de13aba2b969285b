#include "tests/load/world.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

namespace reach::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// SplitMix64's last step: every bit of the result depends on every bit of `x`.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

constexpr std::uint64_t banks = 16;
constexpr std::uint64_t steps = 4;  // events of a call

/// Seconds from one event of a call to the next on a bank's lines: 0.2 to 8.
double step_seconds(std::uint64_t bank) {
  return 0.2 * std::pow(1.28, static_cast<double>(bank));
}

enum class Story : std::uint8_t { answered, abandoned, timed_out, voicemail };

Story story_of(std::uint64_t hash) {
  const std::uint64_t percent = hash % 100;
  return percent < 80   ? Story::answered
         : percent < 92 ? Story::abandoned
         : percent < 97 ? Story::timed_out
                        : Story::voicemail;
}

void count_end(Account& account, Story story, Duration wait) {
  switch (story) {
    case Story::answered:
      ++account.answered;
      account.answer_wait += wait;
      break;
    case Story::abandoned:
      ++account.abandoned;
      if (wait < short_abandon) ++account.short_abandons;
      break;
    case Story::timed_out:
      ++account.forwarded_failure;
      break;
    case Story::voicemail:
      ++account.forwarded_choice;
      break;
  }
  if (wait > threshold || story == Story::timed_out) {
    ++account.missed;
  } else if (story == Story::answered) {
    ++account.met;
  }
}

class Lines final : public Source {
 public:
  Lines(const Plan& plan, std::uint32_t index)
      : plan_(plan),
        index_(index),
        name_("load-" + std::to_string(index)),
        size_(static_cast<std::uint64_t>(static_cast<double>(plan.rate) * plan.seconds) / plan.sources) {
    const double rate = static_cast<double>(plan.rate) / plan.sources;  // events/s of this source
    for (std::uint64_t bank = 0; bank < banks; ++bank) {
      lines_[bank] = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rate / banks * step_seconds(bank)));
    }
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Time time(std::uint64_t number) const override {
    return plan_.start + Duration(static_cast<std::int64_t>(number * plan_.sources * 1'000'000'000 / plan_.rate));
  }

  void event(std::uint64_t number, v1::Event& event) const override {
    event.Clear();
    event.set_time_ns(static_cast<std::uint64_t>(ns_of(time(number))));
    const Place place = place_of(number);
    if (!place.complete) {  // of a call that would not fit into the run
      event.mutable_watermark();
      return;
    }
    event.set_contact(std::to_string(place.bank) + '.' + std::to_string(place.line) + '.' + std::to_string(place.call));
    const auto offered = [&] { event.mutable_offered()->set_queue("q" + std::to_string(place.segment)); };
    const std::string agent = "a" + std::to_string(place.hash / 100 % 500);
    switch (place.story) {
      case Story::answered:
        if (place.step == 0) offered();
        if (place.step == 1) event.mutable_ringing()->set_agent(agent);
        if (place.step == 2) event.mutable_answered()->set_agent(agent);
        if (place.step == 3) event.mutable_ended()->set_by(place.hash % 2 == 0 ? "caller" : "agent");
        return;
      case Story::abandoned:
        if (place.step == 0) event.mutable_arrived()->set_dialled("100");
        if (place.step == 1) offered();
        if (place.step == 2) event.mutable_ringing()->set_agent(agent);
        if (place.step == 3) event.mutable_abandoned();
        return;
      case Story::timed_out:
        if (place.step == 0) offered();
        if (place.step == 1) event.mutable_ringing()->set_agent(agent);
        if (place.step == 2) event.mutable_ring_no_answer()->set_agent(agent);
        if (place.step == 3) event.mutable_forwarded()->set_reason("timeout");
        return;
      case Story::voicemail:
        if (place.step == 0) event.mutable_arrived()->set_dialled("100");
        if (place.step == 1) offered();
        if (place.step == 2) event.mutable_ringing()->set_agent(agent);
        if (place.step == 3) event.mutable_forwarded()->set_reason("voicemail");
        return;
    }
  }

  void account(std::map<std::string, Account>& accounts) const override {
    std::vector<Account> by_segment(plan_.segments);
    for (std::uint64_t number = 0; number < size_; ++number) {
      const Place place = place_of(number);
      if (!place.complete || place.step != 0) continue;
      const auto at = [&](std::uint64_t step) { return time(number + step * banks * lines_[place.bank]); };
      Account& account = by_segment[place.segment];
      ++account.offered;
      switch (place.story) {
        case Story::answered:
          count_end(account, place.story, at(2) - at(0));
          ++account.handled;
          account.handling += at(3) - at(2);
          break;
        case Story::timed_out:
          count_end(account, place.story, at(3) - at(0));
          break;
        case Story::abandoned:
        case Story::voicemail:
          count_end(account, place.story, at(3) - at(1));
          break;
      }
    }
    for (std::uint32_t s = 0; s < plan_.segments; ++s) {
      Account& sum = accounts["s" + std::to_string(s)];
      const Account& add = by_segment[s];
      sum.offered += add.offered;
      sum.answered += add.answered;
      sum.abandoned += add.abandoned;
      sum.short_abandons += add.short_abandons;
      sum.forwarded_choice += add.forwarded_choice;
      sum.forwarded_failure += add.forwarded_failure;
      sum.met += add.met;
      sum.missed += add.missed;
      sum.handled += add.handled;
      sum.answer_wait += add.answer_wait;
      sum.handling += add.handling;
    }
  }

 private:
  struct Place {
    std::uint64_t bank = 0, line = 0, call = 0, step = 0, hash = 0;
    bool complete = false;
    Story story{};
    std::uint32_t segment = 0;
  };

  [[nodiscard]] Place place_of(std::uint64_t number) const {
    Place place;
    place.bank = number % banks;
    const std::uint64_t lines = lines_[place.bank];
    const std::uint64_t in_bank = number / banks;
    place.line = in_bank % lines;
    const std::uint64_t line = mix(plan_.seed ^ mix(index_ << 40U | place.bank << 32U | place.line));
    // Lines begin in the midst of a call, or all of them would be offered one at once; that first one is left out.
    const std::uint64_t ahead = line % steps;
    const std::uint64_t step = in_bank / lines + ahead;
    place.call = step / steps;
    place.step = step % steps;
    const std::uint64_t end = ((place.call * steps + steps - 1 - ahead) * lines + place.line) * banks + place.bank;
    place.complete = (ahead == 0 || place.call > 0) && end < size_;
    place.hash = mix(line + place.call);
    place.story = story_of(place.hash);
    place.segment = static_cast<std::uint32_t>(place.hash / 100'000 % plan_.segments);
    return place;
  }

  const Plan plan_;
  const std::uint64_t index_;
  const std::string name_;
  const std::uint64_t size_;
  std::array<std::uint64_t, banks> lines_{};
};

/// When each incident begins.
std::vector<Time> beginnings(const Plan& plan) {
  std::vector<Time> all;
  const double room = plan.seconds - seconds_of(incident_length) - 1;
  for (std::uint32_t i = 0; i < plan.incidents && room > 0; ++i) {
    all.push_back(plan.start + seconds(1) + Duration(static_cast<std::int64_t>(room * 1e9 / plan.incidents)) * i);
  }
  return all;
}

std::string caller_of(std::size_t incident, int caller) {
  return 'i' + std::to_string(incident) + '.' + std::to_string(caller);
}

constexpr int quick_callers = 12, slow_callers = 6, late_callers = 40;
constexpr Duration apart = milliseconds(100);

class Incidents final : public Source {
 public:
  explicit Incidents(const Plan& plan) {
    const std::vector<Time> begins = beginnings(plan);
    for (std::size_t i = 0; i < begins.size(); ++i) tell(i, begins[i]);
    std::stable_sort(scenes_.begin(), scenes_.end(), [](const Scene& a, const Scene& b) { return a.at < b.at; });
    for (std::size_t i = 0; i < begins.size(); ++i) segments_ = i + 1;
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::uint64_t size() const override { return scenes_.size(); }
  [[nodiscard]] Time time(std::uint64_t number) const override { return scenes_[number].at; }

  void event(std::uint64_t number, v1::Event& event) const override {
    const Scene& scene = scenes_[number];
    event.Clear();
    event.set_time_ns(static_cast<std::uint64_t>(ns_of(scene.at)));
    event.set_contact(caller_of(scene.incident, scene.caller));
    switch (scene.what) {
      case What::offered:
        event.mutable_offered()->set_queue("p" + std::to_string(scene.incident));
        break;
      case What::answered:
        event.mutable_answered()->set_agent("a1");
        break;
      case What::abandoned:
        event.mutable_abandoned();
        break;
      case What::ended:
        event.mutable_ended()->set_by("caller");
        break;
    }
  }

  void account(std::map<std::string, Account>& accounts) const override {
    for (std::size_t i = 0; i < segments_; ++i) {
      Account& account = accounts["i" + std::to_string(i)];
      account.offered = quick_callers + slow_callers + late_callers;
      account.abandoned = slow_callers / 2;
      account.answered = account.handled = account.offered - account.abandoned;
      account.missed = slow_callers;
      account.met = account.offered - account.missed;
      account.answer_wait = seconds(1) * account.met + seconds(22) * (slow_callers / 2);
      account.handling = seconds(1) * account.handled;
    }
  }

 private:
  enum class What : std::uint8_t { offered, answered, abandoned, ended };
  struct Scene {
    Time at{};
    std::uint32_t incident = 0;
    int caller = 0;
    What what{};
  };

  void tell(std::size_t incident, Time begin) {
    int caller = 0;
    const auto say = [&](Time at, What what) {
      scenes_.push_back({at, static_cast<std::uint32_t>(incident), caller, what});
    };
    const auto served = [&](Time at, Duration wait) {
      say(at, What::offered);
      say(at + wait, What::answered);
      say(at + wait + seconds(1), What::ended);
      ++caller;
    };
    for (int i = 0; i < quick_callers; ++i) served(begin + apart * i, seconds(1));
    for (int i = 0; i < slow_callers; ++i) {
      const Time at = begin + seconds(10) + apart * i;
      if (i % 2 == 1) {
        served(at, seconds(22));
      } else {
        say(at, What::offered);
        say(at + seconds(22), What::abandoned);
        ++caller;
      }
    }
    for (int i = 0; i < late_callers; ++i) served(begin + seconds(43) + apart * i, seconds(1));
  }

  const std::string name_ = "incidents";
  std::vector<Scene> scenes_;
  std::size_t segments_ = 0;
};

}  // namespace

std::vector<std::unique_ptr<Source>> sources_of(const Plan& plan) {
  std::vector<std::unique_ptr<Source>> all;
  for (std::uint32_t i = 0; i < plan.sources; ++i) all.push_back(std::make_unique<Lines>(plan, i));
  if (plan.incidents > 0) all.push_back(std::make_unique<Incidents>(plan));
  return all;
}

std::vector<Expected> expected_alerts(const Plan& plan) {
  std::vector<Expected> all;
  const std::vector<Time> begins = beginnings(plan);
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const std::string segment = 'i' + std::to_string(i);
    // 12 met and n missed: under 80 % with the fourth, 75 %.
    const Time broken = begins[i] + seconds(10) + apart * 3 + threshold;
    const std::string fourth = caller_of(i, quick_callers + 3), first = caller_of(i, quick_callers);
    const Time too_long = begins[i] + seconds(10) + seconds(12) + Duration(1);
    all.push_back({segment, "soon", broken, broken, fourth});
    all.push_back({segment, "held", broken, broken + seconds(5), fourth});
    all.push_back({segment, "longest", too_long, too_long, first});
  }
  std::stable_sort(all.begin(), all.end(), [](const Expected& a, const Expected& b) { return a.fired < b.fired; });
  return all;
}

std::string configuration(const Plan& plan, const std::string& timezone) {
  std::ostringstream out;
  out << "timezone = \"" << timezone << "\"\nstale_after = \"1h\"\n\n"
      << "[[service]]\nid = \"phone\"\nthreshold = \"10s\"\nshort_abandon = \"2s\"\n";
  const auto segments = [&](char segment, char queue, std::uint32_t count) {
    std::string names;
    for (std::uint32_t i = 0; i < count; ++i) {
      out << "[[segment]]\nid = \"" << segment << i << "\"\nqueues = [\"" << queue << i << "\"]\n";
      names += (i == 0 ? "\"" : ", \"") + std::string(1, segment) + std::to_string(i) + '"';
    }
    return names;
  };
  const std::string ordinary = segments('s', 'q', plan.segments);
  const auto told = static_cast<std::uint32_t>(beginnings(plan).size());
  const std::string incidents = segments('i', 'p', told);
  // Promises that are evaluated with every event, and never broken.
  out << "\n[[contract]]\nid = \"ordinary\"\nsegments = [" << ordinary << "]\n"
      << "objective = [{ figure = \"service_level\", target = 0.2, window = \"30m\", min_samples = 1000 },\n"
      << "             { figure = \"abandon_rate\", target = 0.9, window = \"day\", min_samples = 1000 }]\n";
  if (told > 0) {
    out << "\n[[contract]]\nid = \"incidents\"\nsegments = [" << incidents << "]\nobjective = [\n"
        << "  { id = \"soon\", figure = \"service_level\", target = 0.8, window = \"day\", clear_for = \"3s\", repeat "
           "= \"0s\" },\n"
        << "  { id = \"held\", figure = \"service_level\", target = 0.78, window = \"30m\", for = \"5s\", clear_for = "
           "\"3s\", repeat = \"0s\" },\n"
        << "  { id = \"longest\", figure = \"longest_wait_s\", target = \"12s\", clear_for = \"2s\", repeat = \"0s\" "
           "},\n"
        << "  { id = \"lost\", figure = \"abandon_rate\", target = 0.1, window = \"day\", min_samples = 10, clear_for "
           "= "
           "\"3s\", repeat = \"0s\" }]\n";
  }
  return out.str();
}

}  // namespace reach::load
