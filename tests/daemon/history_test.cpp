// Incidents that are over: read back from the store, and shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/api_incidents.hpp"
#include "daemon/cli_render.hpp"
#include "daemon/incident_page.hpp"
#include "daemon/sqlite_store.hpp"
#include "store_support.hpp"
#include "tests/support/fake_operations.hpp"

namespace vitald::daemon {
namespace {

using testing::a_night;
using testing::Folder;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> ids(const std::vector<alerting::IncidentRecord>& records) {
  std::vector<std::string> all;
  for (const auto& record : records) all.push_back(record.id);
  return all;
}

using Ids = std::vector<std::string>;

TEST(History, is_read_latest_first_or_by_the_beginning_of_an_id) {
  Folder folder;
  auto store = SqliteStore::open(folder / "state", a_night);
  ASSERT_TRUE(store);
  alerting::Effects effects;
  for (int number = 0; number < 5; ++number) {
    const auto record = testing::incident("abc" + std::to_string(number), "check:" + std::to_string(number));
    effects.incidents.push_back(number == 4 ? record : testing::closed(record, a_night + std::chrono::hours(number)));
  }
  ASSERT_TRUE((*store)->commit(std::span(&effects, 1)));
  const auto all = (*store)->history({});
  ASSERT_TRUE(all);
  EXPECT_EQ(ids(*all), (Ids{"abc3", "abc2", "abc1", "abc0"})) << "the open one is not history";
  EXPECT_EQ(ids(*(*store)->history({.since = a_night + std::chrono::hours(2)})), (Ids{"abc3", "abc2"}));
  EXPECT_EQ(ids(*(*store)->history({.most = 1})), Ids{"abc3"});
  EXPECT_EQ(ids(*(*store)->history({.prefix = "abc1"})), Ids{"abc1"});
  EXPECT_EQ(ids(*(*store)->history({.prefix = "abc", .most = 2})), (Ids{"abc0", "abc1"}));
  EXPECT_EQ(ids(*(*store)->history({.prefix = "zz"})), Ids{});
}

alerting::Story story() {
  alerting::Story made;
  made.record.id = "k3v9abcdefghjkmnpqrs";
  made.record.check = made.facts.check = "api";
  made.record.summary = made.facts.summary = "502 <b>Bad</b> Gateway";
  made.record.opened = made.facts.opened = wall(noon);
  made.record.closed = wall(noon + 372);
  made.record.told["ops"] = {.messages = 2, .first = wall(noon + 30), .last = wall(noon + 372)};
  made.reached.insert("ops");
  made.facts.affected = {"login"};
  made.first_bad = {wall(noon), "502 Bad Gateway", {{"request_id", "7f3c"}}};
  made.timeline = {{wall(noon + 30), wall(noon + 30), 1, "opened as P2 critical: \033[31mapi"},
                   {wall(noon + 40), wall(noon + 35), 2, "ops is told: update"}};
  return made;
}

const Terminal pipe{.colours = false, .width = 0};

TEST(History, shows_an_incident_whole) {
  const std::string text = render_story(json_of(story()), pipe);
  EXPECT_THAT(text, HasSubstr("P2 critical: api - 502 <b>Bad</b> Gateway\n"));
  EXPECT_THAT(text, HasSubstr("  to            2026-11-21 12:06:12 UTC\n"));
  EXPECT_THAT(text, HasSubstr("  affected      login\n"));
  EXPECT_THAT(text, HasSubstr("  told          ops: delivered, first 2026-11-21 12:00:30 UTC\n"));
  EXPECT_THAT(text, HasSubstr("ops is told: update (2 times since 2026-11-21 12:00:35)\n"));
  EXPECT_THAT(text, HasSubstr("First bad observation, 2026-11-21 12:00:00 UTC\n  502 Bad Gateway\n"));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
}

TEST(History, lists_what_is_over) {
  const nlohmann::json closed = nlohmann::json::array({json_of(story().record)});
  EXPECT_EQ(render_closed(closed, pipe),
            "2026-11-21 12:00:00 to 2026-11-21 12:06:12 UTC  k3v9  P2 api - 502 <b>Bad</b> Gateway\n");
}

TEST(History, the_page_of_an_incident_escapes_what_is_foreign) {
  const std::string page = incident_page(story(), FakeOperations().view());
  EXPECT_THAT(page, Not(HasSubstr("<b>Bad")));
  EXPECT_THAT(page, HasSubstr("Timeline"));
  EXPECT_THAT(page, HasSubstr("12:06:12 UTC"));
  EXPECT_THAT(page, HasSubstr("First bad observation"));
}

TEST(Explain, prints_sentences_and_the_chain_behind_them) {
  ExplainReport report;
  report.explanation.subject = report.explanation.check = "api";
  report.explanation.paragraphs = {{"now", {"Its latest run says critical: \033[1m502", "It counts as critical"}},
                                   {"not told", {"lead: the escalation of P2 does not name it"}}};
  report.explanation.reasons = {{wall(noon), wall(noon), 1, "critical: 502 (1 of 4)"}};
  report.limits = {{.sample = "duration", .warning = Threshold{.value = 0.2}, .unit = Unit::seconds}};
  const std::string text = render_explanation(json_of(report), pipe);
  EXPECT_THAT(text, HasSubstr("api\n  now           Its latest run says critical: "));
  EXPECT_THAT(text, HasSubstr("                It counts as critical.\n"));
  EXPECT_THAT(text, HasSubstr("  limits        duration: warning above 200 ms\n"));
  EXPECT_THAT(text, HasSubstr("  not told      lead: the escalation of P2 does not name it.\n"));
  EXPECT_THAT(text, HasSubstr("\nHow it came to that (UTC)\n  2026-11-21 12:00:00  critical: 502 (1 of 4)\n"));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace vitald::daemon
