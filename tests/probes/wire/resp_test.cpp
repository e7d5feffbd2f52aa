#include "probes/wire/resp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace vitald::wire {
namespace {

using ::testing::HasSubstr;

/// As one would write it, to compare trees in one line.
std::string show(const RespReply& reply) {
  switch (reply.type) {
    case RespReply::Type::status:
      return "+" + reply.text;
    case RespReply::Type::error:
      return "-" + reply.text;
    case RespReply::Type::integer:
      return std::to_string(reply.integer);
    case RespReply::Type::bulk:
      return "'" + reply.text + "'";
    case RespReply::Type::nil:
      return "nil";
    case RespReply::Type::array:
      break;
  }
  std::string text = "[";
  for (const auto& item : reply.items) text += (text.size() > 1 ? " " : "") + show(item);
  return text + "]";
}

struct Read {
  std::string replies;  // one after the other, blanks between them
  std::string failure;
};

Read read(const std::string& bytes, std::size_t piece, RespLimits limits = {}) {
  RespReader reader(limits);
  Read seen;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto fed = reader.feed(std::string_view(bytes).substr(at, piece));
    if (!fed) {
      seen.failure = fed.failure().what;
      return seen;
    }
    while (true) {
      const auto reply = reader.next();
      if (!reply) {
        seen.failure = reply.failure().what;
        return seen;
      }
      if (!*reply) break;
      seen.replies += (seen.replies.empty() ? "" : " ") + show(**reply);
    }
  }
  return seen;
}

const std::string every_kind =
    "+OK\r\n-ERR unknown command\r\n:-42\r\n$5\r\nhe\r\no\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n"
    "*3\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n+end\r\n+\r\n";
const std::string every_kind_shown = "+OK -ERR unknown command -42 'he\r\no' '' nil nil [] [1 ['a' []] +end] +";

TEST(Resp, WritesCommandsWithAnyBytes) {
  EXPECT_EQ(resp_command({"PING"}), "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(resp_command({"GET", std::string("a\r\n\0b", 5)}),
            std::string("*2\r\n$3\r\nGET\r\n$5\r\na\r\n\0b\r\n", 24));
}

TEST(Resp, ReadsEveryKindInPiecesOfEverySize) {
  for (std::size_t piece = 1; piece <= every_kind.size(); ++piece) {
    const auto seen = read(every_kind, piece);
    EXPECT_EQ(seen.failure, "") << piece;
    EXPECT_EQ(seen.replies, every_kind_shown) << piece;
  }
}

TEST(Resp, SplitInTwoAtEveryByte) {
  for (std::size_t cut = 1; cut < every_kind.size(); ++cut) {
    RespReader reader;
    ASSERT_TRUE(reader.feed(std::string_view(every_kind).substr(0, cut)));
    std::string seen;
    for (auto reply = reader.next(); *reply; reply = reader.next()) seen += show(**reply) + " ";
    ASSERT_TRUE(reader.feed(std::string_view(every_kind).substr(cut)));
    for (auto reply = reader.next(); *reply; reply = reader.next()) seen += show(**reply) + " ";
    EXPECT_EQ(seen, every_kind_shown + " ") << cut;
    EXPECT_TRUE(reader.idle()) << cut;
  }
}

TEST(Resp, TellsWhetherThePeerSaidMore) {
  RespReader reader;
  EXPECT_TRUE(reader.idle());
  ASSERT_TRUE(reader.feed("+PONG\r\n-ERR"));
  EXPECT_FALSE(reader.idle());
  ASSERT_TRUE(reader.next());
  EXPECT_FALSE(reader.idle());
  ASSERT_TRUE(reader.feed(" late\r\n"));
  ASSERT_TRUE(reader.next());
  EXPECT_TRUE(reader.idle());
}

TEST(Resp, NamesTheFirstWordOfAnError) {
  EXPECT_EQ((RespReply{.type = RespReply::Type::error, .text = "NOAUTH Authentication required."}).error_word(),
            "NOAUTH");
  EXPECT_EQ((RespReply{.type = RespReply::Type::error, .text = "ERR"}).error_word(), "ERR");
  EXPECT_EQ((RespReply{.type = RespReply::Type::status, .text = "OK then"}).error_word(), "");
}

struct Refused {
  const char* bytes;
  const char* what;
};

// Every header is refused on its own: nothing of what it announces has to come, in whatever pieces it came.
TEST(Resp, RefusesWhatIsOverALimitBeforeItComes) {
  const Refused cases[] = {
      {"*100000000\r\n", "a list of 100000000 entries"},
      {"*10001\r\n", "a list of 10001 entries"},
      {"*9223372036854775807\r\n", "a list of 9223372036854775807 entries"},
      {"*2\r\n+a\r\n*9999\r\n", "a list of 9999 entries"},
      {"*1\r\n*1\r\n*100000000\r\n", "a list of 100000000 entries"},
      {"$1048577\r\n", "a text of 1048577 bytes"},
      {"$2000000000\r\n", "a text of 2000000000 bytes"},
      {"*2\r\n:1\r\n$9223372036854775807\r\n", "a text of 9223372036854775807 bytes"},
      {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "nested too deeply"},
  };
  for (const auto& row : cases) {
    const std::string bytes = row.bytes;
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      const auto seen = read(bytes, piece);
      EXPECT_THAT(seen.failure, HasSubstr("the answer is too large")) << bytes << piece;
      EXPECT_THAT(seen.failure, HasSubstr(row.what)) << bytes << piece;
    }
  }
}

TEST(Resp, TakesWhatIsJustWithinTheLimits) {
  std::string list = "*10000\r\n";
  for (int i = 0; i < 10'000; ++i) list += ":7\r\n";
  EXPECT_EQ(read(list, 4096).failure, "");
  std::string nested;
  for (int i = 0; i < 7; ++i) nested += "*1\r\n";
  EXPECT_EQ(read(nested + "+x\r\n", 1).replies, "[[[[[[[+x]]]]]]]");
  const RespLimits small{.reply_bytes = 13, .items = 4};
  EXPECT_EQ(read("$6\r\nabcdef\r\n$6\r\nabcdef\r\n", 1, small).replies, "'abcdef' 'abcdef'");
  EXPECT_THAT(read("$8\r\nabcdefgh\r\n", 1, small).failure, HasSubstr("more than 13 bytes"));
}

TEST(Resp, RefusesTooManyBytesWithoutAnEnd) {
  const RespLimits small{.reply_bytes = 100};
  EXPECT_THAT(read("+" + std::string(200, 'x'), 1, small).failure, HasSubstr("more than 100 bytes"));
  EXPECT_THAT(read("-" + std::string(200, '\r'), 7, small).failure, HasSubstr("more than 100 bytes"));
  std::string list = "*50\r\n";
  for (int i = 0; i < 40; ++i) list += "+a\r\n";
  EXPECT_THAT(read(list, 3, small).failure, HasSubstr("more than 100 bytes"));
}

TEST(Resp, WhatNobodyTakesIsBoundedToo) {
  RespReader reader(RespLimits{.reply_bytes = 1000});
  const std::string many = std::string(1000, '+');
  std::string failure;
  for (int i = 0; i < 1000 && failure.empty(); ++i) {
    const auto fed = reader.feed(i == 0 ? "+OK\r\n+" : "more");
    if (!fed) failure = fed.failure().what;
    for (int j = 0; j < 100 && failure.empty(); ++j) {
      const auto again = reader.feed(many);
      if (!again) failure = again.failure().what;
    }
  }
  EXPECT_THAT(failure, HasSubstr("more came than was asked for"));
}

TEST(Resp, RefusesWhatIsNoRedis) {
  const Refused cases[] = {
      {"HTTP/1.1 400 Bad Request\r\n", "it begins with 'H'"},
      {"\x15\x03\x01", "this is TLS"},
      {"%2\r\n", "a type of RESP3"},
      {"\xff\xfe", "a byte that has no meaning"},
      {"*-2\r\n", "a length is negative"},
      {"$-2\r\n", "a length is negative"},
      {"*1x\r\n", "a length is no number"},
      {"$\r\n", "a length is no number"},
      {":\r\n", "a length is no number"},
      {":99999999999999999999\r\n", "a length is no number"},
      {"*00000000000000000000000000000000000000000000000000", "a length is no number"},
      {"$3\r\nabcd\r\n", "a text does not end where it should"},
      {"*1\r\nx", "it begins with 'x'"},
      {"$007\r\nabcdefg\r\n", "it cannot be parsed"},
  };
  for (const auto& row : cases) {
    const std::string bytes = row.bytes;
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      const auto seen = read(bytes, piece);
      EXPECT_THAT(seen.failure, HasSubstr("not the Redis protocol")) << bytes << piece;
      EXPECT_THAT(seen.failure, HasSubstr(row.what)) << bytes << piece;
    }
  }
}

TEST(Resp, AFailureIsForGood) {
  RespReader reader;
  EXPECT_FALSE(reader.feed("nonsense"));
  EXPECT_FALSE(reader.feed("+OK\r\n"));
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.idle());
}

TEST(Resp, RepliesBeforeTheBrokenOneAreStillTaken) {
  RespReader reader;
  ASSERT_TRUE(reader.feed("-ERR max number of clients reached\r\ngarbage"));
  const auto first = reader.next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->error_word(), "ERR");
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace vitald::wire
