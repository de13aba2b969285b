#include "clients/reachctl/scenario.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <variant>

#include "clients/library/json.hpp"
#include "clients/reachctl/text.hpp"
#include "daemon/base/nearest.hpp"
#include "daemon/core/engine.hpp"
#include "daemon/settings/settings.hpp"
#include "daemon/wire/wire.hpp"

namespace reach::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Words = std::vector<std::string>;

/// What is wrong with a line; becomes a failure with its number.
struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string in_quotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}

/// What is no UTF-8 is replaced by U+FFFD, as in everything that comes as JSON.
std::string as_utf8(std::string_view line) {
  if (std::ranges::all_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return std::string(line);
  return nlohmann::json::parse(client::to_line(nlohmann::ordered_json(line))).get<std::string>();
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  const std::string best = nearest(word, known);
  return best.empty() ? std::string() : "; did you mean " + in_quotes(best) + "?";
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Words between blanks, without what follows a '#'; a comma that ends a word is a word of its own.
Words words_of(std::string_view line) {
  Words words;
  std::string word;
  const auto end_word = [&] {
    if (word.size() > 1 && word.back() == ',') {
      word.pop_back();
      words.push_back(word);
      words.emplace_back(",");
    } else if (!word.empty()) {
      words.push_back(word);
    }
    word.clear();
  };
  for (const char c : line.substr(0, line.find('#'))) {
    if (c == ' ' || c == '\t' || c == '\r') {
      end_word();
    } else {
      word += c;
    }
  }
  end_word();
  return words;
}

std::string joined(const Words& words, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < words.size(); ++i) {
    if (!text.empty() && words[i] != ",") text += ' ';
    text += words[i];
  }
  return text;
}

// ---- what a file says ----------------------------------------------------------------------------------------------

struct Happens {
  v1::Event event;
};
struct SourceChange {
  enum class Kind { connected, heard, lost } kind{};
  std::string name, reason;
};
struct Take {  // acknowledge
  std::string alert, by, note;
};
/// A figure, state or counter of a segment or source.
struct ExpectFigure {
  enum class Of { segment, source, objective } of{};
  std::string name;        // of the segment, source or objective
  std::string figure;      // or "status" of an objective
  std::string value;       // as written: "80 %", "20s", "none", "closing"
  std::string samples;     // "3 of 4", or empty
  std::string scope_kind;  // queue service site, or empty
  std::string scope;
  std::string window = "day";
};
struct ExpectAlert {
  std::string name, segment, state;
  std::vector<std::string> flags;  // sorted
  std::optional<int> said;
};

struct Statement {
  int line = 0;
  Time at{};
  bool expectation = false;
  std::string text;  // as written
  std::variant<Happens, SourceChange, Take, ExpectFigure, ExpectAlert> what;
};

struct Scenario {
  Config config;
  Duration longest{};
  Time start{};
  bool live = false;
  std::vector<Statement> statements;
};

// ---- reading -------------------------------------------------------------------------------------------------------

/// Far enough from the ends of what a Time can be.
constexpr Time earliest_start{};
constexpr Time latest_start = std::chrono::sys_days(std::chrono::year(2200) / 1 / 1);

class Reader {
 public:
  Reader(std::string_view text, std::string file, const LoadSettings& load) : file_(std::move(file)), load_(load) {
    for (std::size_t from = 0; from <= text.size();) {
      const std::size_t to = std::min(text.find('\n', from), text.size());
      lines_.push_back(as_utf8(text.substr(from, to - from)));
      from = to + 1;
    }
  }

  /// False: `failures` says why.
  bool read(Scenario& scenario, std::vector<ScenarioFailure>& failures) {
    read_header(scenario, failures);
    if (!failures.empty()) return false;
    for (; next_ < lines_.size(); ++next_) {
      const Words words = words_of(lines_[next_]);
      if (words.empty()) continue;
      try {
        scenario.statements.push_back(statement(scenario, words));
        scenario.statements.back().line = static_cast<int>(next_ + 1);
        scenario.statements.back().text = joined(words, 0);
      } catch (const Unreadable& problem) {
        failures.push_back({static_cast<int>(next_ + 1), {}, problem.what(), {}});
      }
    }
    return failures.empty();
  }

 private:
  void read_header(Scenario& scenario, std::vector<ScenarioFailure>& failures) {
    std::string start = "2026-11-23 08:00";  // a Monday
    int start_line = 0;
    bool configured = false;
    for (; next_ < lines_.size(); ++next_) {
      const Words words = words_of(lines_[next_]);
      if (words.empty()) continue;
      if (words[0] == "config") {
        configured = true;
        const settings::Loaded loaded = words.size() > 1 ? load_file(words[1]) : load_block();
        for (const settings::Problem& problem : loaded.problems) {
          failures.push_back({problem.line, {}, settings::render(problem), {}});
        }
        scenario.config = loaded.core;
      } else if (words[0] == "start") {
        start = joined(words, 1);
        start_line = static_cast<int>(next_ + 1);
      } else if (words[0] == "live") {
        scenario.live = true;
      } else if (words[0] == "at" || words[0] == "expect") {
        break;
      } else {
        failures.push_back({static_cast<int>(next_ + 1),
                            {},
                            in_quotes(words[0]) + " begins no line; expected is config, start, live, at or expect" +
                                suggestion(words[0], {"config", "start", "live", "at", "expect"}),
                            {}});
        return;
      }
    }
    if (!configured)
      failures.push_back({1, {}, "no config: expected is `config FILE`, or `config` … `end` with TOML", {}});
    const auto begin = date_and_time(start, scenario.config.zone);
    if (begin && *begin >= earliest_start && *begin < latest_start) {
      scenario.start = *begin;
    } else if (begin) {
      failures.push_back(
          {start_line, {}, in_quotes(start) + " is no time to start; expected is one from 1970 to 2199", {}});
    } else {
      failures.push_back(
          {start_line, {}, in_quotes(start) + " is no time; expected is 2026-11-23 08:00 or RFC 3339", {}});
    }
  }

  settings::Loaded load_file(const std::string& path) const {
    return load_((std::filesystem::path(file_).parent_path() / path).string());
  }

  settings::Loaded load_block() {
    // Empty lines before it keep the line numbers of the file in what the loader says.
    std::string text(next_ + 1, '\n');
    for (++next_; next_ < lines_.size() && words_of(lines_[next_]) != Words{"end"}; ++next_)
      text += lines_[next_] + '\n';
    return settings::load_text(text, file_);
  }

  static std::optional<Time> date_and_time(const std::string& text, const Zone& zone) {
    if (const auto time = parse_rfc3339(text)) return time;
    // A local time: as many digits as RFC 3339 wants, without an offset.
    const auto local = parse_rfc3339((text.size() == 16 ? text + ":00" : text) + 'Z');
    return local ? std::optional(zone.from_local(*local)) : std::nullopt;
  }

  /// "90s" after the start, "17:59" or "17:59:50" on its day, or RFC 3339.
  static Time time_of(const Scenario& scenario, const std::string& text) {
    if (const auto span = parse_duration(text)) return scenario.start + std::min(*span, never - latest_start);
    const auto date = std::chrono::floor<std::chrono::days>(scenario.config.zone.to_local(scenario.start));
    const std::string day = to_rfc3339(date).substr(0, 10);
    if (const auto time = date_and_time(text.size() <= 8 ? day + ' ' + text : text, scenario.config.zone)) return *time;
    throw Unreadable(in_quotes(text) +
                     " is no time; expected is a span since the start (90s, 1h30m), a time of the first "
                     "day (17:59:50) or RFC 3339");
  }

  static Statement statement(const Scenario& scenario, const Words& words) {
    Statement made;
    std::size_t i = 0;
    made.expectation = words[i] == "expect";
    if (made.expectation) ++i;
    if (i + 2 >= words.size() || words[i] != "at") {
      throw Unreadable("expected is `at TIME EVENT …` or `expect at TIME …`");
    }
    made.at = time_of(scenario, words[i + 1]);
    if (made.at < scenario.start) throw Unreadable("this lies before the start");
    // Time is let pass piece by piece: a century would take hours.
    if (made.at > scenario.start + scenario.longest)
      throw Unreadable("this lies over " + format_duration(scenario.longest) + " after the start");
    const Words rest(words.begin() + static_cast<std::ptrdiff_t>(i) + 2, words.end());
    if (made.expectation) {
      if (rest[0] == "alert") {
        made.what = expect_alert(rest);
      } else {
        made.what = expect_figure(scenario, rest);
      }
    } else if (rest[0] == "source") {
      made.what = source_change(rest);
    } else if (rest[0] == "acknowledge") {
      made.what = take(rest);
    } else {
      made.what = Happens{event(scenario, rest, made.at)};
    }
    return made;
  }

  static SourceChange source_change(const Words& words) {
    SourceChange made;
    if (words.size() < 2) throw Unreadable("expected is `source connected|heard|lost [NAME] [because …]`");
    if (words[1] == "connected") {
      made.kind = SourceChange::Kind::connected;
    } else if (words[1] == "heard") {
      made.kind = SourceChange::Kind::heard;
    } else if (words[1] == "lost") {
      made.kind = SourceChange::Kind::lost;
    } else {
      throw Unreadable(in_quotes(words[1]) + " happens to no source; expected is connected, heard or lost");
    }
    const bool named = words.size() > 2 && words[2] != "because";
    made.name = named ? words[2] : "pbx";
    const std::size_t because = named ? 3 : 2;
    made.reason = words.size() > because ? joined(words, because + 1) : "cut off";
    return made;
  }

  static Take take(const Words& words) {
    Take made;
    if (words.size() < 4 || words[2] != "by") throw Unreadable("expected is `acknowledge ALERT by NAME [note …]`");
    made.alert = words[1];
    made.by = words[3];
    if (words.size() > 5) made.note = joined(words, 5);
    return made;
  }

  static std::string snake_to_camel(const std::string& word) {
    std::string camel;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (word[i] == '_' && i + 1 < word.size()) {
        camel += static_cast<char>(std::toupper(static_cast<unsigned char>(word[++i])));
      } else {
        camel += word[i];
      }
    }
    return camel;
  }

  /// The field of `descriptor` that a word means: "due" is due_ns.
  static const FieldDescriptor* field_of(const google::protobuf::Descriptor& descriptor, const std::string& word) {
    const FieldDescriptor* field = descriptor.FindFieldByName(word);
    return field != nullptr ? field : descriptor.FindFieldByName(word + "_ns");
  }

  static nlohmann::ordered_json value_of(const Scenario& scenario, const FieldDescriptor* field,
                                         const std::string& word) {
    if (field == nullptr) return word;
    if (field->is_repeated()) {
      auto list = nlohmann::ordered_json::array();
      std::size_t from = 0;
      for (std::size_t to = 0; to != std::string::npos; from = to + 1) {
        to = word.find('+', from);
        list.push_back(word.substr(from, to == std::string::npos ? to : to - from));
      }
      return list;
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return word == "true" || word == "yes";
      case FieldDescriptor::CPPTYPE_INT32:
      case FieldDescriptor::CPPTYPE_UINT64: {
        if (field->name().ends_with("_ns")) return to_rfc3339(time_of(scenario, word));
        std::uint32_t number = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
        if (error != std::errc() || end != word.data() + word.size())
          throw Unreadable(in_quotes(word) + " is no number");
        return number;
      }
      default:
        return word;
    }
  }

  /// EVENT, what it is about, then KEY VALUE pairs: made into JSON, so that one reader knows the rules.
  static v1::Event event(const Scenario& scenario, const Words& words, Time at) {
    static const std::vector<std::string> agent_events = {"logged_in", "logged_out", "agent_paused", "agent_resumed",
                                                          "agent_state"};
    static const std::vector<std::string> queue_events = {"offered", "received", "rejected", "rerouted"};
    const auto* descriptor = v1::Event::descriptor();
    const FieldDescriptor* kind = descriptor->FindFieldByName(words[0]);
    if (kind == nullptr || kind->real_containing_oneof() == nullptr) {
      std::vector<std::string> known;
      for (int i = 0; i < descriptor->oneof_decl(0)->field_count(); ++i) {
        known.push_back(descriptor->oneof_decl(0)->field(i)->name());
      }
      throw Unreadable(in_quotes(words[0]) + " is no event" + suggestion(words[0], known));
    }
    const auto& inner = *kind->message_type();
    nlohmann::ordered_json json = {{"time", to_rfc3339(at)}}, fields = nlohmann::ordered_json::object();
    const auto is_one_of = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), words[0]) != list.end();
    };
    std::size_t i = 1;
    const auto positional = [&](const char* what) {
      if (i >= words.size()) throw Unreadable(words[0] + " needs " + what);
      return words[i++];
    };
    if (is_one_of(agent_events)) {
      json["agent"] = positional("an agent");
    } else if (is_one_of(queue_events)) {
      fields["queue"] = positional("a queue and a contact");
      json["contact"] = positional("a contact after the queue");
    } else if (words[0].starts_with("queue_")) {
      fields["queue"] = positional("a queue");
    } else if (!words[0].starts_with("resync_") && words[0] != "upstream_lost" && words[0] != "events_lost" &&
               words[0] != "watermark") {
      // The queue before the contact is for readers; only the contact tells.
      const bool with_queue = (words.size() - i) % 2 == 0;
      if (with_queue) ++i;
      json["contact"] = positional("a contact");
    }
    if ((words.size() - i) % 2 != 0) throw Unreadable("expected are pairs of words after the contact, like `by a7`");
    for (; i < words.size(); i += 2) {
      std::string key = words[i];
      if (key == "by" && field_of(inner, "by") == nullptr) key = "agent";
      if (key == "because") key = "reason";
      if (const FieldDescriptor* field = field_of(inner, key)) {
        fields[snake_to_camel(key)] = value_of(scenario, field, words[i + 1]);
      } else {
        json[snake_to_camel(key)] = value_of(scenario, field_of(*descriptor, key), words[i + 1]);
      }
    }
    json[snake_to_camel(words[0])] = fields;
    v1::Event event;
    if (const auto problem = client::from_json(json, event)) throw Unreadable(*problem);
    if (event.source().empty()) event.set_source("pbx");
    return event;
  }

  static ExpectAlert expect_alert(const Words& words) {
    ExpectAlert made;
    std::size_t i = 1;
    if (words.size() < 3)
      throw Unreadable("expected is `alert NAME [in SEGMENT] firing|pending|resolved|none[, stale]…`");
    made.name = words[i++];
    if (words[i] == "in" && i + 2 < words.size()) {
      made.segment = words[i + 1];
      i += 2;
    }
    made.state = words[i++];
    static const std::vector<std::string> states = {"firing", "pending", "resolved", "none"};
    if (std::find(states.begin(), states.end(), made.state) == states.end()) {
      throw Unreadable(in_quotes(made.state) + " is no state of an alert; expected is " + listed(states));
    }
    static const std::vector<std::string> flags = {"stale", "acknowledged", "inhibited", "corrected"};
    while (i < words.size()) {
      if (words[i] == "," && i + 1 < words.size()) {
        if (std::find(flags.begin(), flags.end(), words[i + 1]) == flags.end()) {
          throw Unreadable(in_quotes(words[i + 1]) + " cannot be said of an alert; expected is " + listed(flags) +
                           suggestion(words[i + 1], flags));
        }
        made.flags.push_back(words[i + 1]);
        i += 2;
      } else if (words[i] == "said" && i + 1 < words.size()) {
        made.said = std::atoi(words[i + 1].c_str());
        i += 2;
      } else {
        throw Unreadable(in_quotes(words[i]) +
                         " is not expected here; after the state come `, FLAG` and `said NUMBER`");
      }
    }
    std::sort(made.flags.begin(), made.flags.end());
    return made;
  }

  static ExpectFigure expect_figure(const Scenario& scenario, const Words& words) {
    ExpectFigure made;
    std::size_t i = 0;
    if (words[0] == "source" || words[0] == "objective") {
      made.of = words[0] == "source" ? ExpectFigure::Of::source : ExpectFigure::Of::objective;
      i = 1;
    }
    const bool status = made.of == ExpectFigure::Of::objective;
    if (words.size() < i + (status ? 2 : 3)) {
      throw Unreadable(
          "expected is `SEGMENT FIGURE VALUE`, `source NAME COUNTER VALUE`, `objective ID STATUS` or `alert …`");
    }
    made.name = words[i++];
    made.figure = status ? "status" : words[i++];
    made.value = words[i++];
    if (made.of == ExpectFigure::Of::segment) {
      std::vector<std::string> ids;
      for (const auto& segment : scenario.config.segments) ids.push_back(segment.id);
      if (std::find(ids.begin(), ids.end(), made.name) == ids.end()) {
        throw Unreadable(in_quotes(made.name) + " is no segment" + suggestion(made.name, ids));
      }
    }
    if (i < words.size() && words[i] == "%") {
      made.value += " %";
      ++i;
    }
    while (i < words.size()) {
      if (words[i].starts_with('(') && i + 2 < words.size() && words[i + 1] == "of") {
        made.samples = words[i].substr(1) + " of " + words[i + 2].substr(0, words[i + 2].find(')'));
        i += 3;
      } else if (words[i] == "in" && i + 2 < words.size()) {
        made.scope_kind = words[i + 1];
        made.scope = words[i + 2];
        i += 3;
      } else if (words[i] == "over" && i + 1 < words.size()) {
        made.window = words[i + 1];
        if (!window_from(made.window))
          throw Unreadable(in_quotes(made.window) + " is no window; expected is 30m, day …");
        i += 2;
      } else {
        throw Unreadable(in_quotes(words[i]) +
                         " is not expected here; after the value come `(3 of 4)`, "
                         "`in queue|service|site NAME` and `over WINDOW`");
      }
    }
    return made;
  }

  std::string file_;
  const LoadSettings& load_;
  std::vector<std::string> lines_;
  std::size_t next_ = 0;
};

// ---- running -------------------------------------------------------------------------------------------------------

/// The value of a field as text, rounded to the decimals of `wanted` and in its unit; "none" where it is absent.
std::string value_text(const Message& message, const FieldDescriptor& field, const std::string& wanted) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "yes" : "no";
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      break;
    default:
      return "?";
  }
  if (field.has_presence() && !reflection.HasField(message, &field)) return "none";
  double value = reflection.GetDouble(message, &field);
  const bool as_percent = wanted.ends_with('%');
  const bool as_span = !as_percent && parse_duration(wanted).has_value();
  if (as_span) {
    // Spans are compared to the millisecond.
    return format_duration(std::chrono::milliseconds(std::llround(value * 1000)));
  }
  if (as_percent) value *= 100;
  const auto point = wanted.find('.');
  const auto end = wanted.find_first_not_of("0123456789.");
  const auto digits = point == std::string::npos ? 0 : std::min(end, wanted.size()) - point - 1;
  const bool is_number = !wanted.empty() && wanted[0] >= '0' && wanted[0] <= '9';
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", is_number ? static_cast<int>(digits) : 3, value);
  return std::string(text.data()) + (as_percent ? " %" : "");
}

/// "20s" and "0m20s" are the same.
std::string normal(const std::string& wanted) {
  const auto span = parse_duration(wanted);
  return span ? format_duration(*span) : wanted;
}

/// Every field that says something: "offered 4, met 3, missed 1, service_level 75.000 %".
std::string numbers_of(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::string text;
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated() || field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) continue;
    text += (text.empty() ? "" : ", ") + field->name() + ' ' + value_text(message, *field, "");
  }
  return text.empty() ? "everything is 0 or absent" : text;
}

std::vector<std::string> field_names(const Message& message) {
  std::vector<std::string> names;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i)
    names.push_back(message.GetDescriptor()->field(i)->name());
  return names;
}

class Run {
 public:
  Run(const Scenario& scenario, ScenarioResult& result)
      : engine_(scenario.config, EngineOptions{scenario.live, scenario.live}, scenario.start), result_(result) {}

  void take(const Statement& statement) {
    statement_ = &statement;
    std::visit([this](const auto& what) { apply(what); }, statement.what);
  }

 private:
  void step(const Input& input) {
    decisions_.clear();
    engine_.step(input, statement_->at, decisions_);
    for (const Decision& decision : decisions_) {
      const auto* changed = std::get_if<AlertChanged>(&decision);
      if (changed == nullptr) continue;
      const auto known = std::find_if(alerts_.begin(), alerts_.end(),
                                      [&](const Said& said) { return said.alert.id == changed->alert.id; });
      if (known == alerts_.end()) {
        alerts_.push_back({changed->alert, 1});
      } else {
        known->alert = changed->alert;
        ++known->times;
      }
    }
  }

  void apply(const Happens& what) {
    Input input;
    if (const auto problem = wire::event_from(what.event, {}, {}, never, scratch_, input.emplace<Event>())) {
      result_.failures.push_back({statement_->line, statement_->text, *problem, {}});
      return;
    }
    step(input);
  }

  void apply(const SourceChange& what) {
    switch (what.kind) {
      case SourceChange::Kind::connected:
        step(SourceConnected{
            what.name, "scenario", {"calls", "agents", "wrap_up", "ringing", "rejected", "items", "held"}});
        break;
      case SourceChange::Kind::heard:
        step(SourceHeard{what.name, true});
        break;
      case SourceChange::Kind::lost:
        step(SourceLost{what.name, what.reason});
        break;
    }
  }

  void apply(const Take& what) {
    const Said* said = latest(what.alert, {});
    if (said == nullptr) {
      result_.failures.push_back({statement_->line, statement_->text, "there is no such alert to take", alerts_text()});
      return;
    }
    step(Acknowledge{said->alert.id, what.by, what.note, {}});
    if (!engine_.last_acknowledge().done) fail(engine_.last_acknowledge().problem, alerts_text());
  }

  void apply(const ExpectAlert& wanted) {
    begin_expectation();
    const Said* said = latest(wanted.name, wanted.segment);
    std::string got = "none";
    std::string expected = wanted.state;
    if (said != nullptr) {
      const Alert& alert = said->alert;
      got = std::string(to_text(alert.state));
      std::vector<std::string> flags;
      if (alert.acknowledged) flags.emplace_back("acknowledged");
      if (alert.corrected) flags.emplace_back("corrected");
      if (!alert.inhibited_by.empty()) flags.emplace_back("inhibited");
      if (alert.stale) flags.emplace_back("stale");
      for (const std::string& flag : flags) got += ", " + flag;
      if (wanted.said) got += " said " + std::to_string(said->times);
    }
    for (const std::string& flag : wanted.flags) expected += ", " + flag;
    if (wanted.said) expected += " said " + std::to_string(*wanted.said);
    if (got != expected) fail(got, alerts_text());
  }

  void apply(const ExpectFigure& wanted) {
    begin_expectation();
    const v1::Status status = wire::status_of(engine_, *window_from(wanted.window), statement_->at);
    switch (wanted.of) {
      case ExpectFigure::Of::source:
        return expect_source(wanted, status);
      case ExpectFigure::Of::objective:
        return expect_objective(wanted, status);
      case ExpectFigure::Of::segment:
        break;
    }
    for (const v1::SegmentState& segment : status.segments()) {
      if (segment.id() != wanted.name) continue;
      if (wanted.figure == "calendar" || wanted.figure == "stale") {
        return compare(segment, wanted.figure, wanted, numbers_of(segment));
      }
      if (wanted.figure.starts_with("agents.")) {
        return compare(segment.agents(), wanted.figure.substr(7), wanted, numbers_of(segment.agents()));
      }
      const v1::Figures* figures = scope(segment, wanted);
      if (figures == nullptr) {
        // A queue nobody has called yet has no figures: all of them are 0 or absent.
        static const v1::Figures nothing;
        figures = &nothing;
      }
      compare(*figures, wanted.figure, wanted, numbers_of(*figures));
      if (wanted.samples.empty()) return;
      const bool items = wanted.figure.find("on_time") != std::string::npos;
      const std::int64_t met = items ? figures->items_met() : figures->met();
      const std::int64_t missed = items ? figures->items_missed() : figures->missed();
      const std::string got = std::to_string(met) + " of " + std::to_string(met + missed);
      if (got != wanted.samples) fail(got, numbers_of(*figures));
      return;
    }
  }

  static const v1::Figures* scope(const v1::SegmentState& segment, const ExpectFigure& wanted) {
    if (wanted.scope_kind.empty()) return &segment.figures();
    const auto& scopes = wanted.scope_kind == "queue"     ? segment.queues()
                         : wanted.scope_kind == "service" ? segment.services()
                                                          : segment.sites();
    for (const auto& scope : scopes) {
      if (scope.id() == wanted.scope || scope.id() == "pbx/" + wanted.scope) return &scope.figures();
    }
    return nullptr;
  }

  void expect_source(const ExpectFigure& wanted, const v1::Status& status) {
    for (const auto& source : status.sources()) {
      if (source.id() == wanted.name) return compare(source, wanted.figure, wanted, numbers_of(source));
    }
    fail("no source of that name was heard", {});
  }

  void expect_objective(const ExpectFigure& wanted, const v1::Status& status) {
    std::string seen;
    for (const auto& segment : status.segments()) {
      for (const auto& objective : segment.objectives()) {
        seen += (seen.empty() ? "" : ", ") + objective.id() + " in " + segment.id();
        if (objective.id() != wanted.name || (!wanted.scope.empty() && segment.id() != wanted.scope)) continue;
        return compare(objective, "status", wanted, numbers_of(objective));
      }
    }
    fail("no such objective; there are " + seen, {});
  }

  void compare(const Message& message, const std::string& name, const ExpectFigure& wanted, const std::string& behind) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr || field->is_repeated() || field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return fail("no figure is called " + in_quotes(name) + suggestion(name, field_names(message)), {});
    }
    const std::string got = value_text(message, *field, wanted.value);
    if (got != normal(wanted.value)) fail(got, behind);
  }

  /// Events of the instant came before; now its time passes.
  void begin_expectation() {
    ++result_.expectations;
    step(TimePassed{});
  }

  void fail(const std::string& got, const std::string& behind) {
    result_.failures.push_back({statement_->line, statement_->text, got, behind});
  }

  struct Said {
    Alert alert;
    int times = 0;
  };

  /// The last alert of that objective, kind or subject.
  const Said* latest(const std::string& name, const std::string& segment) const {
    const Said* found = nullptr;
    for (const Said& said : alerts_) {
      const Alert& a = said.alert;
      const bool named = a.objective == name || to_text(a.kind) == name || a.id == name;
      const bool there = segment.empty() || a.segment == segment || a.subject == segment;
      if (named && there) found = &said;
    }
    return found;
  }

  std::string alerts_text() const {
    std::string text;
    for (const Said& said : alerts_) {
      const Alert& a = said.alert;
      text += (text.empty() ? "" : "; ") + std::string(to_text(a.kind)) + ' ' +
              (a.objective.empty() ? a.subject : a.objective) + (a.segment.empty() ? "" : " in " + a.segment) + ' ' +
              std::string(to_text(a.state)) + " (" + a.summary + ")";
    }
    return text.empty() ? "no alert was ever said" : text;
  }

  Engine engine_;
  ScenarioResult& result_;
  const Statement* statement_ = nullptr;
  std::vector<Said> alerts_;  // in the order of their first word
  Decisions decisions_;
  wire::Scratch scratch_;
};

}  // namespace

ScenarioResult run_scenario(std::string_view text, const std::string& file, const LoadSettings& load,
                            Duration longest) {
  ScenarioResult result;
  Scenario scenario;
  scenario.longest = longest;
  if (!Reader(text, file, load).read(scenario, result.failures)) return result;
  // In the order of time, at one instant what happens before what is expected: a reader may write it in any order.
  std::stable_sort(scenario.statements.begin(), scenario.statements.end(), [](const Statement& a, const Statement& b) {
    return std::tuple(a.at, a.expectation) < std::tuple(b.at, b.expectation);
  });
  Run run(scenario, result);
  for (const Statement& statement : scenario.statements) run.take(statement);
  std::stable_sort(result.failures.begin(), result.failures.end(),
                   [](const ScenarioFailure& a, const ScenarioFailure& b) { return a.line < b.line; });
  return result;
}

}  // namespace reach::ctl
