#include "clients/adapters/simulator/company.hpp"

namespace reach::simulator {

Company fittings_company() {
  Company c;
  c.sources = {"hamburg", "munich"};

  c.queues = {
      {.source = "hamburg",
       .name = "key-accounts",
       .segment = "key-accounts",
       .dialled = "4940100",
       .calls_per_hour = 36,
       .talk_s = 160,
       .wrap_up_s = 25,
       .patience_s = 120,
       .timeout_s = 240,
       .priority = 10,
       .overflow_to = "dealers",
       .overflow_s = 45,
       .transfer_to = "",
       .caller_class = "A"},
      {.source = "hamburg",
       .name = "dealers",
       .segment = "dealers",
       .dialled = "4940200",
       .calls_per_hour = 30,
       .talk_s = 140,
       .wrap_up_s = 25,
       .patience_s = 90,
       .timeout_s = 180,
       .priority = 5,
       .overflow_to = "",
       .overflow_s = 0,
       .transfer_to = "",
       .caller_class = "B"},
      {.source = "hamburg",
       .name = "end-customers",
       .segment = "end-customers",
       .dialled = "4940300",
       .calls_per_hour = 36,
       .talk_s = 130,
       .wrap_up_s = 20,
       .patience_s = 75,
       .timeout_s = 120,
       .priority = 0,
       .overflow_to = "",
       .overflow_s = 0,
       .transfer_to = "dealers",
       .caller_class = "C"},
      {.source = "munich",
       .name = "dealers",
       .segment = "dealers",
       .dialled = "4989200",
       .calls_per_hour = 22,
       .talk_s = 140,
       .wrap_up_s = 25,
       .patience_s = 90,
       .timeout_s = 180,
       .priority = 5,
       .overflow_to = "",
       .overflow_s = 0,
       .transfer_to = "service",
       .caller_class = "B"},
      {.source = "munich",
       .name = "end-customers",
       .segment = "end-customers",
       .dialled = "4989300",
       .calls_per_hour = 34,
       .talk_s = 130,
       .wrap_up_s = 20,
       .patience_s = 75,
       .timeout_s = 120,
       .priority = 0,
       .overflow_to = "",
       .overflow_s = 0,
       .transfer_to = "service",
       .caller_class = "C"},
      {.source = "munich",
       .name = "service",
       .segment = "service",
       .dialled = "4989400",
       .calls_per_hour = 42,
       .talk_s = 190,
       .wrap_up_s = 40,
       .patience_s = 100,
       .timeout_s = 180,
       .priority = 3,
       .overflow_to = "",
       .overflow_s = 0,
       .transfer_to = "",
       .caller_class = "C"},
  };

  c.inboxes = {
      {"hamburg", "inbox-key-accounts", "key-accounts", "e-mail", 6, 300, 4},
      {"hamburg", "inbox-dealers", "dealers", "e-mail", 8, 300, 4},
      {"hamburg", "inbox-dealers", "dealers", "fax-order", 5, 240, 2},
      {"hamburg", "inbox-end-customers", "end-customers", "e-mail", 5, 240, 8},
      {"munich", "inbox-end-customers", "end-customers", "returns", 5, 360, 8},
      {"munich", "inbox-service", "service", "complaint", 6, 480, 4},
      {"munich", "inbox-service", "service", "e-mail", 4, 300, 4},
  };

  const auto staff = [&c](const char* source, const char* prefix, int first, int count, std::vector<std::string> queues,
                          double from_h, double to_h) {
    for (int i = 0; i < count; ++i) {
      c.agents.push_back({.source = source,
                          .id = prefix + std::to_string(first + i),
                          .queues = queues,
                          .from_h = from_h,
                          .to_h = to_h});
    }
  };
  staff("hamburg", "h", 1, 3, {"key-accounts", "dealers"}, 7.75, 17);
  staff("hamburg", "h", 4, 2, {"key-accounts", "dealers"}, 9, 18.25);
  staff("hamburg", "h", 6, 4, {"dealers", "end-customers"}, 7.75, 16.75);
  staff("hamburg", "h", 10, 2, {"end-customers", "key-accounts"}, 7.75, 17);
  staff("hamburg", "h", 12, 1, {"end-customers", "dealers"}, 9.5, 18.25);
  staff("munich", "m", 1, 3, {"service", "end-customers"}, 7.75, 17);
  staff("munich", "m", 4, 2, {"service", "dealers"}, 8.5, 18.25);
  staff("munich", "m", 6, 3, {"end-customers", "service"}, 7.75, 17);
  staff("munich", "m", 9, 2, {"dealers", "end-customers"}, 7.75, 17.5);
  for (AgentSpec& agent : c.agents) agent.ill_on_monday = agent.id == "h6" || agent.id == "h10";

  c.mailings = {{{"dealers", "end-customers"}, 8.75, 10.5, 2.0}};
  c.outages = {{"munich", "service", 11 + 10.0 / 60, 11.5}};
  return c;
}

}  // namespace reach::simulator
