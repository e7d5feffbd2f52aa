#include "probes/mysql_errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitald::probes::mysql {
namespace {

using ::testing::HasSubstr;

Connection connection() {
  Connection made;
  made.where.host = "db.example.com";
  made.where.port = 3306;
  made.user = "monitor";
  made.database = "shop";
  return made;
}

struct Case {
  Refusal said;
  Outcome outcome;
  const char* reason;
  const char* words;   // in the summary
  const char* remedy;  // in it; "": there is none
};

void expect(const Case& each, const ProbeFailure& failure) {
  SCOPED_TRACE(std::to_string(each.said.code) + " " + each.said.text);
  EXPECT_EQ(failure.outcome, each.outcome);
  EXPECT_EQ(failure.reason, each.reason);
  EXPECT_THAT(failure.what(), HasSubstr(each.words));
  EXPECT_THAT(failure.remedy, HasSubstr(each.remedy));
  EXPECT_EQ(*each.remedy == '\0', failure.remedy.empty());
}

TEST(MySqlErrors, WhatALoginFailsOf) {
  const Case cases[] = {
      {{2002, "Can't connect to server on '127.0.0.1' (115)"}, Outcome::refused, "connect_failed", "no connection", ""},
      {{2005, "Unknown server host 'db'"}, Outcome::refused, "name_not_found", "db.example.com", ""},
      {{2013, "Lost connection to server at 'handshake: reading initial communication packet', system error: 0"},
       Outcome::refused,
       "closed_early",
       "without a word",
       ""},
      {{2013, "Lost connection"}, Outcome::refused, "connection_lost", "during the login", ""},
      {{1045, "Access denied for user 'monitor'@'10.0.0.5' (using password: YES)"},
       Outcome::unmeasured,
       "wrong_password",
       "'monitor'@'10.0.0.5'",
       "mysql.user"},
      {{1698, "Access denied for user 'monitor'@'localhost'"},
       Outcome::unmeasured,
       "wrong_password",
       "'monitor'@'localhost'",
       "mysql.user"},
      {{1049, "Unknown database 'shop'"}, Outcome::unmeasured, "wrong_database", "no database shop", "'database'"},
      {{1044, "Access denied for user 'monitor'@'%' to database 'shop'"},
       Outcome::unmeasured,
       "missing_privilege",
       "may not use the database shop",
       "GRANT SELECT ON `shop`.* TO 'monitor'@'%'"},
      {{1040, "Too many connections"},
       Outcome::wrong,
       "too_many_connections",
       "too many connections",
       "max_connections"},
      {{1129, "Host '10.0.0.5' is blocked because of many connection errors"},
       Outcome::wrong,
       "host_blocked",
       "blocks this host",
       "flush-hosts"},
      {{1130, "Host '10.0.0.5' is not allowed to connect to this MariaDB server"},
       Outcome::unmeasured,
       "host_not_allowed",
       "Host '10.0.0.5'",
       "CREATE USER 'monitor'@"},
      {{1226, "User 'monitor' has exceeded the 'max_user_connections' resource (current value: 5)"},
       Outcome::unmeasured,
       "account_limit",
       "max_user_connections",
       "ALTER USER 'monitor'"},
      {{1862, "Your password has expired"}, Outcome::unmeasured, "password_expired", "expired", "ALTER USER"},
      {{3118, "Access denied for user 'm'@'h'. Account is locked."},
       Outcome::unmeasured,
       "account_locked",
       "'m'@'h'",
       "UNLOCK"},
      {{3159, "Connections using insecure transport are prohibited"},
       Outcome::unmeasured,
       "tls_required",
       "TLS",
       "tls: true"},
      {{2059, "Authentication plugin 'auth_gssapi_client' cannot be loaded"},
       Outcome::unmeasured,
       "login_method",
       "auth_gssapi_client",
       "ALTER USER"},
      {{1053, "Server shutdown in progress"}, Outcome::refused, "shutting_down", "shutting down", ""},
      {{2012, "Error in server handshake"}, Outcome::wrong, "not_mysql", "does not speak the protocol", ""},
      {{1999, "something \x01 new"}, Outcome::wrong, "login_refused", "something ? new", ""},
  };
  for (const Case& each : cases) expect(each, login_failure(connection(), each.said));
}

TEST(MySqlErrors, WhatIsWrongWithTheCertificate) {
  const std::string begin = "TLS/SSL error: ";
  const Case cases[] = {
      {{2026, begin + "Validation of SSL server certificate failed"},
       Outcome::wrong,
       "tls_wrong_name",
       "not for db.example.com",
       ""},
      {{2026, begin + "certificate has expired"}, Outcome::wrong, "tls_expired", "has expired", ""},
      {{2026, begin + "certificate is not yet valid"},
       Outcome::wrong,
       "tls_not_yet_valid",
       "not valid yet",
       "timedatectl"},
      {{2026, begin + "self-signed certificate in certificate chain"},
       Outcome::wrong,
       "tls_untrusted",
       "not trusted",
       "ca_file"},
      {{2026, begin + "unable to get local issuer certificate"},
       Outcome::wrong,
       "tls_untrusted",
       "not trusted",
       "ca_file"},
      {{2026, begin + "self-signed certificate"}, Outcome::wrong, "tls_self_signed", "self-signed", "ca_file"},
      {{2026, begin + "SSL is required, but the server does not support it"},
       Outcome::wrong,
       "tls_missing",
       "does not speak TLS",
       "'tls'"},
      {{2026, begin + "wrong version number"}, Outcome::wrong, "tls_handshake", "wrong version number", ""},
  };
  for (const Case& each : cases) expect(each, login_failure(connection(), each.said));
}

TEST(MySqlErrors, WhatAStatementFailsOf) {
  const Case cases[] = {
      {{1969, "Query execution was interrupted (max_statement_time exceeded)"},
       Outcome::refused,
       "query_too_slow",
       "did not end in time",
       ""},
      {{3024, "maximum statement execution time exceeded"}, Outcome::refused, "query_too_slow", "did not end", ""},
      {{1142, "SELECT command denied to user 'm'@'10.0.0.5' for table `shop`.`jobs`"},
       Outcome::unmeasured,
       "missing_privilege",
       "'m'@'%' may not read shop.jobs",
       "GRANT SELECT ON shop.jobs TO 'm'@'%'"},
      {{1142, "SELECT command denied to user 'm'@'h' for table 'jobs'"},
       Outcome::unmeasured,
       "missing_privilege",
       "jobs",
       "`jobs` TO 'm'@'%'"},
      {{1227, "Access denied; you need (at least one of) the SUPER, SLAVE MONITOR privilege(s) for this operation"},
       Outcome::unmeasured,
       "missing_privilege",
       "lacks SLAVE MONITOR",
       "GRANT SLAVE MONITOR ON *.* TO 'm'@'%'"},
      {{1227, "Access denied; you need the x; DROP TABLE users privilege"},
       Outcome::unmeasured,
       "missing_privilege",
       "may not read *.*",
       "GRANT SELECT ON *.*"},
      {{1146, "Table 'shop.jobs' doesn't exist"}, Outcome::unmeasured, "no_such_table", "shop.jobs", "create it"},
      {{1054, "Unknown column 'x' in 'field list'"}, Outcome::unmeasured, "wrong_query", "'x'", "'query'"},
      {{1064, "You have an error in your SQL syntax"}, Outcome::unmeasured, "wrong_query", "syntax", "'query'"},
      {{1792, "Cannot execute statement in a READ ONLY transaction"},
       Outcome::unmeasured,
       "query_writes",
       "was not run",
       "only read"},
      {{1205, "Lock wait timeout exceeded"}, Outcome::refused, "query_locked_out", "lock", ""},
      {{1290, "The MariaDB server is running with the --read-only option"},
       Outcome::wrong,
       "read_only",
       "read-only",
       ""},
      {{1194, "Table 'jobs' is marked as crashed"}, Outcome::wrong, "query_failed", "marked as crashed", ""},
  };
  for (const Case& each : cases) {
    EXPECT_FALSE(ends_session(each.said)) << each.said.text;
    const auto failure = statement_failure(each.said, "'m'@'%'");
    EXPECT_EQ(failure.code, std::to_string(each.said.code));
    expect(each, failure);
  }
}

TEST(MySqlErrors, WhatEndsASession) {
  const Case cases[] = {
      {{2013, "Lost connection to server during query"}, Outcome::refused, "connection_lost", "middle of a query", ""},
      {{2006, "Server has gone away"}, Outcome::refused, "connection_lost", "lost", ""},
      {{1927, "Connection was killed"}, Outcome::refused, "connection_killed", "ended the connection", ""},
      {{1053, "Server shutdown in progress"}, Outcome::refused, "shutting_down", "shutting down", ""},
      {{2020, "Got packet bigger than 'max_allowed_packet' bytes"},
       Outcome::unmeasured,
       "answer_too_large",
       "larger",
       "fewer"},
      {{2027, "Malformed packet"}, Outcome::wrong, "bad_answer", "Malformed packet", ""},
  };
  for (const Case& each : cases) {
    EXPECT_TRUE(ends_session(each.said)) << each.said.text;
    expect(each, lost_failure(each.said));
  }
}

}  // namespace
}  // namespace vitald::probes::mysql
