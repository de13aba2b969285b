#include "daemon/log/verify.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "daemon/log/format.hpp"
#include "daemon/log/snapshots.hpp"

namespace reach::log {
namespace {

constexpr Lsn no_end = std::numeric_limits<Lsn>::max();

std::string range_text(Lsn from, Lsn to) {
  if (from == to) return "record " + std::to_string(from);
  if (to == no_end) return "the records from " + std::to_string(from) + " on";
  return "the " + std::to_string(to - from + 1) + " records " + std::to_string(from) + " to " + std::to_string(to);
}

std::string restore_text(const std::string& what) {
  return "restore " + what +
         " from a backup; or start reachd once with --accept-damage: it goes on without what is lost "
         "and counts it";
}

/// What is readable of one segment file, in order: its own bytes with the holes between them.
struct Piece {
  std::size_t from = 0, to = 0;    ///< bytes of whole records
  Lsn lost_from = 0, lost_to = 0;  ///< the hole behind them; 0: none
  std::size_t hole_at = 0;
};
struct Pieces {
  Header header{};
  std::vector<Piece> pieces;
  std::vector<Finding> accepted;
  Lsn reached = 0;          ///< the last record, holes filled
  std::size_t torn_at = 0;  ///< of the newest file: where a torn tail begins; 0: none
};

/// `last`: the last record that the file must have; no_end for the newest, which ends where it ends.
Pieces take_apart(const SegmentFile& file, std::string_view content, Lsn last) {
  Pieces found;
  found.header = look_at_header(content, file.first);
  found.reached = file.first - 1;
  bool begun = found.header == Header::good;  // `at` is where a record should be
  std::size_t at = begun ? segment_header_bytes : 0;
  if (!begun) {
    // Records may be good although the header is not.
    const auto next = next_readable(content, 0, found.reached);
    begun = next && next->record.number == file.first;
    if (begun) at = next->at;
  }
  while (true) {
    Piece piece;
    piece.from = at;
    Lsn before = found.reached;
    if (begun) {
      const Scanned scanned = scan_records(content, at, found.reached, last, [&](Lsn number, std::string_view payload) {
        if (payload.empty()) {
          Finding finding{Finding::Kind::accepted, file.name, 0, before + 1, number, {}, {}};
          finding.what = "lost, as was accepted: " + range_text(before + 1, number);
          finding.advice = "nothing to do";
          found.accepted.push_back(finding);
        }
        before = number;
      });
      found.reached = scanned.reached;
      at = scanned.end;
    }
    piece.to = at;
    // What is missing behind a file's whole end was in a file of its own.
    if (found.reached >= last || (at == content.size() && found.header == Header::good)) {
      found.pieces.push_back(piece);
      return found;
    }
    const auto next = next_readable(content, at, found.reached);
    const bool torn = last == no_end && !proved_durable(content, at, found.reached + 1);
    if (torn) {
      found.torn_at = at;
      found.pieces.push_back(piece);
      return found;
    }
    piece.hole_at = at;
    piece.lost_from = found.reached + 1;
    const bool confirmation =
        next && next->record.payload.empty() && next->record.durable_before == next->record.number;
    const Lsn resumes = next ? next->record.number + (confirmation ? 1 : 0) : last + 1;
    piece.lost_to = std::min(resumes - 1, last);
    found.reached = piece.lost_to;
    found.pieces.push_back(piece);
    if (!next || found.reached >= last) return found;
    at = confirmation ? next->at + next->record.bytes() : next->at;
    begun = true;
  }
}

}  // namespace

std::string_view to_text(Finding::Kind kind) noexcept {
  switch (kind) {
    case Finding::Kind::torn_tail:
      return "torn tail";
    case Finding::Kind::damage:
      return "damage";
    case Finding::Kind::missing:
      return "missing";
    case Finding::Kind::accepted:
      return "accepted loss";
    case Finding::Kind::bad_snapshot:
      return "bad snapshot";
    case Finding::Kind::foreign:
      return "foreign file";
  }
  return "";
}

Inspection inspect(Disk& disk) {
  Inspection result;
  Lsn newest_snapshot = 0;
  std::vector<Finding> snapshot_findings;
  for (const SnapshotFile& file : snapshot_files(disk)) {
    if (read_snapshot(disk, file)) {
      ++result.snapshots;
      newest_snapshot = file.number;
      continue;
    }
    snapshot_findings.push_back({Finding::Kind::bad_snapshot, file.name, 0, 0, 0, "its checksum is wrong",
                                 "remove it: reachd starts from the snapshot before it, or from the log's beginning"});
  }
  const std::vector<SegmentFile> files = segment_files(disk);
  Lsn reached = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const SegmentFile& file = files[i];
    if (i == 0) {
      reached = file.first - 1;
      // What was removed by age is in a snapshot.
      if (file.first > 1 && newest_snapshot < reached) {
        result.findings.push_back({Finding::Kind::missing, file.name, 0, 1, reached,
                                   "in no file and in no snapshot: " + range_text(1, reached),
                                   restore_text("the files before " + file.name)});
      }
    } else if (file.first > reached + 1) {
      result.findings.push_back({Finding::Kind::missing, file.name, 0, reached + 1, file.first - 1,
                                 "in no file: " + range_text(reached + 1, file.first - 1),
                                 restore_text("the files between " + files[i - 1].name + " and " + file.name)});
      reached = file.first - 1;
    }
    const std::string content = disk.read(file.name);
    const Lsn last = i + 1 < files.size() ? files[i + 1].first - 1 : no_end;
    ++result.segments;
    result.bytes += content.size();
    if (result.first == 0) result.first = file.first;
    const Pieces found = take_apart(file, content, last);
    if (found.header == Header::newer) {
      result.findings.push_back({Finding::Kind::foreign, file.name, 0, 0, 0, "it was written by a newer reachd",
                                 "use the reachctl of that version"});
      reached = last == no_end ? reached : last;
      continue;
    }
    if (found.header == Header::foreign) {
      result.findings.push_back(
          {Finding::Kind::foreign, file.name, 0, 0, 0,
           "it has a log file's name, but its beginning is not that of one (another program's file, "
           "or damaged)",
           "move it away if it is not reachd's; " + restore_text("it")});
    }
    if (found.header == Header::torn && found.pieces.front().to > 0) {
      result.findings.push_back({Finding::Kind::damage, file.name, 0, 0, 0,
                                 "its beginning cannot be read, though there are records behind it",
                                 restore_text("the file")});
    }
    for (const Finding& finding : found.accepted) result.findings.push_back(finding);
    for (const Piece& piece : found.pieces) {
      if (piece.lost_from == 0) continue;
      result.findings.push_back({Finding::Kind::damage, file.name, piece.hole_at, piece.lost_from, piece.lost_to,
                                 "cannot be read: " + range_text(piece.lost_from, piece.lost_to),
                                 restore_text("the file")});
    }
    const bool torn = (found.torn_at > 0 && found.torn_at < content.size()) ||
                      (found.header == Header::torn && last == no_end && found.reached < file.first);
    if (torn && found.header != Header::foreign) {
      result.findings.push_back(
          {Finding::Kind::torn_tail, file.name, found.torn_at, 0, 0,
           std::to_string(content.size() - found.torn_at) +
               " bytes behind the last whole record were being written when reachd or the machine "
               "stopped; nothing of them was acknowledged, so nothing is lost",
           "nothing to do: reachd cuts them off when it starts"});
    }
    reached = std::max(reached, found.reached);
  }
  result.last = reached;
  if (newest_snapshot > reached) {
    result.findings.push_back(
        {Finding::Kind::missing,
         {},
         0,
         reached + 1,
         newest_snapshot,
         "in no file, though a snapshot was made after them: " + range_text(reached + 1, newest_snapshot),
         restore_text("the newest log files")});
  }
  result.findings.insert(result.findings.end(), snapshot_findings.begin(), snapshot_findings.end());
  for (const std::string& name : disk.list()) {
    const bool ours = name == "lock" || name == "snapshot.new" || name == "repair.new" || name.ends_with(".damaged") ||
                      number_in(name, ".log") || number_in(name, ".snapshot");
    if (!ours) {
      result.findings.push_back(
          {Finding::Kind::foreign, name, 0, 0, 0, "it is no file of this log, which ignores it", "move it away"});
    }
  }
  return result;
}

std::vector<std::string> accept_damage(Disk& disk, Time now) {
  std::vector<std::string> done;
  const auto write = [&](const std::string& name, const std::string& content) {
    const std::unique_ptr<File> file = disk.create(name);
    file->append(content);
    file->sync();
  };
  /// `before`: what stands there now, to be kept. A file takes another's place at once: who is interrupted and begins
  /// again must find the damaged one or the repaired one, never a hole.
  const auto replace = [&](const std::string& name, const std::string& content, const std::string* before) {
    if (before != nullptr) write(name + ".damaged", *before);
    write("repair.new", content);
    disk.rename("repair.new", name);
    disk.sync_directory();
  };
  const auto fill = [&](Lsn first, Lsn last) {
    std::string content = segment_header(first, now);
    put_record(content, last, last, {});
    replace(segment_name(first), content, nullptr);
    done.push_back("given up, since in no file: " + range_text(first, last));
  };

  Lsn newest_snapshot = 0;
  for (const SnapshotFile& file : snapshot_files(disk)) {
    if (read_snapshot(disk, file)) newest_snapshot = file.number;
  }
  const std::vector<SegmentFile> files = segment_files(disk);
  Lsn reached = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const SegmentFile& file = files[i];
    if (file.first > reached + 1 && (i > 0 || newest_snapshot < file.first - 1)) fill(reached + 1, file.first - 1);
    reached = file.first - 1;
    const std::string content = disk.read(file.name);
    const Lsn last = i + 1 < files.size() ? files[i + 1].first - 1 : no_end;
    const Pieces found = take_apart(file, content, last);
    if (found.header == Header::newer) throw LogError(file.name + " was written by a newer reachd; start that one");
    const bool whole = found.header == Header::good &&
                       std::ranges::all_of(found.pieces, [](const Piece& piece) { return piece.lost_from == 0; });
    const bool torn_beginning = found.header == Header::torn && last == no_end && found.reached < file.first;
    reached = found.reached;
    if (whole || torn_beginning) continue;  // a torn tail is cut at the start as ever
    if (found.header == Header::foreign && found.reached < file.first) {
      // An empty one in its place: the file before it ends where this one begins, whatever stands behind that.
      replace(file.name, segment_header(file.first, now), &content);
      done.push_back(file.name + " is put aside as " + file.name + ".damaged: it is no file of this log");
      continue;
    }
    std::string repaired = segment_header(file.first, found.header == Header::good ? begun_at(content) : now);
    for (const Piece& piece : found.pieces) {
      repaired.append(content, piece.from, piece.to - piece.from);
      if (piece.lost_from == 0) continue;
      put_record(repaired, piece.lost_to, piece.lost_to, {});
      done.push_back("given up: " + range_text(piece.lost_from, piece.lost_to) + " of " + file.name + " at offset " +
                     std::to_string(piece.hole_at) + "; the file as it was is " + file.name + ".damaged");
    }
    replace(file.name, repaired, &content);
  }
  if (newest_snapshot > reached) fill(reached + 1, newest_snapshot);
  return done;
}

}  // namespace reach::log
