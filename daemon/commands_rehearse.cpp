// `test-rules`: a story of the user's own against the user's own configuration, with virtual time.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/api.hpp"
#include "daemon/commands.hpp"
#include "daemon/configuration.hpp"
#include "probes/probe.hpp"
#include "rehearsal/difference.hpp"
#include "rehearsal/scenario.hpp"

namespace vitald::daemon {
namespace {

constexpr int exit_no_input = 66;  // sysexits.h: EX_NOINPUT
constexpr std::size_t longest_story = 1 << 20;

Result<std::string> read_story(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Failure{file, "cannot be read"};
  std::string text;
  text.resize(longest_story + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > longest_story) return Failure{file, "is longer than 1 MiB"};
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

rehearsal::Setting setting_of(const Configuration& configuration) {
  rehearsal::Setting setting{*configuration.rules, {}};
  for (const CheckPlan& plan : configuration.checks) {
    if (!plan.kind->free_samples.empty()) continue;  // a query names its own
    std::vector<std::string>& names = setting.samples[plan.name];
    names.emplace_back(probes::duration_sample.name);
    for (const SampleSpec& sample : plan.kind->samples) names.emplace_back(sample.name);
  }
  return setting;
}

bool has_expectations(const std::string& story) { return story.starts_with(">") || story.find("\n>") != story.npos; }

}  // namespace

int command_test_rules(const CommandOptions& options) {
  const LoadedConfiguration loaded = load_configuration(options.config, Secrets::leave);
  for (const config::Problem& problem : loaded.problems.all()) std::cerr << problem.text() << '\n';
  if (!loaded.configuration) return exit_configuration;
  const auto story = read_story(options.name);
  if (!story) {
    std::cerr << "vitald: " << story.failure().sentence() << '\n';
    return exit_no_input;
  }
  const std::string ran = rehearsal::run_scenario(*story, setting_of(*loaded.configuration));
  const bool compared = has_expectations(*story);
  const std::string differs = compared ? rehearsal::difference(*story, ran) : "";
  const bool misunderstood = ran.find("\n> error: ") != std::string::npos || ran.starts_with("> error: ");
  const bool well = differs.empty() && !misunderstood;
  if (options.json) {
    std::cout << dump({{"as_expected", well}, {"text", ran}, {"difference", differs}}) << '\n';
  } else if (!compared) {
    std::cout << ran;
  } else if (well) {
    std::cout << options.name << ": all is as expected\n";
  } else {
    std::cout << differs << options.name << ": not as expected ('-' is missing, '+' was not expected)\n";
  }
  return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace vitald::daemon
