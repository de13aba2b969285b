// What every benchmark has in common: a name, a function that measures, and rows of figures. A benchmark asserts
// nothing.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reach::bench {

/// One figure, as in the JSON. What a row does not have is null there.
struct Row {
  std::string name;             ///< of the benchmark
  std::string where;            ///< the case: "segments=10 contacts=1000"
  double value = 0;             ///< measured, in `unit`
  std::string unit;             ///< "events/s", "ns/event", "s", "B"
  std::optional<double> limit;  ///< the same unit: what the machine (or a peer) can do at all, of the same run
  std::optional<double> reach;  ///< the goal; absent: the row informs only
  enum class Goal {
    ratio_at_most,   ///< value / limit <= reach
    ratio_at_least,  ///< value / limit >= reach
    value_at_most,   ///< value <= reach
    value_at_least,  ///< value >= reach
  } goal = Goal::ratio_at_most;

  [[nodiscard]] std::optional<double> ratio() const;  ///< value / limit
  [[nodiscard]] std::optional<bool> reached() const;
};

struct Options {
  bool quick = false;     ///< small sizes and few runs: to see that it works, not to compare
  std::string directory;  ///< an empty directory for files, on the disk that is measured; removed afterwards
};

class Report {
 public:
  virtual ~Report() = default;
  virtual void add(Row row) = 0;
  /// What happens now, for whoever waits: a line on stderr.
  virtual void progress(const std::string& sentence) = 0;
};

struct Benchmark {
  const char* name;
  const char* what;  ///< one line of `reach-bench --help`
  void (*run)(const Options&, Report&);
};
/// All of them, in the order in which `all` runs them. Each in a file of its own name.
[[nodiscard]] const std::vector<Benchmark>& benchmarks();

// ---- tools ---------------------------------------------------------------------------------------------------------

/// Needs at least one value; of an even number the lower one of the middle.
[[nodiscard]] double median(std::vector<double> values);
/// The value that the share `p` in [0, 1] does not exceed; needs at least one value.
[[nodiscard]] double quantile(std::vector<double> values, double p);
[[nodiscard]] double seconds_since(std::chrono::steady_clock::time_point begin);
/// How long `work` takes, in seconds.
[[nodiscard]] double seconds_of_work(const std::function<void()>& work);
/// How long the processor works on it in this thread: for work that waits for nothing, so that what else runs on the
/// machine is not counted.
[[nodiscard]] double cpu_seconds_of_work(const std::function<void()>& work);

}  // namespace reach::bench
