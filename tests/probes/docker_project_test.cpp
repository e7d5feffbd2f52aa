// The docker probe on a compose project, and on engines that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/docker.hpp"
#include "probes/docker_client.hpp"
#include "tests/probes/docker_kit.hpp"
#include "tests/support/docker_frames.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using vitald::testing::container_json;
using vitald::testing::docker_frame;
using vitald::testing::fails_at_every_step;
using vitald::testing::FakeNetwork;
using vitald::testing::http_reply;
using vitald::testing::parse_yaml;
using vitald::testing::Script;
using vitald::testing::ScriptedNetwork;
using vitald::testing::Surroundings;

docker::Config config(const std::string& more = "") {
  const auto parsed = parse_yaml(docker::parse, "compose: shop\nstatistics: false\nlog_lines: 0\n" + more);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

/// What `docker compose` makes: a list, and each container as it is.
class Project {
 public:
  Project& has(const std::string& service, const std::string& state, const std::string& depends_on = "",
               const std::string& one_off = "False") {
    const std::string id = "id" + std::to_string(containers_.size());
    list_ += std::string(list_.empty() ? "" : ",") + R"({"Id":")" + id +
             R"(","Labels":{"com.docker.compose.service":")" + service + R"(","com.docker.compose.oneoff":")" +
             one_off + R"(","com.docker.compose.depends_on":")" + depends_on + "\"}}";
    auto json = container_json(state, R"("Memory":0)", R"("Name":"/shop-)" + service + R"(-1","RestartCount":0)");
    json.replace(json.find("a1b2c3"), 6, id);
    if (one_off == "False") containers_.push_back(json);
    return *this;
  }
  Observation look(const docker::Config& check) {
    network.answer({http_reply(200, "[" + list_ + "]")});
    for (const auto& each : containers_) network.answer({http_reply(200, each)});
    around.network = &network;
    return docker::judge(check, around.run(docker::run, check));
  }
  FakeNetwork network;
  Surroundings around;

 private:
  std::string list_;
  std::vector<std::string> containers_;
};

const std::string up = R"("Status":"running","StartedAt":"2024-10-03T23:00:00Z")";
const std::string healthy = up + R"(,"Health":{"Status":"healthy"})";
const std::string unhealthy = up + R"(,"Health":{"Status":"unhealthy","FailingStreak":2})";
const std::string down = R"("Status":"exited","ExitCode":1)";
const std::string done = R"("Status":"exited","ExitCode":0)";

const Sample& find(const Observation& seen, std::string_view name) {
  for (const Sample& sample : seen.samples)
    if (sample.name == name) return sample;
  static const Sample none;
  return none;
}

TEST(DockerProject, AllOfItRuns) {
  Project project;
  const auto seen = project.has("web", healthy).has("db", up).look(config());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "2 of 2 containers of shop run, 1 healthy");
  EXPECT_EQ(find(seen, "running").value, 2);
  EXPECT_EQ(find(seen, "running").maximum, 2);
  EXPECT_EQ(find(seen, "not_running").value, 0);
  EXPECT_EQ(find(seen, "not_running").says, "");
  EXPECT_THAT(project.network.sent, StartsWith("GET /containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.docker."
                                               "compose.project%3Dshop%22%5D%7D HTTP/1.1\r\n"));
}

TEST(DockerProject, SomeOfItDownIsALimitsMatter) {
  Project project;
  const auto seen = project.has("web", up).has("db", down).has("cache", unhealthy).look(config());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(find(seen, "not_running").value, 1);
  EXPECT_EQ(find(seen, "not_running").says, "shop-db-1 exited with code 1; 2 of 3 containers of shop run");
  EXPECT_EQ(find(seen, "unhealthy").value, 1);
  EXPECT_EQ(find(seen, "unhealthy").says,
            "shop-cache-1 is unhealthy: 2 failed health checks in a row; 2 of 3 containers of shop run");
}

TEST(DockerProject, AllOfItDownIsWrong) {
  Project project;
  const auto seen = project.has("web", down).has("db", R"("Status":"paused")").look(config());
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "project_down");
  EXPECT_EQ(seen.summary, "nothing of the compose project shop runs: shop-web-1 exited with code 1, and 1 more");
}

TEST(DockerProject, NoneOfItIsThere) {
  Project project;
  const auto seen = project.look(config());
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "project_missing");
  Project expected;
  EXPECT_EQ(expected.look(config("services: [ web, db ]")).reason, "project_down");
}

TEST(DockerProject, ServicesThatAreExpectedMustBeThere) {
  Project project;
  const auto seen = project.has("web", up).has("debug", down).look(config("services: [ web, db ]"));
  EXPECT_EQ(find(seen, "not_running").value, 1) << "a service that nobody named is none of the check's";
  EXPECT_EQ(find(seen, "not_running").says, "the service db has no container; 1 of 2 containers of shop run");
}

TEST(DockerProject, WhatOthersWaitForMayEnd) {
  Project project;
  const auto seen = project.has("web", up, "db:service_started:true,migrate:service_completed_successfully:false")
                        .has("migrate", done)
                        .look(config());
  EXPECT_EQ(seen.summary, "1 of 1 container of shop runs");
  EXPECT_EQ(find(seen, "not_running").value, 0);
  Project failed;
  const auto bad =
      failed.has("web", up, "migrate:service_completed_successfully:false").has("migrate", down).look(config());
  EXPECT_EQ(find(bad, "not_running").value, 1);
  Project another;
  const auto unasked =
      another.has("web", up, "premigrate:service_completed_successfully:false").has("migrate", done).look(config());
  EXPECT_EQ(find(unasked, "not_running").value, 1);
}

TEST(DockerProject, WhatSomebodyRunsOnceIsNoneOfIt) {
  Project project;
  const auto seen = project.has("web", up).has("web", down, "", "True").look(config());
  EXPECT_EQ(find(seen, "running").maximum, 1);
}

TEST(DockerProject, OneThatVanishesMeanwhileIsLeftOut) {
  FakeNetwork network;
  network.answer({http_reply(200, R"([{"Id":"x","Labels":{"com.docker.compose.service":"web"}}])")});
  network.answer({http_reply(404, R"({"message":"No such container: x"})")});
  Surroundings around;
  around.network = &network;
  EXPECT_TRUE(around.run(docker::run, config()).seen.empty());
}

TEST(DockerProject, ImagesAreThoseOfServices) {
  Project project;
  const auto seen =
      project.has("web", up).has("db", up).look(config("images: { web: 'shop/web:2', db: 'shop/web:1.4' }"));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(find(seen, "wrong_image").value, 1);
  EXPECT_EQ(find(seen, "wrong_image").says, "shop-web-1 is made from shop/web:1.4 instead of shop/web:2");
}

TEST(DockerProject, ALargeListIsReadOnAWorker) {
  Project project;
  project.has("web", up).has("db", up, std::string(70'000, 'x'));
  EXPECT_EQ(find(project.look(config()), "running").value, 2);
  EXPECT_THAT(project.around.workers.keys, ::testing::ElementsAre("answers of /var/run/docker.sock"));
}

TEST(DockerProject, OfManyContainersTheFirstAreLookedAt) {
  Project project;
  for (int i = 0; i < 50; ++i) project.has("web", up);
  project.has("web", up, "", "True").has("web", up, "", "True");
  const auto seen = project.look(config());
  EXPECT_EQ(find(seen, "running").value, 50);
  const auto& lines = seen.evidence;
  EXPECT_THAT(lines.at(1).text, HasSubstr("\nand 39 more"));
  EXPECT_EQ(lines.at(2).text, "2 containers beyond the first 50");
}

ProbeFailure failure(int status, const std::string& body) {
  FakeNetwork network;
  network.answer({http_reply(status, body)});
  Surroundings around;
  around.network = &network;
  try {
    around.run(docker::run, config());
  } catch (const ProbeFailure& thrown) {
    return thrown;
  }
  return ProbeFailure(Outcome::answered, "none", "");
}

TEST(DockerEngine, OneThatIsNoneOrRefusesIsToldApart) {
  EXPECT_EQ(failure(200, "<html>").reason, "bad_reply");
  EXPECT_EQ(failure(404, "<html>").reason, "bad_reply");
  EXPECT_EQ(failure(404, "<html>").outcome, Outcome::wrong);
  EXPECT_EQ(failure(500, R"({"message":"layer store is broken"})").reason, "engine_error");
  EXPECT_STREQ(failure(500, R"({"message":"layer store is broken"})").what(),
               "the engine answers the list of containers with 500: layer store is broken");
  const auto closed = failure(403, "<html>Forbidden</html>");
  EXPECT_EQ(closed.outcome, Outcome::unmeasured);
  EXPECT_EQ(closed.reason, "not_allowed");
  EXPECT_THAT(closed.remedy, HasSubstr("CONTAINERS=1"));
  EXPECT_EQ(failure(400, R"({"message":"client version 1.12 is too old"})").reason, "bad_version");
  EXPECT_EQ(failure(200, std::string((4 << 20) + 10, ' ')).reason, "too_large");
}

TEST(DockerEngine, ASocketThatIsClosedToUsHasARemedy) {
  FakeNetwork network;
  network.refuse(ProbeFailure(Outcome::unmeasured, "denied:/var/run/docker.sock", "vitald may not connect", "setfacl"));
  Surroundings around;
  around.network = &network;
  try {
    around.run(docker::run, config());
    FAIL();
  } catch (const ProbeFailure& thrown) {
    EXPECT_EQ(thrown.reason, "denied:/var/run/docker.sock");
    EXPECT_EQ(thrown.outcome, Outcome::unmeasured);
    EXPECT_THAT(thrown.remedy, HasSubstr("SupplementaryGroups=docker"));
    EXPECT_THAT(thrown.remedy, HasSubstr("docs/rights.md"));
  }
}

TEST(DockerEngine, FailsAtEveryStep) {
  const auto answer = [](int status, const std::string& body) {
    return Script().expect_something().reply(http_reply(status, body));
  };
  const auto list = answer(200, R"([{"Id":"x","Labels":{"com.docker.compose.service":"web"}}])");
  const auto container = answer(200, container_json(unhealthy));
  const auto steps = fails_at_every_step({list, container, answer(200, "{}"), answer(200, docker_frame(1, "up\n"))},
                                         [](ScriptedNetwork& network) -> awaitable<void> {
                                           static const auto check = parse_yaml(docker::parse, "compose: shop").config;
                                           Surroundings around;
                                           around.network = &network;
                                           auto context = around.context();
                                           co_await docker::run(context, check);
                                         });
  EXPECT_EQ(steps, 4 * 3);
}

}  // namespace
}  // namespace vitald::probes
