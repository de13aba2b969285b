// For targets whose inputs libprotobuf parses: it writes a line for every text in them that is no UTF-8. (The programs
// take its word: daemon/program.)
#pragma once
#include <google/protobuf/stubs/logging.h>

namespace reach::fuzz {

inline google::protobuf::LogHandler* const loud = google::protobuf::SetLogHandler(nullptr);

}  // namespace reach::fuzz
