// What a reload would change, from two files to the words.
#include "daemon/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/outline.hpp"
#include "tests/daemon/configuration_fakes.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const Terminal pipe{.colours = false, .width = 0};
const std::string web = "checks:\n  web: { probe: web, url: http://a, every: 30s }\n";
const std::string two_receivers =
    "receivers:\n  ops: { chat: { webhook: { file: /etc/a } } }\n  lead: { chat: { webhook: { file: /etc/b } } }\n"
    "escalations: { P2: [ { notify: [ ops ] }, { after: 15m, notify: [ lead ] } ] }\n";
const std::string one_receiver =
    "receivers:\n  lead: { chat: { webhook: { file: /etc/b } } }\nescalations: { P2: [ { notify: [ lead ] } ] }\n";

Configuration load(const std::string& text) {
  auto loaded = test::load_text(text);
  EXPECT_TRUE(loaded.configuration) << loaded.said;
  return loaded.configuration ? std::move(*loaded.configuration) : Configuration();
}

json outline(const std::string& text) { return parse_outline(unpack_outline(*load(text).outline)); }

std::string plan(const std::string& before, const std::string& after) {
  return render_plan(plan_of(outline(before), outline(after)), pipe);
}

json incident(const std::string& subject, const std::vector<std::string>& told) {
  json one = {{"id", "k3v9abcd"},
              {"check", subject.substr(subject.find(':') + 1)},
              {"subject", subject},
              {"severity", "P2"},
              {"summary", "refused"},
              {"told", json::array()},
              {"opened", "2026-07-01T12:00:00Z"}};
  for (const std::string& receiver : told) one["told"].push_back({{"receiver", receiver}, {"refused", false}});
  return one;
}

/// What becomes of the incidents, in words; ten minutes after they opened unless `now` says otherwise.
std::string fates(const std::string& before, const std::string& after, const json& incidents,
                  const std::string& now = "2026-07-01T12:10:00Z") {
  const Configuration next = load(after);
  const json changes = plan_of(outline(before), outline(after));
  return render_incidents_of_plan(incidents_of_plan(changes, incidents, now, *next.rules), pipe);
}

TEST(Plan, says_that_nothing_changes) {
  const std::string nothing = "nothing would change (the values of secrets are not compared)\n";
  EXPECT_EQ(plan(web, "# a comment\n" + web), nothing);
  EXPECT_EQ(plan(web, "checks:\n  web: { every: '30s', url: \"http://a\", probe: web }\n"), nothing)
      << "quotes and the order of the keys mean nothing";
  EXPECT_EQ(plan(web, "defaults: { every: 30s }\nchecks:\n  web: { probe: web, url: http://a }\n"), nothing)
      << "it is the same wherever it is said";
}

TEST(Plan, tells_what_a_check_does_otherwise) {
  EXPECT_EQ(plan(web, "checks:\n  web: { probe: web, url: http://b, every: 60s, severity: P1, labels: { team: x } }\n"),
            "~ check web: what is known so far stays, incidents too\n"
            "    every: 30s -> 1m\n"
            "    labels: (nothing) -> { team: x }\n"
            "    severity: P2 -> P1\n"
            "    url: http://a -> http://b\n");
}

TEST(Plan, tells_of_a_default_by_the_checks_that_it_applies_to) {
  const std::string checks = "checks:\n  a: { probe: room }\n  b: { probe: room }\n  c: { probe: room, every: 5s }\n";
  EXPECT_EQ(plan(checks, "defaults: { every: 1m }\n" + checks),
            "~ checks a, b: what is known so far stays, incidents too\n    every: 30s -> 1m\n");
}

TEST(Plan, tells_which_checks_come_go_and_change_their_name) {
  EXPECT_EQ(plan(web + "  old: { probe: room }\n",
                 "checks:\n  shop: { probe: web, url: http://a, every: 30s, was: \"web\" }\n  new: { probe: room }\n"),
            "+ check new: it starts anew\n"
            "- check old: it is not run any more, and what is known of it is dropped\n"
            "~ check web is called shop: it keeps what is known of it, and its incident\n");
}

TEST(Plan, a_former_name_counts_once_only) {
  const std::string renamed = "checks:\n  shop: { probe: web, url: http://a, every: 30s, was: web }\n";
  EXPECT_THAT(plan(renamed, renamed), HasSubstr("nothing would change"));
  EXPECT_THAT(plan("checks:\n  shop: { probe: web, url: http://a, every: 30s }\n", renamed),
              HasSubstr("nothing would change"))
      << "it has the name already";
}

TEST(Plan, tells_of_receivers_escalations_and_settings) {
  const std::string said = plan(web + two_receivers + "log: { level: info }\n",
                                web + one_receiver + "log: { level: debug }\nunknown_after: 5m\n");
  EXPECT_EQ(said,
            "- receiver ops: what it has not taken yet is dropped, and it gets no end of what it was told\n"
            "~ who is told of P2: [{notify: [ops]}, {after: 15m, notify: [lead]}] -> [{notify: [lead]}]\n"
            "~ log.level: info -> debug\n"
            "    this takes a restart: systemctl restart vitald\n"
            "~ unknown_after: (nothing) -> 5m\n");
}

TEST(Plan, shows_no_secret) {
  const json told = outline(
      "checks:\n  web: { probe: web, url: http://a, password: hunter2 }\n"
      "receivers: { ops: { chat: { webhook: hunter3 } } }\nescalations: { P2: [ { notify: [ ops ] } ] }\n");
  EXPECT_THAT(told.dump(), Not(HasSubstr("hunter")));
  EXPECT_EQ(told["checks"]["web"]["password"], "(a secret)");
  EXPECT_EQ(told["receivers"]["ops"]["chat"], "{webhook: (a secret)}");
  const json file = outline("checks:\n  web: { probe: web, url: http://a, password: { file: /etc/x } }\n");
  EXPECT_EQ(file["checks"]["web"]["password"], "{file: /etc/x}") << "where it is may be known";
}

TEST(Plan, the_incident_of_a_removed_check_ends_and_who_knew_of_it_is_told) {
  const std::string both = web + "  room: { probe: room }\n";
  json known = incident("check:room", {"lead", "ops"});
  known["affected"] = {"web"};
  EXPECT_EQ(fates(both + two_receivers, web + two_receivers, json::array({known, incident("check:web", {"ops"})})),
            "! incident k3v9 of room ends: check removed from the configuration; its end is told to lead, ops; "
            "looked at again: web\n");
  EXPECT_EQ(fates(both + two_receivers, web + one_receiver, json::array({known})),
            "! incident k3v9 of room ends: check removed from the configuration; its end is told to lead; "
            "no end for ops; looked at again: web\n");
  known = incident("check:room", {"ops"});
  known["told"][0]["refused"] = true;
  EXPECT_EQ(fates(both + two_receivers, web + two_receivers, json::array({known})),
            "! incident k3v9 of room ends: check removed from the configuration; nobody gets a message of its end\n");
}

TEST(Plan, the_incident_of_a_renamed_check_stays_open) {
  const std::string shop = "checks:\n  shop: { probe: web, url: http://a, every: 30s, was: web }\n";
  EXPECT_EQ(fates(web + two_receivers, shop + two_receivers, json::array({incident("check:web", {"ops"})})),
            "! incident k3v9 of web stays open as that of shop\n");
}

TEST(Plan, where_nobody_who_knows_is_left_others_are_told) {
  const json known = json::array({incident("check:web", {"ops"})});
  EXPECT_EQ(fates(web + two_receivers, web + one_receiver, known),
            "! incident k3v9 of web stays open; no end for ops; told anew, since nobody else knows of it: lead\n");
  const std::string later =
      "receivers:\n  lead: { chat: { webhook: { file: /etc/b } } }\n  boss: { chat: { webhook: { file: /etc/c } } }\n"
      "escalations: { P2: [ { notify: [ lead ] }, { after: 15m, notify: [ boss ] } ] }\n";
  EXPECT_THAT(fates(web + two_receivers, web + later, known), HasSubstr("knows of it: lead\n"));
  EXPECT_THAT(fates(web + two_receivers, web + later, known, "2026-07-01T12:15:00.5Z"),
              HasSubstr("knows of it: boss, lead\n"));
  json muted = known;
  muted[0]["muted"] = {{"by", "silence"}};
  EXPECT_EQ(fates(web + two_receivers, web + one_receiver, muted),
            "! incident k3v9 of web stays open; no end for ops\n");
}

TEST(Plan, what_vitald_says_of_itself_ends_with_what_it_is_about) {
  json unknown = incident("unknown:denied", {"lead"});
  unknown["affected"] = {"room"};
  const std::string both = web + "  room: { probe: room }\n";
  EXPECT_THAT(fates(both + two_receivers, web + two_receivers, json::array({unknown})),
              HasSubstr("ends: check removed from the configuration; its end is told to lead"));
  unknown["affected"] = {"room", "web"};
  EXPECT_EQ(fates(both + two_receivers, web + two_receivers, json::array({unknown})), "");
  const json others = json::array({incident("self:receiver:ops", {"lead"}), incident("storm:ops:1", {"ops"}),
                                   incident("self:reload", {"lead"}), incident("self:store", {"lead"})});
  EXPECT_EQ(fates(web + two_receivers, web + one_receiver, others),
            "! incident k3v9 of receiver:ops ends: receiver ops was removed; its end is told to lead\n"
            "! incident k3v9 of ops:1 ends: the receiver was removed from the configuration; "
            "nobody gets a message of its end; no end for ops\n"
            "! incident k3v9 of reload ends: the configuration was loaded; its end is told to lead\n");
}

TEST(Plan, what_is_told_of_by_a_storm_ends_with_that) {
  const std::string both = web + "  room: { probe: room }\n";
  const json open = json::array({incident("check:room", {}), incident("storm:ops:1", {"ops"})});
  EXPECT_EQ(fates(both + two_receivers, web + two_receivers, open),
            "! incident k3v9 of room ends: check removed from the configuration; nobody was told of it by itself, a "
            "storm that it belongs to says how many are over\n");
}

TEST(Plan, an_outline_survives_packing) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(unpack_outline(pack_outline(text)), text);
  EXPECT_LT(pack_outline(text).size(), 2000u);
  EXPECT_EQ(unpack_outline(""), "");
  EXPECT_EQ(unpack_outline(std::string(8, '\xFF') + "abc"), "");
  EXPECT_EQ(parse_outline("no JSON\n[]\n{\"part\":1}\n"), json::object());
}

}  // namespace
}  // namespace vitald::daemon
