// The reference of all keys, as data.
#pragma once
#include <string>
#include <vector>

namespace reach::settings {

struct KeyReference {
  std::string name, meaning, fallback, expected;
};
struct SectionReference {
  std::string title, meaning;
  std::vector<KeyReference> keys;
};

/// Every section in the order of the reference.
[[nodiscard]] std::vector<SectionReference> sections();

}  // namespace reach::settings
