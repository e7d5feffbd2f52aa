// What the scenarios cannot show: records, ids, the rhythm of writing, hostile and damaged input.
#include "alerting/engine.hpp"

#include <gtest/gtest.h>

#include <set>

#include "rehearsal/memory_store.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;

Now at(Duration time) { return {Steady(1000h + time), Wall(480'000h + time)}; }

CheckRules check(std::string name, std::string sample = "load", SampleKind kind = SampleKind::gauge) {
  CheckRules rules;
  rules.name = std::move(name);
  rules.probe = "test";
  rules.confirm = {1, {5s}};
  rules.recover = {1};
  rules.hold = 15min;
  Limit limit;
  limit.sample = std::move(sample);
  limit.kind = kind;
  limit.critical = Threshold{10};
  if (kind == SampleKind::counter) limit.critical->per = 1h;
  rules.limits = {limit};
  return rules;
}

std::shared_ptr<Rules> rules_of(std::vector<CheckRules> checks) {
  auto rules = std::make_shared<Rules>();
  rules->instance = "web-1";
  rules->receivers = {"slack"};
  for (auto& escalation : rules->escalations) escalation.steps.push_back({{}, false, {"slack"}});
  rules->checks = std::move(checks);
  return rules;
}

Observed seen(std::string name, std::vector<Sample> samples, Duration time) {
  Observed event;
  event.check = std::move(name);
  event.observation.summary = "fine";
  event.observation.samples = std::move(samples);
  event.started = at(time);
  return event;
}

Observed failed(std::string name, Outcome outcome, std::string summary, Duration time) {
  Observed event = seen(std::move(name), {}, time);
  event.observation.outcome = outcome;
  event.observation.summary = std::move(summary);
  return event;
}

Engine engine_of(std::shared_ptr<const Rules> rules, Snapshot snapshot = {}, Duration time = 0s) {
  return Engine(std::move(rules), std::move(snapshot), at(time), {1, 2, 3, 4});
}

TEST(engine, writes_nothing_while_nothing_changes) {
  Engine engine = engine_of(rules_of({check("web")}));
  EXPECT_TRUE(engine.step(at(0s), seen("web", {{"load", 1}}, 0s)).nothing_to_store());
  EXPECT_EQ(engine.step(at(50s), Elapsed{}).checks.size(), 1u) << "that it was seen once is worth a record";
  for (int run = 2; run < 100; ++run) {
    const Effects effects = engine.step(at(run * 30s), seen("web", {{"load", 1}}, run * 30s));
    EXPECT_TRUE(effects.nothing_to_store());
    EXPECT_FALSE(effects.wake_at);
    EXPECT_TRUE(effects.requests.empty());
  }
}

TEST(engine, quiet_memory_is_written_within_a_minute_and_in_bites) {
  std::vector<CheckRules> checks;
  for (int index = 0; index < 1000; ++index)
    checks.push_back(check("c" + std::to_string(index), "n", SampleKind::counter));
  Engine engine = engine_of(rules_of(checks));
  Effects effects;
  for (int index = 0; index < 1000; ++index) {
    effects = engine.step(at(1s), seen("c" + std::to_string(index), {{"n", 5}}, 1s));
    ASSERT_TRUE(effects.nothing_to_store());
  }
  std::set<std::string> written;
  for (int step = 0; step < 5; ++step) {
    ASSERT_TRUE(effects.wake_at);
    ASSERT_LE(*effects.wake_at, at(61s).steady);
    effects = engine.step(at(51s), Elapsed{});
    EXPECT_EQ(effects.checks.size(), 200u) << "a bounded number in one transaction";
    for (const CheckRecord& record : effects.checks) written.insert(record.name);
  }
  EXPECT_EQ(written.size(), 1000u);
  EXPECT_FALSE(effects.wake_at);
}

TEST(engine, stopping_writes_everything_that_waits) {
  std::vector<CheckRules> checks;
  for (int index = 0; index < 300; ++index)
    checks.push_back(check("c" + std::to_string(index), "n", SampleKind::counter));
  Engine engine = engine_of(rules_of(checks));
  for (int index = 0; index < 300; ++index) engine.step(at(1s), seen("c" + std::to_string(index), {{"n", 5}}, 1s));
  EXPECT_EQ(engine.step(at(2s), Stopping{}).checks.size(), 300u);
}

TEST(engine, problem_record_and_message_are_one_transaction) {
  Engine engine = engine_of(rules_of({check("web")}));
  const Effects effects = engine.step(at(0s), failed("web", Outcome::refused, "connection refused", 0s));
  ASSERT_EQ(effects.outbox.size(), 1u);
  ASSERT_EQ(effects.incidents.size(), 1u);
  ASSERT_EQ(effects.checks.size(), 1u);
  const Notification& message = effects.outbox[0];
  EXPECT_EQ(message.id.incident, effects.incidents[0].id);
  EXPECT_EQ(message.id.sequence, 1u);
  EXPECT_EQ(message.instance, "web-1");
  EXPECT_EQ(effects.incidents[0].subject, "check:web");
  EXPECT_TRUE(effects.incidents[0].told.contains("slack"));
  EXPECT_EQ(engine.open_count(Severity::p2), 1u);
  EXPECT_EQ(engine.view("web")->incident, message.id.incident);
}

TEST(engine, ids_are_random_and_found_by_prefix) {
  std::vector<CheckRules> checks;
  for (int index = 0; index < 500; ++index) checks.push_back(check("c" + std::to_string(index)));
  Engine engine = engine_of(rules_of(checks));
  std::set<IncidentId> ids;
  for (int index = 0; index < 500; ++index) {
    engine.step(at(0s), failed("c" + std::to_string(index), Outcome::refused, "down", 0s));
    ids.insert(engine.view("c" + std::to_string(index))->incident);
  }
  EXPECT_EQ(ids.size(), 500u);
  const IncidentId id = *ids.begin();
  EXPECT_EQ(id.size(), 20u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos);
  ASSERT_TRUE(engine.find_incident(id.substr(0, 12)));
  EXPECT_EQ(*engine.find_incident(id.substr(0, 12)), id);
  EXPECT_FALSE(engine.find_incident(id.substr(0, 3))) << "three characters are too few";
  EXPECT_FALSE(engine.find_incident("uuuuuuuu")) << "u is in no id";
  EXPECT_FALSE(engine.find_incident(""));

  Engine other(rules_of(checks), {}, at(0s), {5, 6, 7, 8});
  other.step(at(0s), failed("c0", Outcome::refused, "down", 0s));
  EXPECT_FALSE(ids.contains(other.view("c0")->incident)) << "another start must mint other ids";
}

TEST(engine, equal_history_gives_equal_effects) {
  const auto run = [] {
    Engine engine = engine_of(rules_of({check("web"), check("db")}));
    std::string text;
    for (int step = 0; step < 200; ++step) {
      const bool bad = step % 7 > 3;
      const Effects effects =
          engine.step(at(step * 10s),
                      failed(step % 2 == 0 ? "web" : "db", bad ? Outcome::wrong : Outcome::answered, "x", step * 10s));
      for (const auto& record : effects.checks) text += record.name + record.state;
      for (const auto& record : effects.incidents) text += to_json(record);
      for (const auto& message : effects.outbox) text += to_json(message);
    }
    return text;
  };
  const std::string first = run();
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, run());
}

TEST(engine, handles_are_kept_until_the_last_message_is_settled) {
  rehearsal::MemoryStore store;
  auto rules = rules_of({check("web")});
  Engine engine = engine_of(rules);
  Effects problem = engine.step(at(0s), failed("web", Outcome::refused, "down", 0s));
  store.commit(problem);
  const NotificationId first = problem.outbox[0].id;
  store.commit(engine.step(at(1s), Delivered{first, true, "", "channel/17"}));
  EXPECT_EQ(engine.handle(first.incident, "slack"), "channel/17");
  Effects recovery = engine.step(at(2s), seen("web", {}, 2s));
  store.commit(recovery);
  EXPECT_EQ(engine.open_incidents().size(), 0u);
  EXPECT_EQ(engine.handle(first.incident, "slack"), "channel/17") << "the recovery needs it to thread";

  Engine next = engine_of(rules, store.load(), 3s);
  EXPECT_EQ(next.handle(first.incident, "slack"), "channel/17") << "also after a restart";
  EXPECT_EQ(next.open_incidents().size(), 0u);
  store.commit(next.step(at(4s), Delivered{recovery.outbox[0].id, true, "", ""}));
  EXPECT_EQ(next.handle(first.incident, "slack"), "");
  EXPECT_EQ(store.outbox_size(), 0u);
  EXPECT_TRUE(store.incidents().at(first.incident).closed);
  EXPECT_EQ(store.incidents().at(first.incident).told.at("slack").handle, "channel/17");
}

TEST(engine, settles_rows_of_incidents_that_it_does_not_know) {
  Engine engine = engine_of(rules_of({}));
  const NotificationId lost{"00000000000000000000", 3, "slack"};
  const Effects effects = engine.step(at(0s), Delivered{lost, true, "", ""});
  ASSERT_EQ(effects.settled.size(), 1u);
  EXPECT_EQ(effects.settled[0], lost);
}

TEST(engine, damaged_records_count_as_none) {
  auto rules = rules_of({check("web"), check("db"), check("mail")});
  Snapshot snapshot;
  snapshot.checks = {
      {"web", "{not json", false},
      {"db", R"({"confirm":{"level":7,"bad":"x"},"rows":[1,{"critical":{"buckets":[["a"]]}}],"settled":[]})", false},
      {"mail",
       R"({"at":-9223372036854775808,"settled":"critical","confirm":{"level":"critical","due":9223372036854775807}})",
       false}};
  snapshot.incidents.push_back({.id = "short",
                                .subject = "check:web",
                                .check = "web",
                                .severity = Severity::p0,
                                .status = Status::critical,
                                .summary = "down",
                                .opened = Wall::min(),
                                .closed = {},
                                .told = {},
                                .state = "]["});
  Engine engine = engine_of(rules, snapshot);
  engine.step(at(1s), Elapsed{});
  EXPECT_EQ(engine.view("web")->settled, Status::critical) << "the incident is known, so the check is bad";
  EXPECT_EQ(engine.view("db")->settled, Status::ok);
  EXPECT_EQ(engine.view("mail")->settled, Status::ok) << "bad without an incident is confirmed anew";
  engine.step(at(2s), seen("web", {}, 2s));
  EXPECT_TRUE(engine.open_incidents().empty()) << "and a good run ends it";
}

TEST(engine, records_stay_within_64_kib) {
  CheckRules rules = check("big", "n", SampleKind::counter);
  rules.limits[0].critical = Threshold{.value = 1e9, .per = 24h};
  Engine engine = engine_of(rules_of({rules}));
  Observed event;
  std::size_t largest = 0;
  for (int run = 0; run < 70; ++run) {
    event = seen("big", {}, run * 25min);
    for (int row = 0; row < 60; ++row) {
      event.observation.samples.push_back({"n", run * 1.0, {}, {{"queue", "some-queue-" + std::to_string(row)}}});
    }
    event.observation.memory = std::string(30 * 1024, 'm');
    for (const CheckRecord& record : engine.step(at(run * 25min), event).checks)
      largest = std::max(largest, record.state.size());
  }
  EXPECT_LE(largest, 64u * 1024);
  EXPECT_GT(largest, 40u * 1024);
}

TEST(engine, what_somebody_told_is_written_with_its_step) {
  Engine engine = engine_of(rules_of({check("backup")}));
  Observed event = seen("backup", {}, 0s);
  event.observation.memory = "pinged";
  EXPECT_TRUE(engine.step(at(0s), event).checks.empty()) << "a run's memory waits for up to a minute";
  event.told = true;
  Effects effects = engine.step(at(1s), event);
  ASSERT_EQ(effects.checks.size(), 1u) << "even where the memory is the one that waits";
  EXPECT_NE(effects.checks[0].state.find("pinged"), std::string::npos);
  event.observation.memory = "pinged again";
  effects = engine.step(at(2s), event);
  ASSERT_EQ(effects.checks.size(), 1u);
  EXPECT_NE(effects.checks[0].state.find("pinged again"), std::string::npos);
}

TEST(engine, probe_memory_survives_whatever_its_bytes) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  rehearsal::MemoryStore store;
  auto rules = rules_of({check("log")});
  Engine engine = engine_of(rules);
  Observed event = seen("log", {}, 0s);
  event.observation.memory = bytes;
  store.commit(engine.step(at(0s), event));
  EXPECT_EQ(engine.probe_memory("log"), bytes);
  event.observation.memory = std::string(70 * 1024, 'x');
  store.commit(engine.step(at(1s), event));
  EXPECT_EQ(engine.probe_memory("log"), bytes) << "too large a memory leaves the one before";
  store.commit(engine.step(at(2s), Stopping{}));
  EXPECT_EQ(engine_of(rules, store.load(), 3s).probe_memory("log"), bytes);
}

TEST(engine, foreign_text_is_bounded) {
  Engine engine = engine_of(rules_of({check("web")}));
  Observed event = failed("web", Outcome::wrong, std::string(100'000, 's'), 0s);
  event.observation.remedy = std::string(100'000, 'r');
  for (int piece = 0; piece < 100; ++piece)
    event.observation.evidence.push_back({"line", "\xF0\x9F\x94\xA5" + std::string(5000, 'e')});
  const Effects effects = engine.step(at(0s), event);
  ASSERT_EQ(effects.outbox.size(), 1u);
  EXPECT_LT(to_json(effects.outbox[0]).size(), 24'000u);
  EXPECT_LT(effects.incidents[0].state.size(), 34'000u) << "the message, and the first bad observation as proof";
}

TEST(engine, an_incident_record_is_the_same_after_a_round_trip) {
  Engine engine = engine_of(rules_of({check("web")}));
  const Effects effects = engine.step(at(0s), failed("web", Outcome::wrong, "a \"quoted\" \xFF thing", 0s));
  const std::string text = to_json(effects.incidents.at(0));
  const Result<IncidentRecord> back = incident_from_json(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(*back), text);
  EXPECT_FALSE(incident_from_json("[]"));
  EXPECT_FALSE(incident_from_json("{}"));
}

TEST(engine, a_hold_that_ends_during_a_run_opens_nothing) {
  Engine engine = engine_of(rules_of({check("jobs", "failed_jobs", SampleKind::event)}));
  EXPECT_EQ(engine.step(at(0s), seen("jobs", {{"failed_jobs", 12}}, 0s)).outbox.size(), 1u);
  EXPECT_EQ(engine.step(at(15min), Elapsed{}).outbox.size(), 1u) << "the recovery";
  const Observed late = seen("jobs", {{"failed_jobs", 0}}, 15min - 1s);
  EXPECT_TRUE(engine.step(at(15min + 1s), late).outbox.empty());
  EXPECT_EQ(engine.view("jobs")->settled, Status::ok);
}

TEST(engine, an_event_counts_however_long_its_run_took) {
  Engine engine = engine_of(rules_of({check("jobs", "failed_jobs", SampleKind::event)}));
  EXPECT_EQ(engine.step(at(20min), seen("jobs", {{"failed_jobs", 12}}, 0s)).outbox.size(), 1u);
  EXPECT_EQ(engine.view("jobs")->settled, Status::critical);
}

TEST(engine, unknown_checks_and_early_wakes_do_no_harm) {
  Engine engine = engine_of(rules_of({check("web")}));
  EXPECT_TRUE(engine.step(at(0s), seen("nobody", {}, 0s)).nothing_to_store());
  EXPECT_TRUE(engine.step(at(0s), Elapsed{}).nothing_to_store());
  EXPECT_TRUE(engine.step(at(0s), Acknowledged{"abcd", "ali"}).nothing_to_store());
  EXPECT_TRUE(engine.step(at(0s), SelfRecovered{"store", "fine"}).nothing_to_store());
  EXPECT_FALSE(engine.view("nobody"));
  EXPECT_EQ(engine.probe_memory("nobody"), "");
}

TEST(engine, closed_incidents_wait_for_deliveries_in_bounded_number) {
  Engine engine = engine_of(rules_of({check("web")}));
  Duration time = 0s;
  std::optional<NotificationId> first;
  for (int round = 0; round < 1200; ++round) {
    const Effects effects = engine.step(at(time), failed("web", Outcome::refused, "down", time));
    if (!first) first = effects.outbox.at(0).id;
    engine.step(at(time + 1s), seen("web", {}, time + 1s));
    time += 24h;  // a check that comes and goes would be held open
  }
  const Effects effects = engine.step(at(time), Delivered{*first, true, "", ""});
  EXPECT_TRUE(effects.incidents.empty()) << "it is forgotten";
  EXPECT_EQ(effects.settled.size(), 1u) << "but its row goes all the same";
}

}  // namespace
}  // namespace vitald::alerting
