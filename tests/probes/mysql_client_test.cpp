#include "probes/mysql_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes::mysql {
namespace {

using ::testing::HasSubstr;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr auto parse = [](config::Reader& in) { return read_connection(in); };

TEST(MySqlClient, TakesAnAddressOrASocket) {
  const auto tcp = parse_yaml(parse, "{ address: 'db:3306', user: m, password: { env: P }, database: shop }");
  EXPECT_EQ(tcp.problems, "");
  EXPECT_EQ(tcp.config.target(), "db:3306");
  EXPECT_EQ(tcp.config.database, "shop");
  EXPECT_TRUE(tcp.config.password);
  EXPECT_FALSE(tcp.config.kept);
  const auto local = parse_yaml(parse, "{ socket: /tmp/mysql.sock, user: m, keep_connection: true }");
  EXPECT_EQ(local.problems, "");
  EXPECT_EQ(local.config.target(), "/tmp/mysql.sock");
  EXPECT_TRUE(local.config.kept);
}

TEST(MySqlClient, SaysWhatDoesNotFitTogether) {
  const std::pair<const char*, const char*> cases[] = {
      {"{ user: m }", "needs either 'address' or 'socket'"},
      {"{ address: 'a:1', socket: /x, user: m }", "needs either 'address' or 'socket'"},
      {"{ address: 'a:1' }", "user"},
      {"{ socket: /x, user: m, tls: true }", "not possible with 'socket'"},
      {"{ address: 'a,b:1', user: m }", "expected one host"},
      {"{ address: 'a:1', user: m, tls: { server_name: b } }", "write address: b:1"},
      {"{ address: 'a:1', user: m, tls: true, ip_protocol: ipv6 }", "not possible with a verified 'tls'"},
  };
  for (const auto& [yaml, words] : cases) EXPECT_THAT(parse_yaml(parse, yaml).problems, HasSubstr(words)) << yaml;
  // The library copies the path into 108 bytes without looking.
  EXPECT_NE(parse_yaml(parse, "{ user: m, socket: /" + std::string(107, 'x') + " }").problems, "");
  EXPECT_EQ(parse_yaml(parse, "{ user: m, socket: /" + std::string(106, 'x') + " }").problems, "");
}

/// What a login over a socket that is not there fails of, when the network then says this.
std::string failure_of(Surroundings& around, FakeNetwork& network) {
  around.network = &network;
  const auto parsed = parse_yaml(parse, "{ user: m, socket: " + around.folder.path() + "/none.sock }");
  bool asked = false;
  const auto run = [&](ProbeContext& context, const Connection& connection) -> awaitable<void> {
    sql::Questions ask = [&asked](sql::Session&, sql::Talk&) { asked = true; };
    co_await with_session(context, connection, std::move(ask));
  };
  try {
    around.run(run, parsed.config);
  } catch (const ProbeFailure& failure) {
    EXPECT_FALSE(asked);
    return failure.reason;
  }
  return "";
}

TEST(MySqlClient, AsksTheNetworkWhyNobodyIsThere) {
  Surroundings around;
  FakeNetwork network;
  network.refuse(ProbeFailure(Outcome::refused, "socket_missing", "there is no socket"));
  EXPECT_EQ(failure_of(around, network), "socket_missing");
  ASSERT_EQ(network.targets.size(), 1u);
  EXPECT_THAT(network.targets.front().unix_path, HasSubstr("none.sock"));
  EXPECT_EQ(around.workers.keys, std::vector<std::string>{network.targets.front().unix_path});
}

TEST(MySqlClient, StandsByItsFirstAnswerWhereSomebodyCameInTheMeantime) {
  Surroundings around;
  FakeNetwork network;
  network.answer({});
  EXPECT_EQ(failure_of(around, network), "connect_failed");
  EXPECT_EQ(network.sent, "");
}

}  // namespace
}  // namespace vitald::probes::mysql
