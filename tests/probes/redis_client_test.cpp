#include "probes/redis_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::probes {
namespace {

using redis::Connection;
using ::testing::HasSubstr;
using ::testing::Not;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::Script;
using vitald::testing::ScriptedNetwork;
using vitald::testing::Surroundings;
using wire::resp_command;

Connection connection(const std::string& more = "{}") {
  const auto yaml = more == "{}" ? "address: 192.0.2.1:6379" : "address: 192.0.2.1:6379\n" + more;
  return parse_yaml(redis::read_connection, yaml).config;
}

/// Opens, asks one command and keeps the connection if the check wants it.
awaitable<std::string> converse(ProbeContext& context, const Connection& check) {
  auto client = co_await redis::open(context, check);
  const std::vector<redis::Command> commands(1, redis::Command{"DBSIZE"});
  const auto replies = co_await client->ask(commands, context.phases);
  redis::done(check, std::move(client));
  if (replies.front().is_error()) throw redis::failure_of(replies.front(), "DBSIZE");
  co_return std::to_string(replies.front().integer);
}

std::string run(net::Network& network, const Connection& check) {
  Surroundings around;
  around.network = &network;
  return around.run(converse, check);
}

/// What the server's pieces come to; "" where nothing fails.
ProbeFailure failure(const std::vector<std::string>& pieces, const Connection& check = connection()) {
  FakeNetwork network;
  network.answer(pieces);
  try {
    run(network, check);
  } catch (const ProbeFailure& caught) {
    return caught;
  }
  return ProbeFailure(Outcome::answered, "", "nothing failed");
}

const std::string ping = resp_command({"PING"});
const std::string dbsize = resp_command({"DBSIZE"});

TEST(RedisConnection, ReadsItsOptions) {
  const auto all = connection("user: vitald\npassword: hunter22\ndatabase: 3\ntls: true\nkeep_connection: true");
  EXPECT_EQ(all.where.text(), "192.0.2.1:6379");
  EXPECT_EQ(all.user, "vitald");
  EXPECT_EQ(*all.password->reveal(), "hunter22");
  EXPECT_EQ(all.database, 3);
  EXPECT_TRUE(all.where.tls);
  EXPECT_TRUE(all.kept);
  EXPECT_FALSE(connection().kept);
  EXPECT_EQ(parse_yaml(redis::read_connection, "socket: /run/redis.sock").config.target(), "/run/redis.sock");
  EXPECT_THAT(parse_yaml(redis::read_connection, "{}").problems, HasSubstr("either 'address' or 'socket'"));
  EXPECT_THAT(parse_yaml(redis::read_connection, "{ address: 'a:1', socket: /x }").problems, HasSubstr("either"));
  EXPECT_THAT(parse_yaml(redis::read_connection, "{ address: 'a:1', user: x }").problems, HasSubstr("needs a 'passw"));
  EXPECT_THAT(parse_yaml(redis::read_connection, "{ address: 'a:1', database: -1 }").problems, HasSubstr("database"));
}

TEST(RedisClient, LogsInWithOneWriteAndAsks) {
  const auto check = connection("user: vitald\npassword: hunter22\ndatabase: 3");
  const auto script = Script()
                          .expect(resp_command({"AUTH", "vitald", "hunter22"}))
                          .expect(resp_command({"SELECT", "3"}))
                          .expect(ping)
                          .reply("+OK\r\n+OK\r\n+PO")
                          .reply("NG\r\n")
                          .expect(dbsize)
                          .reply(":4")
                          .reply("2\r\n");
  const int steps = vitald::testing::fails_at_every_step({script}, [&](ScriptedNetwork& network) {
    return [](ScriptedNetwork& on, const Connection& with) -> awaitable<void> {
      Surroundings around;
      around.network = &on;
      auto context = around.context();
      const auto size = co_await converse(context, with);
      EXPECT_EQ(size, "42");
    }(network, check);
  });
  EXPECT_EQ(steps, 7);  // connect, write, two reads, write, two reads
}

TEST(RedisClient, RepliesMayBeSplitAtEveryByte) {
  const std::string replies = "+PONG\r\n:7\r\n";
  for (std::size_t cut = 1; cut < replies.size(); ++cut) {
    FakeNetwork network;
    network.answer({replies.substr(0, cut), replies.substr(cut)});
    EXPECT_EQ(run(network, connection()), "7") << cut;
  }
}

struct Said {
  const char* reply;
  Outcome outcome;
  const char* reason;
};

TEST(RedisClient, TellsWhatPingIsAnswered) {
  const Said cases[] = {
      {"-NOAUTH Authentication required.", Outcome::unmeasured, "no_password"},
      {"-LOADING Redis is loading the dataset in memory", Outcome::wrong, "loading"},
      {"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", Outcome::wrong,
       "masterdown"},
      {"-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", Outcome::wrong,
       "busy"},
      {"-ERR max number of clients reached", Outcome::refused, "too_many_clients"},
      {"-DENIED Redis is running in protected mode because protected mode is enabled", Outcome::unmeasured,
       "protected_mode"},
      {"-READONLY You can't write against a read only replica.", Outcome::wrong, "readonly"},
      {"-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
       Outcome::wrong, "save_failed"},
      {"-MISCONF Errors writing to the AOF file: No space left on device", Outcome::wrong, "aof_failed"},
      {"-OOM command not allowed when used memory > 'maxmemory'.", Outcome::wrong, "out_of_memory"},
      {"-CLUSTERDOWN The cluster is down", Outcome::wrong, "cluster_down"},
      {"-MOVED 3999 192.0.2.2:6381", Outcome::unmeasured, "moved"},
      {"-WRONGTYPE Operation against a key holding the wrong kind of value", Outcome::unmeasured, "wrong_type"},
      {"-ERR unknown command 'PING', with args beginning with:", Outcome::unmeasured, "unknown_command"},
      {"-ERR Protocol error: unbalanced quotes in request", Outcome::wrong, "error_reply"},
      {"+HELLO", Outcome::wrong, "bad_reply"},
      {"$4\r\nPONG", Outcome::wrong, "bad_reply"},
      {"*1\r\n+PONG", Outcome::wrong, "bad_reply"},
      {"HTTP/1.1 400 Bad Request", Outcome::wrong, "bad_reply"},
      {"*100000000", Outcome::wrong, "bad_reply"},
  };
  for (const auto& row : cases) {
    const auto seen = failure({std::string(row.reply) + "\r\n"});
    EXPECT_EQ(seen.reason, row.reason) << row.reply << ": " << seen.what();
    EXPECT_EQ(seen.outcome, row.outcome) << row.reply;
  }
}

TEST(RedisClient, TellsWhyTheLoginFailed) {
  const auto with_password = connection("password: hunter22\ndatabase: 3");
  const std::string noauth = "-NOAUTH Authentication required.\r\n";
  const Said cases[] = {
      {"-WRONGPASS invalid username-password pair or user is disabled.", Outcome::unmeasured, "wrong_password"},
      {"-ERR invalid password", Outcome::unmeasured, "wrong_password"},
      {"-ERR AUTH <password> called without any password configured for the default user. Are you sure?",
       Outcome::unmeasured, "password_not_wanted"},
      {"-ERR Client sent AUTH, but no password is set", Outcome::unmeasured, "password_not_wanted"},
      {"-ERR wrong number of arguments for 'auth' command", Outcome::unmeasured, "user_not_known"},
  };
  for (const auto& row : cases) {
    const auto seen = failure({std::string(row.reply) + "\r\n" + noauth + noauth}, with_password);
    EXPECT_EQ(seen.reason, row.reason) << row.reply << ": " << seen.what();
    EXPECT_EQ(seen.outcome, row.outcome) << row.reply;
    EXPECT_NE(seen.remedy, "") << row.reply;
  }
  const auto select = failure({"+OK\r\n-ERR DB index is out of range\r\n+PONG\r\n"}, with_password);
  EXPECT_EQ(select.reason, "wrong_database");
  EXPECT_STREQ(select.what(), "SELECT 3: Redis has no database of that number");
  EXPECT_EQ(failure({"+OK\r\n-ERR SELECT is not allowed in cluster mode\r\n+PONG\r\n"}, with_password).reason,
            "wrong_database");
  EXPECT_EQ(
      failure({"+OK\r\n-NOPERM this user has no permissions to run the 'select' command\r\n+PONG\r\n"}, with_password)
          .reason,
      "no_permission");
}

TEST(RedisClient, TheServersLastWordCountsAlthoughItClosed) {
  const auto check = connection("password: hunter22\ndatabase: 3");
  const auto seen = failure({"-ERR max number of clients reached\r\n"}, check);
  EXPECT_EQ(seen.reason, "too_many_clients");
  EXPECT_EQ(seen.outcome, Outcome::refused);
}

/// Refuses every write as a socket does whose peer is gone; what the peer said before is there to read.
class Refusing final : public net::Network {
 public:
  net::awaitable<std::unique_ptr<net::Stream>> connect(const net::Target&, net::PhaseLog&) override {
    co_return std::make_unique<Gone>();
  }
  net::awaitable<std::vector<std::string>> resolve(const net::Target&, net::PhaseLog&) override {
    co_return std::vector<std::string>();
  }

 private:
  struct Gone final : net::Stream {
    net::awaitable<void> write(std::string_view) override {
      throw ProbeFailure(Outcome::refused, "connection_reset", "write to x: the other side has closed the connection");
      co_return;
    }
    net::awaitable<std::size_t> read_some(std::span<char> into) override {
      const std::string last = "-ERR max number of clients reached\r\n";
      if (said) co_return 0;
      said = true;
      std::copy(last.begin(), last.end(), into.begin());
      co_return last.size();
    }
    const std::string& peer() const override { return name; }
    std::string name = "x";
    bool said = false;
  };
};

TEST(RedisClient, TheServersLastWordIsReadAfterARefusedWrite) {
  Refusing network;
  try {
    run(network, connection("password: hunter22"));
    FAIL() << "nothing failed";
  } catch (const ProbeFailure& caught) {
    EXPECT_EQ(caught.reason, "too_many_clients") << caught.what();
  }
}

TEST(RedisClient, HintsAtTlsWhereThePeerIsSilent) {
  const auto closed = failure({});
  EXPECT_EQ(closed.reason, "closed_early");
  EXPECT_THAT(closed.remedy, HasSubstr("set tls: true"));
  EXPECT_THAT(closed.what(), HasSubstr("(perhaps it expects TLS)"));
  const auto alert = failure({std::string("\x15\x03\x01\x00\x02\x02\x46", 7)});
  EXPECT_EQ(alert.reason, "bad_reply");
  EXPECT_THAT(alert.what(), HasSubstr("this is TLS"));
  EXPECT_THAT(alert.remedy, HasSubstr("set tls: true"));
  EXPECT_THAT(failure({"+PONG\r\n"}).remedy, Not(HasSubstr("tls")));
}

// Redis 7 itself repeats the arguments of a command that it does not know (rename-command AUTH).
TEST(RedisClient, APasswordThatTheServerRepeatsIsStruckOut) {
  const auto check = connection("password: hunter22");
  for (const auto* text : {"-ERR hunter22 is it, is it not hunter22?\r\n", "-hunter22 hunter22\r\n"}) {
    const auto seen = failure({text, "+PONG\r\n"}, check);
    EXPECT_THAT(seen.what(), Not(HasSubstr("hunter22")));
    EXPECT_THAT(seen.what(), HasSubstr("***"));
  }
}

TEST(RedisClient, KeepsTheConnectionAndAsksWhetherItStillAnswers) {
  const auto check = connection("keep_connection: true");
  boost::asio::io_context loop;
  const auto script = Script()
                          .expect(ping)
                          .reply("+PONG\r\n")
                          .expect(dbsize)
                          .reply(":1\r\n")
                          .expect(ping)
                          .reply("+PONG\r\n")
                          .expect(dbsize)
                          .reply(":2\r\n");
  ScriptedNetwork network(loop, {script});
  EXPECT_EQ(run(network, check), "1");
  EXPECT_EQ(run(network, check), "2");
  EXPECT_EQ(network.targets.size(), 1u);
}

TEST(RedisClient, OpensAnewWhereTheKeptConnectionHasDied) {
  const auto check = connection("keep_connection: true");
  for (const auto* last : {"", "-LOADING Redis is loading the dataset in memory\r\n", "nonsense"}) {
    FakeNetwork network;
    network.answer({"+PONG\r\n", ":1\r\n", last});
    network.answer({"+PONG\r\n", ":2\r\n"});
    EXPECT_EQ(run(network, check), "1");
    EXPECT_EQ(run(network, check), "2") << last;
    EXPECT_EQ(network.targets.size(), 2u);
    check.kept->take();
  }
}

TEST(RedisClient, DoesNotKeepAConnectionThatSaidTooMuch) {
  const auto check = connection("keep_connection: true");
  FakeNetwork network;
  network.answer({"+PONG\r\n", ":1\r\n+and more\r\n"});
  EXPECT_EQ(run(network, check), "1");
  EXPECT_EQ(check.kept->take(), nullptr);
}

TEST(RedisClient, AUserThatMayNotPingIsLetThrough) {
  FakeNetwork network;
  network.answer({"-NOPERM this user has no permissions to run the 'ping' command\r\n", ":3\r\n"});
  EXPECT_EQ(run(network, connection()), "3");
}

TEST(RedisClient, ASecretThatIsNotThereIsOurs) {
  auto check = connection();
  check.password = Secret(Secret::Source::file, "/etc/vitald/absent");
  FakeNetwork network;
  network.answer({});
  try {
    run(network, check);
    FAIL() << "nothing failed";
  } catch (const ProbeFailure& caught) {
    EXPECT_EQ(caught.outcome, Outcome::unmeasured);
    EXPECT_EQ(caught.reason, "secret_missing:/etc/vitald/absent");
  }
  EXPECT_TRUE(network.targets.empty());
}

}  // namespace
}  // namespace vitald::probes
