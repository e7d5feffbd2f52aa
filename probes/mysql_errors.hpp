// What libmysqlclient and the server say when something fails, as failures of a probe that a person understands.
#pragma once

#include <string>

#include "probes/failure.hpp"
#include "probes/mysql_client.hpp"
#include "probes/mysql_watch.hpp"
#include "probes/sql/session.hpp"

namespace vitald::probes::mysql {

/// Number and words of an error. The words are foreign text.
struct Refusal {
  unsigned code = 0;
  std::string text;
};

/// The reason of a login for which there was nobody to connect to. The library does not tell why: it reports the errno
/// of another call (EINPROGRESS), so the caller has to find out.
inline constexpr std::string_view connect_failed = "connect_failed";

/// The server does not offer TLS and the check asks for it.
ProbeFailure tls_missing();
/// Why the login failed.
ProbeFailure login_failure(const Connection& connection, const Refusal& said);

/// Why it failed where bytes came, but not those of a login.
ProbeFailure broken_login(const Connection& connection, const Refusal& said);

/// What the watch ended the connection for.
ProbeFailure watch_failure(Watch::Fault fault);
/// Whether the session is of no use any more after this.
bool ends_session(const Refusal& said);
/// Why the connection ended in the middle of the conversation.
ProbeFailure lost_failure(const Refusal& said);
/// Whether somebody would have to grant something to the account.
bool is_missing_privilege(const Refusal& said);
/// Why the server did not do one statement; the session can go on. `account` is 'name'@'host' as one grants to it.
sql::StatementFailure statement_failure(const Refusal& said, const std::string& account);

}  // namespace vitald::probes::mysql
