// Real connections on the loopback: TCP, Unix sockets, what the kernel refuses, and cancellation that leaves nothing
// behind.
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/post.hpp>
#include <future>

#include "probes/net/address.hpp"
#include "probes/net/race.hpp"
#include "tests/probes/net/kit.hpp"
#include "tests/support/loopback.hpp"

namespace vitald::testing {
namespace {

using net::Target;

/// A port that nobody listens on: taken, then given back.
std::uint16_t closed_port() {
  return Loopback([](Peer&) {}).port();
}

struct ConnectTest : NetTest {};

TEST_F(ConnectTest, CarriesBytesBothWays) {
  const Loopback server([](Peer& peer) { peer.send("you said " + peer.receive()); });
  const auto stream = finish(loop, network->connect({.host = "127.0.0.1", .port = server.port()}, phases));
  EXPECT_EQ(stream->peer(), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(stream->tls(), nullptr);
  finish(loop, stream->write("hello"));
  char buffer[64];
  EXPECT_EQ(finish(loop, stream->read_some(buffer)), 14U);
  EXPECT_EQ(std::string(buffer, 14), "you said hello");
  EXPECT_EQ(finish(loop, stream->read_some(buffer)), 0U);
  EXPECT_EQ(phases.phases().at(0).name, "connect");
}

TEST_F(ConnectTest, WritesMoreThanTheKernelTakesAtOnce) {
  std::promise<std::size_t> received;
  const std::string big(8 << 20, 'x');
  const Loopback server([&](Peer& peer) {
    std::size_t total = 0;
    for (auto piece = peer.receive(); !piece.empty(); piece = peer.receive()) total += piece.size();
    received.set_value(total);
  });
  auto stream = finish(loop, network->connect({.host = "127.0.0.1", .port = server.port()}, phases));
  finish(loop, stream->write(big));
  stream.reset();
  EXPECT_EQ(received.get_future().get(), big.size());
}

TEST_F(ConnectTest, ReadsWhatComesInPiecesWithBuffersOfAnySize) {
  const std::string big(1 << 20, 'y');
  const Loopback server([&](Peer& peer) { peer.send(big); });
  for (const std::size_t size : {1000U, 4096U, 65536U, 2U << 20}) {
    const auto stream = finish(loop, network->connect({.host = "127.0.0.1", .port = server.port()}, phases));
    std::string buffer(size, '\0');
    std::size_t total = 0;
    for (std::size_t count = 1; count != 0; total += count) count = finish(loop, stream->read_some(buffer));
    EXPECT_EQ(total, big.size());
  }
}

TEST_F(ConnectTest, ARefusedConnectionSaysSo) {
  const auto port = closed_port();
  const auto failed = connect_fails({.host = "127.0.0.1", .port = port});
  EXPECT_EQ(failed.reason, "connect_refused");
  EXPECT_EQ(failed.outcome, Outcome::refused);
  EXPECT_EQ(failed.what, "connect to 127.0.0.1:" + std::to_string(port) + ": connection refused");
}

TEST_F(ConnectTest, AResetIsTheTargets) {
  const Loopback server([](Peer& peer) {
    peer.receive();
    peer.reset();
  });
  const auto failed = get_fails(request_for(server.url()));
  EXPECT_EQ(failed.reason, "connection_reset");
  EXPECT_EQ(failed.outcome, Outcome::refused);
}

TEST_F(ConnectTest, TheFamilyIsKept) {
  const Loopback server([](Peer&) {});
  EXPECT_EQ(connect_fails({.host = "127.0.0.1", .port = server.port(), .family = net::Family::ipv6}).reason,
            "name_not_found");
  EXPECT_EQ(connect_fails({.host = "127.0.0.1", .port = server.port(), .family = net::Family::ipv4}).reason, "");
}

TEST_F(ConnectTest, LocalhostTriesBothFamilies) {
  const Loopback server([](Peer&) {});  // IPv4 only: ::1 is refused, or not there at all
  const auto stream = finish(loop, network->connect({.host = "localhost", .port = server.port()}, phases));
  EXPECT_EQ(stream->peer(), "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(ConnectTest, UnixSocketsFailInTheirOwnWays) {
  const Folder folder;
  const auto path = folder.path() + "/s";
  const auto missing = connect_fails({.unix_path = path});
  EXPECT_EQ(missing.reason, "socket_missing");
  EXPECT_EQ(missing.outcome, Outcome::refused);
  {
    const Loopback server(path, [](Peer& peer) { peer.send("hi"); });
    const auto stream = finish(loop, network->connect({.unix_path = path}, phases));
    char buffer[8];
    EXPECT_EQ(finish(loop, stream->read_some(buffer)), 2U);
    EXPECT_EQ(stream->peer(), path);
  }
  EXPECT_EQ(connect_fails({.unix_path = path}).reason, "socket_refused");  // the file is still there
  EXPECT_EQ(connect_fails({.unix_path = std::string(200, 'x')}).reason, "socket_path_too_long");
  folder.write("/plain", "");
  EXPECT_EQ(connect_fails({.unix_path = folder.path() + "/plain"}).reason, "socket_refused");
}

TEST_F(ConnectTest, ADeniedSocketIsOursAndNamesTheRemedy) {
  if (::geteuid() == 0 && ::seteuid(65534) != 0) GTEST_SKIP() << "needs to be somebody whom permissions bind";
  const Folder folder;
  const auto path = folder.path() + "/s";
  const Loopback server(path, [](Peer&) {});
  ::chmod(path.c_str(), 0);
  const auto failed = connect_fails({.unix_path = path});
  if (::getuid() == 0 && ::seteuid(0) != 0) FAIL();
  EXPECT_EQ(failed.reason, "denied:" + path);
  EXPECT_EQ(failed.outcome, Outcome::unmeasured);
  EXPECT_NE(failed.remedy.find("setfacl -m u:vitald:rw " + path), std::string::npos);
}

TEST_F(ConnectTest, RunningOutOfDescriptorsIsOurs) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 3;
  ::setrlimit(RLIMIT_NOFILE, &none);
  const auto failed = connect_fails({.host = "127.0.0.1", .port = 9});
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(failed.reason, "out_of_descriptors");
  EXPECT_EQ(failed.outcome, Outcome::unmeasured);
  EXPECT_FALSE(failed.remedy.empty());
}

TEST_F(ConnectTest, AWaitIsCancelledAtOnceAndItsSocketClosed) {
  std::optional<Cancellable> run;
  const Loopback server([&](Peer& peer) {
    peer.receive_head();  // the client waits for the answer now, or is about to: either way it must end
    boost::asio::post(loop, [&] { run->cancel(); });
    peer.wait_for_end();
  });
  const auto before = open_descriptors();
  const auto request = request_for(server.url());
  run.emplace(loop, net::fetch(*network, request, phases));
  loop.run();
  EXPECT_EQ(run->ended(), "cancelled");
  EXPECT_LE(open_descriptors(), before + 1);  // the server's own end may not be closed yet
}

TEST_F(ConnectTest, TenThousandCancelledRunsLeaveNothing) {
  // A listener whose queue nobody empties: connections come about, answers never do.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 4), 0);  // soon full, so that later connects hang in the middle
  socklen_t length = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  const auto request = request_for("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/");
  const auto before = open_descriptors();
  int cancelled = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<std::unique_ptr<Cancellable>> runs;
    for (int at = 0; at < 100; ++at)
      runs.push_back(std::make_unique<Cancellable>(loop, net::fetch(*network, request, phases)));
    loop.restart();
    loop.poll();
    for (const auto& run : runs) run->cancel();
    loop.run();  // ends only when nothing waits any more
    for (const auto& run : runs) cancelled += run->ended() == "cancelled" ? 1 : 0;
  }
  EXPECT_EQ(cancelled, 10'000);
  EXPECT_EQ(open_descriptors(), before);
  ::close(listener);
}

TEST(NetworkLife, AbandonedRunsGoWithTheNetwork) {
  const auto before = open_descriptors();
  {
    const Loopback server([](Peer& peer) { peer.wait_for_end(); });
    RealClock clock;
    net::PhaseLog phases(clock);
    const auto request = request_for(server.url());
    boost::asio::io_context loop;
    auto network = net::make_network(loop.get_executor(), clock);
    Cancellable run(loop, net::fetch(*network, request, phases));
    loop.poll();
    network.reset();
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(HappyEyeballs, TheFamiliesTakeTurns) {
  std::vector<net::Address> addresses;
  for (const char* host : {"::1", "::2", "::3", "1.1.1.1", "2.2.2.2"})
    addresses.push_back(*net::numeric_address(host, 1));
  std::string order;
  for (const auto& address : net::interleave(addresses)) order += address.host() + " ";
  EXPECT_EQ(order, "::1 1.1.1.1 ::2 2.2.2.2 ::3 ");
}

TEST(HappyEyeballs, ADeadAddressCostsItsTurnOnly) {
  const Loopback server([](Peer&) {});
  boost::asio::io_context loop;
  const auto poller = std::make_shared<net::Poller>(loop.get_executor());
  // A full queue: the kernel drops the second handshake, as a black hole would.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 0), 0);
  socklen_t length = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  const auto dead = net::Address::of(reinterpret_cast<sockaddr*>(&address), length, ntohs(address.sin_port));
  net::Socket filler(*poller, AF_INET, "fill");
  ASSERT_EQ(filler.begin_connect(dead.raw(), dead.length, true), 0);

  const auto good = *net::numeric_address("127.0.0.1", server.port());
  std::vector<net::Address> both = {dead, good};
  const auto won = finish(loop, net::race(*poller, both, "x.example"));
  EXPECT_EQ(won.peer, good.text());
  ::close(listener);
}

TEST(HappyEyeballs, WhenAllFailEachIsNamed) {
  boost::asio::io_context loop;
  const auto poller = std::make_shared<net::Poller>(loop.get_executor());
  std::vector<net::Address> both = {*net::numeric_address("127.0.0.1", closed_port()),
                                    *net::numeric_address("127.0.0.2", closed_port())};
  const auto failed = failure_of(loop, net::race(*poller, both, "x.example:1"));
  EXPECT_EQ(failed.reason, "connect_refused");
  EXPECT_EQ(failed.what, "connect to x.example:1: " + both[0].text() + ": connection refused; " + both[1].text() +
                             ": connection refused");
}

}  // namespace
}  // namespace vitald::testing
