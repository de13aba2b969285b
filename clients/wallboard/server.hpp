// The HTTP server: the page, the API and the live stream to browsers.
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "clients/wallboard/settings.hpp"

namespace reach::wallboard {

/// Serves from a thread of its own, from the constructor on to the destructor.
class Server {
 public:
  static constexpr std::size_t connections_max = 1000;  ///< more wait until one leaves
  static constexpr int stalled_s = 15;  ///< a browser that takes nothing in for so long is let go; it comes again

  /// Throws std::runtime_error with a sentence if the address cannot be had or the page cannot be read.
  explicit Server(const Settings& settings);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Takes over what the page shows (title, language, time zone, names) and the host names.
  void set_settings(const Settings& settings);
  /// How it stands, a line for systemd's status.
  [[nodiscard]] std::string status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reach::wallboard
