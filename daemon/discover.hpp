// `vitald discover`: a starter configuration for the host that it runs on. Facts are collected by the one part that
// touches the machine and turned into YAML by the other, which is pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitald::daemon {

/// A program of this host that listens on TCP, and what it said to `GET /`.
struct Listener {
  std::string address;  // numeric, where a probe reaches it: "127.0.0.1", "::1", "10.0.0.5"
  std::uint16_t port = 0;
  int http_status = 0;  // 0: it did not answer as an HTTP server does
  bool tls = false;     // it asked for HTTPS
};

/// A TLS site that nginx serves here.
struct TlsSite {
  std::string name;  // of server_name
  std::uint16_t port = 443;

  bool operator==(const TlsSite&) const = default;
};

/// What keeps services running here.
struct Keepers {
  bool systemd = false;
  std::vector<std::string> units;  // of systemd: enabled services that somebody would miss
  bool supervisor = false;
  std::vector<std::string> pm2_homes;  // folders in which a pm2 runs: "/home/deploy/.pm2"
};

struct HostFacts {
  std::string host_name;  // in a container it changes with every start, so the file says what it is now
  std::string mountinfo;  // text of /proc/self/mountinfo
  bool has_swap = false;
  bool counts_oom_kills = false;  // the kernel does, in /proc/vmstat
  bool has_default_route = false;
  std::vector<Listener> listeners;
  std::vector<std::string> nginx;  // text of each configuration file of nginx
  Keepers keepers;
};

struct DiscoverOptions {
  std::string root;           // "" on a real host; tests point it at a folder of their making
  std::uint16_t port = 9642;  // where the new daemon is to listen; not a target of its own checks
  std::string state;          // "": the daemon's default, and no line in the file
  std::string runtime;
};

/// Who listens, out of /proc/net/tcp or tcp6 (`ipv6`), in order of the port, each port once. Unanswered yet.
std::vector<Listener> parse_listeners(std::string_view table, bool ipv6);

/// Server blocks with a name and a `listen … ssl`, each pair once. Wildcard and regular-expression names are left out,
/// since no certificate can be asked for by them.
std::vector<TlsSite> tls_sites(std::string_view nginx_configuration);

/// Looks for the files that tell, below `root`.
Keepers find_keepers(const std::string& root);

/// The configuration as YAML, commented for the person who will edit it.
std::string starter_configuration(const HostFacts& facts, const DiscoverOptions& options);

/// Reads the files below `options.root` and asks every listener for its front page. Blocking: at most 32 listeners,
/// about half a second each.
HostFacts collect_facts(const DiscoverOptions& options);

/// What `vitald discover` prints.
std::string discover_configuration(const DiscoverOptions& options);

}  // namespace vitald::daemon
