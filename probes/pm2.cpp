#include "probes/pm2.hpp"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "probes/faults.hpp"
#include "probes/pm2_home.hpp"
#include "probes/tail.hpp"
#include "probes/wire/amp.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::pm2 {
namespace {

// About 6 kB for each process with a small environment.
constexpr std::size_t most_reply = 32u << 20;
constexpr std::size_t inline_reply = 64 * 1024;  // up to here parsing takes well under a millisecond
constexpr std::size_t most_logs = 3;
constexpr std::size_t most_others = 10;
constexpr std::size_t log_lines = 8;
constexpr auto recently = std::chrono::minutes(15);

bool is_pattern(const std::string& app) { return app.find_first_of("*?[") != std::string::npos; }

bool matches_one(const std::vector<std::string>& patterns, const std::string& app) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return pattern == app || ::fnmatch(pattern.c_str(), app.c_str(), 0) == 0;
  });
}

/// What jobs on a worker may touch: their own, since the run may be over before they are.
struct Search {
  Host host;
  Homes homes;
};

awaitable<std::string> find_socket(ProbeContext& context, const Config& config) {
  if (!config.socket.empty()) co_return config.socket;
  if (!config.home.empty()) co_return config.home + "/rpc.sock";
  const auto search = std::make_shared<Search>(Search{context.host, {}});
  const std::function<void()> job = [search] { search->homes = look_for_homes(search->host); };
  co_await context.workers.run("pm2 homes", job);
  co_return only_home(search->homes) + "/rpc.sock";
}

awaitable<std::unique_ptr<net::Stream>> connect(ProbeContext& context, const std::string& socket) {
  net::Target where;
  where.unix_path = socket;
  std::optional<ProbeFailure> failed;
  try {
    auto stream = co_await context.network.connect(where, context.phases);
    co_return stream;
  } catch (const ProbeFailure& failure) {
    failed = failure;
  }
  const auto host = std::make_shared<Host>(context.host);
  const auto explained = std::make_shared<ProbeFailure>(*failed);
  const std::function<void()> job = [host, explained, socket] {
    *explained = explain_silence(*host, socket, *explained);
  };
  co_await context.workers.run(socket, job);
  throw *explained;
}

ProbeFailure bad_reply(const std::string& socket, const std::string& what) {
  return wrong("bad_reply", socket + ": " + what, "see whether it is pm2 that listens there, and its log, pm2.log");
}

awaitable<wire::AmpMessage> ask(ProbeContext& context, net::Stream& stream, const std::string& socket) {
  context.phases.begin("send");
  co_await stream.write(request);
  context.phases.mark("send");
  context.phases.begin("first_byte");
  wire::AmpReader reader(most_reply);
  std::string piece(inline_reply, '\0');
  while (true) {
    const auto size = co_await stream.read_some(piece);
    if (size == 0) throw refused("closed_early", "pm2 closed the connection without an answer");
    if (reader.held() == 0) context.phases.mark("first_byte");
    context.phases.begin("rest");
    reader.feed(std::string_view(piece).substr(0, size));
    auto message = reader.next();
    if (!message) throw bad_reply(socket, message.failure().what);
    if (!*message) continue;
    context.phases.mark("rest");
    co_return std::move(**message);
  }
}

struct Parsing {
  explicit Parsing(wire::AmpMessage message_) : message(std::move(message_)) {}
  void work() { processes = read_reply(*message.json(0)); }

  wire::AmpMessage message;
  Result<std::vector<Process>> processes = std::vector<Process>{};
};

awaitable<std::vector<Process>> read(ProbeContext& context, wire::AmpMessage message, std::string socket) {
  if (!message.json(0)) throw bad_reply(socket, "the answer holds no JSON");
  const auto parsing = std::make_shared<Parsing>(std::move(message));
  const std::function<void()> job = [parsing] { parsing->work(); };
  if (parsing->message.json(0)->size() > inline_reply) {
    co_await context.workers.run(socket, job);
  } else {
    job();
  }
  if (!parsing->processes) throw bad_reply(socket, parsing->processes.failure().what);
  co_return std::move(*parsing->processes);
}

/// Keeps the processes that the check is about.
void choose(const Config& config, std::vector<Process> all, Facts& facts) {
  for (Process& process : all) {
    if (process.id < 0) continue;
    if (is_meant(config, process.name) && (!process.module || !config.apps.empty())) {
      facts.processes.push_back(std::move(process));
    } else if (facts.others.size() < most_others && !process.module) {
      facts.others.push_back(std::move(process.name));
    }
  }
}

/// The path comes from pm2, whose user could name a file here that only vitald may read: what is not his is not read.
bool is_owned_as(const std::string& path, const std::string& socket) {
  struct stat log = {};
  struct stat home = {};
  return ::lstat(path.c_str(), &log) == 0 && ::lstat(socket.c_str(), &home) == 0 && S_ISREG(log.st_mode) &&
         log.st_uid == home.st_uid;
}

struct Reading {
  struct Wanted {
    std::string app, path;
  };
  std::string root, socket;
  std::vector<Wanted> wanted;
  std::vector<Log> logs;

  void work() {
    for (const Wanted& each : wanted) {
      if (!is_owned_as(root + each.path, root + socket)) continue;
      logs.push_back({each.app, last_lines(root + each.path, log_lines)});
    }
  }
};

awaitable<std::vector<Log>> read_logs(ProbeContext& context, const Facts& facts) {
  const auto reading = std::make_shared<Reading>(Reading{context.host.root, facts.socket, {}, {}});
  for (const Process& process : facts.processes) {
    const bool there = std::any_of(reading->wanted.begin(), reading->wanted.end(),
                                   [&](const Reading::Wanted& each) { return each.app == process.name; });
    if (there || reading->wanted.size() == most_logs || !process.error_log.starts_with('/')) continue;
    if (is_troubled(process, facts.now)) reading->wanted.push_back({process.name, process.error_log});
  }
  const std::function<void()> job = [reading] { reading->work(); };
  if (!reading->wanted.empty()) co_await context.workers.run(facts.socket + " logs", job);
  co_return std::move(reading->logs);
}

}  // namespace

bool Config::single() const { return apps.size() == 1 && !is_pattern(apps.front()); }

bool is_meant(const Config& config, const std::string& app) {
  return (config.apps.empty() || matches_one(config.apps, app)) && !matches_one(config.exclude, app);
}

bool is_troubled(const Process& process, Wall now) {
  return process.status != "online" || (process.restarts > 0 && now - process.started() < recently);
}

Config parse(config::Reader& in) {
  Config config;
  const config::ListOf<config::Text> names{.kind = {.longest = 256}, .single = true, .most = 64};
  config.apps = in.optional("app", names, {}, "Name of an app, a pattern such as `api-*`, or a list; left out: all");
  config.exclude = in.optional("exclude", names, {}, "Names or patterns of apps to leave out");
  config.home = in.optional("home", config::Text{.longest = 96, .may_be_empty = true}, "",
                            "PM2_HOME of that pm2, such as /home/deploy/.pm2; left out: the only one of the host");
  config.socket = in.optional("socket", config::Text{.longest = 107, .may_be_empty = true}, "",
                              "Path of its rpc.sock, where that is elsewhere");
  config.instances = in.maybe("instances", config::Integer{.smallest = 1, .largest = 1000},
                              "How many instances of each app there must be; left out: as many as pm2 lists");
  config.grace = in.optional("grace", config::Length{.longest = std::chrono::hours(24)}, std::chrono::minutes(1),
                             "How long an instance may be launching, stopping or waiting for its restart");

  for (const auto& [key, path] : {std::pair("home", &config.home), std::pair("socket", &config.socket)})
    if (!path->empty() && !path->starts_with('/'))
      in.problem(key, "expected an absolute path such as /home/deploy/.pm2, found '" + *path + "'");
  if (!config.home.empty() && !config.socket.empty()) in.problem("socket", "'home' and 'socket' exclude each other");
  while (config.home.size() > 1 && config.home.ends_with('/')) config.home.pop_back();
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  facts.now = context.started.wall;
  facts.memory = context.memory;
  facts.socket = co_await find_socket(context, config);
  const auto stream = co_await connect(context, facts.socket);
  auto message = co_await ask(context, *stream, facts.socket);
  auto processes = co_await read(context, std::move(message), facts.socket);
  choose(config, std::move(processes), facts);
  facts.logs = co_await read_logs(context, facts);
  co_return facts;
}

}  // namespace vitald::probes::pm2
