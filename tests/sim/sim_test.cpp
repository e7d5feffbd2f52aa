// SEEDS=N runs N worlds instead of the usual number, FIRST_SEED=S begins elsewhere, SIM_LOG=FOLDER writes a journal of
// each for tests/sim/oracle.py. A failure prints its seed, the command to run it again and the end of its log.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "tests/sim/simulation.hpp"

namespace vitald::sim {
namespace {

constexpr std::uint64_t usual_seeds = VITALD_WORLDS;  // CMake says it: fewer under the sanitizers
constexpr std::uint64_t all_seeds = 450;

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

std::string end_of(const std::string& log) { return log.size() < 6000 ? log : log.substr(log.size() - 6000); }

std::string journal_of(std::uint64_t seed) {
  const char* folder = std::getenv("SIM_LOG");
  return folder == nullptr ? "" : std::string(folder) + "/" + std::to_string(seed) + ".jsonl";
}

/// What many worlds, run on all cores, have shown together.
struct Total {
  std::map<std::string, int> seen;
  double host_hours = 0;
  std::size_t largest = 0;
  std::map<std::uint64_t, std::string> failures;  // by seed
};

Total run_all(std::uint64_t first, std::uint64_t seeds) {
  Total total;
  std::atomic<std::uint64_t> next = first;
  std::mutex lock;
  const auto work = [&] {
    for (std::uint64_t seed = next++; seed < first + seeds; seed = next++) {
      const Report report = Simulation(seed, Fault::none, journal_of(seed)).run();
      const std::lock_guard guard(lock);
      for (const auto& [what, times] : report.seen) total.seen[what] += times;
      total.host_hours += std::chrono::duration<double, std::ratio<3600>>(report.simulated).count();
      total.largest = std::max(total.largest, report.checks);
      if (report.violations.empty()) continue;
      total.failures[seed] = report.violations.front() + "\n" + end_of(report.log);
      next = first + seeds;
    }
  };
  std::vector<std::thread> others;
  for (unsigned index = 1; index < std::max(1u, std::thread::hardware_concurrency()); ++index)
    others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  return total;
}

// A simulator that tries nothing proves nothing.
constexpr std::pair<const char*, int> sometimes[] = {
    {"between deciding and committing", 100},
    {"between committing and sending", 100},
    {"between taking a message and sending it", 100},
    {"between sending and settling", 100},
    {"a start with an open incident", 100},
    {"a message was repeated", 100},
    {"an answer was lost after the message was taken", 100},
    {"429", 100},
    {"a slow answer", 100},
    {"a malformed message stepped down", 100},
    {"a receiver refused and its queue stopped", 100},
    {"a stopped queue started again", 100},
    {"a message was superseded", 10},
    {"a reminder", 100},
    {"an escalation", 100},
    {"an update", 100},
    {"an unknown incident", 100},
    {"an incident was acknowledged", 100},
    {"the configuration was reloaded", 100},
    {"the configuration was changed", 100},
    {"a storm was told", 20},
    {"an unstable check was told", 3},
    {"a silence", 100},
    {"a silence was taken back", 3},
    {"a configuration with maintenance windows", 100},
    {"a day and more, with a change to or from summer time in two of three", 100},
    {"a check was renamed", 100},
    {"a receiver was removed", 100},
    {"the wall clock was set", 50},
    {"the wall clock went an hour forth or back", 50},
    {"the host was suspended", 50},
    {"a part of the network was cut off", 100},
    {"a target flapped", 100},
    {"a burst of loss", 100},
    {"an outage that had to be noticed", 100},
    {"an outage with a cause", 100},
};

TEST(simulator, keeps_its_promises_over_many_seeds) {
  const std::uint64_t first = from_environment("FIRST_SEED", 1);
  const std::uint64_t seeds = from_environment("SEEDS", usual_seeds);
  Total total = run_all(first, seeds);
  for (const auto& [seed, what] : total.failures) {
    ADD_FAILURE() << "seed " << seed << "; again: FIRST_SEED=" << seed
                  << " SEEDS=1 build/asan/tests/sim_tests --gtest_filter='*many_seeds'\n"
                  << what;
  }
  if (HasFailure()) return;
  for (const auto& [what, times] : sometimes) {
    if (seeds >= all_seeds) {
      EXPECT_GE(total.seen[what], times) << what;
    }
    std::cout << total.seen[what] << " x " << what << "\n";
  }
  if (seeds >= all_seeds) {
    EXPECT_GE(total.host_hours, 10'000);
    EXPECT_GE(total.largest, 500u);
  }
  std::cout << static_cast<long>(total.host_hours) << " simulated host-hours in " << seeds << " worlds of 1 to "
            << total.largest << " checks\n";
}

TEST(simulator, equal_seeds_give_equal_logs) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
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
