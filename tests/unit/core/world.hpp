// A small world to test the engine in: times as seconds after eight o'clock on a Monday, events by name.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/engine.hpp"

namespace reach::test {

/// Two segments, "sales" (queues sales, offers; overflow agreed to "dealers") and "dealers" (queue dealers); services
/// "phone" (20 s, short abandon 5 s) and "mail" (items, 1 h).
[[nodiscard]] Config small_config();

class World {
 public:
  explicit World(Config config = small_config(), EngineOptions options = {.staleness = false, .staffing = false});

  /// An event of source "pbx" at `second`; more fields through `with`.
  void at(double second, EventKind kind, std::string_view contact, Event with = {});
  void offered(double second, std::string_view contact, std::string_view queue);
  void answered(double second, std::string_view contact, std::string_view agent = "a1");
  void abandoned(double second, std::string_view contact);
  void forwarded(double second, std::string_view contact, ForwardReason reason, std::string_view to = {});
  /// Time comes to `second`, what is due then included.
  void pass(double second);
  void input(double second, const Input& input);

  [[nodiscard]] Figures figures(std::string_view segment = "sales", Period period = Period::day);
  [[nodiscard]] SegmentView view(std::string_view segment = "sales");
  [[nodiscard]] std::vector<Alert> take_alerts();  ///< every revision said since the last call

  static Time time(double second);
  Engine engine;
  Decisions decisions;
};

}  // namespace reach::test
