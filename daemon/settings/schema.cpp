#include "daemon/settings/schema.hpp"

#include "daemon/settings/endpoint.hpp"
#include "daemon/settings/hours.hpp"
#include "daemon/settings/reference.hpp"

namespace reach::settings {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

const std::string name_form = "a name of letters, digits, '.', '_' and '-'";
const std::string names_form = "a list of names, such as [\"key-accounts\"]";
const std::string queues_form =
    "a list of \"QUEUE\", \"SOURCE/QUEUE\" or { queue = \"QUEUE\", source = \"SOURCE\", service = \"SERVICE\" }";
const std::string open_form = "a list such as [\"Mon-Fri 08:00-18:00\", \"Sat 09:00-13:00\"]";
const std::string holidays_form =
    "a list such as [2026-12-25, { date = 2026-12-24, name = \"Christmas Eve\", open = \"08:00-12:00\" }]";

std::optional<std::string> opening_problem(const std::string& line) {
  std::array<Calendar::Day, 7> week;
  return add_opening(line, week);
}

// ---- queues of a segment
// -----------------------------------------------------------------------------------------------

const Section<QueueRoute>& queue_section() {
  static const Section<QueueRoute> section{"queues",
                                           "",
                                           {{"queue", text(&QueueRoute::queue, "the name of a queue"), "", "", true},
                                            {"source", id(&QueueRoute::source, name_form), ""},
                                            {"service", id(&QueueRoute::service, name_form), ""}}};
  return section;
}

Form<SegmentConfig> queues() {
  return {
      queues_form,
      [](SegmentConfig& into, std::string_view key, const toml::node& value, std::size_t document, Checker& checker) {
        const auto* list = value.as_array();
        if (list == nullptr) return say_bad(checker, document, key, value, "is no list", queues_form);
        for (const auto& element : *list) {
          QueueRoute route;
          if (const auto* table = element.as_table()) {
            read_table(queue_section(), Spot{document, table}, route, checker);
          } else if (auto name = ValueReader{key, element, document, checker, queues_form}.text()) {
            const auto slash = name->find('/');
            if (slash != std::string::npos) route.source = name->substr(0, slash);
            route.queue = slash == std::string::npos ? *name : name->substr(slash + 1);
            if (slash == 0 || route.queue.empty()) {
              say_bad(checker, document, key, element, "lacks the source or the queue", queues_form);
            }
          }
          into.queues.push_back(std::move(route));  // bad ones too: indexes stay those of the list
        }
      },
      [](const SegmentConfig&) { return std::string(); }};
}

// ---- holidays of a calendar
// --------------------------------------------------------------------------------------------

std::optional<std::chrono::sys_days> date_from(const toml::node& value) {
  if (const auto* date = value.as_date()) {
    if (date->get().year < 1678 || date->get().year > 2261) return std::nullopt;  // as parse_rfc3339()
    return std::chrono::sys_days(std::chrono::year(date->get().year) / date->get().month / date->get().day);
  }
  const auto* text = value.as_string();
  if (text == nullptr || text->get().size() != 10) return std::nullopt;
  const auto midnight = parse_rfc3339(text->get() + "T00:00:00Z");
  if (!midnight) return std::nullopt;
  return std::chrono::floor<days>(*midnight);
}

struct HolidayTable : HolidayDraft {
  bool dated = false;
};

const Section<HolidayTable>& holiday_section() {
  using Reader = std::function<void(HolidayTable&, std::string_view, const toml::node&, std::size_t, Checker&)>;
  const auto none = [](const HolidayTable&) { return std::string(); };
  const Reader read_date = [](HolidayTable& into, std::string_view key, const toml::node& value, std::size_t document,
                              Checker& checker) {
    const auto date = date_from(value);
    into.dated = date.has_value();
    if (date) into.date = *date;
    if (!date) say_bad(checker, document, key, value, "is no date", "a date, such as 2026-12-24");
  };
  const Reader read_open = [](HolidayTable& into, std::string_view key, const toml::node& value, std::size_t document,
                              Checker& checker) {
    const std::string expected = "hours, such as \"08:00-12:00\" or \"08:00-12:00,13:00-16:00\"";
    const auto* text = value.as_string();
    if (text == nullptr) return say_bad(checker, document, key, value, "is no text", expected);
    if (const auto problem = add_hours(text->get(), into.hours)) {
      say_bad(checker, document, key, value, *problem, expected);
    }
  };
  static const Section<HolidayTable> section{
      "holidays",
      "",
      {{"date", {"a date, such as 2026-12-24", read_date, none}, "", "", true},
       {"name",
        {"text",
         [](HolidayTable& into, std::string_view key, const toml::node& value, std::size_t document, Checker& checker) {
           if (auto name = ValueReader{key, value, document, checker, "the name of the day"}.text()) {
             into.name = *name;
           }
         },
         none},
        ""},
       {"open", {"hours, such as \"08:00-12:00\"", read_open, none}, ""}}};
  return section;
}

Form<CalendarDraft> holidays() {
  return {
      holidays_form,
      [](CalendarDraft& into, std::string_view key, const toml::node& value, std::size_t document, Checker& checker) {
        const auto* list = value.as_array();
        if (list == nullptr) return say_bad(checker, document, key, value, "is no list", holidays_form);
        for (const auto& element : *list) {
          HolidayTable holiday;
          holiday.place = place_of(document, element.source());
          if (const auto* table = element.as_table()) {
            read_table(holiday_section(), Spot{document, table}, holiday, checker);
          } else if (const auto date = date_from(element)) {
            holiday.date = *date;
            holiday.dated = true;
          } else {
            say_bad(checker, document, key, element, "is no date", holidays_form);
          }
          if (holiday.dated) into.holidays.push_back(holiday);
        }
      },
      [](const CalendarDraft&) { return std::string("[]"); }};
}

// ---- values of objectives
// ----------------------------------------------------------------------------------------------

/// A ratio, a count, or seconds (as a number or as a span): which of them fits is known with the figure, in resolve().
Form<ObjectiveConfig> value_of_figure(double ObjectiveConfig::*member) {
  const std::string expected = "a ratio such as 0.8, a span such as \"2m\" (or seconds) or a count, by the figure";
  return {expected,
          [=](ObjectiveConfig& into, std::string_view key, const toml::node& value, std::size_t document,
              Checker& checker) {
            if (value.is_number()) {
              into.*member = value.value<double>().value_or(0);
              return;
            }
            const auto* text = value.as_string();
            const auto span = text == nullptr ? std::nullopt : parse_duration(text->get());
            if (!span)
              return say_bad(checker, document, key, value, "is neither a number nor a span of time", expected);
            into.*member = seconds_of(*span);
          },
          [](const ObjectiveConfig&) { return std::string(); }};
}

Form<ObjectiveConfig> window() {
  const std::string expected =
      "a span from 1s to 31d such as \"30m\", or \"now\", \"15m interval\", \"30m interval\", \"hour\", \"day\", "
      "\"week\", \"month\"";
  return form(
      expected, &ObjectiveConfig::window,
      [](const ValueReader& reader) {
        const auto* text = reader.value.as_string();
        auto window = text == nullptr ? std::nullopt : window_from(text->get());
        if (!window) reader.bad("is no window");
        return window;
      },
      [](const Window&) { return std::string(); });
}

Form<ObjectiveConfig> figure() {
  std::string expected = "one of ";
  for (int i = 0; !to_text(static_cast<Figure>(i)).empty(); ++i) {
    expected += (i > 0 ? ", " : "") + std::string(to_text(static_cast<Figure>(i)));
  }
  return form(
      expected, &ObjectiveConfig::figure,
      [](const ValueReader& reader) {
        const auto* text = reader.value.as_string();
        auto figure = text == nullptr ? std::nullopt : figure_from(text->get());
        if (!figure) reader.bad("is no figure for an objective");
        return figure;
      },
      [](Figure) { return std::string(); });
}

// ---- the daemon's own
// ----------------------------------------------------------------------------------------------------

template <class Problem>
Form<DaemonSettings> endpoint(std::string DaemonSettings::*member, std::string expected, Problem problem_of) {
  return form(
      expected, member,
      [=](const ValueReader& reader) -> std::optional<std::string> {
        auto written = reader.text();
        if (!written) return std::nullopt;
        if (const auto problem = problem_of(*written)) {
          say_bad(reader.checker, reader.document, reader.key, reader.value, problem->first, problem->second);
          return std::nullopt;
        }
        return *written == "off" ? "" : *written;
      },
      [](const std::string& value) { return in_quotes(value); });
}

Form<DaemonSettings> directory(std::string DaemonSettings::*member) {
  return form(
      "the absolute path of a directory", member,
      [](const ValueReader& reader) {
        auto path = reader.text();
        if (path && !path->starts_with('/')) {
          reader.bad("is no absolute path");
          path.reset();
        }
        return path;
      },
      [](const std::string& value) { return in_quotes(value); });
}

// ---- sections
// ------------------------------------------------------------------------------------------------------------

const Section<SegmentConfig>& segment_section() {
  static const Section<SegmentConfig> section{
      "[[segment]]",
      "A customer segment: whose contacts are counted together, with standards of their own.",
      {{"id", id(&SegmentConfig::id, name_form), "what everything else calls it", "", true},
       {"name", text(&SegmentConfig::name, "text"), "what people read", "the id"},
       {"queues", queues(),
        "the PBX queues (and mailboxes) whose contacts belong to it; one with its source wins over one without; "
        "`service` routes its contacts to a service",
        "", true},
       {"overflow_to", texts(&SegmentConfig::overflow_to, names_form),
        "segments to which calls may overflow by agreement: their clock runs on instead of counting as a failure"},
       {"requeue_within", span(&SegmentConfig::requeue_within, 0s, 5min, "2s"),
        "moving on to another queue of the segment within this time is the same offer"}},
      {{"dialled", "remove it: contacts are routed to segments by queue only"},
       {"caller_class", "remove it: contacts are routed to segments by queue only"},
       {"client", "write it into the segment's [[contract]]"}}};
  return section;
}

const Section<ServiceConfig>& service_section() {
  static const Section<ServiceConfig> section{
      "[[service]]",
      "A service of the catalogue. A contact that names none belongs to the one service of its medium, or to the one "
      "its "
      "queue is routed to.",
      {{"id", id(&ServiceConfig::id, name_form), "what everything else calls it", "", true},
       {"medium", choice(&ServiceConfig::medium, {{"call", Medium::call}, {"item", Medium::item}}),
        "calls are taken at once, work items by a due time"},
       {"threshold", span(&ServiceConfig::threshold, 1ms, days(1), "20s"),
        "calls: the longest wait that still is met, the 20 of \"80/20\""},
       {"short_abandon", span(&ServiceConfig::short_abandon, 0s, days(1), "5s"),
        "calls: who gives up sooner than this counts neither for nor against; below `threshold`"},
       {"abandons",
        choice(&ServiceConfig::abandons,
               {{"ignored", Abandons::ignored}, {"negative", Abandons::negative}, {"positive", Abandons::positive}}),
        "calls: what giving up within the threshold is: not in the service level, missed, or met"},
       {"wait_clock",
        choice(&ServiceConfig::wait_clock,
               {{"contact", WaitClock::contact}, {"entry", WaitClock::entry}, {"arrival", WaitClock::arrival}}),
        "calls: the wait begins at the first queue of the offer, anew at each queue, or at the PBX"},
       {"due_in", span(&ServiceConfig::due_in, 1s, days(366), "4h"),
        "items: to be done within this business time of the contract's calendar (\"2d\" is 48 open hours)"},
       {"respond_in", span(&ServiceConfig::respond_in, 1s, days(366), "1h"),
        "items: first response within this business time; at most `due_in`", "none is promised"},
       {"reopen_within", span(&ServiceConfig::reopen_within, 0s, days(366), "7d"),
        "items: reopened within this time, the item was not done"},
       {"pausing_reasons", texts(&ServiceConfig::pausing_reasons, "a list of reasons, such as [\"customer\"]"),
        "items: pauses for these reasons stop the due clock", "every pause does"},
       {"handling", span(&ServiceConfig::handling, 1s, days(31), "4m"),
        "expected time of one person for one contact, until it has been measured"}},
      {{"price", "remove it: reports do not value services yet"},
       {"process", "remove it: reports do not group by process yet"},
       {"decides", "remove it: who may decide is not published yet"},
       {"escalates_to", "remove it: alerts are not escalated yet"}}};
  return section;
}

const Section<CalendarDraft>& calendar_section() {
  static const Section<CalendarDraft> section{
      "[[calendar]]",
      "Opening hours and holidays that contracts share, in the contract's local time.",
      {{"id", id(&CalendarDraft::id, name_form), "what contracts call it", "", true},
       {"open", texts(&CalendarDraft::open, open_form, opening_problem), "weekly opening hours",
        "open but for the holidays"},
       {"holidays", holidays(),
        "dates with other hours than the week's: closed all day, or open at the hours given (\"08:00-12:00\")"}},
      {{"timezone", "write it into the [[contract]], or at the top for all"}}};
  return section;
}

const Section<ObjectiveConfig>& objective_section() {
  static const Section<ObjectiveConfig> section{
      "[[contract.objective]]",
      "One promise of the contract. It holds for each of its segments, while they are open.",
      {{"id", id(&ObjectiveConfig::id, "a name of letters, digits, '.', '_', '-' and '/'", "/"), "what alerts call it",
        "CONTRACT/SERVICE/FIGURE/WINDOW"},
       {"service", id(&ObjectiveConfig::service, name_form), "the service it is about",
        "all services of the figure's medium"},
       {"figure", figure(), "what is promised; see figures.md", "", true},
       {"target", value_of_figure(&ObjectiveConfig::target),
        "the figure must be at least (waits, counts and abandon rate: at most) this", "", true},
       {"window", window(), "the time over which the figure is taken; figures of this instant have only \"now\"",
        "\"now\" for figures of this instant, else \"day\""},
       {"min_samples", count(&ObjectiveConfig::min_samples, 0, 1'000'000),
        "so many contacts must be decided in the window before it can breach",
        "max(10, 2 / (1 − target)) for ratios (of `abandon_rate` max(10, 2 / target)), 10 for waits, 0 for figures of "
        "this instant"},
       {"for", span(&ObjectiveConfig::hold, 0s, days(1), "1m"),
        "it must be breached for this long before the alert fires"},
       {"clear", value_of_figure(&ObjectiveConfig::clear), "the alert ends only at this value or a better one",
        "2 points better than `target` for ratios (half-way to the best where 2 points would reach it), else `target`"},
       {"clear_for", span(&ObjectiveConfig::clear_for, 0s, days(1), "2m"), "… that has lasted this long"},
       {"repeat", span(&ObjectiveConfig::repeat, 0s, days(7), "15m"),
        "a firing alert that nobody has taken is said again after this time; \"0s\": never"}},
      {{"risk_threshold", "remove it: objectives at risk are not alerted yet"},
       {"escalate_after", "remove it: alerts are not escalated yet"},
       {"receivers", "remove it: alerts go to ZeroMQ subscribers only"},
       {"clause", "remove it: alerts do not carry the clause yet"},
       {"segment", "remove it: an objective holds for every segment of its contract"}}};
  return section;
}

const Section<ContractDraft>& contract_section() {
  static const Section<ContractDraft> section{
      "[[contract]]",
      "A service contract between a client (field sales) and the team: which segments, when they are open, and what is "
      "promised.",
      {{"id", id<ContractDraft>(&ContractDraft::id, name_form), "what alerts call it", "", true},
       {"client", text<ContractDraft>(&ContractDraft::client, "text"), "the other party, for people", "none"},
       {"segments", texts<ContractDraft>(&ContractDraft::segments, names_form),
        "the segments it is about; a segment has at most one contract", "", true},
       {"open", texts(&ContractDraft::open, open_form, opening_problem),
        "weekly opening hours; win over the calendar's", "the calendar's; without one, always open"},
       {"calendar", id(&ContractDraft::calendar_id, name_form), "the [[calendar]] with its holidays", "no holidays"},
       {"timezone", text(&ContractDraft::timezone, "a time zone, such as \"Europe/Berlin\""),
        "of its opening hours and holidays", "the one at the top"},
       {"objective", tables(&ContractDraft::objective_items, objective_section()), "what is promised"}},
      {{"version", "write it into the id, such as \"key-accounts-2026\""},
       {"valid_from", "remove it: a contract holds while it is in the configuration"},
       {"valid_until", "remove it: a contract holds while it is in the configuration"},
       {"provider", "remove it: the provider is the team that runs reachd"},
       {"duty", "remove it: the client's duties are not measured yet"},
       {"holidays", "write them into a [[calendar]] and name it: calendar = \"ID\""},
       {"receivers", "remove it: alerts go to ZeroMQ subscribers only"}}};
  return section;
}

const Section<PoolConfig>& pool_section() {
  static const Section<PoolConfig> section{
      "[[pool]]",
      "The people who serve segments together, over one site or several. Without any, all segments are one pool "
      "(`all`); with one, each segment must be in exactly one.",
      {{"id", id(&PoolConfig::id, name_form), "what staffing recommendations call it", "", true},
       {"segments", texts(&PoolConfig::segments, names_form), "the segments it serves", "", true},
       {"sites", texts(&PoolConfig::sites, "a list of sites, such as [\"hamburg\"]"), "the sites its people work at",
        "every site"},
       {"shrinkage", ratio(&PoolConfig::shrinkage, 0, 1, false, "0.3"),
        "share of paid time in which people are not available (leave, illness, training)"},
       {"max_occupancy", ratio(&PoolConfig::max_occupancy, 0.01, 1, true, "0.85"),
        "recommend so many people that they are busy at most this share of the time", "no limit"},
       {"staffing_gap_for", span(&PoolConfig::staffing_gap_for, 0s, days(1), "5m"),
        "people must be missing this long before it alerts"}},
      {{"reserve", "remove it: the reserve is recommended, not configured"}}};
  return section;
}

const Section<SourceConfig>& source_section() {
  static const Section<SourceConfig> section{
      "[[source]]",
      "A PBX or another system that sends events. It need not be listed: this only adds what its events do not say.",
      {{"id", id(&SourceConfig::id, name_form), "the name its adapter uses", "", true},
       {"site", id(&SourceConfig::site, name_form), "site of its contacts and people, where the events name none",
        "none"}},
      {{"key", "remove it: a source's name stands in the .pub file of its adapter's key ([security] allowed_keys)"},
       {"endpoint", "write it into the adapter's configuration: adapters connect to reachd"}}};
  return section;
}

const Section<DaemonSettings>& endpoints_section() {
  static const std::string socket = "\"tcp://ADDRESS:PORT\" or \"ipc:///PATH\"";
  static const Section<DaemonSettings> section{
      "[endpoints]",
      "Where reachd listens. An address that other machines can reach needs [security] key_file.",
      {{"ingest", endpoint(&DaemonSettings::ingest, socket, socket_problem), "adapters send events here"},
       {"publish", endpoint(&DaemonSettings::publish, socket, socket_problem), "states and alerts, for subscribers"},
       {"query", endpoint(&DaemonSettings::query, socket, socket_problem), "questions and commands"},
       {"metrics", endpoint(&DaemonSettings::metrics, "\"http://127.0.0.1:PORT\" or \"off\"", metrics_problem),
        "/metrics for Prometheus, /healthz, /readyz; of this machine alone"},
       {"max_connections", count(&DaemonSettings::max_connections, 10, 1'000'000),
        "clients that each of the three sockets has at most, or fewer where the system grants too few descriptors; "
        "further ones are cut off at once"}},
      {{"keys", "write [security] with key_file and allowed_keys"},
       {"curve", "write [security] with key_file and allowed_keys"}},
      true};
  return section;
}

const Section<DaemonSettings>& security_section() {
  static const Section<DaemonSettings> section{
      "[security]",
      "Who may come in. With a key_file every tcp:// endpoint is encrypted and lets in allowed keys only; ipc:// is "
      "guarded by the permissions of its folder, and who reaches it may do everything.",
      {{"key_file", text(&DaemonSettings::key_file, "the path of a file"),
        "the daemon's secret key (reachctl keygen reachd --role server), not readable for others; a relative name is "
        "looked up among systemd's credentials first",
        "no keys: every tcp:// endpoint must be on loopback"},
       {"allowed_keys", directory(&DaemonSettings::allowed_keys),
        "the folder with the clients' .pub files; read again on SIGHUP, and who lost his key is cut off"}},
      {{"keys", "write allowed_keys: a folder of .pub files"}},
      true};
  return section;
}

const Section<DaemonSettings>& ingest_section() {
  static const Section<DaemonSettings> section{
      "[ingest]",
      "Limits on what adapters send.",
      {{"credit", count(&DaemonSettings::credit, 100, 1'000'000),
        "events that one adapter may have sent without an acknowledgement"},
       {"max_frame", size(&DaemonSettings::max_frame, 64 << 10, 16 << 20, "1MiB"),
        "larger messages are rejected; adapters send at most 1MiB"},
       {"wait_for_source", span(&DaemonSettings::wait_for_source, Duration{}, std::chrono::minutes(1), "3s"),
        "how long time waits for an adapter that was cut off and comes back by itself; 0s: not at all"},
       {"max_sources", count(&DaemonSettings::max_sources, 1, 100'000), "sources at most; one more is rejected"},
       {"max_rate", optional_count(&DaemonSettings::max_rate, 1, 100'000'000),
        "events (and Hellos) per second that one source may send over ten seconds; beyond it waits and sends again, "
        "nothing is lost",
        "no limit"},
       {"max_contacts", count(&DaemonSettings::max_contacts, 1, 100'000'000),
        "calls and work items of one source that have not ended; a further one is left out of all figures, counted and "
        "told"},
       {"max_agents", count(&DaemonSettings::max_agents, 1, 100'000'000),
        "people of one source heard of within a day, or logged in; a further one is left out of all figures, counted "
        "and told"}},
      {},
      true};
  return section;
}

const Section<DaemonSettings>& publish_section() {
  static const Section<DaemonSettings> section{
      "[publish]",
      "What subscribers get.",
      {{"interval", span(&DaemonSettings::publish_interval, 10ms, 1min, "250ms"),
        "the state of a segment goes out at most this often; alerts always go at once"},
       {"max_subscriptions", count(&DaemonSettings::max_subscriptions, 10, 1'000'000),
        "topics that one subscriber asks for at most; with more it is cut off"},
       {"subscriber_queue", count(&DaemonSettings::subscriber_queue, 100, 1'000'000),
        "messages that wait for a slow subscriber; what comes then is lost to it, and it notices by the numbers"}},
      {},
      true};
  return section;
}

const Section<DaemonSettings>& event_log_section() {
  static const Section<DaemonSettings> section{
      "[event_log]",
      "The record of all events, from which everything can be worked out again.",
      {{"directory", directory(&DaemonSettings::log_directory), "where its files lie"},
       {"file_size", size(&DaemonSettings::log_file_size, std::int64_t{1} << 20, std::int64_t{1} << 30, "64MiB"),
        "a file of this size is closed and the next begins"},
       {"snapshot_every", size(&DaemonSettings::snapshot_every, std::int64_t{1} << 20, std::int64_t{1} << 34, "64MiB"),
        "after so much of log (or as much as a snapshot is large) the whole state is written too: what a start reads "
        "at "
        "most"},
       {"retain_for", span(&DaemonSettings::log_retain_for, days(1), days(3660), "400d"), "older files are removed"},
       {"retain_size", size(&DaemonSettings::log_retain_size, std::int64_t{16} << 20, std::int64_t{1} << 50, "20GiB"),
        "beyond this size of all files the oldest are removed", "no limit"}},
      {},
      true};
  return section;
}

const Section<DaemonSettings>& logging_section() {
  static const Section<DaemonSettings> section{
      "[logging]",
      "What reachd says about itself, on stderr. The options --log-level and --log-format win.",
      {{"level",
        choice(&DaemonSettings::log_level, {{"trace", LogLevel::trace},
                                            {"debug", LogLevel::debug},
                                            {"info", LogLevel::info},
                                            {"warning", LogLevel::warning},
                                            {"error", LogLevel::error}}),
        "the least important lines that are written"},
       {"format", choice(&DaemonSettings::log_format, {{"text", LogFormat::text}, {"json", LogFormat::json}}),
        "for people, or one JSON object a line"}},
      {},
      true};
  return section;
}

}  // namespace

const Section<Draft>& schema() {
  static const Section<Draft> section{"the top",
                                      "Keys before the first section.",
                                      {{"timezone", text(&Draft::timezone, "a time zone, such as \"Europe/Berlin\""),
                                        "of days, weeks and months, and of contracts that have none of their own"},
                                       {"interval", span(&Draft::interval, 15min, 30min, "15m"),
                                        "length of the window \"15m interval\" and of the intervals of the history: "
                                        "\"15m\" or \"30m\""},
                                       {"stale_after", span(&Draft::stale_after, 1s, 1h, "10s"),
                                        "a source that was not heard for this long is stale, and so are its segments"},
                                       {"expire_after", span(&Draft::expire_after, 1min, days(31), "4h"),
                                        "a contact whose end never came is given up as unknown after this time"},
                                       {"minimum_group", count(&Draft::minimum_group, 2, 1000),
                                        "figures about people are of groups of at least so many; never of one person"},
                                       {"segment", tables(&Draft::segments, segment_section()), ""},
                                       {"service", tables(&Draft::services, service_section()), ""},
                                       {"calendar", tables(&Draft::calendars, calendar_section()), ""},
                                       {"contract", tables(&Draft::contracts, contract_section()), ""},
                                       {"pool", tables(&Draft::pools, pool_section()), ""},
                                       {"source", tables(&Draft::sources, source_section()), ""},
                                       {"endpoints", table(&Draft::daemon, endpoints_section()), ""},
                                       {"security", table(&Draft::daemon, security_section()), ""},
                                       {"ingest", table(&Draft::daemon, ingest_section()), ""},
                                       {"publish", table(&Draft::daemon, publish_section()), ""},
                                       {"event_log", table(&Draft::daemon, event_log_section()), ""},
                                       {"logging", table(&Draft::daemon, logging_section()), ""}},
                                      {{"direct", "remove it: calls dialled to a person are not measured yet"},
                                       {"silence", "remove it: alerts cannot be silenced yet; acknowledge them"},
                                       {"receiver", "remove it: alerts go to ZeroMQ subscribers only"},
                                       {"receivers", "remove it: alerts go to ZeroMQ subscribers only"},
                                       {"alertmanager", "remove it: alerts go to ZeroMQ subscribers only"},
                                       {"webhook", "remove it: alerts go to ZeroMQ subscribers only"},
                                       {"curve", "write [security] with key_file and allowed_keys"},
                                       {"keys", "write [security] with key_file and allowed_keys"},
                                       {"key", "write [security] with key_file and allowed_keys"},
                                       {"customer", "remove it: contacts are routed to segments by queue only"},
                                       {"customers", "remove it: contacts are routed to segments by queue only"},
                                       {"duty", "remove it: the client's duties are not measured yet"},
                                       {"activity", "remove it: hours of other work are not booked yet"},
                                       {"people", "remove it: figures of single people are never published"},
                                       {"history", "remove it: the event log is the history"}},
                                      true};
  return section;
}

std::string section_with(std::string_view key) {
  static const std::vector<SectionReference> all = sections();
  for (const auto& section : all) {
    for (const auto& row : section.keys) {
      if (row.name == key) return section.title;
    }
  }
  return {};
}

std::vector<SectionReference> sections() {
  std::vector<SectionReference> all;
  const auto add = [&](const auto& section) {
    using Made = std::decay_t<decltype(section)>;
    SectionReference reference{section.title, section.meaning, {}};
    [&]<class T>(const Section<T>& typed) {
      const T made{};
      for (const auto& key : typed.keys) {
        if (key.form.expected.starts_with('[')) continue;  // a section, which follows by itself
        auto fallback = key.required ? "required" : key.fallback.empty() ? key.form.show(made) : key.fallback;
        reference.keys.push_back({key.name, key.meaning, fallback, key.form.expected});
      }
    }(static_cast<const Made&>(section));
    all.push_back(std::move(reference));
  };
  add(schema());
  add(segment_section());
  add(service_section());
  add(calendar_section());
  add(contract_section());
  add(objective_section());
  add(pool_section());
  add(source_section());
  add(endpoints_section());
  add(security_section());
  add(ingest_section());
  add(publish_section());
  add(event_log_section());
  add(logging_section());
  return all;
}

}  // namespace reach::settings
