// Programs of the host and scripts made here, run by a real helper process and its wardens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <fstream>
#include <thread>

#include "probes/helper.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using testing::finish;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

/// True once `condition` holds; false when it does not within ten seconds.
template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

/// Neither there nor a zombie.
bool gone(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  return !std::getline(file, text) || text.substr(text.rfind(')')).starts_with(") Z");
}

std::vector<int> pids_in(const std::string& path) {
  std::vector<int> pids;
  std::ifstream file(path);
  for (int pid = 0; file >> pid;) pids.push_back(pid);
  return pids;
}

class HelperPrograms : public ::testing::Test {
 protected:
  HelperPrograms() : process_(HelperProcess::fork()), helper_(std::move(process_).attach(loop_.get_executor())) {}

  std::string script(const std::string& body, const std::string& name = "/script", mode_t mode = 0755) {
    folder_.write(name, "#!/bin/sh\n" + body);
    chmod((folder_.path() + name).c_str(), mode);
    return folder_.path() + name;
  }
  ProgramEnd run(ProgramStart start, Duration patience = 60s) {
    return finish(loop_, helper_->run_program(std::move(start), patience));
  }
  ProgramEnd run_script(const std::string& body, Duration patience = 60s, Duration kill_after = 10ms) {
    return run({.arguments = {script(body)}, .environment = environment_, .kill_after = kill_after}, patience);
  }
  /// Runs the script with ever more patience until it has written so many numbers to the mark before it was ended.
  ProgramEnd late_run(std::size_t numbers, Duration kill_after = 10ms) {
    const ProgramStart start{
        .arguments = {folder_.path() + "/script"}, .environment = environment_, .kill_after = kill_after};
    for (Duration patience = 100ms;; patience *= 2) {
      try {
        const auto end = run(start, patience);
        EXPECT_EQ(end.fate, ProgramFate::late);
        if (pids_in(mark_).size() >= numbers) return end;
      } catch (const ProbeFailure& failure) {
        EXPECT_TRUE(failure.reason == "helper_busy" || failure.reason == "earlier_run:" + start.arguments.front());
      }
    }
  }
  std::string reason_of(ProgramStart start, Duration patience = 60s) {
    try {
      run(std::move(start), patience);
    } catch (const ProbeFailure& failure) {
      EXPECT_EQ(failure.outcome, Outcome::unmeasured);
      last_ = failure.what();
      return failure.reason;
    }
    return "";
  }
  std::string reason_of(const std::string& path) {
    return reason_of(ProgramStart{.arguments = {path}, .environment = environment_});
  }

  boost::asio::io_context loop_;
  HelperProcess process_;
  std::unique_ptr<Helper> helper_;
  testing::Folder folder_;
  std::vector<std::pair<std::string, std::string>> environment_{{"PATH", "/usr/bin:/bin"}};
  std::string mark_ = folder_.path() + "/mark";
  std::string last_;
};

TEST_F(HelperPrograms, TellsHowItEndedAndWhatItWrote) {
  const auto end = run_script("echo out; echo err >&2; exit 7");
  EXPECT_EQ(end.fate, ProgramFate::exited);
  EXPECT_EQ(end.code, 7);
  EXPECT_EQ(end.out.text(), "out\n");
  EXPECT_EQ(end.err.text(), "err\n");
  EXPECT_EQ(end.left_behind, 0u);
}

TEST_F(HelperPrograms, HandsOnEveryByteOfAnArgumentAndNoShellReadsThem) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  const auto end = run({.arguments = {"/usr/bin/printf", "%s|", all, "$(id) ; *", ""}, .environment = environment_});
  EXPECT_EQ(end.out.text(), all + "|$(id) ; *||");
}

TEST_F(HelperPrograms, LetsNothingOfTheDaemonThrough) {
  setenv("VITALD_TEST_LEAK", "1", 1);
  const int open = ::open("/etc/passwd", O_RDONLY);  // without close-on-exec
  auto end = run({.arguments = {"/usr/bin/env"}, .environment = {{"A", "b=c"}}});
  EXPECT_EQ(end.out.text(), "A=b=c\n");
  end = run_script(
      "cd /proc/$$/fd && echo *; pwd -P >&2; cat; umask; echo $(grep -E 'NoNewPrivs|SigIgn|SigBlk' ../status)");
  EXPECT_THAT(end.out.text(), HasSubstr("0 1 10 2 3\n0077\n"));  // 10 is how dash holds the script, 3 the listing
  EXPECT_THAT(end.out.text(), HasSubstr("NoNewPrivs: 1"));
  EXPECT_THAT(end.out.text(), HasSubstr("SigBlk: 0000000000000000 SigIgn: 0000000000000000"));
  end = run({.arguments = {"/usr/bin/ls", "/proc/self/fd"}, .environment = {}});
  EXPECT_EQ(end.out.text(), "0\n1\n2\n3\n");  // 3 is the folder that ls reads
  end = run({.arguments = {"/usr/bin/pwd"}, .environment = {}, .working_directory = "/usr"});
  EXPECT_EQ(end.out.text(), "/usr\n");
  close(open);
}

TEST_F(HelperPrograms, ASignalIsNoExit) {
  const auto end = run_script("kill -SEGV $$");
  EXPECT_EQ(end.fate, ProgramFate::signalled);
  EXPECT_EQ(end.code, SIGSEGV);
}

TEST_F(HelperPrograms, KeepsBeginningAndEndOfMuchOutput) {
  const auto end = run_script("echo first; head -c 5000000 /dev/zero | tr '\\0' x; echo; echo last");
  EXPECT_EQ(end.fate, ProgramFate::exited);
  EXPECT_TRUE(end.out.head.starts_with("first\n"));
  EXPECT_TRUE(end.out.tail.ends_with("x\nlast\n"));
  EXPECT_EQ(end.out.head.size() + end.out.tail.size() + end.out.dropped, 5000012u);
  EXPECT_EQ(end.out.head.size() + end.out.tail.size(), 64u * 1024);
}

TEST_F(HelperPrograms, EndsOneThatWritesWithoutEnd) {
  const auto end = run({.arguments = {"/usr/bin/yes"}, .environment = environment_, .kill_after = 10ms});
  EXPECT_EQ(end.fate, ProgramFate::flooded);
  EXPECT_GT(end.out.dropped, 60u * 1024 * 1024);
}

TEST_F(HelperPrograms, EndsOneThatIsLateAndTellsWhatItWroteUntilThen) {
  script("echo begun; echo $$ >> " + mark_ + "; exec sleep 1000");
  EXPECT_EQ(late_run(1).out.text(), "begun\n");
  EXPECT_TRUE(soon([&] { return gone(pids_in(mark_).back()); }));
}

TEST_F(HelperPrograms, WhatOneSaysOnSigtermDoesNotCount) {
  script("trap 'exit 0' TERM; echo $$ >> " + mark_ + "; while :; do sleep 0.01; done");
  EXPECT_EQ(late_run(1, 10s).fate, ProgramFate::late);
}

TEST_F(HelperPrograms, KillsOneThatIgnoresSigtermAndTheNextRunWaitsForThat) {
  script("trap '' TERM; echo $$ >> " + mark_ + "; while :; do sleep 1; done");
  late_run(1, 300ms);
  const int first = pids_in(mark_).front();
  const std::size_t begun = pids_in(mark_).size();
  late_run(begun + 1, 300ms);
  EXPECT_TRUE(gone(first));  // before the second began
  EXPECT_TRUE(soon([&] { return gone(pids_in(mark_).back()); }));
}

TEST_F(HelperPrograms, DoesNotWaitForGrandchildrenThatHoldThePipeAndEndsThem) {
  const auto end = run_script("sleep 1000 & echo $! > " + mark_ + "; echo done");
  EXPECT_EQ(end.fate, ProgramFate::exited);
  EXPECT_EQ(end.out.text(), "done\n");
  EXPECT_EQ(end.left_behind, 1u);
  EXPECT_TRUE(gone(pids_in(mark_).at(0)));
}

TEST_F(HelperPrograms, ADaemonThatMadeASessionOfItsOwnDoesNotGetAway) {
  const auto end = run_script("setsid sh -c 'setsid sleep 1000 & echo $! >> " + mark_ + "; echo $$ >> " + mark_ +
                              "; sleep 1000' & until [ -s " + mark_ + " ]; do sleep 0.01; done; exit 0");
  EXPECT_EQ(end.code, 0);
  for (const int pid : pids_in(mark_)) EXPECT_TRUE(gone(pid)) << pid;
  EXPECT_GE(end.left_behind, 2u);
}

TEST_F(HelperPrograms, BuriesAStormOfZombies) {
  const auto end = run_script("i=0; while [ $i -lt 300 ]; do (: &); i=$((i+1)); done; echo stormed");
  EXPECT_EQ(end.out.text(), "stormed\n");
  EXPECT_EQ(end.code, 0);
}

TEST_F(HelperPrograms, ACancelledRunEndsTheProgram) {
  boost::asio::cancellation_signal signal;
  bool ended = false;
  const ProgramStart start{.arguments = {script("echo $$ > " + mark_ + "; exec sleep 1000")},
                           .environment = environment_,
                           .kill_after = 10ms};
  boost::asio::co_spawn(loop_, helper_->run_program(start, 1h),
                        boost::asio::bind_cancellation_slot(
                            signal.slot(), [&](std::exception_ptr error, ProgramEnd) { ended = error != nullptr; }));
  EXPECT_TRUE(soon([&] { return loop_.poll() < 1000 && !pids_in(mark_).empty(); }));
  signal.emit(boost::asio::cancellation_type::terminal);
  EXPECT_TRUE(soon([&] { return loop_.poll() < 1000 && ended; }));
  EXPECT_TRUE(soon([&] { return gone(pids_in(mark_).at(0)); }));
}

TEST_F(HelperPrograms, TheEndOfTheDaemonsSideEndsTheProgram) {
  const ProgramStart start{.arguments = {script("sleep 1000 & echo $$ $! > " + mark_ + "; exec sleep 1000")},
                           .environment = environment_,
                           .kill_after = 10ms};
  {
    boost::asio::io_context loop;
    auto process = HelperProcess::fork();
    const auto helper = std::move(process).attach(loop.get_executor());
    boost::asio::co_spawn(loop, helper->run_program(start, 1h), [](std::exception_ptr, ProgramEnd) {});
    EXPECT_TRUE(soon([&] { return loop.poll() < 1000 && pids_in(mark_).size() == 2; }));
  }
  for (const int pid : pids_in(mark_)) EXPECT_TRUE(soon([&] { return gone(pid); })) << pid;
}

TEST_F(HelperPrograms, SaysWhyAProgramWasNotStarted) {
  EXPECT_EQ(reason_of("/no/such/program"), "missing:/no");
  EXPECT_EQ(last_, "/no is not there");
  EXPECT_EQ(reason_of("/usr/bin/no-such-program"), "missing:/usr/bin/no-such-program");
  EXPECT_EQ(reason_of("/usr/bin"), "not_a_file:/usr/bin");
  EXPECT_EQ(reason_of("/usr/bin/env/x"), "not_a_file:/usr/bin/env");
  EXPECT_EQ(reason_of(script("", "/not-executable", 0644)), "denied:" + folder_.path() + "/not-executable");
  EXPECT_EQ(reason_of("/"), "not_a_file:/");
  folder_.write("/text", "no program\n");
  chmod((folder_.path() + "/text").c_str(), 0755);
  EXPECT_EQ(reason_of(folder_.path() + "/text"), "no_format:" + folder_.path() + "/text");
  folder_.write("/odd", "#!/no/such/interpreter\n");
  chmod((folder_.path() + "/odd").c_str(), 0755);
  EXPECT_EQ(reason_of(folder_.path() + "/odd"), "no_interpreter:" + folder_.path() + "/odd");
  EXPECT_EQ(reason_of(ProgramStart{.arguments = {"/usr/bin/env"}, .environment = {}, .working_directory = "/no"}),
            "working_directory:/no");
}

TEST_F(HelperPrograms, RefusesWhatOthersMayWriteTo) {
  const std::string path = script("echo run");
  EXPECT_EQ(reason_of(path), "");
  for (const mode_t mode : {0775u, 0757u, 0777u}) {
    chmod(path.c_str(), mode);
    EXPECT_EQ(reason_of(path), "unsafe:" + path) << mode;
    EXPECT_THAT(last_, HasSubstr("may be written by others than its owner"));
  }
  for (const mode_t mode : {04755u, 02755u}) {
    chmod(path.c_str(), mode);
    EXPECT_EQ(reason_of(path), "setuid:" + path) << mode;
  }
  chmod(path.c_str(), 0755);
  folder_.make("/open");
  const std::string inner = script("echo run", "/open/script");
  EXPECT_EQ(reason_of(inner), "");
  chmod((folder_.path() + "/open").c_str(), 0777);
  EXPECT_EQ(reason_of(inner), "unsafe:" + folder_.path() + "/open");
  chmod((folder_.path() + "/open").c_str(), 01777);  // as /tmp: nobody may replace what is not his own
  EXPECT_EQ(reason_of(inner), "");
  chmod((folder_.path() + "/open").c_str(), 0777);
  std::filesystem::create_symlink(inner, folder_.path() + "/link");
  EXPECT_EQ(reason_of(folder_.path() + "/link"), "unsafe:" + folder_.path() + "/open");
  std::filesystem::create_symlink("loop", folder_.path() + "/loop");
  EXPECT_EQ(reason_of(folder_.path() + "/loop"), "not_started:" + folder_.path() + "/loop");
  if (geteuid() != 0) return;
  ASSERT_EQ(chown(path.c_str(), 12345, 0), 0);
  EXPECT_EQ(reason_of(path), "unsafe:" + path);
  EXPECT_THAT(last_, HasSubstr("belongs to user 12345"));
}

TEST_F(HelperPrograms, FollowsLinksOfTrustedFolders) {
  std::filesystem::create_symlink("/usr/bin/env", folder_.path() + "/absolute");
  script("echo run", "/real");
  std::filesystem::create_symlink("../" + std::filesystem::path(folder_.path()).filename().string() + "/real",
                                  folder_.path() + "/relative");
  EXPECT_EQ(run({.arguments = {folder_.path() + "/absolute"}, .environment = {{"A", "1"}}}).out.text(), "A=1\n");
  EXPECT_EQ(run({.arguments = {folder_.path() + "/relative"}, .environment = {}}).out.text(), "run\n");
}

TEST_F(HelperPrograms, ManyAtATimeWaitForEachOther) {
  std::size_t ended = 0;
  const ProgramStart start{.arguments = {script("sleep 0.1; echo done")}, .environment = environment_};
  for (int i = 0; i < 60; ++i) {
    ProgramStart mine = start;
    mine.arguments.push_back(std::to_string(i));
    boost::asio::co_spawn(loop_, helper_->run_program(std::move(mine), 5min),
                          [&](std::exception_ptr error, ProgramEnd end) {
                            if (!error && end.out.text() == "done\n") ended += 1;
                          });
  }
  loop_.run();
  EXPECT_EQ(ended, 60u);
}

TEST_F(HelperPrograms, AHelperThatStandsStillIsOursToReportAndAKilledOneToo) {
  finish(loop_, helper_->statvfs("/", 10s));
  const auto helper_pid = [] {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "stat");
      int pid = 0, parent = 0;
      std::string name, state;
      if (file >> pid >> name >> state >> parent && parent == getpid() && name == "(vitald-helper)" && state != "Z")
        return pid;
    }
    return 0;
  };
  const int pid = helper_pid();
  ASSERT_GT(pid, 0);
  kill(pid, SIGSTOP);
  EXPECT_EQ(reason_of(ProgramStart{.arguments = {"/usr/bin/env"}, .environment = {}}, 50ms), "helper_busy");
  kill(pid, SIGCONT);
  EXPECT_EQ(run({.arguments = {"/usr/bin/env"}, .environment = {{"A", "1"}}}).out.text(), "A=1\n");
  kill(pid, SIGKILL);
  EXPECT_EQ(reason_of("/usr/bin/env"), "helper_gone");
  EXPECT_EQ(reason_of("/usr/bin/env"), "helper_gone");
}

TEST_F(HelperPrograms, FileSystemsAreAskedWhileProgramsRun) {
  bool ended = false;
  boost::asio::cancellation_signal signal;
  const ProgramStart start{.arguments = {"/usr/bin/sleep", "1000"}, .environment = {}, .kill_after = 10ms};
  boost::asio::co_spawn(
      loop_, helper_->run_program(start, 1h),
      boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr, ProgramEnd) { ended = true; }));
  for (int i = 0; i < 20; ++i) finish(loop_, helper_->statvfs("/", 30s));
  EXPECT_FALSE(ended);
  signal.emit(boost::asio::cancellation_type::terminal);
  loop_.restart();
  loop_.run();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace vitald::probes
