// The counters in Prometheus' text format (0.0.4). What each means stands beside it, in its HELP line.
#pragma once
#include <string>

#include "daemon/shell/counters.hpp"

namespace reach::shell {

/// Also reads the process's own figures from /proc.
[[nodiscard]] std::string metrics_text(const MetricsCopy& copy);

}  // namespace reach::shell
