#include "daemon/configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/daemon/configuration_fakes.hpp"

namespace vitald::daemon {
namespace {

using namespace std::chrono_literals;
using test::load_text;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Configuration, a_whole_file) {
  const auto [configuration, said] = load_text(R"(
instance: db-7
listen: { http: "[::1]:9000", host_names: [ status.example.com ] }
state: /srv/state
runtime: /srv/run
log: { level: debug, file: /var/log/vitald.log }
unknown_after: 5m
defaults: { every: 1m, timeout: 2s, confirm: fast, recover: { successes: 3 }, severity: P1, labels: { team: web } }
checks:
  api:
    probe: web
    url: http://x
    every: 15s
    severity: P0
    labels: { tier: front, team: core }
    limits: { duration: { warning: 200ms }, restarts: { critical: 3 per 1h } }
    runbook: https://wiki/x
    was: api-old
    hold: 30m
  root: { probe: room, limits: { used: { critical: 95% } } }
receivers:
  ops: { chat: { webhook: { env: HOOK } }, pace: 2s, keep: 1d, retry: { first: 1s, longest: 1m } }
  log: { console: }
escalations:
  P0: [ { notify: [ ops, log ] }, { after: 15m, unless: acknowledged, notify: ops }, { remind: 30m } ]
  P1: [ { notify: log } ]
  P2: [ { notify: log } ]
)");
  EXPECT_EQ(said, "");
  ASSERT_TRUE(configuration);
  EXPECT_EQ(configuration->instance, "db-7");
  EXPECT_EQ(configuration->listen.host, "::1");
  EXPECT_EQ(configuration->listen.port, 9000);
  EXPECT_THAT(configuration->listen.host_names, ElementsAre("status.example.com"));
  EXPECT_EQ(configuration->state, "/srv/state");
  EXPECT_EQ(configuration->runtime, "/srv/run");
  EXPECT_EQ(configuration->log.level, "debug");
  EXPECT_EQ(configuration->log.file, "/var/log/vitald.log");

  ASSERT_EQ(configuration->checks.size(), 2u);
  const CheckPlan& api = configuration->checks[0];
  EXPECT_EQ(api.kind, &test::fake_probes[0]);
  EXPECT_EQ(api.probe->target(), "http://x");
  EXPECT_EQ(api.every, 15s);
  EXPECT_EQ(api.timeout, 2s);
  EXPECT_EQ(api.labels, (Labels{{"team", "core"}, {"tier", "front"}}));

  const auto& rules = *configuration->rules;
  EXPECT_EQ(rules.instance, "db-7");
  EXPECT_EQ(rules.unknown_after, 5min);
  const auto& judged = rules.checks[0];
  EXPECT_EQ(judged.name, "api");
  EXPECT_EQ(judged.was, "api-old");
  EXPECT_EQ(judged.probe, "web");
  EXPECT_EQ(judged.critical, Severity::p0);
  EXPECT_EQ(judged.warning, Severity::p2);
  EXPECT_EQ(judged.hold, 30min);
  EXPECT_EQ(judged.runbook, "https://wiki/x");
  EXPECT_THAT(judged.confirm.spread, ElementsAre(2s, 4s, 8s));
  EXPECT_EQ(judged.recover.successes, 3);
  EXPECT_EQ(judged.limits.size(), 2u);
  EXPECT_EQ(rules.checks[1].critical, Severity::p1);

  ASSERT_EQ(configuration->receivers.size(), 2u);
  EXPECT_EQ(configuration->receivers[0].kind, &test::fake_notifiers[0]);
  EXPECT_EQ(configuration->receivers[0].policy.between, 2s);
  EXPECT_EQ(configuration->receivers[0].policy.keep, 24h);
  EXPECT_EQ(configuration->receivers[0].policy.first, 1s);
  EXPECT_EQ(configuration->receivers[0].policy.longest, 1min);
  EXPECT_THAT(rules.receivers, ElementsAre("ops", "log"));
  const auto& p0 = rules.escalations[0];
  ASSERT_EQ(p0.steps.size(), 2u);
  EXPECT_THAT(p0.steps[0].notify, ElementsAre("ops", "log"));
  EXPECT_EQ(p0.steps[1].after, 15min);
  EXPECT_TRUE(p0.steps[1].unless_acknowledged);
  EXPECT_EQ(p0.remind, Duration(30min));
}

TEST(Configuration, the_defaults_of_an_empty_one) {
  const auto [configuration, said] = load_text("checks: { api: { probe: web, url: x } }\n");
  EXPECT_EQ(said, "");
  ASSERT_TRUE(configuration);
  EXPECT_EQ(configuration->instance, "web-1");
  EXPECT_EQ(configuration->listen.host, "127.0.0.1");
  EXPECT_EQ(configuration->listen.port, 9642);
  EXPECT_EQ(configuration->state, "/var/lib/vitald");
  EXPECT_EQ(configuration->runtime, "/run/vitald");
  EXPECT_EQ(configuration->checks[0].every, 30s);
  EXPECT_EQ(configuration->checks[0].timeout, 5s);
  const auto& rules = *configuration->rules;
  EXPECT_EQ(rules.checks[0].critical, Severity::p2);
  EXPECT_EQ(rules.checks[0].confirm.failures, 4);
  EXPECT_THAT(rules.checks[0].confirm.spread, ElementsAre(5s, 10s, 15s));
  EXPECT_EQ(rules.checks[0].recover.successes, 2);
  EXPECT_EQ(rules.checks[0].hold, 15min);
  EXPECT_EQ(rules.unknown_after, 10min);
  ASSERT_EQ(configuration->receivers.size(), 1u);
  EXPECT_EQ(configuration->receivers[0].name, "console");
  EXPECT_EQ(configuration->receivers[0].kind, &test::fake_notifiers[1]);
  for (const auto& escalation : rules.escalations) {
    ASSERT_EQ(escalation.steps.size(), 1u);
    EXPECT_THAT(escalation.steps[0].notify, ElementsAre("console"));
  }
}

TEST(Configuration, limits_of_the_kind_stand_where_the_user_gave_none) {
  const auto loaded = load_text(
      "checks:\n  a: { probe: room }\n  b: { probe: room, limits: { used: { critical: 99% } } }\n"
      "  c: { probe: room, limits: { duration: { warning: 1s } } }\n");
  ASSERT_TRUE(loaded.configuration) << loaded.said;
  const auto& checks = loaded.configuration->rules->checks;
  ASSERT_EQ(checks[0].limits.size(), 1u);
  EXPECT_DOUBLE_EQ(checks[0].limits[0].warning->value, 0.8);
  ASSERT_EQ(checks[1].limits.size(), 1u);
  EXPECT_FALSE(checks[1].limits[0].warning);
  EXPECT_EQ(checks[2].limits.size(), 2u);
}

TEST(Configuration, samples_of_the_users_own_that_every_check_has_leave_the_kinds_defaults) {
  const test::Scratch scratch;
  const Tables real{probes::probe_kinds(), alerting::notifier_kinds()};
  const auto file = scratch.write("t.yaml",
                                  "checks:\n"
                                  "  plugin: { probe: exec, command: [ /x ], limits: { time: { warning: 2 } } }\n"
                                  "  query: { probe: mysql, socket: /x, user: u, query: SELECT 1 AS n }\n");
  const auto loaded = load_configuration(file, Secrets::leave, real, test::ordinary_host);
  ASSERT_TRUE(loaded.configuration) << config::render_problems(loaded.problems);
  for (const auto& rules : loaded.configuration->rules->checks) {
    std::vector<std::string> limited;
    for (const Limit& limit : rules.limits) limited.push_back(limit.sample);
    const std::vector<std::string> wanted{"time", "exit_status"};
    EXPECT_EQ(limited, rules.name == "plugin" ? wanted : std::vector<std::string>{}) << rules.name;
  }
}

TEST(Configuration, five_mistakes_give_five_errors) {
  const auto [configuration, said] = load_text(
      "checks:\n"
      "  api:\n"
      "    probe: web\n"
      "    url: http://x\n"
      "    tiemout: 5s\n"
      "    every: 30\n"
      "  root:\n"
      "    probe: rom\n"
      "receivers:\n"
      "  ops: { chat: { webhook: { env: HOOK } } }\n"
      "escalations:\n"
      "  P0: [ { notify: [ osp ] } ]\n"
      "  P2: [ { notify: [ ops ] } ]\n"
      "listen: { http: \"localhost:9642\" }\n");
  EXPECT_FALSE(configuration);
  EXPECT_EQ(
      said,
      "t.yaml:5:5: error: unknown key 'tiemout' in check api; did you mean 'timeout'?\n"
      "t.yaml:6:12: error: 'every': expected a duration such as 30s (units: ns, us, ms, s, m, h, d, w), found '30'\n"
      "t.yaml:8:12: error: 'probe': expected web or room, found 'rom'; did you mean 'room'?\n"
      "t.yaml:12:21: error: there is no receiver 'osp'; did you mean 'ops'?\n"
      "t.yaml:14:17: error: 'http': expected a numeric address and a port such as 127.0.0.1:9642 or [::1]:9642, "
      "found 'localhost:9642'\n");
}

TEST(Configuration, mistakes) {
  const std::string ops = "receivers: { ops: { chat: { webhook: { env: HOOK } } } }\n";
  const std::string api = "checks: { api: { probe: web, url: x } }\n";
  const std::pair<std::string, const char*> table[] = {
      {"chekcs: {}\n", "t.yaml:1:1: error: unknown key 'chekcs' in the configuration; did you mean 'checks'?"},
      {"checks: [ a ]\n", "'checks': expected a mapping of name to check, found a list"},
      {"checks: { 'a b': { probe: web, url: x } }\n",
       "a name consists of letters, digits, '.', '_' and '-', found 'a b'"},
      {"checks: { vitald: { probe: web, url: x } }\n", "the name 'vitald' is taken"},
      {"checks: { a: { probe: web } }\n", "check a needs 'url': Address to fetch"},
      {"checks: { a: { prob: web, url: x } }\n", "unknown key 'prob' in check a; did you mean 'probe'?"},
      {"checks: { a: { url: x } }\n", "check a needs 'probe': one of web, room"},
      {"checks: { a: web }\n", "check a: expected a mapping, found text"},
      {"checks: { a: { probe: web, url: x, runbook: 'javascript:alert(1)' } }\n",
       "expected an address that begins with http:// or https://"},
      {"checks: { a: { probe: web, url: x, labels: { instance: b } } }\n",
       "the label 'instance' is set by vitald or Prometheus"},
      {"checks: { a: { probe: web, url: x, labels: { __b: c } } }\n",
       "labels that begin with '__' belong to Prometheus"},
      {"checks: { a: { probe: web, url: x, labels: { a-b: c } } }\n",
       "a label is named with letters, digits and _ only"},
      {"checks: { a: { probe: web, url: x, confirm: clam } }\n", "did you mean 'calm'?"},
      {"checks: { a: { probe: web, url: x, confirm: { failures: 0 } } }\n",
       "expected a whole number from 1 to 20, found '0'"},
      {"checks: { a: { probe: web, url: x, confirm: { spread: [] } } }\n", "'spread': expected at least one distance"},
      {"checks: { a: { probe: web, url: x, recover: { succeses: 1 } } }\n", "did you mean 'successes'?"},
      {"checks: { a: { probe: web, url: x, severity: P4 } }\n", "'severity': expected P0, P1, P2 or P3, found 'P4'"},
      {"checks: { a: { probe: web, url: x, limits: { dration: { warning: 1s } } } }\n",
       "unknown sample 'dration'; did you mean 'duration'?"},
      {"checks: { a: { probe: web, url: x, was: b }, b: { probe: web, url: x } }\n",
       "'was': 'b' is the name of a check that still exists"},
      {"checks: { a: { probe: web, url: x, was: c }, b: { probe: web, url: x, was: c } }\n",
       "two checks say that they were 'c'"},
      {"checks: { a: { probe: web, url: x, depends_on: b } }\n", "there is no check 'b'"},
      {"defaults: { probe: web }\n", "unknown key 'probe' in the configuration, defaults"},
      {"state: var/lib\n", "'state': expected a path that begins with '/', found 'var/lib'"},
      {"log: { level: verbose }\n", "expected trace, debug, info, warning or error, found 'verbose'"},
      {"listen: { http: '127.0.0.1:99999' }\n", "expected a numeric address and a port"},
      {"listen: { http: '127.0.0.1' }\n", "expected a numeric address and a port"},
      {api + ops,
       "t.yaml:2:12: error: there are receivers, but no 'escalations' say who is told of what; write for example: "
       "escalations: { P0: [ { notify: [ ops ] } ]"},
      {api + ops + "escalations: { P0: [ { notify: ops } ] }\n",
       "t.yaml:1:11: error: a critical verdict of check api is P2, which no escalation covers; add 'P2: [ { notify: [ "
       "ops ] } ]'"},
      {"checks: { r: { probe: room, severity: P0 } }\n" + ops + "escalations: { P0: [ { notify: ops } ] }\n",
       "a warning verdict of check r is P2, which no escalation covers"},
      {api + ops + "escalations: { P5: [ { notify: ops } ], P2: [ { notify: ops } ] }\n",
       "unknown key 'P5' in escalations"},
      {api + ops + "escalations: { P2: { notify: ops } }\n",
       "'P2': expected a list of steps such as [ { notify: [ ops ] } ], found a mapping"},
      {api + ops + "escalations: { P2: [ { } ] }\n", "a step needs 'notify: [ … ]' or 'remind: 30m'"},
      {api + ops + "escalations: { P2: [ { notify: ops, unless: acknowledged } ] }\n", "'unless' needs 'after'"},
      {api + ops + "escalations: { P2: [ { notify: ops, remind: 30m } ] }\n", "'remind' stands in a step of its own"},
      {api + ops + "escalations: { P2: [ { notify: ops, after: 5m }, { notify: ops } ] }\n",
       "in the order of their time"},
      {api + ops + "escalations: { P2: [ { notify: [ ops, ops ] } ] }\n", "the same receiver stands twice"},
      {api + ops + "escalations: { P2: [ { digest: dayly, notify: ops } ] }\n",
       "or write 'daily' for nine in the morning"},
      {api + ops + "escalations: { P2: [ { digest: daily } ] }\n", "'digest' needs 'notify'"},
      {api + ops + "escalations: { P2: [ { digest: daily, after: 5m, notify: ops } ] }\n",
       "'digest' stands in a step of its own"},
      {api + ops + "escalations: { P2: [ { timezone: UTC, notify: ops } ] }\n", "'timezone' is that of a 'digest'"},
      {"receivers: { ops: { chta: { webhook: { env: H } } } }\n",
       "unknown key 'chta' in receiver ops; did you mean 'chat'?"},
      {"receivers: { ops: { pace: 1s } }\n", "receiver ops needs one of chat or console"},
      {"receivers: { ops: { chat: { webhook: { env: H } }, console: {} } }\n", "receiver ops has several kinds"},
      {"receivers: { ops: { chat: {} } }\n", "receiver ops, chat needs 'webhook': Address with its secret"},
      {"receivers: { ops: { chat: { webhook: { env: H } }, retry: { first: 5m, longest: 1m } } }\n",
       "'longest' is shorter than 'first'"},
      {api + "escalations: { P2: [ { notify: ops } ] }\n", "there is no receiver 'ops'"},
      {"'a-{n}': 1\nchecks: { 'a-{x}': { for_each: [ { n: 1 } ], probe: web, url: u } }\n",
       "'{x}' is no column of this for_each row"},
      {"- a\n", "expected a mapping of keys such as 'checks:', found a list"},
  };
  for (const auto& [text, expected] : table) {
    const auto [configuration, said] = load_text(text);
    EXPECT_FALSE(configuration) << text;
    EXPECT_THAT(said, HasSubstr(expected)) << text;
  }
}

TEST(Configuration, a_digest_covers_its_severity) {
  const auto [configuration, said] = load_text(
      "checks: { api: { probe: web, url: x, severity: P3 } }\n"
      "receivers: { ops: { console: {} } }\n"
      "escalations: { P2: [ { notify: ops } ], P3: [ { digest: daily, timezone: Europe/Istanbul, notify: ops } ] }\n");
  EXPECT_EQ(said, "");
  ASSERT_TRUE(configuration);
  const auto& p3 = configuration->rules->escalations[3];
  EXPECT_TRUE(p3.steps.empty());
  ASSERT_EQ(p3.digests.size(), 1u);
  EXPECT_EQ(p3.digests[0].when.text(), "0 9 * * *");
  EXPECT_EQ(p3.digests[0].zone.name(), "Europe/Istanbul");
  EXPECT_THAT(p3.digests[0].notify, ElementsAre("ops"));
}

TEST(Configuration, groups_by_what_checks_share) {
  const Labels labels = {{"rack", "b"}, {"site", "ist"}};
  const auto group = [&](std::vector<std::string> by, const std::string& target) {
    return group_of(by, target, labels);
  };
  EXPECT_EQ(group({"target"}, "db:3306"), "target=db:3306\n");
  EXPECT_EQ(group({"host"}, "db:3306"), group({"host"}, "db:80"));
  EXPECT_EQ(group({"host"}, "[::1]:80"), "host=[::1]\n");
  EXPECT_EQ(group({"host"}, "disk"), "") << "no host of a network";
  EXPECT_EQ(group({"site", "rack"}, "db:80"), "site=ist\nrack=b\n");
  EXPECT_EQ(group({"site", "row"}, "db:80"), "") << "without one of the labels it belongs to nobody";
  EXPECT_EQ(group({}, "db:80"), "");
}

TEST(Configuration, group_by_stands_in_the_defaults_too) {
  const auto [configuration, said] = load_text(
      "defaults: { group_by: [ team ], labels: { team: web } }\n"
      "checks: { a: { probe: web, url: x }, b: { probe: web, url: x, group_by: [] } }\n");
  EXPECT_EQ(said, "");
  ASSERT_TRUE(configuration);
  EXPECT_EQ(configuration->rules->checks[0].group, "team=web\n");
  EXPECT_EQ(configuration->rules->checks[1].group, "");
}

TEST(Configuration, warnings_do_not_stop_it) {
  const std::pair<const char*, const char*> table[] = {
      {"checks: { a: { probe: web, url: x, timeout: 8s, confirm: calm } }\n",
       "t.yaml:1:45: warning: 'timeout' (8s) is longer than the first distance of 'confirm' (5s)"},
      {"checks: { a: { probe: web, url: x, every: 2s } }\n", "'timeout' (5s) is longer than 'every' (2s)"},
      {"checks: { a: { probe: web, url: x, password: hunter2 } }\n",
       "t.yaml:1:46: warning: a secret stands in the configuration file"},
      {"checks: {}\n", "warning: there are no checks, so nothing is watched"},
      {"checks: { a: { probe: web, url: x, severity: P0 } }\nreceivers: { o: { console: }, p: { console: } }\n"
       "escalations: { P0: [ { notify: o } ] }\n",
       "t.yaml:3:14: warning: no escalation uses the receiver 'p'"},
      {"checks: { a: { probe: web, url: x, severity: P0 } }\nreceivers: { o: { console: } }\n"
       "escalations: { P0: [ { notify: o } ] }\n",
       "no escalation covers P2, so nobody is told when vitald itself cannot measure"},
  };
  for (const auto& [text, expected] : table) {
    const auto [configuration, said] = load_text(text);
    EXPECT_TRUE(configuration) << text << said;
    EXPECT_THAT(said, HasSubstr(expected)) << text;
    EXPECT_THAT(said, Not(HasSubstr("error: "))) << text;
  }
}

TEST(Configuration, no_warning_about_what_the_user_did_not_write) {
  EXPECT_EQ(load_text("checks: { a: { probe: web, url: x, confirm: fast } }\n").said, "");
  EXPECT_EQ(load_text("checks: { a: { probe: web, url: x, timeout: 8s } }\n").said, "");
  const std::string once = load_text(
                               "defaults: { timeout: 8s, confirm: calm }\n"
                               "checks: { a: { probe: web, url: x }, b: { probe: web, url: y } }\n")
                               .said;
  EXPECT_EQ(std::count(once.begin(), once.end(), '\n'), 1) << once;
}

TEST(Configuration, severities_of_warnings) {
  const auto loaded = load_text(
      "checks:\n"
      "  a: { probe: web, url: x, severity: P0 }\n"
      "  b: { probe: web, url: x, severity: P3 }\n"
      "  c: { probe: web, url: x, severity: { critical: P0, warning: P1 } }\n"
      "  d: { probe: web, url: x, severity: { critical: P1 } }\n");
  ASSERT_TRUE(loaded.configuration) << loaded.said;
  const auto& checks = loaded.configuration->rules->checks;
  EXPECT_EQ(checks[0].warning, Severity::p2);
  EXPECT_EQ(checks[1].warning, Severity::p3);
  EXPECT_EQ(checks[2].warning, Severity::p1);
  EXPECT_EQ(checks[3].warning, Severity::p2);
}

TEST(Configuration, a_container_has_no_name_of_its_own) {
  const Surroundings container{"3f2c", true};
  EXPECT_THAT(load_text("checks: {}\n", Secrets::leave, container).said,
              HasSubstr("error: 'instance' is required in a container"));
  EXPECT_TRUE(load_text("instance: web-1\nchecks: {}\n", Secrets::leave, container).configuration);
}

TEST(Configuration, for_each_gives_checks_of_their_own) {
  const auto loaded = load_text(
      "checks:\n  \"svc-{name}\":\n    for_each: [ { name: auth, port: 3001 }, { name: user, port: 3002 } ]\n"
      "    probe: web\n    url: \"http://127.0.0.1:{port}/\"\n    port: \"{port}\"\n");
  ASSERT_TRUE(loaded.configuration) << loaded.said;
  ASSERT_EQ(loaded.configuration->checks.size(), 2u);
  EXPECT_EQ(loaded.configuration->checks[1].name, "svc-user");
  EXPECT_EQ(loaded.configuration->checks[1].probe->target(), "http://127.0.0.1:3002/");
}

std::string fingerprint(const std::string& text, Secrets secrets = Secrets::leave) {
  const auto loaded = load_text(text, secrets);
  EXPECT_TRUE(loaded.configuration) << loaded.said;
  return loaded.configuration ? loaded.configuration->checks[0].fingerprint : "";
}

TEST(Configuration, equal_checks_have_equal_fingerprints) {
  const std::string one = fingerprint("checks: { a: { probe: web, url: x, every: 15s } }\n");
  EXPECT_EQ(one, fingerprint("# moved\nchecks:\n  a:\n    every: 15s\n    url: x\n    probe: web\n"));
  EXPECT_NE(one, fingerprint("checks: { a: { probe: web, url: y, every: 15s } }\n"));
  EXPECT_NE(one, fingerprint("checks: { a: { probe: web, url: x, every: 16s } }\n"));
  EXPECT_NE(one, fingerprint("defaults: { timeout: 4s }\nchecks: { a: { probe: web, url: x, every: 15s } }\n"));
  EXPECT_NE(one, fingerprint("checks: { a: { probe: web, url: x, every: 15s, port: 81 } }\n"));
  EXPECT_NE(one,
            fingerprint("checks: { a: { probe: web, url: x, every: 15s, limits: { duration: { warning: 1s } } } }\n"));
}

TEST(Configuration, only_the_service_reads_secrets) {
  const test::Scratch scratch;
  const auto file = scratch.write("pw", "hunter2\n");
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  const std::string text = "checks: { a: { probe: web, url: x, password: { file: " + file.string() + " } } }\n";
  const auto password = [](const LoadedConfiguration& loaded) {
    return static_cast<const test::FakeProbe&>(*loaded.configuration->checks[0].probe).password;
  };
  const auto yaml = scratch.write("t.yaml", text);
  EXPECT_FALSE(password(load_configuration(yaml, Secrets::leave, test::fakes, test::ordinary_host)).reveal());
  EXPECT_EQ(*password(load_configuration(yaml, Secrets::load, test::fakes, test::ordinary_host)).reveal(), "hunter2");

  const std::string before = fingerprint(text, Secrets::load);
  scratch.write("pw", "hunter3\n");
  EXPECT_NE(fingerprint(text, Secrets::load), before) << "a changed password is a changed check";
}

TEST(Configuration, check_config_does_not_touch_secrets) {
  const test::Scratch scratch;
  // Opening a FIFO for reading and writing gives it a reader: if the loader opened it, its access time would tell; if
  // it waited for it, the test would hang.
  const auto fifo = scratch / "pw";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto yaml = scratch.write("t.yaml", "checks: { a: { probe: web, url: x, password: { file: " + fifo.string() +
                                                " } }, b: { probe: web, url: x, password: { file: /absent } } }\n");
  const auto left = load_configuration(yaml, Secrets::leave, test::fakes, test::ordinary_host);
  EXPECT_EQ(config::render_problems(left.problems), "");
  const auto loaded = load_configuration(yaml, Secrets::load, test::fakes, test::ordinary_host);
  EXPECT_TRUE(loaded.configuration) << "a secret that cannot be read is its check's trouble";
  const std::string said = config::render_problems(loaded.problems);
  EXPECT_THAT(said, HasSubstr("is not a regular file"));
  EXPECT_THAT(said, HasSubstr("warning: file /absent: /absent there is no such file"));
}

TEST(Configuration, a_file_that_is_not_there) {
  const auto loaded = load_configuration("/nonexistent/vitald.yaml", Secrets::leave, test::fakes, test::ordinary_host);
  EXPECT_FALSE(loaded.configuration);
  EXPECT_EQ(config::render_problems(loaded.problems), "/nonexistent/vitald.yaml: error: there is no such file\n");
}

TEST(Configuration, the_schema_knows_every_kind) {
  const auto schema = nlohmann::json::parse(configuration_schema(test::fakes));
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  const auto& check = schema["properties"]["checks"]["additionalProperties"];
  EXPECT_EQ(check["else"]["properties"]["probe"]["enum"], (nlohmann::json{"web", "room"}));
  const auto& web = check["else"]["allOf"][0]["then"];
  EXPECT_EQ(web["required"], (nlohmann::json{"probe", "url"}));
  EXPECT_TRUE(web["properties"]["limits"]["properties"].contains("duration"));
  EXPECT_TRUE(schema["properties"]["receivers"]["additionalProperties"]["properties"].contains("chat"));
}

}  // namespace
}  // namespace vitald::daemon
