// What every program of reachd has in common (daemon/program/program.hpp), under the client library's name.
#pragma once
#include <CLI/CLI.hpp>

#include "daemon/program/program.hpp"

namespace reach::client {

using program::Exit;
using program::exit_configuration;
using program::exit_failed;
using program::exit_good;
using program::exit_not_reachable;
using program::exit_usage;

using program::block_signals;
using program::CommonOptions;
using program::notify_systemd;
using program::parse;
using program::raise_file_limit;
using program::unblock_signals;
using program::version;
using program::wait_signal;

}  // namespace reach::client
