#include "probes/postgres_errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitald::probes::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Asked over_tcp{.where = "db:5432", .socket_path = "", .user = "vitald", .database = "shop"};
const Asked over_socket{
    .where = "/run/x/.s.PGSQL.5432", .socket_path = "/run/x/.s.PGSQL.5432", .user = "vitald", .database = "shop"};

struct Case {
  const char* text;  // as libpq 15 leaves it
  Outcome outcome;
  const char* reason;
  const char* summary;
};

const std::string head = "connection to server at \"db\" (192.0.2.7), port 5432 failed: ";

TEST(PostgresLogin, TellsWhyTheServerRefuses) {
  const std::vector<Case> cases{
      {"FATAL:  28P01: password authentication failed for user \"vitald\"\nLOCATION:  auth_failed, auth.c:326\n",
       Outcome::unmeasured, "wrong_password", "db:5432 does not accept the password of 'vitald'"},
      {"FATAL:  28000: no pg_hba.conf entry for host \"192.0.2.1\", user \"vitald\", database \"shop\", no "
       "encryption\n",
       Outcome::unmeasured, "no_pg_hba_entry", "db:5432 has no entry for vitald in its pg_hba.conf"},
      {"FATAL:  28000: role \"vitald\" does not exist\n", Outcome::unmeasured, "role_missing",
       "no login role 'vitald'"},
      {"FATAL:  28000: Peer authentication failed for user \"vitald\"\n", Outcome::unmeasured, "login_refused", "Peer"},
      {"FATAL:  3D000: database \"shop\" does not exist\n", Outcome::unmeasured, "wrong_database",
       "no database 'shop'"},
      {"FATAL:  42501: permission denied for database \"shop\"\nDETAIL:  User does not have CONNECT privilege.\n",
       Outcome::unmeasured, "missing_privilege", "permission denied for database"},
      {"FATAL:  53300: sorry, too many clients already\n", Outcome::wrong, "too_many_connections", "too many clients"},
      {"FATAL:  53300: remaining connection slots are reserved for non-replication superuser connections\n",
       Outcome::wrong, "too_many_connections", "slots are reserved"},
      {"FATAL:  53200: out of memory\n", Outcome::wrong, "out_of_resources", "out of memory"},
      {"FATAL:  57P03: the database system is starting up\n", Outcome::wrong, "starting_up", "starting up"},
      {"FATAL:  57P03: the database system is shutting down\n", Outcome::wrong, "shutting_down", "shutting down"},
      {"FATAL:  57P03: the database system is in recovery mode\n", Outcome::wrong, "in_recovery", "recovering"},
      {"FATAL:  57P03: the database system is not accepting connections\nDETAIL:  Hot standby mode is disabled.\n",
       Outcome::wrong, "not_accepting", "not accepting connections"},
      {"FATAL:  08P01: unsupported startup parameter in options: lock_timeout\n", Outcome::unmeasured, "pooler",
       "pooler"},
      {"FATAL:  XX001: page is damaged\n", Outcome::wrong, "data_corrupted", "damaged"},
      {"FATAL:  XX000: cache lookup failed\n", Outcome::wrong, "server_error", "cache lookup failed"},
  };
  for (const Case& each : cases) {
    const auto failure = login_failure(head + each.text, over_tcp);
    EXPECT_EQ(failure.reason, each.reason) << each.text;
    EXPECT_EQ(failure.outcome, each.outcome) << each.text;
    EXPECT_THAT(failure.what(), HasSubstr(each.summary));
    EXPECT_TRUE(each.outcome != Outcome::unmeasured || !failure.remedy.empty()) << each.text;
  }
}

TEST(PostgresLogin, UnderstandsAServerThatSpeaksGerman) {
  const auto failure = login_failure(
      head + "FATAL:  28P01: Passwort-Authentifizierung für Benutzer »vitald« fehlgeschlagen\n", over_tcp);
  EXPECT_EQ(failure.reason, "wrong_password");
  const auto starting = login_failure(head + "FATAL:  57P03: das Datenbanksystem startet\n", over_tcp);
  EXPECT_EQ(starting.reason, "not_accepting");
  EXPECT_THAT(starting.what(), HasSubstr("das Datenbanksystem startet"));
}

TEST(PostgresLogin, TellsWhyLibpqCouldNotConnect) {
  const std::vector<Case> cases{
      {"Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n", Outcome::refused,
       "connect_refused", "connect to db:5432: connection refused"},
      {"Connection timed out\n", Outcome::refused, "connect_timeout", "no answer"},
      {"No route to host\n", Outcome::refused, "no_route", "no route"},
      {"Too many open files\n", Outcome::unmeasured, "out_of_descriptors", "no file descriptor left"},
      {"fe_sendauth: no password supplied\n", Outcome::unmeasured, "password_missing", "wants a password"},
      {"channel binding required but not supported by server's authentication request\n", Outcome::unmeasured,
       "password_not_sent", "it got none"},
      {"channel binding required, but server authenticated client without channel binding\n", Outcome::unmeasured,
       "password_not_sent", "it got none"},
      {"expected authentication request from server, but received H\n", Outcome::wrong, "not_postgres",
       "is not PostgreSQL"},
      {"server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n",
       Outcome::refused, "closed_early", "closed the connection during the login"},
      {"server does not support SSL, but SSL was required\n", Outcome::wrong, "tls_not_offered", "does not offer TLS"},
      {"server certificate for \"a\" does not match host name \"db\"\n", Outcome::wrong, "tls_wrong_name", "\"a\""},
      {"SSL error: certificate verify failed\n", Outcome::wrong, "tls_untrusted", "not trusted"},
      {"SSL error: tlsv1 alert protocol version\n", Outcome::refused, "tls_handshake", "alert protocol version"},
      {"SSL connection has been closed unexpectedly\n", Outcome::refused, "tls_closed", "during the TLS handshake"},
      {"private key file \"/k.pem\" has group or world access; file must have permissions u=rw (0600) or less\n",
       Outcome::unmeasured, "bad_file:/k.pem", "/k.pem cannot be used"},
      {"could not read root certificate file \"/ca.pem\": no certificate or crl found\n", Outcome::unmeasured,
       "bad_file:/ca.pem", "no certificate or crl found"},
      {"something new\n", Outcome::wrong, "protocol_error", "the login to db:5432 failed: something new"},
  };
  for (const Case& each : cases) {
    const auto failure = login_failure(head + each.text, over_tcp);
    EXPECT_EQ(failure.reason, each.reason) << each.text;
    EXPECT_EQ(failure.outcome, each.outcome) << each.text;
    EXPECT_THAT(failure.what(), HasSubstr(each.summary));
  }
}

TEST(PostgresLogin, TellsAMissingSocketFromOneWithoutAServer) {
  const std::string socket = "connection to server on socket \"/run/x/.s.PGSQL.5432\" failed: ";
  EXPECT_EQ(login_failure(socket + "No such file or directory\n", over_socket).reason, "socket_missing");
  EXPECT_EQ(login_failure(socket + "Connection refused\n", over_socket).reason, "socket_refused");
  EXPECT_EQ(login_failure(socket + "Resource temporarily unavailable\n", over_socket).reason, "socket_refused");
  const auto denied = login_failure(socket + "Permission denied\n", over_socket);
  EXPECT_EQ(denied.reason, "denied:/run/x/.s.PGSQL.5432");
  EXPECT_EQ(denied.outcome, Outcome::unmeasured);
}

TEST(PostgresLogin, ANameIsNotTakenForAWordOfLibpq) {
  const auto failure = login_failure(
      "connection to server at \"SSL-db\" (192.0.2.7), port 5432 failed: Connection refused\n\tIs the server\n",
      over_tcp);
  EXPECT_EQ(failure.reason, "connect_refused");
}

TEST(PostgresLogin, QuotesAHostileServerWithinBounds) {
  const auto failure = login_failure(head + "FATAL:  XX000: " + std::string(100'000, 'x') + "\x1b[2J\n", over_tcp);
  EXPECT_LT(std::string(failure.what()).size(), 300u);
  EXPECT_THAT(login_failure(head + "FATAL:  XX000: a\x1b[2Jb\n", over_tcp).what(), Not(HasSubstr("\x1b")));
}

TEST(PostgresStatement, TellsWhyItWasRefused) {
  const std::vector<Case> cases{
      {"57014", Outcome::wrong, "query_too_slow", "did not end in time"},
      {"55P03", Outcome::wrong, "lock_timeout", "lock that another session holds"},
      {"42501", Outcome::unmeasured, "missing_privilege", "'words'"},
      {"25006", Outcome::unmeasured, "query_writes", "would change something"},
      {"42601", Outcome::unmeasured, "query_mistake", "'words'"},
      {"42P01", Outcome::unmeasured, "query_mistake", "'words'"},
      {"42703", Outcome::unmeasured, "query_mistake", "'words'"},
      {"22012", Outcome::unmeasured, "query_mistake", "'words'"},
      {"53100", Outcome::wrong, "out_of_resources", "'words'"},
      {"XX002", Outcome::wrong, "data_corrupted", "'words'"},
  };
  for (const Case& each : cases) {
    const auto failure = statement_failure({each.text, "words"}, over_tcp);
    EXPECT_EQ(failure.code, each.text);
    EXPECT_EQ(failure.reason, each.reason) << each.text;
    EXPECT_EQ(failure.outcome, each.outcome) << each.text;
    EXPECT_THAT(failure.what(), HasSubstr(each.summary));
  }
  EXPECT_THAT(statement_failure({"42501", "x"}, over_tcp).remedy, HasSubstr("GRANT pg_monitor TO \"vitald\""));
  EXPECT_EQ(statement_failure({"40001", "canceling statement due to conflict with recovery"}, over_tcp).reason,
            "recovery_conflict");
}

TEST(PostgresStatement, RemediesCanBePasted) {
  Asked odd = over_tcp;
  odd.user = "a\"; DROP TABLE x; --";
  EXPECT_THAT(statement_failure({"42501", "x"}, odd).remedy, HasSubstr("TO \"a\"\"; DROP TABLE x; --\""));
}

}  // namespace
}  // namespace vitald::probes::postgres
