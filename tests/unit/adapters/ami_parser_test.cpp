#include "clients/adapters/asterisk/ami_parser.hpp"

#include <gtest/gtest.h>

#include <random>

namespace reach::asterisk {
namespace {

using Seen = std::vector<std::string>;

Seen parse(AmiParser& parser, std::string_view bytes, std::size_t piece) {
  Seen seen;
  for (std::size_t i = 0; i < bytes.size(); i += piece)
    parser.feed(bytes.substr(i, piece), [&](const AmiMessage& message) {
      std::string text;
      if (message.cut) text = "cut;";
      for (const auto& [name, value] : message.fields) text += std::string(name) + '=' + std::string(value) + ';';
      seen.push_back(text);
    });
  return seen;
}

constexpr std::string_view stream =
    "Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n"
    "Event: QueueMember\r\nPausedReason: \r\nEmpty:\r\nName: a: b\r\n\r\n";
const Seen expected = {"Banner=Asterisk Call Manager/11.0.0;", "Response=Success;Message=Authentication accepted;",
                       "Event=QueueMember;PausedReason=;Empty=;Name=a: b;"};

TEST(AmiParser, HandsOverNothingButUtf8) {
  AmiParser parser;
  EXPECT_EQ(parse(parser, "Event: QueueMember\r\nName: M\xfcller\r\nQueue: K\u00f6ln\r\n\r\n", 3),
            Seen{"Event=QueueMember;Name=M\u00fcller;Queue=K\u00f6ln;"});
}

TEST(AmiParser, ReadsAStreamCutAnywhere) {
  for (const std::size_t piece : {1, 2, 3, 7, 1000}) {
    AmiParser parser;
    EXPECT_EQ(parse(parser, stream, piece), expected) << "in pieces of " << piece;
    EXPECT_EQ(parser.counts().messages, 3U);
  }
}

TEST(AmiParser, TakesBareLineFeeds) {
  AmiParser parser;
  EXPECT_EQ(parse(parser, "Event: A\nB: c\n\n", 100), Seen{"Event=A;B=c;"});
}

TEST(AmiParser, FindsFieldsWhateverTheirCase) {
  AmiParser parser;
  parser.feed("event: X\r\nUNIQUEID: 1.2\r\n\r\n", [](const AmiMessage& message) {
    EXPECT_EQ(message.event(), "X");
    EXPECT_EQ(message.get("Uniqueid"), "1.2");
    EXPECT_EQ(message.get("Queue"), "");
  });
}

TEST(AmiParser, SkipsAndCountsLinesThatAreNone) {
  AmiParser parser;
  EXPECT_EQ(parse(parser, "Event: A\r\nnonsense\r\n: no name\r\nB: c\r\n\r\n", 5), Seen{"Event=A;B=c;"});
  EXPECT_EQ(parser.counts().malformed, 2U);
}

TEST(AmiParser, DropsWhatIsOverTheLimitsAndGoesOn) {
  AmiParser parser({.line_bytes = 20, .message_bytes = 50});
  const std::string long_line = "Event: A\r\nLong: " + std::string(100, 'x') + "\r\nB: c\r\n\r\n";
  EXPECT_EQ(parse(parser, long_line, 9), Seen{"cut;Event=A;B=c;"});
  std::string long_message = "Event: A\r\n";
  for (int i = 0; i < 20; ++i) long_message += "Name: value\r\n";
  EXPECT_EQ(parse(parser, long_message + "\r\nEvent: B\r\n\r\n", 9), (Seen{"cut;", "Event=B;"}));
  EXPECT_EQ(parser.counts().oversized, 2U);
  EXPECT_EQ(parse(parser, "Event: " + std::string(100, 'x') + "\r\n\r\nEvent: B\r\n\r\n", 9),
            (Seen{"cut;", "Event=B;"}));
}

TEST(AmiParser, ForgetsAHalfMessageWhenANewConnectionBegins) {
  AmiParser parser;
  EXPECT_EQ(parse(parser, "Event: Half\r\nAsterisk Call Manager/9\r\nEvent: B\r\n\r\n", 100),
            (Seen{"Banner=Asterisk Call Manager/9;", "Event=B;"}));
}

TEST(AmiParser, SurvivesNoise) {
  std::mt19937 chance(1);
  AmiParser parser;
  std::string noise;
  for (int i = 0; i < 200'000; ++i) noise += "\r\n:: aE\0v"[chance() % 9];
  parse(parser, noise, 977);
  EXPECT_EQ(parse(parser, "\r\n\r\nEvent: B\r\n\r\n", 100).back(), "Event=B;");
}

}  // namespace
}  // namespace reach::asterisk
