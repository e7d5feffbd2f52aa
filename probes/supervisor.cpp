#include "probes/supervisor.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "probes/supervisor_client.hpp"

namespace vitald::probes::supervisor {
namespace {

constexpr std::size_t most_logs = 3;
constexpr std::size_t most_others = 10;
constexpr double recently_seconds = 15 * 60;

bool matches(const std::vector<std::string>& patterns, const Program& program) {
  const std::string name = program.group + ":" + program.name;
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return pattern == program.group || ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ||
           ::fnmatch(pattern.c_str(), program.group.c_str(), 0) == 0;
  });
}

void choose(const Config& config, std::vector<Program> all, Facts& facts) {
  for (Program& program : all) {
    if (is_meant(config, program)) {
      facts.programs.push_back(std::move(program));
    } else if (facts.others.size() < most_others &&
               std::find(facts.others.begin(), facts.others.end(), program.group) == facts.others.end()) {
      facts.others.push_back(std::move(program.group));
    }
  }
}

/// Whether somebody who is told of this program wants to see what it wrote last.
bool is_troubled(const Config& config, const Program& program) {
  if (!is_wanted(config, program) || program.is(State::starting) || program.is(State::stopping)) return false;
  const bool restarted = program.stop > 0 && program.now - program.start < recently_seconds;
  return !program.is(State::running) || restarted;
}

}  // namespace

std::string Config::target() const {
  if (url) return url->authority;
  return socket.empty() ? "supervisor" : socket;
}

bool Config::single() const {
  return programs.size() == 1 &&
         programs.front().substr(0, programs.front().find(':')).find_first_of("*?[") == std::string::npos;
}

std::string Program::full_name() const { return group == name ? name : group + ":" + name; }

bool is_meant(const Config& config, const Program& program) {
  return (config.programs.empty() || matches(config.programs, program)) && !matches(config.exclude, program);
}

bool is_wanted(const Config& config, const Program& program) {
  if (!config.programs.empty()) return true;
  const bool never_started = program.is(State::stopped) && program.start <= 0;
  const bool ended_well = program.is(State::exited) && program.exit_status == 0;
  return !never_started && !ended_well;
}

Config parse(config::Reader& in) {
  Config config;
  const config::ListOf<config::Text> names{.kind = {.longest = 256}, .single = true, .most = 64};
  config.programs = in.optional("programs", names, {},
                                "Program, group or pattern such as `laravel-worker:*`, or a list; left out: all");
  config.exclude = in.optional("exclude", names, {}, "Programs, groups or patterns to leave out");
  config.socket = in.optional("socket", config::Text{.longest = 107, .may_be_empty = true}, "",
                              "Path of supervisord's Unix socket; left out: the usual places, such as "
                              "/var/run/supervisor.sock");
  const auto url = in.optional("url", config::Text{.may_be_empty = true}, "",
                               "Its address instead, such as http://127.0.0.1:9001 ([inet_http_server])");
  config.user = in.optional("user", config::Text{.longest = 256, .may_be_empty = true}, "", "User, where it wants one");
  config.password = in.maybe("password", config::SecretText{}, "Password, where it wants one");
  config.grace = in.optional("grace", config::Length{.longest = std::chrono::hours(24)}, std::chrono::minutes(1),
                             "How long a program may be starting or stopping");

  if (!config.socket.empty() && !url.empty()) in.problem("url", "'socket' and 'url' exclude each other");
  if (!config.socket.empty() && !config.socket.starts_with('/'))
    in.problem("socket", "expected an absolute path such as /run/supervisor.sock, found '" + config.socket + "'");
  if (config.user.empty() == config.password.has_value())
    in.problem(config.password ? "password" : "user", "'user' and 'password' go together");
  if (config.user.find(':') != std::string::npos) in.problem("user", "a user name cannot hold a colon (RFC 7617)");
  if (url.empty()) return config;
  auto parsed = net::parse_url(url);
  if (!parsed) {
    in.problem("url", parsed.failure().what);
  } else {
    if (parsed->path == "/") parsed->path = "/RPC2";
    config.url = *parsed;
  }
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  facts.now = context.started.wall;
  facts.memory = context.memory;
  Client client(context, config);
  auto programs = co_await client.programs();
  facts.peer = client.peer();
  choose(config, std::move(programs), facts);
  for (const Program& program : facts.programs) {
    if (facts.logs.size() == most_logs || !is_troubled(config, program)) continue;
    std::string lines = co_await client.log_tail(program);
    facts.logs.push_back({program.full_name(), std::move(lines)});
  }
  co_return facts;
}

}  // namespace vitald::probes::supervisor
