// A login through libpq: connect, TLS, authentication, each its own phase. Everything here is for a worker.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/now.hpp"
#include "probes/net/network.hpp"
#include "probes/net/tls_verify.hpp"
#include "probes/postgres_errors.hpp"
#include "probes/postgres_relay.hpp"
#include "probes/sql/conversation.hpp"

struct pg_conn;  // of libpq

namespace vitald::probes::postgres {

/// What a login needs, with the secret in the clear: it lives as long as the job that carries it.
struct Login {
  Asked asked;
  std::string folder;                  // of the Unix socket; "": over TCP
  std::string host;                    // the name that the certificate must bear
  std::vector<std::string> addresses;  // numeric, tried one after the other; one "" with a Unix socket
  std::uint16_t port = 5432;
  std::string password;  // "": none
  std::optional<net::TlsOptions> tls;
  std::optional<Duration> whole_run;  // for a session that is kept; otherwise what is left of this run counts
  Wall now{};                         // against which the certificate's dates are judged
};

/// libpq's connection string. It gives every parameter a value, since libpq takes those that have none from the
/// environment and from files in the home directory.
std::string connection_string(const Login& login, const std::string& address, Duration limit);

struct Finish {
  void operator()(pg_conn* connection) const noexcept;
};

/// An open connection and the road that its bytes take. Says goodbye with its end, if that needs no waiting.
struct Wire {
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  Relay relay;
  net::Verification verification;  // OpenSSL's callback fills it while the connection lives
  std::unique_ptr<pg_conn, Finish> connection;
};

/// A connection that is logged in. Throws ProbeFailure.
std::unique_ptr<Wire> open_wire(const Login& login, sql::Talk& talk);

}  // namespace vitald::probes::postgres
