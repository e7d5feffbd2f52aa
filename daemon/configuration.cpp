#include "daemon/configuration.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "config/document.hpp"
#include "config/schema.hpp"
#include "daemon/configuration_parts.hpp"
#include "daemon/outline.hpp"
#include "probes/ping.hpp"

namespace vitald::daemon {
namespace {

using config::Length;
using config::ListOf;
using config::Node;
using config::OneOf;
using config::Problems;
using config::Reader;
using config::Text;
using nlohmann::ordered_json;
using namespace std::chrono_literals;

bool exists(const char* path) { return ::access(path, F_OK) == 0; }

Node* find(Node& root, std::string_view key) {
  for (Node::Member& member : root.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string instance_of(const Top& top, Reader& in, const Surroundings& surroundings) {
  if (top.instance) return *top.instance;
  if (surroundings.container && !in.has("instance")) {
    in.problem("",
               "'instance' is required in a container, whose host name changes with every start; "
               "write for example: instance: web-1");
  }
  return surroundings.host_name;
}

struct Reading {
  const std::filesystem::path& file;
  Problems& problems;
  Node root = {};
};

void* read_tree(void* given) {
  auto& reading = *static_cast<Reading*>(given);
  reading.root = config::load_document(reading.file, reading.problems);
  if (Node* checks = find(reading.root, "checks")) config::expand_for_each(*checks, reading.problems);
  return nullptr;
}

/// The tree of a large file is tens of megabytes in small pieces, all of which go again. Made among what stays, they
/// would leave holes that glibc cannot give back (10,000 checks: 55 MB private instead of 32); a thread has an arena of
/// its own.
Node read_tree_apart(const std::filesystem::path& file, Problems& problems) {
  Reading reading{file, problems};
  pthread_t thread{};
  if (::pthread_create(&thread, nullptr, read_tree, &reading) == 0) {
    ::pthread_join(thread, nullptr);
  } else {
    read_tree(&reading);
  }
  return std::move(reading.root);
}

/// Reads the secrets of one part. A secret that cannot be read is told, and is the part's own trouble later.
void load_secrets(std::vector<config::FoundSecret>& secrets, Problems& problems, std::string* fingerprint) {
  for (auto& [at, secret] : secrets) {
    secret.load();
    const auto value = secret.reveal();
    if (!value) problems.warn(at, value.failure().sentence());
    // A new password in the same file makes another check of it, or a reload would go on with the old one.
    if (value && fingerprint != nullptr) *fingerprint = digest(*fingerprint + std::string(*value));
  }
}

std::vector<std::string> names_of(const std::vector<ReceiverDraft>& receivers) {
  std::vector<std::string> names;
  for (const ReceiverDraft& receiver : receivers) names.push_back(receiver.plan.name);
  return names;
}

/// The parts as `run` wants them, once nothing is wrong with them.
struct Parts {
  Top top;
  std::string instance;
  std::vector<CheckDraft> checks;
  std::vector<ReceiverDraft> receivers;
  std::array<alerting::Escalation, 4> escalations;
  std::vector<alerting::Route> routes;
  std::vector<alerting::Maintenance> maintenance;
  std::string uplink;
};

Configuration assemble(const std::filesystem::path& file, Parts parts) {
  Configuration configuration;
  configuration.file = file;
  configuration.instance = parts.instance;
  configuration.listen = parts.top.listen;
  configuration.state = parts.top.state;
  configuration.runtime = parts.top.runtime;
  configuration.log = parts.top.log;
  auto rules = std::make_shared<alerting::Rules>();
  rules->instance = std::move(parts.instance);
  rules->unknown_after = parts.top.unknown_after;
  rules->escalations = std::move(parts.escalations);
  rules->routes = std::move(parts.routes);
  rules->maintenance = std::move(parts.maintenance);
  rules->receivers = names_of(parts.receivers);
  rules->uplink = std::move(parts.uplink);
  configuration.checks.reserve(parts.checks.size());
  rules->checks.reserve(parts.checks.size());
  for (CheckDraft& draft : parts.checks) {
    configuration.checks.push_back(std::move(draft.plan));
    rules->checks.push_back(std::move(draft.rules));
  }
  for (ReceiverDraft& draft : parts.receivers) configuration.receivers.push_back(std::move(draft.plan));
  configuration.rules = std::move(rules);
  return configuration;
}

bool is_loopback(const std::string& host) { return host.starts_with("127.") || host == "::1"; }

/// Whoever reaches the listener can ping; a ping may hide that a job failed.
void judge_pings(const Top& top, const std::vector<CheckDraft>& checks, Problems& problems) {
  if (is_loopback(top.listen.host)) return;
  for (const CheckDraft& check : checks) {
    const probes::PingTarget* target = check.plan.probe->ping_target();
    if (target == nullptr || target->has_token()) continue;
    problems.error(check.at,
                   "check " + check.plan.name + " needs 'token': listen.http is " +
                       ListenAddress{}.show({top.listen.host, top.listen.port}) +
                       ", so others can reach it; write for example: token: { file: /etc/vitald/ping-token }");
  }
}

Parts read_parts(Node& root, const Tables& tables, const Surroundings& surroundings, Problems& problems) {
  Parts parts;
  Reader in(root, "the configuration", problems);
  parts.top = read_top(in, tables);
  parts.instance = instance_of(parts.top, in, surroundings);
  in.finish();
  if (parts.top.checks != nullptr) parts.checks = read_checks(*parts.top.checks, parts.top.defaults, tables, problems);
  if (parts.checks.empty() && !problems.any_error()) in.warn("checks", "there are no checks, so nothing is watched");
  parts.uplink = judge_network(parts.checks, surroundings.host_name, problems);
  judge_pings(parts.top, parts.checks, problems);
  parts.receivers = read_receivers(parts.top.receivers, tables, problems);
  const bool from_file = !parts.receivers.empty() && parts.receivers.front().at.file != nullptr;
  const NamedHours hours = read_hours(parts.top.hours, problems);
  EscalationNeeds needs{names_of(parts.receivers), from_file, parts.checks, in.position("receivers"), hours};
  parts.routes = read_routes(parts.top.routes, needs, problems);
  needs.routes = parts.routes;
  parts.escalations = read_escalations(parts.top.escalations, needs, problems);
  parts.maintenance = judge_maintenance(std::move(parts.top.maintenance), parts.checks, problems);
  return parts;
}

}  // namespace

Surroundings surroundings_of_this_host() {
  std::array<char, 256> name{};
  const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0';
  // systemd tells of its containers by the first, Docker and Podman leave the others.
  const bool container = exists("/run/systemd/container") || exists("/.dockerenv") || exists("/run/.containerenv");
  return {known ? std::string(name.data()) : "localhost", container};
}

Top read_top(Reader& in, const Tables& tables) {
  Top top;
  top.instance = in.maybe("instance", Text{253}, "How messages name this host; left out: its host name");
  in.object("listen", "Where vitald answers", [&](Reader& listen) {
    const auto address = listen.optional("http", ListenAddress{}, {top.listen.host, top.listen.port},
                                         "Metrics, status page and API; port 0 takes a free one");
    std::tie(top.listen.host, top.listen.port) = address;
    top.listen.host_names =
        listen.optional("host_names", ListOf<Text>{{253}, true}, {}, "Further names under which browsers may ask");
  });
  top.state = in.optional("state", AbsolutePath{}, "/var/lib/vitald", "Folder of the database");
  top.runtime = in.optional("runtime", AbsolutePath{}, "/run/vitald", "Folder of the control socket");
  in.object("log", "What vitald writes about itself", [&](Reader& log) {
    top.log.level =
        log.optional("level", OneOf{{"trace", "debug", "info", "warning", "error"}}, top.log.level, "How much");
    top.log.file = log.maybe("file", AbsolutePath{}, "A file as well as standard error").value_or("");
  });
  in.maybe("include", ListOf<Text>{{}, true}, "Further files, such as conf.d/*.yaml, relative to this one");
  in.object("defaults", "What checks do where they do not say otherwise",
            [&](Reader& defaults) { top.defaults = read_common(defaults, Common{}); });
  top.unknown_after = in.optional("unknown_after", Length{1s, 24h * 31}, 10min,
                                  "How long a check may stay unknown before people are told");
  const auto checks = [&] { return checks_schema(tables); };
  const auto receivers = [&] { return receivers_schema(tables); };
  top.checks = in.maybe("checks", Raw{"mapping of name to check", checks}, "What to watch").value_or(nullptr);
  top.receivers =
      in.maybe("receivers", Raw{"mapping of name to receiver", receivers}, "Whom to tell").value_or(nullptr);
  top.escalations =
      in.maybe("escalations", Raw{"mapping of P0 to P3 to steps", escalations_schema}, "Who is told of what, and when")
          .value_or(nullptr);
  in.objects("routes", "Escalations of some checks only; the first that fits and covers the severity counts",
             [&](Reader& route) { top.routes.push_back(read_route(route)); });
  top.hours = in.maybe("hours", Raw{"mapping of name to hours", hours_schema}, "Hours for 'during' and 'outside'")
                  .value_or(nullptr);
  in.objects("maintenance", "Planned work that comes again and again: nothing goes out about these checks meanwhile",
             [&](Reader& window) { top.maintenance.push_back(read_maintenance(window)); });
  return top;
}

LoadedConfiguration load_configuration(const std::filesystem::path& file, Secrets secrets, const Tables& tables,
                                       const Surroundings& surroundings) {
  LoadedConfiguration loaded;
  Problems& problems = loaded.problems;
  {
    Node root = read_tree_apart(file, problems);
    Parts parts;
    // Of a file that could not be read at all, everything would be missing.
    if (root.kind == Node::Kind::mapping || !problems.any_error()) {
      parts = read_parts(root, tables, surroundings, problems);
    }
    if (secrets == Secrets::load && !problems.any_error()) {
      for (CheckDraft& draft : parts.checks) load_secrets(draft.secrets, problems, &draft.plan.fingerprint);
      for (ReceiverDraft& draft : parts.receivers) load_secrets(draft.secrets, problems, nullptr);
    }
    if (!problems.any_error()) {
      auto outline = std::make_shared<const std::string>(pack_outline(outline_of(root, parts.checks, parts.receivers)));
      loaded.configuration = assemble(file, std::move(parts));
      loaded.configuration->outline = std::move(outline);
    }
  }
  problems.sort();
  return loaded;
}

LoadedConfiguration load_configuration(const std::filesystem::path& file, Secrets secrets) {
  return load_configuration(file, secrets, {probes::probe_kinds(), alerting::notifier_kinds()},
                            surroundings_of_this_host());
}

std::string configuration_schema(const Tables& tables) {
  Reader in = Reader::describing();
  read_top(in, tables);
  ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "vitald.yaml"}};
  schema.update(ordered_json::parse(config::object_schema(in.options())));
  return schema.dump(1) + "\n";
}

std::string configuration_schema() { return configuration_schema({probes::probe_kinds(), alerting::notifier_kinds()}); }

}  // namespace vitald::daemon
