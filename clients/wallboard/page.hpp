// The built page: every file of it in memory, found by the path a browser asks for.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace reach::wallboard {

struct PageFile {
  std::shared_ptr<const std::string> content;
  std::string type;        ///< of the Content-Type header
  bool permanent = false;  ///< its name changes with its content: browsers may keep it for ever
};

/// Nothing outside the folder can be asked for, because nothing else is known.
class Page {
 public:
  static constexpr std::uintmax_t bytes_max = 32 * 1024 * 1024;

  /// Reads all files below `root`. Throws std::runtime_error with a sentence if it is no built page (no index.html) or
  /// larger than `bytes_max`.
  [[nodiscard]] static Page load(const std::filesystem::path& root);

  /// The file of "/assets/…"; index.html for "/" and "/supervisor"; nullptr if there is none.
  [[nodiscard]] const PageFile* find(const std::string& path) const;

 private:
  std::map<std::string, PageFile> files_;
};

/// Where the page lies if nobody says so: beside the running program in a build, in ../share/reachd/web of an
/// installation; empty if in neither.
[[nodiscard]] std::filesystem::path default_web_root();

}  // namespace reach::wallboard
