#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include "daemon/wire/wire.hpp"

namespace reach::wire {
namespace {

std::optional<Time> optional_time(std::uint64_t ns) {
  if (ns == 0) return std::nullopt;
  return time_from_ns(static_cast<std::int64_t>(ns));
}

}  // namespace

std::optional<std::string_view> bare_batch(std::string_view frame) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(frame.data()),
                                            static_cast<int>(frame.size()));
  std::uint32_t length = 0;
  if (in.ReadTag() !=
          google::protobuf::internal::WireFormatLite::MakeTag(
              v1::ToDaemon::kBatchFieldNumber, google::protobuf::internal::WireFormatLite::WIRETYPE_LENGTH_DELIMITED) ||
      !in.ReadVarint32(&length)) {
    return std::nullopt;
  }
  const auto begin = static_cast<std::size_t>(in.CurrentPosition());
  if (begin + length != frame.size()) return std::nullopt;
  return frame.substr(begin);
}

bool has_more_events(std::string_view bytes, int most) {
  using google::protobuf::internal::WireFormatLite;
  if (bytes.size() <= 2 * static_cast<std::size_t>(most)) return false;
  constexpr std::uint32_t event =
      WireFormatLite::MakeTag(v1::EventBatch::kEventsFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  int events = 0;
  while (const std::uint32_t tag = in.ReadTag()) {
    if (tag != event) {
      if (!WireFormatLite::SkipField(&in, tag)) break;
      continue;
    }
    std::uint32_t length = 0;
    if (++events > most) return true;
    if (!in.ReadVarint32(&length) || !in.Skip(static_cast<int>(length))) break;
  }
  return false;  // what is no batch has its own refusal
}

Time received_of(const v1::LogRecord& record) noexcept {
  return time_from_ns(static_cast<std::int64_t>(record.received_ns()));
}

std::string batch_record(std::string_view frame, const v1::EventBatch& batch, Time received, Duration clock_offset,
                         bool at_event_times) {
  v1::LogRecord record;
  record.set_received_ns(static_cast<std::uint64_t>(ns_of(received)));
  record.set_clock_offset_ns(clock_offset.count());
  record.set_at_event_times(at_event_times);
  // The batch is field 2 of both messages, so the same bytes mean the same; anything beside it might not.
  static_assert(int{v1::ToDaemon::kBatchFieldNumber} == int{v1::LogRecord::kBatchFieldNumber});
  if (!bare_batch(frame)) {
    *record.mutable_batch() = batch;
    return record.SerializeAsString();
  }
  std::string bytes;
  bytes.reserve(frame.size() + 24);
  bytes.append(frame);
  record.AppendToString(&bytes);
  return bytes;
}

void for_each_input(const v1::LogRecord& record, Scratch& scratch, const std::function<void(const Input&, Time)>& take,
                    const std::function<void(const v1::Event&, const std::string&)>& refuse) {
  const Time received = received_of(record);
  switch (record.record_case()) {
    case v1::LogRecord::kBatch: {
      Input input;
      Event& event = input.emplace<Event>();
      for (const v1::Event& each : record.batch().events()) {
        const auto problem =
            event_from(each, record.batch().source(), Duration(record.clock_offset_ns()), received, scratch, event);
        if (problem) {
          refuse(each, *problem);
        } else {
          take(input, record.at_event_times() ? event.at : received);
        }
      }
      break;
    }
    case v1::LogRecord::kHello: {
      const v1::Hello& hello = record.hello();
      take(
          SourceConnected{hello.source(), hello.software(), {hello.capabilities().begin(), hello.capabilities().end()}},
          received);
      break;
    }
    case v1::LogRecord::kSeen:
      take(SourceHeard{record.seen().source(), record.seen().upstream_connected()}, received);
      break;
    case v1::LogRecord::kGone:
      take(SourceLost{record.gone().source(), record.gone().reason()}, received);
      break;
    case v1::LogRecord::kAcknowledge: {
      const v1::LoggedAcknowledge& ack = record.acknowledge();
      take(Acknowledge{ack.alert(), ack.by(), ack.note(), optional_time(ack.until_ns())}, received);
      break;
    }
    case v1::LogRecord::kTrouble:
      take(LogTrouble{record.trouble().problem()}, received);
      break;
    case v1::LogRecord::kCatchUp:
      take(CatchUp{record.catch_up().begins()}, received);
      break;
    case v1::LogRecord::kTimePassed:
      take(TimePassed{}, received);
      break;
    case v1::LogRecord::kConfiguration:
    case v1::LogRecord::RECORD_NOT_SET:
      break;
  }
}

}  // namespace reach::wire
