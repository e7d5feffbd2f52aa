#include "probes/helper.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/statvfs.h>

#include <fstream>

#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using vitald::testing::finish;
using namespace std::chrono_literals;

/// The process whose parent is this one and whose name is the helper's.
int helper_pid() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    int pid = 0, parent = 0;
    std::string name, state;
    if (file >> pid >> name >> state >> parent && parent == getpid() && name == "(vitald-helper)" && state != "Z")
      return pid;
  }
  return 0;
}

std::string reason_of(boost::asio::io_context& loop, Helper& helper, const std::string& path, Duration patience = 10s) {
  try {
    finish(loop, helper.statvfs(path, patience));
  } catch (const ProbeFailure& failure) {
    return failure.reason;
  }
  return "";
}

TEST(Helper, AnswersWhatStatvfsSays) {
  auto process = HelperProcess::fork();
  boost::asio::io_context loop;
  const auto helper = std::move(process).attach(loop.get_executor());
  const auto use = finish(loop, helper->statvfs("/proc", 10s));
  EXPECT_EQ(use.size, 0u);
  const auto root = finish(loop, helper->statvfs("/", 10s));
  struct statvfs expected;
  ASSERT_EQ(statvfs("/", &expected), 0);
  EXPECT_EQ(root.size, std::uint64_t{expected.f_blocks} * expected.f_frsize);
  EXPECT_EQ(root.inodes, expected.f_files);
}

TEST(Helper, ABrokenPathIsTheTargetsFault) {
  auto process = HelperProcess::fork();
  boost::asio::io_context loop;
  const auto helper = std::move(process).attach(loop.get_executor());
  EXPECT_EQ(reason_of(loop, *helper, "/no/such/mount"), "mount_broken");
  EXPECT_EQ(reason_of(loop, *helper, std::string(5000, 'x')), "statvfs_failed");
  EXPECT_EQ(reason_of(loop, *helper, "/"), "");
}

TEST(Helper, AHangingCallIsStuckAndTheNextForThatPathSaysSoAtOnceWhileOthersWork) {
  auto process = HelperProcess::fork();
  boost::asio::io_context loop;
  const auto helper = std::move(process).attach(loop.get_executor());
  finish(loop, helper->statvfs("/", 10s));  // it has its name by now
  const int pid = helper_pid();
  ASSERT_GT(pid, 0);
  kill(pid, SIGSTOP);  // from here every call hangs, as on a dead mount
  EXPECT_EQ(reason_of(loop, *helper, "/", 1ms), "mount_stuck");
  EXPECT_EQ(reason_of(loop, *helper, "/", 1h), "mount_stuck");
  kill(pid, SIGCONT);
  EXPECT_EQ(reason_of(loop, *helper, "/proc"), "");
  // The late answer for / has arrived before that of /proc, or will shortly: then the path is free again.
  while (reason_of(loop, *helper, "/") == "mount_stuck") loop.run_one();
}

TEST(Helper, AKilledHelperIsOursToReport) {
  auto process = HelperProcess::fork();
  boost::asio::io_context loop;
  const auto helper = std::move(process).attach(loop.get_executor());
  finish(loop, helper->statvfs("/", 10s));
  kill(helper_pid(), SIGKILL);
  EXPECT_EQ(reason_of(loop, *helper, "/"), "helper_gone");
  EXPECT_EQ(reason_of(loop, *helper, "/"), "helper_gone");
}

TEST(Helper, SignalsMeantForTheDaemonDoNotEndIt) {
  auto process = HelperProcess::fork();
  boost::asio::io_context loop;
  const auto helper = std::move(process).attach(loop.get_executor());
  finish(loop, helper->statvfs("/", 10s));
  const int pid = helper_pid();
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) kill(pid, number);
  EXPECT_EQ(reason_of(loop, *helper, "/"), "");
  EXPECT_EQ(helper_pid(), pid);
}

TEST(Helper, HoldsNoDescriptorOfOursAndEndsWithItsOwner) {
  int pid = 0;
  {
    auto process = HelperProcess::fork();
    boost::asio::io_context loop;
    const auto helper = std::move(process).attach(loop.get_executor());
    finish(loop, helper->statvfs("/", 10s));
    pid = helper_pid();
    int open = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
      EXPECT_LE(std::stoi(entry.path().filename()), 3);
      ++open;
    }
    EXPECT_EQ(open, 4);  // /dev/null three times, and the socket
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(StatvfsFailure, TellsOurTroubleFromTheMounts) {
  EXPECT_EQ(statvfs_failure("/srv", EACCES).outcome, Outcome::unmeasured);
  EXPECT_EQ(statvfs_failure("/srv", EACCES).reason, "denied:/srv");
  EXPECT_EQ(statvfs_failure("/srv", ENOMEM).outcome, Outcome::unmeasured);
  EXPECT_EQ(statvfs_failure("/srv", EIO).outcome, Outcome::refused);
  EXPECT_STREQ(statvfs_failure("/srv", ESTALE).what(), "/srv does not work: Stale file handle");
}

}  // namespace
}  // namespace vitald::probes
