// reach-adapter-asterisk: Asterisk's manager interface -> reachd.
#include <fstream>
#include <iostream>

#include "clients/adapters/asterisk/recording.hpp"
#include "clients/library/program.hpp"

using namespace reach;

int main(int argc, char** argv) {
  CLI::App app("Asterisk (16 to 22) -> reachd");
  client::CommonOptions common;
  std::string from, source;
  app.add_option("--from", from, "recorded stream");
  app.add_option("--source", source, "name");
  common.add_to(app);
  if (const int code = client::parse(app, argc, argv); code >= 0) return code;
  std::ifstream in(from, std::ios::binary);
  asterisk::AmiTranslator translator({}, adapter::Pseudonyms(adapter::random_key()));
  adapter::EventLines lines(std::cout, source, asterisk::hold_window);
  asterisk::replay_recording(in, translator, lines);
  return 0;
}
