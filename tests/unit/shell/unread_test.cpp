#include "daemon/shell/unread.hpp"

#include <gtest/gtest.h>

namespace reach::shell {
namespace {

TEST(Unread, CountsWhatWaitsUntilItHasGone) {
  Unread unread(1000, 5000);
  EXPECT_TRUE(unread.has_room("a"));
  {
    const zmq::message_t large = unread.message("a", std::string(3000, 'x'));  // one may be of any size
    EXPECT_EQ(large.to_string_view(), std::string(3000, 'x'));
    EXPECT_EQ(unread.bytes(), 3000U);
    EXPECT_FALSE(unread.has_room("a"));
    EXPECT_TRUE(unread.has_room("b"));
    const zmq::message_t another = unread.message("b", std::string(2000, 'y'));
    EXPECT_TRUE(unread.has_room("c")) << "for whom nothing waits is answered, whatever the others do";
  }
  EXPECT_EQ(unread.bytes(), 0U);
  for (const char* peer : {"a", "b", "c"}) EXPECT_TRUE(unread.has_room(peer));
}

TEST(Unread, ForgetsThoseForWhomNothingWaits) {
  Unread unread(10, 1000);
  const zmq::message_t kept = unread.message("slow", std::string(50, 'x'));
  for (int i = 0; i < 1000; ++i) static_cast<void>(unread.message(std::to_string(i), "x"));
  EXPECT_FALSE(unread.has_room("slow"));
  EXPECT_EQ(unread.bytes(), 50U);
}

TEST(Unread, CutsOffThoseForWhomMostWaits) {
  Unread unread(1000, 5000);
  std::vector<zmq::message_t> waiting;
  std::string cut;
  bool there = true;
  const auto relieve = [&] {
    cut.clear();
    unread.relieve([&](int fd, const std::string& who, std::size_t bytes) {
      cut += who + ":" + std::to_string(fd) + ":" + std::to_string(bytes) + " ";
      return there;
    });
    return cut;
  };
  const auto send = [&](const std::string& peer, int fd, std::size_t bytes) {
    waiting.push_back(unread.message(peer, std::string(bytes, 'x')));
    unread.is_at(peer, fd, "key-" + peer);
  };
  send("a", 1, 900);
  send("b", 2, 2000);
  send("c", 3, 1500);
  EXPECT_EQ(relieve(), "");
  send("d", 4, 600);
  there = false;
  EXPECT_EQ(relieve(), "key-b:2:2000 key-c:3:1500 key-a:1:900 key-d:4:600 ") << "none of them is connected any more";
  there = true;
  EXPECT_EQ(relieve(), "key-b:2:2000 ");
  EXPECT_EQ(relieve(), "") << "its bytes go in a moment";
  send("a", 1, 2500);
  unread.gone(1);
  EXPECT_EQ(relieve(), "key-c:3:1500 key-d:4:600 ") << "never by the descriptor of one that is gone";
  waiting.clear();
  EXPECT_EQ(relieve(), "");
}

TEST(Unread, CountsWhatWaitsInASocketForAPeerThatDoesNotRead) {
  zmq::context_t context;
  zmq::socket_t router(context, zmq::socket_type::router), asker(context, zmq::socket_type::dealer);
  router.set(zmq::sockopt::sndhwm, 100);
  asker.set(zmq::sockopt::rcvhwm, 1);
  router.bind("inproc://query");
  asker.connect("inproc://query");
  asker.send(zmq::str_buffer("?"), zmq::send_flags::none);
  zmq::message_t peer, question;
  static_cast<void>(router.recv(peer));
  static_cast<void>(router.recv(question));
  Unread unread(1000);
  int sent = 0;
  for (; sent < 50 && unread.has_room(peer.to_string()); ++sent) {
    router.send(zmq::buffer(peer.to_string()), zmq::send_flags::sndmore);
    router.send(unread.message(peer.to_string(), std::string(300, 'x')), zmq::send_flags::none);
  }
  EXPECT_EQ(sent, 4);
  zmq::message_t answer;
  for (; sent > 0; --sent) {
    static_cast<void>(asker.recv(answer));
    EXPECT_EQ(answer.size(), 300U);
  }
  answer.rebuild();
  EXPECT_TRUE(unread.has_room(peer.to_string()));
  EXPECT_EQ(unread.bytes(), 0U);
}

}  // namespace
}  // namespace reach::shell
