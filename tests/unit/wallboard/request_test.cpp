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
  const AcknowledgeBody body = read_acknowledge(R"({"by":"M. Brandt","note":"zwei kommen dazu"})", "");
  ASSERT_TRUE(body.acknowledge);
  EXPECT_EQ(body.acknowledge->by, "M. Brandt");
  EXPECT_EQ(body.acknowledge->note, "zwei kommen dazu");
  EXPECT_TRUE(read_acknowledge(R"({"by":"x"})", "").acknowledge);
}

TEST(Request, SaysWhatIsWrongWithAnAcknowledgement) {
  const std::string long_name = R"({"by":")" + std::string(by_bytes_max + 1, 'x') + "\"}";
  const std::string deep(10'000, '[');
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{"), std::string("{}"), std::string(R"({"by":" "})"),
        std::string(R"({"by":1})"), std::string(R"({"by":"x","who":"y"})"), long_name, deep}) {
    const AcknowledgeBody read = read_acknowledge(body, "");
    EXPECT_FALSE(read.acknowledge) << body.substr(0, 40);
    EXPECT_FALSE(read.problem.empty()) << body.substr(0, 40);
  }
  EXPECT_NE(read_acknowledge("{}", "").problem.find("\"by\""), std::string::npos);
}

TEST(Request, DecodesPaths) {
  EXPECT_EQ(percent_decoded("a%20b%C3%9f"), "a b\xc3\x9f");
  EXPECT_EQ(percent_decoded("%2"), std::nullopt);
  EXPECT_EQ(percent_decoded("%zz"), std::nullopt);
  EXPECT_EQ(percent_decoded("%00"), std::nullopt);
  EXPECT_EQ(name_between("/api/v1/alerts/a%2Fb/acknowledge", "/api/v1/alerts/", "/acknowledge"), "a/b");
  EXPECT_EQ(name_between("/api/v1/alerts//acknowledge", "/api/v1/alerts/", "/acknowledge"), std::nullopt);
  EXPECT_EQ(name_between("/api/v1/alerts/acknowledge", "/api/v1/alerts/", "/acknowledge"), std::nullopt);
  EXPECT_EQ(name_between("/api/v1/alerts", "/api/v1/alerts/", "/acknowledge"), std::nullopt);
}

TEST(Request, AcknowledgesInTheNameOfWhoIsSignedIn) {
  EXPECT_EQ(read_acknowledge(R"({"note":"on it"})", "Anna").acknowledge->by, "Anna");
  EXPECT_EQ(read_acknowledge(R"({"by":"Mallory"})", "Anna").acknowledge->by, "Anna");
  EXPECT_FALSE(read_acknowledge("[]", "Anna").acknowledge);
}

TEST(Request, ReadsTextsAndNothingElse) {
  const Texts texts = read_texts(R"({"name":"Anna","password":" secret "})", {"name", "password"});
  EXPECT_EQ(texts.problem, "");
  EXPECT_EQ(texts.members.at("password"), " secret ") << "as it was typed";
  EXPECT_EQ(read_texts(R"({"name":"a"})", {"name", "password"}).problem,
            R"("password" is missing or empty; expected {"name":TEXT,"password":TEXT})");
  for (const char* wrong : {"", "{", "[]", R"({"name":["a"]})", R"({"name":"a","x":"b"})", R"({"name":"  "})"})
    EXPECT_NE(read_texts(wrong, {"name"}).problem, "") << wrong;
}

TEST(Request, FindsACookieByItsWholeName) {
  EXPECT_EQ(cookie("a=1; reach-session=xyz; b=2", "reach-session"), "xyz");
  EXPECT_EQ(cookie("reach-session=xyz", "reach-session"), "xyz");
  EXPECT_EQ(cookie("not-reach-session=xyz;reach-session2=q", "reach-session"), "");
  EXPECT_EQ(cookie("__Host-reach-session=xyz", "reach-session"), "");
  EXPECT_EQ(cookie("", "reach-session"), "");
  EXPECT_EQ(cookie("reach-session", "reach-session"), "");
}

TEST(Request, CountsAnAddressAsOneBrowser) {
  EXPECT_EQ(address_of("10.0.0.5", ""), "10.0.0.5");
  EXPECT_EQ(address_of("2001:db8:1:2:3:4:5:6", ""), "2001:db8:1:2::");
  EXPECT_EQ(address_of("::1", ""), "::1");
  EXPECT_EQ(address_of("127.0.0.1", "6.6.6.6, 10.0.0.5"), "10.0.0.5") << "what the browser claims comes before";
  EXPECT_EQ(address_of("127.0.0.1", "10.0.0.5"), "10.0.0.5");
  EXPECT_EQ(address_of("127.0.0.1", "203.0.113.9:40001 "), "203.0.113.9") << "a port is of no account";
  EXPECT_EQ(address_of("127.0.0.1", "[2001:db8:1:2:3::6]:40001"), "2001:db8:1:2::");
  EXPECT_EQ(address_of("127.0.0.1", "6.6.6.6, unknown"), "127.0.0.1");
  EXPECT_EQ(address_of("127.0.0.1", std::string(4000, 'x')), "127.0.0.1");
}

TEST(Request, TakesATicketOutOfAnAddress) {
  EXPECT_EQ(query_value("mode=tv&ticket=a-_b&lang=de", "ticket"), "a-_b");
  EXPECT_EQ(query_value("mode=tv&myticket=x", "ticket"), std::nullopt);
  EXPECT_EQ(query_without("mode=tv&ticket=a-_b&lang=de", "ticket"), "mode=tv&lang=de");
  EXPECT_EQ(query_without("ticket=a&ticket=b&&ticket", "ticket"), "");
  EXPECT_EQ(query_without("myticket=a", "ticket"), "myticket=a");
}

TEST(Request, PutsNoLineBreaksIntoTheLog) {
  EXPECT_EQ(for_log("a\nb\x7f"), "a b ");
  EXPECT_EQ(for_log(std::string(79, 'x') + "ü"), std::string(79, 'x') + "?") << "no half a character";
  EXPECT_EQ(for_log(std::string(100, 'x')).size(), 80U);
}

TEST(Request, WritesErrorsAsJsonWhateverIsInThem) {
  EXPECT_EQ(error_json("not_found", "no \"x\""), R"({"error":{"code":"not_found","message":"no \"x\""}})");
  EXPECT_NO_THROW((void)error_json("bad_request", "\xff"));
}

}  // namespace
}  // namespace reach::wallboard
