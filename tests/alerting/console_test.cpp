#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/alerting/golden.hpp"
#include "tests/alerting/notifier_case.hpp"

namespace vitald::alerting {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_kit::NotifierCase;

std::string shown(const NotifierCase& console, const Notification& note) {
  const auto deliveries = console.notifier->render(note, "", Form::full);
  return std::get<ConsoleText>(deliveries->at(0)).text;
}

TEST(Console, GoldenProblem) {
  golden::expect("console/problem.txt", shown(NotifierCase("console", "{}"), samples::api_problem()));
}
TEST(Console, GoldenRecovery) {
  golden::expect("console/recovery.txt", shown(NotifierCase("console", "{}"), samples::api_recovery()));
}
TEST(Console, GoldenDigest) {
  golden::expect("console/digest.txt", shown(NotifierCase("console", "{}"), samples::daily_digest()));
}

TEST(Console, ColoursOnlyWhenAsked) {
  EXPECT_THAT(shown(NotifierCase("console", "{}"), samples::api_problem()), Not(HasSubstr("\x1b")));
  EXPECT_THAT(shown(NotifierCase("console", "colour: true"), samples::api_problem()),
              HasSubstr("\x1b[1;31mP0 critical: "));
}

TEST(Console, ForeignTextGivesTheTerminalNoOrders) {
  for (const std::string& text : testing_kit::hostile_texts()) {
    const std::string block = shown(NotifierCase("console", "{}"), testing_kit::hostile(text));
    for (const char c : block) EXPECT_FALSE((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F);
  }
}

TEST(Console, EveryLineButTheFirstIsSetIn) {
  const std::string block = shown(NotifierCase("console", "{}"), samples::api_problem());
  for (std::size_t at = block.find('\n'); at + 1 < block.size(); at = block.find('\n', at + 1))
    EXPECT_EQ(block.substr(at + 1, 2), "  ");
}

}  // namespace
}  // namespace vitald::alerting
