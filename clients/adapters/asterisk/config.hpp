// The configuration of reach-adapter-asterisk.
#pragma once
#include <string>
#include <vector>

#include "clients/adapters/asterisk/ami_translator.hpp"
#include "clients/adapters/common/config.hpp"
#include "clients/library/keys.hpp"

namespace reach::asterisk {

struct PbxConfig {
  std::string host = "127.0.0.1";
  std::int64_t port = 5038;
  std::string user = "reachd";
  std::string secret_file = "ami-secret";  ///< relative: looked up among systemd's credentials first
};

struct QueueConfig {
  std::string name;
  Duration wrap_up{};
};

struct PauseReasonConfig {
  std::string pbx, name;
};

struct AdapterConfig : client::KeyFiles {
  std::string source;
  std::string endpoint = "tcp://127.0.0.1:5570";
  PbxConfig pbx;
  std::string pseudonym_key_file;  ///< empty: a new key with every start
  std::string spool_directory;     ///< empty: in memory
  std::vector<std::string> excluded, arrival_contexts;
  Duration wrap_up{};
  Duration resync_every = std::chrono::minutes(5);
  std::vector<settings::Item<QueueConfig>> queues;
  std::vector<settings::Item<PauseReasonConfig>> pause_reasons;

  [[nodiscard]] TranslatorSettings translator() const;
};

/// Every key with its meaning: read, checked and shown (README.md) from one table.
[[nodiscard]] const settings::Section<AdapterConfig>& config_section();

}  // namespace reach::asterisk
