#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/api.hpp"
#include "daemon/cli_commands.hpp"
#include "daemon/cli_render.hpp"
#include "daemon/control.hpp"
#include "daemon/control_client.hpp"
#include "tests/support/fake_operations.hpp"
#include "tests/support/served.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Terminal pipe{.colours = false, .width = 0};

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(CliStatus, PutsTheWorstFirstInColumns) {
  BoardRow down = row("api-health", Status::critical, "502 Bad Gateway");
  down.view.incident = "k3v9abcdefghjkmnpqrs";
  BoardRow shaky = row("login", Status::warning, "slow");
  shaky.view.seen = 2;
  shaky.view.needed = 4;
  const std::vector<json> checks = {json_of(row("db")), json_of(shaky), json_of(down)};
  json result = {{"daemon", json_of(FakeOperations().view())}, {"incidents", json::array({1})}};
  EXPECT_THAT(lines_of(render_status(result, checks, pipe)),
              ElementsAre("web-1: 2 of 3 checks need attention", "", "critical  api-health  502 Bad Gateway  [k3v9]",
                          "warning   login       slow (2 of 4)", "ok        db          200 in 38 ms", "",
                          "1 open incident, more with: vitald incidents"));
}

TEST(CliStatus, TellsOfVitaldsOwnTroubles) {
  FakeOperations daemon;
  daemon.shown.last_reload_worked = false;
  daemon.shown.last_reload_problem = "vitald.yaml:3:1: unknown key";
  daemon.shown.receivers = {{.name = "ops", .kind = "slack", .pending = 1, .stopped = true, .why = "403"}};
  const std::string text = render_status({{"daemon", json_of(daemon.view())}}, {}, pipe);
  EXPECT_THAT(text, HasSubstr("vitald itself: the last reload was refused: vitald.yaml:3:1: unknown key\n"));
  EXPECT_THAT(text, HasSubstr("vitald itself: receiver ops takes no messages: 403\n"));
}

TEST(CliProbe, ShowsPhasesSamplesLimitsAndEvidence) {
  ProbeReport report;
  report.check = "root-fs";
  report.probe = "disk";
  report.verdict = Status::warning;
  report.why = "used 84 % above 80 %";
  report.observation.summary = "84 % used";
  report.observation.remedy = "delete something";
  report.observation.samples = {{.name = "duration", .value = 0.0015},
                                {.name = "used", .value = 0.84, .labels = {{"mount", "/"}}}};
  report.observation.phases = {{"rest", std::chrono::milliseconds(1)}};
  report.observation.evidence = {{"device", "/dev/sda1"}};
  report.took = std::chrono::milliseconds(2);
  report.limits = {{.sample = "used", .warning = Threshold{.value = 0.8}, .unit = Unit::ratio}};
  json sent = json_of(report);
  sent["samples"][1]["unit"] = "ratio";  // as the registry's own disk says
  const std::string text = render_probe(sent, pipe);
  EXPECT_THAT(text, HasSubstr("warning: root-fs - used 84 % above 80 %\n  84 % used\n  disk, answered after 2 ms\n"));
  EXPECT_THAT(text, HasSubstr("  what to do: delete something\n"));
  EXPECT_THAT(text, HasSubstr("\nPhases\n  rest  1 ms\n"));
  EXPECT_THAT(text, HasSubstr("  used (mount /)  84 %  warning above 80 %\n"));
  EXPECT_THAT(text, HasSubstr("\nEvidence\n  device  /dev/sda1\n"));
}

TEST(CliVerify, EndsWithTheSumAndItsExitCode) {
  const json progress = {{"report", {{"check", "api"}, {"verdict", "critical"}, {"why", "502"}}}};
  EXPECT_EQ(render_verify_line(progress, pipe), "critical  api                       502\n");
  EXPECT_EQ(render_verify_summary({{"total", 3}, {"ok", 2}, {"critical", 1}}, pipe), "\n3 checks: 2 ok, 1 critical\n");
  EXPECT_EQ(exit_code("ok"), 0);
  EXPECT_EQ(exit_code("warning"), 1);
  EXPECT_EQ(exit_code("critical"), 2);
  EXPECT_EQ(exit_code("unknown"), 3);
}

TEST(CliText, ColoursOnlyWhereAsked) {
  EXPECT_EQ(coloured({.colours = true}, "ok", "x"), "\033[32mx\033[0m");
  EXPECT_EQ(coloured({.colours = false}, "ok", "x"), "x");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_FALSE(terminal_of(ends[1], "", "xterm").colours) << "a pipe is no terminal";
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(CliText, CutsByColumnsNotBytes) {
  EXPECT_EQ(columns("äöü"), 3u);
  EXPECT_EQ(cut("äöüä", 3), "äö…");
  EXPECT_EQ(cut("äöü", 3), "äöü");
  EXPECT_EQ(padded("ä", 3), "ä  ");
}

TEST(CliText, LetsNoEscapeSequenceThrough) {
  std::string attack =
      "\033[2J\033]0;title\007 \x9b"
      "31m \xE2\x80\xAE right to left \xC2\x9B"
      "1m\r\nnew line";
  json check = json_of(row("x\033[31m", Status::critical, attack));
  json incident = {
      {"id", "k3v9"}, {"check", attack}, {"summary", attack}, {"evidence", {{{"label", attack}, {"text", attack}}}}};
  json report = check;
  report["evidence"] = {{{"label", attack}, {"text", attack}}};
  report["samples"] = {{{"name", attack}, {"value", 1}, {"labels", {{attack, attack}}}}};
  const std::string all = render_status({{"daemon", {{"instance", attack}}}}, {check}, pipe) +
                          render_incidents({{"incidents", {incident}}}, pipe) + render_probe(report, pipe) +
                          render_verify_line({{"report", check}}, pipe);
  for (const char* bad : {"\033", "\007", "\r", "\xE2\x80\xAE", "\xC2\x9B"}) EXPECT_THAT(all, Not(HasSubstr(bad)));
  EXPECT_THAT(all, HasSubstr("new line"));
}

/// The commands against a daemon of straw.
struct Commands : testing::Test {
  void SetUp() override {
    char name[] = "/tmp/vitald-cli-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
    socket = folder / "control.sock";
    auto opened = loop.on_loop([&] { return ControlSocket::open(loop.executor(), socket, daemon); });
    ASSERT_TRUE(opened) << opened.failure().sentence();
    control = std::move(*opened);
    daemon.add(row("fine"));
    daemon.add(row("slow", Status::warning));
  }
  void TearDown() override {
    loop.on_loop([&] {
      control.reset();
      return 0;
    });
    std::filesystem::remove_all(folder);
  }
  CommandLine line(bool as_json = false) {
    const Ask ask = [this](const json& request, const std::function<void(const json&)>& on_progress) {
      return control_request(socket, request, on_progress);
    };
    return {ask, as_json, pipe, out, err, "ann"};
  }
  std::string taken() {
    const std::string text = out.str() + err.str();
    out.str("");
    err.str("");
    return text;
  }

  std::filesystem::path folder, socket;
  FakeOperations daemon;
  LoopThread loop;
  std::unique_ptr<ControlSocket> control;
  std::ostringstream out, err;
};

TEST_F(Commands, GiveTheVerdictAsExitCode) {
  EXPECT_EQ(verify_command(line()), 1);
  EXPECT_THAT(taken(), HasSubstr("\n2 checks: 1 ok, 1 warning\n"));
  EXPECT_EQ(probe_command(line(), "fine"), 0);
  EXPECT_THAT(taken(), HasSubstr("ok: fine - 200 in 38 ms\n"));
  EXPECT_EQ(probe_command(line(), "nobody"), 69);
  EXPECT_EQ(taken(), "vitald: nobody: there is no such check\n");
  EXPECT_EQ(status_command(line()), 0);
  EXPECT_THAT(taken(), HasSubstr("web-1: 1 of 2 checks needs attention\n"));
  EXPECT_EQ(incidents_command(line()), 0);
  EXPECT_EQ(taken(), "no open incidents\n");
}

TEST_F(Commands, GiveJson) {
  EXPECT_EQ(status_command(line(true)), 0);
  EXPECT_EQ(json::parse(taken())["checks"].size(), 2u);
  EXPECT_EQ(verify_command(line(true)), 1);
  EXPECT_EQ(json::parse(lines_of(taken()).back())["warning"], 1);
  EXPECT_EQ(probe_command(line(true), "slow"), 1);
  EXPECT_EQ(json::parse(taken())["check"], "slow");
}

TEST_F(Commands, AcknowledgeForOthersAndTakeItBack) {
  EXPECT_EQ(ack_command(line(), "k3v9", "bob", false), 0);
  EXPECT_EQ(taken(), "k3v9 is taken by bob\n");
  EXPECT_EQ(ack_command(line(), "k3v9", "bob", true), 0);
  EXPECT_EQ(taken(), "k3v9 was given back by bob\n");
}

TEST_F(Commands, MakeEndAndListSilences) {
  EXPECT_EQ(silence_command(line(), {{"api-*", "team=web"}, "90m", "new release", true}), 0);
  EXPECT_EQ(taken(),
            "silence 7k2m of api-* team=web until 2026-11-21 13:30:00 UTC, or until it has recovered; ends with: "
            "vitald silence end 7k2m\n");
  EXPECT_EQ(daemon.asked.lasts, std::chrono::minutes(90));
  EXPECT_EQ(daemon.asked.reason, "new release");
  EXPECT_EQ(silence_command(line(), {{"end", "7k2m"}}), 0);
  EXPECT_THAT(taken(), HasSubstr("silence 7k2m was ended by "));
  EXPECT_EQ(silence_command(line(), {{"list"}}), 0);
  EXPECT_EQ(taken(), "no silences\n");
  daemon.hushed.silences = {
      {"7k2m0000000000000000", "api-*", "ann", "new \033[31mrelease", wall(noon), wall(noon + 60)}};
  daemon.hushed.maintenance = {
      {"deploy", "team=web", Span{wall(noon - 60), wall(noon + 60)}, {wall(noon + 900), wall(noon + 960)}}};
  EXPECT_EQ(silence_command(line(), {{"list"}}), 0);
  EXPECT_THAT(taken(), testing::AllOf(HasSubstr("7k2m  api-*\n"), HasSubstr("until 2026-11-21 12:01:00 UTC\n"),
                                      HasSubstr("ann: new "), testing::Not(HasSubstr("\033"))));
  EXPECT_EQ(maintenance_command(line(), {}), 0);
  EXPECT_THAT(taken(), testing::AllOf(HasSubstr("deploy: team=web\n"), HasSubstr("now  until 2026-11-21 12:01"),
                                      HasSubstr("next 2026-11-21 12:15"), HasSubstr("and by hand:\n7k2m")));
  EXPECT_EQ(status_command(line()), 0);
  EXPECT_THAT(taken(), testing::AllOf(HasSubstr("muted: team=web until"), HasSubstr("muted: api-* until")));
  EXPECT_EQ(silence_command(line(true), {{"list"}}), 0);
  EXPECT_EQ(json::parse(taken())["silences"][0]["owner"], "ann");
}

TEST_F(Commands, RefuseSilencesThatSayTooLittle) {
  EXPECT_EQ(silence_command(line(), {{"api-*"}, "1h", ""}), 64);
  EXPECT_THAT(taken(), HasSubstr("a silence needs a reason"));
  EXPECT_EQ(silence_command(line(), {{}, "1h", "why"}), 64);
  EXPECT_THAT(taken(), HasSubstr("say what is to be silent"));
  EXPECT_EQ(silence_command(line(), {{"api"}, "soon", "why"}), 64);
  EXPECT_THAT(taken(), HasSubstr("--for: "));
  EXPECT_EQ(silence_command(line(), {{"api"}, "31d", "why"}), 69);
  EXPECT_THAT(taken(), HasSubstr("a silence lasts between 1s and 30d"));
  EXPECT_EQ(silence_command(line(), {{"a/b"}, "1h", "why"}), 69);
  EXPECT_THAT(taken(), HasSubstr("'a/b' is neither the name of a check nor a label"));
  EXPECT_EQ(silence_command(line(), {{"end"}}), 64);
  EXPECT_EQ(maintenance_command(line(), {{"stop"}}), 64);
  EXPECT_EQ(maintenance_command(line(), {{"start", "api"}, "", "why"}), 0);
  EXPECT_EQ(daemon.asked.lasts, std::chrono::hours(1)) << "the usual";
}

TEST_F(Commands, PassOnWhatTheDaemonSays) {
  EXPECT_EQ(ack_command(line(), "k3v9", "", false), 0);
  EXPECT_EQ(taken(), ::geteuid() == 0 ? "k3v9 is taken by ann\n" : taken());
  EXPECT_EQ(test_notify_command(line(), "ops"), 0);
  EXPECT_EQ(reload_command(line()), 0);
  EXPECT_EQ(taken(), "ops took the test message\nnothing changed\n");
  loop.on_loop([&] {
    control->stop();
    return 0;
  });
  EXPECT_EQ(status_command(line()), 69);
  EXPECT_THAT(taken(), HasSubstr("vitald: vitald does not run"));
}

}  // namespace
}  // namespace vitald::daemon
