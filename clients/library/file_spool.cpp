// Files "EPOCH-FIRST-TRY.events", named by their epoch, their first event's number (and, after a failure, the how
// manieth file from that number on it is), each a row of
//   u32 length of the rest, u32 CRC-32C of the rest, u32 length of the bookmark, the bookmark, an EventBatch
// (all numbers little-endian). A record is what was appended at once, under the numbers from first_sequence on. One
// without events is a mark: every event before first_sequence is safe, and the bookmark is repeated. A file begins with
// one, so that older files may go.
//
// Damage: the next record with a good checksum goes on, and what is missing before it is a gap in the numbers, which
// the daemon counts as lost if it does not have it. But what was not safe yet and can be told again (a bookmark) was
// never sent: after a power failure a part of it may be there without the part before. So the file ends there, as it
// does at a record cut short, and the bookmark before it is the one that counts.
//
// Why every run has an epoch of its own: nobody can know whether the end of a spool is missing (the machine went down
// before the disk had it, the disk was full), and the daemon may have what is missing. A number given again would then
// be taken for the event it was first given to. Numbers that nobody gives again need no such knowledge.
//
// Why the files of an epoch go before the next one is spoken of: the daemon forgets an epoch with the next one's Hello,
// and would take all of it once more.
//
// What is held is in memory as well, serialised, so reading never touches the disk.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "clients/library/event_queue.hpp"
#include "clients/library/spool.hpp"
#include "daemon/log/crc32c.hpp"
#include "daemon/log/disk.hpp"
#include "reachd/v1/ingest.pb.h"

namespace reach::client {
namespace {

constexpr std::size_t file_bytes = 4U << 20;
constexpr std::size_t idle_bytes = 64U << 10;
constexpr std::size_t record_header = 8;
constexpr std::size_t longest_record = 512U << 20;  // twice what a spool may hold
constexpr std::string_view suffix = ".events";

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

void append_u32(std::string& bytes, std::size_t value) {
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

/// One of EventBatch.events, from its serialised form.
void append_event_field(std::string& bytes, std::string_view event) {
  constexpr int length_delimited = 2;
  bytes += static_cast<char>(v1::EventBatch::kEventsFieldNumber << 3 | length_delimited);
  std::size_t length = event.size();
  for (; length >= 0x80; length >>= 7) bytes += static_cast<char>(length | 0x80);
  bytes += static_cast<char>(length);
  bytes += event;
}

struct FileName {
  std::uint64_t epoch = 0, first = 0, attempt = 0;
  auto operator<=>(const FileName&) const = default;
};

std::string text_of(const FileName& name) {
  return std::to_string(name.epoch) + '-' + std::to_string(name.first) + '-' + std::to_string(name.attempt) +
         std::string(suffix);
}

std::optional<FileName> name_from(std::string_view text) {
  FileName name;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&at, end](std::uint64_t& value) {
    const auto [behind, error] = std::from_chars(at, end, value);
    at = behind;
    return error == std::errc();
  };
  const auto dash = [&at, end] { return at != end && *at++ == '-'; };
  if (!number(name.epoch) || !dash() || !number(name.first) || !dash() || !number(name.attempt)) return std::nullopt;
  if (std::string_view(at, static_cast<std::size_t>(end - at)) != suffix || name.first == 0) return std::nullopt;
  return name;
}

class FileSpool final : public Spool {
 public:
  FileSpool(std::unique_ptr<log::Disk> disk, std::uint64_t epoch, SpoolLimits limits)
      : disk_(std::move(disk)), limits_(limits) {
    std::vector<FileName> unused;
    const std::vector<FileName> found = names();
    for (std::size_t i = 0; i < found.size(); ++i) {
      const bool more = i + 1 < found.size() && found[i + 1].epoch == found[i].epoch;
      load(found[i], more ? std::optional(found[i + 1].first) : std::nullopt, unused);
    }
    stretches_.push_back({{std::max(epoch, newest_epoch_ + 1), 1, 1, true}, {}});
    written_.bookmark = synced_.bookmark = bookmark_;
    if (begin_file()) {
      for (const FileName& name : unused) remove(name);
    }
  }

  [[nodiscard]] Stretch stretch() const override { return stretches_.front().numbers; }
  [[nodiscard]] std::string bookmark() const override { return bookmark_; }
  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] std::string problem() const override { return problem_; }

  bool append(std::span<const v1::Event> events, std::string_view bookmark) override {
    std::size_t bytes = 0;
    for (const v1::Event& event : events) bytes += event.ByteSizeLong();
    if (size_ + events.size() > limits_.events || bytes_ + bytes > limits_.bytes) return false;
    Held& own = stretches_.back();
    groups_.push_back({own.numbers.next, events.size(), std::string(bookmark)});
    for (const v1::Event& event : events) hold(own, event);
    if (!bookmark.empty()) bookmark_ = bookmark;
    write();
    return true;
  }

  void read(std::uint64_t first, const std::function<bool(std::uint64_t, std::string_view)>& take) override {
    const Held& held = stretches_.front();
    std::uint64_t end = held.numbers.next;
    if (held.numbers.is_last) end = sendable();
    if (!held.numbers.is_last && !bookmark_.empty() && !secure_loaded()) return;
    std::uint64_t number = std::max(first, held.numbers.first);
    held.events.read(number - held.numbers.first,
                     [&](std::string_view event) { return number < end && take(number++, event); });
  }

  void acknowledged(std::uint64_t sequence) override {
    Held& held = stretches_.front();
    while (!held.events.empty() && held.numbers.first <= sequence) {
      bytes_ -= held.events.bytes();
      held.events.pop_front();
      bytes_ += held.events.bytes();
      --size_;
      ++held.numbers.first;
    }
    if (held.numbers.is_last) {
      const std::uint64_t first = held.numbers.first;
      while (!groups_.empty() && groups_.front().end() <= first) groups_.pop_front();
      written_.number = std::max(written_.number, first);  // what is acknowledged need not be written any more
      synced_.number = std::max(synced_.number, first);
      write();
      if (held.events.empty() && file_ && file_size_ >= idle_bytes) begin_file();  // a small file may stay
    }
    remove_old_files();
  }

  void begin_next_stretch() override {
    stretches_.pop_front();
    settled_ = false;
  }

  bool settle() override {
    if (settled_) return true;
    if (!bookmark_kept_ && !synced_.bookmark.empty() && !begin_file()) return false;
    const std::uint64_t epoch = stretches_.front().numbers.epoch;
    try {
      // Also those that an earlier run removed: the machine may bring them back.
      for (const FileName& name : names()) {
        if (name.epoch < epoch) disk_->remove(text_of(name));
      }
      disk_->sync_directory();
    } catch (const std::exception& error) {
      return failed(error);
    }
    while (!files_.empty() && files_.front().name.epoch < epoch) files_.pop_front();
    std::erase_if(loaded_, [epoch](const auto& each) { return each.first.epoch < epoch; });
    settled_ = true;
    return true;
  }

 private:
  struct Held {
    Stretch numbers;
    EventQueue events;
  };
  struct Record {
    std::size_t at = 0, bytes = 0;  // in its file
    std::uint64_t first = 0;        // number of its first event; of a mark: of the next one
    std::string bookmark;
    v1::EventBatch batch;
    [[nodiscard]] std::uint64_t end() const { return first + static_cast<std::uint64_t>(batch.events_size()); }
  };
  struct KeptFile {
    FileName name;
    std::uint64_t end;  // the number behind the last in it
  };
  struct Group {  // appended at once
    std::uint64_t first;
    std::size_t count;
    std::string bookmark;
    [[nodiscard]] std::uint64_t end() const { return first + count; }
  };
  struct Place {
    std::uint64_t number = 1;  // of the next event
    std::string bookmark;      // of those before
  };

  /// `event` is the next of `held`.
  void hold(Held& held, const v1::Event& event) {
    bytes_ -= held.events.bytes();
    held.events.push_back(event);
    bytes_ += held.events.bytes();
    ++size_;
    ++held.numbers.next;
  }

  // ---- what earlier runs left

  /// Of all files, ascending.
  [[nodiscard]] std::vector<FileName> names() {
    std::vector<FileName> found;
    for (const std::string& text : disk_->list()) {
      if (const auto name = name_from(text)) found.push_back(*name);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  /// `next`: the number with which the next file of the same epoch begins, if there is one.
  void load(const FileName& name, std::optional<std::uint64_t> next, std::vector<FileName>& unused) {
    newest_epoch_ = std::max(newest_epoch_, name.epoch);
    const std::string bytes = disk_->read(text_of(name));
    std::vector<Record> records = records_of(bytes, name.first);
    std::uint64_t safe = next.value_or(1);  // a file is begun when those before it are safe
    bool has_bookmarks = false;
    for (const Record& record : records) {
      if (record.batch.events().empty()) safe = std::max(safe, record.first);
      has_bookmarks = has_bookmarks || !record.bookmark.empty();
    }
    std::uint64_t end = name.first;  // behind the last event so far
    std::size_t good_bytes = 0, good = 0;
    for (; good < records.size(); ++good) {
      const Record& record = records[good];
      if (record.at != good_bytes) {
        if ((next && end >= *next) || (has_bookmarks && end >= safe)) break;
        say_damage(name, good_bytes, missing(end, record.first));
      }
      end = record.end();
      good_bytes = record.at + record.bytes;
    }
    records.resize(good);
    if (next) {
      if (good_bytes < bytes.size() && end < *next) say_damage(name, good_bytes, missing(end, *next));
    } else if (is_damage(std::string_view(bytes).substr(good_bytes))) {
      say_damage(name, good_bytes,
                 has_bookmarks && end >= safe ? "what follows there was not sent yet and is told again"
                                              : "what follows there is lost unless reachd has it");
    }
    const bool follows = !stretches_.empty() && stretches_.back().numbers.epoch == name.epoch;
    if (!follows && name.first == 1 && end == 1) {
      // Nothing was numbered in this epoch, or it does not matter: all of it was in one file, and none is there.
      if (!records.empty() && !records.front().bookmark.empty()) bookmark_ = records.front().bookmark;
      unused.push_back(name);
      return;
    }
    files_.push_back({name, end});
    loaded_.emplace_back(name, good_bytes);
    if (!follows) begin_stretch(name.epoch, name.first);
    if (stretches_.back().numbers.next < name.first) begin_stretch(name.epoch, name.first);
    for (const Record& record : records) {
      if (stretches_.back().numbers.next < record.first) begin_stretch(name.epoch, record.first);
      Held& held = stretches_.back();
      // After a failure events were written anew, so that some are there twice: then the bookmark is an older one.
      if (record.end() >= held.numbers.next && !record.bookmark.empty()) bookmark_ = record.bookmark;
      std::uint64_t number = record.first;
      for (const v1::Event& event : record.batch.events()) {
        if (number++ >= held.numbers.next) hold(held, event);
      }
    }
  }

  /// Of an earlier run. Behind one of the same epoch: the numbers between are missing, and the daemon finds out whether
  /// it has what was there.
  void begin_stretch(std::uint64_t epoch, std::uint64_t first) {
    stretches_.push_back({{epoch, first, first, false}, {}});
  }

  /// Those with a good checksum; behind damage only such as say their number, if it fits. `number`: of the first event.
  static std::vector<Record> records_of(std::string_view bytes, std::uint64_t number) {
    std::vector<Record> records;
    bool is_behind_damage = false;
    for (std::size_t at = 0; bytes.size() - at >= record_header;) {
      auto record = record_at(bytes, at);
      const std::uint64_t said = record ? record->batch.first_sequence() : 0;
      if (!record || (said == 0 ? is_behind_damage : said < number)) {
        is_behind_damage = true;
        ++at;
        continue;
      }
      is_behind_damage = false;
      record->first = said == 0 ? number : said;
      number = record->end();
      at += record->bytes;
      records.push_back(std::move(*record));
    }
    return records;
  }

  static std::optional<Record> record_at(std::string_view bytes, std::size_t at) {
    const std::size_t length = u32_at(bytes, at);
    std::string_view payload = bytes.substr(at + record_header);
    if (length < 4 || payload.size() < length || length - 4 < u32_at(payload, 0)) return std::nullopt;
    payload = payload.substr(0, length);
    if (log::crc32c(payload) != u32_at(bytes, at + 4)) return std::nullopt;
    std::optional<Record> record(std::in_place);
    record->at = at;
    record->bytes = record_header + length;
    record->bookmark = payload.substr(4, u32_at(payload, 0));
    payload.remove_prefix(4 + record->bookmark.size());
    if (!record->batch.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return std::nullopt;
    return record;
  }

  /// Whether `tail`, in which there is no good record, is more than one cut short while it was written.
  static bool is_damage(std::string_view tail) {
    if (tail.size() < record_header) return false;
    const std::size_t length = u32_at(tail, 0);
    return length > longest_record || length <= tail.size() - record_header;
  }

  static std::string missing(std::uint64_t from, std::uint64_t to) {
    if (from == to) return "no event is missing";
    if (from + 1 == to) return "its event " + std::to_string(from) + " is lost unless reachd has it";
    return "its events " + std::to_string(from) + " to " + std::to_string(to - 1) + " are lost unless reachd has them";
  }

  void say_damage(const FileName& name, std::size_t at, const std::string& what) {
    if (!problem_.empty()) problem_ += "; ";
    problem_ += "the spool file " + disk_->path() + '/' + text_of(name) + " is damaged at byte " + std::to_string(at) +
                ": " + what;
  }

  /// What was found may be in no place but the kernel's memory, while the bookmark in the next file goes to the disk.
  bool secure_loaded() {
    try {
      for (; !loaded_.empty(); loaded_.pop_back()) {
        disk_->truncate(text_of(loaded_.back().first), loaded_.back().second);  // at its good end: that syncs it
      }
    } catch (const std::exception& error) {
      return failed(error);
    }
    return true;
  }

  // ---- writing

  bool failed(const std::exception& error) {
    problem_ = "the spool in " + disk_->path() + " cannot be written: " + error.what();
    return false;
  }

  /// `events`, from number `first` on: the field of an EventBatch, as bytes. None: a mark.
  void append_record(std::string_view bookmark, std::uint64_t first, std::string_view events) {
    std::string payload;
    append_u32(payload, bookmark.size());
    payload += bookmark;
    v1::EventBatch batch;
    batch.set_first_sequence(first);
    batch.AppendToString(&payload);
    payload += events;
    std::string record;
    record.reserve(record_header + payload.size());
    append_u32(record, payload.size());
    append_u32(record, log::crc32c(payload));
    record += payload;
    file_->append(record);
    file_size_ += record.size();
  }

  /// Everything in the present file is safe. False: nothing is known of what came after the last success, so it is
  /// written anew, in another file.
  bool sync() {
    if (!file_ || synced_.number == written_.number) return true;
    try {
      file_->sync();
    } catch (const std::exception& error) {
      file_.reset();
      written_ = synced_;
      return failed(error);
    }
    synced_ = written_;
    while (!groups_.empty() && groups_.front().end() <= synced_.number) groups_.pop_front();
    return true;
  }

  /// What is safe now may be sent, so a later run must not take damage of it for something that never was.
  void mark() {
    if (!file_) return;
    try {
      append_record(synced_.bookmark, synced_.number, {});
    } catch (const std::exception& error) {
      file_.reset();  // as in write(); everything before is safe
      failed(error);
    }
  }

  /// A new file from written_ on, which holds the bookmark whatever happens to the machine.
  bool begin_file() {
    if (!sync() || !secure_loaded()) return false;
    FileName name{stretches_.back().numbers.epoch, written_.number, 0};
    std::optional<FileName> former;  // a file from the same number on
    if (!files_.empty() && files_.back().name.epoch == name.epoch && files_.back().name.first == name.first) {
      former = files_.back().name;
      name.attempt = former->attempt + 1;
    }
    try {
      file_ = disk_->create(text_of(name));
      file_size_ = 0;
      append_record(written_.bookmark, written_.number, {});
      file_->sync();
      disk_->sync_directory();
    } catch (const std::exception& error) {
      file_.reset();
      remove(name);
      return failed(error);
    }
    bookmark_kept_ = true;
    if (former && files_.back().end == former->first) {  // with no event in it
      remove(*former);
      files_.pop_back();
    }
    files_.push_back({name, name.first});
    return true;
  }

  /// Writes what the files do not hold yet, in order. What cannot be written now is tried again with the next event.
  void write() {
    const Held& own = stretches_.back();
    while (written_.number < own.numbers.next) {
      if (!file_ || file_size_ >= file_bytes || files_.back().end != written_.number) {
        if (!begin_file()) return;
        continue;  // a failed sync of the file before moves written_ back
      }
      const auto group = std::upper_bound(groups_.begin(), groups_.end(), written_.number,
                                          [](std::uint64_t n, const Group& each) { return n < each.end(); });
      std::string events;
      std::uint64_t number = written_.number;
      own.events.read(number - own.numbers.first, [&](std::string_view event) {
        append_event_field(events, event);
        return ++number < group->end();
      });
      try {
        append_record(group->bookmark, written_.number, events);
      } catch (const std::exception& error) {
        sync();         // of what was written before; or else that is written anew, too
        file_.reset();  // an unknown part of the record is there: nothing may follow it
        failed(error);
        return;
      }
      written_.number = files_.back().end = group->end();
      if (!group->bookmark.empty()) written_.bookmark = group->bookmark;
      problem_.clear();
    }
    remove_old_files();
  }

  /// Up to which number events of this run may be sent. Those with a bookmark only when the disk has both: after a
  /// power failure, too, the bookmark tells exactly what the daemon can have. The others at once: nobody could tell
  /// them again.
  std::uint64_t sendable() {
    const auto unsafe = [this] {
      return std::find_if(groups_.begin(), groups_.end(),
                          [this](const Group& each) { return each.first >= synced_.number && !each.bookmark.empty(); });
    };
    if (unsafe() != groups_.end()) {
      write();
      if (sync()) mark();
    }
    const auto first = unsafe();
    return first == groups_.end() ? stretches_.back().numbers.next : first->first;
  }

  void remove(const FileName& name) {
    try {
      disk_->remove(text_of(name));
    } catch (const std::exception&) {  // a file that stays is acknowledged again after a restart: harmless
    }
  }

  /// Removes the files of the stretch to send of which nothing is held any more. The newest stays: for its bookmark.
  void remove_old_files() {
    const Stretch& now = stretches_.front().numbers;
    while (files_.size() > 1 && files_.front().name.epoch == now.epoch && files_.front().end <= now.first) {
      const FileName name = files_.front().name;
      remove(name);
      files_.pop_front();
      std::erase_if(loaded_, [&name](const auto& each) { return each.first == name; });
    }
  }

  std::unique_ptr<log::Disk> disk_;
  const SpoolLimits limits_;
  std::string problem_;
  std::uint64_t newest_epoch_ = 0;
  std::deque<Held> stretches_;                            // never empty; this run's is the last
  std::size_t size_ = 0, bytes_ = 0;                      // of all events held
  std::string bookmark_;                                  // the newest
  std::deque<KeptFile> files_;                            // ascending
  std::vector<std::pair<FileName, std::size_t>> loaded_;  // with their good lengths, until they are known to be safe

  // Of this run's stretch:
  std::deque<Group> groups_;         // those that are not known to be safe, or to be acknowledged
  Place written_, synced_;           // what the files hold, and what they hold after a power failure, too
  std::unique_ptr<log::File> file_;  // the newest; none after a failure
  std::size_t file_size_ = 0;
  bool settled_ = false;
  bool bookmark_kept_ = false;  // this run has a file, so that those of earlier runs may go
};

}  // namespace

std::unique_ptr<Spool> file_spool(std::unique_ptr<log::Disk> disk, std::uint64_t epoch, SpoolLimits limits) {
  return std::make_unique<FileSpool>(std::move(disk), epoch, limits);
}

std::unique_ptr<Spool> file_spool(const std::string& directory, SpoolLimits limits) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return file_spool(log::local_disk(directory, {"spool directory", "adapter"}),
                    static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()),
                    limits);
}

}  // namespace reach::client
