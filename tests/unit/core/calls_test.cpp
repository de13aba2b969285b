// Calls by the rules of the key figures: each offer decided once, at the instant at which its fate is known.
#include <gtest/gtest.h>

#include "tests/unit/core/world.hpp"

namespace reach::test {
namespace {

void expect_balance(const Figures& f) {
  EXPECT_EQ(f.offered, f.answered + f.abandoned + f.forwarded + f.unknown + f.waiting);
}

TEST(Offer, IsMetWhenAnsweredExactlyAtTheThreshold) {
  World w;
  w.offered(0, "c1", "sales");
  w.answered(20, "c1");
  const Figures f = w.figures();
  EXPECT_EQ(f.met, 1);
  EXPECT_EQ(f.missed, 0);
  EXPECT_EQ(f.asa_s, 20);
  expect_balance(f);
}

TEST(Offer, IsMissedAtTheVeryInstantAtWhichItsWaitPassesTheThreshold) {
  World w;
  w.offered(0, "c1", "sales");
  EXPECT_EQ(w.engine.next_wakeup() <= World::time(20), true);
  w.input(20, TimeUpTo{});
  EXPECT_EQ(w.figures().missed, 0);
  w.pass(20);
  EXPECT_EQ(w.figures().missed, 1);
  EXPECT_EQ(w.figures().waiting, 1);
  w.answered(500, "c1");
  EXPECT_EQ(w.figures().missed, 1);
  EXPECT_EQ(w.figures().answered, 1);
  expect_balance(w.figures());
}

TEST(Offer, TakesBackAMissWhenTheAnswerIsLearntLate) {
  World w;
  w.offered(0, "c1", "sales");
  w.pass(21);
  EXPECT_EQ(w.figures().missed, 1);
  Event late;
  late.kind = EventKind::answered;
  late.at = World::time(19.9);
  late.source = "pbx";
  late.contact = "c1";
  w.input(21, late);
  EXPECT_EQ(w.figures().missed, 0);
  EXPECT_EQ(w.figures().met, 1);
  EXPECT_EQ(w.engine.totals().corrected, 1);
}

TEST(Offer, FollowsTheAbandonPolicy) {
  for (const auto& [policy, met, missed] : {std::tuple(Abandons::ignored, 0, 0), std::tuple(Abandons::negative, 0, 1),
                                            std::tuple(Abandons::positive, 1, 0)}) {
    Config config = small_config();
    config.services[0].abandons = policy;
    World w(std::move(config));
    w.offered(0, "short", "sales");
    w.abandoned(4.9, "short");
    w.offered(10, "within", "sales");
    w.abandoned(25, "within");
    const Figures f = w.figures();
    EXPECT_EQ(f.met, met);
    EXPECT_EQ(f.missed, missed);
    EXPECT_EQ(f.abandoned, 2);
    EXPECT_EQ(f.short_abandons, 1);
    expect_balance(f);
  }
}

TEST(Offer, IsMissedWhenTheQueueThrowsTheCallerOut) {
  World w;
  w.offered(0, "c1", "sales");
  w.forwarded(15, "c1", ForwardReason::timeout);
  EXPECT_EQ(w.figures().missed, 1);
  EXPECT_EQ(w.figures().forwarded_failure, 1);
  w.offered(20, "c2", "sales");
  w.forwarded(25, "c2", ForwardReason::key);
  EXPECT_EQ(w.figures().missed, 1);
  EXPECT_EQ(w.figures().forwarded_choice, 1);
  expect_balance(w.figures());
}

TEST(Offer, StaysOneWhenTheCallerMovesOnWithinTheSegment) {
  for (const bool announced : {true, false}) {
    World w;
    w.offered(0, "c1", "sales");
    w.forwarded(9, "c1", ForwardReason::timeout, announced ? "offers" : "");
    expect_balance(w.figures());
    w.offered(9.01, "c1", "offers");
    expect_balance(w.figures());
    w.answered(19, "c1");
    const SegmentView v = w.view();
    EXPECT_EQ(v.figures.offered, 1);
    EXPECT_EQ(v.figures.answered, 1);
    EXPECT_EQ(v.figures.forwarded, 0);
    EXPECT_EQ(v.figures.met, 1);
    EXPECT_EQ(v.figures.missed, 0);
    EXPECT_EQ(v.figures.asa_s, 19);
    ASSERT_EQ(v.queues.size(), 2U);
    EXPECT_EQ(v.queues[0].figures.offered, 1);
    EXPECT_EQ(v.queues[0].figures.forwarded, 1);
    EXPECT_EQ(v.queues[1].figures.answered, 1);
    EXPECT_NEAR(v.queues[1].figures.asa_s.value(), 9.99, 1e-9);
  }
}

TEST(Offer, IsForwardedWhenTheCallerDoesNotArriveInTheOtherQueue) {
  World w;
  w.offered(0, "c1", "sales");
  w.forwarded(9, "c1", ForwardReason::timeout, "offers");
  w.pass(12);
  EXPECT_EQ(w.figures().forwarded, 1);
  EXPECT_EQ(w.figures().missed, 1);
  expect_balance(w.figures());
}

TEST(Offer, IsDecidedWhereTheCallerIsAnsweredAfterAnAgreedOverflow) {
  World w;
  w.offered(0, "c1", "sales");
  w.forwarded(10, "c1", ForwardReason::timeout, "dealers");
  w.offered(10, "c1", "dealers");
  EXPECT_EQ(w.figures("sales").missed, 0);
  EXPECT_EQ(w.figures("sales").forwarded_agreed, 1);
  EXPECT_EQ(w.figures("dealers").overflow_in, 1);
  w.pass(25);
  EXPECT_EQ(w.figures("sales").missed, 1);
  EXPECT_EQ(w.figures("dealers").missed, 0);
  w.answered(28, "c1");
  EXPECT_EQ(w.figures("dealers").met, 1);
  EXPECT_EQ(w.figures("sales").missed, 1);
  expect_balance(w.figures("sales"));
  expect_balance(w.figures("dealers"));
}

TEST(Offer, BeginsAnewWhenACallComesBackAfterAnAnswer) {
  World w;
  w.offered(0, "c1", "sales");
  w.answered(5, "c1");
  w.at(65, EventKind::transferred, "c1");
  w.offered(65, "c1", "sales");
  w.pass(90);
  const Figures f = w.figures();
  EXPECT_EQ(f.offered, 2);
  EXPECT_EQ(f.transferred_in, 1);
  EXPECT_EQ(f.met, 1);
  EXPECT_EQ(f.missed, 1);
  EXPECT_EQ(f.aht_s, 60);
  expect_balance(f);
}

TEST(Offer, IsKeptApartBySource) {
  World w;
  Event other;
  other.source = "pbx2";
  other.queue = "sales";
  w.offered(0, "c1", "sales");
  w.at(1, EventKind::offered, "c1", other);
  w.answered(2, "c1");
  EXPECT_EQ(w.figures().offered, 2);
  EXPECT_EQ(w.figures().answered, 1);
  EXPECT_EQ(w.figures().waiting, 1);
  ASSERT_EQ(w.view().queues.size(), 2U);
  EXPECT_EQ(w.view().queues[1].id, "pbx2/sales");
}

TEST(Offer, BecomesUnknownAndWidensTheBounds) {
  World w;
  w.offered(0, "c1", "sales");
  w.answered(1, "c1");
  w.offered(2, "c2", "sales");
  w.at(3, EventKind::outcome_unknown, "c2");
  const Figures f = w.figures();
  EXPECT_EQ(f.unknown, 1);
  EXPECT_EQ(f.service_level, 1);
  EXPECT_EQ(f.service_level_low, 0.5);
  EXPECT_EQ(f.service_level_high, 1);
  expect_balance(f);
}

TEST(Offer, ExpiresWhenNothingIsHeardOfItAnyMore) {
  World w;
  w.offered(0, "c1", "sales");
  w.pass(4 * 3600 + 1);
  EXPECT_EQ(w.figures().waiting, 0);
  EXPECT_EQ(w.figures().unknown, 1);
  EXPECT_EQ(w.engine.totals().live_contacts, 0);
}

TEST(Rejection, CountsAsOfferedForwardedAndMissed) {
  World w;
  Event full;
  full.queue = "sales";
  full.forward_reason = ForwardReason::full;
  w.at(0, EventKind::rejected, "c1", full);
  EXPECT_EQ(w.figures().offered, 1);
  EXPECT_EQ(w.figures().forwarded_failure, 1);
  EXPECT_EQ(w.figures().missed, 1);
  expect_balance(w.figures());
}

TEST(Resync, EndsWhatTheListingDoesNotName) {
  World w;
  w.offered(0, "stays", "sales");
  w.offered(0, "goes", "sales");
  w.at(5, EventKind::resync_begin, "");
  w.offered(5, "stays", "sales");
  const std::string_view there[] = {"stays"};
  Event end;
  end.list = there;
  w.at(5, EventKind::resync_end, "", end);
  EXPECT_EQ(w.figures().waiting, 1);
  EXPECT_EQ(w.figures().unknown, 1);
  EXPECT_EQ(w.engine.totals().contradictions, 0);
  expect_balance(w.figures());
}

TEST(Resync, FindsACallAnsweredInAnotherQueue) {
  World w;
  w.offered(0, "moved", "sales");
  w.offered(0, "talks", "sales");
  w.answered(3, "talks");
  w.at(60, EventKind::resync_begin, "");
  Event there;
  there.queue = "dealers";
  w.at(50, EventKind::answered, "moved", there);
  there.queue = "sales";
  w.at(50, EventKind::answered, "talks", there);
  EXPECT_EQ(w.figures().answered, 1);
  EXPECT_EQ(w.figures().unknown, 1);
  EXPECT_EQ(w.figures().forwarded, 0);
  EXPECT_EQ(w.figures("dealers").offered, 1);
  EXPECT_EQ(w.figures("dealers").answered, 1);
  EXPECT_EQ(w.engine.totals().contradictions, 0);
  expect_balance(w.figures());
  expect_balance(w.figures("dealers"));
}

TEST(Item, IsMissedAtItsDueInstantAndCorrectedByAReopening) {
  World w;
  Event mail;
  mail.queue = "letters";
  w.at(0, EventKind::received, "w1", mail);
  w.at(0, EventKind::received, "w2", mail);
  w.at(1800, EventKind::completed, "w1");
  EXPECT_EQ(w.figures().items_met, 1);
  EXPECT_EQ(w.figures().backlog, 1);
  EXPECT_EQ(w.figures().oldest_age_s, 1800);
  w.pass(3600);
  EXPECT_EQ(w.figures().items_missed, 1);
  EXPECT_EQ(w.figures().overdue, 1);
  EXPECT_EQ(w.figures().on_time_rate, 0.5);
  w.at(4000, EventKind::reopened, "w1");
  EXPECT_EQ(w.figures().items_met, 0);
  EXPECT_EQ(w.figures().items_missed, 2);
  EXPECT_EQ(w.figures().overdue, 2);
  w.at(4100, EventKind::completed, "w1");
  w.at(4100, EventKind::completed, "w2");
  EXPECT_EQ(w.figures().backlog, 0);
  EXPECT_EQ(w.figures().overdue, 0);
  EXPECT_EQ(w.figures().items_missed, 2);
}

TEST(Item, ClockStandsStillWhileItIsPaused) {
  World w;
  Event mail;
  mail.queue = "letters";
  w.at(0, EventKind::received, "w1", mail);
  w.at(600, EventKind::paused, "w1");
  w.pass(5000);
  EXPECT_EQ(w.figures().items_missed, 0);
  w.at(5000, EventKind::resumed, "w1");
  w.at(5000 + 2999, EventKind::completed, "w1");
  EXPECT_EQ(w.figures().items_met, 1);
}

TEST(Alert, FiresAtTheThresholdWithEvidenceAndResolvesOnlyAfterRecovery) {
  World w;
  w.offered(0, "c1", "sales");
  w.offered(1, "c2", "sales");
  w.pass(21);
  auto alerts = w.take_alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].state, AlertState::firing);
  EXPECT_EQ(alerts[0].changed, World::time(21));
  EXPECT_EQ(alerts[0].evidence, (std::vector<std::string>{"pbx/c1", "pbx/c2"}));
  EXPECT_EQ(alerts[0].value, 0);
  EXPECT_EQ(alerts[0].samples, 2);
  w.answered(30, "c1");
  w.answered(30, "c2");
  for (int i = 0; i < 12; ++i) {  // the tenth, at second 49, makes it 10 of 12: above 82 %
    const std::string id = "n" + std::to_string(i);
    w.offered(40 + i, id, "sales");
    w.answered(40 + i, id);
  }
  EXPECT_TRUE(w.take_alerts().empty());
  w.pass(49 + 119);
  EXPECT_TRUE(w.take_alerts().empty());
  w.pass(49 + 120);
  alerts = w.take_alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].state, AlertState::resolved);
}

TEST(Alert, DoesNotResolveWhenTheSourceIsLost) {
  World w;
  w.offered(0, "c1", "sales");
  w.offered(1, "c2", "sales");
  w.pass(22);
  ASSERT_EQ(w.take_alerts().size(), 1U);
  w.input(30, SourceLost{"pbx", "cut"});
  bool stale = false;
  for (const Alert& alert : w.take_alerts()) stale = stale || (alert.kind == AlertKind::sla_breach && alert.stale);
  EXPECT_TRUE(stale);
  w.pass(3 * 3600);
  for (const Alert& alert : w.take_alerts()) EXPECT_NE(alert.state, AlertState::resolved);
  EXPECT_TRUE(w.view().stale);
}

TEST(Alert, IsNotSaidAgainWhileAcknowledged) {
  World w;
  w.offered(0, "c1", "sales");
  w.offered(1, "c2", "sales");
  w.pass(21);
  const auto alerts = w.take_alerts();
  ASSERT_EQ(alerts.size(), 1U);
  w.input(60, Acknowledge{alerts[0].id, "Anna", "on it", std::nullopt});
  EXPECT_TRUE(w.engine.last_acknowledge().done);
  const auto said = w.take_alerts();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].acknowledged->by, "Anna");
  w.pass(3600);
  EXPECT_TRUE(w.take_alerts().empty());
  w.input(3600, Acknowledge{"nonsense", "Anna", "", std::nullopt});
  EXPECT_FALSE(w.engine.last_acknowledge().done);
}

TEST(Agents, CountOncePerPoolAndPerSegment) {
  World w;
  const std::string_view queues[] = {"sales", "offers", "dealers"};
  Event in;
  in.agent = "a1";
  in.list = queues;
  w.at(0, EventKind::logged_in, "", in);
  EXPECT_EQ(w.view("sales").agents.available, 1);
  EXPECT_EQ(w.view("dealers").agents.available, 1);
  EXPECT_EQ(w.engine.view_staffing(0, w.engine.now()).agents.logged_in, 1);
  w.offered(1, "c1", "sales");
  w.answered(2, "c1", "a1");
  EXPECT_EQ(w.view("dealers").agents.busy, 1);
  w.at(3, EventKind::ended, "c1");
  EXPECT_EQ(w.view("dealers").agents.available, 1);
}

TEST(Figures, AreKeptForCalendarPeriodsAndTheWindowsOfObjectives) {
  Config config = small_config();
  config.contracts[0].objectives[0].window.length = std::chrono::minutes(10);
  World w(std::move(config));
  const auto rolling = [](int minutes) { return Window{Window::Kind::rolling, std::chrono::minutes(minutes), {}}; };
  EXPECT_TRUE(w.engine.keeps(0, Window{}));
  EXPECT_TRUE(w.engine.keeps(0, rolling(10)));
  EXPECT_TRUE(w.engine.keeps(0, rolling(30)));
  EXPECT_FALSE(w.engine.keeps(0, rolling(120)));
  EXPECT_FALSE(w.engine.keeps(0, {Window::Kind::now, {}, {}}));
}

TEST(Reconfigure, KeepsWhatKeepsItsName) {
  World w;
  w.offered(0, "c1", "sales");
  w.offered(1, "c2", "sales");
  w.answered(2, "c2");
  w.pass(21);
  Config config = small_config();
  config.contracts[0].objectives[0].target = 0.4;
  w.engine.reconfigure(std::move(config), World::time(22), w.decisions);
  Figures f = w.figures();
  EXPECT_EQ(f.offered, 2);
  EXPECT_EQ(f.waiting, 1);
  EXPECT_EQ(f.missed, 1);
  expect_balance(f);
  w.answered(30, "c1");
  f = w.figures();
  EXPECT_EQ(f.answered, 2);
  EXPECT_EQ(f.missed, 1);
  expect_balance(f);
  EXPECT_EQ(w.view().objectives[0].target, 0.4);
}

TEST(Reconfigure, WaitsForNobodyInAServiceThatChangesItsMedium) {
  World w;
  w.offered(0, "c1", "sales");
  Event item;
  item.queue = "letters";
  w.at(1, EventKind::received, "i1", item);
  Config config = small_config();
  config.contracts[0].objectives.clear();
  std::swap(config.services[0].medium, config.services[1].medium);
  w.engine.reconfigure(std::move(config), World::time(2), w.decisions);
  const Figures f = w.figures();
  EXPECT_EQ(f.waiting, 0);
  EXPECT_EQ(f.backlog, 0);
  w.answered(3, "c1");
  w.at(4, EventKind::completed, "i1");
  EXPECT_EQ(w.figures().waiting, 0);
}

TEST(Reconfigure, LeavesAnItemAsideThatLeftTheCatalogue) {
  World w;
  Event item;
  item.queue = "letters";
  w.at(0, EventKind::received, "i1", item);
  item.service = "phone";
  w.at(1, EventKind::reclassified, "i1", item);
  EXPECT_EQ(w.figures().backlog, 0);
  w.engine.reconfigure(small_config(), World::time(2), w.decisions);
  EXPECT_EQ(w.figures().backlog, 0);
}

TEST(Reconfigure, ForgetsInTimeTheItemsOfASegmentThatIsGone) {
  World w;
  Event item;
  item.queue = "letters";
  w.at(0, EventKind::received, "i1", item);
  Config config = small_config();
  config.segments.erase(config.segments.begin());
  config.contracts[0].segments = config.pools[0].segments = {"dealers"};
  w.engine.reconfigure(std::move(config), World::time(2), w.decisions);
  EXPECT_EQ(w.engine.totals().live_contacts, 1);
  w.at(3, EventKind::completed, "i1");
  w.pass(4 * 3600);
  EXPECT_EQ(w.engine.totals().live_contacts, 1);
  w.pass(4 * 3600 + 3);
  EXPECT_EQ(w.engine.totals().live_contacts, 0);
}

TEST(Data, ThatContradictsIsCountedAndChangesNothing) {
  World w;
  w.answered(0, "nobody");
  w.offered(1, "c1", "sales");
  w.offered(2, "c1", "sales");
  w.answered(3, "c1");
  w.abandoned(4, "c1");
  w.offered(5, "c2", "nowhere");
  EXPECT_EQ(w.engine.totals().unknown_contacts, 1);
  EXPECT_EQ(w.engine.totals().contradictions, 3);
  EXPECT_EQ(w.engine.totals().unrouted, 1);
  ASSERT_EQ(w.engine.unrouted().size(), 1U);
  EXPECT_EQ(w.engine.unrouted()[0].id, "pbx/nowhere");
  expect_balance(w.figures());
}

void restart(World& w) {
  std::string bytes;
  w.engine.save([&bytes](std::string_view piece) { bytes += piece; });
  w.engine = Engine::load(bytes, {false, false});
}

TEST(Names, WithoutEndAreCountedTogether) {
  test::World world;
  for (int i = 0; i < 1'200; ++i) {
    const std::string contact = "c" + std::to_string(i), queue = "q" + std::to_string(i),
                      site = "s" + std::to_string(i);
    world.offered(1, contact, queue);
    Event event;
    event.site = site;
    event.queue = "sales";
    world.at(1, EventKind::offered, "d" + std::to_string(i), event);
  }
  EXPECT_EQ(world.engine.unrouted().back().id, "pbx/…");
  EXPECT_EQ(world.engine.unrouted().size(), 1'001U);
  std::int64_t unrouted = 0;
  for (const UnroutedView& each : world.engine.unrouted()) unrouted += each.events;
  EXPECT_EQ(unrouted, 1'200) << "all are counted";
  EXPECT_EQ(world.view().sites.size(), 65U);
  EXPECT_EQ(world.view().sites.back().id, "…");
  EXPECT_EQ(world.view().sites.back().figures.offered, 1'136);
  world.offered(2, "e", "offers");
  EXPECT_EQ(world.view().figures.offered, 1'201) << "a queue that the configuration names is always known";
  // A queue that is named from now on, and one that no longer is: the others keep their places.
  Config config = test::small_config();
  config.segments[0].queues.pop_back();
  config.segments[0].queues.push_back({"", "q3", ""});
  world.engine.reconfigure(config, test::World::time(3), world.decisions);
  world.offered(4, "f", "q3");
  world.offered(4, "g", "q1199");
  EXPECT_EQ(world.view().figures.offered, 1'202);
}

TEST(Names, OfSitesAreFewInASegmentButForThoseOfTheConfiguration) {
  Config config = small_config();
  config.pools[0].sites = {"kiel"};
  World w(config);
  const auto at_sites = [&w](double second, std::string_view queue, const std::vector<std::string>& sites) {
    for (const std::string& site : sites) {
      Event event;
      event.queue = queue;
      event.site = site;
      w.at(second, EventKind::offered, std::string(queue) + site + std::to_string(second), event);
    }
  };
  const auto shown = [&w](std::string_view segment) {
    std::vector<std::string> all;
    std::int64_t offered = 0;
    for (const ScopeView& each : w.view(segment).sites) {
      all.push_back(each.id);
      offered += each.figures.offered;
    }
    EXPECT_EQ(offered, w.figures(segment).offered);
    return all;
  };
  std::vector<std::string> sites;
  for (int i = 0; i < 64; ++i) sites.push_back("s" + std::to_string(i));
  at_sites(1, "sales", sites);
  EXPECT_EQ(shown("sales"), sites);
  at_sites(2, "sales", {"s64", "kiel", "s65", "s0"});
  sites.insert(sites.end(), {"…", "kiel"});
  EXPECT_EQ(shown("sales"), sites);
  at_sites(3, "dealers", {"s64"});
  EXPECT_EQ(shown("dealers"), std::vector<std::string>{"s64"}) << "each segment has room for its own";
  // What a site has counted stays with it when the configuration no longer names it.
  config.pools[0].sites.clear();
  w.engine.reconfigure(config, World::time(4), w.decisions);
  at_sites(5, "sales", {"kiel", "s66", "s1"});
  EXPECT_EQ(shown("sales"), sites);
  EXPECT_EQ(w.view().sites[64].figures.offered, 3);
  EXPECT_EQ(w.view().sites[65].figures.offered, 2);
}

TEST(Names, OfOneSourceLeaveThoseOfOthersTheirPlaces) {
  Config config = small_config();
  config.sources = {{"pbx2", "hamburg"}};
  config.pools[0].sites = {"kiel"};
  World w(config);
  const auto offered = [&w](double second, const std::string& contact, std::string_view source, std::string_view site,
                            std::string_view queue = "sales") {
    Event event;
    event.source = source;
    event.site = site;
    event.queue = queue;
    w.at(second, EventKind::offered, contact, event);
  };
  const auto calls_of = [&w](std::string_view site) -> std::int64_t {
    for (const ScopeView& each : w.view().sites)
      if (each.id == site) return each.figures.offered;
    return 0;
  };
  for (int i = 0; i < 2'000; ++i) {
    const std::string n = std::to_string(i);
    offered(1, "a" + n, "inventive", "site" + n, "queue" + n);
  }
  offered(2, "1", "pbx2", "");
  offered(2, "2", "pbx2", "berlin");
  offered(2, "3", "inventive", "kiel");
  offered(2, "4", "inventive", "site2000");
  offered(2, "5", "pbx2", "", "forgotten");
  for (const std::string_view site : {"hamburg", "berlin", "kiel", "…"}) EXPECT_EQ(calls_of(site), 1) << site;
  EXPECT_EQ(w.engine.unrouted().back().id, "pbx2/forgotten");
  // A new configuration and a restart change nothing in it; a site that is configured now has its place.
  config.sources[0].site = "site2001";
  w.engine.reconfigure(config, World::time(3), w.decisions);
  restart(w);
  offered(4, "6", "inventive", "site2002");
  offered(4, "7", "inventive", "site2001");
  offered(4, "8", "pbx2", "berlin");
  offered(4, "9", "inventive", "", "queue2000");
  EXPECT_EQ(calls_of("…"), 2);
  EXPECT_EQ(calls_of("site2001"), 1);
  EXPECT_EQ(calls_of("berlin"), 2);
  EXPECT_EQ(w.engine.unrouted().size(), 1'002U);
}

/// The remarks of this kind.
std::vector<std::string> remarks(const World& w, std::string_view kind) {
  std::vector<std::string> texts;
  for (const Decision& decision : w.decisions)
    if (const auto* remark = std::get_if<Remark>(&decision); remark != nullptr && remark->kind == kind)
      texts.push_back(remark->text);
  return texts;
}

TEST(Limit, OfLiveContactsIsOfEachSource) {
  Config config = small_config();
  config.max_contacts = 3;
  World w(config);
  const auto received = [&w](double second, const std::string& contact) {
    Event event;
    event.queue = "letters";
    w.at(second, EventKind::received, contact, event);
  };
  for (int i = 1; i <= 2; ++i) w.offered(i, "c" + std::to_string(i), "sales");
  received(3, "i1");
  w.offered(4, "c3", "sales");
  received(5, "i2");
  w.answered(6, "c3");
  EXPECT_EQ(w.engine.totals().live_contacts, 3);
  EXPECT_EQ(w.engine.totals().over_max_contacts, 2);
  EXPECT_EQ(w.engine.totals().unknown_contacts, 1) << "what is left out is not known";
  EXPECT_EQ(w.engine.view_source(0, World::time(6)).over_limit, 2);
  ASSERT_EQ(remarks(w, "max_contacts").size(), 1U) << "told once a minute";
  EXPECT_NE(remarks(w, "max_contacts")[0].find("source pbx"), std::string::npos);
  Event elsewhere;
  elsewhere.source = "pbx2";
  elsewhere.queue = "sales";
  w.at(7, EventKind::offered, "c3", elsewhere);
  EXPECT_EQ(w.figures().offered, 3);
  restart(w);
  w.abandoned(10, "c1");
  received(11, "i3");
  w.offered(12, "c4", "sales");
  EXPECT_EQ(w.figures().backlog, 2) << "one that ends leaves room for one";
  EXPECT_EQ(w.figures().offered, 3);
  w.at(13, EventKind::completed, "i1");
  config.max_contacts = 1;  // who is there stays
  w.engine.reconfigure(config, World::time(14), w.decisions);
  EXPECT_EQ(w.engine.totals().live_contacts, 3);
  w.answered(15, "c2");
  w.at(16, EventKind::ended, "c2");
  w.offered(17, "c5", "sales");
  EXPECT_EQ(w.figures().offered, 3);
  w.at(18, EventKind::completed, "i3");
  w.offered(19, "c6", "sales");
  EXPECT_EQ(w.figures().offered, 4);
  EXPECT_EQ(w.engine.totals().over_max_contacts, 4);
}

TEST(Limit, OfPeopleLeavesTheirCallsAsTheyAre) {
  Config config = small_config();
  config.max_agents = 2;
  config.expire_after = std::chrono::hours(48);
  World w(config);
  const auto logs = [&w](double second, EventKind kind, std::string_view agent, std::string_view source = "pbx") {
    static constexpr std::string_view queue = "sales";
    Event event;
    event.agent = agent;
    event.source = source;
    event.list = {&queue, 1};
    w.at(second, kind, "", event);
  };
  for (const std::string_view agent : {"a1", "a2", "a3"}) logs(1, EventKind::logged_in, agent);
  logs(1, EventKind::logged_in, "a3", "pbx2");
  EXPECT_EQ(w.engine.totals().agents, 3);
  EXPECT_EQ(w.view().agents.available, 3);
  EXPECT_EQ(w.engine.totals().over_max_agents, 1);
  EXPECT_EQ(remarks(w, "max_agents").size(), 1U);
  w.offered(2, "c1", "sales");
  Event ringing;
  ringing.agent = "a3";
  w.at(3, EventKind::ringing, "c1", ringing);
  w.answered(4, "c1", "a3");
  EXPECT_EQ(w.figures().answered, 1);
  EXPECT_EQ(w.view().agents.available, 3);
  w.answered(5, "c1", "a1");  // handed on to one who is known, and back
  EXPECT_EQ(w.view().agents.busy, 1);
  w.answered(6, "c1", "a3");
  EXPECT_EQ(w.view().agents.available, 3);
  w.at(7, EventKind::wrap_up_ended, "c1", ringing);
  w.at(8, EventKind::ended, "c1");
  EXPECT_EQ(w.figures().handled, 1);
  EXPECT_EQ(w.engine.totals().over_max_agents, 5);
  restart(w);
  config.max_agents = 1;
  w.engine.reconfigure(config, World::time(9), w.decisions);
  EXPECT_EQ(w.view().agents.available, 3);
  logs(10, EventKind::logged_out, "a1");
  logs(11, EventKind::logged_out, "a2");
  logs(12, EventKind::logged_in, "a4");
  EXPECT_EQ(w.view().agents.logged_in, 1);
  logs(26 * 3600, EventKind::logged_in, "a4");  // the others are forgotten
  EXPECT_EQ(w.view().agents.logged_in, 2);
  EXPECT_EQ(w.engine.totals().agents, 2);
}

TEST(People, AreForgottenADayAfterTheirLastEventUnlessTheyAreThere) {
  Config config = small_config();
  config.expire_after = std::chrono::hours(48);
  World w(std::move(config));
  const auto says = [&w](double second, EventKind kind, const std::string& agent) {
    Event event;
    event.kind = kind;
    event.at = World::time(second);
    event.source = "pbx";
    event.agent = agent;
    static constexpr std::string_view queue = "sales";
    event.list = {&queue, 1};
    w.input(second, event);
  };
  for (int i = 0; i < 20; ++i) {
    says(i, EventKind::logged_in, "yesterday" + std::to_string(i));
    if (i != 7) says(3600 + i, EventKind::logged_out, "yesterday" + std::to_string(i));
  }
  w.offered(3700, "c1", "sales");
  w.answered(3701, "c1", "yesterday9");  // and talks ever since
  EXPECT_EQ(w.engine.totals().agents, 20);
  EXPECT_EQ(w.view().agents.logged_in, 1);
  constexpr double next_day = 26 * 3600;
  for (int i = 0; i < 10; ++i) says(next_day + i, EventKind::logged_in, "today" + std::to_string(i));
  EXPECT_EQ(w.engine.totals().agents, 12);
  EXPECT_EQ(w.view().agents.logged_in, 11);
  w.at(next_day + 60, EventKind::ended, "c1");
  EXPECT_EQ(w.view().agents.logged_in, 11);
}

/// Where overflow is agreed both ways a call may go back and forth without end.
TEST(Offer, IsAnOrdinaryOneAfterSixteenAgreedOverflows) {
  Config config = small_config();
  config.segments[1].overflow_to = {"sales"};
  std::size_t sizes[2] = {};
  for (const int moves : {17, 1700}) {
    SCOPED_TRACE(moves);
    World w(config);
    w.offered(0, "c1", "sales");
    const auto queue = [](int move) { return move % 2 == 0 ? "dealers" : "sales"; };
    for (int i = 0; i < moves; ++i) {
      w.forwarded(0.001 * i, "c1", ForwardReason::timeout, queue(i));
      EXPECT_EQ(w.engine.totals().contradictions, (i + 1) / 17) << i;
      w.offered(0.001 * i, "c1", queue(i));
    }
    const int chains = moves / 17;
    w.answered(2, "c1");
    w.at(3, EventKind::answer_retracted, "c1");
    w.answered(4, "c1");
    const Figures sales = w.figures("sales"), dealers = w.figures("dealers");
    expect_balance(sales);
    expect_balance(dealers);
    EXPECT_EQ(sales.offered + dealers.offered, moves + 1);
    EXPECT_EQ(sales.forwarded_agreed + dealers.forwarded_agreed, moves - chains);
    EXPECT_EQ(sales.forwarded_failure + dealers.forwarded_failure, chains);
    EXPECT_EQ(sales.missed + dealers.missed, chains * 17);  // lost where it left, with all that had passed it on
    EXPECT_EQ(sales.met + dealers.met, 1);
    w.engine.save([&](std::string_view piece) { sizes[moves == 17 ? 0 : 1] += piece.size(); });
  }
  EXPECT_LT(sizes[1], sizes[0] + 1000);
}

}  // namespace
}  // namespace reach::test
