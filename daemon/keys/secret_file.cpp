#include "daemon/keys/secret_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace reach::keys {

std::string read_key_file(const std::string& path) {
  if (path.empty())
    throw KeyFileProblem("no file is named that holds the secret; name one, readable for its owner alone");
  std::string where = path;
  struct stat status {};
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY"); credentials != nullptr && path.front() != '/') {
    const std::string there = std::string(credentials) + '/' + path;
    if (::stat(there.c_str(), &status) == 0) where = there;
  }
  if (::stat(where.c_str(), &status) != 0)
    throw KeyFileProblem(where + ": " + std::strerror(errno) + "; write the secret into it, then: chmod 600 " + where);
  if (S_ISDIR(status.st_mode)) throw KeyFileProblem(where + ": is a directory; name the file with the secret");
  if ((status.st_mode & S_IROTH) != 0)
    throw KeyFileProblem(where + ": everybody can read this secret; run: chmod 600 " + where);
  errno = 0;
  std::ifstream file(where, std::ios::binary);
  std::string content;
  for (char part[256]; file;) {
    file.read(part, sizeof part);
    content.append(part, static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) {
    throw KeyFileProblem(where + ": cannot be read: " + std::strerror(errno) +
                         "; give it to the user that runs this program, readable for it alone");
  }
  while (!content.empty() && std::strchr(" \t\r\n", content.back()) != nullptr) content.pop_back();
  if (content.empty()) throw KeyFileProblem(where + ": is empty; write the secret into it");
  return content;
}

}  // namespace reach::keys
