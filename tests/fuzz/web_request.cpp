// What a browser sends to the wallboard's gateway, beyond HTTP itself.
#include <algorithm>

#include "clients/wallboard/request.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reach;
  using namespace reach::wallboard;
  static const std::vector<std::string> names = {"board.example.org"};
  // Four lines of headers and a path, then the body.
  std::string_view rest = fuzz::text_of(data, size);
  const auto line = [&rest] {
    const std::string_view found = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(found.size() + 1, rest.size()));
    return found;
  };
  const std::string_view host = line(), origin = line(), type = line(), path = line();
  (void)is_known_host(host, names);
  (void)is_same_origin({std::string(host), std::string(origin), std::string(type)});
  (void)is_json(type);
  (void)percent_decoded(path);
  const auto alert = name_between(path, "/api/v1/alerts/", "/acknowledge");
  (void)cookie(type, "session");
  (void)address_of(std::string(host), origin);
  (void)query_value(path, "ticket");
  fuzz::require(!query_value(query_without(path, "ticket"), "ticket"), "a ticket that was taken out is gone");
  fuzz::require(for_log(rest).size() <= 80, "a line of the log is short");
  const Texts texts = read_texts(rest, {"name"}, {"password"});
  fuzz::require(!texts.problem.empty() || texts.members.contains("name"), "what is required is there");
  const AcknowledgeBody body = read_acknowledge(rest, {});
  fuzz::require(body.acknowledge.has_value() == body.problem.empty(), "what is refused has a reason");
  (void)error_json(alert.value_or(""), body.problem);
  return 0;
}
