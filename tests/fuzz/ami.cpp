// Asterisk's manager stream: messages of any bytes, what they mean, and the talk with Asterisk.
#include "clients/adapters/asterisk/ami_parser.hpp"
#include "clients/adapters/asterisk/dialogue.hpp"
#include "clients/adapters/asterisk/recording.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/sendable.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  using namespace reach::asterisk;
  static const TranslatorSettings settings = [] {
    TranslatorSettings made;
    made.default_wrap_up = std::chrono::seconds(5);
    made.arrival_contexts = {"from-outside"};
    made.excluded = {"199"};
    return made;
  }();
  static const adapter::Pseudonyms pseudonyms("sixteen bytes and more");
  AmiTranslator translator(settings, pseudonyms);  // hears the stream as it is
  AmiDialogue dialogue({}, AmiTranslator(settings, pseudonyms));
  Events events;
  DialogueOutput out;
  Time now = fuzz::monday;
  dialogue.connected(now);
  AmiParser parser({.line_bytes = 200, .message_bytes = 1000});
  const auto take = [&](const AmiMessage& message) {
    now += std::chrono::milliseconds(300);
    translator.take(message, timestamp_of(message).value_or(now), events);
    translator.pass(now, events);
    dialogue.take(message, now, out);
    dialogue.pass(now, out);
    fuzz::require_sendable(events);
    fuzz::require_sendable(out.events);
    events.clear();
    out = {};
  };
  // In two parts, as a connection may bring them.
  const std::string_view text = fuzz::text_of(data, size);
  parser.feed(text.substr(0, size / 2), take);
  const auto step = size % 2 == 0 ? std::chrono::hours(-1) : std::chrono::hours(1);
  now += step;
  translator.clock_stepped(step);
  dialogue.clock_stepped(step);
  parser.feed(text.substr(size / 2), take);
  translator.begin_resync("gap", now, events);
  translator.finish_listing(true, now, events);
  translator.pass(now + std::chrono::minutes(1), events);
  dialogue.disconnected("cut off", now, out);
  return 0;
}
