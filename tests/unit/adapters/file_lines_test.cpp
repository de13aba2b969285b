#include "clients/adapters/queuelog/file_lines.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <vector>

namespace reach::queuelog {
namespace {

class FileLinesTest : public testing::Test {
 protected:
  void SetUp() override { std::remove(path.c_str()); }
  void TearDown() override {
    std::remove(path.c_str());
    std::remove((path + ".1").c_str());
  }
  void write(const std::string& text) { std::ofstream(path, std::ios::app) << text; }
  std::string read(FileLines& lines) {
    std::string all;
    lines.poll([&](std::string_view line) {
      all += std::string(line) + ';';
      return true;
    });
    return all;
  }
  std::string path = testing::TempDir() + "file_lines_test." + std::to_string(getpid());  // tests run at the same time
};

TEST_F(FileLinesTest, HandsOverWholeLinesOnly) {
  FileLines lines(path);
  EXPECT_EQ(read(lines), "");
  write("a\nb");
  EXPECT_EQ(read(lines), "a;");
  write("c\nd\n");
  EXPECT_EQ(read(lines), "bc;d;");
}

TEST_F(FileLinesTest, ReadsTheOldFileToItsEndWhenItIsRotated) {
  write("a\n");
  FileLines lines(path);
  EXPECT_EQ(read(lines), "a;");
  write("b\n");
  std::rename(path.c_str(), (path + ".1").c_str());
  write("c\n");
  EXPECT_EQ(read(lines), "b;c;");
}

TEST_F(FileLinesTest, BeginsAnewWhenTheFileIsTruncated) {
  write("a\nb\nc\n");
  FileLines lines(path);
  EXPECT_EQ(read(lines), "a;b;c;");
  std::ofstream(path, std::ios::trunc) << "d\n";
  EXPECT_EQ(read(lines), "d;");
}

TEST_F(FileLinesTest, GoesOnWhereItStood) {
  write("a\nb\n");
  FilePosition position;
  {
    FileLines lines(path);
    read(lines);
    position = lines.position();
  }
  write("c\n");
  FileLines again(path, position);
  EXPECT_EQ(read(again), "c;");
  FileLines other(path, {position.inode + 1, position.offset});
  EXPECT_EQ(read(other), "a;b;c;");
}

TEST_F(FileLinesTest, FindsTheFileThatWasRotatedWhileItWasAway) {
  write("a\nb\n");
  FilePosition position;
  {
    FileLines lines(path);
    lines.poll([](std::string_view) { return false; });
    position = lines.position();
  }
  write("c\n");
  std::rename(path.c_str(), (path + ".1").c_str());
  write("d\n");
  FileLines again(path, position);
  EXPECT_EQ(again.begin().offset, position.offset);
  EXPECT_EQ(read(again), "b;c;d;");
}

}  // namespace
}  // namespace reach::queuelog
