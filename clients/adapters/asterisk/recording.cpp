#include "clients/adapters/asterisk/recording.hpp"

#include <charconv>
#include <stdexcept>
#include <vector>

namespace reach::asterisk {
namespace {

constexpr std::size_t waiting_limit = 100'000;

/// A message that outlives the parser's buffer.
struct KeptMessage {
  explicit KeptMessage(const AmiMessage& message) {
    for (const auto& [name, value] : message.fields) fields.emplace_back(name, value);
  }
  [[nodiscard]] AmiMessage view() const {
    AmiMessage message;
    for (const auto& [name, value] : fields) message.fields.emplace_back(name, value);
    return message;
  }
  std::vector<std::pair<std::string, std::string>> fields;
};

class Replay {
 public:
  Replay(AmiTranslator& translator, adapter::EventLines& lines) : translator_(translator), lines_(lines) {}

  void take(const AmiMessage& message) {
    const auto timestamp = timestamp_of(message);
    if (timestamp) clock_ = std::max(clock_.value_or(*timestamp), *timestamp);
    if (!clock_) {  // lists at the beginning have no times of their own
      if (early_.size() < waiting_limit)
        early_.emplace_back(message);
      else
        ++untimed;
      return;
    }
    for (const KeptMessage& kept : std::exchange(early_, {})) apply(kept.view(), *clock_);
    apply(message, timestamp.value_or(*clock_));
  }

  void finish() {
    if (!clock_ && !early_.empty())
      throw std::runtime_error(
          "no message of this stream has a Timestamp, so nothing is known of times; write in manager.conf, section "
          "[general]: timestampevents = yes");
    if (clock_) {
      translator_.pass(*clock_ + hold_window, events_);
      flush();
    }
  }

  std::uint64_t untimed = 0;

 private:
  void apply(const AmiMessage& message, Time at) {
    if (!message.banner().empty()) {
      if (connected_) {
        translator_.upstream_lost("a new connection in the recording", at, events_);
        translator_.begin_resync("gap", at, events_);
      }
      connected_ = true;
    }
    while (translator_.next_wakeup() <= at) translator_.pass(translator_.next_wakeup(), events_);
    translator_.take(message, at, events_);
    if (message.event() == "QueueStatusComplete" && translator_.resyncing())
      translator_.finish_listing(false, at, events_);
    flush();
    lines_.pass(*clock_);
  }

  void flush() {
    for (const v1::Event& event : events_) lines_.take(event);
    events_.clear();
  }

  AmiTranslator& translator_;
  adapter::EventLines& lines_;
  std::optional<Time> clock_;
  std::vector<KeptMessage> early_;
  Events events_;
  bool connected_ = false;
};

}  // namespace

std::optional<Time> timestamp_of(const AmiMessage& message) {
  const std::string_view text = message.get("Timestamp");
  const std::size_t dot = text.find('.');
  std::int64_t seconds = 0;
  const std::string_view whole = text.substr(0, dot);
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  if (whole.empty() || error != std::errc() || end != whole.data() + whole.size()) return std::nullopt;
  if (seconds < 0 || seconds > 8'000'000'000) return std::nullopt;
  std::int64_t nanoseconds = 0;
  if (dot != std::string_view::npos) {
    std::int64_t unit = 100'000'000;
    for (const char c : text.substr(dot + 1)) {
      if (c < '0' || c > '9') return std::nullopt;
      nanoseconds += (c - '0') * unit;
      unit /= 10;
    }
  }
  return time_from_ns(seconds * 1'000'000'000 + nanoseconds);
}

RecordingCounts replay_recording(std::istream& in, AmiTranslator& translator, adapter::EventLines& lines) {
  AmiParser parser;
  Replay replay(translator, lines);
  std::string block(64 * 1024, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0)
    parser.feed(std::string_view(block).substr(0, static_cast<std::size_t>(in.gcount())),
                [&](const AmiMessage& message) { replay.take(message); });
  replay.finish();
  lines.finish();
  return {parser.counts(), translator.seen(), replay.untimed};
}

}  // namespace reach::asterisk
