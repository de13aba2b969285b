// Who is connected to one socket, so that nobody can take what belongs to the others: bounds on connections, on
// subscriptions, on messages that never end, and a way to cut one off. ZeroMQ has none of them.
//
// It is fed by the socket's monitor and works on file descriptors that ZeroMQ owns. ZeroMQ may have closed one and the
// system may have given its number away before the monitor's word arrives, so each socket is known by the kernel's own
// number for it, too, and none but that is ever shut down.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace reach::shell {

/// "192.0.2.7" of "::ffff:192.0.2.7", as which a socket for both kinds of addresses sees it; any other as it is.
[[nodiscard]] std::string_view without_v4_prefix(std::string_view address) noexcept;

class Connections {
 public:
  struct Peer {
    std::uint64_t cookie = 0;                          ///< the kernel's number of the socket; 0: gone or cut off
    std::string address;                               ///< "192.0.2.7:40112"; "a local socket" for ipc
    std::string key;                                   ///< Z85, once it is known; subscribers only
    std::uint64_t silent_since = 0;                    ///< order of its coming; 0: it has said something
    std::set<std::string, std::less<>> subscriptions;  ///< at most the limit
    bool heard = false;                                ///< a whole message came since `unheard` was counted
    std::uint64_t received = 0, unheard = 0;           ///< bytes in all, and since the last whole message
  };

  /// `most`: connections that have said something; `most_silent`: that have not (yet), as those whose handshake is not
  /// done: whoever has no key can open as many as he likes, and must not take the place of those who have one.
  /// `most_subscriptions`: of each.
  Connections(std::size_t most, std::size_t most_silent, std::size_t most_subscriptions)
      : most_(most), most_silent_(most_silent), most_subscriptions_(most_subscriptions) {}

  /// A peer connected as `fd`. If too many have said nothing, returns the oldest of them: it is cut off.
  std::optional<int> opened(int fd);
  /// A good message came from `fd`. False if it is the first one, of one connection too many: it is cut off.
  bool spoke(int fd);
  /// Whether spoke() could mean anything: else it need not be called.
  [[nodiscard]] bool any_silent() const noexcept { return !silent_.empty(); }
  /// It is gone, or was cut off and now is gone, too.
  void closed(int fd);
  /// It sent one subscription more (or the same again). False if it has too many: it is cut off.
  bool subscribed(int fd, std::string_view key, std::string_view prefix);
  void unsubscribed(int fd, std::string_view prefix);
  /// If all subscriptions together take more than `most_subscription_bytes`, cuts off who has most of them and returns
  /// him. ZeroMQ keeps a node of 32 bytes for each byte that no other subscription shares.
  std::optional<int> relieve_subscriptions();

  /// A whole message came from `fd`.
  void heard(int fd);
  /// What came from `fd` since its last whole message.
  struct Unheard {
    int fd;
    std::uint64_t bytes;
  };
  /// Cuts off, and returns, who has sent more than `most_of_one` since his last whole message, and those who sent most
  /// where all together have sent more than `most_of_all`: ZeroMQ gathers the frames of a message without bound until
  /// the last one comes. Looks at all connections, so it is called a few times a second. A hundred bytes a second are
  /// forgiven: signs of life of ZeroMQ itself are no messages. Connections by ipc are left alone.
  std::vector<Unheard> cut_unheard(std::uint64_t most_of_one, std::uint64_t most_of_all,
                                   std::chrono::steady_clock::time_point now);
  /// Ends the connection: ZeroMQ finds it closed and forgets the peer with all that was kept for it. False if there is
  /// none.
  bool cut(int fd);

  /// Of `fd`, for log lines; "an unknown address" if there is none.
  [[nodiscard]] std::string address_of(int fd) const;
  [[nodiscard]] std::size_t count() const noexcept { return peers_.size(); }
  /// By descriptor.
  [[nodiscard]] const std::map<int, Peer>& peers() const noexcept { return peers_; }

  static constexpr std::size_t most_subscription_bytes = std::size_t{16} << 20;

 private:
  std::size_t most_, most_silent_, most_subscriptions_;
  std::map<int, Peer> peers_;
  std::map<std::uint64_t, int> silent_;  ///< those who have said nothing, oldest first; not those that were cut off
  std::uint64_t opened_ = 0;
  std::size_t spoken_ = 0;
  std::size_t subscription_bytes_ = 0;
  int heard_last_ = -1;
  std::chrono::steady_clock::time_point counted_at_{};
};

}  // namespace reach::shell
