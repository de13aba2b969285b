// Core values to and from Protocol Buffers: the only place that knows both.
//
// Used by the daemon's sockets, by the recovery from the event log and by `reachctl replay`, so that all three see the
// same events and say the same figures.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/engine.hpp"
#include "reachd/v1/log.pb.h"
#include "reachd/v1/query.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}

namespace reach::wire {

/// 2100-01-01 in nanoseconds since 1970. Later times are refused: nobody means them, and differences with them could
/// overflow.
inline constexpr std::uint64_t latest_ns = 4'102'444'800'000'000'000;

// ---- events in -----------------------------------------------------------------------------------------------------

/// Storage for what an Event views but a message does not hold as such. Reused from event to event, one per thread.
struct Scratch {
  std::vector<std::string_view> list;
};

/// Reads one event. Fills `out`, which views into `event`, `batch_source` and `scratch` until one of them changes.
/// Returns nullopt, or a sentence that says what is missing or wrong; `out` is then of no use.
///
/// `batch_source`  the source of events that name none themselves; empty: each must name its own.
/// `clock_offset`  how far the source's clock is ahead of ours: taken off the event's times, which stay after 1970.
/// `not_after`     an event later than this is read as of this instant: live, the instant of its receipt.
[[nodiscard]] std::optional<std::string> event_from(const v1::Event& event, std::string_view batch_source,
                                                    Duration clock_offset, Time not_after, Scratch& scratch,
                                                    Event& out);

/// True for a name a source may have: 1 to 64 of A-Z a-z 0-9 . _ -
[[nodiscard]] bool is_source_name(std::string_view name) noexcept;

// ---- log records ---------------------------------------------------------------------------------------------------

/// Calls `take` with every core input of `record`, in order, and the time at which the core takes it (or the time that
/// it has already reached, if that is later); events that event_from() refuses go to `refuse` with the sentence
/// instead. A `configuration` record is no input: it gives nothing. The inputs view into `record` and `scratch`.
void for_each_input(const v1::LogRecord& record, Scratch& scratch, const std::function<void(const Input&, Time)>& take,
                    const std::function<void(const v1::Event&, const std::string&)>& refuse);
[[nodiscard]] Time received_of(const v1::LogRecord& record) noexcept;

/// The bytes of the EventBatch in `frame`, if that is a ToDaemon message with a batch and nothing beside it (what every
/// adapter sends): it can then be parsed into an EventBatch that keeps its memory. Nullopt for everything else.
[[nodiscard]] std::optional<std::string_view> bare_batch(std::string_view frame);

/// Whether the EventBatch in `bytes` has more than `most` events. Parses none: an empty one takes two bytes on the wire
/// and a hundred in memory. Costs nothing for fewer bytes than so many events can have.
[[nodiscard]] bool has_more_events(std::string_view bytes, int most);

/// The bytes of a LogRecord for a batch that came as the ToDaemon message `frame` and parsed to `batch`: copies the
/// frame's bytes where that is safe instead of serializing them anew.
/// `at_event_times`: its events are taken at their own times, none later than `received`.
[[nodiscard]] std::string batch_record(std::string_view frame, const v1::EventBatch& batch, Time received,
                                       Duration clock_offset, bool at_event_times = false);

// ---- figures out ---------------------------------------------------------------------------------------------------

void to_proto(const Figures& figures, v1::Figures& out);
void to_proto(const AgentCounts& agents, v1::Agents& out);
void to_proto(const Alert& alert, v1::Alert& out);
void to_proto(const SegmentView& view, v1::SegmentState& out);
void to_proto(const BehindView& view, v1::Behind& out);
/// clock_offset_s and duplicates are the shell's to fill in: the core does not know them.
void to_proto(const SourceView& view, v1::SourceState& out);
void to_proto(const StaffingView& view, v1::Staffing& out);
void to_proto(const TrendView& view, v1::TrendPoint& out);

/// The whole state at the instant `at` >= engine.now(), the figures over `window`: what `reachctl status` shows.
/// `segment`: only this one; empty: all.
[[nodiscard]] v1::Status status_of(const Engine& engine, const Window& window, Time at,
                                   std::optional<std::uint32_t> segment = {});

}  // namespace reach::wire
