#include "clients/adapters/common/spool.hpp"

#include <chrono>
#include <cstdlib>

namespace reach::adapter {

std::string state_directory(const std::string& directory) {
  if (!directory.empty()) return directory;
  const char* state = std::getenv("STATE_DIRECTORY");
  return state == nullptr ? std::string() : std::string(state);
}

std::unique_ptr<client::Spool> spool_for(const std::string& directory) {
  if (const std::string state = state_directory(directory); !state.empty()) return client::file_spool(state + "/spool");
  const auto start = std::chrono::system_clock::now().time_since_epoch();
  return client::memory_spool(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(start).count()));
}

}  // namespace reach::adapter
