#include "probes/wire/fastcgi.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fastcgi_records.hpp"

namespace vitald::wire {
namespace {

using ::testing::HasSubstr;
using vitald::testing::fastcgi::end;
using vitald::testing::fastcgi::errors;
using vitald::testing::fastcgi::output;
using vitald::testing::fastcgi::record;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

std::string failure(const std::string& input, FastCgiLimits limits = {}) {
  FastCgiReader reader(limits);
  const auto fed = reader.feed(input);
  return fed ? "none" : fed.failure().what;
}

TEST(FastCgiRequest, IsTheOneOfTheSpecification) {
  const std::string begin = bytes({1, 1, 0, 1, 0, 8, 0, 0, /* responder, no flags */ 0, 1, 0, 0, 0, 0, 0, 0});
  const std::string params = bytes({1, 4, 0, 1, 0, 5, 0, 0, /* lengths */ 1, 2}) + "Abc";
  const std::string ends = bytes({1, 4, 0, 1, 0, 0, 0, 0}) + bytes({1, 5, 0, 1, 0, 0, 0, 0});
  EXPECT_EQ(fastcgi_request({{"A", "bc"}}), begin + params + ends);
}

TEST(FastCgiRequest, LongValuesHaveLongLengths) {
  const auto request = fastcgi_request({{"A", std::string(300, 'x')}});
  EXPECT_THAT(request, HasSubstr(bytes({1, 4, 0, 1, 1, 50, 0, 0, 1, 0x80, 0, 1, 44}) + "Axxx"));
  const auto split = fastcgi_request({{"A", std::string(70'000, 'x')}});
  EXPECT_THAT(split, HasSubstr(bytes({1, 4, 0, 1, 0xff, 0xff, 0, 0, 1, 0x80, 1, 0x11, 0x70}) + "Axxx"));
}

TEST(FastCgiReader, TakesAnAnswerInAnyPieces) {
  const std::string all = output("Content-Type: a/b\r\n\r\nhel", 5) + errors("a notice") + output("lo") + output("") +
                          end() + "what follows is not looked at";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    FastCgiReader reader;
    EXPECT_FALSE(reader.begun());
    ASSERT_TRUE(reader.feed(all.substr(0, cut)));
    ASSERT_TRUE(reader.feed(all.substr(cut)));
    EXPECT_EQ(reader.end(), FastCgiReader::End::complete) << cut;
    EXPECT_EQ(reader.output(), "Content-Type: a/b\r\n\r\nhello") << cut;
    EXPECT_EQ(reader.errors(), "a notice") << cut;
  }
}

TEST(FastCgiReader, TellsHowARequestEnded) {
  for (const auto& [status, wanted] : {std::pair(0, FastCgiReader::End::complete),
                                       {1, FastCgiReader::End::cannot_multiplex},
                                       {2, FastCgiReader::End::overloaded},
                                       {3, FastCgiReader::End::unknown_role}}) {
    FastCgiReader reader;
    ASSERT_TRUE(reader.feed(end(status)));
    EXPECT_EQ(reader.end(), wanted);
  }
  EXPECT_EQ(failure(end(4)), "the request ended with the unknown status 4");
}

TEST(FastCgiReader, RefusesWhatIsNoAnswer) {
  EXPECT_EQ(failure("HTTP/1.1 400 Bad Request"), "a record begins with the byte 72");
  EXPECT_EQ(failure(record(9, "")), "a record has the type 9, which is none of an answer");
  EXPECT_EQ(failure(bytes({1, 6, 0, 2, 0, 0, 0, 0})), "a record belongs to the request 2");
  EXPECT_EQ(failure(record(3, "short")), "the last record is cut");
}

TEST(FastCgiReader, KeepsItsLimits) {
  const FastCgiLimits limits{.output_bytes = 10, .error_bytes = 4, .all_bytes = 60};
  EXPECT_EQ(failure(output("0123456789") + output("a"), limits), "the answer has more than 10 bytes");
  EXPECT_EQ(failure(std::string(61, '\1'), limits), "the answer has more than 60 bytes");
  FastCgiReader reader(limits);
  ASSERT_TRUE(reader.feed(errors("abc") + errors("defg")));
  EXPECT_EQ(reader.errors(), "abcd");
}

TEST(CgiAnswer, HasAStatusAndABody) {
  const auto plain = cgi_answer("X-Powered-By: PHP\r\nContent-Type: a/b\r\n\r\n{}\n");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->status, 200);
  EXPECT_EQ(plain->body, "{}\n");
  const auto missing = cgi_answer("STATUS:  404 Not Found\nA: b\n\nFile not found.\n");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(missing->reason, "Not Found");
  EXPECT_EQ(missing->body, "File not found.\n");
  EXPECT_EQ(cgi_answer("\r\nbody")->body, "body");
}

TEST(CgiAnswer, IsRefusedWithoutAHeader) {
  EXPECT_EQ(cgi_answer("hello\n\n").failure().what, "the answer does not begin with a header");
  EXPECT_EQ(cgi_answer("").failure().what, "the answer ends within its header");
  EXPECT_EQ(cgi_answer("A: b\r\n").failure().what, "the answer ends within its header");
  for (const auto* status : {"Status: none\n\n", "Status: 99\n\n", "Status: 1000\n\n", "Status:\n\n"})
    EXPECT_EQ(cgi_answer(status).failure().what, "the status is no number") << status;
}

}  // namespace
}  // namespace vitald::wire
