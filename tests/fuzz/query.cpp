// Questions of clients, and their answers.
#include "daemon/shell/queries.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/quiet.hpp"
#include "tests/unit/core/world.hpp"

namespace {

using namespace reach;

/// Two calls, one of them late: there is something to tell, and an alert.
struct Asked {
  Asked() {
    world.offered(1, "c1", "sales");
    world.answered(5, "c1");
    world.offered(10, "c2", "sales");
    world.offered(20, "c3", "elsewhere");
    world.pass(3000);
  }
  test::World world;
  shell::Publisher publisher{world.engine, std::chrono::seconds(1), test::World::time(0), [](const shell::Message&) {},
                             [](v1::SourceState&) {}};
  v1::Request request;
  v1::Reply reply;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Asked asked;
  if (!asked.request.ParseFromArray(data, static_cast<int>(size))) return 0;
  asked.reply.Clear();
  const auto problem =
      shell::answer_query(asked.world.engine, asked.publisher, asked.request, test::World::time(3001), asked.reply);
  fuzz::require(problem.has_value() || asked.reply.reply_case() != v1::Reply::REPLY_NOT_SET,
                "every answer says something");
  (void)asked.reply.ByteSizeLong();
  return 0;
}
