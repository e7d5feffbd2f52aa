#include "daemon/exposition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <sstream>

#include "daemon/series_text.hpp"
#include "tests/support/fake_operations.hpp"
#include "tests/support/promtool.hpp"

namespace vitald::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string exposition(const Board& board, std::size_t slice = 32 * 1024) {
  SeriesWriter writer(board.rows());
  std::string all;
  bool more = true;
  while (more) more = writer.next(all, slice);
  return all;
}

std::string exposition(std::vector<BoardRow> rows, std::size_t slice = 32 * 1024) {
  Board board;
  for (BoardRow& one : rows) board.put(std::make_shared<const BoardRow>(std::move(one)));
  return exposition(board, slice);
}

BoardRow disk(std::string name) {
  BoardRow made = row(std::move(name));
  made.kind = &disk_kind;
  made.labels = {{"team", "web"}};
  made.observation.phases = {{"connect", std::chrono::microseconds(1500)}, {"rest", std::chrono::milliseconds(2)}};
  made.observation.samples = {{.name = "duration", .value = 0.038},
                              {.name = "used", .value = 0.8125, .labels = {{"mount", "/"}}},
                              {.name = "used", .value = 0.5, .labels = {{"mount", "/srv"}}},
                              {.name = "free", .value = 1073741824},
                              {.name = "resets", .value = 3},
                              {.name = "errors", .value = 2},
                              {.name = "column_a", .value = 17}};
  return made;
}

TEST(Exposition, WritesEveryPerCheckSeries) {
  const std::string text = exposition({disk("root")});
  const std::string labels = "{check=\"root\",probe=\"disk\",team=\"web\"";
  for (const std::string& line :
       {"vitald_check_status" + labels + "} 0\n", "vitald_check_up" + labels + "} 1\n",
        "vitald_check_last_duration_seconds" + labels + "} 0.038\n",
        "vitald_check_phase_seconds" + labels + ",phase=\"connect\"} 0.0015\n",
        "vitald_check_phase_seconds" + labels + ",phase=\"rest\"} 0.002\n",
        "vitald_check_last_run_timestamp_seconds" + labels + "} 1795262390\n",
        "vitald_check_runs_total" + labels + "} 7\n", "vitald_check_missed_slots_total" + labels + "} 0\n",
        "vitald_disk_used_ratio" + labels + ",mount=\"/\"} 0.8125\n",
        "vitald_disk_used_ratio" + labels + ",mount=\"/srv\"} 0.5\n",
        "vitald_disk_free_bytes" + labels + "} 1073741824\n", "vitald_disk_resets_total" + labels + "} 3\n",
        "vitald_disk_errors_total" + labels + "} 2\n", "vitald_query_value" + labels + ",column=\"column_a\"} 17\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(
      text,
      HasSubstr("# HELP vitald_disk_resets_total Resets \\\\ so far.\n# TYPE vitald_disk_resets_total counter\n"));
  EXPECT_THAT(text, Not(HasSubstr("vitald_disk_duration")));
  EXPECT_THAT(text, Not(HasSubstr("series_dropped")));
}

TEST(Exposition, LeavesUpOutWhileUnknownAndTimesBeforeTheFirstRun) {
  BoardRow fresh = row("fresh", Status::unknown);
  fresh.runs = 0;
  const std::string text = exposition({row("blind", Status::unknown), row("down", Status::critical), fresh});
  EXPECT_THAT(text, HasSubstr("vitald_check_status{check=\"blind\",probe=\"http\"} 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("vitald_check_up{check=\"blind\"")));
  EXPECT_THAT(text, HasSubstr("vitald_check_up{check=\"down\",probe=\"http\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("vitald_check_status{check=\"fresh\",probe=\"http\"} 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("vitald_check_last_run_timestamp_seconds{check=\"fresh\"")));
}

TEST(Exposition, IsTheSameInSlicesOfAnySize) {
  std::vector<BoardRow> rows;
  for (int i = 0; i < 40; ++i)
    rows.push_back(i % 3 == 0 ? row("http-" + std::to_string(i)) : disk("disk-" + std::to_string(i)));
  const std::string whole = exposition(rows, 1 << 20);
  EXPECT_EQ(exposition(rows, 1), whole);
  EXPECT_EQ(exposition(rows, 700), whole);
  EXPECT_TRUE(whole.ends_with("\n"));
}

TEST(Exposition, ShowsTheMomentOfItsBeginning) {
  Board board;
  board.put(std::make_shared<const BoardRow>(row("a")));
  SeriesWriter writer(board.rows());
  board.put(std::make_shared<const BoardRow>(row("a", Status::critical)));
  board.arrange({});
  std::string text;
  while (writer.next(text)) {
  }
  EXPECT_THAT(text, HasSubstr("vitald_check_status{check=\"a\",probe=\"http\"} 0\n"));
}

TEST(Exposition, KeepsFamiliesTogether) {
  std::istringstream lines(exposition({disk("a"), row("b"), disk("c")}));
  std::set<std::string> seen;
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::string metric = line.substr(0, line.find('{'));
    if (metric != last) {
      EXPECT_TRUE(seen.insert(metric).second) << metric << " stands in two places";
    }
    last = metric;
  }
}

TEST(Exposition, HoldsACheckToFiftySeries) {
  BoardRow many = disk("queues");
  for (int i = 0; i < 200; ++i)
    many.observation.samples.push_back({.name = "free", .value = 1.0 * i, .labels = {{"queue", std::to_string(i)}}});
  std::istringstream lines(exposition({many}));
  int series = 0;
  for (std::string line; std::getline(lines, line);) series += line.starts_with('#') ? 0 : 1;
  EXPECT_LE(series, 50);
  EXPECT_GE(series, 45);
  // 207 samples, 50 - 7 fixed - 2 phases = 41 of them find room.
  EXPECT_THAT(exposition({many}),
              HasSubstr("vitald_check_series_dropped{check=\"queues\",probe=\"disk\",team=\"web\"} 166\n"));
}

TEST(Exposition, NeverWritesALabelOrASeriesTwice) {
  BoardRow odd = disk("odd");
  odd.labels = {{"check", "x"},  {"mount", "user's"}, {"phase", "user's"},
                {"team", "web"}, {"__reserved", "x"}, {"bad-name", "x"}};
  odd.observation.samples.push_back({.name = "used", .value = 0.9, .labels = {{"mount", "/"}}});
  const std::string text = exposition({odd});
  EXPECT_THAT(
      text,
      HasSubstr(
          "vitald_disk_used_ratio{check=\"odd\",probe=\"disk\",phase=\"user's\",team=\"web\",mount=\"/\"} 0.8125\n"));
  EXPECT_THAT(text, HasSubstr("mount=\"user's\",team=\"web\",phase=\"connect\"} 0.0015\n"));
  EXPECT_THAT(text, Not(HasSubstr("0.9\n")));
  EXPECT_THAT(text, Not(HasSubstr("__reserved")));
  EXPECT_THAT(text, Not(HasSubstr("bad-name")));
}

TEST(Exposition, PleasesPrometheusWhateverTheLabelsHold) {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte += static_cast<char>(c);
  std::vector<BoardRow> rows = {disk("plain"), row("quote \" backslash \\ newline \n end")};
  for (std::size_t at = 0; at < 256; at += 16) {
    BoardRow odd = disk("odd " + std::to_string(at));
    odd.labels = {{"team", every_byte.substr(at, 16)}};
    odd.observation.samples.push_back(
        {.name = "used", .value = 1, .labels = {{"mount", every_byte.substr(at, 16) + "\xC3"}}});
    rows.push_back(odd);
  }
  BoardRow numbers = disk("numbers");
  numbers.observation.samples = {{.name = "free", .value = std::numeric_limits<double>::infinity()},
                                 {.name = "used", .value = std::numeric_limits<double>::quiet_NaN()},
                                 {.name = "resets", .value = 1e300}};
  rows.push_back(numbers);
  const std::string text = exposition(rows);
  EXPECT_THAT(text, HasSubstr("check=\"quote \\\" backslash \\\\ newline end\""));
  const auto verdict = promtool(text);
  if (!verdict) GTEST_SKIP() << "promtool is not installed";
  EXPECT_EQ(verdict->exit, 0) << verdict->says;
}

TEST(Exposition, KnowsWhatPromtoolRefuses) {
  const auto verdict = promtool("# TYPE a counter\na{x=\"1\",x=\"2\"} 1\n");
  if (!verdict) GTEST_SKIP() << "promtool is not installed";
  EXPECT_EQ(verdict->exit, 1) << "the test above would not notice anything";
}

std::string number(double value) {
  std::string text;
  append_number(text, value);
  return text;
}

TEST(SeriesText, WritesNumbersAsPrometheusReadsThem) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(-12), "-12");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(1795262390.123), "1795262390.123");
  EXPECT_EQ(number(9007199254740993.0), "9007199254740992");
  EXPECT_EQ(number(1e300), "1e+300");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(SeriesText, NamesMetricsByTheRules) {
  const auto name = [](std::string_view sample, SampleKind kind, Unit unit) {
    return sample_metric("php-fpm", {.name = sample, .kind = kind, .unit = unit});
  };
  EXPECT_EQ(name("used", SampleKind::gauge, Unit::ratio), "vitald_php_fpm_used_ratio");
  EXPECT_EQ(name("sent_bytes", SampleKind::counter, Unit::bytes), "vitald_php_fpm_sent_bytes_total");
  EXPECT_EQ(name("failed_jobs", SampleKind::event, Unit::none), "vitald_php_fpm_failed_jobs_total");
}

TEST(SeriesText, BoundsLabelValues) {
  std::string text;
  append_label_value(text, std::string(100000, 'x'));
  EXPECT_LT(text.size(), 250u);
}

}  // namespace
}  // namespace vitald::daemon
