// What the event log's files and the stores do when the disk lies or fails: the same 1,000 records, the same fault, and
// what comes back. No figure to reach; a table to judge by.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tests/bench/bench.hpp"
#include "tests/bench/stores.hpp"

namespace {

/// How many of the next calls fail; only in processes of this benchmark, and only for files.
int failing_writes = 0, failing_syncs = 0;

bool fails(int& left, int fd, int error) {
  if (left == 0) return false;
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  --left;
  errno = error;
  return true;
}

}  // namespace

// The stores call these instead of the C library's, since the program's own come first.
extern "C" {
ssize_t write(int fd, const void* bytes, size_t size) {
  return fails(failing_writes, fd, ENOSPC) ? -1 : syscall(SYS_write, fd, bytes, size);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return fails(failing_writes, fd, ENOSPC) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  return fails(failing_writes, fd, ENOSPC) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, at);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  return fails(failing_writes, fd, ENOSPC) ? -1 : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  return fails(failing_writes, fd, ENOSPC) ? -1 : syscall(SYS_pwritev, fd, parts, count, at, 0);
}
int fsync(int fd) {
  return fails(failing_syncs, fd, EIO) ? -1 : static_cast<int>(syscall(SYS_fsync, fd));
}
int fdatasync(int fd) {
  return fails(failing_syncs, fd, EIO) ? -1 : static_cast<int>(syscall(SYS_fdatasync, fd));
}
}

namespace reach::bench {
namespace {

constexpr int records = 1'000;
constexpr int group = 10;
constexpr std::size_t record_bytes = 200;

std::string record(int number) {
  return payload_of(record_bytes, static_cast<std::uint64_t>(number));
}
std::vector<std::string> group_from(int first) {
  std::vector<std::string> payloads;
  for (int i = first; i < first + group; ++i) payloads.push_back(record(i));
  return payloads;
}

struct Outcome {
  int confirmed = 0;  ///< records whose append() returned
  int refused = 0;    ///< groups whose append() threw
  int back = 0;       ///< records read back that are as they were
  int unasked = 0;    ///< records read back that append() had refused
  int wrong = 0;      ///< records read back that nobody ever wrote
  char said[300] = {};
  void say(const std::string& what) {
    if (said[0] == 0) std::snprintf(said, sizeof said, "%s", what.c_str());
  }
};

Outcome in_a_process(const std::function<void(Outcome&)>& work) {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    Outcome outcome;
    try {
      work(outcome);
    } catch (const std::exception& e) {
      outcome.say(e.what());
    }
    failing_writes = failing_syncs = 0;
    if (::write(ends[1], &outcome, sizeof outcome) > 0) pause();  // never closed properly
    _exit(1);
  }
  close(ends[1]);
  Outcome outcome;
  outcome.say("the process died");
  if (::read(ends[0], &outcome, sizeof outcome) != static_cast<ssize_t>(sizeof outcome)) outcome.wrong = -1;
  close(ends[0]);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  return outcome;
}

/// Reads everything back; `numbers`: the records that append() confirmed.
Outcome read_back(const StoreKind& kind, const std::string& directory, const std::set<int>& numbers) {
  return in_a_process([&](Outcome& outcome) {
    std::map<std::string, int, std::less<>> written;
    for (int i = 1; i <= records; ++i) written.emplace(record(i), i);
    Store* const store = kind.open(directory).release();
    outcome.say(store->mended());
    store->read([&](std::string_view payload) {
      const auto found = written.find(payload);
      ++(found == written.end() ? outcome.wrong : numbers.contains(found->second) ? outcome.back : outcome.unasked);
    });
  });
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The file with record `number` in it, and where.
std::pair<std::filesystem::path, std::size_t> find_record(const std::string& directory, int number) {
  const std::string payload = record(number).substr(record_bytes / 2, 16);
  for (const auto& each : std::filesystem::recursive_directory_iterator(directory)) {
    if (!each.is_regular_file()) continue;
    const std::size_t at = content_of(each.path()).find(payload);
    if (at != std::string::npos) return {each.path(), at};
  }
  throw std::runtime_error("record " + std::to_string(number) + " is in no file");
}

void overwrite(const std::filesystem::path& path, std::size_t at, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file << bytes;
}

void flip_bit(const std::string& directory, int number) {
  const auto [path, at] = find_record(directory, number);
  std::string byte = content_of(path).substr(at, 1);
  byte[0] = static_cast<char>(byte[0] ^ 0x10);
  overwrite(path, at, byte);
}

struct Damage {
  const char* what;
  bool idle;  ///< the writer had time to spare before
  std::function<void(const std::string& directory)> make;
};

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {"killed", false, [](const std::string&) {}},
      {"file cut within the last record", false,
       [](const std::string& directory) {
         const auto [path, at] = find_record(directory, records);
         std::filesystem::resize_file(path, at);
       }},
      {"a bit flipped in the last record, at once", false, [](const std::string& d) { flip_bit(d, records); }},
      {"a bit flipped in the last record, some time later", true, [](const std::string& d) { flip_bit(d, records); }},
      {"a bit flipped in record 500", true, [](const std::string& d) { flip_bit(d, 500); }},
      {"512 bytes of zeros from record 500 on", true,
       [](const std::string& directory) {
         const auto [path, at] = find_record(directory, 500);
         overwrite(path, at, std::string(512, '\0'));
       }},
  };
  return all;
}

/// With `settle`: closed properly and opened again, so that what a store keeps in a log of its own went where it stays.
void fill(const StoreKind& kind, const std::string& directory, bool idle, bool settle) {
  const Outcome outcome = in_a_process([&](Outcome& now) {
    std::unique_ptr<Store> store = kind.open(directory);
    for (int i = 1; i <= records; i += group) {
      store->append(group_from(i));
      now.confirmed += group;
    }
    if (idle) store->idle();
    if (settle) {
      store.reset();
      store = kind.open(directory);
    }
    static_cast<void>(store.release());  // killed before it could be closed
  });
  if (outcome.confirmed != records) throw std::runtime_error(kind.name + ": " + outcome.said);
}

void add(Report& report, const StoreKind& kind, const std::string& what, const Outcome& outcome, int expected) {
  std::string where = kind.name + ", " + what + ": ";
  if (outcome.unasked > 0) where += std::to_string(outcome.unasked) + " records that were refused, ";
  if (outcome.wrong > 0) where += std::to_string(outcome.wrong) + " WRONG records, ";
  if (outcome.said[0] != 0) {
    where += std::string("\"") + outcome.said + "\"";
  } else {
    where += outcome.back < expected ? "SAYS NOTHING" : "says nothing";
  }
  report.add({"log-faults", where, static_cast<double>(outcome.back), "records", static_cast<double>(expected), {}});
}

/// The disk fails `calls` times in the middle; the writer goes on with the next group, as a daemon must.
void failing_disk(const StoreKind& kind, const std::string& what, int& counter, int calls, const std::string& directory,
                  Report& report) {
  std::filesystem::create_directories(directory);
  const auto confirmed_file = directory + ".confirmed";
  const Outcome during = in_a_process([&](Outcome& outcome) {
    Store* const store = kind.open(directory).release();
    std::ofstream confirmed(confirmed_file);
    for (int i = 1; i <= records; i += group) {
      if (i == records / 2 + 1) counter = calls;
      try {
        store->append(group_from(i));
        outcome.confirmed += group;
        const int left = std::exchange(counter, 0);  // what is noted here must not fail
        confirmed << i << std::endl;
        counter = left;
      } catch (const std::exception& e) {
        ++outcome.refused;
        outcome.say(e.what());
      }
    }
  });
  std::set<int> numbers;
  std::ifstream in(confirmed_file);
  for (int first = 0; in >> first;) {
    for (int i = first; i < first + group; ++i) numbers.insert(i);
  }
  Outcome after = read_back(kind, directory, numbers);
  add(report, kind,
      what + " (" + std::to_string(during.refused) + " groups refused: " + during.said + "), then opened again", after,
      during.confirmed);
  std::filesystem::remove_all(directory);
  std::filesystem::remove(confirmed_file);
}

}  // namespace

void log_faults(const Options& options, Report& report) {
  for (const StoreKind& kind : store_kinds()) {
    if (kind.name == "bare") continue;
    const std::string directory = options.directory + "/" + kind.name;
    for (const bool settle : {false, true}) {
      if (settle && kind.name != "sqlite" && kind.name != "rocksdb") continue;  // the others have no log of their own
      for (const Damage& damage : damages()) {
        std::filesystem::create_directories(directory);
        fill(kind, directory, damage.idle, settle);
        damage.make(directory);
        std::set<int> numbers;
        for (int i = 1; i <= records; ++i) numbers.insert(i);
        add(report, kind, std::string(settle ? "settled, " : "") + damage.what, read_back(kind, directory, numbers),
            records);
        std::filesystem::remove_all(directory);
      }
    }
    failing_disk(kind, "one sync fails (EIO)", failing_syncs, 1, directory, report);
    failing_disk(kind, "five syncs fail", failing_syncs, 5, directory, report);
    failing_disk(kind, "one write finds the disk full (ENOSPC)", failing_writes, 1, directory, report);
    failing_disk(kind, "five writes find it full", failing_writes, 5, directory, report);
  }
}

}  // namespace reach::bench
