#include "probes/rabbitmq.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/wire/amqp.hpp"
#include "tests/probes/rabbitmq_kit.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::probes {
namespace {

namespace amqp = vitald::testing::amqp;
using ::testing::HasSubstr;
using vitald::testing::FakeNetwork;
using vitald::testing::find_row;
using vitald::testing::parse_yaml;
using vitald::testing::rabbitmq_check;
using vitald::testing::run_rabbitmq;
using vitald::testing::Script;
using vitald::testing::Surroundings;

std::string problems(const std::string& more) {
  return parse_yaml(rabbitmq::parse, "address: mq:5672\n" + more).problems;
}

// The same broker through the rest of the file: two queues over AMQP.
const std::string two_queues = "user: vitald\npassword: s3cret\nvhost: /shop\nqueues: [ orders, mail ]\n";

std::vector<std::string> healthy() {
  return {amqp::start(),
          amqp::tune(),
          amqp::open_ok(),
          amqp::channel_open_ok(),
          amqp::declare_ok("orders", 12, 2),
          amqp::declare_ok("mail", 0, 1),
          amqp::close_ok()};
}

/// The failure of a run against a broker that says this.
ProbeFailure failure(std::vector<std::string> says, const rabbitmq::Config& check = rabbitmq_check(two_queues)) {
  FakeNetwork network;
  network.answer(std::move(says));
  try {
    run_rabbitmq(network, check);
  } catch (const ProbeFailure& caught) {
    EXPECT_EQ(std::string(caught.what()).find("s3cret"), std::string::npos);
    return caught;
  }
  return ProbeFailure(Outcome::answered, "none", "nothing failed");
}

TEST(RabbitmqParse, HasDefaultsOfAFreshBroker) {
  const auto check = rabbitmq_check();
  EXPECT_EQ(check.target(), "mq:5672");
  EXPECT_EQ(check.login.user, "guest");
  EXPECT_EQ(check.vhost, "/");
  EXPECT_FALSE(check.management || check.where.tls || check.without_consumer_allowed);
  EXPECT_THAT(parse_yaml(rabbitmq::parse, "{}").problems, HasSubstr("'address'"));
}

TEST(RabbitmqParse, WantsAPasswordForAUser) {
  EXPECT_THAT(problems("user: vitald"), HasSubstr("a user other than guest needs a 'password'"));
  EXPECT_THAT(problems("management: { url: 'http://mq:15672', user: a }"),
              HasSubstr("'user' and 'password' go together"));
  EXPECT_THAT(problems("management: { url: 'http://mq:15672', password: a }"),
              HasSubstr("'user' and 'password' go together"));
  EXPECT_THAT(problems("management: { url: 'http://mq:15672', user: 'a:b', password: x }"), HasSubstr("colon"));
}

TEST(RabbitmqParse, TakesTheManagementsAddressAndLogin) {
  const auto same =
      rabbitmq_check("user: u\npassword: p\nmanagement: { url: 'https://mq:15671/rabbit/', tls: { ca_file: /ca } }");
  EXPECT_EQ(same.management->url.path, "/rabbit");
  EXPECT_EQ(same.management->login.user, "u");
  EXPECT_EQ(*same.management->login.password->reveal(), "p");
  EXPECT_EQ(same.management->tls.ca_file, "/ca");
  const auto other =
      rabbitmq_check("user: u\npassword: p\nmanagement: { url: 'http://mq:15672', user: m, password: n }");
  EXPECT_EQ(other.management->login.user, "m");
  EXPECT_EQ(*other.management->login.password->reveal(), "n");
  EXPECT_THAT(problems("management: {}"), HasSubstr("'url'"));
  EXPECT_THAT(problems("management: { url: 'mq:15672' }"), HasSubstr("must begin with http://"));
  EXPECT_THAT(problems("management: { url: 'http://mq:15672/?x' }"), HasSubstr("cannot hold a query"));
}

TEST(RabbitmqParse, BoundsTheQueues) {
  std::string many = "queues: [ q0";
  for (int i = 1; i <= 50; ++i) many += ", q" + std::to_string(i);
  EXPECT_THAT(problems(many + " ]"), HasSubstr("more than 50 entries"));
  EXPECT_THAT(problems("queues: " + std::string(256, 'q')), HasSubstr("255"));
  std::string long_ones = "management: { url: 'http://mq:1', queues: [ ";
  for (int i = 0; i < 9; ++i) long_ones += std::string(250, 'q') + ", ";
  EXPECT_THAT(problems(long_ones + " ] }"), HasSubstr("2048 bytes"));
  EXPECT_THAT(problems("queues: orders.*"), HasSubstr("patterns belong under 'management'"));
  EXPECT_EQ(problems("queues: orders\nmanagement: { url: 'http://mq:1', queues: 'orders.*' }"), "");
}

TEST(RabbitmqGlob, MatchesStarsAndQuestionMarks) {
  const std::vector<std::pair<const char*, const char*>> good{
      {"orders", "orders"}, {"orders.*", "orders.eu"}, {"*", ""},      {"*", "x"},  {"*.dead", "a.b.dead"},
      {"a*b*c", "axxbxbc"}, {"o?der", "order"},        {"a.b", "a.b"}, {"a**", "a"}};
  for (const auto& [pattern, name] : good) EXPECT_TRUE(rabbitmq::matches_glob(pattern, name)) << pattern << " " << name;
  const std::vector<std::pair<const char*, const char*>> bad{
      {"orders", "orders2"}, {"orders.*", "orders"}, {"a.b", "axb"}, {"?", ""}, {"a*b", "abc"}, {"", "x"}};
  for (const auto& [pattern, name] : bad) EXPECT_FALSE(rabbitmq::matches_glob(pattern, name)) << pattern << " " << name;
}

TEST(RabbitmqRun, LogsInLooksUpQueuesAndSaysGoodbye) {
  boost::asio::io_context loop;
  Script script;
  script.expect(wire::amqp_protocol_header()).reply_in_pieces(amqp::start(), 7);
  script.expect(wire::amqp_start_ok("vitald", "s3cret")).reply(amqp::tune());
  script.expect(wire::amqp_tune_ok({.channel_max = 1, .frame_max = 65536, .heartbeat = 0}) + wire::amqp_open("/shop"))
      .reply(amqp::open_ok());
  script.expect(wire::amqp_channel_open(1)).reply(amqp::heartbeat() + amqp::channel_open_ok());
  script.expect(wire::amqp_declare_passive(1, "orders") + wire::amqp_declare_passive(1, "mail"))
      .reply_in_pieces(amqp::declare_ok("orders", 12, 2) + amqp::declare_ok("mail", 0, 1), 5);
  script.expect(wire::amqp_close(200, "Goodbye")).reply(amqp::close_ok());
  vitald::testing::ScriptedNetwork network(loop, {script});
  const auto check = rabbitmq_check(two_queues);
  const auto facts = run_rabbitmq(network, check);
  EXPECT_EQ(facts.version, "3.10.8");
  const auto seen = rabbitmq::judge(check, facts);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "orders: 12 messages, 2 consumers (the fullest of 2 queues)");
  EXPECT_EQ(find_row(seen, "messages", "orders")->value, 12);
  EXPECT_EQ(find_row(seen, "consumers", "mail")->value, 1);
  EXPECT_EQ(find_row(seen, "unacknowledged"), nullptr);
  EXPECT_EQ(find_row(seen, "memory_used"), nullptr);
}

TEST(RabbitmqRun, FailsAtEveryStep) {
  Script broker;
  broker.expect_something().reply_in_pieces(amqp::start(), 60);
  broker.expect_something().reply(amqp::tune());
  broker.expect_something().reply(amqp::open_ok());
  broker.expect_something().reply(amqp::channel_open_ok());
  broker.expect_something().reply(amqp::declare_ok("orders", 12, 2) + amqp::channel_close(404, "NOT_FOUND - no"));
  broker.expect_something();
  broker.expect_something().reply(amqp::close_ok());
  const auto check = rabbitmq_check(two_queues);
  const int steps = vitald::testing::fails_at_every_step({broker}, [&](net::Network& network) -> awaitable<void> {
    Surroundings around;
    around.network = &network;
    auto context = around.context();
    co_await rabbitmq::run(context, check);
  });
  EXPECT_GE(steps, 16);
}

TEST(RabbitmqRun, OneMissingQueueDoesNotHideTheOthers) {
  const auto check = rabbitmq_check("queues: [ a, b, c, d ]");
  FakeNetwork network;
  network.answer({amqp::start(), amqp::tune(), amqp::open_ok(), amqp::channel_open_ok(), amqp::declare_ok("a", 1, 1),
                  amqp::channel_close(405, "RESOURCE_LOCKED - cannot"), amqp::channel_open_ok(),
                  amqp::declare_ok("c", 3, 1), amqp::channel_close(404, "NOT_FOUND - no queue 'd' in vhost '/'"),
                  amqp::close_ok()});
  const auto seen = rabbitmq::judge(check, run_rabbitmq(network, check));
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "queue_missing");
  EXPECT_EQ(seen.summary, "d: no such queue in virtual host '/'") << "what is the broker's outranks what is ours";
  EXPECT_EQ(seen.evidence.back().text, "b: another connection holds the queue for itself alone");
  EXPECT_EQ(find_row(seen, "messages", "c")->value, 3);
  EXPECT_EQ(find_row(seen, "messages", "b"), nullptr);
  EXPECT_THAT(network.sent, HasSubstr(wire::amqp_channel_close_ok(1)));
}

TEST(RabbitmqRun, AQueuesOtherRefusalsHaveWordsOfTheirOwn) {
  const auto reason = [](unsigned code, const std::string& text) {
    FakeNetwork network;
    network.answer({amqp::start(), amqp::tune(), amqp::open_ok(), amqp::channel_open_ok(),
                    amqp::channel_close(code, text), amqp::close_ok()});
    const auto check = rabbitmq_check("queues: orders");
    const auto seen = rabbitmq::judge(check, run_rabbitmq(network, check));
    return seen.reason + (seen.outcome == Outcome::unmeasured ? " (ours)" : "");
  };
  EXPECT_EQ(
      reason(404, "NOT_FOUND - home node 'rabbit@b' of durable queue 'orders' in vhost '/' is down or inaccessible"),
      "queue_down");
  EXPECT_EQ(reason(403, "ACCESS_REFUSED - access to queue"), "no_permission (ours)");
  EXPECT_EQ(reason(541, "INTERNAL_ERROR"), "queue_error");
}

TEST(RabbitmqRun, AWrongPasswordIsOurs) {
  const auto wrong = failure({amqp::start(), amqp::close(403, "ACCESS_REFUSED - Login was refused")});
  EXPECT_EQ(wrong.outcome, Outcome::unmeasured);
  EXPECT_EQ(wrong.reason, "wrong_password");
  EXPECT_STREQ(wrong.what(), "answers, but refuses user 'vitald' with this password");
  EXPECT_THAT(wrong.remedy, HasSubstr("rabbitmqctl change_password vitald"));
  EXPECT_THAT(failure({amqp::start(), amqp::close(403, "")}, rabbitmq_check()).remedy, HasSubstr("own host only"));
}

TEST(RabbitmqRun, ConfirmsTheBrokersGoodbye) {
  FakeNetwork network;
  network.answer({amqp::start(), amqp::close(403, "no")});
  EXPECT_THROW(run_rabbitmq(network, rabbitmq_check()), ProbeFailure);
  EXPECT_TRUE(network.sent.ends_with(wire::amqp_close_ok()));
}

TEST(RabbitmqRun, AVirtualHostIsMissingDownForbiddenOrFull) {
  const auto at_open = [](unsigned code, const std::string& text) {
    return failure({amqp::start(), amqp::tune(), amqp::close(code, text)});
  };
  const auto missing = at_open(530, "NOT_ALLOWED - vhost /shop not found");
  EXPECT_EQ(missing.outcome, Outcome::wrong);
  EXPECT_EQ(missing.reason, "vhost_missing");
  EXPECT_STREQ(missing.what(), "virtual host '/shop' does not exist");
  const auto forbidden = at_open(530, "NOT_ALLOWED - access to vhost '/shop' refused for user 'vitald'");
  EXPECT_EQ(forbidden.outcome, Outcome::unmeasured);
  EXPECT_EQ(forbidden.reason, "no_vhost_access");
  EXPECT_EQ(forbidden.remedy, "run: rabbitmqctl set_permissions -p /shop vitald '' '' ''");
  EXPECT_EQ(at_open(541, "INTERNAL_ERROR - access to vhost '/shop' refused for user 'v': vhost '/shop' is down").reason,
            "vhost_down");
  EXPECT_EQ(at_open(530, "NOT_ALLOWED - access to vhost '/shop' refused for user 'v': connection limit (1) is reached")
                .reason,
            "connection_limit");
  EXPECT_EQ(at_open(541, "INTERNAL_ERROR").reason, "closed_by_broker");
}

TEST(RabbitmqRun, ABrokerThatStopsSaysSo) {
  const auto stops = failure({amqp::start(), amqp::tune(), amqp::open_ok(),
                              amqp::close(320, "CONNECTION_FORCED - broker forced connection closure")});
  EXPECT_EQ(stops.outcome, Outcome::refused);
  EXPECT_EQ(stops.reason, "shutting_down");
}

TEST(RabbitmqRun, SilenceIsToldByWhereItCame) {
  EXPECT_STREQ(failure({}).what(), "closed the connection without a word");
  EXPECT_THAT(failure({amqp::start()}).what(), HasSubstr("during the login"));
  EXPECT_THAT(failure({amqp::start(), amqp::tune()}).what(), HasSubstr("in the middle"));
  EXPECT_THAT(failure({amqp::start().substr(0, 20)}).what(), HasSubstr("without a word"));
  EXPECT_EQ(failure({amqp::start()}).outcome, Outcome::refused);
  // After the last answer everything is known.
  auto says = healthy();
  says.pop_back();
  EXPECT_EQ(failure(says).reason, "none");
}

TEST(RabbitmqRun, WhatIsNoBrokerIsToldApart) {
  const auto http = failure({"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n"});
  EXPECT_EQ(http.outcome, Outcome::wrong);
  EXPECT_STREQ(http.what(), "answers, but not in AMQP: 'HTTP/1.1 400 Bad Request'");
  const auto other = failure({std::string("AMQP\0\1\0\0", 8)});
  EXPECT_EQ(other.reason, "wrong_protocol");
  EXPECT_STREQ(other.what(), "speaks AMQP 1.0 instead of 0-9-1");
  EXPECT_EQ(failure({amqp::start("", "PLAIN", "\1\1")}).reason, "wrong_protocol");
  const auto tls = failure({std::string("\x15\x03\x03\0\2\2\x46", 7)});
  EXPECT_EQ(tls.outcome, Outcome::unmeasured);
  EXPECT_EQ(tls.reason, "wants_tls");
  const auto external = failure({amqp::start("", "EXTERNAL")});
  EXPECT_EQ(external.reason, "no_plain_login");
  EXPECT_THAT(external.what(), HasSubstr("only 'EXTERNAL'"));
}

TEST(RabbitmqRun, ARogueBrokerIsStopped) {
  EXPECT_EQ(failure({std::string("\1\0\0\xff\xff\xff\xff", 7)}).reason, "not_amqp");
  EXPECT_EQ(failure({amqp::start(), std::string("\1\0\0\xff\xff\xff\xff", 7)}).reason, "bad_frame");
  EXPECT_EQ(failure({amqp::start(amqp::field("x", '?', ""))}).reason, "bad_frame");
  EXPECT_EQ(failure({amqp::start(), amqp::start()}).reason, "bad_answer");
  std::string heartbeats;
  for (int i = 0; i < 501; ++i) heartbeats += amqp::heartbeat();
  EXPECT_EQ(failure({amqp::start(), heartbeats, amqp::tune()}).reason, "bad_answer");
}

TEST(RabbitmqRun, ABlockedConnectionIsWrong) {
  auto says = healthy();
  says.insert(says.begin() + 3, amqp::blocked("low on memory"));
  FakeNetwork network;
  network.answer(says);
  const auto check = rabbitmq_check(two_queues);
  const auto seen = rabbitmq::judge(check, run_rabbitmq(network, check));
  EXPECT_EQ(seen.reason, "blocked");
  EXPECT_EQ(seen.summary, "blocks publishers: low on memory");
  says.insert(says.begin() + 4, amqp::unblocked());
  network.answer(says);
  EXPECT_EQ(rabbitmq::judge(check, run_rabbitmq(network, check)).outcome, Outcome::answered);
}

TEST(RabbitmqRun, APasswordThatNoBrokerTakesIsOurs) {
  EXPECT_EQ(failure({}, rabbitmq_check("user: u\npassword: " + std::string(3600, 'x'))).reason, "password_too_long");
  EXPECT_EQ(failure({}, rabbitmq_check("user: u\npassword: { file: /nonexistent }")).outcome, Outcome::unmeasured);
}

}  // namespace
}  // namespace vitald::probes
