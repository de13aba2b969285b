// A directory of its own for each test, and a disk whose every function can be made to fail.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "daemon/log/disk.hpp"

namespace reach::log {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "reach-log-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  /// The only or the n-th log file, ascending.
  [[nodiscard]] std::string file(std::size_t n = 0) const {
    const auto disk = local_disk_read_only(path_);
    for (const std::string& name : disk->list()) {
      if (name.ends_with(".log") && n-- == 0) return path_ + "/" + name;
    }
    return {};
  }

 private:
  std::string path_;
};

/// What to refuse from now on; shared with the test.
struct Faults {
  std::atomic<int> append_error{0}, sync_error{0}, create_error{0};
  std::atomic<int> renames_left{1'000'000};  ///< further ones are refused
  std::atomic<std::uint64_t> room{std::numeric_limits<std::uint64_t>::max()};
  std::atomic<bool> half_append{false};  ///< a failing append writes half of its bytes first
  std::atomic<bool> hang{false};         ///< a sync does not come back
};

class FaultyDisk final : public Disk {
 public:
  FaultyDisk(std::unique_ptr<Disk> real, std::shared_ptr<Faults> faults)
      : real_(std::move(real)), faults_(std::move(faults)) {}

  std::string path() const override { return real_->path(); }
  std::vector<std::string> list() override { return real_->list(); }
  std::string read(const std::string& name) override { return real_->read(name); }
  std::string read_beginning(const std::string& name, std::size_t most) override {
    return real_->read_beginning(name, most);
  }
  std::uint64_t size(const std::string& name) override { return real_->size(name); }
  std::uint64_t room() override { return faults_->room; }
  std::unique_ptr<File> create(const std::string& name) override {
    fail(faults_->create_error);
    return std::make_unique<FaultyFile>(real_->create(name), faults_);
  }
  void truncate(const std::string& name, std::uint64_t size) override { real_->truncate(name, size); }
  void remove(const std::string& name) override { real_->remove(name); }
  void rename(const std::string& from, const std::string& to) override {
    fail(faults_->renames_left-- > 0 ? 0 : EIO);
    real_->rename(from, to);
  }
  void sync_directory() override { real_->sync_directory(); }

 private:
  static void fail(int error) {
    if (error != 0) throw std::system_error(error, std::generic_category(), "refused by the test");
  }

  class FaultyFile final : public File {
   public:
    FaultyFile(std::unique_ptr<File> real, std::shared_ptr<Faults> faults)
        : real_(std::move(real)), faults_(std::move(faults)) {}
    void append(std::string_view bytes) override {
      if (faults_->append_error != 0 && faults_->half_append) real_->append(bytes.substr(0, bytes.size() / 2));
      fail(faults_->append_error);
      real_->append(bytes);
    }
    void sync() override {
      faults_->hang.wait(true);
      fail(faults_->sync_error);
      real_->sync();
    }

   private:
    std::unique_ptr<File> real_;
    std::shared_ptr<Faults> faults_;
  };

  std::unique_ptr<Disk> real_;
  std::shared_ptr<Faults> faults_;
};

}  // namespace reach::log
