#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/alerting/golden.hpp"
#include "tests/alerting/notifier_case.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing_kit::NotifierCase;
using Kind = Judgement::Kind;

const char* const key = "0123456789abcdef0123456789abcdef";

const NotifierCase& pager() {
  static const NotifierCase one("pagerduty", std::string("routing_key: ") + key);
  return one;
}

Notification acknowledged() {
  Notification note = samples::api_problem();
  note.kind = NotificationKind::update;
  note.acknowledged_by = "anna";
  return note;
}

TEST(PagerDuty, GoldenTrigger) { golden::expect("pagerduty/trigger.json", pager().pretty(samples::api_problem())); }
TEST(PagerDuty, GoldenTriggerTrimmed) {
  golden::expect("pagerduty/trigger-trimmed.json", pager().pretty(samples::api_problem(), Form::trimmed));
}
TEST(PagerDuty, GoldenTriggerMinimal) {
  golden::expect("pagerduty/trigger-minimal.json", pager().pretty(samples::api_problem(), Form::minimal));
}
TEST(PagerDuty, GoldenAcknowledge) { golden::expect("pagerduty/acknowledge.json", pager().pretty(acknowledged())); }
TEST(PagerDuty, GoldenStorm) { golden::expect("pagerduty/storm.json", pager().pretty(samples::storm_problem())); }
TEST(PagerDuty, ADigestWakesNobody) {
  EXPECT_TRUE(pager().notifier->render(samples::daily_digest(), "", Form::full)->empty());
}
TEST(PagerDuty, GoldenResolve) { golden::expect("pagerduty/resolve.json", pager().pretty(samples::api_recovery())); }

TEST(PagerDuty, AllEventsOfOneIncidentCarryOneKey) {
  const std::string expected = "vitald:k3v9x7m2q4t8b6n1c5d0";
  EXPECT_EQ(pager().body(samples::api_problem())["dedup_key"], expected);
  EXPECT_EQ(pager().body(acknowledged())["dedup_key"], expected);
  EXPECT_EQ(pager().body(samples::api_recovery())["dedup_key"], expected);
  EXPECT_LE(expected.size(), 255u);
}

TEST(PagerDuty, EachKindOfMessageIsTheRightAction) {
  Notification note = samples::api_problem();
  for (const NotificationKind kind : {NotificationKind::problem, NotificationKind::update, NotificationKind::reminder,
                                      NotificationKind::escalation}) {
    note.kind = kind;
    EXPECT_EQ(pager().body(note)["event_action"], "trigger");
  }
  EXPECT_EQ(pager().body(acknowledged())["event_action"], "acknowledge");
  EXPECT_EQ(pager().body(samples::api_recovery())["event_action"], "resolve");
}

TEST(PagerDuty, SeveritiesAreMapped) {
  Notification note = samples::api_problem();
  const std::pair<Severity, const char*> pairs[] = {
      {Severity::p0, "critical"}, {Severity::p1, "error"}, {Severity::p2, "warning"}, {Severity::p3, "info"}};
  for (const auto& [ours, theirs] : pairs) {
    note.severity = ours;
    EXPECT_EQ(pager().body(note)["payload"]["severity"], theirs);
  }
}

TEST(PagerDuty, TheAddressFollowsRegionAndUrl) {
  const std::string routing = std::string("routing_key: ") + key + "\n";
  EXPECT_EQ(pager().request(samples::api_problem()).url, "https://events.pagerduty.com/v2/enqueue");
  EXPECT_EQ(NotifierCase("pagerduty", routing + "region: eu").request(samples::api_problem()).url,
            "https://events.eu.pagerduty.com/v2/enqueue");
  EXPECT_EQ(NotifierCase("pagerduty", routing + "url: http://127.0.0.1:9/x").request(samples::api_problem()).url,
            "http://127.0.0.1:9/x");
  EXPECT_THAT(NotifierCase("pagerduty", routing + "url: ftp://x").errors, HasSubstr("https://"));
  EXPECT_THAT(NotifierCase("pagerduty", routing + "url: https://u:p@x/").errors, HasSubstr("without user"));
  EXPECT_THAT(NotifierCase("pagerduty", routing + "url: https://x/\nregion: eu").errors,
              HasSubstr("'region' is not possible"));
}

TEST(PagerDuty, AKeyOfTheWrongLengthIsASentenceWithoutTheKey) {
  const NotifierCase wrong("pagerduty", "routing_key: hidden");
  const auto deliveries = wrong.notifier->render(samples::api_problem(), "", Form::full);
  ASSERT_FALSE(deliveries);
  EXPECT_THAT(deliveries.failure().sentence(), HasSubstr("32 characters"));
  EXPECT_THAT(deliveries.failure().sentence(), Not(HasSubstr("hidden")));
}

TEST(PagerDuty, HostileTextStaysInsideTheLimits) {
  for (const std::string& text : testing_kit::hostile_texts()) {
    for (const Form form : {Form::full, Form::trimmed, Form::minimal}) {
      const HttpRequest request = pager().request(testing_kit::hostile(text), form);
      EXPECT_LT(request.body.size(), 512u * 1000);
      const auto body = nlohmann::json::parse(request.body);
      const std::string summary = body["payload"]["summary"];
      const auto characters = std::count_if(summary.begin(), summary.end(),
                                            [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
      EXPECT_LE(characters, 1024);
      EXPECT_FALSE(summary.empty());
      EXPECT_FALSE(body["payload"]["source"].empty());
    }
  }
}

TEST(PagerDuty, EvidenceOfOneNameIsNotLost) {
  Notification note = samples::api_problem();
  note.evidence = {{"log", "one"}, {"log", "two"}, {"", "three"}};
  const auto details = pager().body(note)["payload"]["custom_details"];
  EXPECT_EQ(details["log"], "one");
  EXPECT_EQ(details["log (2)"], "two");
  EXPECT_EQ(details["detail"], "three");
}

TEST(PagerDuty, AnswersMeanWhatTheTableSays) {
  EXPECT_EQ(pager().judge(202, R"({"status":"success"})").kind, Kind::accepted);
  EXPECT_EQ(pager().judge(202).kind, Kind::accepted);
  EXPECT_EQ(pager().judge(200, "<html>").kind, Kind::refused);
  EXPECT_EQ(pager().judge(400, R"({"status":"invalid event","errors":["payload.summary is too long"]})").kind,
            Kind::malformed);
  EXPECT_EQ(pager().judge(400).kind, Kind::malformed);
  EXPECT_EQ(pager().judge(413).kind, Kind::malformed);
  EXPECT_EQ(pager().judge(401).kind, Kind::refused);
  EXPECT_EQ(pager().judge(403).kind, Kind::refused);
  EXPECT_EQ(pager().judge(404).kind, Kind::refused);
  EXPECT_EQ(pager().judge(429).kind, Kind::retry);
  EXPECT_EQ(pager().judge(429).after, Duration(30s));
  EXPECT_EQ(pager().judge(429, "", {{"retry-after", "120"}}).after, Duration(2min));
  EXPECT_EQ(pager().judge(500).kind, Kind::retry);
  EXPECT_EQ(pager().judge(503).kind, Kind::retry);
}

TEST(PagerDuty, AWrongKeyStopsTheReceiverInsteadOfEatingItsMessages) {
  const Judgement judgement = pager().judge(
      400,
      R"_({"status":"invalid event","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]})_");
  EXPECT_EQ(judgement.kind, Kind::refused);
  EXPECT_THAT(judgement.why, HasSubstr("routing_key"));
}

TEST(PagerDuty, AnAnswerThatEchoesTheKeyDoesNotGiveItAway) {
  const Judgement judgement = pager().judge(400, std::string(R"({"errors":["bad routing_key )") + key + "\"]}");
  EXPECT_THAT(judgement.why, HasSubstr("***"));
  EXPECT_THAT(judgement.why, Not(HasSubstr(key)));
}

}  // namespace
}  // namespace vitald::alerting
