// A user's own configuration in the place of declarations, and what differs from what was expected.
#include <gtest/gtest.h>

#include "alerting/confirm.hpp"
#include "rehearsal/difference.hpp"
#include "rehearsal/scenario.hpp"

namespace vitald::rehearsal {
namespace {

Setting setting() {
  Setting made;
  alerting::CheckRules web;
  web.name = "web";
  web.probe = "http";
  web.critical = Severity::p1;
  web.confirm = {1, {}};
  made.rules.instance = "web-1";
  made.rules.checks.push_back(web);
  made.rules.receivers = {"ops"};
  made.rules.escalations[1].steps.push_back({.notify = {"ops"}});
  made.samples["web"] = {"duration"};
  return made;
}

TEST(Rehearsal, tells_whom_the_configuration_tells) {
  EXPECT_EQ(run_scenario("0s web refused \"connection refused\"\n", setting()),
            "0s web refused \"connection refused\"\n> 0s problem P1 critical web to ops: connection refused\n");
}

TEST(Rehearsal, refuses_what_the_configuration_says_already) {
  const std::string ran = run_scenario("receivers lead\ncheck web: severity P0\n", setting());
  EXPECT_NE(ran.find("> error: 'receivers' is what the configuration says already"), std::string::npos) << ran;
  EXPECT_NE(ran.find("> error: 'check' is what"), std::string::npos) << ran;
}

TEST(Rehearsal, knows_what_a_check_measures) {
  const std::string ran = run_scenario("0s web ok used=0.9\n1s db ok\n2s web ok duration=0.1\n", setting());
  EXPECT_NE(ran.find("> error: web measures no 'used'; it measures duration\n"), std::string::npos) << ran;
  EXPECT_NE(ran.find("> error: no check is called db\n"), std::string::npos) << ran;
  EXPECT_TRUE(ran.ends_with("duration=0.1\n")) << ran;
}

TEST(Difference, is_nothing_for_equal_texts) { EXPECT_EQ(difference("a\nb\n", "a\nb\n"), ""); }

TEST(Difference, shows_what_is_missing_and_what_came_with_three_lines_around) {
  EXPECT_EQ(difference("1\n2\n3\n4\n5\nold\n6\n", "1\n2\n3\n4\n5\nnew\n6\n"), "  3\n  4\n  5\n- old\n+ new\n  6\n  \n");
}

TEST(Difference, leaves_out_what_is_far_away) {
  const std::string shown = difference("a\n1\n2\n3\n4\n5\n6\n7\n8\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\n8\nB\n");
  EXPECT_NE(shown.find("  ...\n"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("  4\n"), std::string::npos) << shown;
}

}  // namespace
}  // namespace vitald::rehearsal
