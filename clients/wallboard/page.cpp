#include "clients/wallboard/page.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace reach::wallboard {
namespace {

namespace fs = std::filesystem;

std::string type_of(const fs::path& file) {
  static const std::map<std::string, std::string> types = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
  };
  const auto found = types.find(file.extension().string());
  return found == types.end() ? "application/octet-stream" : found->second;
}

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + file.string() + "; may this user read it?");
  return content.str();
}

}  // namespace

Page Page::load(const fs::path& root) {
  Page page;
  std::uintmax_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_regular_file()) continue;
    bytes += it->file_size();
    if (bytes > bytes_max)
      throw std::runtime_error(root.string() + " holds too much for a page; is it the right folder?");
    const std::string path = "/" + it->path().lexically_relative(root).generic_string();
    page.files_[path] = {std::make_shared<const std::string>(content_of(it->path())), type_of(it->path()),
                         path.starts_with("/assets/")};
  }
  const auto index = page.files_.find("/index.html");
  if (index == page.files_.end()) {
    throw std::runtime_error(root.string() + " holds no built page (index.html); expected what 'npm run build' made");
  }
  page.files_["/"] = page.files_["/supervisor"] = index->second;
  return page;
}

const PageFile* Page::find(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

fs::path default_web_root() {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& root : {here / "page", here / "../share/reachd/web"}) {
    if (fs::exists(root / "index.html", error)) return root.lexically_normal();
  }
  return {};
}

}  // namespace reach::wallboard
