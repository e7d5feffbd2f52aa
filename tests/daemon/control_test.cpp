#include "daemon/control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/control_client.hpp"
#include "tests/support/fake_operations.hpp"
#include "tests/support/served.hpp"

namespace vitald::daemon {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

struct Controlled : testing::Test {
  void SetUp() override {
    char name[] = "/tmp/vitald-control-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
    path = folder / "control.sock";
  }
  void TearDown() override {
    if (control)
      loop.on_loop([&] {
        control.reset();
        return 0;
      });
    std::filesystem::remove_all(folder);
  }
  Result<std::unique_ptr<ControlSocket>> try_open(ControlSettings settings = {}) {
    return loop.on_loop([&] { return ControlSocket::open(loop.executor(), path, daemon, settings); });
  }
  void open(ControlSettings settings = {}) {
    auto opened = try_open(settings);
    ASSERT_TRUE(opened) << opened.failure().sentence();
    control = std::move(*opened);
  }
  std::string refusal(const json& request) {
    const auto result = control_request(path, request);
    return result ? "no failure: " + result->dump() : result.failure().sentence();
  }

  std::filesystem::path folder, path;
  FakeOperations daemon;
  LoopThread loop;
  std::unique_ptr<ControlSocket> control;
};

TEST_F(Controlled, TellsWhatIsInForceLineByLineAndWhetherAnyoneListens) {
  EXPECT_TRUE(nobody_listens(path));
  const std::string one = R"({"name":"web","options":{},"part":"checks"})";
  const int many = 2000;  // more than one slice
  for (int i = 0; i < many; ++i) daemon.outlined += one + "\n";
  open();
  EXPECT_FALSE(nobody_listens(path));
  int seen = 0;
  const auto result = control_request(path, json{{"command", "configuration"}}, [&](const json& line) {
    EXPECT_EQ(line.dump(), one);
    ++seen;
  });
  ASSERT_TRUE(result) << result.failure().sentence();
  EXPECT_EQ(seen, many);
  EXPECT_TRUE(result->contains("configuration"));
  EXPECT_TRUE(result->contains("time"));
}

TEST_F(Controlled, IsOpenToItsOwnerAloneAndGoesAway) {
  open();
  struct stat info {};
  ASSERT_EQ(::lstat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  loop.on_loop([&] {
    control.reset();
    return 0;
  });
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Controlled, ReplacesALeftoverButNothingElse) {
  open();
  const auto second = try_open();
  ASSERT_FALSE(second);
  EXPECT_THAT(second.failure().sentence(), HasSubstr("another vitald answers"));
  EXPECT_TRUE(control_request(path, json{{"command", "incidents"}})) << "the first must go on";
  loop.on_loop([&] {
    control.reset();
    return 0;
  });

  // A process that was killed leaves the file and nobody behind it.
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(dead);
  open();
  loop.on_loop([&] {
    control.reset();
    return 0;
  });

  std::ofstream(path) << "precious";
  const auto blocked = try_open();
  ASSERT_FALSE(blocked);
  EXPECT_THAT(blocked.failure().sentence(), HasSubstr("is no socket"));
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(Controlled, TellsTheStatus) {
  open();
  for (int i = 0; i < 300; ++i) daemon.add(row("check-" + std::to_string(i)));
  std::vector<std::string> checks;
  const auto result = control_request(path, json{{"command", "status"}},
                                      [&](const json& progress) { checks.push_back(progress["check"]["check"]); });
  ASSERT_TRUE(result) << result.failure().sentence();
  EXPECT_EQ(checks.size(), 300u);
  EXPECT_EQ((*result)["daemon"]["instance"], "web-1");
}

TEST_F(Controlled, ProbesOneCheck) {
  open();
  daemon.add(row("api", Status::critical, "502"));
  const auto report = control_request(path, json{{"command", "probe"}, {"check", "api"}});
  ASSERT_TRUE(report) << report.failure().sentence();
  EXPECT_EQ((*report)["verdict"], "critical");
  EXPECT_EQ((*report)["why"], "502");
  EXPECT_EQ(refusal({{"command", "probe"}, {"check", "nobody"}}), "nobody: there is no such check");
}

TEST_F(Controlled, VerifiesEverythingAndTellsTheWorst) {
  open();
  for (int i = 0; i < 50; ++i) daemon.add(row("check-" + std::to_string(i)));
  daemon.add(row("slow", Status::warning));
  daemon.add(row("blind", Status::unknown));
  daemon.add(row("slow-too", Status::warning));  // so that the worst is not the last
  std::vector<std::string> told;
  const auto ask = [&] {
    told.clear();
    return control_request(path, json{{"command", "verify"}}, [&](const json& progress) {
      EXPECT_EQ(progress["total"], daemon.rows.rows().size());
      told.push_back(progress["report"]["check"]);
    });
  };
  auto result = ask();
  ASSERT_TRUE(result) << result.failure().sentence();
  EXPECT_EQ(told.size(), 53u);
  EXPECT_EQ((*result)["verdict"], "unknown");
  EXPECT_EQ((*result)["ok"], 50);
  daemon.add(row("down", Status::critical));
  daemon.add(row("last"));
  result = ask();
  ASSERT_TRUE(result);
  EXPECT_EQ((*result)["verdict"], "critical");
}

TEST_F(Controlled, CarriesOutTheOtherCommands) {
  open();
  const auto text = [&](const json& request) {
    const auto result = control_request(path, request);
    return result ? (*result)["text"].get<std::string>() : result.failure().sentence();
  };
  EXPECT_EQ(text({{"command", "ack"}, {"incident", "k3v9"}, {"by", "ann\033[2J"}}).find('\033'), std::string::npos);
  EXPECT_EQ(text({{"command", "ack"}, {"incident", "k3v9"}, {"by", "ann"}}), "k3v9 is taken by ann");
  EXPECT_EQ(text({{"command", "ack"}, {"incident", "k3v9"}}), "k3v9 is taken by uid " + std::to_string(::getuid()));
  EXPECT_EQ(text({{"command", "ack"}, {"incident", "zzzz"}, {"by", "ann"}}), "no open incident begins with zzzz");
  EXPECT_EQ(text({{"command", "test-notify"}, {"receiver", "ops"}}), "ops took the test message");
  EXPECT_EQ(text({{"command", "test-notify"}, {"receiver", "nobody"}}), "nobody: there is no such receiver");
  EXPECT_EQ(text({{"command", "reload"}}), "nothing changed");
}

TEST_F(Controlled, RefusesNonsenseWithASentence) {
  open();
  EXPECT_THAT(refusal({{"command", "dance"}}), HasSubstr("there is no command 'dance'"));
  EXPECT_THAT(refusal({{"command", "probe"}}), HasSubstr("needs 'check'"));
  EXPECT_THAT(refusal({{"command", 7}}), HasSubstr("there is no command ''"));
  EXPECT_THAT(refusal(json::array()), HasSubstr("not a JSON object"));
  for (const std::string& line :
       {std::string("what\n"), std::string(1000, '[') + "\n", std::string("{\"command\":\"\xff\"}\n")}) {
    Client client = Client::local(path);
    client.send(line);
    EXPECT_THAT(client.read_all(), HasSubstr("\"error\"")) << line.substr(0, 40);
  }
}

TEST_F(Controlled, BoundsWhatAClientMayTake) {
  open({.connections = 2, .request_bytes = 1000, .request_time = 30ms});
  Client big = Client::local(path);
  big.send(std::string(5000, ' '));
  EXPECT_THAT(big.read_all(), HasSubstr("larger than 1000 bytes"));
  Client silent = Client::local(path);
  EXPECT_EQ(silent.read_all(), "");
  Client slow = Client::local(path);
  slow.send("{\"command\":");
  EXPECT_EQ(slow.read_all(), "");
}

TEST_F(Controlled, RefusesMoreConnectionsThanItHasRoomFor) {
  open({.connections = 1});
  Client first = Client::local(path);
  first.send(" ");
  Client second = Client::local(path);
  EXPECT_THAT(second.read_all(), HasSubstr("takes no more"));
}

TEST_F(Controlled, SaysWhyThereIsNoAnswer) {
  EXPECT_THAT(refusal({{"command", "status"}}), HasSubstr("vitald does not run (there is no socket at "));
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(refusal({{"command", "status"}}), HasSubstr("vitald does not run (nobody answers"));
  ASSERT_EQ(::listen(dead, 1), 0);
  const auto silent = control_request(path, json{{"command", "status"}}, {}, 20ms);
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.failure().sentence(), "vitald has not answered for 20 ms; see: systemctl status vitald");
  ::close(dead);
}

TEST_F(Controlled, ServesRootAndItsOwnUserOnly) {
  EXPECT_TRUE(may_control(0, 991));
  EXPECT_TRUE(may_control(991, 991));
  EXPECT_FALSE(may_control(1000, 991));
  EXPECT_FALSE(may_control(1000, 0));
  if (::geteuid() != 0) GTEST_SKIP() << "becoming somebody else needs root";
  open();
  const auto sentence_of_nobody = [&] {
    const std::filesystem::path said = folder / "said";
    std::ofstream(said).close();
    std::filesystem::permissions(said, std::filesystem::perms::all);
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(1);
      std::ofstream(said) << refusal({{"command", "incidents"}}) << std::flush;
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    return (std::stringstream() << std::ifstream(said).rdbuf()).str();
  };
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
  EXPECT_THAT(sentence_of_nobody(), HasSubstr("you may not talk to vitald"));
  std::filesystem::permissions(path, std::filesystem::perms(0666));  // even where the file lets everybody in
  EXPECT_THAT(sentence_of_nobody(), HasSubstr("only root and the user that vitald runs as"));
}

}  // namespace
}  // namespace vitald::daemon
