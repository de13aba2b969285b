// The HTTP server: the page, the API and the live stream to browsers.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "clients/wallboard/accounts.hpp"
#include "clients/wallboard/settings.hpp"

namespace reach::wallboard {

/// Serves from a thread of its own, from the constructor on to the destructor.
class Server {
 public:
  static constexpr std::size_t connections_max = 1000;  ///< more wait until one leaves
  static constexpr std::size_t streams_max = 500;       ///< of these; more are answered 503
  static constexpr std::size_t streams_each_max = 100;  ///< of one sign-in or ticket; more are answered 503
  static constexpr std::size_t name_bytes_max = 80;     ///< of who signs in
  static constexpr int request_s = 15;           ///< a request that has not arrived after so long is not waited for
  static constexpr std::size_t checks_max = 16;  ///< passwords that wait to be checked; more are answered 503
  static constexpr int stalled_s = 15;  ///< a browser that takes nothing in for so long is let go; it comes again

  /// `accounts`: who may come in; nullopt: everybody. `open_files`: what the system grants; less than 1,064 make fewer
  /// connections and streams. Throws std::runtime_error with a sentence if the address cannot be had or the page cannot
  /// be read.
  Server(const Settings& settings, std::optional<Accounts> accounts, std::size_t open_files);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Takes over what the page shows (title, language, time zone, names) and the host names.
  void set_settings(const Settings& settings);
  /// Who may come in from now on; who may no more is let go. Requires that the constructor was given accounts.
  void set_accounts(Accounts accounts);
  /// How it stands, a line for systemd's status.
  [[nodiscard]] std::string status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reach::wallboard
