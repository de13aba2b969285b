// A directory in memory, filled with files of any content.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "tests/sim/disk.hpp"

namespace reach::fuzz {

/// A simulated disk on which nothing fails.
inline std::unique_ptr<sim::SimDisk> memory_disk() {
  static sim::Random random(1);  // draws only what a power cut leaves, and there is none
  auto disk = std::make_unique<sim::SimDisk>("memory", random);
  disk->set_quiet(true);
  return disk;
}

inline void put_file(log::Disk& disk, const std::string& name, std::string_view content) {
  disk.create(name)->append(content);
}

}  // namespace reach::fuzz
