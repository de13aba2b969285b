// What was saved and loaded goes on exactly as what never stopped.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "daemon/core/archive.hpp"
#include "tests/unit/core/world.hpp"

namespace reach::test {
namespace {

std::string bytes_of(const Engine& engine) {
  std::string bytes;
  engine.save([&](std::string_view piece) { bytes += piece; });
  return bytes;
}

/// Any event of any kind, sensible or not, for one of few contacts and agents.
class RandomEvents {
 public:
  explicit RandomEvents(unsigned seed) : random_(seed) {}

  Event next(double second) {
    static constexpr std::array<std::string_view, 5> queues = {"sales", "offers", "dealers", "letters", "nowhere"};
    static constexpr std::array<std::string_view, 3> sources = {"pbx", "pbx2", "mail"};
    static constexpr std::array<std::string_view, 4> reasons = {"", "waiting for the customer", "busy", "asked"};
    Event event;
    event.kind = static_cast<EventKind>(pick(static_cast<int>(EventKind::lead) + 1));
    if (pick(3) != 0) {  // mostly what happens mostly
      static constexpr std::array<EventKind, 8> common = {
          EventKind::offered,   EventKind::offered,   EventKind::answered, EventKind::ended,
          EventKind::abandoned, EventKind::forwarded, EventKind::received, EventKind::completed};
      event.kind = common[static_cast<std::size_t>(pick(8))];
    }
    event.at = World::time(second) - std::chrono::milliseconds(pick(10) == 0 ? pick(30000) : 0);
    event.source = sources[static_cast<std::size_t>(pick(3))];
    contact_ = "c" + std::to_string(pick(40));
    agent_ = "a" + std::to_string(pick(8));
    event.contact = contact_;
    event.agent = agent_;
    event.queue = queues[static_cast<std::size_t>(pick(5))];
    event.to = queues[static_cast<std::size_t>(pick(5))];
    event.reason = reasons[static_cast<std::size_t>(pick(4))];
    if (pick(4) == 0) event.site = "hamburg";
    event.forward_reason = static_cast<ForwardReason>(pick(10));
    if (pick(30) == 0) event.direction = Direction::outbound;
    list_ = {queues[0], queues[2]};
    event.list = std::span(list_.data(), static_cast<std::size_t>(pick(3)));
    return event;
  }
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

 private:
  std::mt19937 random_;
  std::string contact_, agent_;
  std::array<std::string_view, 2> list_;
};

/// `config`, perhaps without its second segment, perhaps with calls and items changed about.
Config changed(Config config, RandomEvents& chance) {
  if (chance.pick(2) == 0) {
    config.segments.pop_back();
    config.segments[0].overflow_to.clear();
    config.contracts[0].segments = config.pools[0].segments = {"sales"};
  }
  if (chance.pick(2) == 0) {
    config.contracts[0].objectives.clear();
    std::swap(config.services[0].medium, config.services[1].medium);
  }
  return config;
}

TEST(Snapshot, GoesOnAsIfItHadNeverStopped) {
  for (unsigned seed = 1; seed <= 16; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Config config = small_config();
    config.contracts[0].objectives[0].hold = std::chrono::seconds(3);
    World straight(config, {true, true}), restarted(config, {true, true});
    RandomEvents events(seed), chance(seed + 1000);
    double second = 0;
    for (int i = 0; i < 2000; ++i) {
      second += chance.pick(20) == 0 ? chance.pick(300) : chance.pick(100) / 100.0;
      if (chance.pick(4) == 0) {
        straight.pass(second);
        restarted.pass(second);
      }
      second += 0.001;
      const Event event = events.next(second);
      straight.input(second, event);
      restarted.input(second, event);
      if (seed > 8 && chance.pick(100) == 0) {
        const Config other = changed(config, chance);
        straight.engine.reconfigure(other, World::time(second), straight.decisions);
        restarted.engine.reconfigure(other, World::time(second), restarted.decisions);
      }
      if (chance.pick(seed > 8 ? 20 : 200) == 0) {
        const std::string bytes = bytes_of(restarted.engine);
        restarted.engine = Engine::load(bytes, {true, true});
        ASSERT_EQ(bytes_of(restarted.engine), bytes) << "after event " << i;
      }
    }
    const auto alerts = straight.take_alerts(), again = restarted.take_alerts();
    ASSERT_EQ(alerts.size(), again.size());
    for (std::size_t i = 0; i < alerts.size(); ++i) {
      EXPECT_EQ(alerts[i].id, again[i].id);
      EXPECT_EQ(alerts[i].changed, again[i].changed);
      EXPECT_EQ(alerts[i].summary, again[i].summary);
    }
    EXPECT_GT(alerts.size(), 0U);
    EXPECT_EQ(bytes_of(straight.engine), bytes_of(restarted.engine));
  }
}

/// What one event adds is small, however long it says a caller waited: a telephone system's clock may have stood at
/// 1970 when the call came.
TEST(Snapshot, DoesNotGrowWithTheLengthOfAWait) {
  const double in_1970 = -std::chrono::duration<double>(World::time(0).time_since_epoch()).count();
  std::size_t sizes[2] = {};
  for (const bool years : {false, true}) {
    World w;
    w.pass(3600);
    w.offered(years ? in_1970 : 0, "c1", "sales");
    w.at(3300, EventKind::answered, "c1");  // learnt late
    w.offered(years ? in_1970 : 0, "c2", "sales");
    w.at(3600, EventKind::abandoned, "c2");
    w.pass(3700);
    sizes[years ? 1 : 0] = bytes_of(w.engine).size();
  }
  EXPECT_LT(sizes[1], sizes[0] + 2000);
}

/// A person who serves other queues with every login leaves nothing behind, in whatever order they are named.
TEST(Snapshot, DoesNotGrowWithTheQueuesThatPeopleServed) {
  World w;
  const auto log_in = [&w](double second, std::string_view agent, std::vector<std::string_view> queues) {
    Event event;
    event.agent = agent;
    event.list = queues;
    w.at(second, EventKind::logged_in, "", event);
  };
  std::vector<std::string_view> queues = {"dealers", "letters", "offers", "sales"};
  log_in(0, "a1", queues);
  log_in(0, "a2", {"sales", "sales"});
  const std::size_t before = bytes_of(w.engine).size();
  while (std::ranges::next_permutation(queues).found) {
    log_in(1, "a1", queues);
    EXPECT_EQ(bytes_of(w.engine).size(), before);
  }
  std::size_t first_round = 0;
  for (int round = 0; round < 4; ++round) {
    for (int served = 0; served < 4; ++served) log_in(2, "a1", {queues.begin(), queues.begin() + served});
    if (round == 0) first_round = bytes_of(w.engine).size();
    EXPECT_EQ(bytes_of(w.engine).size(), first_round);
    w.engine = Engine::load(bytes_of(w.engine), {false, false});
  }
  EXPECT_EQ(w.view("sales").agents.logged_in, 2);
  EXPECT_EQ(w.view("dealers").agents.logged_in, 1);
  log_in(3, "a1", {"dealers"});
  log_in(3, "a2", {"dealers"});
  EXPECT_EQ(w.view("sales").agents.logged_in, 0);
  EXPECT_EQ(w.view("dealers").agents.logged_in, 2);
}

TEST(Snapshot, RefusesWhatItIsNot) {
  World w;
  w.offered(0, "c1", "sales");
  std::string bytes = bytes_of(w.engine);
  EXPECT_THROW((void)Engine::load("", {}), ArchiveError);
  EXPECT_THROW((void)Engine::load("something else", {}), ArchiveError);
  for (std::size_t length = 1; length < bytes.size(); length += 7)
    EXPECT_THROW((void)Engine::load(std::string_view(bytes).substr(0, length), {}), ArchiveError) << length;
  EXPECT_THROW((void)Engine::load(bytes + "x", {}), ArchiveError);
  EXPECT_EQ(bytes_of(Engine::load(bytes, {})), bytes);
}

/// A checksum does not save us from a reachd that wrote nonsense: any byte may be wrong, and that is refused by its
/// sentence or makes an engine that can be saved and loaded.
TEST(Snapshot, MakesNoEngineOfTablesThatDoNotFit) {
  World w(small_config(), {true, true});
  RandomEvents events(3);
  for (int i = 0; i < 60; ++i) w.input(i, events.next(i));
  const std::string good = bytes_of(w.engine);
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); at += 3) {
    for (const char value : {char(0), char(good[at] + 2), char(0x7f), char(0x80)}) {
      std::string bytes = good;
      bytes[at] = value;
      try {
        const std::string again = bytes_of(Engine::load(bytes, {true, true}));
        ASSERT_EQ(bytes_of(Engine::load(again, {true, true})), again) << "byte " << at;
      } catch (const ArchiveError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 0);
}

/// Random events, sensible or not, keep the balance: each offered contact ends exactly once.
TEST(Engine, KeepsItsBalanceWhateverComes) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World w(small_config(), {true, true});
    RandomEvents events(seed), chance(seed + 500);
    double second = 0;
    for (int i = 0; i < 2000; ++i) {
      second += chance.pick(50) == 0 ? chance.pick(2000) : chance.pick(300) / 100.0;
      if (chance.pick(3) == 0) w.pass(second);
      w.input(second, events.next(second));
      w.decisions.clear();
      for (const std::string_view segment : {"sales", "dealers"}) {
        const SegmentView view = w.view(segment);
        const auto balanced = [&](const Figures& f) {
          return f.offered == f.answered + f.abandoned + f.forwarded + f.unknown + f.waiting && f.waiting >= 0 &&
                 f.met >= 0 && f.missed >= 0 && f.met + f.missed <= f.offered && f.backlog >= 0 && f.overdue >= 0 &&
                 f.overdue <= f.backlog && f.items_met >= 0 && f.items_missed >= 0;
        };
        const Figures& f = view.figures;
        ASSERT_TRUE(balanced(f)) << segment << " after event " << i << ": offered " << f.offered << ", answered "
                                 << f.answered << ", abandoned " << f.abandoned << ", forwarded " << f.forwarded
                                 << ", unknown " << f.unknown << ", waiting " << f.waiting << ", met " << f.met
                                 << ", missed " << f.missed << ", backlog " << f.backlog << ", overdue " << f.overdue
                                 << ", items met " << f.items_met << ", items missed " << f.items_missed;
        for (const auto& queue : view.queues) ASSERT_TRUE(balanced(queue.figures)) << queue.id << " after event " << i;
        for (const auto& service : view.services) ASSERT_TRUE(balanced(service.figures)) << service.id << ' ' << i;
        ASSERT_GE(view.agents.available, 0);
        ASSERT_GE(view.agents.busy, 0);
      }
    }
    w.pass(second + 5 * 3600);
    EXPECT_EQ(w.figures("sales").waiting, 0);
    EXPECT_EQ(w.figures("dealers").waiting, 0);
  }
}

}  // namespace
}  // namespace reach::test
