// Connections to the outside: names resolved, addresses raced, TLS verified, each phase timed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "probes/net/stream.hpp"

namespace vitald::net {

struct TlsOptions {
  std::string server_name;                     // for SNI and verification; "" takes the host. Never sent for an address
  std::string ca_file;                         // PEM; "" takes the system's
  std::string client_certificate, client_key;  // PEM files, both or neither
  bool insecure = false;                       // take any certificate; a permanent warning shows it
  /// Finish the handshake whatever the certificate, and leave the judgement of TlsPeer to the caller (the tls probe).
  bool judge_later = false;

  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

enum class Family { any, ipv4, ipv6 };

/// Where to connect: host and port, or a Unix socket.
struct Target {
  std::string host;  // name or numeric address (IPv6 without brackets)
  std::uint16_t port = 0;
  std::string unix_path;  // then host and port do not count
  Family family = Family::any;
  std::optional<TlsOptions> tls = {};

  std::string text() const;  // "example.com:443", "[::1]:80", "/run/x.sock"
};

class Network {
 public:
  virtual ~Network() = default;
  /// Marks resolve, connect and (with TLS) tls in `phases`. Throws probes::ProbeFailure with reasons
  /// name_not_found, resolver_failed (ours), connect_refused, connect_timeout, no_route, socket_missing,
  /// socket_refused, denied:… (ours), out_of_descriptors (ours), no_local_port (ours), tls_…
  virtual awaitable<std::unique_ptr<Stream>> connect(const Target& target, PhaseLog& phases) = 0;
  /// The numeric addresses of the target's host, at least one, for client libraries that connect on their own and would
  /// block in the lookup. Marks resolve (not where the host is an address already). Throws as connect() does.
  virtual awaitable<std::vector<std::string>> resolve(const Target& target, PhaseLog& phases) = 0;
};

struct NetworkOptions {
  std::vector<std::string> dns_servers;             // "127.0.0.1:5353"; none takes those of /etc/resolv.conf
  Duration dns_deadline = std::chrono::seconds(3);  // of one lookup; shorter than a check's, so that the reason is told
};

/// The one that the daemon uses: c-ares, happy eyeballs (RFC 8305), OpenSSL. Lives on one io_context, used from its
/// thread. Coroutines that still wait for a connection when it is destroyed are destroyed with it.
std::unique_ptr<Network> make_network(boost::asio::any_io_executor loop, const Clock& clock,
                                      NetworkOptions options = {});

}  // namespace vitald::net
