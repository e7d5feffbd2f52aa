#include "probes/postgres_relay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tests/support/probe_run.hpp"

namespace vitald::probes::postgres {
namespace {

using vitald::testing::StandingClock;

/// A connection whose far end is the test, as libpq would hold it.
struct PostgresRelay : ::testing::Test {
  PostgresRelay() {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    libpq = pair[0];
    far = pair[1];
    relay.attach(libpq);
    relay.allow(1000);
  }
  ~PostgresRelay() override {
    ::close(libpq);
    if (far >= 0) ::close(far);
  }
  static void write(int to, const std::string& text) {
    EXPECT_EQ(::send(to, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  /// What is there now; "(nothing)" where that is nothing and not the end.
  static std::string read(int from) {
    std::string text(4096, '\0');
    const auto size = ::recv(from, text.data(), text.size(), MSG_DONTWAIT);
    if (size < 0) return "(nothing)";
    text.resize(static_cast<std::size_t>(size));
    return text;
  }

  StandingClock clock;
  sql::Talk talk{clock, clock.now().steady + std::chrono::seconds(5)};
  Relay relay;
  int libpq = -1, far = -1;
};

TEST_F(PostgresRelay, CarriesBothWays) {
  write(libpq, "hello");
  EXPECT_EQ(read(far), "(nothing)");
  EXPECT_TRUE(relay.turn(Wanted::writing, talk));
  EXPECT_EQ(read(far), "hello");
  write(far, "welcome");
  EXPECT_EQ(read(libpq), "(nothing)");
  EXPECT_TRUE(relay.turn(Wanted::reading, talk));
  EXPECT_EQ(read(libpq), "welcome");
}

TEST_F(PostgresRelay, WhatIsWaitedForIsAskedFirst) {
  write(libpq, "question");
  write(far, "answer");
  EXPECT_TRUE(relay.turn(Wanted::reading, talk));
  EXPECT_EQ(read(far), "question");
}

TEST_F(PostgresRelay, TakesNoByteMoreThanIsAllowed) {
  relay.allow(10);
  write(far, "1234567890");
  EXPECT_TRUE(relay.turn(Wanted::reading, talk));
  write(far, "1");
  EXPECT_FALSE(relay.turn(Wanted::reading, talk));
  EXPECT_EQ(read(libpq), "1234567890");
  relay.allow(1);
  write(far, "2");
  EXPECT_TRUE(relay.turn(Wanted::reading, talk));
}

TEST_F(PostgresRelay, TheEndArrivesBehindTheLastWord) {
  write(far, "bye");
  ::close(far);
  far = -1;
  EXPECT_TRUE(relay.turn(Wanted::reading, talk));
  EXPECT_EQ(read(libpq), "bye");
  EXPECT_TRUE(relay.turn(Wanted::reading, talk));
  EXPECT_EQ(read(libpq), "");
  EXPECT_FALSE(relay.quiet());
}

TEST_F(PostgresRelay, IsQuietOnlyWhileNothingCame) {
  EXPECT_TRUE(relay.quiet());
  write(far, "terminating connection");
  EXPECT_FALSE(relay.quiet());
}

TEST_F(PostgresRelay, SeveringEndsTheWait) {
  talk.use(relay.server());
  talk.sever();
  EXPECT_TRUE(relay.turn(Wanted::reading, talk));
  EXPECT_EQ(read(libpq), "");
  talk.use(-1);
}

TEST_F(PostgresRelay, TheGoodbyeGoesWithoutAWait) {
  write(libpq, "X");
  relay.flush();
  EXPECT_EQ(read(far), "X");
}

}  // namespace
}  // namespace vitald::probes::postgres
