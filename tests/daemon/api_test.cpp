#include "daemon/api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/limit_text.hpp"
#include "tests/support/fake_operations.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

json whole(Source source) {
  std::string text;
  while (source(text)) {
  }
  return json::parse(text);
}

BoardRow full_row() {
  BoardRow made = row("root-fs", Status::warning, "used 93 % above 90 %");
  made.kind = &disk_kind;
  made.labels = {{"team", "web"}};
  made.view.incident = "k3v9abcdefghjkmnpqrs";
  made.view.since = wall(noon - 60);
  made.view.seen = 2;
  made.view.needed = 4;
  made.runbook = "https://wiki/x";
  made.observation.reason = "nearly_full";
  made.observation.memory = "secret memory";
  made.observation.samples = {{.name = "used", .value = 0.93, .maximum = 1.0, .labels = {{"mount", "/"}}}};
  made.observation.phases = {{"rest", std::chrono::milliseconds(5)}};
  made.observation.evidence = {{"device", "/dev/sda1 \xff"}};
  return made;
}

TEST(Api, TellsEverythingAboutACheck) {
  FakeOperations daemon;
  daemon.add(full_row());
  const json answer = whole(checks_document(daemon, ""));
  EXPECT_EQ(answer["instance"], "web-1");
  EXPECT_EQ(answer["time"], "2026-11-21T12:00:00.000Z");
  const json& check = answer["checks"][0];
  const json expected = json::parse(R"({
    "check":"root-fs","probe":"disk","labels":{"team":"web"},"standing":"warning","verdict":"warning",
    "confirmed":"warning","why":"used 93 % above 90 %",
    "every_seconds":30.0,"runs":7,"missed_slots":0,"confirming":{"seen":2,"needed":4},
    "since":"2026-11-21T11:59:00.000Z","incident":"k3v9abcdefghjkmnpqrs","runbook":"https://wiki/x",
    "last_run":"2026-11-21T11:59:50.000Z","duration_seconds":0.038,"outcome":"answered",
    "summary":"used 93 % above 90 %","reason":"nearly_full",
    "samples":[{"name":"used","value":0.93,"unit":"ratio","maximum":1.0,"labels":{"mount":"/"}}],
    "phases":[{"name":"rest","seconds":0.005}],"evidence":[{"label":"device","text":"/dev/sda1 \uFFFD"}]})");
  EXPECT_EQ(check, expected) << check.dump(2);
}

TEST(Api, GivesValidJsonInSlices) {
  FakeOperations daemon;
  EXPECT_TRUE(whole(checks_document(daemon, ""))["checks"].empty());
  for (int i = 0; i < 500; ++i) daemon.add(row("check-" + std::to_string(i)));
  auto source = checks_document(daemon, "");
  std::string first;
  EXPECT_TRUE(source(first));
  EXPECT_LT(first.size(), 64u * 1024);
  EXPECT_EQ(whole(checks_document(daemon, ""))["checks"].size(), 500u);
  EXPECT_EQ(whole(checks_document(daemon, "check-7"))["checks"].size(), 1u);
  EXPECT_TRUE(whole(checks_document(daemon, "nobody"))["checks"].empty());
}

TEST(Api, TellsOfIncidents) {
  FakeOperations daemon;
  daemon.add(full_row());
  alerting::IncidentView view;
  view.record = {.id = "k3v9abcdefghjkmnpqrs",
                 .subject = "check:root-fs",
                 .check = "root-fs",
                 .severity = Severity::p1,
                 .status = Status::warning,
                 .summary = "used 91 %",
                 .opened = wall(noon - 60),
                 .told = {{"ops", {.refused = false, .handle = "private"}}},
                 .state = "private"};
  view.acknowledged_by = "ann";
  view.affected = {"shop", "blog"};
  view.muted = alerting::Muting{"silence 7k2m", "bob", "new release", wall(noon + 3600)};
  daemon.open = {view};
  const json answer = json::parse(incidents_document(daemon));
  const json expected =
      json::parse(R"({"id":"k3v9abcdefghjkmnpqrs","check":"root-fs","subject":"check:root-fs","severity":"P1",
    "status":"warning","summary":"used 91 %","opened":"2026-11-21T11:59:00.000Z",
    "told":[{"receiver":"ops","refused":false}],
    "acknowledged_by":"ann","affected":["shop","blog"],
    "muted":{"by":"silence 7k2m","owner":"bob","reason":"new release","until":"2026-11-21T13:00:00.000Z"},
    "now":"used 93 % above 90 %","runbook":"https://wiki/x",
    "evidence":[{"label":"device","text":"/dev/sda1 \uFFFD"}]})");
  EXPECT_EQ(answer["incidents"][0], expected) << answer.dump(2);
}

TEST(Api, NeverTellsWhatIsInternal) {
  FakeOperations daemon;
  daemon.add(full_row());
  EXPECT_EQ(whole(checks_document(daemon, "")).dump().find("secret memory"), std::string::npos);
}

TEST(LimitText, SaysLimitsAsPeopleDo) {
  Limit used{.sample = "used",
             .warning = Threshold{.value = 0.8},
             .critical = Threshold{.value = 0.9},
             .clear = Threshold{.value = 0.75},
             .hold_for = std::chrono::minutes(5),
             .unit = Unit::ratio};
  EXPECT_EQ(say_limit(used), "warning above 80 %, critical above 90 %, clear below 75 %, for 5 min");
  Limit restarts{
      .sample = "restarts", .critical = Threshold{.value = 3, .per = std::chrono::hours(1)}, .of_bad = 3, .of_runs = 5};
  EXPECT_EQ(say_limit(restarts), "critical above 3 per 1 h, 3 of 5 runs");
  Limit days{.sample = "left", .below = true, .warning = Threshold{.value = 86400}, .unit = Unit::seconds};
  EXPECT_EQ(say_limit(days), "warning below 1 d");
}

}  // namespace
}  // namespace vitald::daemon
