#include "tests/bench/stores.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "daemon/log/segments.hpp"
#ifdef BENCH_SQLITE
#include <sqlite3.h>
#endif
#ifdef BENCH_ROCKSDB
#include <rocksdb/db.h>
#include <rocksdb/version.h>
#endif
#ifdef BENCH_LMDB
#include <lmdb.h>
#endif

namespace reach::bench {
namespace {

/// Length, payload. What a disk can do when nobody asks whether the bytes are good.
class Bare final : public Store {
 public:
  explicit Bare(const std::string& directory)
      : path_(directory + "/bare"), fd_(open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), path_);
  }
  ~Bare() override { close(fd_); }

  void append(std::span<const std::string> group) override {
    bytes_.clear();
    for (const std::string& each : group) {
      const auto length = static_cast<std::uint32_t>(each.size());
      bytes_.append(reinterpret_cast<const char*>(&length), sizeof length).append(each);
    }
    for (std::string_view left = bytes_; !left.empty();) {
      const ssize_t n = write(fd_, left.data(), left.size());
      if (n < 0) throw std::system_error(errno, std::generic_category(), "write");
      left.remove_prefix(static_cast<std::size_t>(n));
    }
    if (fdatasync(fd_) != 0) throw std::system_error(errno, std::generic_category(), "fdatasync");
  }

  void read(const std::function<void(std::string_view)>& visit) override {
    std::string content(std::filesystem::file_size(path_), '\0');
    std::ifstream(path_, std::ios::binary).read(content.data(), static_cast<std::streamsize>(content.size()));
    for (std::size_t at = 0; at + 4 <= content.size();) {
      std::uint32_t length = 0;
      std::memcpy(&length, content.data() + at, sizeof length);
      visit(std::string_view(content).substr(at + 4, length));
      at += 4 + length;
    }
  }

 private:
  std::string path_, bytes_;
  int fd_;
};

class Files final : public Store {
 public:
  explicit Files(const std::string& directory) : log_(log::local_disk(directory), 64U << 20) {}
  void append(std::span<const std::string> group) override { log_.write(group, Time(std::chrono::hours(24 * 20'000))); }
  void idle() override { log_.confirm(); }
  std::string mended() const override { return log_.repairs().empty() ? "" : log_.repairs().front(); }
  void read(const std::function<void(std::string_view)>& visit) override {
    log::read_records(*log_.disk(), 1, log_.durable(), [&](log::Lsn, std::string_view payload) { visit(payload); });
  }

 private:
  log::Segments log_;
};

#ifdef BENCH_SQLITE
/// One connection, WAL, synchronous=FULL (the WAL is synced at every commit), prepared statements.
class Sqlite final : public Store {
 public:
  explicit Sqlite(const std::string& directory) {
    check(sqlite3_open((directory + "/log.sqlite").c_str(), &db_));
    run("PRAGMA locking_mode=EXCLUSIVE");  // no shared memory, and no other connection that could reset the WAL
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE IF NOT EXISTS records(number INTEGER PRIMARY KEY, payload BLOB NOT NULL)");
    insert_ = prepare("INSERT INTO records VALUES(?, ?)");
    sqlite3_stmt* last = prepare("SELECT coalesce(max(number), 0) FROM records");
    if (sqlite3_step(last) == SQLITE_ROW) last_ = sqlite3_column_int64(last, 0);
    sqlite3_finalize(last);
  }
  ~Sqlite() override {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }

  void append(std::span<const std::string> group) override {
    run("BEGIN IMMEDIATE");
    for (const std::string& each : group) {
      check(sqlite3_bind_int64(insert_, 1, ++last_));
      check(sqlite3_bind_blob64(insert_, 2, each.data(), each.size(), SQLITE_STATIC));
      const int code = sqlite3_step(insert_);
      sqlite3_reset(insert_);
      check(code);
    }
    run("COMMIT");
  }

  void read(const std::function<void(std::string_view)>& visit) override {
    sqlite3_stmt* all = prepare("SELECT payload FROM records ORDER BY number");
    int code = 0;
    while ((code = sqlite3_step(all)) == SQLITE_ROW) {
      visit({static_cast<const char*>(sqlite3_column_blob(all, 0)),
             static_cast<std::size_t>(sqlite3_column_bytes(all, 0))});
    }
    sqlite3_finalize(all);
    check(code);
  }

 private:
  void check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    throw std::runtime_error(std::string("sqlite: ") + sqlite3_errstr(code) + " (" + sqlite3_errmsg(db_) + ")");
  }
  void run(const char* sql) const { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  sqlite3_stmt* prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr));
    return statement;
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  std::int64_t last_ = 0;
};
#endif

/// Numbers that sort as they count.
[[maybe_unused]] std::string big_endian(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i-- > 0; number >>= 8) bytes[i] = static_cast<char>(number & 0xff);
  return bytes;
}
[[maybe_unused]] std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

#ifdef BENCH_ROCKSDB
/// WriteOptions.sync, its own WAL, checksums as by default, no compression (as the log has none).
class Rocks final : public Store {
 public:
  explicit Rocks(const std::string& directory) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    // Its default (kPointInTimeRecovery) ends silently at the first damage, wherever that is.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(options, directory + "/rocks", &db));
    db_.reset(db);
    const std::unique_ptr<rocksdb::Iterator> last(db_->NewIterator({}));
    last->SeekToLast();
    if (last->Valid()) last_ = from_big_endian(last->key().ToStringView());
  }

  void append(std::span<const std::string> group) override {
    rocksdb::WriteBatch batch;
    for (const std::string& each : group) check(batch.Put(big_endian(++last_), each));
    rocksdb::WriteOptions options;
    options.sync = true;
    check(db_->Write(options, &batch));
  }

  void read(const std::function<void(std::string_view)>& visit) override {
    rocksdb::ReadOptions options;
    options.readahead_size = 2U << 20;
    const std::unique_ptr<rocksdb::Iterator> each(db_->NewIterator(options));
    for (each->SeekToFirst(); each->Valid(); each->Next()) visit(each->value().ToStringView());
    check(each->status());
  }

 private:
  static void check(const rocksdb::Status& status) {
    if (!status.ok()) throw std::runtime_error("rocksdb: " + status.ToString());
  }
  std::unique_ptr<rocksdb::DB> db_;
  std::uint64_t last_ = 0;
};
#endif

#ifdef BENCH_LMDB
/// Durable at every commit (its default), integer keys, appended.
class Lmdb final : public Store {
 public:
  explicit Lmdb(const std::string& directory) {
    check(mdb_env_create(&env_));
    check(mdb_env_set_mapsize(env_, std::size_t{8} << 30));
    check(mdb_env_open(env_, directory.c_str(), 0, 0600));
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    check(mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY | MDB_CREATE, &dbi_));
    MDB_cursor* cursor = nullptr;
    check(mdb_cursor_open(txn, dbi_, &cursor));
    MDB_val key{}, value{};
    if (mdb_cursor_get(cursor, &key, &value, MDB_LAST) == 0) std::memcpy(&last_, key.mv_data, sizeof last_);
    mdb_cursor_close(cursor);
    check(mdb_txn_commit(txn));
  }
  ~Lmdb() override { mdb_env_close(env_); }

  void append(std::span<const std::string> group) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    for (const std::string& each : group) {
      ++last_;
      MDB_val key{sizeof last_, &last_};
      MDB_val value{each.size(), const_cast<char*>(each.data())};
      const int code = mdb_put(txn, dbi_, &key, &value, MDB_APPEND);
      if (code != 0) mdb_txn_abort(txn);
      check(code);
    }
    check(mdb_txn_commit(txn));
  }

  void read(const std::function<void(std::string_view)>& visit) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn));
    MDB_cursor* cursor = nullptr;
    check(mdb_cursor_open(txn, dbi_, &cursor));
    MDB_val key{}, value{};
    int code = 0;
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
      visit({static_cast<const char*>(value.mv_data), value.mv_size});
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    if (code != MDB_NOTFOUND) check(code);
  }

 private:
  static void check(int code) {
    if (code != 0) throw std::runtime_error(std::string("lmdb: ") + mdb_strerror(code));
  }
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  std::uint64_t last_ = 0;
};
#endif

template <class T>
std::unique_ptr<Store> opened(const std::string& directory) {
  return std::make_unique<T>(directory);
}

}  // namespace

std::string payload_of(std::size_t size, std::uint64_t number) {
  std::string payload(size, 'x');
  std::uint64_t seed = number * 0x9e3779b97f4a7c15U;
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t mixed = seed ^ seed >> 33;
    std::memcpy(payload.data() + i, &mixed, sizeof mixed);
  }
  return payload;
}

std::vector<StoreKind> store_kinds() {
  std::vector<StoreKind> kinds = {{"bare", "", opened<Bare>}, {"files", "", opened<Files>}};
#ifdef BENCH_SQLITE
  kinds.push_back({"sqlite", sqlite3_libversion(), opened<Sqlite>});
#endif
#ifdef BENCH_ROCKSDB
  kinds.push_back({"rocksdb", rocksdb::GetRocksVersionAsString(), opened<Rocks>});
#endif
#ifdef BENCH_LMDB
  kinds.push_back({"lmdb",
                   std::to_string(MDB_VERSION_MAJOR) + "." + std::to_string(MDB_VERSION_MINOR) + "." +
                       std::to_string(MDB_VERSION_PATCH),
                   opened<Lmdb>});
#endif
  return kinds;
}

std::vector<std::string> missing_stores() {
  std::vector<std::string> missing;
#ifndef BENCH_SQLITE
  missing.emplace_back("sqlite");
#endif
#ifndef BENCH_ROCKSDB
  missing.emplace_back("rocksdb");
#endif
#ifndef BENCH_LMDB
  missing.emplace_back("lmdb");
#endif
  return missing;
}

}  // namespace reach::bench
