#include "probes/mysql_status.hpp"

#include <algorithm>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"
#include "probes/mysql_session.hpp"
#include "probes/numbers.hpp"
#include "probes/sql/mask.hpp"

namespace vitald::probes::mysql {
namespace {

constexpr double young = 3600;       // seconds: until then a restart is worth a word
constexpr double implausible = 1e9;  // an age beyond this is an overflow of the server's

constexpr const char* status_statement =
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', 'Threads_running', 'Questions', 'Slow_queries', "
    "'Innodb_deadlocks', 'Aborted_connects', 'Aborted_clients', 'Connection_errors_max_connections', 'Uptime')";
constexpr const char* variables_statement =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'max_connections', 'read_only', 'super_read_only')";
// MySQL counts them here; the column STATUS is MySQL's own.
constexpr const char* deadlocks_statement =
    "SELECT `COUNT` AS deadlocks FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks' AND STATUS = "
    "'enabled'";

// Without PROCESS the list silently has one's own threads only. Nobody sees other people's privileges here.
constexpr const char* rights_statement =
    "SELECT (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'PROCESS') + (SELECT "
    "COUNT(*) FROM information_schema.PROCESSLIST WHERE USER <> SUBSTRING_INDEX(USER(), '@', 1)) AS rights";
constexpr const char* longest_statement =
    "SELECT USER AS `user`, DB AS `db`, STATE AS `state`, TIME AS seconds, LEFT(INFO, 4000) AS info FROM "
    "information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND COMMAND IN ('Query', 'Execute') AND USER NOT IN "
    "('system user', 'event_scheduler', 'unauthenticated user') ORDER BY TIME DESC LIMIT 1";

void read_values(sql::Session& session, const std::string& statement, StatusFacts& facts) {
  const sql::Table table = session.query(statement, {});
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto name = table.cell(row, "Variable_name"), value = table.cell(row, "Value");
    if (name && value) facts.values[*name] = *value;
  }
}

void add(const char* name, std::optional<double> value, Observation& seen) {
  if (value) seen.samples.push_back({.name = name, .value = *value});
}

}  // namespace

std::optional<double> StatusFacts::number(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::nullopt : to_number(found->second);
}
std::string StatusFacts::text(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}
bool StatusFacts::is_mariadb() const { return flavour_of(text("version")) == Flavour::mariadb; }
bool StatusFacts::is_read_only() const {
  const std::string plain = text("read_only"), super = text("super_read_only");
  const auto is_on = [](const std::string& word) { return !word.empty() && word != "OFF" && word != "0"; };
  return is_on(plain) || is_on(super);
}

StatusFacts ask_status(sql::Session& session) {
  StatusFacts facts;
  try {
    read_values(session, status_statement, facts);
    read_values(session, variables_statement, facts);
  } catch (const sql::StatementFailure& failure) {
    facts.trouble = failure;
  }
  if (facts.trouble || facts.is_mariadb()) return facts;
  try {
    facts.deadlocks = session.query(deadlocks_statement, {}).number(0, "deadlocks");
  } catch (const sql::StatementFailure&) {
    // It takes a privilege, and is one number of many: left out.
  }
  return facts;
}

void judge_status(const StatusFacts& facts, Observation& seen) {
  if (const auto used = facts.number("Threads_connected")) {
    seen.samples.push_back({.name = "connections_used", .value = *used, .maximum = facts.number("max_connections")});
  }
  add("running_threads", facts.number("Threads_running"), seen);
  add("questions", facts.number("Questions"), seen);
  add("slow_queries", facts.number("Slow_queries"), seen);
  add("deadlocks", facts.deadlocks ? facts.deadlocks : facts.number("Innodb_deadlocks"), seen);
  add("aborted_connects", facts.number("Aborted_connects"), seen);
  add("aborted_clients", facts.number("Aborted_clients"), seen);
  add("refused_connections", facts.number("Connection_errors_max_connections"), seen);
  const auto uptime = facts.number("Uptime");
  add("uptime", uptime, seen);
  const std::string version = foreign_text(facts.text("version"), 60);
  if (!version.empty()) seen.evidence.push_back({"server", (facts.is_mariadb() ? "" : "MySQL ") + version});
  if (uptime && *uptime < young) {
    seen.evidence.push_back({"restart", "the server was started " + say_duration(length_of(*uptime)) + " ago"});
  }
}

ProcessFacts ask_processes(sql::Session& session) {
  ProcessFacts facts;
  try {
    facts.longest = session.query(longest_statement, {});
    facts.sees_all = session.query(rights_statement, {}).number(0, "rights").value_or(0) > 0;
  } catch (const sql::StatementFailure& failure) {
    facts.trouble = failure;
  }
  return facts;
}

void judge_processes(const ProcessFacts& facts, Observation& seen) {
  if (facts.trouble) return add_gap("longest query", facts.trouble, seen);
  if (!facts.sees_all) {
    seen.evidence.push_back(
        {"longest query", "not measured, the account sees only its own; GRANT PROCESS ON *.* to it"});
    return;
  }
  const double seconds = facts.longest.number(0, "seconds").value_or(0);
  if (seconds < 0 || seconds > implausible) return;
  seen.samples.push_back({.name = "longest_query", .value = seconds});
  if (seconds < 1) return;
  const std::string user = foreign_text(facts.longest.cell(0, "user").value_or("?"), 40);
  const std::string state = foreign_text(facts.longest.cell(0, "state").value_or(""), 60);
  const auto database = facts.longest.cell(0, "db");
  std::string text = say_duration(length_of(seconds));
  text += " by " + user + (database ? " in " + foreign_text(*database, 64) : "");
  if (!state.empty()) text += " (" + state + ")";
  text += ": " + sql::mask_literals(facts.longest.cell(0, "info").value_or(""), sql::Dialect::mysql);
  seen.evidence.push_back({"longest query", std::move(text)});
}

void add_gap(const std::string& label, const std::optional<ProbeFailure>& trouble, Observation& seen) {
  if (!trouble) return;
  const std::string remedy = trouble->remedy.empty() ? "" : "; " + trouble->remedy;
  seen.evidence.push_back({label, std::string("not measured: ") + trouble->what() + remedy});
}

}  // namespace vitald::probes::mysql
