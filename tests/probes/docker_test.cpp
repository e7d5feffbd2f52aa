#include "probes/docker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/probes/docker_kit.hpp"
#include "tests/support/docker_frames.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using vitald::testing::container_json;
using vitald::testing::docker_frame;
using vitald::testing::FakeNetwork;
using vitald::testing::http_reply;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

docker::Config config(const std::string& yaml = "container: web") {
  const auto parsed = parse_yaml(docker::parse, yaml);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

std::string problems(const std::string& yaml) { return parse_yaml(docker::parse, yaml).problems; }

// The surroundings' clock stands at 2024-10-04T00:00:00Z.
const std::string running = R"("Status":"running","StartedAt":"2024-10-03T23:00:00Z")";
const std::string statistics = R"({"memory_stats":{"usage":900,"stats":{"inactive_file":100}},)"
                               R"("cpu_stats":{"cpu_usage":{"total_usage":2000000000}},)"
                               R"("pids_stats":{"current":4}})";

/// An engine whose answers are given in the order in which they are asked for.
struct Engine {
  FakeNetwork network;
  std::string memory;
  Surroundings around;

  Engine& says(int status, const std::string& body) {
    network.answer({http_reply(status, body)});
    return *this;
  }
  docker::Facts facts(const docker::Config& check) {
    around.network = &network;
    around.memory = memory;
    return around.run(docker::run, check);
  }
  Observation look(const docker::Config& check) {
    auto seen = docker::judge(check, facts(check));
    memory = seen.memory.value_or("");
    for (const auto& each : seen.evidence) EXPECT_THAT(each.text, Not(HasSubstr("s3cret")));
    return seen;
  }
  ProbeFailure failure(const docker::Config& check) {
    try {
      facts(check);
    } catch (const ProbeFailure& thrown) {
      return thrown;
    }
    return ProbeFailure(Outcome::answered, "none", "");
  }
};

const Sample* find(const Observation& seen, std::string_view name) {
  for (const Sample& sample : seen.samples)
    if (sample.name == name) return &sample;
  return nullptr;
}
double value(const Observation& seen, std::string_view name) {
  const auto* found = find(seen, name);
  return found == nullptr ? -1 : found->value;
}
std::string evidence(const Observation& seen, std::string_view label) {
  for (const auto& each : seen.evidence)
    if (each.label == label) return each.text;
  return "";
}

TEST(DockerParse, TakesContainersOrAProject) {
  EXPECT_THAT(config().containers, ::testing::ElementsAre("web"));
  EXPECT_EQ(config().where.unix_path, "/var/run/docker.sock");
  EXPECT_THAT(config("container: [ web, db ]").containers, ::testing::SizeIs(2));
  const auto project = config("compose: shop\nservices: [ web, db ]\nimages: { web: 'shop/web:2' }");
  EXPECT_TRUE(project.of_project());
  EXPECT_EQ(project.images.at("web"), "shop/web:2");
  EXPECT_EQ(config("container: web\nimage: nginx").images.at("web"), "nginx");
  const auto remote = config("container: web\naddress: 'docker.internal:2376'\ntls: true");
  EXPECT_EQ(remote.where.text(), "docker.internal:2376");
  EXPECT_TRUE(remote.where.tls);
}

TEST(DockerParse, TellsWhatDoesNotFit) {
  EXPECT_THAT(problems("{}"), HasSubstr("needs either 'container' or 'compose'"));
  EXPECT_THAT(problems("container: web\ncompose: shop"), HasSubstr("needs either"));
  EXPECT_THAT(problems("container: web\nservices: [ a ]"), HasSubstr("'services' are those of a 'compose' project"));
  EXPECT_THAT(problems("container: [ web, web ]"), HasSubstr("'web' is in the list already"));
  EXPECT_THAT(problems("container: 'we b'"), HasSubstr("'we b' is no name"));
  EXPECT_THAT(problems("container: ../images"), HasSubstr("is no name"));
  EXPECT_THAT(problems("compose: 'a\"b'"), HasSubstr("is no name of a project"));
  EXPECT_THAT(problems("container: [ a, b ]\nimage: x"), HasSubstr("test.yaml:2:8"));
  EXPECT_THAT(problems("container: a\nimages: { b: x }"), HasSubstr("'b' is not among"));
  EXPECT_THAT(problems("container: a\nsocket: /x\naddress: b:1"), HasSubstr("exclude each other"));
  EXPECT_THAT(problems("container: a\ntls: true"), HasSubstr("'tls' is for an 'address'"));
  EXPECT_THAT(problems("container: a\nlog_lines: 13"), HasSubstr("log_lines"));
}

TEST(DockerContainerCheck, ARunningContainerIsMeasured) {
  Engine engine;
  const std::string state = running + R"(,"Health":{"Status":"healthy","FailingStreak":0,"Log":[]})";
  engine.says(200, container_json(state, R"("Memory":1000,"NanoCpus":2000000000)")).says(200, statistics);
  const auto seen = engine.look(config());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "web runs for 1 h, healthy");
  EXPECT_EQ(evidence(seen, "containers"), "web runs for 1 h, healthy; shop/web:1.4");
  EXPECT_EQ(value(seen, "running"), 1);
  EXPECT_EQ(value(seen, "not_running"), 0);
  EXPECT_EQ(value(seen, "memory"), 800);
  EXPECT_EQ(find(seen, "memory")->maximum, 1000);
  EXPECT_EQ(find(seen, "memory")->labels, (Labels{{"container", "web"}}));
  EXPECT_EQ(value(seen, "processes"), 4);
  EXPECT_EQ(value(seen, "uptime"), 3600);
  EXPECT_EQ(find(seen, "cpu"), nullptr) << "there is no run before";
  EXPECT_THAT(engine.network.sent, StartsWith("GET /containers/web/json HTTP/1.1\r\nHost: docker\r\n"));
  EXPECT_THAT(engine.network.sent, HasSubstr("GET /containers/a1b2c3/stats?stream=false&one-shot=true HTTP/1.1"));
  EXPECT_EQ(engine.network.targets.at(0).unix_path, "/var/run/docker.sock");
}

TEST(DockerContainerCheck, ProcessorTimeIsThatSinceTheLastRun) {
  Engine engine;
  engine.says(200, container_json(running, R"("NanoCpus":2000000000)")).says(200, statistics);
  engine.look(config());
  engine.around.clock.at.wall += std::chrono::seconds(10);
  engine.says(200, container_json(running, R"("NanoCpus":2000000000)"));
  engine.says(200, R"({"cpu_stats":{"cpu_usage":{"total_usage":7000000000}}})");
  const auto seen = engine.look(config());
  EXPECT_DOUBLE_EQ(value(seen, "cpu"), 0.5);
  EXPECT_EQ(find(seen, "cpu")->maximum, 2);
}

TEST(DockerContainerCheck, EveryStartIsCounted) {
  Engine engine;
  const auto look = [&](const std::string& started, int restarts, const std::string& id = "a1b2c3") {
    auto json = container_json(R"("Status":"running","StartedAt":")" + started + "\"", R"("Memory":0)",
                               R"("Name":"/web","RestartCount":)" + std::to_string(restarts));
    json.replace(json.find("a1b2c3"), 6, id);
    engine.says(200, json);
    return value(engine.look(config("container: web\nstatistics: false")), "restarts");
  };
  EXPECT_EQ(look("2024-10-03T01:00:00Z", 5), 0) << "what was before this check is not its matter";
  EXPECT_EQ(look("2024-10-03T01:00:00Z", 5), 0);
  EXPECT_EQ(look("2024-10-03T02:00:00Z", 7), 2) << "by the engine";
  EXPECT_EQ(look("2024-10-03T03:00:00Z", 7), 3) << "by hand";
  EXPECT_EQ(look("2024-10-03T04:00:00Z", 1), 5) << "by hand, and once by the engine since";
  EXPECT_EQ(look("2024-10-03T05:00:00Z", 0, "ffffff"), 5) << "a new container is no restart";
  EXPECT_EQ(look("2024-10-03T05:00:00Z", 2, "ffffff"), 7);
  engine.says(404, R"({"message":"No such container: web"})");
  EXPECT_EQ(engine.look(config("container: web\nstatistics: false")).reason, "missing");
  EXPECT_EQ(look("2024-10-03T06:00:00Z", 0, "eeeeee"), 7) << "nor is one that was away for a moment";
}

TEST(DockerContainerCheck, OneThatIsNotThereIsWrong) {
  Engine engine;
  engine.says(404, R"({"message":"No such container: web"})");
  const auto seen = engine.look(config());
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "missing");
  EXPECT_EQ(seen.summary, "there is no container web");
  EXPECT_EQ(value(seen, "not_running"), 1);
  EXPECT_EQ(find(seen, "running")->maximum, 1);
}

TEST(DockerContainerCheck, AnExitedOneShowsItsLog) {
  Engine engine;
  engine.says(200, container_json(R"("Status":"exited","ExitCode":1,"OOMKilled":false)"));
  engine.says(200, docker_frame(1, "starting\n") + docker_frame(2, "no database\x1b[31m\n"));
  const auto seen = engine.look(config());
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "exited");
  EXPECT_EQ(seen.summary, "web exited with code 1");
  EXPECT_THAT(evidence(seen, "web log"), StartsWith("starting\nno database"));
  EXPECT_THAT(evidence(seen, "web log"), Not(HasSubstr("\x1b")));
  EXPECT_THAT(engine.network.sent, HasSubstr("GET /containers/a1b2c3/logs?stdout=1&stderr=1&tail=8 HTTP/1.1"));
}

TEST(DockerContainerCheck, TheLogOfATerminalIsShownAsItIs) {
  for (const auto* tty : {R"("Tty":true)", R"("Tty":false)"}) {
    auto json = container_json(R"("Status":"exited","ExitCode":1)");
    json.replace(json.find(R"("Tty":false)"), 11, tty);
    Engine engine;
    engine.says(200, json).says(200, "good bye\r\n");
    EXPECT_EQ(evidence(engine.look(config()), "web log"), "good bye");
  }
}

TEST(DockerContainerCheck, WithoutStatisticsAndLogTheRestCounts) {
  Engine engine;
  engine.says(200, container_json(running)).says(500, R"({"message":"cgroups: cannot find the cgroup"})");
  const auto seen = engine.look(config());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(find(seen, "memory"), nullptr);
  EXPECT_EQ(evidence(seen, "not measured"), "statistics of web: cgroups: cannot find the cgroup");
  Engine silent;
  silent.says(200, container_json(R"("Status":"exited","ExitCode":1)"));
  silent.says(501, R"({"message":"configured logging driver does not support reading"})");
  EXPECT_THAT(evidence(silent.look(config()), "not measured"), HasSubstr("the log of web: configured logging driver"));
  Engine unasked;
  unasked.says(200, container_json(R"("Status":"exited","ExitCode":1)"));
  EXPECT_EQ(unasked.look(config("container: web\nlog_lines: 0\nstatistics: false")).reason, "exited");
}

TEST(DockerContainerCheck, SeveralAreAllNeeded) {
  Engine engine;
  engine.says(200, container_json(running));
  engine.says(200, container_json(R"("Status":"paused")", R"("Memory":0)", R"("Name":"/db","RestartCount":0)"));
  engine.says(200, "");
  const auto seen = engine.look(config("container: [ web, db ]\nstatistics: false"));
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "paused");
  EXPECT_EQ(seen.summary, "db is paused");
  EXPECT_EQ(find(seen, "not_running")->says, "db is paused; 1 of 2 containers run");
  EXPECT_THAT(evidence(seen, "containers"), StartsWith("db is paused; shop/web:1.4\nweb runs"));
}

TEST(DockerContainerCheck, AnUnhealthyOneShowsItsHealthCheck) {
  Engine engine;
  const std::string health =
      R"(,"Health":{"Status":"unhealthy","FailingStreak":3,"Log":[{"ExitCode":7,"Output":"curl: (7) refused\n"}]})";
  engine.says(200, container_json(running + health)).says(200, statistics).says(200, docker_frame(1, "up\n"));
  const auto seen = engine.look(config());
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "unhealthy");
  EXPECT_EQ(evidence(seen, "web health check"), "exit code 7: curl: (7) refused ");
  EXPECT_EQ(evidence(seen, "web log"), "up");
  EXPECT_EQ(value(seen, "unhealthy"), 1);
  EXPECT_EQ(value(seen, "memory"), 800);
}

TEST(DockerImage, AnotherOneIsAFault) {
  Engine engine;
  engine.says(200, container_json(running));
  const auto seen = engine.look(config("container: web\nimage: 'shop/web:1.5'\nstatistics: false"));
  EXPECT_EQ(seen.reason, "wrong_image");
  EXPECT_EQ(seen.summary, "web is made from shop/web:1.4 instead of shop/web:1.5");
  EXPECT_EQ(value(seen, "wrong_image"), 1);
}

}  // namespace
}  // namespace vitald::probes
