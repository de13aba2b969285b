#include "clients/wallboard/page.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace reach::wallboard {
namespace {

namespace fs = std::filesystem;

class WallboardPage : public testing::Test {
 protected:
  WallboardPage() { fs::create_directories(root / "assets"); }
  ~WallboardPage() override { fs::remove_all(root); }
  void write(const char* path, const char* content) const { std::ofstream(root / path) << content; }

  const fs::path root = fs::temp_directory_path() / ("reach-page-" + std::to_string(getpid()));
};

TEST_F(WallboardPage, FindsItsFilesAndNothingElse) {
  write("index.html", "page");
  write("assets/a.js", "code");
  const Page page = Page::load(root);
  ASSERT_NE(page.find("/"), nullptr);
  EXPECT_EQ(*page.find("/supervisor")->content, "page");
  EXPECT_FALSE(page.find("/")->permanent);
  EXPECT_TRUE(page.find("/assets/a.js")->permanent);
  EXPECT_EQ(page.find("/assets/a.js")->type, "text/javascript; charset=utf-8");
  for (const char* path : {"", "/assets", "/assets/../index.html", "/../etc/passwd", "//index.html"}) {
    EXPECT_EQ(page.find(path), nullptr) << path;
  }
}

TEST_F(WallboardPage, IsRefusedWithoutAnIndex) {
  EXPECT_THROW((void)Page::load(root), std::runtime_error);
  EXPECT_THROW((void)Page::load(root / "nowhere"), std::runtime_error);
}

}  // namespace
}  // namespace reach::wallboard
