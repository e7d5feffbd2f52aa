// laravel-queue with the driver database: its statements, and what it makes of the answers.
#include "probes/laravel_queue_sql.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitald::probes::laravel_queue {
namespace {

using sql::Table;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Answers one statement after the other.
class FakeSession final : public sql::Session {
 public:
  std::vector<std::pair<std::string, Table>> answers;  // words that the statement has, and what it gives
  std::optional<sql::StatementFailure> refusal;        // for a statement without an answer
  std::vector<std::string> asked;

  bool resume(sql::Talk&) override { return true; }
  void rest() override {}
  Table query(const std::string& statement, const sql::Bounds&) override {
    asked.push_back(statement);
    for (const auto& [words, table] : answers) {
      if (statement.find(words) != std::string::npos) return table;
    }
    throw refusal.value();
  }
};

Table table(const std::vector<std::string>& columns, std::vector<sql::Row> rows) {
  Table made;
  for (const auto& name : columns) made.columns.push_back({name, true});
  made.rows = std::move(rows);
  return made;
}

const std::vector<std::string> job_columns{"queue",   "n_pending", "n_delayed", "n_reserved", "n_expired", "head_id",
                                           "head_at", "lost_id",   "lost_at",   "newest_id",  "newest_at"};

Questions questions() {
  return {.table = "jobs", .failed_table = "failed_jobs", .remembered = 40, .queues = {"default", "exports"}};
}

TEST(LaravelQueueSql, AsksInTheDatabasesOwnWords) {
  auto asks = questions();
  EXPECT_EQ(asks.clock_statement(),
            "SELECT UNIX_TIMESTAMP() AS clock, (SELECT MAX(id) FROM `failed_jobs`) AS newest, (SELECT COUNT(*) FROM "
            "(SELECT id FROM `failed_jobs` WHERE id > 40 LIMIT 10000) AS latest) AS fresh");
  EXPECT_THAT(asks.jobs_statement(), HasSubstr("FROM `jobs` WHERE queue IN ('default', 'exports') GROUP BY queue"));
  EXPECT_THAT(asks.jobs_statement(), HasSubstr("reserved_at <= UNIX_TIMESTAMP() - 90"));
  asks.remembered.reset();
  EXPECT_THAT(asks.clock_statement(), Not(HasSubstr("fresh"))) << "nothing to compare with";
  asks.failed_table = "";
  EXPECT_EQ(asks.clock_statement(), "SELECT UNIX_TIMESTAMP() AS clock");
  asks.postgres = true;
  asks.table = "shop.Jobs";
  EXPECT_EQ(asks.clock_statement(), "SELECT CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) AS bigint) AS clock");
  EXPECT_THAT(asks.jobs_statement(), HasSubstr("FROM \"shop\".\"Jobs\" WHERE"));
}

TEST(LaravelQueueSql, ReadsARowForEachQueue) {
  FakeSession session;
  session.answers = {
      {"clock", table({"clock", "newest", "fresh"}, {{"1800000000", "42", "2"}})},
      {"GROUP BY", table(job_columns,
                         {{"default", "3", "1", "2", "1", "17", "1799999900", "9", "1799999000", "21", "1799999990"}})},
      {"ORDER BY id DESC", table({"queue", "payload"},
                                 {{"exports", R"({"displayName":"App\\Jobs\\Export"})"}, {"default", std::nullopt}})}};
  Facts facts;
  questions().ask(session, facts);
  EXPECT_EQ(facts.now, 1'800'000'000);
  ASSERT_EQ(facts.queues.size(), 2u);
  const QueueFacts& queue = facts.queues[0];
  EXPECT_EQ(queue.pending, 3);
  EXPECT_EQ(queue.delayed, 1);
  EXPECT_EQ(queue.reserved, 2);
  EXPECT_EQ(queue.reserved_expired, 1);
  EXPECT_EQ(queue.delayed_due, std::nullopt);
  EXPECT_EQ(queue.head, "17");
  EXPECT_EQ(queue.head_at, 1'799'999'900);
  EXPECT_EQ(queue.newest, "21");
  EXPECT_EQ(queue.newest_at, 1'799'999'990);
  EXPECT_EQ(facts.queues[1].name, "exports");
  EXPECT_EQ(facts.queues[1].pending, 0);
  EXPECT_EQ(facts.queues[1].head, "");
  EXPECT_EQ(facts.failed->newest, 42);
  EXPECT_EQ(facts.failed->fresh, 2);
  EXPECT_THAT(facts.failed->names, ElementsAre("App\\Jobs\\Export on exports", "a job on default"));
}

TEST(LaravelQueueSql, AJobWhoseWorkerIsGoneIsNextWhereNoOtherWaits) {
  FakeSession session;
  session.answers = {{"clock", table({"clock", "newest", "fresh"}, {{"1800000000", std::nullopt, "0"}})},
                     {"GROUP BY", table(job_columns, {{"default", "0", "0", "1", "1", std::nullopt, std::nullopt, "9",
                                                       "1799999000", "9", "1799998000"}})}};
  Facts facts;
  questions().ask(session, facts);
  EXPECT_EQ(facts.queues[0].head, "lost 9");
  EXPECT_EQ(facts.queues[0].head_at, 1'799'999'090);
  EXPECT_EQ(facts.failed->newest, 0) << "the table is empty";
  EXPECT_EQ(session.asked.size(), 2u) << "nobody asks for names of none";
}

TEST(LaravelQueueSql, MySqlAnswersWithTheCaseOfSomeRow) {
  FakeSession session;
  session.answers = {{"clock", table({"clock"}, {{"1800000000"}})},
                     {"GROUP BY", table({"queue", "n_pending"}, {{"Default", "3"}, {"EXPORTS", "4"}})}};
  auto asks = questions();
  asks.failed_table = "";
  Facts facts;
  asks.ask(session, facts);
  EXPECT_EQ(facts.queues[0].pending, 3);
  EXPECT_EQ(facts.queues[0].name, "default");
  EXPECT_EQ(facts.queues[1].pending, 4);
  EXPECT_FALSE(facts.failed);
}

ProbeFailure failure(const FakeSession& session) {
  FakeSession used = session;
  Facts facts;
  try {
    questions().ask(used, facts);
  } catch (const ProbeFailure& caught) {
    return caught;
  }
  ADD_FAILURE() << "nothing failed";
  return ProbeFailure(Outcome::answered, "", "");
}

TEST(LaravelQueueSql, SaysWhichTableIsMissing) {
  FakeSession session;
  session.refusal = sql::StatementFailure("1146", Outcome::unmeasured, "no_such_table", "Table 'x' doesn't exist");
  auto caught = failure(session);
  EXPECT_EQ(caught.outcome, Outcome::unmeasured);
  EXPECT_EQ(caught.reason, "table_missing:failed_jobs");
  EXPECT_STREQ(caught.what(), "there is no table 'failed_jobs' in the database");
  EXPECT_THAT(caught.remedy, HasSubstr("failed_table"));

  session.answers = {{"clock", table({"clock", "newest", "fresh"}, {{"1800000000", "1", "0"}})}};
  session.refusal->code = "42P01";
  caught = failure(session);
  EXPECT_EQ(caught.reason, "table_missing:jobs");
  EXPECT_THAT(caught.remedy, HasSubstr("config/queue.php"));

  session.refusal->code = "42703";
  EXPECT_EQ(failure(session).reason, "not_laravel:jobs");
  session.refusal = sql::StatementFailure("1142", Outcome::unmeasured, "missing_privilege", "v may not read", "GRANT");
  EXPECT_EQ(failure(session).reason, "missing_privilege") << "the session knows better";
  EXPECT_EQ(failure(session).remedy, "GRANT; or, if there is no such table, correct its name in the check");
}

TEST(LaravelQueueSql, AFailedJobCountsEvenIfItsNameIsNotToBeSeen) {
  FakeSession session;
  session.answers = {{"clock", table({"clock", "newest", "fresh"}, {{"1800000000", "42", "2"}})},
                     {"GROUP BY", table(job_columns, {})}};
  session.refusal = sql::StatementFailure("1143", Outcome::unmeasured, "missing_privilege", "v may not read payload");
  Facts facts;
  questions().ask(session, facts);
  EXPECT_EQ(facts.failed->fresh, 2);
  EXPECT_TRUE(facts.failed->names.empty());
}

TEST(LaravelQueueSql, TellsTableNamesFromOtherText) {
  for (const char* good : {"jobs", "shop.jobs", "Jobs_2", "_"}) EXPECT_TRUE(is_table_name(good)) << good;
  for (const char* bad : {"", ".", "a.", ".a", "a.b.c", "a b", "a`", "a\"", "a'", "a;", "a-b", "\xc3\xb6"}) {
    EXPECT_FALSE(is_table_name(bad)) << bad;
  }
  EXPECT_FALSE(is_table_name(std::string(200, 'a')));
}

}  // namespace
}  // namespace vitald::probes::laravel_queue
