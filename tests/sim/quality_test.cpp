// The quality of alerts. QUALITY_CHECKS=1000 measures as many checks over 72 h; the table is printed by
// tools/alert-quality.
#include "tests/sim/quality.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace vitald::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::array troubles = {Trouble::nothing, Trouble::independent, Trouble::bursts, Trouble::flaps,
                                 Trouble::partial};

Plan calm() { return plans().back(); }

TEST(quality, calm_in_bursts) {
  const Quality quality = measure(Trouble::bursts, calm(), {.checks = 150}, 1);
  EXPECT_GE(quality.precision(), 0.95);
  EXPECT_LE(quality.false_per_check_month(), 0.1);
  EXPECT_EQ(quality.recall(), 1.0);
  EXPECT_GT(quality.outages, 100);
  EXPECT_LE(quality.delay(1.0), 10 + 30 + 1.5);
}

TEST(quality, nothing_real_is_missed) {
  for (const Trouble trouble : troubles) {
    for (const Plan& plan : plans()) {
      const Quality quality = measure(trouble, plan, {.checks = 5}, 2);
      // Where it flaps, or loses probes by itself, an incident may be open before the outage begins.
      const bool disturbed = trouble != Trouble::nothing;
      if (!disturbed || plan.name == calm().name) {
        EXPECT_EQ(quality.recall(), 1.0) << to_string(trouble) << ", " << plan.name;
      }
      EXPECT_GT(quality.outages, 0) << to_string(trouble);
    }
  }
}

TEST(quality, distance_is_what_makes_bursts_harmless) {
  std::vector<double> rates;
  for (const Plan& plan : plans())
    rates.push_back(measure(Trouble::bursts, plan, {.checks = 5}, 3).false_per_check_month());
  EXPECT_TRUE(std::is_sorted(rates.rbegin(), rates.rend()));
  EXPECT_GT(rates.front(), 50);  // a check that comes and goes so often is held open, or there would be a thousand
  EXPECT_GT(rates.front(), 10 * rates[1]);
}

/// The table of docs/alert-quality.md; of one check where nobody asks for it.
TEST(quality, table) {
  const char* wanted = std::getenv("QUALITY_CHECKS");
  const Extent extent{.checks = wanted == nullptr ? 1 : std::max(1, std::atoi(wanted))};
  for (const Trouble trouble : troubles) {
    for (const Plan& plan : plans()) {
      const Quality quality = measure(trouble, plan, extent, 1);
      std::printf("| %s | %s | %.3f | %.3f | %.2f | %.0f / %.0f s |\n", std::string(to_string(trouble)).c_str(),
                  plan.name.c_str(), quality.precision(), quality.recall(), quality.false_per_check_month(),
                  quality.delay(0.5), quality.delay(0.99));
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace vitald::sim
