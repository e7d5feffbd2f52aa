#include "probes/sql/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes::sql {
namespace {

using ::testing::HasSubstr;
using vitald::testing::parse_yaml;
using vitald::testing::StandingClock;

constexpr std::array own{rows_sample, newest_sample, changed_sample, unchanged_sample, SampleSpec{.name = "uptime"}};

Query query(const std::string& more = "") {
  const auto parsed = parse_yaml(read_query, "query: SELECT queue, COUNT(*) AS pending FROM jobs\n" + more);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config.value_or(Query{});
}

Observation judged(const Query& query, const Table& table, std::string_view memory = "", Duration later = {}) {
  StandingClock clock;
  Now now = clock.now();
  now.wall += later;
  Observation seen;
  judge_query(query, table, own, now, memory, seen);
  return seen;
}

/// Each sample as `name{label=value} number`.
std::vector<std::string> said(const Observation& seen) {
  std::vector<std::string> lines;
  for (const Sample& sample : seen.samples) {
    std::string line = sample.name;
    for (const auto& [name, value] : sample.labels) line += "{" + name + "=" + value + "}";
    lines.push_back(line + " " + std::to_string(static_cast<long>(sample.value)));
  }
  return lines;
}

Table jobs() {
  return {.columns = {{"queue", false}, {"pending", true}, {"oldest", true}},
          .rows = {{"default", "12", "40"}, {"mail", "3", std::nullopt}}};
}

TEST(QueryParse, TakesOneStatementThatReads) {
  for (const auto* good : {"SELECT 1", "select 1;", "  /* why */ -- a comment\n (SELECT 1) UNION (SELECT 2)",
                           "WITH a AS (SELECT 1) SELECT * FROM a", "SHOW STATUS", "VALUES (1)", "TABLE jobs ; ;",
                           "SELECT ';' , \"a;b\", `c;d` -- ; e\n", "SELECT 'it''s; fine', 'a\\';b' /* ; */"}) {
    EXPECT_EQ(objection_to_statement(good), "") << good;
  }
  for (const auto* bad : {"DELETE FROM jobs", "", "-- SELECT", "INSERT INTO a SELECT 1", "SELECTED", "SET a = 1"}) {
    EXPECT_THAT(objection_to_statement(bad), HasSubstr("only reads")) << bad;
  }
  for (const auto* two : {"SELECT 1; DELETE FROM jobs", "SELECT ';'; SELECT 2", "SELECT 1;-- a\nDROP TABLE b"}) {
    EXPECT_THAT(objection_to_statement(two), HasSubstr("a second one")) << two;
  }
  EXPECT_EQ(parse_yaml(read_query, "query: 'SELECT 1 ; '").config->statement, "SELECT 1");
}

TEST(QueryParse, SaysWhereAMistakeIs) {
  EXPECT_FALSE(parse_yaml(read_query, "{}").config);
  EXPECT_THAT(parse_yaml(read_query, "query: DROP TABLE a").problems, HasSubstr("test.yaml:1:8"));
  EXPECT_THAT(parse_yaml(read_query, "newest: at").problems, HasSubstr("'newest' needs a 'query'"));
  for (const auto* name : {"check", "1st", "a-b", "__x", "le"}) {
    const auto parsed = parse_yaml(read_query, "query: SELECT 1\nrow_labels: [ " + std::string(name) + " ]");
    EXPECT_THAT(parsed.problems, HasSubstr("test.yaml:2:15")) << name;
  }
  EXPECT_THAT(parse_yaml(read_query, "query: SELECT 1\ntimezone: Mars/Olympus").problems,
              HasSubstr("there is no time zone 'Mars/Olympus'"));
  EXPECT_THAT(parse_yaml(read_query, "query: SELECT 1\nmax_rows: 1001").problems, HasSubstr("max_rows"));
}

TEST(QueryParse, KnowsWhatTheChecksLimitsName) {
  const auto parsed =
      parse_yaml(read_query, "query: SELECT 1 AS n\nlimits: { n: { warning: 1 }, rows: { below: true } }");
  EXPECT_EQ(parsed.config->limited, (std::vector<std::string>{"n", "rows"}));
}

TEST(QueryJudge, EachNumberOfEachRowIsASample) {
  const auto seen = judged(query("row_labels: queue"), jobs());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_THAT(said(seen), ::testing::ElementsAre("rows 2", "changed 0", "unchanged 0", "pending{queue=default} 12",
                                                 "oldest{queue=default} 40", "pending{queue=mail} 3"));
  EXPECT_EQ(seen.summary, "2 rows");
  ASSERT_EQ(seen.evidence.size(), 2u);
  EXPECT_EQ(seen.evidence[0].label, "queue=default");
  EXPECT_EQ(seen.evidence[0].text, "pending 12, oldest 40");
  EXPECT_EQ(seen.evidence[1].text, "pending 3, oldest NULL");
}

TEST(QueryJudge, OneRowNeedsNoLabels) {
  const Table one{.columns = {{"active", true}, {"note", false}}, .rows = {{"7", "7"}}};
  const auto seen = judged(query(), one);
  EXPECT_THAT(said(seen), ::testing::Contains("active 7"));
  EXPECT_THAT(said(seen), ::testing::Not(::testing::Contains("note 7")));  // by its type, not by its looks
  EXPECT_EQ(seen.summary, "active 7, note 7");
}

TEST(QueryJudge, NoRowIsAnAnswer) {
  const Table none{.columns = {{"active", true}}, .rows = {}};
  const auto seen = judged(query(), none);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "no row");
  EXPECT_THAT(said(seen), ::testing::Contains("rows 0"));
}

TEST(QueryJudge, AMistakeInTheQueryIsNotTheTargetsFault) {
  struct Case {
    std::string more;
    Table table;
    std::string reason;
  };
  const Table twice{.columns = {{"n", true}, {"n", true}}, .rows = {{"1", "2"}}};
  const Table taken{.columns = {{"uptime", true}}, .rows = {{"1"}}};
  const Table rows{.columns = {{"n", true}}, .rows = {{"1"}, {"2"}}};
  const Table same{.columns = {{"queue", false}, {"n", true}}, .rows = {{"a", "1"}, {"a", "2"}}};
  Table wide;
  for (int i = 0; i < 51; ++i) wide.columns.push_back({"c" + std::to_string(i), true});
  wide.rows.push_back(Row(51, "1"));
  for (const Case& each : {Case{"row_labels: nothing", jobs(), "column_missing"},
                           {"newest: at", jobs(), "column_missing"},
                           {"", twice, "column_name"},
                           {"", taken, "column_name"},
                           {"", rows, "rows_not_distinct"},
                           {"row_labels: queue", same, "rows_not_distinct"},
                           {"", wide, "too_many_columns"}}) {
    const auto seen = judged(query(each.more), each.table);
    EXPECT_EQ(seen.outcome, Outcome::unmeasured) << each.reason;
    EXPECT_EQ(seen.reason, each.reason);
    EXPECT_NE(seen.remedy, "");
    EXPECT_TRUE(seen.samples.empty());
  }
}

TEST(QueryJudge, ALimitMustFindItsColumn) {
  const auto limited = [](const std::string& name) {
    Query asked = query("row_labels: queue");
    asked.limited = {name, "rows"};
    return judged(asked, jobs());
  };
  EXPECT_EQ(limited("pending").outcome, Outcome::answered);
  EXPECT_EQ(limited("duration").outcome, Outcome::answered);
  EXPECT_EQ(limited("pendng").summary, "limits name 'pendng', which the query does not give");
  EXPECT_EQ(limited("queue").summary, "limits name 'queue', which is no number");
}

TEST(QueryJudge, KnowsTheAgeOfTheNewestRow) {
  const StandingClock clock;
  const auto at = std::chrono::duration_cast<std::chrono::seconds>(clock.now().wall.time_since_epoch()).count();
  const Table times{.columns = {{"at", true}}, .rows = {{std::to_string(at - 90)}, {std::nullopt}, {"12"}}};
  EXPECT_THAT(said(judged(query("newest: at"), times)), ::testing::Contains("newest_age 90"));

  const Table text{.columns = {{"at", false}}, .rows = {{"2024-10-04 00:00:00"}}};  // the clock's own midnight
  EXPECT_THAT(said(judged(query("newest: at"), text)), ::testing::Contains("newest_age 0"));
  EXPECT_THAT(said(judged(query("newest: at\ntimezone: Asia/Tokyo"), text)), ::testing::Contains("newest_age 32400"));

  const Table labelled{.columns = {{"queue", false}, {"at", true}},
                       .rows = {{"a", std::to_string(at - 5)}, {"b", std::to_string(at - 7)}}};
  const auto seen = judged(query("newest: at\nrow_labels: queue"), labelled);
  EXPECT_THAT(said(seen), ::testing::Contains("newest_age{queue=a} 5"));
  EXPECT_THAT(said(seen), ::testing::Contains("newest_age{queue=b} 7"));
}

TEST(QueryJudge, NoTimeAtAllIsTheOldestOfAll) {
  const Table empty{.columns = {{"at", false}}, .rows = {}};
  const Table null{.columns = {{"at", false}}, .rows = {{std::nullopt}}};
  for (const Table& table : {empty, null}) {
    const auto seen = judged(query("newest: at"), table);
    EXPECT_EQ(seen.outcome, Outcome::wrong);
    EXPECT_EQ(seen.reason, "no_newest");
    EXPECT_EQ(seen.summary, "no row has a time in 'at'");
  }
  const Table one{.columns = {{"queue", false}, {"at", true}}, .rows = {{"a", "5"}, {"b", std::nullopt}}};
  EXPECT_EQ(judged(query("newest: at\nrow_labels: queue"), one).summary, "no row has a time in 'at' for queue=b");
  const Table bad{.columns = {{"at", false}}, .rows = {{"yesterday"}}};
  EXPECT_EQ(judged(query("newest: at"), bad).reason, "not_a_time");
}

TEST(QueryJudge, RemembersWhatTheAnswerWas) {
  using namespace std::chrono_literals;
  const auto labelled = query("row_labels: queue");
  const auto first = judged(labelled, jobs());
  ASSERT_TRUE(first.memory);
  const auto same = judged(labelled, jobs(), *first.memory, 60s);
  EXPECT_THAT(said(same), ::testing::IsSupersetOf({"changed 0", "unchanged 60"}));
  Table other = jobs();
  other.rows[1][2] = "";  // not the same as NULL
  const auto changed = judged(labelled, other, *same.memory, 90s);
  EXPECT_THAT(said(changed), ::testing::IsSupersetOf({"changed 1", "unchanged 0"}));
  EXPECT_THAT(said(judged(labelled, other, *changed.memory, 95s)), ::testing::Contains("unchanged 5"));
  EXPECT_THAT(said(judged(labelled, other, *changed.memory, 1s)),
              ::testing::Contains("unchanged 0"));  // clock set back
  EXPECT_THAT(said(judged(labelled, jobs(), "nonsense")), ::testing::Contains("changed 0"));
}

TEST(QueryJudge, ForeignTextIsTamedAndACutAnswerIsSaid) {
  Table table{.columns = {{"queue", false}, {"a\nb", true}}, .rows = {{"x\ny", "nan"}, {std::string(500, 'q'), "1e3"}}};
  table.cut = true;
  const auto seen = judged(query("row_labels: queue"), table);
  EXPECT_THAT(said(seen), ::testing::Contains(HasSubstr("} 1000")));
  for (const Sample& sample : seen.samples) {
    EXPECT_EQ(sample.name.find('\n'), std::string::npos);
    for (const auto& label : sample.labels) EXPECT_LE(label.second.size(), 131u);
  }
  EXPECT_EQ(seen.summary, "2 rows and more");
  EXPECT_THAT(seen.evidence.back().text, HasSubstr("max_rows"));
}

}  // namespace
}  // namespace vitald::probes::sql
