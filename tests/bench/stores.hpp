// Stores that could hold the event log, all as a log uses them: records appended in groups, durable before append()
// returns, and read back in order. Kept well, not tuned to the last.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reach::bench {

class Store {
 public:
  virtual ~Store() = default;
  /// Returns when the group survives a power loss. Throws std::exception with what the library said.
  virtual void append(std::span<const std::string> group) = 0;
  /// Nothing is to be appended for the moment.
  virtual void idle() {}
  /// What opening had to mend, a sentence; empty: nothing, or it does not say.
  [[nodiscard]] virtual std::string mended() const { return {}; }
  /// Every record, in order. Throws likewise.
  virtual void read(const std::function<void(std::string_view)>& visit) = 0;
};

struct StoreKind {
  std::string name, version;
  /// Opens (or makes) the store in `directory`, recovering what there is to recover. Throws likewise.
  std::function<std::unique_ptr<Store>(const std::string& directory)> open;
};

/// "bare" first (one file, write and fdatasync, nothing else: the limit), "files" next (log::Segments), then those that
/// were found when this was built.
[[nodiscard]] std::vector<StoreKind> store_kinds();
/// A record of `size` bytes that no store could find equal to another: by a simple generator from `number`.
[[nodiscard]] std::string payload_of(std::size_t size, std::uint64_t number);
/// Names of those that were not found.
[[nodiscard]] std::vector<std::string> missing_stores();

}  // namespace reach::bench
