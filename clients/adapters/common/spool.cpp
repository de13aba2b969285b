#include "clients/adapters/common/spool.hpp"

#include <chrono>
#include <cstdlib>

namespace reach::adapter {

std::unique_ptr<client::Spool> spool_for(std::string directory) {
  if (const char* state = std::getenv("STATE_DIRECTORY"); directory.empty() && state != nullptr && *state != '\0')
    directory = std::string(state) + "/spool";
  if (!directory.empty()) return client::file_spool(directory);
  const auto start = std::chrono::system_clock::now().time_since_epoch();
  return client::memory_spool(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(start).count()));
}

}  // namespace reach::adapter
