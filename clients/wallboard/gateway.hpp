// The gateway without its sockets to browsers: follows the daemon, keeps the board, and tells every stream what
// changed.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "clients/library/subscriber.hpp"
#include "clients/wallboard/asker.hpp"
#include "clients/wallboard/board.hpp"
#include "clients/wallboard/outbox.hpp"

namespace reach::wallboard {

/// An HTTP answer with a JSON body.
struct Answer {
  int status = 200;
  std::string json;
};
using Respond = std::function<void(Answer)>;

/// Thread-safe. `wake` is called, from any thread, when an outbox has something to tell; it must return at once.
class Gateway {
 public:
  Gateway(const std::string& publish_endpoint, const std::string& query_endpoint, const client::ClientKeys& keys,
          std::function<void()> wake);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// 200 with the last values; 503 while the daemon is not heard, because old figures must not pass for new ones.
  [[nodiscard]] Answer state() const;
  [[nodiscard]] Answer alerts() const;
  [[nodiscard]] Answer staffing() const;
  /// `respond` is called once, at once or from another thread. Histories are asked for anew after `history_age_max`.
  void history(const std::string& segment, Respond respond);
  void acknowledge(const std::string& alert, const std::string& by, const std::string& note, Respond respond);

  /// A new stream; its outbox already holds everything. Number it `id`, a number of its own.
  void open_stream(std::uint64_t id);
  void close_stream(std::uint64_t id);
  /// What stream `id` has to send now, and whether the stream ends with it. nullopt: nothing.
  struct Parcel {
    std::vector<Json> pieces;
    bool last = false;
  };
  [[nodiscard]] std::optional<Parcel> take(std::uint64_t id);
  [[nodiscard]] bool connected() const;

  /// Call every two seconds: tells every stream that it is alive, and asks every `beats_per_rest` beats for what reachd
  /// does not publish (Board::set_rest).
  void beat();
  static constexpr int beats_per_rest = 5;

 private:
  static constexpr std::chrono::seconds history_age_max{10};
  struct History {
    std::chrono::steady_clock::time_point asked{};
    std::string json;              ///< of the last answer; empty: none yet
    std::vector<Respond> waiting;  ///< not empty: a question is under way
  };

  void ask_rest(const std::string& segment);
  [[nodiscard]] std::string connection_json() const;
  [[nodiscard]] Answer lost() const;
  /// Calls `change` under the lock, then wakes. `heard`: because the daemon said something.
  template <typename Change>
  void update(bool heard, const Change& change);
  template <typename Put>
  void put_in_all(const Put& put);  ///< calls put(outbox) for every stream; under the lock

  const std::function<void()> wake_;
  mutable std::mutex mutex_;  // guards all below, but for the two last
  Board board_;
  bool connected_ = false;
  std::string why_ = "not connected yet";
  std::optional<std::chrono::system_clock::time_point> heard_;
  int beats_ = 0;              ///< since the rest was answered last
  std::string heard_segment_;  ///< the one that was published last; empty: none yet
  std::map<std::string, History> histories_;
  std::map<std::uint64_t, Outbox> streams_;
  // Their threads call into all above: they start last and end first.
  std::optional<Asker> asker_;
  std::optional<client::Subscriber> subscriber_;
};

}  // namespace reach::wallboard
