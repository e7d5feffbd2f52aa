#include "probes/wire/amp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/pm2.hpp"
#include "tests/support/amp_messages.hpp"

namespace vitald::wire {
namespace {

using ::testing::HasSubstr;
using vitald::testing::amp_message;

TEST(Amp, AMessageComesInWhateverPieces) {
  const std::string bytes = amp_message({R"(j:{"args":[]})", "s:v:0", ""});
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    AmpReader reader(100);
    std::size_t messages = 0;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.feed(std::string_view(bytes).substr(at, piece));
      auto message = reader.next();
      ASSERT_TRUE(message);
      if (!*message) continue;
      messages += 1;
      ASSERT_EQ((*message)->size(), 3u);
      EXPECT_EQ((*message)->json(0), R"({"args":[]})");
      EXPECT_EQ((*message)->argument(1), "s:v:0");
      EXPECT_EQ((*message)->argument(2), "");
      EXPECT_FALSE((*message)->json(1));
      EXPECT_FALSE((*message)->json(3));
    }
    EXPECT_EQ(messages, 1u);
    EXPECT_EQ(reader.held(), 0u);
  }
}

TEST(Amp, WhatFollowsAMessageIsTheNext) {
  AmpReader reader(100);
  reader.feed(amp_message({"s:a"}) + amp_message({"s:b", "s:c"}) + "\x11");
  EXPECT_EQ((**reader.next()).argument(0), "s:a");
  EXPECT_EQ((**reader.next()).argument(1), "s:c");
  EXPECT_FALSE(*reader.next());
  EXPECT_EQ(reader.held(), 1u);
}

TEST(Amp, WhatIsNoneIsToldFromItsFirstByte) {
  for (const auto* bytes : {"HTTP/1.1 400 Bad Request", "\x22", "\x02", "\x10"}) {
    AmpReader reader(100);
    reader.feed(bytes);
    EXPECT_FALSE(reader.next()) << bytes;
  }
}

TEST(Amp, ALengthOverTheLimitIsRefusedBeforeItsBytesAreHere) {
  const std::vector<std::string> lengths{"\xff\xff\xff\xff", std::string("\0\0\0\x5f", 4),
                                         std::string("\0\0\0\x60", 4)};
  for (const std::string& length : lengths) {
    AmpReader reader(100);
    reader.feed("\x11" + length);
    const auto message = reader.next();
    if (length.back() == '\x5f') {
      EXPECT_TRUE(message);  // 1 + 4 + 95 bytes are 100
    } else {
      ASSERT_FALSE(message);
      EXPECT_THAT(message.failure().what, HasSubstr("longer than"));
    }
  }
}

TEST(Amp, TheRequestIsWellFormed) {
  AmpReader reader(100);
  reader.feed(probes::pm2::request);
  const auto message = reader.next();
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->json(0), R"({"type":"call","method":"getMonitorData","args":[{}]})");
  EXPECT_EQ((*message)->argument(1), "s:v:0");
  EXPECT_EQ(reader.held(), 0u);
}

}  // namespace
}  // namespace vitald::wire
