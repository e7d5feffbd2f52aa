#include "probes/tail.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

TEST(Tail, HasTheLastLinesOldestFirst) {
  EXPECT_EQ(last_lines_of("one\ntwo\nthree\n", 2), "two\nthree");
  EXPECT_EQ(last_lines_of("one\ntwo", 8), "one\ntwo");
  EXPECT_EQ(last_lines_of("", 8), "");
}

TEST(Tail, LeavesOutBlankLinesAndCarriageReturns) {
  EXPECT_EQ(last_lines_of("one\r\n\r\n  \ntwo\r\n\n", 8), "one\ntwo");
}

TEST(Tail, MakesForeignBytesHarmlessAndLongLinesShort) {
  EXPECT_EQ(last_lines_of("\x1b[31mred\n", 1), "?[31mred");
  const std::string line = last_lines_of(std::string(5000, 'x'), 1);
  EXPECT_EQ(line, std::string(200, 'x') + "…");
}

TEST(Tail, OfAFileReadsItsEndOnly) {
  const vitald::testing::Folder folder;
  folder.write("/app.log", std::string(200'000, '\n') + "first\n" + std::string(70'000, ' ') + "\nlast\n");
  EXPECT_EQ(last_lines(folder.path() + "/app.log"), "last");
}

TEST(Tail, OfWhatIsNoReadableFileIsNothing) {
  const vitald::testing::Folder folder;
  folder.make("/folder");
  ASSERT_EQ(mkfifo((folder.path() + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(last_lines(folder.path() + "/absent"), "");
  EXPECT_EQ(last_lines(folder.path() + "/folder"), "");
  EXPECT_EQ(last_lines(folder.path() + "/fifo"), "");  // and it does not wait for a writer
}

}  // namespace
}  // namespace vitald::probes
