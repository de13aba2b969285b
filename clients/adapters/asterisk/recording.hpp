// A recorded manager stream as a clock: the messages carry their own times.
#pragma once
#include <istream>
#include <optional>
#include <string>

#include "clients/adapters/asterisk/ami_translator.hpp"
#include "clients/adapters/common/event_lines.hpp"

namespace reach::asterisk {

/// The event's Timestamp ("1795420133.830530", seconds since 1970); nullopt without `timestampevents = yes`.
[[nodiscard]] std::optional<Time> timestamp_of(const AmiMessage& message);

/// What a recording held.
struct RecordingCounts {
  AmiCounts parsed;
  SeenCounts seen;
  std::uint64_t untimed = 0;  ///< messages dropped: no Timestamp came before the limit of 100,000 messages
};

/// Reads `in` to its end and writes what it means to `lines`. What waits for more evidence at the end of the stream is
/// said then; a call that still waits goes on waiting. A second banner in the stream is a reconnect: upstream lost, and
/// a resync at the next QueueStatus.
/// Throws std::runtime_error, with what to change in manager.conf, if no message has a Timestamp.
RecordingCounts replay_recording(std::istream& in, AmiTranslator& translator, adapter::EventLines& lines);

}  // namespace reach::asterisk
