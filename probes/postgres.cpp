#include "probes/postgres.hpp"

#include <memory>
#include <utility>

#include "probes/postgres_statements.hpp"

namespace vitald::probes::postgres {
namespace {

constexpr sql::Bounds own_bounds{.rows = 100, .bytes = 256 * 1024};
// What lasts shorter is not worth a look at who it is.
constexpr double noteworthy_seconds = 1;

/// A statement of ours that the server does not understand says something about the server's age, not about a query.
sql::Table ask_own(sql::Session& session, std::string_view statement) {
  try {
    return session.query(std::string(statement), own_bounds);
  } catch (const sql::StatementFailure& failure) {
    if (failure.reason != "query_mistake") throw;
    throw ProbeFailure(Outcome::unmeasured, "unsupported_server",
                       std::string("the server lacks statistics that PostgreSQL 12 and later have: ") + failure.what(),
                       "use query: with a SELECT of your own for this server");
  }
}

bool anything_stuck(const sql::Table& statistics) {
  return statistics.number(0, "longest_transaction").value_or(0) >= noteworthy_seconds ||
         statistics.number(0, "longest_query").value_or(0) >= noteworthy_seconds ||
         statistics.number(0, "waiting_on_locks").value_or(0) > 0;
}

/// What the phases say of the statements so far.
Duration query_time(const sql::Talk& talk) {
  for (const Phase& phase : talk.phases()) {
    if (phase.name == "query") return phase.took;
  }
  return {};
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.connection = read_connection(in);
  const auto role = in.optional("role", config::OneOf{{"any", "primary", "replica"}}, "any",
                                "What the server must be; another role is a fault");
  config.query = sql::read_query(in);
  config.role = role == "primary" ? Role::primary : role == "replica" ? Role::replica : Role::any;
  if (config.query && config.role != Role::any)
    in.problem("role", "'role' is not possible with 'query': give it to a check of its own");
  return config;
}

void ask(const std::optional<sql::Query>& query, sql::Session& session, sql::Talk& talk, Facts& facts) {
  if (query) {
    facts.answer = session.query(query->statement, query->bounds());
    return;
  }
  facts.basics = ask_own(session, basics_statement);
  facts.answered_in = query_time(talk);
  facts.statistics = ask_own(session, statistics_statement);
  if (facts.basics.number(0, "privileged") != 1.0) return;  // the rest would be full of NULLs
  if (facts.statistics.number(0, "standbys").value_or(0) > 0) facts.standbys = ask_own(session, standbys_statement);
  if (anything_stuck(facts.statistics)) facts.sessions = ask_own(session, sessions_statement);
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  // The worker's own: it may outlive this run.
  const auto facts = std::make_shared<Facts>();
  sql::Questions questions = [facts, query = config.query](sql::Session& session, sql::Talk& talk) {
    ask(query, session, talk, *facts);
  };
  co_await with_session(context, config.connection, std::move(questions));
  facts->where = config.target();
  facts->memory = std::string(context.memory);
  facts->now = context.clock.now();
  co_return std::move(*facts);
}

}  // namespace vitald::probes::postgres
