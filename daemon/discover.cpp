// Facts about a host, turned into a configuration that a person can read and extend.
#include "daemon/discover.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "probes/mounts.hpp"
#include "probes/probe.hpp"

namespace vitald::daemon {
namespace {

/// Services that are worth a TCP check where they do not speak HTTP.
const std::map<std::uint16_t, std::string_view>& known_services() {
  static const std::map<std::uint16_t, std::string_view> services = {
      {21, "ftp"},     {22, "ssh"},     {25, "smtp"},         {53, "dns"},
      {143, "imap"},   {465, "smtps"},  {587, "submission"},  {993, "imaps"},
      {1883, "mqtt"},  {3306, "mysql"}, {5432, "postgresql"}, {5672, "rabbitmq"},
      {6379, "redis"}, {9092, "kafka"}, {11211, "memcached"}, {27017, "mongodb"}};
  return services;
}

constexpr std::size_t most_disks = 32;

/// A name that needs no quotes in YAML and reads well on a page: "/var/lib/my sql" gives "var-lib-my-sql".
std::string name_of(std::string_view text) {
  std::string name;
  for (const char each : text) {
    const bool plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
                       each == '.' || each == '_';
    if (plain) {
      name += each;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') out += '\\';
    if (static_cast<unsigned char>(each) >= 0x20) out += each;
  }
  return out + "\"";
}

std::string host_part(const Listener& listener) {
  return listener.address.find(':') == std::string::npos ? listener.address : "[" + listener.address + "]";
}

/// Keeps check names apart: the second "fs-data" becomes "fs-data-2".
class Names {
 public:
  std::string unique(const std::string& wanted) {
    std::string name = wanted;
    for (int count = 2; !taken_.insert(name).second; ++count) name = wanted + "-" + std::to_string(count);
    return name;
  }

 private:
  std::set<std::string> taken_;
};

std::string disk_checks(const HostFacts& facts, Names& names) {
  std::vector<probes::Mount> mounts = probes::real_mounts(probes::parse_mountinfo(facts.mountinfo));
  if (mounts.size() > most_disks) mounts.resize(most_disks);
  std::string text = mounts.empty() ? "" : "  # Disks: every real file system of this host.\n";
  for (const probes::Mount& mount : mounts) {
    const std::string& point = mount.point;
    const std::string name = names.unique(point == "/" ? "root-fs" : "fs-" + name_of(point));
    text += "  " + name + ":\n    probe: disk\n    mount: " + quoted(point) +
            "\n    every: 1m\n    limits: { used: { warning: 80%, critical: 90% } }\n    severity: P1\n";
  }
  return text;
}

std::string memory_check(const HostFacts& facts, Names& names) {
  std::string text =
      "\n  # Memory that programs can still get" + std::string(facts.has_swap ? ", and swap in use.\n" : ".\n");
  text += "  " + names.unique("memory") + ":\n    probe: memory\n    limits:\n" +
          "      available: { warning: 10%, critical: 5% }\n";
  if (facts.has_swap) text += "      swap_used: { warning: 50% }\n";
  return text;
}

std::string uplink_check(const HostFacts& facts, Names& names) {
  if (!facts.has_default_route) return "";
  return "\n  # Whether this host reaches the world. With anchors it also finds a dead router: docs/probes/uplink.md\n "
         " " +
         names.unique("uplink") + ":\n    probe: uplink\n    severity: P1\n";
}

std::string http_check(const Listener& listener, Names& names) {
  const std::string port = std::to_string(listener.port);
  std::string text = "  " + names.unique("http-" + port) +
                     ":\n    probe: http\n    url: " + quoted("http://" + host_part(listener) + ":" + port + "/") +
                     "\n";
  // What it says today, a redirect or a refusal, is what it has to go on saying; 2xx is what the probe expects anyway.
  const bool success = listener.http_status >= 200 && listener.http_status < 300;
  if (!success) text += "    expect: { status: " + std::to_string(listener.http_status) + " }\n";
  return text + "    severity: P1\n";
}

/// A kind of probe that knows the service needs an account there, which nobody here can make up.
std::string hint_of(std::string_view service) {
  const std::string kind(service == "postgresql" ? "postgres" : service);
  if (probes::find_probe(kind) == nullptr) return "";
  return "  # 'probe: " + kind + "' sees more of it, with an account of its own: docs/probes/" + kind + ".md\n";
}

std::string listener_checks(const HostFacts& facts, const DiscoverOptions& options, Names& names) {
  std::string http;
  std::string other;
  for (const Listener& listener : facts.listeners) {
    if (listener.port == options.port) continue;
    const auto service = known_services().find(listener.port);
    if (listener.http_status != 0 && !listener.tls) {
      http += http_check(listener, names);
    } else if (service != known_services().end()) {
      other += hint_of(service->second);
      other += "  " + names.unique(std::string(service->second)) +
               ":\n    probe: tcp\n    address: " + quoted(host_part(listener) + ":" + std::to_string(listener.port)) +
               "\n    severity: P1\n";
    }
  }
  if (!http.empty())
    http = "\n  # What answers HTTP here. A path that shows that the application works is better than '/'.\n" + http;
  if (!other.empty()) other = "\n  # Other services that listen here.\n" + other;
  return http + other;
}

bool known_kind(std::string_view name) { return probes::find_probe(name) != nullptr; }

std::string unit_checks(const Keepers& keepers, Names& names) {
  if (!keepers.systemd || !known_kind("systemd")) return "";
  std::string text = "\n  # systemd: whatever failed, and the services that are enabled here.\n";
  text += "  " + names.unique("any-failed-unit") + ":\n    probe: systemd\n    failed: any\n    every: 1m\n";
  for (const std::string& unit : keepers.units) {
    text += "  " + names.unique("unit-" + name_of(unit.substr(0, unit.rfind('.')))) +
            ":\n    probe: systemd\n    unit: " + quoted(unit) + "\n    severity: P1\n";
  }
  return text;
}

/// Kinds of probe that find what there is on their own.
std::string keeper_checks(const HostFacts& facts, Names& names) {
  std::string text = unit_checks(facts.keepers, names);
  if (facts.keepers.supervisor && known_kind("supervisor")) {
    text += "\n  # supervisor: every program that it runs.\n  " + names.unique("supervisor") +
            ":\n    probe: supervisor\n    severity: P1\n";
  }
  for (const std::string& home : facts.keepers.pm2_homes) {
    if (!known_kind("pm2")) break;
    text += "\n  # pm2: every app in this home.\n  " + names.unique("pm2") +
            ":\n    probe: pm2\n    home: " + quoted(home) + "\n    severity: P1\n";
  }
  if (facts.counts_oom_kills && known_kind("oom")) {
    text += "\n  # Programs that the kernel killed because memory ran out.\n  " + names.unique("oom-kills") +
            ":\n    probe: oom\n    severity: P1\n";
  }
  return text;
}

std::string tls_checks(const HostFacts& facts, Names& names) {
  std::vector<TlsSite> sites;
  for (const std::string& text : facts.nginx) {
    for (const TlsSite& site : tls_sites(text)) {
      if (std::find(sites.begin(), sites.end(), site) == sites.end()) sites.push_back(site);
    }
  }
  std::string text;
  for (const TlsSite& site : sites) {
    text += "  " + names.unique("tls-" + name_of(site.name)) +
            ":\n    probe: tls\n    address: \"127.0.0.1:" + std::to_string(site.port) +
            "\"\n    server_name: " + site.name + "\n    every: 10m\n    severity: P1\n";
  }
  return text.empty() ? text : "\n  # Certificates of the sites that nginx serves here.\n" + text;
}

constexpr std::string_view receivers_to_fill_in = R"(
# With no receiver, problems and recoveries are written to the console. To be told elsewhere, take the '#' away and put
# the addresses into the files (mode 0400), or see docs/configuration.md for credentials of systemd.
#receivers:
#  ops-slack: { slack: { webhook: { file: /etc/vitald/slack-webhook } } }
#  on-call: { pagerduty: { routing_key: { file: /etc/vitald/pagerduty-key } } }
#escalations:
#  P0: [ { notify: [ ops-slack, on-call ] }, { remind: 30m } ]
#  P1: [ { notify: [ ops-slack ] } ]
#  P2: [ { notify: [ ops-slack ] } ]
)";

}  // namespace

std::string starter_configuration(const HostFacts& facts, const DiscoverOptions& options) {
  Names names;
  std::string text =
      "# What 'vitald discover' found on this host. Change it as you like, then ask 'vitald check-config'.\n";
  text += "instance: " + quoted(facts.host_name.empty() ? "this-host" : facts.host_name) + "\n";
  text += "listen: { http: \"127.0.0.1:" + std::to_string(options.port) + "\" }\n";
  if (!options.state.empty()) text += "state: " + quoted(options.state) + "\n";
  if (!options.runtime.empty()) text += "runtime: " + quoted(options.runtime) + "\n";
  text += "defaults: { every: 30s, timeout: 5s, confirm: calm }\n\nchecks:\n";
  text += disk_checks(facts, names) + memory_check(facts, names) + uplink_check(facts, names) +
          keeper_checks(facts, names) + listener_checks(facts, options, names) + tls_checks(facts, names);
  return text + std::string(receivers_to_fill_in);
}

std::string discover_configuration(const DiscoverOptions& options) {
  return starter_configuration(collect_facts(options), options);
}

}  // namespace vitald::daemon
