// A logged-in session with PostgreSQL through libpq, for the probes postgres and laravel-queue.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/reader.hpp"
#include "config/secret.hpp"
#include "probes/kept.hpp"
#include "probes/probe.hpp"
#include "probes/sql/conversation.hpp"
#include "probes/sql/session.hpp"

namespace vitald::probes::postgres {

struct Connection {
  net::Target where;
  std::string user;
  std::optional<Secret> password;
  std::string database;                      // "": the user's own
  std::shared_ptr<Kept<sql::Session>> kept;  // nullptr: a new connection for each run

  std::string target() const { return where.text(); }
};

/// address or socket, ip_protocol, tls, user, password, database, keep_connection.
Connection read_connection(config::Reader& in);

/// Resolves on the loop, then logs in (or takes the kept connection) and asks on a worker. `ask` owns what it touches.
/// Throws ProbeFailure: those of Network::connect, and reasons of the server's own (docs/probes/postgres.md).
awaitable<void> with_session(ProbeContext& context, const Connection& connection, sql::Questions ask);

}  // namespace vitald::probes::postgres
