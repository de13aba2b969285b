// Secrets: in files of their own, which others cannot read.
#pragma once
#include <stdexcept>
#include <string>

namespace reach::keys {

/// what(): which file, what is wrong with it, and the command that puts it right. Programs exit 78.
struct KeyFileProblem : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The content of `path` without white space at its end. A relative path is looked up in $CREDENTIALS_DIRECTORY first
/// (systemd's LoadCredential=). Throws KeyFileProblem if it cannot be read, is empty, or others than its owner and
/// group can read it.
[[nodiscard]] std::string read_key_file(const std::string& path);

}  // namespace reach::keys
