// The content of a snapshot into a replica.
#include "daemon/core/archive.hpp"
#include "daemon/replica/replica.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  replica::Replica replica{Config{}};
  try {
    replica.load(fuzz::text_of(data, size));
  } catch (const ArchiveError&) {
  }
  return 0;
}
