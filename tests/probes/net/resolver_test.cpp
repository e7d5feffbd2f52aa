// Names: a tiny DNS server on the loopback that answers, refuses, or never says a word.
#include <atomic>
#include <boost/asio/post.hpp>
#include <thread>

#include "tests/probes/net/kit.hpp"
#include "tests/support/loopback.hpp"

namespace vitald::testing {
namespace {

/// Answers every A question for "good…" with 127.0.0.1, AAAA with nothing; "missing…" does not exist, "broken…" fails.
/// Any other name gets no answer at all.
class DnsServer {
 public:
  DnsServer() : descriptor_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length);
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  DnsServer(const DnsServer&) = delete;
  ~DnsServer() {
    ::shutdown(descriptor_, SHUT_RDWR);  // wakes recvfrom, although it reports ENOTCONN
    thread_.join();
    ::close(descriptor_);
  }
  const std::string& address() const { return address_; }
  int questions() const { return questions_; }
  std::function<void()> asked;  // called from the server's thread; set before the first question

 private:
  void serve() {
    char packet[512];
    sockaddr_in from{};
    for (;;) {
      socklen_t length = sizeof from;
      const auto count = ::recvfrom(descriptor_, packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (count <= 12) return;
      ++questions_;
      if (asked) asked();
      const auto reply = answer(std::string(packet, static_cast<std::size_t>(count)));
      if (!reply.empty())
        ::sendto(descriptor_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    }
  }

  static std::string answer(const std::string& question) {
    const auto name = question.substr(13, static_cast<std::size_t>(question[12]));
    const auto end = question.find('\0', 12) + 5;  // the name's end, type and class
    const bool ipv4 = question[end - 3] == 1;
    const bool good = name.starts_with("good"), missing = name.starts_with("missing"),
               broken = name.starts_with("broken");
    if (!good && !missing && !broken) return "";
    std::string out = question.substr(0, end);
    out[2] = static_cast<char>(0x81);
    out[3] = static_cast<char>(0x80 | (missing ? 3 : broken ? 2 : 0));
    out[7] = good && ipv4 ? 1 : 0;
    out[9] = out[11] = 0;
    if (good && ipv4) out += std::string("\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\x7f\0\0\1", 16);  // TTL 30
    return out;
  }

  int descriptor_;
  std::string address_;
  std::atomic<int> questions_ = 0;
  std::thread thread_;
};

struct ResolverTest : NetTest {
  DnsServer dns;
  void SetUp() override { use({.dns_servers = {dns.address()}}); }
  void use(const net::NetworkOptions& options) { network = net::make_network(loop.get_executor(), clock, options); }
};

TEST_F(ResolverTest, ANameIsFoundAndConnectedTo) {
  const Loopback server([](Peer&) {});
  const auto stream = finish(loop, network->connect({.host = "good.example", .port = server.port()}, phases));
  EXPECT_EQ(stream->peer(), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(phases.phases().at(0).name, "resolve");
  EXPECT_EQ(phases.phases().at(1).name, "connect");
}

TEST_F(ResolverTest, TheAnswerIsKept) {
  const Loopback server([](Peer&) {});
  for (const char* name : {"good.example", "GOOD.example", "good.example"})
    finish(loop, network->connect({.host = name, .port = server.port(), .family = net::Family::ipv4}, phases));
  EXPECT_EQ(dns.questions(), 1);
}

TEST_F(ResolverTest, OneQuestionIsSharedByAllWhoAsk) {
  const Loopback server([](Peer&) {});
  const net::Target where{.host = "good.example", .port = server.port(), .family = net::Family::ipv4};
  std::vector<std::unique_ptr<Cancellable>> runs;
  for (int at = 0; at < 20; ++at) runs.push_back(std::make_unique<Cancellable>(loop, network->connect(where, phases)));
  loop.run();
  for (const auto& run : runs) EXPECT_EQ(run->ended(), "answered");
  EXPECT_EQ(dns.questions(), 1);
}

TEST_F(ResolverTest, AMissingNameIsTheTargetsAndKeptToo) {
  for (int round = 0; round < 2; ++round) {
    const auto failed = connect_fails({.host = "missing.example", .port = 1, .family = net::Family::ipv4});
    EXPECT_EQ(failed.reason, "name_not_found");
    EXPECT_EQ(failed.outcome, Outcome::refused);
  }
  EXPECT_LE(dns.questions(), 2);  // the search domains of this host may add one
  EXPECT_EQ(connect_fails({.host = "good.example", .port = 1, .family = net::Family::ipv6}).reason, "name_not_found");
}

TEST_F(ResolverTest, AServerThatFailsIsOurs) {
  const auto failed = connect_fails({.host = "broken.example", .port = 1});
  EXPECT_EQ(failed.reason, "resolver_failed");
  EXPECT_EQ(failed.outcome, Outcome::unmeasured);
  EXPECT_FALSE(failed.remedy.empty());
}

TEST_F(ResolverTest, NoServerAtAllIsOurs) {
  use({.dns_servers = {"127.0.0.1:1"}});
  EXPECT_EQ(connect_fails({.host = "good.example", .port = 1}).outcome, Outcome::unmeasured);
}

TEST_F(ResolverTest, WhileDnsHangsNumericTargetsGoOn) {
  use({.dns_servers = {dns.address()}, .dns_deadline = std::chrono::milliseconds(400)});
  const Loopback server([](Peer&) {});
  const net::Target hanging{.host = "silent.example", .port = server.port()};
  Cancellable run(loop, network->connect(hanging, phases));
  for (int at = 0; at < 50; ++at) finish(loop, network->connect({.host = "127.0.0.1", .port = server.port()}, phases));
  EXPECT_EQ(run.ended(), "");  // still at it, and nobody minded
  loop.restart();
  while (run.ended().empty() && loop.run_one() > 0) {
  }
  EXPECT_EQ(run.ended(), "resolver_failed");
}

TEST_F(ResolverTest, ACancelledLookupLeavesNothing) {
  const auto before = open_descriptors();
  std::optional<Cancellable> run;
  dns.asked = [&] { boost::asio::post(loop, [&] { run->cancel(); }); };
  const net::Target hanging{.host = "silent.example", .port = 1, .family = net::Family::ipv4};
  run.emplace(loop, network->connect(hanging, phases));
  while (run->ended().empty() && loop.run_one() > 0) {
  }
  EXPECT_EQ(run->ended(), "cancelled");
  network.reset();  // with the question still out
  loop.restart();
  loop.run();
  EXPECT_LE(open_descriptors(), before);
}

TEST_F(ResolverTest, TheHostsFileIsHonoured) {
  const Loopback server([](Peer&) {});
  finish(loop, network->connect({.host = "localhost", .port = server.port()}, phases));
  EXPECT_EQ(dns.questions(), 0);
}

TEST_F(ResolverTest, WhatCannotBeANameIsNotAsked) {
  EXPECT_EQ(connect_fails({.host = "", .port = 1}).reason, "name_not_found");
  EXPECT_EQ(connect_fails({.host = std::string(300, 'a'), .port = 1}).reason, "name_not_found");
  EXPECT_EQ(connect_fails({.host = std::string(70, 'a') + ".example", .port = 1}).reason, "name_not_found");
  EXPECT_EQ(dns.questions(), 0);
}

}  // namespace
}  // namespace vitald::testing
