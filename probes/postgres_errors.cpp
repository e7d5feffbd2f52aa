#include "probes/postgres_errors.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::probes::postgres {
namespace {

constexpr std::size_t most_quoted = 200;

bool contains(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

std::string quoted(std::string_view text) { return "'" + foreign_text(text, most_quoted) + "'"; }

std::string said(const ServerError& error) { return "the server says " + quoted(error.message); }

/// An SQL identifier, so that a remedy can be pasted into psql.
std::string identifier(const std::string& name) {
  std::string out = "\"";
  for (const char each : name) out += each == '"' ? std::string("\"\"") : std::string(1, each);
  return out + "\"";
}

/// 57P03: the process runs, but lets nobody in. Only the words tell why, and they are in the server's language.
ProbeFailure not_accepting(const ServerError& error) {
  if (contains(error.message, "starting up")) return wrong("starting_up", "the server is still starting up");
  if (contains(error.message, "shutting down")) return wrong("shutting_down", "the server is shutting down");
  if (contains(error.message, "recovery mode")) return wrong("in_recovery", "the server is recovering from a crash");
  return wrong("not_accepting", "the server accepts no connections yet: " + said(error),
               "on a replica: see whether it reached a consistent state, and whether hot_standby is on");
}

/// 28000: before any password.
ProbeFailure not_admitted(const ServerError& error, const Asked& asked) {
  if (contains(error.message, "pg_hba.conf"))
    return unmeasured("no_pg_hba_entry", asked.where + " has no entry for vitald in its pg_hba.conf: " + said(error),
                      "add a line for user " + asked.user + " and database " + asked.database +
                          " to pg_hba.conf, then run: SELECT pg_reload_conf()");
  if (contains(error.message, "does not exist") || contains(error.message, "not permitted to log in"))
    return unmeasured("role_missing", "the server has no login role " + quoted(asked.user) + " for vitald",
                      "run: CREATE ROLE " + identifier(asked.user) + " LOGIN PASSWORD '…'; GRANT pg_monitor TO " +
                          identifier(asked.user));
  return unmeasured(
      "login_refused", asked.where + " refuses the login of " + quoted(asked.user) + ": " + said(error),
      "see the method in the matching line of pg_hba.conf (peer wants the name of vitald's own system user)");
}

ProbeFailure wrong_password(const Asked& asked) {
  return unmeasured("wrong_password", asked.where + " does not accept the password of " + quoted(asked.user),
                    "check the check's password, or run: ALTER ROLE " + identifier(asked.user) + " PASSWORD '…'");
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

/// libpq has the errno of connect() in words only (those of strerror).
std::optional<int> find_errno(std::string_view text) {
  constexpr std::array known{ECONNREFUSED, ENOENT,    EACCES,       EPERM,       ENOTDIR,       ENOTSOCK,
                             EPROTOTYPE,   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN,     ECONNRESET,
                             ECONNABORTED, EPIPE,     EMFILE,       ENFILE,      EADDRNOTAVAIL, ENOBUFS,
                             ENOMEM,       EAGAIN,    EAFNOSUPPORT, ENETDOWN};
  for (const int each : known) {
    if (contains(text, std::generic_category().message(each))) return each;
  }
  return std::nullopt;
}

ProbeFailure socket_failure(int error, const std::string& path) {
  if (error == ENOENT || error == ENOTDIR) return refused("socket_missing", "there is no socket " + path);
  if (error == ECONNREFUSED) return refused("socket_refused", "nobody listens on the socket " + path);
  if (error == ENOTSOCK || error == EPROTOTYPE) return refused("socket_refused", path + " is not a stream socket");
  if (error == EAGAIN) return refused("socket_refused", "the queue of connections to the socket " + path + " is full");
  if (error == EACCES || error == EPERM)
    return unmeasured("denied:" + path, "vitald may not connect to the socket " + path,
                      "let the folder be entered and the socket written by vitald: unix_socket_permissions and "
                      "unix_socket_group in postgresql.conf");
  return failure_from(std::error_code(error, std::generic_category()), "connect to " + path);
}

ProbeFailure tls_failure(std::string_view text, const Asked& asked) {
  if (contains(text, "does not support SSL"))
    return wrong("tls_not_offered", asked.where + " does not offer TLS",
                 "set ssl = on in postgresql.conf, with ssl_cert_file and ssl_key_file");
  if (contains(text, "does not match host name"))
    return wrong("tls_wrong_name", "the certificate of " + asked.where + " is for another name: " +
                                       quoted(first_line(text.substr(text.find("server certificate for")))));
  if (contains(text, "certificate verify failed"))
    return wrong("tls_untrusted", "the certificate of " + asked.where + " is not trusted here",
                 "name the authority's certificate in ca_file");
  if (contains(text, "closed unexpectedly") || contains(text, "EOF detected"))
    return refused("tls_closed", asked.where + " closed the connection during the TLS handshake");
  const auto at = std::min(text.find("SSL"), text.size());
  return refused("tls_handshake", "TLS handshake with " + asked.where +
                                      " failed: " + foreign_text(first_line(text.substr(at)), most_quoted));
}

/// One of the files of `tls:`, named in libpq's message.
std::optional<ProbeFailure> file_failure(std::string_view text) {
  const auto at = text.find("file \"");
  if (at == std::string_view::npos) return std::nullopt;
  const auto from = at + 6;
  const std::string path(text.substr(from, std::min(text.find('"', from), text.size()) - from));
  const bool open = contains(text, "group or world access");
  return unmeasured("bad_file:" + path,
                    "the file " + path + " cannot be used: " + foreign_text(first_line(text), most_quoted),
                    open ? "run: chmod 600 " + path : "see whether it is a PEM file that vitald may read");
}

/// What libpq itself says about the login, once the server answered.
std::optional<ProbeFailure> protocol_failure(std::string_view text, const Asked& asked) {
  if (contains(text, "no password supplied"))
    return unmeasured("password_missing", asked.where + " wants a password for " + quoted(asked.user),
                      "give the check a password, best as password: { file: … }");
  if (contains(text, "channel binding required"))
    return unmeasured("password_not_sent",
                      asked.where +
                          " did not ask for the password in the one way that is safe while its certificate is not "
                          "verified, so it got none",
                      "name its authority in ca_file instead of insecure, or use scram-sha-256 in pg_hba.conf");
  if (contains(text, "expected authentication request") || contains(text, "invalid response to SSL negotiation"))
    return wrong("not_postgres", "what answers at " + asked.where + " is not PostgreSQL");
  if (contains(text, "server closed the connection"))
    return refused("closed_early", asked.where + " closed the connection during the login");
  return std::nullopt;
}

bool is_code(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char each) {
           return (each >= '0' && each <= '9') || (each >= 'A' && each <= 'Z');
         });
}

bool of_class(const ServerError& error, std::string_view name) { return error.code.starts_with(name); }

}  // namespace

// "connection to server at … failed: FATAL:  28P01: password authentication failed …\nLOCATION:  auth_failed, …"
ServerError find_server_error(std::string_view text) {
  for (auto at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    const auto rest = text.substr(at + 3);
    if (rest.size() > 7 && is_code(rest.substr(0, 5)) && rest.substr(5, 2) == ": ")
      return {std::string(rest.substr(0, 5)), first_line(rest.substr(7))};
  }
  return {};
}

ProbeFailure login_failure(std::string_view text, const Asked& asked) {
  // "connection to server at … failed: " is ours to say, and the names in it must not be taken for words of libpq's.
  constexpr std::string_view failed = "failed: ";
  const auto at = text.starts_with("connection to server") ? text.find(failed) : std::string_view::npos;
  if (at != std::string_view::npos) text.remove_prefix(at + failed.size());

  const auto error = find_server_error(text);
  if (!error.code.empty()) return refusal(error, asked);
  if (const auto failure = protocol_failure(text, asked)) return *failure;
  if (const auto failure = file_failure(text)) return *failure;
  if (contains(text, "SSL") || contains(text, "server certificate")) return tls_failure(text, asked);
  if (contains(text, "is too long"))
    return unmeasured("socket_path_too_long",
                      "the path of a Unix socket has at most 107 characters: " + asked.socket_path,
                      "set unix_socket_directories in postgresql.conf to a shorter one");
  if (const auto number = find_errno(text)) {
    if (!asked.socket_path.empty()) return socket_failure(*number, asked.socket_path);
    return failure_from(std::error_code(*number, std::generic_category()), "connect to " + asked.where);
  }
  return wrong("protocol_error",
               "the login to " + asked.where + " failed: " + foreign_text(first_line(text), most_quoted));
}

ProbeFailure refusal(const ServerError& error, const Asked& asked) {
  const std::string& code = error.code;
  if (code == "28P01") return wrong_password(asked);
  if (code == "28000") return not_admitted(error, asked);
  if (code == "3D000")
    return unmeasured("wrong_database", "the server has no database " + quoted(asked.database),
                      "correct database: in the check, or run: CREATE DATABASE " + identifier(asked.database));
  if (code == "42501")
    return unmeasured("missing_privilege", said(error),
                      "run: GRANT CONNECT ON DATABASE " + identifier(asked.database) + " TO " + identifier(asked.user));
  if (code == "53300")
    return wrong("too_many_connections", "the server has no connection left: " + said(error),
                 "see who holds them: SELECT usename, application_name, state, count(*) FROM pg_stat_activity "
                 "GROUP BY 1, 2, 3 ORDER BY 4 DESC");
  if (code == "57P03") return not_accepting(error);
  if (code == "57P01" || code == "57P02" || code == "57P04")
    return wrong("terminated", "the server ended the connection: " + said(error));
  if (code == "08P01" && contains(error.message, "startup parameter"))
    return unmeasured("pooler",
                      "a connection pooler at " + asked.where + " does not take what vitald asks for: " + said(error),
                      "connect to PostgreSQL itself, not through PgBouncer");
  if (code == "XX001" || code == "XX002")
    return wrong("data_corrupted", "the server found damaged data: " + said(error));
  if (of_class(error, "53"))
    return wrong("out_of_resources", "the server is out of something it needs: " + said(error));
  return wrong("server_error", said(error) + " (" + foreign_text(code) + ")");
}

sql::StatementFailure statement_failure(const ServerError& error, const Asked& asked) {
  const auto& code = error.code;
  const auto make = [&](Outcome outcome, std::string reason, std::string summary, std::string remedy = "") {
    return sql::StatementFailure(code, outcome, std::move(reason), std::move(summary), std::move(remedy));
  };
  if (code == "57014") return make(Outcome::wrong, "query_too_slow", "the query did not end in time");
  if (code == "55P03")
    return make(
        Outcome::wrong, "lock_timeout", "the query waited in vain for a lock that another session holds",
        "see who: SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
  if (code == "42501")
    return make(Outcome::unmeasured, "missing_privilege", said(error),
                "run: GRANT pg_monitor TO " + identifier(asked.user) +
                    " (for statistics), or GRANT SELECT ON TABLE … TO " + identifier(asked.user));
  if (code == "25006")
    return make(Outcome::unmeasured, "query_writes", "the query would change something: " + said(error),
                "vitald only reads: give it a SELECT");
  if (code == "40001" && contains(error.message, "recovery"))
    return make(Outcome::unmeasured, "recovery_conflict",
                "the replica ended the query to go on replaying: " + said(error),
                "raise max_standby_streaming_delay on the replica, or set hot_standby_feedback");
  // 42: names and syntax; 22: what a value cannot be turned into; 0A: not supported.
  if (of_class(error, "42") || of_class(error, "22") || of_class(error, "0A"))
    return make(Outcome::unmeasured, "query_mistake", "the query cannot be answered: " + said(error),
                "try it with psql, as " + asked.user + " in " + asked.database);
  const auto failure = refusal(error, asked);
  return make(failure.outcome, failure.reason, failure.what(), failure.remedy);
}

ProbeFailure lost(const Asked& asked) {
  return refused("connection_lost", asked.where + " closed the connection in the middle of a query",
                 "see the server's log: a crash of one process restarts all of them");
}

}  // namespace vitald::probes::postgres
