// Secrets, under the adapters' name.
#pragma once
#include "daemon/keys/secret_file.hpp"

namespace reach::adapter {

using keys::KeyFileProblem;
using keys::read_key_file;

}  // namespace reach::adapter
