// What PostgreSQL and libpq say when they refuse, as failures that a person can act on. Pure.
#pragma once

#include <string>
#include <string_view>

#include "probes/failure.hpp"
#include "probes/sql/session.hpp"

namespace vitald::probes::postgres {

/// Who wanted what, for the sentences and the remedies.
struct Asked {
  std::string where;        // "db.example.com:5432", "/run/postgresql/.s.PGSQL.5432"
  std::string socket_path;  // "": over TCP
  std::string user, database;
};

/// An error as the server sends it. `code` is the SQLSTATE, "" where it is not known.
struct ServerError {
  std::string code;
  std::string message;  // as the server wrote it, in the server's language
};

/// The server's error in the text that libpq leaves behind with verbose errors; both empty where it said none.
ServerError find_server_error(std::string_view text);

/// What the text of a connection that did not come about (PQerrorMessage) means.
ProbeFailure login_failure(std::string_view text, const Asked& asked);
/// A server's error that ended the connection, or kept it from coming about.
ProbeFailure refusal(const ServerError& error, const Asked& asked);
/// A server's error about one statement; the connection goes on.
sql::StatementFailure statement_failure(const ServerError& error, const Asked& asked);
/// The connection ended in the middle of a query without a word.
ProbeFailure lost(const Asked& asked);

}  // namespace vitald::probes::postgres
