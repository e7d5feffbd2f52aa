#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/app.hpp"
#include "daemon/commands.hpp"
#include "daemon/commands_parts.hpp"
#include "daemon/configuration.hpp"
#include "daemon/log.hpp"
#include "daemon/service_manager.hpp"
#include "probes/helper.hpp"

namespace vitald::daemon {

namespace {

void print_problems(const config::Problems& problems, std::FILE* out) {
  for (const config::Problem& problem : problems.all()) std::fprintf(out, "%s\n", problem.text().c_str());
}

/// Secrets are in this process: no core dump, no ptrace by others of the same user, files for nobody else.
void keep_to_ourselves() {
  ::umask(0077);
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

/// systemd makes it (RuntimeDirectory=); started by hand there may be none. The socket in it guards itself.
Result<void> make_runtime_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Failure{directory.string(),
                   "cannot be created: " + error.message() + "; set 'runtime:' to a directory that vitald may write"};
  }
  return {};
}

}  // namespace

int command_run(const CommandOptions& options) {
  keep_to_ourselves();
  probes::HelperProcess helper = probes::HelperProcess::fork();  // before any thread or secret exists
  ServiceManager service;
  LoadedConfiguration loaded = load_configuration(std::filesystem::absolute(options.config), Secrets::load);
  print_problems(loaded.problems, stderr);
  if (!loaded.configuration) return exit_configuration;

  const LogPlan& plan = loaded.configuration->log;
  auto log = Log::open(log_level_from(plan.level), plan.file, std::getenv("JOURNAL_STREAM"));
  if (!log) {
    std::fprintf(stderr, "vitald: %s\n", log.failure().sentence().c_str());
    return exit_configuration;
  }
  if (auto made = make_runtime_directory(loaded.configuration->runtime); !made) {
    log->error(made.failure().sentence());
    return EXIT_FAILURE;
  }
  App app(std::move(*loaded.configuration), std::move(helper), std::move(service), *log);
  if (auto ran = app.run(); !ran) {
    log->error(ran.failure().sentence());
    return EXIT_FAILURE;
  }
  log->info("vitald has stopped");
  return EXIT_SUCCESS;
}

nlohmann::json problems_json(const config::Problems& problems, const std::filesystem::path& file) {
  nlohmann::json list = nlohmann::json::array();
  for (const config::Problem& problem : problems.all()) {
    list.push_back({{"file", problem.at.file ? *problem.at.file : file.string()},
                    {"line", problem.at.line},
                    {"column", problem.at.column},
                    {"severity", problem.warning ? "warning" : "error"},
                    {"text", problem.what}});
  }
  return list;
}

std::string count_mistakes(const config::Problems& problems, const std::filesystem::path& file) {
  const auto errors = std::count_if(problems.all().begin(), problems.all().end(),
                                    [](const config::Problem& problem) { return !problem.warning; });
  return file.string() + ": " + std::to_string(errors) + (errors == 1 ? " mistake" : " mistakes");
}

int command_check_config(const CommandOptions& options) {
  const LoadedConfiguration loaded = load_configuration(options.config, Secrets::leave);
  if (options.json) {
    const nlohmann::json report{{"valid", loaded.configuration.has_value()},
                                {"problems", problems_json(loaded.problems, options.config)}};
    std::cout << report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  } else {
    print_problems(loaded.problems, stdout);
    if (loaded.configuration) {
      std::printf("%s: in order, %zu checks, %zu receivers\n", options.config.c_str(),
                  loaded.configuration->checks.size(), loaded.configuration->receivers.size());
    } else {
      std::printf("%s\n", count_mistakes(loaded.problems, options.config).c_str());
    }
  }
  return loaded.configuration ? EXIT_SUCCESS : exit_configuration;
}

int command_discover(const CommandOptions& options) {
  std::cout << discover_configuration(options.discover);
  return EXIT_SUCCESS;
}

int command_schema(const CommandOptions&) {
  std::cout << configuration_schema() << '\n';
  return EXIT_SUCCESS;
}

}  // namespace vitald::daemon
