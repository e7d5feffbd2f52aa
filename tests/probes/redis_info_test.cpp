#include "probes/redis_info.hpp"

#include <gtest/gtest.h>

namespace vitald::probes::redis {
namespace {

TEST(RedisInfo, ReadsLinesAndNothingElse) {
  const auto info = Info::parse(
      "# Server\r\nredis_version:7.0.15\r\nconfig_file:\r\nexecutable:/a:b\r\n\r\nno colon\r\n"
      "used_memory:916904\r\nused_memory:1\r\nmem_fragmentation_ratio:7.61\r\nbare:5\nlast:end");
  EXPECT_FALSE(info.empty());
  EXPECT_EQ(info.text("redis_version"), "7.0.15");
  EXPECT_EQ(info.text("executable"), "/a:b");
  EXPECT_EQ(info.text("config_file"), "");
  EXPECT_EQ(info.text("last"), "end");
  EXPECT_EQ(info.text("absent"), "");
  EXPECT_EQ(info.number("used_memory"), 916904);
  EXPECT_EQ(info.number("mem_fragmentation_ratio"), 7.61);
  EXPECT_EQ(info.number("bare"), 5);
  EXPECT_EQ(info.number("redis_version"), std::nullopt);
  EXPECT_EQ(info.number("absent"), std::nullopt);
  EXPECT_TRUE(Info::parse("").empty());
  EXPECT_TRUE(Info::parse("# Only\r\n# headings\r\n").empty());
}

TEST(RedisInfo, WhatIsNoNumberIsNone) {
  const auto info = Info::parse("a:nan\r\nb:-nan\r\nc:inf\r\nd:12x\r\ne:-1\r\nf:1e999\r\ng:\r\nh:0x10\r\n");
  for (const auto* key : {"a", "b", "c", "d", "f", "g", "h"}) EXPECT_EQ(info.number(key), std::nullopt) << key;
  EXPECT_EQ(info.number("e"), -1);
  EXPECT_EQ(info.amount("e"), std::nullopt);
}

TEST(RedisInfo, ReadsTheReplicasOfAPrimary) {
  const auto info = Info::parse(
      "role:master\r\nslave0:ip=192.0.2.8,port=6379,state=online,offset=1200,lag=1\r\n"
      "slave1:ip=2001:db8::8,port=6380,state=wait_bgsave,offset=0,lag=0\r\nslave3:ip=never,port=1\r\n");
  EXPECT_FALSE(info.replica());
  const auto replicas = info.replicas();
  ASSERT_EQ(replicas.size(), 2u);
  EXPECT_EQ(replicas[0].name, "192.0.2.8:6379");
  EXPECT_EQ(replicas[0].state, "online");
  EXPECT_EQ(replicas[0].offset, 1200);
  EXPECT_EQ(replicas[0].lag_seconds, 1);
  EXPECT_EQ(replicas[1].name, "[2001:db8::8]:6380");
  EXPECT_EQ(replicas[1].state, "wait_bgsave");
  EXPECT_TRUE(Info::parse("role:slave\r\n").replica());
}

TEST(RedisInfo, IsBounded) {
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "key" + std::to_string(i) + ":1\n";
  const auto info = Info::parse(many);
  EXPECT_EQ(info.text("key3999"), "1");
  EXPECT_EQ(info.text("key4000"), "");
  EXPECT_EQ(Info::parse("a:" + std::string(511, 'x')).text("a"), "");
  EXPECT_EQ(Info::parse("a:" + std::string(510, 'x')).text("a").size(), 510u);
  std::string replicas;
  for (int i = 0; i < 100; ++i) replicas += "slave" + std::to_string(i) + ":ip=a,port=1\n";
  EXPECT_EQ(Info::parse(replicas).replicas().size(), 25u);
  EXPECT_EQ(Info::parse("slave0:ip=\x1b[31m,port=\xff").replicas()[0].name, "?[31m:?");
}

}  // namespace
}  // namespace vitald::probes::redis
