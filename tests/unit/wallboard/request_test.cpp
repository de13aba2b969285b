#include "clients/wallboard/request.hpp"

#include <gtest/gtest.h>

namespace reach::wallboard {
namespace {

TEST(Request, KnowsTheHostsItIsServedUnder) {
  for (const char* host : {"127.0.0.1:8570", "[::1]:8570", "10.0.0.5", "localhost:8570", "LOCALHOST", "wall.example"}) {
    EXPECT_TRUE(is_known_host(host, {"Wall.Example"})) << host;
  }
  for (const char* host :
       {"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8570", "wall.example.evil"}) {
    EXPECT_FALSE(is_known_host(host, {"wall.example"})) << host;
  }
}

TEST(Request, IsOfTheSameOriginOnlyFromOurPageOrNoBrowser) {
  EXPECT_TRUE(is_same_origin({"127.0.0.1:8570", "http://127.0.0.1:8570", "same-origin"}));
  EXPECT_TRUE(is_same_origin({"wall.example", "https://wall.example", ""}));
  EXPECT_TRUE(is_same_origin({"127.0.0.1:8570", "", ""})) << "no browser";
  EXPECT_FALSE(is_same_origin({"127.0.0.1:8570", "http://127.0.0.1:8570", "cross-site"}));
  EXPECT_FALSE(is_same_origin({"127.0.0.1:8570", "http://127.0.0.1:9999", "same-site"}));
  EXPECT_FALSE(is_same_origin({"127.0.0.1:8570", "http://evil.example", ""}));
  EXPECT_FALSE(is_same_origin({"127.0.0.1:8570", "null", ""}));
  EXPECT_FALSE(is_same_origin({"", "null", ""}));
}

TEST(Request, TakesJsonAlone) {
  EXPECT_TRUE(is_json("application/json"));
  EXPECT_TRUE(is_json("Application/JSON ; charset=utf-8"));
  EXPECT_FALSE(is_json("text/plain"));
  EXPECT_FALSE(is_json("application/x-www-form-urlencoded"));
  EXPECT_FALSE(is_json(""));
}

TEST(Request, ReadsAnAcknowledgement) {
  const AcknowledgeBody body = read_acknowledge(R"({"by":"M. Brandt","note":"zwei kommen dazu"})");
  ASSERT_TRUE(body.acknowledge);
  EXPECT_EQ(body.acknowledge->by, "M. Brandt");
  EXPECT_EQ(body.acknowledge->note, "zwei kommen dazu");
  EXPECT_TRUE(read_acknowledge(R"({"by":"x"})").acknowledge);
}

TEST(Request, SaysWhatIsWrongWithAnAcknowledgement) {
  const std::string long_name = R"({"by":")" + std::string(by_bytes_max + 1, 'x') + "\"}";
  const std::string deep(10'000, '[');
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{"), std::string("{}"), std::string(R"({"by":" "})"),
        std::string(R"({"by":1})"), std::string(R"({"by":"x","who":"y"})"), long_name, deep}) {
    const AcknowledgeBody read = read_acknowledge(body);
    EXPECT_FALSE(read.acknowledge) << body.substr(0, 40);
    EXPECT_FALSE(read.problem.empty()) << body.substr(0, 40);
  }
  EXPECT_NE(read_acknowledge("{}").problem.find("\"by\""), std::string::npos);
}

TEST(Request, DecodesPaths) {
  EXPECT_EQ(percent_decoded("a%20b%C3%9f"), "a b\xc3\x9f");
  EXPECT_EQ(percent_decoded("%2"), std::nullopt);
  EXPECT_EQ(percent_decoded("%zz"), std::nullopt);
  EXPECT_EQ(percent_decoded("%00"), std::nullopt);
  EXPECT_EQ(acknowledged_alert("/api/v1/alerts/a%2Fb/acknowledge"), "a/b");
  EXPECT_EQ(acknowledged_alert("/api/v1/alerts//acknowledge"), std::nullopt);
  EXPECT_EQ(acknowledged_alert("/api/v1/alerts/acknowledge"), std::nullopt);
  EXPECT_EQ(acknowledged_alert("/api/v1/alerts"), std::nullopt);
}

TEST(Request, WritesErrorsAsJsonWhateverIsInThem) {
  EXPECT_EQ(error_json("not_found", "no \"x\""), R"({"error":{"code":"not_found","message":"no \"x\""}})");
  EXPECT_NO_THROW((void)error_json("bad_request", "\xff"));
}

}  // namespace
}  // namespace reach::wallboard
