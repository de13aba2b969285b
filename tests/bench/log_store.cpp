// The event log's files against stores that could hold it. For each store, size of record and size of group: a process
// appends, durably group by group, and is killed; another one opens what is left and reads it back.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "tests/bench/bench.hpp"
#include "tests/bench/stores.hpp"

namespace reach::bench {
namespace {

/// Runs `work` in a process of its own, which is killed when its figures have arrived: so no store is ever closed
/// properly, /proc/self/io counts one process, and no library meets another.
template <std::size_t N>
std::array<double, N> in_a_process(const std::function<std::array<double, N>()>& work) {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    try {
      const std::array<double, N> figures = work();
      if (write(ends[1], figures.data(), sizeof figures) > 0) pause();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
    }
    _exit(1);
  }
  close(ends[1]);
  std::array<double, N> figures{};
  const ssize_t n = ::read(ends[0], figures.data(), sizeof figures);
  close(ends[0]);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  if (n != static_cast<ssize_t>(sizeof figures)) throw std::runtime_error("the store failed");
  return figures;
}

/// Bytes this process caused to be written to the disk.
double written() {
  std::ifstream in("/proc/self/io");
  for (std::string name; in >> name;) {
    double value = 0;
    in >> value;
    if (name == "write_bytes:") return value;
  }
  return 0;
}

double on_disk(const std::string& directory) {
  double bytes = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(directory)) {
    struct stat status {};
    if (each.is_regular_file() && stat(each.path().c_str(), &status) == 0) {
      bytes += static_cast<double>(status.st_blocks) * 512;
    }
  }
  return bytes;
}

struct Case {
  std::size_t record_bytes = 0;
  int group = 0, groups = 0;
  [[nodiscard]] double records() const { return static_cast<double>(group) * groups; }
  [[nodiscard]] double bytes() const { return records() * static_cast<double>(record_bytes); }
};

std::vector<std::string> group_of(const Case& c, int number) {
  std::vector<std::string> group;
  for (int i = 0; i < c.group; ++i) {
    group.push_back(
        payload_of(c.record_bytes, static_cast<std::uint64_t>(number) * 1'000 + static_cast<std::uint64_t>(i)));
  }
  return group;
}

/// Touches every byte, as whoever parses a record does: a store that only maps its file has not read it yet.
std::uint64_t sum_of(std::string_view payload) {
  std::uint64_t sum = 0, word = 0;
  for (; payload.size() >= sizeof word; payload.remove_prefix(sizeof word)) {
    std::memcpy(&word, payload.data(), sizeof word);
    sum += word;
  }
  return sum;
}

struct Measured {
  double records_s = 0, p50_s = 0, p99_s = 0, written_per_byte = 0, disk_per_byte = 0, open_s = 0, read_s = 0;
};

Measured measure(const StoreKind& kind, const Case& c, const std::string& directory) {
  std::filesystem::create_directories(directory);
  const auto appended = in_a_process<4>([&] {
    Store* const store = kind.open(directory).release();  // killed before it could be closed
    const double before = written();
    std::vector<double> commits;
    double total = 0;
    for (int i = 0; i < c.groups; ++i) {
      const std::vector<std::string> group = group_of(c, i);
      commits.push_back(seconds_of_work([&] { store->append(group); }));
      total += commits.back();
    }
    return std::array{c.records() / total, median(commits), quantile(commits, 0.99), written() - before};
  });
  const double disk = on_disk(directory);
  const auto read_back = in_a_process<4>([&] {
    Store* store = nullptr;
    const double before = written();
    const double open_s = seconds_of_work([&] { store = kind.open(directory).release(); });
    double records = 0;
    std::uint64_t sum = 0;
    const double read_s = seconds_of_work([&] {
      store->read([&](std::string_view payload) {
        ++records;
        sum += sum_of(payload);
      });
    });
    if (sum == 1) throw std::runtime_error("nobody expects this sum; it keeps the compiler from leaving it out");
    return std::array{open_s, read_s, records, written() - before};
  });
  if (read_back[2] != c.records()) throw std::runtime_error(kind.name + " lost records");
  std::filesystem::remove_all(directory);
  return {appended[0],      appended[1],  appended[2], (appended[3] + read_back[3]) / c.bytes(),
          disk / c.bytes(), read_back[0], read_back[1]};
}

Measured median_of(const std::vector<Measured>& runs) {
  const auto pick = [&](double Measured::*member) {
    std::vector<double> values;
    for (const Measured& each : runs) values.push_back(each.*member);
    return median(values);
  };
  return {pick(&Measured::records_s),     pick(&Measured::p50_s),
          pick(&Measured::p99_s),         pick(&Measured::written_per_byte),
          pick(&Measured::disk_per_byte), pick(&Measured::open_s),
          pick(&Measured::read_s)};
}

}  // namespace

void log_store(const Options& options, Report& report) {
  for (const std::string& name : missing_stores()) {
    report.progress(name +
                    " is left out: its development package was not there when this was built "
                    "(tests/packages bench)");
  }
  std::vector<Case> cases = {{200, 1, 2'000},    {200, 32, 1'000},  {200, 256, 500},   {200, 1'000, 200},
                             {20'000, 1, 1'000}, {20'000, 32, 200}, {20'000, 256, 40}, {20'000, 1'000, 10}};
  if (options.quick) cases = {{200, 1, 50}, {20'000, 32, 10}};
  const int runs = options.quick ? 1 : 3;
  for (const Case& c : cases) {
    std::optional<Measured> bare;
    report.progress(std::to_string(c.record_bytes) + " B x " + std::to_string(c.group));
    // Taken in turns, so that a busy minute of the machine hits all of them.
    const std::vector<StoreKind> kinds = store_kinds();
    std::vector<std::vector<Measured>> measured(kinds.size());
    for (int run = 0; run < runs; ++run) {
      for (std::size_t i = 0; i < kinds.size(); ++i) {
        measured[i].push_back(measure(kinds[i], c, options.directory + "/" + kinds[i].name));
      }
    }
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const Measured m = median_of(measured[i]);
      if (!bare) bare = m;
      const std::string where = kinds[i].name + (kinds[i].version.empty() ? "" : " " + kinds[i].version) + " " +
                                std::to_string(c.record_bytes) + "B x" + std::to_string(c.group) + ", ";
      const auto add = [&](const char* what, double value, const char* unit, double limit) {
        report.add({"log-store", where + what, value, unit, limit, {}});
      };
      const double records = c.records();
      add("append", m.records_s, "records/s", bare->records_s);
      add("commit p50", m.p50_s * 1e6, "us", bare->p50_s * 1e6);
      if (c.groups >= 100) add("commit p99", m.p99_s * 1e6, "us", bare->p99_s * 1e6);
      add("written per payload byte", m.written_per_byte, "B", bare->written_per_byte);
      add("on disk per payload byte", m.disk_per_byte, "B", bare->disk_per_byte);
      add("open after kill -9", m.open_s * 1e3, "ms", bare->open_s * 1e3);
      add("read back", records / m.read_s, "records/s", records / bare->read_s);
    }
  }
}

}  // namespace reach::bench
