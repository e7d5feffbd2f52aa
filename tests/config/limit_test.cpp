#include "config/limit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/document.hpp"
#include "config/kinds.hpp"
#include "config/limit_grammar.hpp"

namespace vitald::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr SampleSpec samples[] = {
    {"duration", SampleKind::gauge, Unit::seconds, "How long", false, false},
    {"used", SampleKind::gauge, Unit::ratio, "Share", false, false},
    {"available", SampleKind::gauge, Unit::bytes, "Memory", true, true},
    {"connections", SampleKind::gauge, Unit::none, "Connections", true, false},
    {"load", SampleKind::gauge, Unit::none, "Load", false, false},
    {"restarts", SampleKind::counter, Unit::none, "Restarts", false, false},
    {"requests", SampleKind::counter, Unit::none, "Requests", false, false},
    {"errors", SampleKind::counter, Unit::none, "Errors", false, false},
    {"failed_jobs", SampleKind::event, Unit::none, "Failed jobs", false, false},
};

struct Read {
  std::vector<Limit> limits;
  std::string said;
};

Read read(const std::string& text, bool free_names = false) {
  Problems problems;
  const Node node = parse_text(text, "t.yaml", problems);
  auto limits = Limits{samples, free_names}.read(node, problems);
  std::string said = render_problems(problems);
  if (!limits && said.empty()) said = limits.failure().what;
  return {limits ? *limits : std::vector<Limit>{}, said};
}

Limit one(const std::string& text) {
  const auto [limits, said] = read(text);
  EXPECT_EQ(said, "") << text;
  return limits.empty() ? Limit{} : limits.front();
}

TEST(Limit, every_form_of_the_grammar) {
  const Limit used = one("used: { warning: 80%, critical: 90%, clear: 75% }");
  EXPECT_EQ(used.warning, (Threshold{0.8, false, {}}));
  EXPECT_EQ(used.critical, (Threshold{0.9, false, {}}));
  EXPECT_EQ(used.clear, (Threshold{0.75, false, {}}));
  EXPECT_EQ(used.unit, Unit::ratio);
  EXPECT_FALSE(used.below);

  const Limit load = one("load: { critical: 8, for: 5m }");
  EXPECT_EQ(load.hold_for, 5min);
  EXPECT_FALSE(load.warning);

  const Limit duration = one("duration: { warning: 200ms, of: 3 of 5 }");
  EXPECT_DOUBLE_EQ(duration.warning->value, 0.2);
  EXPECT_EQ(duration.of_bad, 3);
  EXPECT_EQ(duration.of_runs, 5);

  const Limit restarts = one("restarts: { warning: 3 per 1h, critical: 10 per 1h }");
  EXPECT_EQ(restarts.critical, (Threshold{10, false, 1h}));
  EXPECT_EQ(restarts.kind, SampleKind::counter);
  EXPECT_EQ(one("restarts: { warning: 5, over: 10m }").over, Duration(10min));

  const Limit available = one("available: { critical: 200MiB }");
  EXPECT_TRUE(available.below) << "low memory is the bad end";
  EXPECT_FALSE(one("available: { below: false, critical: 200MiB }").below);
  EXPECT_EQ(one("available: { warning: 10% }").warning, (Threshold{0.1, true, {}}));
  EXPECT_EQ(one("connections: { critical: 95% }").critical, (Threshold{0.95, true, {}}));
  EXPECT_EQ(one("connections: { critical: 100 }").critical, (Threshold{100, false, {}}));
  EXPECT_EQ(one("failed_jobs: { warning: 1 }").kind, SampleKind::event);
  EXPECT_EQ(one("load: { warning: 2 per 10m }").warning->per, Duration(10min)) << "growth of a level";
  EXPECT_EQ(one("load: { below: true, critical: -5 }").critical->value, -5);
  EXPECT_EQ(one("connections: { warning: 80%, critical: 100 }").critical->value, 100);
}

TEST(Limit, mistakes) {
  const std::pair<const char*, const char*> table[] = {
      {"usde: { warning: 80% }", "t.yaml:1:1: error: unknown sample 'usde'; did you mean 'used'?"},
      {"banana: { warning: 80% }", "unknown sample 'banana'; possible are: duration, used"},
      {"used: 80%", "limit used: expected a mapping, found text"},
      {"used: {}", "t.yaml:1:7: error: a limit needs 'warning', 'critical' or both"},
      {"used: { clear: 10% }", "a limit needs 'warning', 'critical' or both"},
      {"used: { waring: 80% }", "did you mean 'warning'?"},
      {"used: { warning: 80 }", "t.yaml:1:18: error: 'warning': expected a percentage such as 85%, found '80'"},
      {"duration: { warning: 200 }", "expected a duration such as 200ms, found '200'"},
      {"duration: { warning: 85% }", "expected a duration such as 200ms, found '85%'"},
      {"load: { warning: 85% }", "expected a number such as 500, found '85%'"},
      {"available: { warning: 200 }", "expected a size such as 10GiB, or a percentage such as 85%, found '200'"},
      {"used: { warning: 95%, critical: 90% }",
       "'warning' (95%) lies above 'critical' (90%), so it would never be seen; if low values are the bad ones, write "
       "'below: true'"},
      {"available: { warning: 100MiB, critical: 200MiB }", "'warning' (100MiB) lies below 'critical' (200MiB)"},
      {"used: { warning: 80%, clear: 85% }", "'clear' (85%) has to lie below 80%, where it begins to be bad"},
      {"available: { critical: 200MiB, clear: 100MiB }", "'clear' (100MiB) has to lie above 200MiB"},
      {"restarts: { warning: 3 }", "'restarts' only ever counts up, so a limit needs a window: write '3 per 1h'"},
      {"restarts: { warning: 3 per 1h, critical: 5 }", "have a window ('3 per 1h'), or none"},
      {"restarts: { warning: 3 per 1h, over: 1h }", "the window stands twice"},
      {"restarts: { warning: 3 per soon }", "expected a window such as in '3 per 1h'"},
      {"restarts: { warning: 3 per 0s }", "expected a window such as in '3 per 1h'"},
      {"restarts: { warning: 3 per 90d }", "of at most 31d"},
      {"connections: { warning: 80% per 1h }", "a percentage of the maximum cannot be counted per window"},
      {"connections: { warning: 80%, over: 1h }", "a percentage of the maximum cannot be counted over a window"},
      {"failed_jobs: { warning: 1, for: 5m }", "'for' needs a window"},
      {"failed_jobs: { warning: 1, below: true }", "'below' needs a window"},
      {"failed_jobs: { warning: 2, clear: 1 }", "'clear' needs a window"},
      {"load: { warning: 2, for: 5m, of: 3 of 5 }", "'for' and 'of' cannot stand together"},
      {"load: { warning: 2, of: 5 of 3 }", "expected a share of runs such as '3 of 5'"},
      {"load: { warning: 2, of: 0 of 3 }", "expected a share of runs"},
      {"load: { warning: 2, of: 3 }", "expected a share of runs"},
      {"load: { warning: 2, of: 3 of 500 }", "expected a share of runs"},
      {"used: { warning: 0% }", "every value reaches 0%"},
      {"failed_jobs: { warning: 0 }", "every value reaches 0"},
      {"load: { warning: [ 2 ] }", "expected a number such as 500, found a list"},
      {"errors / requests: { warning: 1% }", "only ever count up, so their share needs a window: 'over: 10m'"},
      {"errors / requests: { warning: 1% per 5m }", "the window is written once, as 'over: 10m'"},
      {"errors / requets: { warning: 1%, over: 5m }",
       "t.yaml:1:1: error: 'errors / requets' names the unknown sample 'requets'; did you mean 'requests'?"},
      {"errors / errors: { warning: 1%, over: 5m }", "is always 100%"},
      {"errors / load: { warning: 1%, over: 5m }", "both have to be of one sort"},
      {"load / connections: { warning: 1%, over: 5m }", "'over' is for what counts up; 'load' is a level"},
      {"errors / requests: { warning: 200ms, over: 5m }", "expected a percentage such as 85%, found '200ms'"},
      {"errors / requests: { warning: 1%, over: 5m, at_least: 0 }", "at_least"},
      {"errors / requests: { missing: critical, over: 5m }", "unknown key 'missing'"},
      {"used reaches 95: { warning: 24h }", "'used reaches 95' has no right target: expected a percentage"},
      {"used reaches 95%: { warning: 80% }", "expected a duration such as 200ms, found '80%'"},
      {"used reaches 95%: { warning: 1h, critical: 4h }", "'warning' (1h) lies below 'critical' (4h)"},
      {"usde reaches 95%: { warning: 1h }", "names the unknown sample 'usde'; did you mean 'used'?"},
      {"restarts reaches 95: { warning: 1h }", "asks when something that counts up is there"},
      {"load: { missing: maybe }", "expected warning or critical, found 'maybe'"},
      {"failed_jobs: { missing: critical }", "counts happenings: without one there is nothing to miss"},
      {"load: { missing: critical, clear: 3 }", "'clear' needs 'warning' or 'critical'"},
      {"[ load ]", "expected a mapping such as { duration: { warning: 200ms } }, found a list"},
  };
  for (const auto& [text, said] : table) EXPECT_THAT(read(text).said, HasSubstr(said)) << text;
}

TEST(Limit, columns_of_a_query_need_no_table) {
  const auto [limits, said] = read("pending: { warning: 500 }", true);
  EXPECT_EQ(said, "");
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].sample, "pending");
  EXPECT_EQ(limits[0].unit, Unit::none);
}

TEST(Limit, shares_of_what_counts_up) {
  const Limit limit = one("errors / requests: { warning: 1%, critical: 5%, over: 10m, at_least: 100 }");
  EXPECT_EQ(limit.sample, "errors / requests");
  EXPECT_EQ(limit.critical->value, 0.05);
  EXPECT_EQ(limit.unit, Unit::ratio);
  EXPECT_FALSE(limit.over) << "the figure is a level; the window is what it is made of";
  const Derived wanted{.how = Derived::How::ratio,
                       .of = "errors",
                       .whole = "requests",
                       .of_kind = SampleKind::counter,
                       .whole_kind = SampleKind::counter,
                       .at_least = 100,
                       .over = 10min};
  EXPECT_EQ(limit.derived, wanted);
  EXPECT_EQ(one("load / connections: { below: true, critical: 50% }").derived->over, Duration::zero());
  EXPECT_EQ(one("failed_jobs / requests: { warning: 1%, over: 1h }").derived->of_kind, SampleKind::event);
  const auto [columns, said] = read("failed / done: { warning: 5% }", true);
  EXPECT_EQ(said, "");
  EXPECT_EQ(columns.at(0).derived->whole, "done");
}

TEST(Limit, when_a_level_will_be_somewhere) {
  const Limit used = one("used reaches 95%: { warning: 24h, critical: 4h, clear: 30h }");
  EXPECT_EQ(used.warning->value, 86400);
  EXPECT_TRUE(used.below);
  EXPECT_EQ(used.derived->target, (Threshold{0.95, false, {}}));
  EXPECT_EQ(used.derived->over, Duration(4h));
  EXPECT_FALSE(used.derived->falling);
  const Limit available = one("available reaches 1GiB: { critical: 1h, over: 30m }");
  EXPECT_TRUE(available.derived->falling) << "low values are the bad ones";
  EXPECT_EQ(available.derived->target.value, 1024.0 * 1024 * 1024);
  EXPECT_EQ(available.derived->over, Duration(30min));
  EXPECT_TRUE(one("connections reaches 90%: { critical: 1h }").derived->target.of_maximum);
  EXPECT_TRUE(one("load reaches 0.5: { critical: 1h, falling: true }").derived->falling);
}

TEST(Limit, what_an_answer_without_the_sample_is) {
  EXPECT_EQ(one("load: { warning: 5, missing: warning }").missing, Status::warning);
  EXPECT_EQ(one("load: { missing: critical }").missing, Status::critical);
  EXPECT_FALSE(one("load: { critical: 5 }").missing);
}

TEST(Limit, is_shown_as_it_is_written) {
  const std::string text = "{ warning: 7%, critical: 90%, clear: 5%, for: 5m }";
  EXPECT_EQ(show_limit(one("used: " + text)), text);
  EXPECT_EQ(show_limit(one("available: { critical: 200MiB }")), "{ below: true, critical: 200MiB }");
  EXPECT_EQ(show_limit(one("restarts: { warning: 3 per 1h, of: 2 of 3 }")), "{ warning: 3 per 1h, of: 2 of 3 }");
  for (const std::string each :
       {"errors / requests: { warning: 1%, critical: 5%, over: 10m, at_least: 100 }",
        "used reaches 95%: { warning: 1d, over: 4h }", "load reaches 5: { critical: 1h, over: 30m, falling: true }",
        "load: { critical: 8, missing: critical }"}) {
    EXPECT_EQ(Limits{}.show({one(each)}), "{ " + each + " }");
  }
}

TEST(Limit, has_a_schema) {
  const auto schema = nlohmann::json::parse(Limits{samples, false}.schema());
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_TRUE(schema["properties"]["used"]["properties"].contains("critical"));
  EXPECT_EQ(schema["properties"]["available"]["properties"]["below"]["default"], true);
  EXPECT_TRUE(schema["patternProperties"][" / "]["properties"].contains("at_least"));
  EXPECT_TRUE(schema["patternProperties"][" reaches "]["properties"].contains("falling"));
}

}  // namespace
}  // namespace vitald::config
