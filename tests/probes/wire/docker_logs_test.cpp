#include "probes/wire/docker_logs.hpp"

#include <gtest/gtest.h>

#include "tests/support/docker_frames.hpp"

namespace vitald::wire {
namespace {

using vitald::testing::docker_frame;

TEST(DockerLogs, BothStreamsInTheirOrder) {
  const auto text = docker_log_text(docker_frame(1, "out\n") + docker_frame(2, "err\n") + docker_frame(1, "") +
                                    docker_frame(1, std::string(70'000, 'x')));
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "out\nerr\n" + std::string(70'000, 'x'));
  EXPECT_EQ(*docker_log_text(""), "");
}

TEST(DockerLogs, AFrameThatIsCutGivesWhatThereIs) {
  const auto whole = docker_frame(1, "first\n") + docker_frame(2, "second");
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto text = docker_log_text(whole.substr(0, size));
    ASSERT_TRUE(text) << size;
    EXPECT_EQ(std::string("first\nsecond").substr(0, text->size()), *text);
  }
  std::string longer = docker_frame(1, "rest");
  longer[4] = '\xff';
  EXPECT_EQ(*docker_log_text(longer), "rest");
}

TEST(DockerLogs, TheBytesOfATerminalAreNoFrames) {
  for (const auto* text : {"hello from a terminal\r\n", "h", "\1\1\1\1\1\1\1\1"})
    EXPECT_FALSE(docker_log_text(text)) << text;
  EXPECT_FALSE(docker_log_text(docker_frame(1, "good\n") + "and then no frame"));
}

}  // namespace
}  // namespace vitald::wire
