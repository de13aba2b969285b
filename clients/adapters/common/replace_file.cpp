#include "clients/adapters/common/replace_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace reach::adapter {
namespace {

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(file, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace

void replace_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);  // less the umask
  int why = file < 0 ? errno : 0;
  if (file >= 0) {
    if (!write_all(file, text) || ::fdatasync(file) != 0) why = errno;
    if (::close(file) != 0 && why == 0) why = errno;
    if (why == 0 && std::rename(fresh.c_str(), path.c_str()) != 0) why = errno;
    if (why != 0) ::unlink(fresh.c_str());
  }
  if (why != 0) throw std::system_error(why, std::generic_category(), "cannot write " + path);
}

}  // namespace reach::adapter
