#include "tests/sim/disk.hpp"

#include <algorithm>
#include <system_error>

namespace reach::sim {
namespace {

constexpr auto nobody = std::numeric_limits<std::uint64_t>::max();

[[noreturn]] void refuse(std::errc why, const std::string& what) {
  throw std::system_error(std::make_error_code(why), what);
}

}  // namespace

class SimDisk::OpenFile final : public log::File {
 public:
  OpenFile(SimDisk& disk, std::shared_ptr<Inode> inode)
      : disk_(disk), inode_(std::move(inode)), generation_(disk.generation_) {}
  void append(std::string_view bytes) override {
    check();
    disk_.append(*inode_, bytes);
  }
  void sync() override {
    check();
    disk_.sync(*inode_);
  }

 private:
  void check() const {
    if (generation_ != disk_.generation_) throw std::logic_error("a file is used beyond the end of its process");
  }
  SimDisk& disk_;
  std::shared_ptr<Inode> inode_;
  std::uint64_t generation_;
};

void SimDisk::call() {
  if (quiet_) return;
  if (off_ || calls_++ >= cut_at_) {
    off_ = true;
    throw PowerCut();
  }
}

void SimDisk::change(const std::string& what) {
  call();
  if (changes_++ == fail_at_) refuse(std::errc::io_error, what);
}

SimDisk::Inode& SimDisk::find(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) refuse(std::errc::no_such_file_or_directory, "cannot open " + path_ + "/" + name);
  return *found->second;
}

std::vector<std::string> SimDisk::list() {
  call();
  std::vector<std::string> names;
  for (const auto& [name, inode] : names_) names.push_back(name);
  return names;
}

std::string SimDisk::read(const std::string& name) {
  call();
  return find(name).content;
}

std::string SimDisk::read_beginning(const std::string& name, std::size_t most) {
  return read(name).substr(0, most);
}

std::uint64_t SimDisk::size(const std::string& name) {
  call();
  return find(name).content.size();
}

std::unique_ptr<log::File> SimDisk::create(const std::string& name) {
  change("cannot create " + path_ + "/" + name);
  if (full_) refuse(std::errc::no_space_on_device, "cannot create " + path_ + "/" + name);
  auto found = names_.find(name);
  if (found == names_.end()) {
    found = names_.emplace(name, std::make_shared<Inode>()).first;
    changes_of_names_.push_back({{name, found->second}});
  } else {
    found->second->content.clear();
    found->second->pending.clear();
    found->second->emptied = true;
  }
  return std::make_unique<OpenFile>(*this, found->second);
}

void SimDisk::put(std::string& content, std::size_t at, std::string_view bytes) {
  if (content.size() < at + bytes.size()) content.resize(at + bytes.size(), '\0');
  content.replace(at, bytes.size(), bytes);
}

void SimDisk::append(Inode& inode, std::string_view bytes) {
  const auto take = [&](std::string_view part) {
    if (part.empty()) return;
    inode.pending.push_back({inode.content.size(), std::string(part), false});
    inode.content += part;
  };
  const auto take_a_part = [&] { take(bytes.substr(0, random_.pick(bytes.size() + 1))); };
  try {
    change("cannot write to " + path_);
  } catch (...) {
    take_a_part();
    throw;
  }
  if (full_) {
    take_a_part();
    refuse(std::errc::no_space_on_device, "cannot write to " + path_);
  }
  take(bytes);
}

void SimDisk::sync(Inode& inode) {
  try {
    change("cannot sync a file of " + path_);
  } catch (const std::system_error&) {
    for (Piece& piece : inode.pending) piece.dropped = piece.dropped || random_.chance(0.5);
    throw;
  }
  if (inode.emptied) inode.durable.clear();
  for (const Piece& piece : inode.pending) {
    if (!piece.dropped) put(inode.durable, piece.at, piece.bytes);
  }
  inode.pending.clear();
  inode.emptied = false;
}

void SimDisk::truncate(const std::string& name, std::uint64_t size) {
  change("cannot shorten " + path_ + "/" + name);
  Inode& inode = find(name);
  inode.content.resize(size);
  inode.durable = inode.content;
  inode.pending.clear();
  inode.emptied = false;
}

void SimDisk::apply(Names& names, const Change& change) {
  for (const auto& [name, inode] : change) {
    if (inode) {
      names[name] = inode;
    } else {
      names.erase(name);
    }
  }
}

void SimDisk::remove(const std::string& name) {
  change("cannot remove " + path_ + "/" + name);
  static_cast<void>(find(name));
  changes_of_names_.push_back({{name, nullptr}});
  apply(names_, changes_of_names_.back());
}

void SimDisk::rename(const std::string& from, const std::string& to) {
  change("cannot rename " + path_ + "/" + from);
  static_cast<void>(find(from));
  changes_of_names_.push_back({{from, nullptr}, {to, names_.at(from)}});
  apply(names_, changes_of_names_.back());
}

void SimDisk::sync_directory() {
  change("cannot sync the directory " + path_);
  for (const Change& each : changes_of_names_) apply(durable_names_, each);
  changes_of_names_.clear();
}

void SimDisk::restart_process() {
  ++generation_;
  off_ = false;
  cut_at_ = fail_at_ = nobody;
}

void SimDisk::lose_unsynced(Inode& inode) {
  const bool emptied = inode.emptied && random_.chance(0.5);
  if (emptied) inode.durable.clear();
  if (emptied || !inode.emptied) {
    const std::size_t how = random_.pick(4);
    for (const Piece& piece : inode.pending) {
      if (how == 0) break;  // nothing
      std::string_view left = piece.bytes;
      if (how == 1) {  // its beginning
        const std::size_t cut = random_.chance(0.5) ? left.size() : random_.pick(left.size() + 1);
        if (!piece.dropped) put(inode.durable, piece.at, left.substr(0, cut));
        if (cut < left.size()) break;
        continue;
      }
      for (std::size_t at = piece.at; !left.empty();) {  // any parts of it, or (3) nearly all
        const std::size_t length = std::min(left.size(), 1 + random_.pick(random_.chance(0.5) ? 64 : 4096));
        if (!piece.dropped && random_.chance(how == 2 ? 0.5 : 0.95)) put(inode.durable, at, left.substr(0, length));
        left.remove_prefix(length);
        at += length;
      }
    }
  }
  inode.content = inode.durable;
  inode.pending.clear();
  inode.emptied = false;
}

void SimDisk::restart_machine() {
  restart_process();
  // File systems with a journal keep the order of what happened to names; others keep any of it.
  const bool in_order = random_.chance(0.5);
  const std::size_t kept = in_order ? random_.pick(changes_of_names_.size() + 1) : changes_of_names_.size();
  for (std::size_t i = 0; i < kept; ++i) {
    if (in_order || random_.chance(0.5)) apply(durable_names_, changes_of_names_[i]);
  }
  changes_of_names_.clear();
  names_ = durable_names_;
  for (auto& [name, inode] : names_) lose_unsynced(*inode);
}

}  // namespace reach::sim
