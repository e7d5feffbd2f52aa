// SEEDS=N runs N seeds instead of 300, FIRST_SEED=S begins elsewhere. A failure prints its seed and the end of its log.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/sim/simulation.hpp"

namespace vitald::sim {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

std::string end_of(const std::string& log) { return log.size() < 6000 ? log : log.substr(log.size() - 6000); }

TEST(simulator, keeps_its_promises_over_many_seeds) {
  const std::uint64_t first = from_environment("FIRST_SEED", 1);
  const std::uint64_t seeds = from_environment("SEEDS", 300);
  std::map<std::string, int> seen;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const Report report = Simulation(seed, Fault::none).run();
    for (const auto& [what, times] : report.seen) seen[what] += times;
    ASSERT_TRUE(report.violations.empty()) << "FIRST_SEED=" << seed << " SEEDS=1: " << report.violations.front() << "\n"
                                           << end_of(report.log);
  }
  // A simulator that tries nothing proves nothing.
  const std::pair<const char*, int> sometimes[] = {
      {"between deciding and committing", 10},
      {"between committing and sending", 10},
      {"between taking a message and sending it", 10},
      {"between sending and settling", 10},
      {"a start with an open incident", 10},
      {"a message was repeated", 10},
      {"an answer was lost after the message was taken", 10},
      {"429", 10},
      {"a malformed message stepped down", 10},
      {"a receiver refused and its queue stopped", 10},
      {"a stopped queue started again", 10},
      {"a message was superseded", 1},
      {"a reminder", 10},
      {"an escalation", 10},
      {"an update", 10},
      {"an unknown incident", 10},
      {"an incident was acknowledged", 10},
      {"the configuration was reloaded", 10},
      {"the wall clock was set", 10},
      {"an outage that had to be noticed", 10},
      {"an outage with a cause", 10},
  };
  for (const auto& [what, times] : sometimes) {
    if (seeds >= 300) {
      EXPECT_GE(seen[what], times) << what;
    }
    std::cout << seen[what] << " x " << what << "\n";
  }
}

TEST(simulator, equal_seeds_give_equal_logs) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const std::string log = Simulation(seed, Fault::none).run().log;
    EXPECT_FALSE(log.empty());
    EXPECT_EQ(log, Simulation(seed, Fault::none).run().log) << "seed " << seed;
  }
}

/// The first of 100 seeds whose promises are broken, or 0.
std::uint64_t first_violation(Fault fault) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Report report = Simulation(seed, fault).run();
    if (report.violations.empty()) continue;
    std::cout << "seed " << seed << ": " << report.violations.front() << "\n";
    return seed;
  }
  return 0;
}

TEST(simulator, notices_who_marks_before_sending) { EXPECT_NE(first_violation(Fault::mark_before_send), 0u); }

TEST(simulator, notices_who_commits_twice) { EXPECT_NE(first_violation(Fault::two_transactions), 0u); }

}  // namespace
}  // namespace vitald::sim
