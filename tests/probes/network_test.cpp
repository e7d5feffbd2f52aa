#include "probes/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vitald::testing::find_evidence;
using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr auto heading =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier "
    "compressed\n";

struct NetworkTest : ::testing::Test {
  void add(const std::string& name, bool hardware, const std::string& flags, const std::string& state,
           const std::string& carrier, const std::string& speed = "") {
    lines += name + ": 1000 10 3 4 0 0 0 0 2000 20 5 6 0 0 0 0\n";
    around.folder.write("/proc/net/dev", heading + lines);
    set(name, flags, state, carrier, speed);
    if (hardware) around.folder.make("/sys/class/net/" + name + "/device");
  }
  void set(const std::string& name, const std::string& flags, const std::string& state, const std::string& carrier,
           const std::string& speed = "") const {
    const std::string folder = "/sys/class/net/" + name;
    around.folder.write(folder + "/flags", flags + "\n");
    around.folder.write(folder + "/operstate", state + "\n");
    around.folder.write(folder + "/carrier", carrier + "\n");
    around.folder.write(folder + "/speed", speed + "\n");
  }
  Observation once(const std::string& yaml = "{}") {
    const auto config = parse_yaml(network::parse, yaml).config;
    auto seen = network::judge(config, around.run(network::run, config));
    around.memory = seen.memory.value_or(around.memory);
    return seen;
  }
  static Labels of(const std::string& name) { return {{"interface", name}}; }

  Surroundings around;
  std::string lines = "    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n";
};

TEST(NetworkParse, TakesNamesOrNone) {
  EXPECT_TRUE(parse_yaml(network::parse, "{}").config.interfaces.empty());
  EXPECT_THAT(parse_yaml(network::parse, "interfaces: eth0").config.interfaces, ElementsAre("eth0"));
  EXPECT_THAT(parse_yaml(network::parse, "interfaces: [ eth0, bond0 ]").config.interfaces,
              ElementsAre("eth0", "bond0"));
  for (const auto* name : {"../../etc", "a/b", "'..'", "a-name-of-16-byte"}) {
    EXPECT_THAT(parse_yaml(network::parse, std::string("interfaces: ") + name).problems,
                HasSubstr("expected the name of an interface such as eth0"));
  }
  EXPECT_THAT(parse_yaml(network::parse, "{ interfaces: eth0, exclude: eth1 }").problems,
              HasSubstr("'exclude' is not possible with 'interfaces'"));
}

TEST(NetworkText, IsReadLineByLine) {
  const auto all = network::parse_net_dev(std::string(heading) +
                                          "  eth0:89094110 2649 1 2 0 0 0 0 126591 1709 3 4 0 0 0 0\n"
                                          "eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
                                          "broken: 1 2 3\nno colon 1\n");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].interface, "eth0");
  EXPECT_EQ(all[0].received, 89094110);
  EXPECT_EQ(all[0].receive_errors, 1);
  EXPECT_EQ(all[0].receive_drops, 2);
  EXPECT_EQ(all[0].sent, 126591);
  EXPECT_EQ(all[0].send_errors, 3);
  EXPECT_EQ(all[0].send_drops, 4);
  EXPECT_EQ(all[1].interface, "eth0:1");
}

TEST_F(NetworkTest, LooksAtTheHardwareAlone) {
  add("eth0", true, "0x1003", "up", "1", "1000");
  add("veth12", false, "0x1003", "up", "1", "10000");
  add("docker0", false, "0x1003", "down", "0");
  const auto seen = once();
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "up: eth0");
  EXPECT_EQ(find_sample_of(seen, "up", of("eth0")), 1);
  EXPECT_EQ(find_sample_of(seen, "speed", of("eth0")), 1000);
  EXPECT_EQ(find_sample_of(seen, "receive_errors", of("eth0")), 3);
  EXPECT_EQ(find_sample_of(seen, "receive_drops", of("eth0")), 4);
  EXPECT_EQ(find_sample_of(seen, "send_errors", of("eth0")), 5);
  EXPECT_EQ(find_sample_of(seen, "send_drops", of("eth0")), 6);
  EXPECT_EQ(find_sample_of(seen, "received", of("eth0")), 1000);
  EXPECT_EQ(find_sample_of(seen, "sent", of("eth0")), 2000);
  EXPECT_EQ(find_sample_of(seen, "up", of("veth12")), std::nullopt);
  EXPECT_EQ(find_sample_of(seen, "up", of("lo")), std::nullopt);
  EXPECT_EQ(find_evidence(seen, "eth0"), "up at 1000 Mbit/s, errors in 3 and out 5, drops in 4 and out 6");
}

TEST_F(NetworkTest, AnUnusedPortIsNoFaultButALostLinkIs) {
  add("eth0", true, "0x1003", "up", "1");
  add("eth1", true, "0x1003", "down", "0");
  EXPECT_EQ(once().outcome, Outcome::answered);
  set("eth0", "0x1003", "down", "0");
  auto seen = once();
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "no_link");
  EXPECT_EQ(seen.summary, "eth0 has no link");
  EXPECT_EQ(find_sample_of(seen, "up", of("eth0")), 0);
  EXPECT_EQ(once().outcome, Outcome::wrong) << "it is forgotten";
  set("eth0", "0x1002", "down", "");
  seen = once();
  EXPECT_EQ(seen.reason, "switched_off");
  EXPECT_EQ(seen.remedy, "run: ip link set eth0 up");
  EXPECT_EQ(once("exclude: eth0").outcome, Outcome::answered);
}

TEST_F(NetworkTest, NamedOnesMustBeThere) {
  add("eth0", true, "0x1003", "up", "1");
  add("tun0", false, "0x1003", "unknown", "1");
  EXPECT_EQ(once("interfaces: [ eth0, tun0 ]").summary, "up: eth0, tun0");
  set("tun0", "0x1003", "lowerlayerdown", "0");
  EXPECT_EQ(once("interfaces: [ eth0, tun0 ]").summary, "tun0 has no link (lowerlayerdown)");
  const auto seen = once("interfaces: [ eth0, eth7 ]");
  EXPECT_EQ(seen.reason, "no_interface");
  EXPECT_EQ(seen.summary, "there is no interface eth7");
}

TEST_F(NetworkTest, InAContainerThoseThatAreSwitchedOn) {
  add("eth0", false, "0x1003", "up", "1");
  add("ifb0", false, "0x82", "down", "");
  const auto seen = once();
  EXPECT_EQ(seen.summary, "up: eth0");
  EXPECT_EQ(find_sample_of(seen, "up", of("ifb0")), std::nullopt);
}

TEST_F(NetworkTest, ASpeedThatTheDriverDoesNotKnowIsNone) {
  add("eth0", true, "0x1003", "up", "1", "-1");
  EXPECT_EQ(find_sample_of(once(), "speed", of("eth0")), std::nullopt);
}

TEST_F(NetworkTest, WithoutAnInterfaceNothingIsMeasured) {
  around.folder.write("/proc/net/dev", heading + lines);
  EXPECT_EQ(once().reason, "no_interfaces");
  Surroundings bare;
  EXPECT_THROW(bare.run(network::run, network::Config{}), ProbeFailure);
}

TEST_F(NetworkTest, TheRowsAreBounded) {
  for (int i = 0; i < 100; ++i) add("eth" + std::to_string(i), true, "0x1003", "up", "1");
  EXPECT_EQ(around.run(network::run, network::Config{}).interfaces.size(), 48u);
}

TEST_F(NetworkTest, WorksOnThisHost) {
  around.host.root = "";
  EXPECT_NE(once().summary, "");
}

}  // namespace
}  // namespace vitald::probes
