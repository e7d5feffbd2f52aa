#include "probes/mysql.hpp"

#include <algorithm>
#include <utility>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::mysql {
namespace {

/// What one run asks; a copy of its own, since the worker may outlive the check.
struct Plan {
  std::optional<sql::Query> query;
  ReplicaUse replica = ReplicaUse::automatic;
};

void ask_server(sql::Session& session, sql::Talk& talk, const Plan& plan, Facts& facts) {
  talk.begin("query");
  if (plan.query) {
    facts.answer = session.query(plan.query->statement, plan.query->bounds());
    talk.end();
    return;
  }
  const sql::Table one = session.query("SELECT 1", {});
  if (one.rows.size() != 1 || one.rows.front().size() != 1 || one.rows.front().front() != "1")
    throw ProbeFailure(Outcome::wrong, "bad_answer", "answers SELECT 1 with something else");
  talk.end();
  facts.took = talk.phases().back().took;
  talk.begin("status");
  facts.status = ask_status(session);
  if (plan.replica != ReplicaUse::never) facts.replication = ask_replication(session, facts.status.is_mariadb());
  facts.processes = ask_processes(session);
  talk.end();
}

std::optional<ProbeFailure> read_only_fault(const Config& config, const StatusFacts& status) {
  if (!config.writable || !status.is_read_only()) return std::nullopt;
  return wrong("read_only", "the server is read-only, and it should take writes",
               "see whether a fail-over is under way; then: SET GLOBAL read_only = OFF");
}

std::string describe(const Facts& facts) {
  std::string text = "answers in " + say_duration(facts.took);
  const auto used = facts.status.number("Threads_connected"), most = facts.status.number("max_connections");
  if (used && most) text += "; " + say_number(*used) + " of " + say_number(*most) + " connections used";
  std::optional<double> lag;
  for (const Channel& channel : facts.replication.channels) lag = std::max(lag, channel.lag);
  if (lag) {
    text += *lag > 0 ? "; replica " + say_duration(length_of(*lag)) + " behind" : "; replica up to date";
  }
  return text;
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.connection = read_connection(in);
  config.writable =
      in.optional("writable", config::Boolean{}, false, "Whether it is a fault when the server is read-only");
  const auto replica = in.optional("replica", config::OneOf{{"auto", "required", "never"}}, "auto",
                                   "`auto` watches replication where there is some, `required` wants it to be there, "
                                   "`never` does not ask");
  config.replica = replica == "required" ? ReplicaUse::required
                   : replica == "never"  ? ReplicaUse::never
                                         : ReplicaUse::automatic;
  config.query = sql::read_query(in);
  for (const char* key : {"writable", "replica"}) {
    if (config.query && in.has(key)) in.problem(key, "is not possible with 'query': make another check for it");
  }
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  const auto facts = std::make_shared<Facts>();
  facts->now = context.started;
  facts->memory = context.memory;
  const Plan plan{.query = config.query, .replica = config.replica};
  sql::Questions ask = [facts, plan](sql::Session& session, sql::Talk& talk) {
    ask_server(session, talk, plan, *facts);
  };
  co_await with_session(context, config.connection, std::move(ask));
  co_return std::move(*facts);
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  if (config.query) {
    sql::judge_query(*config.query, facts.answer, samples, facts.now, facts.memory, seen);
    return seen;
  }
  seen.summary = describe(facts);
  judge_status(facts.status, seen);
  add_gap("status", facts.status.trouble, seen);
  const auto replication = judge_replication(facts.replication, config.replica, seen);
  judge_processes(facts.processes, seen);
  // What is the target's outranks what is ours.
  Faults faults;
  if (auto fault = read_only_fault(config, facts.status)) faults.push_back(std::move(*fault));
  for (const auto* each : {&replication, &facts.status.trouble, &facts.processes.trouble}) {
    const bool counts = *each && ((*each)->outcome != Outcome::unmeasured || each == &replication);
    if (counts) faults.push_back(**each);
  }
  std::stable_sort(faults.begin(), faults.end(), [](const ProbeFailure& a, const ProbeFailure& b) {
    return (a.outcome != Outcome::unmeasured) > (b.outcome != Outcome::unmeasured);
  });
  blame(faults, seen, faults.size());
  return seen;
}

}  // namespace vitald::probes::mysql
