#include "clients/library/json.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "daemon/base/nearest.hpp"
#include "daemon/base/time.hpp"

namespace reach::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Json = nlohmann::ordered_json;

// Durations are *_s doubles and clock_offset_ns is signed: an unsigned fixed64 ending in _ns is a time.
bool is_time(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_FIXED64 && field.name().ends_with("_ns");
}

std::string snake_name(const FieldDescriptor& field) {
  return is_time(field) ? field.name().substr(0, field.name().size() - 3) : field.name();
}

std::string camel_name(const FieldDescriptor& field) {
  std::string name;
  bool upper = false;
  for (const char c : snake_name(field)) {
    if (c == '_') {
      upper = true;
    } else {
      name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    }
  }
  return name;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// REJECT_CODE_GAP of enum RejectCode is "gap": the prefix is the type's name in upper snake case.
std::string enum_word(const EnumValueDescriptor& value) {
  std::string prefix;
  for (const char c : value.type()->name()) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !prefix.empty()) prefix += '_';
    prefix += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  prefix += '_';
  const std::string& name = value.name();
  return lower(name.starts_with(prefix) ? name.substr(prefix.size()) : name);
}

Json time_value(std::uint64_t ns) {
  return ns == 0 ? Json(nullptr) : Json(to_rfc3339(time_from_ns(static_cast<std::int64_t>(ns))));
}

Json number_value(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

template <typename Get>
Json scalar(const FieldDescriptor& field, const Get& get) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return get.i32();
    case FieldDescriptor::CPPTYPE_INT64:
      return get.i64();
    case FieldDescriptor::CPPTYPE_UINT32:
      return get.u32();
    case FieldDescriptor::CPPTYPE_UINT64:
      return is_time(field) ? time_value(get.u64()) : Json(get.u64());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return number_value(get.f64());
    case FieldDescriptor::CPPTYPE_FLOAT:
      return number_value(static_cast<double>(get.f32()));
    case FieldDescriptor::CPPTYPE_BOOL:
      return get.boolean();
    case FieldDescriptor::CPPTYPE_ENUM:
      return enum_word(*get.enumeration());
    case FieldDescriptor::CPPTYPE_STRING:
      return get.text();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return to_json(get.message());
  }
  return nullptr;
}

struct Single {
  const Message& m;
  const Reflection& r;
  const FieldDescriptor* f;
  auto i32() const { return r.GetInt32(m, f); }
  auto i64() const { return r.GetInt64(m, f); }
  auto u32() const { return r.GetUInt32(m, f); }
  auto u64() const { return r.GetUInt64(m, f); }
  auto f64() const { return r.GetDouble(m, f); }
  auto f32() const { return r.GetFloat(m, f); }
  auto boolean() const { return r.GetBool(m, f); }
  auto enumeration() const { return r.GetEnum(m, f); }
  auto text() const { return r.GetString(m, f); }
  const Message& message() const { return r.GetMessage(m, f); }
};

struct Element {
  const Message& m;
  const Reflection& r;
  const FieldDescriptor* f;
  int i;
  auto i32() const { return r.GetRepeatedInt32(m, f, i); }
  auto i64() const { return r.GetRepeatedInt64(m, f, i); }
  auto u32() const { return r.GetRepeatedUInt32(m, f, i); }
  auto u64() const { return r.GetRepeatedUInt64(m, f, i); }
  auto f64() const { return r.GetRepeatedDouble(m, f, i); }
  auto f32() const { return r.GetRepeatedFloat(m, f, i); }
  auto boolean() const { return r.GetRepeatedBool(m, f, i); }
  auto enumeration() const { return r.GetRepeatedEnum(m, f, i); }
  auto text() const { return r.GetRepeatedString(m, f, i); }
  const Message& message() const { return r.GetRepeatedMessage(m, f, i); }
};

Json list_value(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  Json list = Json::array();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    list.push_back(scalar(field, Element{message, reflection, &field, i}));
  }
  return list;
}

/// Events: lowerCamelCase, only what differs from its default.
Json event_object(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  Json json = Json::object();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);  // those that are set, by number
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated()) {
      json[camel_name(*field)] = list_value(message, *field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      json[camel_name(*field)] = event_object(reflection.GetMessage(message, field));
    } else {
      json[camel_name(*field)] = scalar(*field, Single{message, reflection, field});
    }
  }
  return json;
}

// ---- reading ---------------------------------------------------------------------------------------------------

std::string in_quotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string best = nearest(word, known);
  return best.empty() ? std::string() : "; did you mean " + in_quotes(best) + '?';
}

/// The fields of one message by their JSON names, looked up for every key of every line: made once.
struct Names {
  explicit Names(const Descriptor& descriptor) {
    for (int i = 0; i < descriptor.field_count(); ++i) {
      all.push_back(camel_name(*descriptor.field(i)));
      fields.emplace(all.back(), descriptor.field(i));
    }
  }
  std::vector<std::string> all;
  std::map<std::string, const FieldDescriptor*, std::less<>> fields;
};

/// Names of Event and of every message in its oneof.
class NameTable {
 public:
  NameTable() {
    add(*v1::Event::descriptor());
    for (int i = 0; i < v1::Event::descriptor()->field_count(); ++i) {
      if (const Descriptor* inner = v1::Event::descriptor()->field(i)->message_type()) add(*inner);
    }
  }
  const Names& of(const Descriptor& descriptor) const { return names_.at(&descriptor); }

 private:
  void add(const Descriptor& descriptor) { names_.emplace(&descriptor, Names(descriptor)); }
  std::map<const Descriptor*, Names> names_;
};

const NameTable& name_table() {
  static const NameTable table;  // constant once made
  return table;
}

/// Reads one JSON object into one message; the first problem wins.
class Reader {
 public:
  explicit Reader(std::string_view line) : line_(line) {}

  bool read(const Json& json, Message& message) {
    const Names& names = name_table().of(*message.GetDescriptor());
    for (const auto& [key, value] : json.items()) {
      const auto found = names.fields.find(key);
      if (found == names.fields.end()) {
        return fail(key, "unknown field " + in_quotes(key) + did_you_mean(key, names.all));
      }
      if (!value.is_null() && !read_field(key, value, message, *found->second)) return false;
    }
    return true;
  }
  const std::string& problem() const { return problem_; }

 private:
  bool fail(std::string_view key, const std::string& sentence) {
    // The DOM keeps no places; the key's first appearance is the place but for repeated keys.
    const auto at = line_.find(in_quotes(key));
    problem_ = at == std::string_view::npos ? sentence : "column " + std::to_string(at + 1) + ": " + sentence;
    return false;
  }

  bool wrong_type(std::string_view key, const Json& value, const std::string& expected) {
    return fail(key, in_quotes(key) + " is " + to_line(value) + ", expected is " + expected);
  }

  bool read_field(const std::string& key, const Json& value, Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    if (field.is_repeated()) {
      if (!value.is_array()) return wrong_type(key, value, "a list of texts, [\"…\",\"…\"]");
      for (const Json& element : value) {
        if (!element.is_string()) return wrong_type(key, element, "text in the list");
        reflection.AddString(&message, &field, element.get_ref<const std::string&>());
      }
      return true;
    }
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        if (!value.is_string()) return wrong_type(key, value, "text in quotation marks");
        reflection.SetString(&message, &field, value.get_ref<const std::string&>());
        return true;
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!value.is_boolean()) return wrong_type(key, value, "true or false");
        reflection.SetBool(&message, &field, value.get<bool>());
        return true;
      case FieldDescriptor::CPPTYPE_INT32: {
        if (!value.is_number_integer() || value.get<std::int64_t>() < INT32_MIN ||
            value.get<std::int64_t>() > INT32_MAX) {
          return wrong_type(key, value, "a whole number from -2147483648 to 2147483647");
        }
        reflection.SetInt32(&message, &field, value.get<std::int32_t>());
        return true;
      }
      case FieldDescriptor::CPPTYPE_UINT64:
        return is_time(field) ? read_time(key, value, message, field) : read_count(key, value, message, field);
      case FieldDescriptor::CPPTYPE_ENUM:
        return read_enum(key, value, message, field);
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        if (!value.is_object()) return wrong_type(key, value, "an object, {…} or {}");
        if (!event_.empty()) {
          return fail(key, "two events on one line, " + in_quotes(event_) + " and " + in_quotes(key) +
                               "; write a line for each");
        }
        event_ = key;
        return read(value, *reflection.MutableMessage(&message, &field));
      }
      default:
        return fail(key, in_quotes(key) + " cannot be read");
    }
  }

  bool read_time(const std::string& key, const Json& value, Message& message, const FieldDescriptor& field) {
    const auto time = value.is_string() ? parse_rfc3339(value.get_ref<const std::string&>()) : std::nullopt;
    if (!time || ns_of(*time) <= 0) {
      return wrong_type(key, value, "a time in RFC 3339 after 1970, like \"2026-11-23T08:00:00.250Z\"");
    }
    message.GetReflection()->SetUInt64(&message, &field, static_cast<std::uint64_t>(ns_of(*time)));
    return true;
  }

  bool read_count(const std::string& key, const Json& value, Message& message, const FieldDescriptor& field) {
    if (!value.is_number_unsigned()) return wrong_type(key, value, "a whole number from 0 on");
    message.GetReflection()->SetUInt64(&message, &field, value.get<std::uint64_t>());
    return true;
  }

  bool read_enum(const std::string& key, const Json& value, Message& message, const FieldDescriptor& field) {
    std::vector<std::string> words;
    for (int i = 0; i < field.enum_type()->value_count(); ++i) {
      const EnumValueDescriptor* candidate = field.enum_type()->value(i);
      words.push_back(enum_word(*candidate));
      if (value.is_string() && value.get_ref<const std::string&>() == words.back()) {
        message.GetReflection()->SetEnum(&message, &field, candidate);
        return true;
      }
    }
    std::string expected = "one of";
    for (const std::string& word : words) expected += (word == words.front() ? " " : ", ") + in_quotes(word);
    return wrong_type(key, value, expected);
  }

  std::string_view line_;
  std::string event_;  // the event field already read
  std::string problem_;
};

enum class Needs { nothing, contact, agent };

Needs needs_of(v1::Event::EventCase kind) {
  switch (kind) {
    case v1::Event::kLoggedIn:
    case v1::Event::kLoggedOut:
    case v1::Event::kAgentPaused:
    case v1::Event::kAgentResumed:
    case v1::Event::kAgentState:
      return Needs::agent;
    case v1::Event::kWrapUpEnded:  // of a contact or of an agent, as the PBX knows it
    case v1::Event::kQueueOpened:
    case v1::Event::kQueueClosed:
    case v1::Event::kResyncBegin:
    case v1::Event::kResyncEnd:
    case v1::Event::kUpstreamLost:
    case v1::Event::kEventsLost:
    case v1::Event::kWatermark:
    case v1::Event::EVENT_NOT_SET:
      return Needs::nothing;
    default:
      return Needs::contact;
  }
}

std::optional<std::string> check_reason(const std::string& reason, const char* event) {
  static const std::vector<std::string> known = {"timeout",  "empty",     "full",     "rejected",   "key",
                                                 "callback", "voicemail", "overflow", "redirected", "other"};
  if (reason.empty() || std::find(known.begin(), known.end(), reason) != known.end()) return std::nullopt;
  std::string sentence = "the reason " + in_quotes(reason) + " of " + in_quotes(event) + " is none of";
  for (const std::string& word : known) sentence += ' ' + word;
  return sentence + did_you_mean(reason, known);
}

}  // namespace

Json to_json(const Message& message) {
  const Descriptor& descriptor = *message.GetDescriptor();
  if (&descriptor == v1::Event::descriptor()) return event_object(message);
  const Reflection& reflection = *message.GetReflection();
  Json json = Json::object();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.is_repeated()) {
      json[snake_name(field)] = list_value(message, field);
    } else if (!field.has_presence() || reflection.HasField(message, &field)) {
      json[snake_name(field)] = scalar(field, Single{message, reflection, &field});
    } else if (field.real_containing_oneof() == nullptr) {
      json[snake_name(field)] = nullptr;
    }
  }
  return json;
}

std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json_line(const v1::Event& event) {
  return to_line(event_object(event));
}

namespace {

std::optional<std::string> check_event(const v1::Event& event) {
  const auto kind = event.event_case();
  if (kind == v1::Event::EVENT_NOT_SET) {
    return "no event: expected is exactly one event field, like \"offered\":{\"queue\":\"sales\"}";
  }
  const std::string name = camel_name(*v1::Event::descriptor()->FindFieldByNumber(kind));
  if (event.time_ns() == 0)
    return "\"time\" is missing: expected is a time in RFC 3339, like \"2026-11-23T08:00:00.250Z\"";
  switch (needs_of(kind)) {
    case Needs::contact:
      if (event.contact().empty()) return in_quotes(name) + " needs a \"contact\", the call's or work item's id";
      break;
    case Needs::agent:
      if (event.agent().empty()) return in_quotes(name) + " needs an \"agent\" beside it, the person's pseudonym";
      break;
    case Needs::nothing:
      break;
  }
  if (kind == v1::Event::kOffered && event.offered().queue().empty()) {
    return "\"offered\" needs a \"queue\", the name the telephone system gives it";
  }
  if (kind == v1::Event::kForwarded) return check_reason(event.forwarded().reason(), "forwarded");
  if (kind == v1::Event::kRejected) return check_reason(event.rejected().reason(), "rejected");
  return std::nullopt;
}

/// `line`: where `json` was read, or empty.
std::optional<std::string> read_event(const Json& json, std::string_view line, v1::Event& event) {
  if (!json.is_object()) return "expected is one JSON object a line, {\"time\":…,\"contact\":…,\"offered\":{…}}";
  Reader reader(line);
  if (!reader.read(json, event)) return reader.problem();
  return check_event(event);
}

}  // namespace

std::optional<std::string> from_json_line(std::string_view line, v1::Event& event) {
  event.Clear();
  Json json;
  try {
    json = Json::parse(line);
  } catch (const Json::parse_error& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while …": the end is for people.
    std::string_view what = error.what();
    if (const auto colon = what.find(": "); colon != std::string_view::npos) what.remove_prefix(colon + 2);
    return "column " + std::to_string(std::max<std::size_t>(error.byte, 1)) + ": no JSON: " + std::string(what);
  } catch (const Json::exception& error) {  // a number beyond all bounds
    return "no JSON that can be read: " + std::string(error.what());
  }
  return read_event(json, line, event);
}

std::optional<std::string> from_json(const Json& json, v1::Event& event) {
  event.Clear();
  return read_event(json, {}, event);
}

}  // namespace reach::client
