#include "clients/adapters/queuelog/file_lines.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace reach::queuelog {
namespace {

class FileLinesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    path = folder + "/queue_log";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  void write(const std::string& text) { std::ofstream(path, std::ios::app) << text; }
  std::string read(FileLines& lines) {
    std::string all;
    lines.poll([&](std::string_view line) {
      all += std::string(line) + ';';
      return true;
    });
    return all;
  }
  /// Whoever has `file` open can read it no more (its descriptor is one for writing), or again.
  static void make_readable(const std::string& file, bool readable) {
    int found = -1;
    std::error_code closed;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
      if (std::filesystem::read_symlink(entry.path(), closed) == std::filesystem::canonical(file))
        found = std::stoi(entry.path().filename());
    ASSERT_GE(found, 0);
    const int other = ::open(file.c_str(), (readable ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
    ASSERT_EQ(::dup2(other, found), found);
    ::close(other);
  }
  // Of its own: a rotated file is looked for by its inode among all files of the folder.
  std::string folder = testing::TempDir() + "file_lines_test.XXXXXX", path;
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

TEST_F(FileLinesTest, ReadsTheOldFileUntilTheNewOneHasALine) {
  write("a\n");
  FileLines lines(path);
  EXPECT_EQ(read(lines), "a;");
  std::rename(path.c_str(), (path + ".1").c_str());
  write("");  // made by logrotate; Asterisk does not know it yet
  EXPECT_EQ(read(lines), "");
  std::ofstream(path + ".1", std::ios::app) << "b\n";
  EXPECT_EQ(read(lines), "b;");
  std::ofstream(path + ".1", std::ios::app) << "c\n";
  write("d");
  EXPECT_EQ(read(lines), "c;");
  std::ofstream(path + ".1", std::ios::app) << "e\n";
  write("f\n");
  EXPECT_EQ(read(lines), "e;df;");
  write("g\n");
  EXPECT_EQ(read(lines), "g;");
}

TEST_F(FileLinesTest, BeginsAnewWhenTheFileIsTruncated) {
  write("a\nb\nc\n");
  FileLines lines(path);
  EXPECT_EQ(read(lines), "a;b;c;");
  std::ofstream(path, std::ios::trunc) << "d\n";
  EXPECT_EQ(read(lines), "d;");
}

TEST_F(FileLinesTest, NoticesATruncationThoughTheFileHasGrownSince) {
  write("a1\na2\na");
  FileLines lines(path);
  EXPECT_EQ(read(lines), "a1;a2;");
  std::ofstream(path, std::ios::trunc) << "b1\nb2\nb3\n";
  EXPECT_EQ(read(lines), "b1;b2;b3;");
  EXPECT_NE(lines.take_problem().find("was truncated and has grown again"), std::string::npos);
  EXPECT_EQ(lines.take_problem(), "");
  std::ofstream(path, std::ios::trunc) << "c\n";
  EXPECT_EQ(read(lines), "c;");
  EXPECT_EQ(lines.take_problem(), "") << "what was there was read";
}

TEST_F(FileLinesTest, KeepsItsPlaceWhileTheFileCannotBeRead) {
  write("a\nb\n");
  FileLines lines(path);
  EXPECT_EQ(read(lines), "a;b;");
  write("c\n");
  make_readable(path, false);
  const auto nothing = [](std::string_view) { return ADD_FAILURE(), true; };
  EXPECT_FALSE(lines.poll(nothing));
  EXPECT_EQ(lines.position().offset, 4U);
  EXPECT_EQ(lines.take_problem(), path + " cannot be read: Bad file descriptor");
  EXPECT_FALSE(lines.poll(nothing));
  EXPECT_EQ(lines.take_problem(), "") << "said once";
  make_readable(path, true);
  EXPECT_EQ(read(lines), "c;");
  EXPECT_EQ(lines.take_problem(), "");
  make_readable(path, false);
  EXPECT_FALSE(lines.poll(nothing));
  EXPECT_NE(lines.take_problem(), "") << "said again";
}

TEST_F(FileLinesTest, DoesNotLeaveARotatedFileWhoseRestCannotBeRead) {
  write("a\n");
  FileLines lines(path);
  EXPECT_EQ(read(lines), "a;");
  write("b\n");
  std::rename(path.c_str(), (path + ".1").c_str());
  write("c\n");
  make_readable(path + ".1", false);
  EXPECT_EQ(read(lines), "");
  make_readable(path + ".1", true);
  EXPECT_EQ(read(lines), "b;c;");
}

TEST_F(FileLinesTest, KeepsThePlaceOfItsFormerLifeWhileTheFileCannotBeRead) {
  const std::string unreadable = "/proc/self/mem";  // a regular file, with an error at its beginning
  struct stat status {};
  ASSERT_EQ(::stat(unreadable.c_str(), &status), 0);
  FileLines lines(unreadable, {status.st_ino, 4, 7});
  EXPECT_EQ(lines.begin().offset, 4U);
  EXPECT_FALSE(lines.poll([](std::string_view) { return true; }));
  EXPECT_EQ(lines.take_problem(), unreadable + " cannot be read: Input/output error");
  EXPECT_EQ(lines.position().offset, 4U);
}

TEST_F(FileLinesTest, BeginsAnewWhereNoFileCanBeSoLong) {
  write("a\n");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  FileLines lines(path, {status.st_ino, UINT64_MAX, 7});
  EXPECT_EQ(read(lines), "a;");
}

TEST_F(FileLinesTest, DoesNotTakeAnotherFileWithTheSameInodeForTheOneItRead) {
  write("a1\na2\n");
  FilePosition position;
  {
    FileLines lines(path);
    read(lines);
    position = lines.position();
  }
  std::ofstream(path, std::ios::trunc) << "b1\nb2\nb3\n";
  FileLines again(path, position);
  EXPECT_EQ(again.begin().offset, 0u);
  EXPECT_EQ(read(again), "b1;b2;b3;");
  EXPECT_NE(again.take_problem().find("is not the file that was read before"), std::string::npos);
  position.fingerprint = 0;  // as an earlier version kept it
  FileLines old(path, position);
  EXPECT_EQ(read(old), "b3;");
}

TEST_F(FileLinesTest, ReadsRegularFilesOnly) {
  write("a\n");
  FileLines lines(path);
  EXPECT_EQ(read(lines), "a;");
  std::filesystem::remove(path);
  for (const bool is_pipe : {true, false}) {
    if (is_pipe) {
      ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    } else {
      std::filesystem::create_symlink("/dev/zero", path);
    }
    FileLines from_here(path);
    EXPECT_FALSE(from_here.poll([](std::string_view) { return true; }));
    EXPECT_EQ(from_here.take_problem(), path + " is no regular file; waiting for one");
    EXPECT_FALSE(from_here.poll([](std::string_view) { return true; }));
    EXPECT_EQ(from_here.take_problem(), "") << "said once";
    EXPECT_EQ(read(lines), "") << "does not wait for a writer, and ends";
    std::filesystem::remove(path);
  }
  write("b\n");
  EXPECT_EQ(read(lines), "b;");
}

TEST_F(FileLinesTest, ComesBackFromALineWithoutEnd) {
  write("a\n");
  std::filesystem::resize_file(path, 1ULL << 40);  // sparse
  FileLines lines(path);
  EXPECT_EQ(read(lines), "a;");
  EXPECT_TRUE(lines.has_more());
  lines.wait(3600);  // does not
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
