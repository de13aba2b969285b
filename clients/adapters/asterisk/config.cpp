#include "clients/adapters/asterisk/config.hpp"

namespace reach::asterisk {

using namespace std::chrono_literals;
using settings::Section;

TranslatorSettings AdapterConfig::translator() const {
  TranslatorSettings made;
  for (const auto& queue : queues) made.wrap_up[queue.made.name] = queue.made.wrap_up;
  made.default_wrap_up = wrap_up;
  made.excluded = {excluded.begin(), excluded.end()};
  made.arrival_contexts = {arrival_contexts.begin(), arrival_contexts.end()};
  for (const auto& reason : pause_reasons) made.pause_reasons[reason.made.pbx] = reason.made.name;
  return made;
}

const Section<AdapterConfig>& config_section() {
  static const Section<PbxConfig> pbx{
      "[pbx]",
      "Asterisk's manager interface.",
      {{"host", settings::text(&PbxConfig::host, "a host name or an address"), "where Asterisk runs"},
       {"port", settings::count(&PbxConfig::port, 1, 65535), "`port` of manager.conf"},
       {"user", settings::text(&PbxConfig::user, "the name of a user in manager.conf"), "section of manager.conf"},
       {"secret_file", settings::text(&PbxConfig::secret_file, "the path of a file that holds the password alone"),
        "file with the user's `secret`, not readable for others; a relative name is looked up among systemd's "
        "credentials first"}},
      {{"secret", "remove it: write the password into a file of its own and name it with secret_file"},
       {"password", "remove it: write the password into a file of its own and name it with secret_file"}}};
  static const Section<QueueConfig> queue{
      "[[queue]]",
      "What Asterisk does not tell of a queue.",
      {{"name", settings::text(&QueueConfig::name, "the name of a queue in queues.conf"), "the queue", "", true},
       {"wrap_up", settings::span(&QueueConfig::wrap_up, 0s, 24h, "20s"), "its `wrapuptime` of queues.conf"}}};
  static const Section<PauseReasonConfig> pause_reason{
      "[[pause_reason]]",
      "Words for the pause reasons of telephones, which are often numbers.",
      {{"pbx", settings::text(&PauseReasonConfig::pbx, "the reason as Asterisk says it"), "such as \"2\"", "", true},
       {"name", settings::text(&PauseReasonConfig::name, "a word for people"), "such as \"lunch\"", "", true}}};
  static const Section<AdapterConfig> section{
      "the file", "",
      adapter::with_key_files<AdapterConfig>(
          {{"source", settings::id(&AdapterConfig::source, "a name of letters, digits, '.', '_' and '-'"),
            "this PBX's name in reachd", "", true},
           {"endpoint", adapter::endpoint(&AdapterConfig::endpoint), "reachd's ingest socket"},
           {"pbx", settings::table(&AdapterConfig::pbx, pbx), "the manager interface"},
           {"pseudonym_key_file", settings::text(&AdapterConfig::pseudonym_key_file, "the path of a file"),
            "file with at least 16 secret bytes; without it pseudonyms change with every start"},
           {"spool_directory", settings::text(&AdapterConfig::spool_directory, "the path of a directory"),
            "where events wait for reachd; without it in memory, so they survive reachd's end but not the adapter's "
            "own"},
           {"excluded", settings::texts(&AdapterConfig::excluded, "a list of extensions, such as [\"199\"]"),
            "extensions and numbers that never leave the adapter (works council, company doctor)"},
           {"arrival_contexts",
            settings::texts(&AdapterConfig::arrival_contexts, "a list of contexts, such as [\"from-trunk\"]"),
            "dialplan contexts whose new calls are customers: they are told from their arrival on"},
           {"wrap_up", settings::span(&AdapterConfig::wrap_up, 0s, 24h, "20s"), "`wrapuptime` of all other queues"},
           {"resync_every", settings::span(&AdapterConfig::resync_every, 10s, 24h, "5m"),
            "how often everything is listed and compared"},
           {"queue", settings::tables(&AdapterConfig::queues, queue), "queues"},
           {"pause_reason", settings::tables(&AdapterConfig::pause_reasons, pause_reason), "pause reasons"}})};
  return section;
}

}  // namespace reach::asterisk
