#include "probes/docker_trouble.hpp"

#include <gtest/gtest.h>

#include "tests/probes/docker_kit.hpp"

namespace vitald::probes {
namespace {

using vitald::testing::container_json;

docker::Config config() {
  docker::Config made;
  made.containers = {"web"};
  made.start_within = std::chrono::minutes(5);
  return made;
}

struct Spoken {
  const char* state;
  const char* reason;
  const char* words;
};

TEST(DockerTrouble, HasWordsForEveryState) {
  const Wall now = Wall{} + std::chrono::hours(24 * 20'000);
  for (const auto& each : {
           Spoken{R"("Status":"exited","ExitCode":137,"OOMKilled":true,"FinishedAt":"2024-10-03T23:57:00Z")",
                  "out_of_memory", "web exited with code 137 (killed for want of memory) 3 min ago"},
           Spoken{R"("Status":"exited","ExitCode":143,"FinishedAt":"2024-10-04T00:00:00Z")", "exited",
                  "web exited with code 143 (SIGTERM) just now"},
           Spoken{R"("Status":"exited","ExitCode":127,"Error":"exec: \"wbe\": not found")", "exited",
                  "web exited with code 127 (its command was not found): exec: \"wbe\": not found"},
           Spoken{R"("Status":"exited","ExitCode":0)", "exited", "web exited with code 0"},
           Spoken{R"("Status":"restarting","ExitCode":1)", "restarting",
                  "web does not stay up: it ended with code 1 and is being started again, after 0 restarts"},
           Spoken{R"("Status":"paused")", "paused", "web is paused"},
           Spoken{R"("Status":"dead")", "dead", "web is dead: the engine could not remove it"},
           Spoken{R"("Status":"created","Error":"port is already allocated")", "never_started",
                  "web was created, but never started: port is already allocated"},
           Spoken{R"("Status":"removing")", "removing", "web is being removed"},
           Spoken{R"("Status":"upside\u001bdown")", "not_running", "web is upside?down"},
           Spoken{R"("Status":"running","Health":{"Status":"unhealthy","FailingStreak":3})", "unhealthy",
                  "web is unhealthy: 3 failed health checks in a row"},
           Spoken{R"("Status":"running","StartedAt":"2024-10-03T23:50:00Z","Health":{"Status":"starting"})", "starting",
                  "web was started 10 min ago, and its health check has not succeeded yet"},
       }) {
    const auto container = docker::read_container(container_json(each.state));
    ASSERT_TRUE(container) << each.state;
    const auto trouble = docker::trouble_of(config(), {.name = "web", .service = "", .container = *container}, now);
    ASSERT_TRUE(trouble) << each.state;
    EXPECT_EQ(trouble->reason, each.reason);
    EXPECT_EQ(trouble->words, each.words);
  }
  const auto young = docker::read_container(
      container_json(R"("Status":"running","StartedAt":"2024-10-03T23:58:00Z","Health":{"Status":"starting"})"));
  EXPECT_FALSE(docker::trouble_of(config(), {.name = "web", .service = "", .container = *young}, now));
}

TEST(DockerImage, IsComparedAsTheEngineNamesIt) {
  docker::Container container;
  container.image = "docker.io/library/nginx";
  container.image_id = "sha256:9f8e";
  EXPECT_TRUE(docker::same_image("nginx", container));
  EXPECT_TRUE(docker::same_image("nginx:latest", container));
  EXPECT_TRUE(docker::same_image("sha256:9f8e", container));
  EXPECT_FALSE(docker::same_image("sha256:9f", container));
  EXPECT_FALSE(docker::same_image("nginx:1.25", container));
  container.image = "registry:5000/shop/web";
  EXPECT_TRUE(docker::same_image("registry:5000/shop/web:latest", container));
  container.image = "shop/web@sha256:11";
  EXPECT_TRUE(docker::same_image("docker.io/shop/web@sha256:11", container));
}

}  // namespace
}  // namespace vitald::probes
