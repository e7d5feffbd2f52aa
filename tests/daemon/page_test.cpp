#include "daemon/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/html.hpp"
#include "tests/support/fake_operations.hpp"

namespace vitald::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

alerting::IncidentView incident(std::string check, Severity severity, std::string summary) {
  alerting::IncidentView view;
  view.record.id = "k3v9abcdefghjkmnpqrs";
  view.record.check = std::move(check);
  view.record.severity = severity;
  view.record.summary = std::move(summary);
  view.record.opened = wall(noon - 244);
  return view;
}

std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(Html, EscapesEverythingThatComesIn) {
  Html html;
  html.element("p", "<script>alert('x')</script> & \"y\"", {{"title", "a\" onload=\"x"}});
  EXPECT_EQ(
      html.str(),
      "<p title=\"a&quot; onload=&quot;x\">&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;</p>\n");
}

TEST(Html, LinksToTheWebOnly) {
  const auto linked = [](std::string_view address) { return Html().link(address, "x").str(); };
  EXPECT_THAT(linked("https://wiki/x"), HasSubstr("<a href=\"https://wiki/x\""));
  for (const char* address : {"javascript:alert(1)", " javascript:x", "data:text/html,x", "//evil", "HTTPS:x", ""}) {
    EXPECT_EQ(linked(address), "x") << address;
  }
}

TEST(Page, SaysHowThingsStand) {
  FakeOperations daemon;
  daemon.add(row("fine"));
  BoardRow down = row("api-health", Status::critical, "502 Bad Gateway instead of 200");
  down.runbook = "https://wiki.example.com/runbook#72";
  down.observation.evidence = {{"request_id", "7f3c91d2"}};
  down.view.incident = "k3v9abcdefghjkmnpqrs";
  daemon.add(down);
  daemon.open = {incident("api-health", Severity::p0, "502 Bad Gateway instead of 200")};
  const std::string page = status_page(daemon);
  EXPECT_THAT(page, HasSubstr("<h1>1 of 2 checks needs attention</h1>"));
  EXPECT_THAT(page, HasSubstr("<title>1 bad - web-1</title>"));
  EXPECT_THAT(page, HasSubstr("11:55:56 UTC, 4 min 4 s ago"));
  EXPECT_THAT(page, HasSubstr("7f3c91d2"));
  EXPECT_THAT(page, HasSubstr("href=\"https://wiki.example.com/runbook#72\""));
  EXPECT_THAT(page, HasSubstr("vitald ack k3v9"));
  EXPECT_LT(page.find("<th scope=\"row\">api-health"), page.find("<th scope=\"row\">fine")) << "the worst comes first";
}

TEST(Page, TellsOfVitaldsOwnTroubles) {
  FakeOperations daemon;
  EXPECT_THAT(status_page(daemon), Not(HasSubstr("vitald itself")));
  daemon.shown.store_degraded = true;
  daemon.shown.store_problem = "disk full";
  daemon.shown.receivers = {{.name = "ops", .kind = "slack", .pending = 4, .stopped = true, .why = "invalid_auth"}};
  const std::string page = status_page(daemon);
  EXPECT_THAT(page, HasSubstr("disk full"));
  EXPECT_THAT(page, HasSubstr("Receiver ops takes no messages, 4 wait: invalid_auth"));
}

TEST(Page, ShowsWhatIsMuted) {
  FakeOperations daemon;
  EXPECT_THAT(status_page(daemon), Not(HasSubstr("Muted")));
  daemon.open = {incident("api", Severity::p1, "502")};
  daemon.open[0].muted = alerting::Muting{"silence 7k2m", "ann", "new release", wall(noon + 3600)};
  daemon.hushed.silences = {{"7k2m0000000000000000", "api-*", "ann", "new release", wall(noon), wall(noon + 3600)}};
  daemon.hushed.maintenance = {{"deploy", "team=web", Span{wall(noon - 60), wall(noon + 86400)}, {}},
                               {"later", "team=db", std::nullopt, {}}};
  const std::string page = status_page(daemon);
  EXPECT_THAT(page, HasSubstr("by silence 7k2m until 13:00:00 UTC, ann: new release"));
  EXPECT_THAT(page, HasSubstr("api-* until 13:00:00 UTC: ann, new release (vitald silence end 7k2m)"));
  EXPECT_THAT(page, HasSubstr("team=web until 2026-11-22 12:00:00 UTC: maintenance deploy"));
  EXPECT_THAT(page, Not(HasSubstr("team=db")));
}

TEST(Page, CannotBeBrokenOutOf) {
  const std::string attack = "\"'><script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1)";
  FakeOperations daemon;
  daemon.shown.instance = attack;
  BoardRow hostile = row(attack, Status::critical, attack);
  hostile.runbook = "javascript:alert(1)";
  hostile.observation.remedy = attack;
  hostile.observation.evidence = {{attack, attack}};
  daemon.add(hostile);
  daemon.open = {incident(attack, Severity::p1, attack)};
  daemon.open[0].acknowledged_by = attack;
  daemon.open[0].muted = alerting::Muting{attack, attack, attack, wall(noon)};
  daemon.hushed.silences = {{attack, attack, attack, attack, wall(noon), wall(noon)}};
  daemon.hushed.maintenance = {{attack, attack, Span{wall(noon), wall(noon + 60)}, {}}};
  const std::string page = status_page(daemon);
  EXPECT_EQ(occurrences(page, "<script"), 0u);
  EXPECT_EQ(occurrences(page, "<img"), 0u);
  EXPECT_EQ(occurrences(page, "href=\"javascript"), 0u);
  EXPECT_GE(occurrences(page, "&lt;script&gt;"), 8u);
}

TEST(Page, ShowsAtMostFiveHundredChecksAndSaysSo) {
  FakeOperations daemon;
  for (int i = 0; i < 600; ++i) daemon.add(row("check-" + std::to_string(i)));
  daemon.add(row("the-bad-one", Status::critical));
  const std::string page = status_page(daemon);
  EXPECT_EQ(occurrences(page, "<th scope=\"row\">"), 500u);
  EXPECT_THAT(page, HasSubstr("the-bad-one"));
  EXPECT_THAT(page, HasSubstr("101 more checks"));
}

TEST(Page, HasAStylesheetThatFetchesNothing) {
  EXPECT_THAT(std::string(page_style()), Not(HasSubstr("url(")));
  EXPECT_THAT(std::string(page_style()), Not(HasSubstr("@import")));
}

}  // namespace
}  // namespace vitald::daemon
