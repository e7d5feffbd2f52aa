#include "probes/mysql_errors.hpp"

#include <mysql/errmsg.h>
#include <mysql/mysqld_error.h>

#include <algorithm>
#include <array>

#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/mysql_library.hpp"

namespace vitald::probes::mysql {
namespace {

// Numbers that only one of the two servers, or only newer ones, have.
constexpr unsigned account_locked_mysql = 3118;
constexpr unsigned account_locked_mariadb = 4151;
constexpr unsigned secure_transport_required = 3159;
constexpr unsigned statement_timeout_mysql = 3024;
constexpr unsigned statement_timeout_mariadb = 1969;
constexpr unsigned connection_killed = 1927;
constexpr unsigned password_expired_login = 1862;
constexpr unsigned socket_denied = 1698;
constexpr unsigned net_read_mariadb = 5013;
constexpr unsigned net_write_mariadb = 5014;

std::string quote(const std::string& text) { return "\"" + foreign_text(text, 200) + "\""; }

bool says(const Refusal& said, std::string_view words) { return said.text.find(words) != std::string::npos; }

/// 'name'@'host' as the server sees us, out of the many sentences that contain it; "" where there is none.
std::string account_in(const std::string& text) {
  const auto middle = text.find("'@'");
  if (middle == std::string::npos) return "";
  const auto begin = text.rfind('\'', middle == 0 ? 0 : middle - 1);
  const auto end = text.find('\'', middle + 3);
  if (begin == std::string::npos || end == std::string::npos || begin == middle) return "";
  return foreign_text(text.substr(begin, end + 1 - begin), 160);
}

std::string account_or(const std::string& text, const std::string& otherwise) {
  const std::string account = account_in(text);
  return account.empty() ? otherwise : account;
}

/// The library has only OpenSSL's words for what is wrong with the certificate.
ProbeFailure tls_failure(const Connection& connection, const Refusal& said) {
  const std::string& host = connection.where.host;
  if (says(said, "does not support it") || says(said, "doesn't support it")) return tls_missing();
  if (says(said, "Validation of SSL server certificate failed") || says(said, "Hostname verification failed") ||
      says(said, "hostname mismatch") || says(said, "IP address mismatch")) {
    return wrong("tls_wrong_name", "certificate is not for " + host);
  }
  if (says(said, "expired")) return wrong("tls_expired", "certificate has expired");
  if (says(said, "not yet valid")) {
    return wrong("tls_not_yet_valid", "certificate is not valid yet",
                 "see whether this host's clock is right: timedatectl");
  }
  if (says(said, "self-signed certificate in") || says(said, "local issuer") || says(said, "not trusted") ||
      says(said, "verify the first") || says(said, "certificate verify failed")) {
    return wrong("tls_untrusted",
                 "certificate is issued by somebody who is not trusted here (" + foreign_text(said.text, 120) + ")",
                 "name the authority's certificate in ca_file");
  }
  if (says(said, "self-signed") || says(said, "self signed")) {
    return wrong("tls_self_signed", "certificate is self-signed", "name it in ca_file to trust it");
  }
  return wrong("tls_handshake", "the TLS handshake failed: " + foreign_text(said.text, 160));
}

ProbeFailure not_mysql(const Refusal& said) {
  return wrong("not_mysql", "what answers there does not speak the protocol of MySQL: " + foreign_text(said.text, 120));
}

ProbeFailure too_large(std::string summary) {
  return unmeasured("answer_too_large", std::move(summary), "select fewer rows, or fewer or shorter columns");
}

/// Errors of the library itself, and those of the way to the server.
std::optional<ProbeFailure> way_failure(const Connection& connection, const Refusal& said) {
  switch (said.code) {
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_IPSOCK_ERROR:
    case CR_SOCKET_CREATE_ERROR:
      return refused(std::string(connect_failed), "no connection to " + connection.target());
    case CR_UNKNOWN_HOST:
      return refused("name_not_found", "there is no address for " + connection.where.host);
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case net_read_mariadb:
    case net_write_mariadb:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_ERROR_ON_WRITE:
    case ER_NET_WRITE_INTERRUPTED:
      if (says(said, "communication packet"))
        return refused("closed_early", "accepted the connection, but closed it without a word");
      return refused("connection_lost", "closed the connection during the login");
    case CR_SSL_CONNECTION_ERROR:
      return tls_failure(connection, said);
    case CR_OUT_OF_MEMORY:
    case CR_NET_PACKET_TOO_LARGE:
    case ER_NET_PACKET_TOO_LARGE:
    case CR_VERSION_ERROR:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_MALFORMED_PACKET:
    case CR_UNKNOWN_ERROR:
    case ER_HANDSHAKE_ERROR:
    case 0:
      return not_mysql(said);
    default:
      return std::nullopt;
  }
}

/// The login itself: who, with what, from where.
std::optional<ProbeFailure> account_failure(const Connection& connection, const Refusal& said) {
  const std::string account = account_or(said.text, "'" + connection.user + "'");
  switch (said.code) {
    case ER_ACCESS_DENIED_ERROR:
    case socket_denied:
      return unmeasured("wrong_password", "login refused: wrong password for " + account + ", or no such account",
                        "correct user and password of the check; for the account: SELECT user, host FROM mysql.user "
                        "WHERE user = '" +
                            connection.user + "'" +
                            (connection.where.tls ? "" : " (one that requires TLS is refused in the same words)"));
    case ER_BAD_DB_ERROR:
      return unmeasured("wrong_database", "there is no database " + connection.database,
                        "correct 'database' of the check");
    case ER_DBACCESS_DENIED_ERROR:
      return unmeasured("missing_privilege", account + " may not use the database " + connection.database,
                        "GRANT SELECT ON `" + connection.database + "`.* TO " + account);
    case ER_HOST_NOT_PRIVILEGED:
      return unmeasured("host_not_allowed", "the server has no account for this host: " + quote(said.text),
                        "make the account for this host: CREATE USER '" + connection.user + "'@'…' IDENTIFIED BY '…'");
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
      return unmeasured("account_limit", "the account of the check has used up its limit: " + quote(said.text),
                        "ALTER USER " + account + " WITH MAX_USER_CONNECTIONS 0 MAX_CONNECTIONS_PER_HOUR 0");
    case ER_MUST_CHANGE_PASSWORD:
    case password_expired_login:
      return unmeasured("password_expired", "the password of " + account + " has expired",
                        "ALTER USER " + account + " PASSWORD EXPIRE NEVER, after giving it a new one");
    case account_locked_mysql:
    case account_locked_mariadb:
      return unmeasured("account_locked", "the account " + account + " is locked",
                        "ALTER USER " + account + " ACCOUNT UNLOCK");
    case secure_transport_required:
      return unmeasured("tls_required", "the server takes logins over TLS only", "set 'tls: true' in the check");
    default:
      return std::nullopt;
  }
}

std::optional<ProbeFailure> method_failure(const Refusal& said) {
  if (is_forbidden_login(said.code) || (said.code == CR_AUTH_PLUGIN_CANNOT_LOAD && says(said, "not enabled"))) {
    return unmeasured("password_in_the_clear",
                      "the server asks for a login that shows it the password, and did not prove who it is",
                      "use 'tls' without 'insecure', or an account with another login method");
  }
  switch (said.code) {
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
    case CR_SECURE_AUTH:
    case ER_NOT_SUPPORTED_AUTH_MODE:
    case ER_PLUGIN_IS_NOT_LOADED:
      return unmeasured("login_method", "the login method of the account does not work here: " + quote(said.text),
                        "give the account another one: ALTER USER … IDENTIFIED BY '…'; or see whether the plugins of "
                        "libmariadb3 are installed");
    default:
      return std::nullopt;
  }
}

std::optional<ProbeFailure> server_failure(const Refusal& said) {
  switch (said.code) {
    case ER_CON_COUNT_ERROR:
      return wrong("too_many_connections", "too many connections: the server takes no more",
                   "see who holds them: SHOW PROCESSLIST; or raise max_connections");
    case ER_HOST_IS_BLOCKED:
      return wrong("host_blocked", "the server blocks this host after too many failed connections",
                   "run on the server: mysqladmin flush-hosts");
    case ER_SERVER_SHUTDOWN:
      return refused("shutting_down", "the server is shutting down");
    case ER_QUERY_INTERRUPTED:
    case ER_NEW_ABORTING_CONNECTION:
    case ER_ABORTING_CONNECTION:
    case connection_killed:
      return refused("connection_killed", "somebody or something on the server ended the connection");
    default:
      return std::nullopt;
  }
}

/// "(at least one of) the SUPER, SLAVE MONITOR privilege(s)": the last is the narrowest.
std::string privilege_in(const std::string& text) {
  const auto end = text.find(" privilege");
  const auto the = text.rfind("the ", end);
  if (end == std::string::npos || the == std::string::npos) return "";
  std::string list = text.substr(the + 4, end - the - 4);
  const auto comma = list.rfind(", ");
  if (comma != std::string::npos) list.erase(0, comma + 2);
  const bool sane = list.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_ ") == std::string::npos;
  return sane && list.size() <= 40 ? list : "";
}

/// "… for table `shop`.`jobs`", "… for table 'jobs'": what to grant on; the whole server where it does not say.
std::string object_in(const std::string& text) {
  const auto table = text.find("for table ");
  if (table == std::string::npos) return "*.*";
  std::string name = text.substr(table + 10);
  std::erase_if(name, [](char c) { return c == '\'' || c == '`' || c == '"'; });
  name = foreign_text(name.substr(0, name.find(' ')), 140);
  return name.find('.') == std::string::npos ? "….`" + name + "`" : name;
}

sql::StatementFailure privilege_failure(const Refusal& said, const std::string& account) {
  const std::string code = std::to_string(said.code);
  const std::string named = privilege_in(said.text);
  const std::string privilege = named.empty() ? "SELECT" : named;
  const std::string on = named.empty() ? object_in(said.text) : "*.*";
  const std::string what = named.empty() ? account + " may not read " + on : account + " lacks " + privilege;
  return {code, Outcome::unmeasured, "missing_privilege", what, "GRANT " + privilege + " ON " + on + " TO " + account};
}

}  // namespace

ProbeFailure tls_missing() {
  return wrong("tls_missing", "the server does not speak TLS",
               "enable TLS in the server (ssl_cert, ssl_key), or leave 'tls' out of the check");
}

ProbeFailure login_failure(const Connection& connection, const Refusal& said) {
  if (auto failure = way_failure(connection, said)) return *failure;
  if (auto failure = account_failure(connection, said)) return *failure;
  if (auto failure = method_failure(said)) return *failure;
  if (auto failure = server_failure(said)) return *failure;
  return wrong("login_refused", "login refused: " + quote(said.text));
}

ProbeFailure broken_login(const Connection& connection, const Refusal& said) {
  const bool of_the_way = said.code == CR_SERVER_LOST || said.code == CR_SERVER_GONE_ERROR;
  if (of_the_way && says(said, "communication packet")) return not_mysql(said);
  return login_failure(connection, said);
}

ProbeFailure watch_failure(Watch::Fault fault) {
  switch (fault) {
    case Watch::Fault::no_tls:
      return tls_missing();
    case Watch::Fault::asked_for_file:
      return wrong("asked_for_file", "the server asked for a file of this host instead of answering; it got none",
                   "find out what answers there: no MySQL server does that to a SELECT");
    case Watch::Fault::too_much:
      return too_large("the server sent more than is read of an answer");
    default:
      return wrong("bad_answer", "the server said more than it was asked for");
  }
}

bool ends_session(const Refusal& said) {
  const bool of_the_library = (said.code >= CR_MIN_ERROR && said.code <= CR_MAX_ERROR) || said.code >= 5000;
  constexpr std::array fatal = {ER_SERVER_SHUTDOWN,      ER_NEW_ABORTING_CONNECTION, ER_ABORTING_CONNECTION,
                                ER_NET_PACKET_TOO_LARGE, ER_NET_READ_ERROR,          ER_NET_READ_INTERRUPTED,
                                ER_NET_ERROR_ON_WRITE,   ER_NET_WRITE_INTERRUPTED};
  return of_the_library || said.code == 0 || said.code == connection_killed ||
         std::find(fatal.begin(), fatal.end(), static_cast<int>(said.code)) != fatal.end();
}

ProbeFailure lost_failure(const Refusal& said) {
  if (auto failure = server_failure(said)) return *failure;
  switch (said.code) {
    case ER_NET_PACKET_TOO_LARGE:
    case CR_NET_PACKET_TOO_LARGE:
      return too_large("the answer has a row that is larger than what is read of an answer");
    case CR_MALFORMED_PACKET:
    case CR_OUT_OF_MEMORY:
    case CR_UNKNOWN_ERROR:
    case CR_COMMANDS_OUT_OF_SYNC:
    case 0:
      return wrong("bad_answer", "the server's answer is not what the protocol allows: " + quote(said.text));
    default:
      return refused("connection_lost", "the connection was lost in the middle of a query");
  }
}

bool is_missing_privilege(const Refusal& said) {
  constexpr std::array numbers = {ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR,
                                  ER_SPECIFIC_ACCESS_DENIED_ERROR, ER_DBACCESS_DENIED_ERROR,
                                  ER_PROCACCESS_DENIED_ERROR};
  return std::find(numbers.begin(), numbers.end(), static_cast<int>(said.code)) != numbers.end();
}

sql::StatementFailure statement_failure(const Refusal& said, const std::string& account) {
  const std::string code = std::to_string(said.code);
  if (is_missing_privilege(said)) return privilege_failure(said, account);
  switch (said.code) {
    case statement_timeout_mysql:
    case statement_timeout_mariadb:
      return {code, Outcome::refused, "query_too_slow", "the query did not end in time and was stopped"};
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
      return {code, Outcome::refused, "query_locked_out", "the query waited in vain for a lock"};
    case ER_QUERY_INTERRUPTED:
      return {code, Outcome::refused, "query_killed", "somebody on the server ended the query"};
    case ER_NO_SUCH_TABLE:
    case ER_BAD_DB_ERROR:
      return {code, Outcome::unmeasured, "no_such_table", "what the query asks for is not there: " + quote(said.text),
              "create it, or correct the query"};
    case ER_NO_DB_ERROR:
      return {code, Outcome::unmeasured, "wrong_database", "the query names a table without its database",
              "set 'database' in the check"};
    case ER_PARSE_ERROR:
    case ER_BAD_FIELD_ERROR:
    case ER_NON_UNIQ_ERROR:
    case ER_SYNTAX_ERROR:
    case ER_EMPTY_QUERY:
      return {code, Outcome::unmeasured, "wrong_query", "the server does not understand the query: " + quote(said.text),
              "correct 'query' of the check"};
    case ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION:
      return {code, Outcome::unmeasured, "query_writes", "the query would change something, and it was not run",
              "a query of a check may only read"};
    case ER_OPTION_PREVENTS_STATEMENT:
    case ER_READ_ONLY_MODE:
      return {code, Outcome::wrong, "read_only", "the server does not permit this now: " + quote(said.text)};
    default:
      return {code, Outcome::wrong, "query_failed", "the server failed at the query: " + quote(said.text)};
  }
}

}  // namespace vitald::probes::mysql
