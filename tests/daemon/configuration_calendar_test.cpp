// `hours:`, `maintenance:`, `routes:`, and `depends_on:` by label.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/configuration.hpp"
#include "tests/daemon/configuration_fakes.hpp"

namespace vitald::daemon {
namespace {

using test::load_text;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string checks = R"(
checks:
  web: { probe: room, severity: P0, labels: { team: web } }
  db-1: { probe: room, severity: P0, labels: { team: db } }
receivers:
  ops: { chat: { webhook: { env: X } } }
  lead: { chat: { webhook: { env: Y } } }
)";
const std::string everybody = "escalations: { P0: [ { notify: [ ops, lead ] } ], P2: [ { notify: ops } ] }\n";

Wall utc(unsigned month, unsigned day, int hour) {
  using namespace std::chrono;
  return Wall(sys_days(year(2026) / std::chrono::month(month) / std::chrono::day(day))) + hours(hour);
}

TEST(Windows, by_cron_or_by_weekday) {
  const auto [good, said] = load_text(checks + everybody + R"(
maintenance:
  - { name: deploy, checks: { team: web }, cron: "0 2 * * 0", for: 30m, timezone: Europe/Istanbul }
  - { name: backup, checks: [ db-*, vitald ], days: mon-fri, from: "03:00", for: 1h, timezone: UTC }
)");
  EXPECT_EQ(said, "");
  ASSERT_TRUE(good);
  const auto& windows = good->rules->maintenance;
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(windows[0].checks.text(), "team=web");
  EXPECT_EQ(windows[0].when.next(utc(6, 6, 0)).begin, utc(6, 6, 23));  // Sunday 02:00 in Istanbul
  EXPECT_EQ(windows[1].checks.text(), "db-* vitald");
  EXPECT_EQ(windows[1].when.next(utc(6, 6, 0)).end, utc(6, 8, 4));
}

TEST(Windows, all_that_is_wrong_is_said) {
  const auto [bad, said] = load_text(checks + everybody + R"(
maintenance:
  - { name: a, checks: webb, cron: "0 2 * * 0", for: 30m }
  - { name: b, checks: web, cron: "0 2 * * 0", days: sun, from: "02:00", for: 30m }
  - { name: c, checks: web, days: sun, for: 30m }
  - { name: d, checks: web, days: someday, from: "02:00", for: 30m }
  - { name: d, checks: web, cron: "99 2 * * 0", for: 30m }
  - { name: e, checks: web, cron: "0 2 * * 0", for: 30m, timezone: Europe/Berlim }
  - { name: f, checks: api-*, cron: "0 2 * * 0", for: 30m, timezone: UTC }
  - { name: g, checks: { team: mail }, cron: "0 2 * * 0", for: 30m, timezone: UTC }
  - { name: h, checks: {}, cron: "0 2 * * 0", for: 30m, timezone: UTC }
)");
  EXPECT_FALSE(bad);
  EXPECT_THAT(said, HasSubstr("maintenance 'a': there is no check 'webb'; did you mean 'web'?"));
  EXPECT_THAT(said, HasSubstr("a window begins by 'cron', or by 'days' and 'from'"));
  EXPECT_THAT(said, HasSubstr("'days' and 'from' go together"));
  EXPECT_THAT(said, HasSubstr("someday"));
  EXPECT_THAT(said, HasSubstr("maintenance 'd': there are two of this name"));
  EXPECT_THAT(said, HasSubstr("did you mean"));
  EXPECT_THAT(said, HasSubstr("warning: maintenance 'f': no check has a name like 'api-*'"));
  EXPECT_THAT(said, HasSubstr("warning: maintenance 'g': no check has the labels team=mail"));
  EXPECT_THAT(said, HasSubstr("expected labels such as { team: web }, found none"));
}

TEST(NamedHours, are_used_by_steps_and_reminders) {
  const auto [good, said] = load_text(checks + R"(
hours: { business: { days: mon-fri, from: "09:00", to: "18:00", timezone: UTC } }
escalations:
  P0:
    - { notify: ops, outside: business }
    - { after: 5m, during: business, notify: lead }
    - { remind: 30m, at_most: 3, during: business }
  P2: [ { notify: ops } ]
)");
  EXPECT_EQ(said, "");
  ASSERT_TRUE(good);
  const alerting::Escalation& p0 = good->rules->escalations[0];
  ASSERT_EQ(p0.steps.size(), 2u);
  EXPECT_TRUE(p0.steps[0].hours->outside);
  EXPECT_FALSE(p0.steps[0].hours->at(utc(6, 8, 9)));
  EXPECT_TRUE(p0.steps[1].hours->at(utc(6, 8, 9)));
  EXPECT_EQ(p0.remind_at_most, 3);
  EXPECT_TRUE(p0.remind_hours);
  EXPECT_EQ(good->rules->escalations[2].remind_at_most, 20);
}

TEST(NamedHours, all_that_is_wrong_is_said) {
  const auto [bad, said] = load_text(checks + R"(
hours:
  business: { days: mon-fri, from: "09:00", to: "09:00" }
  night: { from: "22:00" }
escalations:
  P0: [ { notify: ops, during: busines }, { notify: lead, during: business, outside: business } ]
  P2: [ { notify: ops, at_most: 3 } ]
)");
  EXPECT_FALSE(bad);
  EXPECT_THAT(said, HasSubstr("'from' and 'to' are the same"));
  EXPECT_THAT(said, HasSubstr("'to'"));
  EXPECT_THAT(said, HasSubstr("there are no hours 'busines'; did you mean 'business'?"));
  EXPECT_THAT(said, HasSubstr("'during' and 'outside' exclude each other"));
  EXPECT_THAT(said, HasSubstr("'at_most' is possible with 'remind' only"));
}

TEST(Routes, cover_severities_for_their_checks) {
  const auto [good, said] = load_text(checks + R"(
routes:
  - { checks: { team: web }, escalations: { P0: [ { notify: lead } ] } }
  - { checks: db-*, escalations: { P0: [ { notify: ops } ] } }
escalations: { P2: [ { notify: ops } ] }
)");
  EXPECT_EQ(said, "");
  ASSERT_TRUE(good);
  ASSERT_EQ(good->rules->routes.size(), 2u);
  EXPECT_EQ(good->rules->routes[0].escalations[0]->steps[0].notify.front(), "lead");
  EXPECT_FALSE(good->rules->routes[0].escalations[1]);
}

TEST(Routes, do_not_cover_those_of_others) {
  const auto [bad, said] = load_text(checks + R"(
routes: [ { checks: { team: web }, escalations: { P0: [ { notify: lead } ] } } ]
escalations: { P2: [ { notify: ops } ] }
)");
  EXPECT_FALSE(bad);
  EXPECT_THAT(said, HasSubstr("verdict of check db-1 is P0, which no escalation covers"));
  EXPECT_THAT(said, Not(HasSubstr("check web")));
}

TEST(Routes, say_where_they_are_wrong) {
  const auto [bad, said] = load_text(checks + everybody + R"(
routes:
  - { checks: webb, escalations: { P0: [ { notify: leed } ], P5: [] } }
  - { escalations: { P0: [ { notify: lead } ] } }
)");
  EXPECT_FALSE(bad);
  EXPECT_THAT(said, HasSubstr("route 1: there is no check 'webb'; did you mean 'web'?"));
  EXPECT_THAT(said, HasSubstr("there is no receiver 'leed'; did you mean 'lead'?"));
  EXPECT_THAT(said, HasSubstr("'P5'"));
  EXPECT_THAT(said, HasSubstr("'checks'"));
}

TEST(Dependencies, by_label_and_by_glob) {
  const auto [good, said] = load_text(R"(
checks:
  db-1: { probe: room, labels: { team: db } }
  db-2: { probe: room, labels: { team: db } }
  db-all: { probe: room, depends_on: db-1 }
  shop: { probe: room, depends_on: { team: db } }
  blog: { probe: room, depends_on: [ shop, db-* ] }
)");
  EXPECT_EQ(said, "");
  ASSERT_TRUE(good);
  EXPECT_THAT(good->rules->checks[3].depends_on, ElementsAre("db-1", "db-2"));
  EXPECT_THAT(good->rules->checks[4].depends_on, ElementsAre("shop", "db-1", "db-2", "db-all"));
}

TEST(Dependencies, a_label_that_fits_nothing_else_is_an_error) {
  const auto [bad, said] = load_text(R"(
checks:
  shop: { probe: room, depends_on: { team: db } }
  self: { probe: room, labels: { team: mail }, depends_on: { team: mail } }
)");
  EXPECT_FALSE(bad);
  EXPECT_THAT(said, HasSubstr("'depends_on': no other check fits team=db"));
  EXPECT_THAT(said, HasSubstr("'depends_on': no other check fits team=mail"));
}

}  // namespace
}  // namespace vitald::daemon
