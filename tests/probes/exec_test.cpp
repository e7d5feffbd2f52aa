#include "probes/exec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using testing::parse_yaml;
using namespace std::chrono_literals;

Config parsed(const std::string& yaml) {
  const auto result = parse_yaml(parse, yaml);
  EXPECT_EQ(result.problems, "");
  return result.config;
}

TEST(ExecParse, TakesWhatTheManualShows) {
  const auto config = parsed(
      "command: [ /usr/lib/nagios/plugins/check_load, -w, '5,4,3', '' ]\n"
      "environment: { REGION: eu, TOKEN: { credential: token } }\n"
      "working_directory: /srv\nkill_after: 5s\n");
  EXPECT_THAT(config.command, ElementsAre("/usr/lib/nagios/plugins/check_load", "-w", "5,4,3", ""));
  EXPECT_EQ(config.environment.size(), 2u);
  EXPECT_EQ(config.environment[1].second.describe(), "credential token");
  EXPECT_EQ(config.working_directory, "/srv");
  EXPECT_EQ(config.kill_after, 5s);
  EXPECT_TRUE(config.nagios);
  EXPECT_EQ(config.target(), "/usr/lib/nagios/plugins/check_load");
}

TEST(ExecParse, SaysWhatIsWrongAndWhere) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nagios: true", "needs 'command'"},
      {"command: []", "test.yaml:1:10: error: 'command': expected a program and its arguments, found an empty list"},
      {"command: [ check_load ]", "expected a program's absolute path first"},
      {"command: /bin/true -x", "expected a list of text"},
      {"command: [ /bin/true, [ a ] ]", "expected text, found a list"},
      {"command: [ /bin/true ]\nworking_directory: srv", "expected an absolute path, found 'srv'"},
      {"command: [ /bin/true ]\nenvironment: { 1A: b }", "'1A': expected the name of a variable"},
      {"command: [ /bin/true ]\nenvironment: { A=B: b }", "expected the name of a variable"},
      {"command: [ /bin/true ]\nenvironment: [ A ]", "expected a mapping of names to text, found a list"},
      {"command: [ /bin/true ]\nenvironment: { A: { fil: /x } }", "did you mean 'file'?"},
      {"command: [ /bin/true ]\nenvironment: { A: { file: x } }", "expected a path that begins with '/'"},
      {"command: [ /bin/true ]\nkill_after: 5m", "'kill_after'"},
      {"command: [ /bin/true ]\nnagio: true", "did you mean 'nagios'?"},
      {"command: [ \"/bin/true\", \"a\\0b\" ]", "not possible"},
  };
  for (const auto& [yaml, problem] : cases) EXPECT_THAT(parse_yaml(parse, yaml).problems, HasSubstr(problem)) << yaml;
}

TEST(ExecParse, AProgramThatGivesNoFiguresHasNoLimitsOnThem) {
  const auto limited = parse_yaml(parse, "command: [ /bin/true ]\nnagios: false\nlimits: { time: { warning: 1 } }");
  EXPECT_THAT(limited.problems, HasSubstr("'time': with 'nagios: false' a program gives no figures"));
}

Facts exited(int code, const std::string& out, const std::string& err = "") {
  Facts facts;
  facts.end.code = code;
  facts.end.out.head = out;
  facts.end.err.head = err;
  facts.patience = 5s;
  return facts;
}

Config plugin() {
  Config config;
  config.command = {"/opt/check"};
  return config;
}

Config plain() {
  Config config = plugin();
  config.nagios = false;
  return config;
}

std::vector<std::string> names(const Observation& seen) {
  std::vector<std::string> all;
  for (const Sample& sample : seen.samples) all.push_back(sample.name);
  return all;
}

std::string evidence(const Observation& seen, const std::string& label) {
  for (const Evidence& each : seen.evidence) {
    if (each.label == label) return each.text;
  }
  return "";
}

TEST(ExecJudge, AnExitStatusIsASampleThatSaysWhatThePluginSaid) {
  for (const int code : {0, 1, 2}) {
    const auto seen = judge(plugin(), exited(code, "LOAD - 5.2 | load1=5.2;4;8;0\n"));
    EXPECT_EQ(seen.outcome, Outcome::answered);
    EXPECT_EQ(seen.summary, "LOAD - 5.2");
    ASSERT_THAT(names(seen), ElementsAre("exit_status", "load1"));
    EXPECT_EQ(seen.samples[0].value, code);
    EXPECT_EQ(seen.samples[0].says, "LOAD - 5.2");
    EXPECT_EQ(evidence(seen, "load1"), "5.2 (the plug-in's own limits: warning above 4, critical above 8)");
  }
}

TEST(ExecJudge, UnknownIsThePluginsOwnWord) {
  const auto seen = judge(plugin(), exited(3, "check_x: Could not parse arguments\nUsage: …\n"));
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "plugin_unknown:/opt/check");
  EXPECT_EQ(seen.summary, "check_x: Could not parse arguments");
  EXPECT_THAT(names(seen), IsEmpty());
}

TEST(ExecJudge, AnotherStatusIsNoVerdict) {
  const auto seen = judge(plugin(), exited(127, "", "/opt/check: line 3: jq: not found\n"));
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "exit_status:/opt/check");
  EXPECT_EQ(seen.summary, "exit status 127, which means nothing to Nagios: /opt/check: line 3: jq: not found");
  EXPECT_THAT(seen.remedy, HasSubstr("nagios: false"));
  EXPECT_EQ(evidence(seen, "error output"), "/opt/check: line 3: jq: not found");
}

TEST(ExecJudge, SilenceIsNamed) {
  EXPECT_EQ(judge(plugin(), exited(0, "")).summary, "exit status 0, no output");
  EXPECT_EQ(judge(plugin(), exited(2, "", "Traceback:\nImportError: no module\n")).summary, "ImportError: no module");
  EXPECT_EQ(judge(plain(), exited(0, "")).summary, "exit status 0, no output");
}

TEST(ExecJudge, APlainProgramIsFineOrNot) {
  auto seen = judge(plain(), exited(0, "one\ntwo | x=1\n"));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "two | x=1");
  EXPECT_THAT(names(seen), ElementsAre("exit_status"));
  for (const int code : {1, 2, 3, 77}) {
    seen = judge(plain(), exited(code, "working\n", "cannot reach db-1\n"));
    EXPECT_EQ(seen.outcome, Outcome::wrong);
    EXPECT_EQ(seen.reason, "exit_status");
    EXPECT_EQ(seen.summary, "exit status " + std::to_string(code) + ": cannot reach db-1");
    EXPECT_EQ(evidence(seen, "output"), "working");
    EXPECT_THAT(names(seen), IsEmpty());
  }
}

TEST(ExecJudge, ASignalIsNoExitStatus) {
  auto facts = exited(11, "OK | a=1\n");
  facts.end.fate = ProgramFate::signalled;
  auto seen = judge(plugin(), facts);
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "signal:/opt/check");
  EXPECT_EQ(seen.summary, "the program was ended by SIGSEGV");
  EXPECT_EQ(evidence(seen, "it said"), "OK");
  EXPECT_THAT(names(seen), IsEmpty());
  seen = judge(plain(), facts);
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "signal");
  facts.end.code = 9;
  EXPECT_EQ(judge(plain(), facts).outcome, Outcome::unmeasured);
  EXPECT_EQ(judge(plain(), facts).reason, "killed:/opt/check");
}

TEST(ExecJudge, TimeIsTheTargetsAndOutputIsKept) {
  auto facts = exited(0, "connecting to db-1\n");
  facts.end.fate = ProgramFate::late;
  const auto seen = judge(plugin(), facts);
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_EQ(seen.reason, "timeout");
  EXPECT_EQ(seen.summary, "did not end within 5 s");
  EXPECT_EQ(evidence(seen, "it said"), "connecting to db-1");
}

TEST(ExecJudge, AFloodIsNoVerdict) {
  auto facts = exited(0, "y\ny\n");
  facts.end.fate = ProgramFate::flooded;
  EXPECT_EQ(judge(plugin(), facts).outcome, Outcome::unmeasured);
  EXPECT_EQ(judge(plugin(), facts).reason, "flooded:/opt/check");
}

TEST(ExecJudge, FiguresAreInBaseUnitsWithTheirMaximum) {
  const auto seen =
      judge(plugin(), exited(0, "ok | time=250ms;;;0;10000 'disk /'=1GB;;;0;4 used=85% n=U duration=3 x=0,5\n"));
  ASSERT_THAT(names(seen), ElementsAre("exit_status", "time", "disk /", "used", "plugin_duration"));
  EXPECT_EQ(seen.samples[1].value, 0.25);
  EXPECT_EQ(seen.samples[1].maximum, 10);
  EXPECT_EQ(seen.samples[2].value, 1024.0 * 1024 * 1024);
  EXPECT_EQ(seen.samples[3].value, 0.85);
  EXPECT_EQ(seen.samples[3].maximum, 1);
  EXPECT_EQ(evidence(seen, "n"), "unknown");
  EXPECT_EQ(evidence(seen, "figures that cannot be read"), "x: '0,5' has a decimal comma");
}

TEST(ExecJudge, ALimitOnWhatIsNotGivenIsSaidWhereThePluginIsContent) {
  Config config = plugin();
  config.limited = {"exit_status", "tiem"};
  auto seen = judge(config, exited(0, "ok | time=1s\n"));
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "limit_without_figure");
  EXPECT_EQ(seen.summary, "limits name 'tiem', which /opt/check does not give");
  EXPECT_EQ(seen.remedy, "it gives: time");
  seen = judge(config, exited(2, "CRITICAL: no answer\n"));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "CRITICAL: no answer");
}

TEST(ExecJudge, WhatWasLeftBehindIsEvidence) {
  auto facts = exited(0, "ok\n");
  facts.end.left_behind = 2;
  EXPECT_EQ(evidence(judge(plugin(), facts), "left behind"), "2 processes that it had started, ended by vitald");
}

TEST(ExecRun, GivesACleanEnvironmentAndMasksSecrets) {
  testing::Surroundings around;
  around.folder.write("/token", "s3cr3t-token\n");
  std::filesystem::permissions(around.folder.path() + "/token", std::filesystem::perms::owner_read);
  Config config = plugin();
  Secret token(Secret::Source::file, around.folder.path() + "/token");
  token.load();
  config.environment = {{"LANG", Secret(Secret::Source::plain, "de_DE.UTF-8")}, {"TOKEN", token}};
  ProgramEnd end;
  end.out.head = "refused: s3cr3t-token and s3cr3t-token";
  around.helper.program = end;
  const auto facts = around.run(run, config);
  EXPECT_EQ(facts.end.out.head, "refused: *** and ***");
  ASSERT_EQ(around.helper.started.size(), 1u);
  const auto& [start, patience] = around.helper.started.front();
  EXPECT_THAT(start.environment, ElementsAre(Pair("PATH", HasSubstr("/usr/bin")), Pair("LANG", "de_DE.UTF-8"),
                                             Pair("TOKEN", "s3cr3t-token")));
  EXPECT_LT(patience, 5s);
  EXPECT_GT(patience, 4s);
}

TEST(ExecRun, AMissingSecretIsOurs) {
  testing::Surroundings around;
  Config config = plugin();
  Secret token(Secret::Source::file, around.folder.path() + "/none");
  token.load();
  config.environment = {{"TOKEN", token}};
  try {
    around.run(run, config);
    ADD_FAILURE() << "it ran";
  } catch (const ProbeFailure& failure) {
    EXPECT_EQ(failure.outcome, Outcome::unmeasured);
    EXPECT_THAT(failure.reason, HasSubstr("secret_missing:"));
  }
  EXPECT_THAT(around.helper.started, IsEmpty());
}

}  // namespace
}  // namespace vitald::probes::exec
