#include "probes/docker_json.hpp"

#include <gtest/gtest.h>

#include "config/units.hpp"
#include "tests/probes/docker_kit.hpp"

namespace vitald::probes {
namespace {

using vitald::testing::container_json;

TEST(DockerTime, IsReadWithFractionAndOffset) {
  const auto text = [](std::string_view given) {
    const auto at = docker::read_time(given);
    return at ? rfc3339(*at) : "none";
  };
  EXPECT_EQ(text("2026-11-28T10:00:00Z"), "2026-11-28T10:00:00.000Z");
  EXPECT_EQ(text("2026-11-28T10:00:00.123456789Z"), "2026-11-28T10:00:00.123Z");
  EXPECT_EQ(text("2026-11-28T10:00:00.5+01:00"), "2026-11-28T09:00:00.500Z");
  EXPECT_EQ(text("2026-11-28T10:00:00-03:30"), "2026-11-28T13:30:00.000Z");
  for (const auto* bad : {"", "0001-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
                          "2026-11-28 10:00:00Z", "2026-11-28T24:00:00Z", "2026-11-28T10:00:00",
                          "2026-11-28T10:00:00Zz", "2026-11-28T10:00:-1Z", "2026-11-28T10:00:00+1", "yesterday"})
    EXPECT_EQ(text(bad), "none") << bad;
}

TEST(DockerList, HoldsWhatComposeWrote) {
  const auto list = docker::read_list(R"([
    {"Id":"a1","Names":["/shop-web-1"],"Labels":{"com.docker.compose.service":"web","com.docker.compose.oneoff":"False",
     "com.docker.compose.container-number":"1","com.docker.compose.depends_on":"db:service_healthy:false"},
     "Mounts":[{"Id":"not this","Labels":{"com.docker.compose.service":"nor this"}}],"State":"running"},
    {"Id":"b2","Labels":{"com.docker.compose.service":"web","com.docker.compose.oneoff":"True"}},
    {"Names":["/without-an-id"]},
    {"Id":"c3","Labels":null}])");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->all, 4u);
  ASSERT_EQ(list->containers.size(), 3u);
  const auto& web = list->containers[0];
  EXPECT_EQ(web.id, "a1");
  EXPECT_EQ(web.service, "web");
  EXPECT_EQ(web.number, "1");
  EXPECT_EQ(web.depends_on, "db:service_healthy:false");
  EXPECT_FALSE(web.one_off);
  EXPECT_TRUE(list->containers[1].one_off);
  EXPECT_EQ(list->containers[2].service, "");
}

TEST(DockerList, IsBounded) {
  std::string many = "[";
  for (int i = 0; i < 60; ++i) many += std::string(i == 0 ? "" : ",") + R"({"Id":"x"})";
  const auto list = docker::read_list(many + "]");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->all, 60u);
  EXPECT_EQ(list->containers.size(), docker::most_containers);
  EXPECT_TRUE(docker::read_list("[]"));
  for (const auto& bad : {std::string(R"({"message":"no"})"), std::string("5"), std::string("[{]"), std::string(""),
                          std::string(100, '['), std::string("[]x")})
    EXPECT_FALSE(docker::read_list(bad)) << bad;
}

TEST(DockerContainer, HoldsStateHealthAndLimits) {
  const auto seen = docker::read_container(container_json(R"("Status":"running","StartedAt":"2026-11-28T10:00:00Z",
    "Health":{"Status":"unhealthy","FailingStreak":3,
              "Log":[{"ExitCode":0,"Output":"fine"},{"ExitCode":7,"Output":"curl"}]})",
                                                          R"("Memory":268435456,"NanoCpus":1500000000)"));
  ASSERT_TRUE(seen) << seen.failure().what;
  EXPECT_EQ(seen->name, "web");
  EXPECT_TRUE(seen->runs());
  EXPECT_EQ(seen->health, "unhealthy");
  EXPECT_EQ(seen->failed_in_a_row, 3);
  EXPECT_EQ(seen->health_output, "curl");
  EXPECT_EQ(seen->health_exit_code, 7);
  EXPECT_EQ(seen->memory_limit, 268435456);
  EXPECT_DOUBLE_EQ(seen->cpu_limit, 1.5);
  EXPECT_EQ(seen->image, "shop/web:1.4");
  EXPECT_FALSE(seen->finished);
  EXPECT_DOUBLE_EQ(
      docker::read_container(container_json(R"("Status":"running")", R"("CpuQuota":50000,"CpuPeriod":0)"))->cpu_limit,
      0.5);
}

TEST(DockerContainer, NoHealthCheckIsNoHealth) {
  for (const auto* health : {"", R"(,"Health":{"Status":""})", R"(,"Health":{"Status":"none"})"})
    EXPECT_EQ(docker::read_container(container_json(R"("Status":"running")" + std::string(health)))->health, "");
}

TEST(DockerContainer, IsRefusedWhereItIsNone) {
  for (const auto* bad : {"", "{}", "[]", R"({"Id":"a"})", R"({"Id":"a","State":"running"})", R"({"message":"no"})"})
    EXPECT_FALSE(docker::read_container(bad)) << bad;
}

TEST(DockerStatistics, CacheThatGoesIsNoMemory) {
  const auto v2 = docker::read_statistics(R"({"memory_stats":{"usage":1000,"limit":5000,"stats":{"inactive_file":200}},
    "cpu_stats":{"cpu_usage":{"total_usage":2500000000}},"pids_stats":{"current":3}})");
  ASSERT_TRUE(v2);
  EXPECT_EQ(v2->memory, 800);
  EXPECT_EQ(v2->cpu_seconds, 2.5);
  EXPECT_EQ(v2->processes, 3);
  const auto v1 = docker::read_statistics(
      R"({"memory_stats":{"usage":1000,"stats":{"inactive_file":1,"total_inactive_file":300}}})");
  EXPECT_EQ(v1->memory, 700);
  EXPECT_EQ(docker::read_statistics(R"({"memory_stats":{"usage":10,"stats":{"inactive_file":300}}})")->memory, 0);
}

TEST(DockerStatistics, WhatIsNotToldIsNotMeasured) {
  const auto nothing = docker::read_statistics(R"({"memory_stats":{},"cpu_stats":{"cpu_usage":{"total_usage":0}}})");
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->memory || nothing->cpu_seconds || nothing->processes);
  EXPECT_FALSE(docker::read_statistics(""));
}

}  // namespace
}  // namespace vitald::probes
