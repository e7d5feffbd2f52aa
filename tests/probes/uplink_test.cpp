#include "probes/uplink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using namespace std::chrono_literals;

using ::testing::HasSubstr;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr auto heading = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
constexpr auto by_eth0 = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
constexpr auto local_only = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";

TEST(UplinkParse, TakesAnchorsWithTheirPorts) {
  EXPECT_TRUE(parse_yaml(uplink::parse, "{}").config.anchors.empty());
  const auto parsed = parse_yaml(uplink::parse, R"({ anchors: [ "192.0.2.1:53", "[2001:db8::1]:443" ], wait: 1s })");
  ASSERT_EQ(parsed.config.anchors.size(), 2u);
  EXPECT_EQ(parsed.config.anchors[1].text(), "[2001:db8::1]:443");
  EXPECT_EQ(parsed.config.wait, Duration(1s));
  EXPECT_THAT(parse_yaml(uplink::parse, "anchors: [ 192.0.2.1 ]").problems, HasSubstr("expected a host and a port"));
}

TEST(UplinkRoutes, AreThoseThatLeadAnywhere) {
  const auto routes = uplink::parse_routes(std::string(heading) + local_only + by_eth0 +
                                           "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
                                           "eth1\t00000000\t0101A8C0\t0203\t0\t0\t0\t00000000\t0\t0\t0\n"
                                           "garbage\n\neth2 00000000 xx 0003 0 0 0 00000000 0 0 0\n");
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0].gateway, "192.168.1.1");
  EXPECT_EQ(routes[1].interface, "ppp0");
  EXPECT_EQ(routes[1].gateway, "");
  const std::string zero(32, '0');
  const auto ipv6 = uplink::parse_ipv6_routes(zero + " 00 " + zero + " 00 fe800000000000000000000000000001 00000400 " +
                                              "00000001 00000000 00000003 eth0\n" + zero + " 00 " + zero + " 00 " +
                                              zero + " ffffffff 00000001 00000000 00200200 lo\n");
  ASSERT_EQ(ipv6.size(), 1u);
  EXPECT_EQ(ipv6[0].gateway, "fe80:0000:0000:0000:0000:0000:0000:0001");
}

struct UplinkTest : ::testing::Test {
  Observation once(const std::string& yaml) {
    around.network = &network;
    const auto config = parse_yaml(uplink::parse, yaml).config;
    return uplink::judge(config, around.run(uplink::run, config));
  }
  Surroundings around;
  FakeNetwork network;
};

TEST_F(UplinkTest, WithoutADefaultRouteItIsCutOff) {
  around.folder.write("/proc/net/route", std::string(heading) + local_only);
  const auto seen = once("{ anchors: [ '192.0.2.1:53' ] }");
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "no_default_route");
  EXPECT_TRUE(network.targets.empty()) << "nobody needs to be asked";
}

TEST_F(UplinkTest, ARouteNeedsALink) {
  around.folder.write("/proc/net/route", std::string(heading) + by_eth0);
  around.folder.write("/sys/class/net/eth0/carrier", "0\n");
  EXPECT_EQ(once("{}").summary, "eth0, which the default route needs, has no link");
  around.folder.write("/sys/class/net/eth0/carrier", "1\n");
  EXPECT_EQ(once("{}").summary, "eth0 via 192.168.1.1");
}

TEST_F(UplinkTest, OneAnchorThatAnswersIsEnoughAndARefusalIsAnAnswer) {
  around.folder.write("/proc/net/route", std::string(heading) + by_eth0);
  network.refuse({Outcome::refused, "connect_timeout", "no answer"});
  network.refuse({Outcome::refused, "connect_refused", "connection refused"});
  network.refuse({Outcome::refused, "no_route", "no route to the host"});
  const auto seen = once("{ anchors: [ '192.0.2.1:53', '192.0.2.2:53', '192.0.2.3:53' ] }");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "eth0 via 192.168.1.1, 1 of 3 anchors answer");
}

TEST_F(UplinkTest, AllAnchorsSilentMeansCutOff) {
  around.folder.write("/proc/net/route", std::string(heading) + by_eth0);
  network.refuse({Outcome::refused, "connect_timeout", "no answer"});
  network.refuse({Outcome::refused, "no_route", "no route to the host"});
  const auto seen = once("{ anchors: [ '192.0.2.1:53', '192.0.2.2:53' ] }");
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_EQ(seen.reason, "anchors_silent");
  EXPECT_EQ(seen.summary, "no anchor answers: 192.0.2.1:53, 192.0.2.2:53");
}

/// A network in which nobody ever answers, but for one.
struct Hanging final : net::Network {
  net::awaitable<std::unique_ptr<net::Stream>> connect(const net::Target& target, net::PhaseLog&) override {
    if (target.port == 1) throw ProbeFailure(Outcome::refused, "connect_refused", "connection refused");
    boost::asio::steady_timer never(co_await boost::asio::this_coro::executor, std::chrono::hours(1));
    co_await never.async_wait(boost::asio::use_awaitable);
    co_return nullptr;
  }
  net::awaitable<std::vector<std::string>> resolve(const net::Target&, net::PhaseLog&) override {
    co_return std::vector<std::string>();
  }
};

TEST_F(UplinkTest, SilenceEndsWithItsTime) {
  around.folder.write("/proc/net/route", std::string(heading) + by_eth0);
  Hanging hanging;
  around.network = &hanging;
  const auto config = parse_yaml(uplink::parse, "{ anchors: [ '192.0.2.1:2', '192.0.2.1:1' ], wait: 100ms }").config;
  const auto facts = around.run(uplink::run, config);
  ASSERT_EQ(facts.answers.size(), 2u);
  EXPECT_FALSE(facts.answers[0].alive);
  EXPECT_EQ(facts.answers[0].words, "no answer within 100 ms");
  EXPECT_TRUE(facts.answers[1].alive);
  around.loop.restart();
  around.loop.run();  // what was out has been ended: nothing holds the loop for an hour
}

}  // namespace
}  // namespace vitald::probes
