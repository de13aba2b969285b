#include "tests/sim/world.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace reach::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* configuration = R"(
[[segment]]
id = "a"
queues = ["a1", "a2"]
overflow_to = ["b"]
[[segment]]
id = "b"
queues = ["b1"]
overflow_to = ["a"]
[[service]]
id = "phone"
medium = "call"
threshold = "20s"
abandons = "ABANDONS"
[[service]]
id = "mail"
medium = "item"
due_in = "4m"
[[contract]]
id = "k"
client = "field sales"
segments = ["a", "b"]
  [[contract.objective]]
  id = "level"
  service = "phone"
  figure = "service_level"
  target = 0.8
  window = "5m"
  min_samples = 2
  clear_for = "20s"
  repeat = "2m"
  [[contract.objective]]
  id = "held"
  service = "phone"
  figure = "service_level"
  target = 0.7
  window = "30m"
  min_samples = 5
  for = "30s"
  [[contract.objective]]
  id = "wait"
  service = "phone"
  figure = "longest_wait_s"
  target = "30s"
  window = "now"
  clear_for = "5s"
  [[contract.objective]]
  id = "on_time"
  service = "mail"
  figure = "on_time_rate"
  target = 0.9
  window = "day"
  min_samples = 2
)";

settings::Loaded settings_with(const std::string& abandons) {
  std::string text = configuration;
  const std::string place = "ABANDONS";
  text.replace(text.find(place), place.size(), abandons);
  auto loaded = settings::load_text(text, "simulation");
  if (!loaded.good()) throw std::logic_error(settings::render(loaded.problems.front()));
  return loaded;
}

/// One telephone system and the people who call it.
class Office {
 public:
  Office(Random& random, Time end, bool on_the_dot) : random_(random), end_(end), on_the_dot_(on_the_dot) {}

  void people(Time begin) {
    for (int i = 1; i <= 5; ++i) {
      Time at = begin + up_to(seconds(20));
      v1::Event in = of_agent(i);
      in.mutable_logged_in()->add_queues(random_.one_of({"a1", "a2", "b1"}));
      say(at, in);
      while ((at += seconds(30) + up_to(minutes(8))) < end_) {
        v1::Event away = of_agent(i), back = of_agent(i);
        away.mutable_agent_paused()->set_reason("break");
        back.mutable_agent_resumed();
        say(at, away);
        say(at += seconds(5) + up_to(minutes(2)), back);
      }
      if (random_.chance(0.3)) {
        v1::Event out = of_agent(i);
        out.mutable_logged_out();
        say(at, out);
      }
    }
  }

  void call(Time at) {
    contact_ = "c" + std::to_string(++contacts_);
    std::string queue = random_.one_of({"a1", "a2", "b1"});
    offered(at, queue);
    for (int legs = 0;; ++legs) {
      const std::size_t fate = random_.pick(100);
      if (fate < 55) {
        at += wait();
        const std::string agent = some_agent();
        at = answered(at, agent);
        if (legs > 2 || fate >= 10) {
          v1::Event over = of_contact();
          over.mutable_ended()->set_by("caller");
          say(at, over);
          if (random_.chance(0.3)) {
            v1::Event wrapped = of_contact();
            wrapped.mutable_wrap_up_ended()->set_agent(agent);
            say(at + up_to(seconds(60)), wrapped);
          }
          return;
        }
        queue = random_.one_of({"a1", "a2", "b1"});
        v1::Event transferred = of_contact();
        transferred.mutable_transferred()->set_to_queue(queue);
        say(at, transferred);
        offered(at += up_to(seconds(3)), queue);
      } else if (fate < 75 || legs > 2) {
        v1::Event left = of_contact();
        left.mutable_abandoned();
        say(at + (random_.chance(0.2) ? up_to(seconds(6)) : wait()), left);
        return;
      } else if (fate < 82) {
        at += wait();
        v1::Event sent = of_contact();
        sent.mutable_forwarded()->set_reason(random_.one_of({"timeout", "empty", "key", "callback", "voicemail"}));
        sent.mutable_forwarded()->set_to(random_.chance(0.5) ? "4711" : "");
        say(at, sent);
        return;
      } else if (fate < 94) {  // to another queue: of the same segment, of the agreed one; some never arrive there
        const std::string from = queue;
        do queue = random_.one_of({"a1", "a2", "b1"});
        while (queue == from);
        at += wait();
        v1::Event moved = of_contact();
        moved.mutable_forwarded()->set_reason("overflow");
        moved.mutable_forwarded()->set_to(queue);
        say(at, moved);
        if (random_.chance(0.1)) return;
        offered(at += random_.chance(0.9) ? up_to(milliseconds(1500)) : seconds(3), queue);
      } else if (fate < 96) {
        v1::Event unknown = of_contact();
        unknown.mutable_outcome_unknown();
        say(at + wait(), unknown);
        return;
      } else if (fate < 98) {
        v1::Event gone = of_contact();  // hung up; nobody said how
        gone.mutable_ended();
        say(at + wait(), gone);
        return;
      } else {
        return;  // never ends
      }
    }
  }

  void item(Time at) {
    contact_ = "i" + std::to_string(++contacts_);
    v1::Event received = of_contact();
    received.mutable_received()->set_queue(random_.one_of({"a1", "a2", "b1"}));
    received.set_service("mail");
    say(at, received);
    while (random_.chance(0.3)) {
      v1::Event paused = of_contact(), resumed = of_contact();
      paused.mutable_paused()->set_reason("customer");
      resumed.mutable_resumed();
      say(at += up_to(minutes(3)), paused);
      if (random_.chance(0.1)) break;  // done while it stood
      say(at += up_to(minutes(3)), resumed);
    }
    at += random_.chance(0.1) ? minutes(4) - Duration(on_the_dot_ ? 0 : 1'000'000) : up_to(minutes(6));
    v1::Event end = of_contact();
    const std::size_t fate = random_.pick(10);
    if (fate == 0) return;
    if (fate == 1) {
      end.mutable_cancelled()->set_reason("duplicate");
    } else {
      end.mutable_completed();
    }
    say(at, end);
  }

  std::vector<v1::Event> take() {
    std::ranges::stable_sort(events_, {}, [](const v1::Event& event) { return event.time_ns(); });
    for (std::size_t i = 0; i < events_.size(); ++i) events_[i].set_journey("n" + std::to_string(i + 1));
    return std::move(events_);
  }

 private:
  Duration up_to(Duration most) { return random_.between(Duration(1), most); }
  /// Many near the threshold, some exactly there.
  Duration wait() {
    switch (random_.pick(10)) {
      case 0:
        return seconds(20) - Duration(on_the_dot_ ? 0 : 1'000'000);
      case 1:
        return seconds(20) + Duration(on_the_dot_ ? 1 : 1'000'000);
      case 2:
        return up_to(seconds(90));
      case 3:
        return seconds(19) + up_to(seconds(2));
      default:
        return up_to(seconds(25));
    }
  }
  std::string some_agent() { return random_.chance(0.1) ? "" : "x" + std::to_string(1 + random_.pick(5)); }
  v1::Event of_contact() const {
    v1::Event event;
    event.set_contact(contact_);
    return event;
  }
  static v1::Event of_agent(int i) {
    v1::Event event;
    event.set_agent("x" + std::to_string(i));
    return event;
  }
  void offered(Time at, const std::string& queue) {
    v1::Event event = of_contact();
    event.mutable_offered()->set_queue(queue);
    say(at, event);
  }
  /// Returns when they have talked.
  Time answered(Time at, const std::string& agent) {
    v1::Event event = of_contact();
    event.mutable_answered();
    event.set_agent(agent);
    say(at, event);
    return at + seconds(3) + up_to(minutes(2));
  }
  void say(Time at, v1::Event event) {
    event.set_time_ns(static_cast<std::uint64_t>(ns_of(at)));
    events_.push_back(std::move(event));
  }

  Random& random_;
  Time end_;
  bool on_the_dot_;
  std::string contact_;
  int contacts_ = 0;
  std::vector<v1::Event> events_;
};

}  // namespace

Time time_of(const v1::Event& event) {
  return time_from_ns(static_cast<std::int64_t>(event.time_ns()));
}

std::uint64_t number_of(const v1::Event& event) {
  std::uint64_t number = 0;
  const std::string& text = event.journey();
  if (text.size() > 1) std::from_chars(text.data() + 1, text.data() + text.size(), number);
  return number;
}

World make_world(Random& random, Duration length, bool on_the_dot) {
  World world;
  world.settings = settings_with(random.one_of({"ignored", "negative", "positive"}));
  const Time end = world.begin + length;
  const std::size_t sources = 1 + random.pick(3);
  for (std::size_t s = 0; s < sources; ++s) {
    Office office(random, end, on_the_dot);
    office.people(world.begin + milliseconds(500));
    const Duration apart = seconds(random.one_of({4, 8, 20}));
    for (Time at = world.begin + seconds(1); (at += random.between(Duration(1), 2 * apart)) < end;) {
      if (random.chance(0.15)) {
        office.item(at);
      } else {
        office.call(at);
      }
    }
    world.scripts.push_back({"pbx" + std::to_string(s + 1), office.take()});
    if (!world.scripts.back().events.empty())
      world.end = std::max(world.end, time_of(world.scripts.back().events.back()) + Duration(1));
  }
  return world;
}

}  // namespace reach::sim
