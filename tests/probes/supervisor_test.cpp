#include "probes/supervisor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"

namespace vitald::probes {
namespace {

using supervisor::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using vitald::testing::parse_yaml;

const Wall now = Wall(std::chrono::seconds(1'795'262'400));

supervisor::Config config(const std::string& yaml = "{}") {
  const auto parsed = parse_yaml(supervisor::parse, yaml);
  EXPECT_THAT(parsed.problems, Not(HasSubstr("error")));
  return parsed.config;
}

supervisor::Program program(const std::string& group, const std::string& name, State state = State::running) {
  supervisor::Program made;
  made.group = group;
  made.name = name;
  made.state = static_cast<int>(state);
  made.now = 1'795'262'400;
  made.start = made.now - 7200;
  return made;
}

supervisor::Facts facts(std::vector<supervisor::Program> programs, const std::string& memory = "") {
  supervisor::Facts made;
  made.now = now;
  made.memory = memory;
  made.programs = std::move(programs);
  return made;
}

const Sample* find(const Observation& seen, std::string_view name, const std::string& group = "") {
  for (const Sample& sample : seen.samples)
    if (sample.name == name && (group.empty() || sample.labels == Labels{{"group", group}})) return &sample;
  return nullptr;
}

double value(const Observation& seen, std::string_view name, const std::string& group = "") {
  const auto* sample = find(seen, name, group);
  return sample == nullptr ? -1 : sample->value;
}

std::string evidence(const Observation& seen, const std::string& label) {
  for (const auto& each : seen.evidence)
    if (each.label == label) return each.text;
  return "";
}

TEST(SupervisorParse, ReadsProgramsAndWhere) {
  const auto one = config("programs: 'laravel-worker:*'\nsocket: /run/supervisor.sock\ngrace: 10m");
  EXPECT_THAT(one.programs, ElementsAre("laravel-worker:*"));
  EXPECT_EQ(one.target(), "/run/supervisor.sock");
  EXPECT_EQ(one.grace, std::chrono::minutes(10));
  EXPECT_TRUE(one.single());
  EXPECT_FALSE(config("programs: 'w*'").single());
  EXPECT_FALSE(config("programs: [ a, b ]").single());
  EXPECT_FALSE(config().single());
  EXPECT_EQ(config().target(), "supervisor");
  const auto over_http = config("{ url: 'http://10.0.0.9:9001', user: vitald, password: { file: /etc/secret } }");
  EXPECT_EQ(over_http.url->path, "/RPC2");
  EXPECT_EQ(over_http.target(), "10.0.0.9:9001");
  EXPECT_EQ(config("url: http://proxy/supervisor/RPC2").url->path, "/supervisor/RPC2");
}

TEST(SupervisorParse, SaysWhatIsWrong) {
  const auto problems = [](const std::string& yaml) { return parse_yaml(supervisor::parse, yaml).problems; };
  EXPECT_THAT(problems("socket: supervisor.sock"), HasSubstr("1:9: error: expected an absolute path"));
  EXPECT_THAT(problems("{ socket: /s, url: 'http://a:1' }"), HasSubstr("'socket' and 'url' exclude each other"));
  EXPECT_THAT(problems("url: 'unix:///run/supervisor.sock'"), HasSubstr("http"));
  EXPECT_THAT(problems("user: a"), HasSubstr("'user' and 'password' go together"));
  EXPECT_THAT(problems("password: { file: /a }"), HasSubstr("'user' and 'password' go together"));
  EXPECT_THAT(problems("{ user: 'a:b', password: { file: /a } }"), HasSubstr("colon"));
  EXPECT_THAT(problems("program: a"), HasSubstr("programs"));
  EXPECT_NE(problems("socket: /" + std::string(107, 'a')), "");
}

TEST(SupervisorParse, KnowsWhichProgramsAreMeant) {
  const auto worker = program("laravel-worker", "laravel-worker_00");
  for (const auto* pattern :
       {"laravel-worker:*", "laravel-worker", "laravel-*", "*:*_00", "*", "laravel-worker:laravel-worker_00"})
    EXPECT_TRUE(is_meant(config("programs: '" + std::string(pattern) + "'"), worker)) << pattern;
  EXPECT_TRUE(is_meant(config(), worker));
  EXPECT_FALSE(is_meant(config("exclude: 'laravel-*'"), worker));
  EXPECT_FALSE(is_meant(config("programs: 'laravel-worker:laravel-worker_01'"), worker));
  EXPECT_TRUE(is_meant(config("programs: cron"), program("cron", "cron")));
}

TEST(SupervisorJudge, AllIsWell) {
  const auto seen = supervisor::judge(config("programs: 'w:*'"), facts({program("w", "w_0"), program("w", "w_1")}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "2 of 2 programs running, the last started 2 h ago");
  EXPECT_EQ(value(seen, "not_running"), 0);
  EXPECT_EQ(value(seen, "running"), 2);
  EXPECT_EQ(find(seen, "running")->maximum, 2);
  EXPECT_EQ(value(seen, "uptime"), 7200);
  EXPECT_TRUE(find(seen, "running")->labels.empty());
}

TEST(SupervisorJudge, SomeOfAGroupAreAFigureAndAllAFault) {
  auto fatal = program("w", "w_1", State::fatal);
  fatal.spawn_error = "Exited too quickly (process log may have details)";
  const auto some =
      supervisor::judge(config("programs: 'w:*'"), facts({program("w", "w_0"), fatal, program("w", "w_2")}));
  EXPECT_EQ(some.outcome, Outcome::answered);
  EXPECT_EQ(value(some, "not_running"), 1);
  EXPECT_EQ(find(some, "not_running")->says,
            "w:w_1 is FATAL: Exited too quickly (process log may have details); 2 of 3 running");
  EXPECT_EQ(evidence(some, "w"), find(some, "not_running")->says);
  const auto all = supervisor::judge(config("programs: 'w:*'"), facts({program("w", "w_0", State::stopped), fatal}));
  EXPECT_EQ(all.outcome, Outcome::wrong);
  EXPECT_EQ(all.reason, "fatal");
  EXPECT_THAT(all.summary, HasSubstr("none of the 2 of w is running: w:w_0 is STOPPED, w:w_1 is FATAL"));
  EXPECT_THAT(all.remedy, HasSubstr("supervisorctl restart w:*"));
}

TEST(SupervisorJudge, EveryStateHasItsWords) {
  const auto seen = [](supervisor::Program one) { return supervisor::judge(config("programs: cron"), facts({one})); };
  auto exited = program("cron", "cron", State::exited);
  exited.exit_status = 3;
  EXPECT_EQ(seen(exited).summary, "cron is EXITED with status 3");
  EXPECT_EQ(seen(exited).reason, "exited");
  EXPECT_EQ(seen(program("cron", "cron", State::backoff)).reason, "backoff");
  EXPECT_EQ(seen(program("cron", "cron", State::stopped)).summary, "cron is STOPPED");
  auto never = program("cron", "cron", State::stopped);
  never.start = 0;
  EXPECT_EQ(seen(never).summary, "cron is STOPPED, never started");
}

TEST(SupervisorJudge, ACheckOfAllLeavesOutWhatNobodyExpectsToRun) {
  auto never = program("manual", "manual", State::stopped);
  never.start = 0;
  const auto ended = program("once", "once", State::exited);
  auto seen = supervisor::judge(config(), facts({never, ended, program("web", "web")}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "1 of 1 program running");
  EXPECT_EQ(find(seen, "running", "manual"), nullptr);
  auto failed = ended;
  failed.exit_status = 1;
  seen = supervisor::judge(config(), facts({failed, program("web", "web")}));
  EXPECT_EQ(seen.reason, "exited");
  // What is named must run.
  EXPECT_EQ(supervisor::judge(config("programs: once"), facts({ended})).reason, "exited");
}

TEST(SupervisorJudge, StartingAndStoppingAreFaultsOnceTheyLast) {
  const auto check = config("programs: w");
  for (const auto state : {State::starting, State::stopping}) {
    const auto first = supervisor::judge(check, facts({program("w", "w", state)}));
    EXPECT_EQ(first.outcome, Outcome::answered);
    auto later = facts({program("w", "w", state)}, *first.memory);
    later.now += std::chrono::seconds(61);
    EXPECT_EQ(supervisor::judge(check, later).reason, "not_running");
    EXPECT_THAT(supervisor::judge(check, later).summary, HasSubstr("for 1 min 1 s"));
    later.programs.front().start += 30;  // it was started once more in between
    EXPECT_EQ(supervisor::judge(check, later).outcome, Outcome::answered);
  }
}

TEST(SupervisorJudge, RestartsAreCountedByTheirStartTimes) {
  const auto check = config("programs: w");
  std::string memory;
  const auto count = [&](double first, double second) {
    auto a = program("w", "w_0"), b = program("w", "w_1");
    a.start = first;
    b.start = second;
    const auto seen = supervisor::judge(check, facts({a, b}, memory));
    memory = *seen.memory;
    return value(seen, "restarts");
  };
  EXPECT_EQ(count(100, 200), 0);
  EXPECT_EQ(count(100, 200), 0);
  EXPECT_EQ(count(150, 200), 1);
  EXPECT_EQ(count(250, 250), 2);  // all of a group at once count once
  EXPECT_EQ(count(0, 250), 2);    // stopped by somebody who restarted supervisord
  EXPECT_EQ(count(300, 250), 2);  // its first start
}

TEST(SupervisorJudge, AMissingProgramIsNamedBesideThoseThatAreThere) {
  auto seen_by_run = facts({});
  seen_by_run.others = {"cron", "web"};
  const auto seen = supervisor::judge(config("programs: 'laravel-worker:*'"), seen_by_run);
  EXPECT_EQ(seen.reason, "program_missing");
  EXPECT_EQ(seen.summary, "supervisord has no program laravel-worker:*; it has cron, web");
  EXPECT_EQ(supervisor::judge(config(), facts({})).reason, "no_programs");
}

TEST(SupervisorJudge, ForeignNamesAreFitForAMessage) {
  const auto seen = supervisor::judge(config(), facts({program("a\nb", "c\x1b", State::fatal)}));
  EXPECT_THAT(seen.summary, Not(HasSubstr("\n")));
  EXPECT_THAT(seen.summary, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace vitald::probes
