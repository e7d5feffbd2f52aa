#include "daemon/discover.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "config/document.hpp"
#include "probes/probe.hpp"

namespace vitald::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view mounts =
    "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
    "23 22 0:21 / /proc rw,nosuid shared:2 - proc proc rw\n"
    "30 22 254:2 / /var/lib/my\\040sql rw,relatime shared:3 - xfs /dev/vdb rw\n"
    "31 22 254:2 / /mnt/the-same-device-again rw,relatime shared:3 - xfs /dev/vdb rw\n"
    "32 22 254:1 /etc/hosts /etc/hosts rw,relatime - ext4 /dev/vda1 rw\n"
    "33 22 0:44 / /mnt/share rw,relatime - nfs4 server:/share rw\n"
    "garbage\n";

TEST(Listeners, AreSocketsInStateListenWithAnAddressThatAProbeReaches) {
  constexpr std::string_view table =
      "  sl  local_address rem_address   st tx_queue\n"
      "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000\n"
      "   1: 0500000A:0050 00000000:0000 0A 00000000:00000000\n"
      "   2: 0100007F:0CEA 0100007F:ABCD 01 00000000:00000000\n";
  const std::vector<Listener> found = parse_listeners(table, false);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].address, "10.0.0.5");
  EXPECT_EQ(found[0].port, 80);
  EXPECT_EQ(found[1].address, "127.0.0.1");
  EXPECT_EQ(found[1].port, 8080);
}

TEST(Listeners, OfIpv6AreKnownByTheirLoopbackAndAnyAddress) {
  constexpr std::string_view table =
      "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0\n"
      "   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 0\n"
      "   2: 000080FE00000000FF005450B6AD1DFE:0052 00000000000000000000000000000000:0000 0A 0\n";
  const std::vector<Listener> found = parse_listeners(table, true);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].address, "127.0.0.1");
  EXPECT_EQ(found[1].address, "::1");
}

TEST(TlsSites, AreServerBlocksWithANameAndTls) {
  constexpr std::string_view text = R"(
    # server { listen 443 ssl; server_name commented.example.com; }
    http {
      server { listen 80; server_name plain.example.com; }
      server {
        listen [::]:443 ssl http2;
        listen 10.0.0.1:8443 ssl;
        server_name shop.example.com "www.shop.example.com" *.wild.example.com ~^re\.example\.com$ _;
        location / { server_name inner.example.com; return 200 "{ ; }"; }
      }
      server { server_name early.example.com; listen 127.0.0.1 ssl; }
    })";
  EXPECT_THAT(tls_sites(text), ElementsAre(TlsSite{"shop.example.com", 443}, TlsSite{"shop.example.com", 8443},
                                           TlsSite{"www.shop.example.com", 443}, TlsSite{"www.shop.example.com", 8443},
                                           TlsSite{"early.example.com", 443}));
}

TEST(TlsSites, OfBrokenTextAreNone) {
  EXPECT_THAT(tls_sites("server { listen 443 ssl; server_name a.example.com"), IsEmpty());
  EXPECT_THAT(tls_sites("}}}} server \" { ; '"), IsEmpty());
}

HostFacts some_host() {
  HostFacts facts;
  facts.host_name = "web-1";
  facts.mountinfo = mounts;
  facts.has_swap = true;
  facts.listeners = {{"127.0.0.1", 22},   {"127.0.0.1", 80, 200},  {"::1", 8081, 401}, {"127.0.0.1", 443, 400, true},
                     {"127.0.0.1", 4000}, {"127.0.0.1", 9642, 200}};
  facts.nginx = {"server { listen 443 ssl; server_name shop.example.com; }"};
  return facts;
}

std::vector<std::string> check_names(const std::string& yaml) {
  config::Problems problems;
  const config::Node document = config::parse_text(yaml, "starter.yaml", problems);
  for (const config::Problem& problem : problems.all()) ADD_FAILURE() << problem.text() << "\n" << yaml;
  std::vector<std::string> names;
  const config::Node* checks = document.find("checks");
  if (checks == nullptr) return names;
  for (const config::Node::Member& member : checks->members) names.push_back(member.key);
  return names;
}

TEST(StarterConfiguration, HoldsOneCheckForEachThingFound) {
  const std::string yaml = starter_configuration(some_host(), {});
  EXPECT_THAT(check_names(yaml), ElementsAre("root-fs", "fs-mnt-share", "fs-var-lib-my-sql", "memory", "http-80",
                                             "http-8081", "ssh", "tls-shop.example.com"));
  EXPECT_THAT(yaml, HasSubstr("url: \"http://[::1]:8081/\"\n    expect: { status: 401 }"));
  EXPECT_THAT(yaml, HasSubstr("swap_used"));
  EXPECT_THAT(yaml, HasSubstr("instance: \"web-1\"\n"));
}

TEST(StarterConfiguration, WatchesTheUplinkWhereThereIsADefaultRoute) {
  HostFacts facts = some_host();
  facts.has_default_route = true;
  EXPECT_THAT(starter_configuration(facts, {}), HasSubstr("  uplink:\n    probe: uplink\n    severity: P1\n"));
}

TEST(StarterConfiguration, SaysWhichProbeSeesMoreOfAService) {
  HostFacts facts;
  facts.host_name = "db-1";
  facts.listeners = {{"127.0.0.1", 22}, {"127.0.0.1", 5432}};
  const std::string yaml = starter_configuration(facts, {});
  EXPECT_THAT(yaml, HasSubstr("  # 'probe: postgres' sees more of it, with an account of its own: "
                              "docs/probes/postgres.md\n  postgresql:\n    probe: tcp\n"));
  EXPECT_THAT(yaml, ::testing::Not(HasSubstr("probe: ssh")));
}

TEST(StarterConfiguration, WatchesWhatSystemdKeepsRunning) {
  HostFacts facts;
  facts.keepers = {.systemd = true, .units = {"nginx.service", "vertex-queue.service"}, .pm2_homes = {}};
  const std::string yaml = starter_configuration(facts, {});
  EXPECT_THAT(check_names(yaml), ElementsAre("memory", "any-failed-unit", "unit-nginx", "unit-vertex-queue"));
  EXPECT_THAT(yaml, HasSubstr("    probe: systemd\n    failed: any\n"));
  EXPECT_THAT(yaml, HasSubstr("    probe: systemd\n    unit: \"vertex-queue.service\"\n    severity: P1\n"));
}

TEST(StarterConfiguration, ProposesNoKindThatThereIsNot) {
  HostFacts facts;
  facts.counts_oom_kills = true;
  facts.keepers = {.units = {}, .supervisor = true, .pm2_homes = {"/home/deploy/.pm2"}};
  const std::string yaml = starter_configuration(facts, {});
  for (const char* kind : {"pm2", "supervisor", "oom"}) {
    const bool proposed = yaml.find("probe: " + std::string(kind) + "\n") != std::string::npos;
    EXPECT_EQ(proposed, probes::find_probe(kind) != nullptr) << kind;
  }
}

TEST(Keepers, AreFoundByTheirFiles) {
  std::string name = "/tmp/vitald-keepers-XXXXXX";
  const std::filesystem::path root = mkdtemp(name.data());
  EXPECT_FALSE(find_keepers(root).systemd);
  const auto wants = root / "etc/systemd/system/multi-user.target.wants";
  for (const auto& folder : {root / "run/systemd/system", wants, root / "home/deploy/.pm2", root / "home/other"}) {
    std::filesystem::create_directories(folder);
  }
  const auto enable = [&](const std::string& unit, const std::string& folder) {
    std::filesystem::create_symlink(folder + unit, wants / unit);
  };
  enable("nginx.service", "/lib/systemd/system/");
  enable("e2scrub_reap.service", "/lib/systemd/system/");
  enable("vertex-queue.service", "/etc/systemd/system/");
  enable("worker@.service", "/etc/systemd/system/");
  enable("vitald.service", "/etc/systemd/system/");
  enable("remote-fs.target", "/lib/systemd/system/");
  std::ofstream(root / "run/supervisor.sock");
  std::ofstream(root / "home/deploy/.pm2/rpc.sock");
  const Keepers found = find_keepers(root);
  EXPECT_TRUE(found.systemd);
  EXPECT_THAT(found.units, ElementsAre("nginx.service", "vertex-queue.service"));
  EXPECT_TRUE(found.supervisor);
  EXPECT_THAT(found.pm2_homes, ElementsAre("/home/deploy/.pm2"));
  std::filesystem::remove_all(root);
}

TEST(StarterConfiguration, OfABareHostWatchesDiskAndMemory) {
  HostFacts facts;
  facts.mountinfo = "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n";
  const std::string yaml = starter_configuration(facts, {"", 9700, "/tmp/a \"b\"", ""});
  EXPECT_THAT(check_names(yaml), ElementsAre("root-fs", "memory"));
  EXPECT_THAT(yaml, HasSubstr("listen: { http: \"127.0.0.1:9700\" }"));
  EXPECT_THAT(yaml, HasSubstr(R"(state: "/tmp/a \"b\"")"));
  EXPECT_THAT(yaml, Not(HasSubstr("runtime:")));
  EXPECT_THAT(yaml, Not(HasSubstr("swap_used")));
}

TEST(StarterConfiguration, KeepsNamesThatComeOutEqualApart) {
  HostFacts facts;
  facts.mountinfo = "1 0 1:1 / / rw - ext4 a rw\n2 0 1:2 / /a/b rw - ext4 b rw\n3 0 1:3 / /a-b rw - ext4 c rw\n";
  EXPECT_THAT(check_names(starter_configuration(facts, {})), ElementsAre("root-fs", "fs-a-b", "fs-a-b-2", "memory"));
}

/// Listens on a free loopback port and gives one answer to one caller.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    // The kernel's own choice would lie in the range that discovery passes over, so look below it.
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (port_ = 20000; port_ < 30000; ++port_) {
      address.sin_port = htons(port_);
      if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) break;
    }
    listen(socket_, 1);
    thread_ = std::thread([this, text = std::move(answer)] {
      const int caller = accept(socket_, nullptr, nullptr);
      if (caller < 0) return;
      char question[512];
      if (recv(caller, question, sizeof question, 0) > 0) send(caller, text.data(), text.size(), MSG_NOSIGNAL);
      close(caller);
    });
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;
  ~OneAnswer() {
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    close(socket_);
  }

  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// A root folder of a host with one listener.
class FakeHost {
 public:
  FakeHost() {
    std::string name = "/tmp/vitald-discover-XXXXXX";
    root_ = mkdtemp(name.data());
    std::filesystem::create_directories(root_ / "proc/self");
    std::filesystem::create_directories(root_ / "proc/net");
    std::filesystem::create_directories(root_ / "etc/nginx/sites-enabled");
    write("proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;
  ~FakeHost() { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const { std::ofstream(root_ / path) << text; }
  void listens(std::uint16_t port) const {
    char line[80];
    std::snprintf(line, sizeof line, "0: 0100007F:%04X 00000000:0000 0A\n", static_cast<unsigned>(port));
    write("proc/net/tcp", line);
  }
  DiscoverOptions options() const { return {root_.string(), 9642, "", ""}; }

 private:
  std::filesystem::path root_;
};

TEST(CollectFacts, AsksAListenerForItsFrontPage) {
  const OneAnswer server("HTTP/1.1 503 Service Unavailable\r\n\r\n");
  const FakeHost host;
  host.listens(server.port());
  std::filesystem::create_directories(host.options().root + "/proc/sys/kernel");
  host.write("proc/sys/kernel/hostname", "web-1\n");
  host.write("proc/swaps", "Filename Type Size\n/dev/vda2 partition 100\n");
  host.write("etc/nginx/sites-enabled/shop", "server { listen 443 ssl; server_name shop.example.com; }");
  const HostFacts facts = collect_facts(host.options());
  ASSERT_EQ(facts.listeners.size(), 1u);
  EXPECT_EQ(facts.listeners[0].http_status, 503);
  EXPECT_FALSE(facts.listeners[0].tls);
  EXPECT_TRUE(facts.has_swap);
  EXPECT_EQ(facts.host_name, "web-1");
  EXPECT_THAT(facts.nginx, ElementsAre(HasSubstr("shop.example.com")));
}

TEST(CollectFacts, SeesATlsPort) {
  const OneAnswer server("HTTP/1.1 400 Bad Request\r\n\r\n<p>The plain HTTP request was sent to HTTPS port</p>");
  const FakeHost host;
  host.listens(server.port());
  EXPECT_TRUE(collect_facts(host.options()).listeners.at(0).tls);
}

TEST(CollectFacts, OfAServerThatSpeaksSomethingElseHasNoStatus) {
  const OneAnswer server("SSH-2.0-OpenSSH_9.2\r\n");
  const FakeHost host;
  host.listens(server.port());
  EXPECT_EQ(collect_facts(host.options()).listeners.at(0).http_status, 0);
}

TEST(CollectFacts, OfAHostThatShowsNothingIsEmpty) {
  const FakeHost host;
  const HostFacts facts = collect_facts(host.options());
  EXPECT_THAT(facts.listeners, IsEmpty());
  EXPECT_THAT(facts.nginx, IsEmpty());
  EXPECT_FALSE(facts.has_swap);
}

}  // namespace
}  // namespace vitald::daemon
