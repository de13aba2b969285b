#include "clients/adapters/common/event_lines.hpp"

#include "clients/library/json.hpp"

namespace reach::adapter {

EventLines::EventLines(std::ostream& out, std::string source, Duration window)
    : out_(out), source_(std::move(source)), window_(window) {}

EventLines::~EventLines() {
  finish();
}

void EventLines::take(const v1::Event& event) {
  v1::Event named = event;
  if (!source_.empty()) named.set_source(source_);
  waiting_.emplace(time_from_ns(static_cast<std::int64_t>(event.time_ns())), client::to_json_line(named));
}

void EventLines::pass(Time now) {
  if (now < passed_ - window_) finish();  // by a clock that was set back nothing of this is soon over
  passed_ = now;
  while (!waiting_.empty() && waiting_.begin()->first < now - window_) {
    write(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
  }
}

void EventLines::finish() {
  for (const auto& [time, line] : waiting_) write(line);
  waiting_.clear();
  out_.flush();
}

void EventLines::write(const std::string& line) {
  out_ << line << '\n';
}

v1::Event event_at(Time at, const std::string& contact) {
  v1::Event event;
  event.set_time_ns(static_cast<std::uint64_t>(ns_of(at)));
  event.set_contact(contact);
  return event;
}

}  // namespace reach::adapter
