// Reading a log on a thread of its own, some chunks ahead of who uses the records.
#pragma once
#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/log/event_log.hpp"

namespace reach::log {

/// `Contents` is what the records of one chunk become on that thread. There is one for each chunk, and the chunks go
/// round:
///   using Content                                   what one record becomes
///   const Content* add(Lsn, string_view payload)    valid until clear(); what it throws ends the reading
///   void clear()                                    the chunk was used: gives back what its contents took
template <class Contents>
class ReadAhead {
 public:
  struct Record {
    Lsn number = 0;
    const typename Contents::Content* content = nullptr;  ///< nullptr: it stands for lost ones (RecordVisit)
  };
  class Chunk {
   public:
    [[nodiscard]] std::span<const Record> records() const { return records_; }

   private:
    friend ReadAhead;
    std::vector<Record> records_;
    Contents contents_;
    std::size_t bytes_ = 0;
  };

  /// Reads the records from `from` to `to` of `log`, which must outlive this.
  ReadAhead(EventLog& log, Lsn from, Lsn to) : thread_([this, &log, from, to] { run(log, from, to); }) {}
  /// Gives up what was not asked for.
  ~ReadAhead() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// The next records, until the next call; nullptr after the last. Throws what reading threw, once all records before
  /// it were given.
  const Chunk* next() {
    if (in_use_) {
      Chunk& used = chunks_[taken_ % chunks_.size()];
      used.records_.clear();
      used.contents_.clear();
      used.bytes_ = 0;
    }
    std::unique_lock lock(mutex_);
    if (in_use_) {
      in_use_ = false;
      ++taken_;
      changed_.notify_all();
    }
    changed_.wait(lock, [this] { return taken_ < given_ || ended_; });
    if (taken_ < given_) {
      in_use_ = true;
      return &chunks_[taken_ % chunks_.size()];
    }
    if (problem_) std::rethrow_exception(problem_);
    return nullptr;
  }

 private:
  static constexpr std::size_t chunk_bytes = 64 << 10, chunk_records = 512;
  /// Nobody wants the rest.
  struct Stopped {};

  void run(EventLog& log, Lsn from, Lsn to) {
    std::exception_ptr problem;
    Chunk* chunk = &chunks_[0];
    try {
      log.read(from, to, [&](Lsn number, std::string_view payload) {
        add(*chunk, number, payload);
        if (chunk->bytes_ >= chunk_bytes || chunk->records_.size() >= chunk_records) chunk = give();
      });
    } catch (const Stopped&) {
      return;
    } catch (...) {
      problem = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    if (!chunk->records_.empty()) ++given_;
    problem_ = problem;
    ended_ = true;
    changed_.notify_all();
  }
  void add(Chunk& chunk, Lsn number, std::string_view payload) {
    chunk.records_.push_back({number, payload.empty() ? nullptr : chunk.contents_.add(number, payload)});
    chunk.bytes_ += payload.size();
  }
  /// Hands over the chunk that is full; returns the next one, which is empty.
  Chunk* give() {
    std::unique_lock lock(mutex_);
    ++given_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return given_ - taken_ < chunks_.size() || stopping_; });
    if (stopping_) throw Stopped{};
    return &chunks_[given_ % chunks_.size()];
  }

  std::array<Chunk, 8> chunks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t given_ = 0, taken_ = 0;  // chunks, since the beginning
  bool in_use_ = false;                // chunk number taken_, by who asked for it
  bool ended_ = false, stopping_ = false;
  std::exception_ptr problem_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace reach::log
