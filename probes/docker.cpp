#include "probes/docker.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "probes/docker_client.hpp"
#include "probes/docker_trouble.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/options.hpp"
#include "probes/tail.hpp"
#include "probes/wire/docker_logs.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::docker {
namespace {

constexpr std::size_t most_list = 4 << 20;       // a container takes 2 to 10 KiB
constexpr std::size_t most_container = 1 << 20;  // 10 KiB, and what its environment and health checks add
constexpr std::size_t most_statistics = 256 * 1024;
constexpr std::size_t most_log = 512 * 1024;    // a line is cut into pieces of 16 KiB
constexpr std::size_t inline_body = 64 * 1024;  // up to here one pass takes well under a millisecond
constexpr std::size_t most_logs = 3;            // containers whose log is shown
constexpr std::size_t most_unasked = 3;

/// As the engine allows it, which also needs no escaping in a url.
bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || c == '_' || c == '.' || c == '-'; });
}

void read_where(config::Reader& in, Config& config) {
  const auto socket = in.optional("socket", config::Text{}, "/var/run/docker.sock", "Unix socket of the engine");
  const auto address = in.maybe("address", HostPort{}, "Host and port of an engine that listens on TCP, instead");
  const auto family = read_family(in);
  const auto tls = in.optional("tls", TlsSwitch{}, std::nullopt,
                               "Speak TLS with the address: `true`, or a mapping of the options of the tcp probe");
  if (address && in.has("socket")) in.problem("address", "'address' and 'socket' exclude each other");
  if (tls && !address) in.problem("tls", "'tls' is for an 'address'");
  config.where = address.value_or(net::Target{});
  if (!address) config.where.unix_path = socket;
  config.where.family = family;
  config.where.tls = tls;
}

void check_names(config::Reader& in, const char* key, const std::vector<std::string>& names) {
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (!is_name(*name)) in.problem(key, "'" + *name + "' is no name: letters, digits, '_', '.' and '-'");
    if (std::find(names.begin(), name, *name) != name) in.problem(key, "'" + *name + "' is in the list already");
  }
}

void read_images(config::Reader& in, Config& config) {
  const auto image =
      in.maybe("image", config::Text{.longest = 512}, "Image that the one container of the check must be made from");
  const auto images =
      in.optional("images", config::TextMap{}, {}, "The same for several: container or service to image");
  if (image && config.containers.size() != 1) in.problem("image", "needs one 'container'; for more there is 'images'");
  if (image && !config.containers.empty()) config.images.emplace(config.containers.front(), *image);
  const auto& known = config.of_project() ? config.services : config.containers;
  for (const auto& [name, wanted] : images) {
    if (!known.empty() && std::find(known.begin(), known.end(), name) == known.end())
      in.problem("images", "'" + name + "' is not among the check's containers or services");
    config.images.emplace(name, wanted);
  }
}

/// A container's name or id, in the order of the answers.
struct Asked {
  std::string name;  // to ask with
  Listed listed = {};
};

/// Pure work on an answer, on a worker where the answer is large. `read` touches nothing but its argument.
template <class T>
awaitable<Result<T>> digest(ProbeContext& context, const Config& config, std::string body,
                            Result<T> (*read)(std::string_view)) {
  if (body.size() <= inline_body) co_return read(body);
  struct Work {
    std::string body;
    std::optional<Result<T>> found;
  };
  const auto work = std::make_shared<Work>();
  work->body = std::move(body);
  std::function<void()> job = [work, read] { work->found = read(work->body); };
  std::string key = "answers of " + config.target();
  co_await context.workers.run(std::move(key), std::move(job));
  co_return std::move(*work->found);
}

awaitable<std::vector<Asked>> list_project(ProbeContext& context, const Config& config, Facts& facts) {
  const std::string path = list_path(config.project);
  auto reply = co_await get(context, config, path, most_list);
  facts.peer = reply.peer;
  if (reply.status != 200) throw failure_of(reply, "the list of containers");
  const auto list = co_await digest<ContainerList>(context, config, std::move(reply.body), read_list);
  if (!list) throw wrong("bad_reply", "what listens there is no Docker engine: " + list.failure().what);
  std::vector<Asked> asked;
  for (const Listed& each : list->containers) {
    const bool wanted = config.services.empty() || std::find(config.services.begin(), config.services.end(),
                                                             each.service) != config.services.end();
    if (!each.one_off && wanted && is_name(each.id)) asked.push_back({each.id, each});
  }
  facts.left_out = list->all - list->containers.size();
  co_return asked;
}

/// Nothing: there is no such container.
awaitable<std::optional<Container>> inspect(ProbeContext& context, const Config& config, const std::string& name,
                                            Facts& facts) {
  const std::string path = "/containers/" + name + "/json";
  auto reply = co_await get(context, config, path, most_container);
  facts.peer = reply.peer;
  std::optional<Container> found;
  if (reply.status == 404 && !read_message(reply.body).empty()) co_return found;
  if (reply.status != 200) throw failure_of(reply, "a look at " + name);
  auto seen = co_await digest<Container>(context, config, std::move(reply.body), read_container);
  if (!seen) throw wrong("bad_reply", "what listens there is no Docker engine: " + seen.failure().what);
  found = std::move(*seen);
  co_return found;
}

/// Statistics and logs are extras: an engine that does not give them says why, and the rest counts.
void note(Facts& facts, const std::string& what, const Seen& seen, const std::string& why) {
  if (facts.unasked.size() < most_unasked)
    facts.unasked.push_back(what + " of " + foreign_text(seen.name, 60) + ": " + why);
}

awaitable<void> measure(ProbeContext& context, const Config& config, Facts& facts, Seen& seen) {
  const std::string path = "/containers/" + seen.container->id + "/stats?stream=false&one-shot=true";
  const auto reply = co_await get(context, config, path, most_statistics);
  const auto statistics = reply.status == 200 ? read_statistics(reply.body) : Failure{"", read_message(reply.body)};
  if (statistics) {
    seen.statistics = *statistics;
  } else if (reply.body.empty()) {
    note(facts, "statistics", seen, "the engine says nothing");
  } else {
    note(facts, "statistics", seen, foreign_text(statistics.failure().what, 120));
  }
}

awaitable<void> read_log(ProbeContext& context, const Config& config, Facts& facts, Seen& seen) {
  const std::string path =
      "/containers/" + seen.container->id + "/logs?stdout=1&stderr=1&tail=" + std::to_string(config.log_lines);
  const auto reply = co_await get(context, config, path, most_log);
  if (reply.status != 200) {
    note(facts, "the log", seen, foreign_text(read_message(reply.body), 120));
    co_return;
  }
  const auto text = wire::docker_log_text(reply.body);
  const bool raw = seen.container->terminal || !text;
  seen.log = last_lines_of(raw ? std::string_view(reply.body) : std::string_view(*text), config.log_lines);
}

awaitable<void> look_closer(ProbeContext& context, const Config& config, Facts& facts) {
  std::size_t logs = 0;
  for (Seen& seen : facts.seen) {
    if (!seen.container || !is_name(seen.container->id)) continue;
    if (config.statistics && seen.container->runs()) co_await measure(context, config, facts, seen);
    const bool wanted = config.log_lines > 0 && !seen.ended_well && trouble_of(config, seen, facts.now).has_value();
    if (!wanted || ++logs > most_logs) continue;
    co_await read_log(context, config, facts, seen);
  }
}

/// Whether another service waits for this one's good end, as `depends_on` says.
bool is_awaited(const std::vector<Asked>& all, const std::string& service) {
  const std::string clause = service + ":service_completed_successfully";
  return !service.empty() && std::any_of(all.begin(), all.end(), [&](const Asked& each) {
    const std::string list = "," + each.listed.depends_on;
    const auto at = list.find("," + clause);
    return at != std::string::npos;
  });
}

void add_missing_services(const Config& config, Facts& facts) {
  for (const std::string& service : config.services) {
    const bool there =
        std::any_of(facts.seen.begin(), facts.seen.end(), [&](const Seen& seen) { return seen.service == service; });
    if (!there) facts.seen.push_back({.name = service, .service = service});
  }
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  const config::ListOf<config::Text> names{.kind = {.longest = 128}, .single = true, .most = most_containers};
  config.containers = in.optional("container", names, {}, "Container, or a list of them, that must run");
  config.project =
      in.maybe("compose", config::Text{.longest = 128}, "Project of docker compose that must run").value_or("");
  config.services = in.optional("services", names, {},
                                "Services that the project must have; without it, those that have a container");
  read_where(in, config);
  read_images(in, config);
  config.start_within =
      in.optional("start_within", config::Length{}, std::chrono::minutes(5),
                  "A container whose health check has not succeeded this long after the start counts as unhealthy");
  config.log_lines = static_cast<std::size_t>(in.optional("log_lines", config::Integer{.largest = 12}, 8,
                                                          "Last lines of its log to show of a container in trouble"));
  config.statistics =
      in.optional("statistics", config::Boolean{}, true, "Measure memory and processor of each container");

  if (config.containers.empty() == config.project.empty()) in.problem("", "needs either 'container' or 'compose'");
  if (!config.services.empty() && config.project.empty())
    in.problem("services", "'services' are those of a 'compose' project");
  check_names(in, "container", config.containers);
  check_names(in, "services", config.services);
  if (!config.project.empty() && !is_name(config.project))
    in.problem("compose", "'" + config.project + "' is no name of a project: see docker compose ls --all");
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  facts.memory = std::string(context.memory);
  facts.now = context.clock.now().wall;
  std::vector<Asked> asked;
  if (config.of_project()) {
    asked = co_await list_project(context, config, facts);
  } else {
    for (const std::string& name : config.containers) asked.push_back({name});
  }
  for (const Asked& each : asked) {
    Seen seen{.name = each.name, .service = each.listed.service};
    seen.container = co_await inspect(context, config, each.name, facts);
    if (!seen.container && config.of_project()) continue;  // removed since the list was made
    if (seen.container && !seen.container->name.empty()) seen.name = seen.container->name;
    const bool well = seen.container && seen.container->state == "exited" && seen.container->exit_code == 0;
    seen.ended_well = well && is_awaited(asked, seen.service);
    facts.seen.push_back(std::move(seen));
  }
  add_missing_services(config, facts);
  co_await look_closer(context, config, facts);
  co_return facts;
}

}  // namespace vitald::probes::docker
