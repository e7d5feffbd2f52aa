#include "daemon/sender.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "config/document.hpp"
#include "daemon/attempt.hpp"
#include "daemon/clock.hpp"
#include "tests/alerting/sample_notifications.hpp"
#include "tests/support/fake_network.hpp"

namespace vitald::daemon {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using alerting::Judgement;
using alerting::NotificationKind;
using ::testing::HasSubstr;
using ::testing::Not;

std::string http(const std::string& status, const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

/// Each host has a script of its own; connections to `silent` never come about.
class Hosts final : public net::Network {
 public:
  explicit Hosts(asio::any_io_executor loop) : loop_(std::move(loop)) {}
  vitald::testing::FakeNetwork& operator[](const std::string& host) { return hosts_[host]; }
  int waiting = 0;

  net::awaitable<std::vector<std::string>> resolve(const net::Target& target, net::PhaseLog&) override {
    std::vector<std::string> as_it_is{target.host};
    co_return as_it_is;
  }
  net::awaitable<std::unique_ptr<net::Stream>> connect(const net::Target& target, net::PhaseLog& phases) override {
    if (target.host == "silent") {
      ++waiting;
      asio::steady_timer never(loop_, Steady::max());
      co_await never.async_wait(asio::use_awaitable);
    }
    auto stream = co_await hosts_[target.host].connect(target, phases);
    co_return stream;
  }

 private:
  asio::any_io_executor loop_;
  std::map<std::string, vitald::testing::FakeNetwork> hosts_;
};

/// The real clock, with leaps that a test makes.
class LeapingClock final : public Clock {
 public:
  Duration ahead{};
  Now now() const override {
    const Now real = SystemClock().now();
    return {real.steady + ahead, real.wall + ahead};
  }
};

ReceiverPlan receiver(const std::string& name, const std::string& kind, const std::string& yaml) {
  config::Problems problems;
  const config::Node node = config::parse_text(yaml, "test.yaml", problems);
  config::Reader reader(node, "receiver " + name, problems);
  ReceiverPlan plan;
  plan.name = name;
  plan.kind = alerting::find_notifier(kind);
  plan.notifier = plan.kind->parse(reader);
  plan.policy.between = 0ns;
  plan.policy.first = 1ms;
  plan.policy.longest = 10ms;
  return plan;
}
ReceiverPlan slack(const std::string& name) { return receiver(name, "slack", "webhook: http://" + name + "/hook"); }

asio::awaitable<void> keep(asio::awaitable<Result<std::string>> asked, std::optional<Result<std::string>>& outcome) {
  auto result = co_await std::move(asked);
  outcome.emplace(std::move(result));
}

class Sending : public ::testing::Test {
 protected:
  asio::io_context loop;
  LeapingClock clock;
  Hosts hosts{loop.get_executor()};
  Instruments instruments;
  std::vector<alerting::Delivered> delivered;
  std::vector<alerting::SelfTrouble> troubles;
  std::vector<alerting::SelfRecovered> recoveries;
  Sender sender{loop.get_executor(),
                hosts,
                clock,
                instruments,
                {[this](alerting::Delivered one) { delivered.push_back(std::move(one)); },
                 [this](alerting::SelfTrouble one) { troubles.push_back(std::move(one)); },
                 [this](alerting::SelfRecovered one) { recoveries.push_back(std::move(one)); },
                 {}},
                1};

  static alerting::Notification message(const std::string& to, std::uint32_t sequence = 1,
                                        NotificationKind kind = NotificationKind::problem) {
    alerting::Notification note = alerting::samples::bare_problem();
    note.id = {"incident", sequence, to};
    note.kind = kind;
    note.at = SystemClock().now().wall;
    return note;
  }

  /// Runs the loop until `done`, or for as long as no test should need.
  template <class Done>
  void run_until(Done done) {
    const auto patience = std::chrono::steady_clock::now() + 20s;
    while (!done() && std::chrono::steady_clock::now() < patience) {
      loop.restart();
      loop.run_one_for(1s);
    }
    EXPECT_TRUE(done()) << "waited for 20 s in vain";
  }
  void run_until_delivered(std::size_t count) {
    run_until([&] { return delivered.size() >= count; });
  }

  std::string run_test(const std::string& name) {
    std::optional<Result<std::string>> outcome;
    asio::co_spawn(loop, keep(sender.test(name, "web-1"), outcome), asio::detached);
    run_until([&] { return outcome.has_value(); });
    return *outcome ? **outcome : "failed: " + outcome->failure().sentence();
  }
};

TEST_F(Sending, AMessageIsSentAndTold) {
  sender.configure({slack("ops")});
  hosts["ops"].answer({http("200 OK", "ok")});
  sender.enqueue({message("ops")});
  EXPECT_TRUE(delivered.empty()) << "callbacks come later, never from within a call";
  run_until_delivered(1);
  EXPECT_TRUE(delivered[0].accepted);
  EXPECT_EQ(delivered[0].id.text(), "incident/1/ops");
  EXPECT_THAT(hosts["ops"].sent, ::testing::StartsWith("POST /hook HTTP/1.1\r\n"));
  EXPECT_THAT(hosts["ops"].sent, HasSubstr("P2 warning: root-fs on web-1"));
  EXPECT_THAT(instruments.serialize(),
              HasSubstr("vitald_notifications_total{outcome=\"accepted\",receiver=\"ops\"} 1"));
}

TEST_F(Sending, TheRecoveryWaitsForItsProblem) {
  sender.configure({slack("ops")});
  hosts["ops"].answer({http("503 Busy", "")});
  hosts["ops"].answer({http("200 OK", "ok")});
  hosts["ops"].answer({http("200 OK", "ok")});
  sender.enqueue({message("ops", 1), message("ops", 2, NotificationKind::recovery)});
  run_until_delivered(2);
  EXPECT_EQ(delivered[0].id.sequence, 1u);
  EXPECT_EQ(delivered[1].id.sequence, 2u);
  const std::string& sent = hosts["ops"].sent;
  EXPECT_GT(sent.find("Recovered:"), sent.rfind("P2 warning:"));
}

TEST_F(Sending, AReceiverThatHangsHoldsUpNoOther) {
  sender.configure({slack("silent"), slack("ops")});
  hosts["ops"].answer({http("200 OK", "ok")});
  sender.enqueue({message("silent"), message("ops")});
  run_until_delivered(1);
  EXPECT_EQ(delivered[0].id.receiver, "ops");
  EXPECT_EQ(hosts.waiting, 1);
}

TEST_F(Sending, ARefusalIsToldElsewhereAtOnceAndEndsWithAReload) {
  sender.configure({slack("ops")});
  hosts["ops"].answer({http("404 Not Found", "no_service")});
  sender.enqueue({message("ops")});
  run_until([&] { return !troubles.empty(); });
  EXPECT_EQ(troubles[0].key, "receiver:ops");
  EXPECT_EQ(troubles[0].except, "ops");
  EXPECT_THAT(troubles[0].summary, HasSubstr("revoked"));
  EXPECT_TRUE(delivered.empty());
  ASSERT_EQ(sender.views().size(), 1u);
  EXPECT_TRUE(sender.views()[0].stopped);
  EXPECT_EQ(sender.views()[0].pending, 1u);

  hosts["ops"].answer({http("200 OK", "ok")});
  sender.configure({slack("ops")});
  run_until_delivered(1);
  EXPECT_TRUE(delivered[0].accepted);
  ASSERT_EQ(recoveries.size(), 1u);
  EXPECT_EQ(recoveries[0].key, "receiver:ops");
}

TEST_F(Sending, AReceiverThatFailsForTwoMinutesIsToldElsewhere) {
  sender.configure({slack("ops")});
  for (int i = 0; i < 100; ++i) hosts["ops"].answer({http("503 Busy", "")});
  sender.enqueue({message("ops")});
  run_until([&] { return hosts["ops"].targets.size() >= 3; });
  EXPECT_TRUE(troubles.empty());
  clock.ahead = 121s;
  run_until([&] { return !troubles.empty(); });
  EXPECT_EQ(troubles[0].key, "receiver:ops");
  EXPECT_THAT(troubles[0].summary, HasSubstr("503"));
  EXPECT_TRUE(delivered.empty());
}

TEST_F(Sending, AMessageThatIsTakenInNoFormIsToldElsewhere) {
  sender.configure({slack("ops")});
  for (int form = 0; form < 3; ++form) hosts["ops"].answer({http("400 Bad Request", "invalid_blocks")});
  sender.enqueue({message("ops")});
  run_until([&] { return !troubles.empty(); });
  ASSERT_EQ(delivered.size(), 1u);
  EXPECT_FALSE(delivered[0].accepted);
  EXPECT_EQ(troubles[0].except, "ops");
  EXPECT_THAT(troubles[0].summary, HasSubstr("invalid_blocks"));
}

TEST_F(Sending, ALostAnswerMakesTheRepeatSaySo) {
  sender.configure({slack("ops")});
  hosts["ops"].answer({});
  hosts["ops"].answer({http("200 OK", "ok")});
  sender.enqueue({message("ops")});
  run_until_delivered(1);
  const std::string& sent = hosts["ops"].sent;
  const auto second = sent.find("POST", 1);
  ASSERT_NE(second, std::string::npos);
  EXPECT_THAT(sent.substr(0, second), Not(HasSubstr("You may have had this message before")));
  EXPECT_THAT(sent.substr(second), HasSubstr("You may have had this message before"));
}

TEST_F(Sending, ARefusedConnectionIsNoReasonToSpeakOfARepeat) {
  sender.configure({slack("ops")});
  hosts["ops"].refuse(probes::ProbeFailure(Outcome::refused, "connect_refused", "connection refused"));
  hosts["ops"].answer({http("200 OK", "ok")});
  sender.enqueue({message("ops")});
  run_until_delivered(1);
  EXPECT_THAT(hosts["ops"].sent, Not(HasSubstr("You may have had this message before")));
}

TEST_F(Sending, ARedirectIsNeverFollowed) {
  sender.configure({slack("ops")});
  hosts["ops"].answer({http("307 Temporary Redirect", "", "Location: http://elsewhere/\r\n")});
  sender.enqueue({message("ops")});
  run_until([&] { return !troubles.empty(); });
  EXPECT_TRUE(hosts["elsewhere"].targets.empty());
}

TEST_F(Sending, MessagesForReceiversThatAreGoneAreToldAsRefused) {
  sender.configure({slack("silent"), slack("ops")});
  sender.enqueue({message("silent", 1), message("silent", 2, NotificationKind::recovery), message("nobody")});
  run_until_delivered(1);
  EXPECT_EQ(delivered[0].id.receiver, "nobody");
  EXPECT_FALSE(delivered[0].accepted);

  sender.configure({slack("ops")});
  run_until_delivered(2);
  EXPECT_EQ(delivered[1].id.text(), "incident/2/silent");  // the first is out and may yet be taken
  EXPECT_FALSE(delivered[1].accepted);
  EXPECT_THAT(delivered[1].why, HasSubstr("removed"));
}

TEST_F(Sending, ASecretThatCannotBeReadStopsTheReceiverWithItsSentence) {
  sender.configure({receiver("ops", "slack", "webhook: { file: /nonexistent/webhook }")});
  sender.enqueue({message("ops")});
  run_until([&] { return !troubles.empty(); });
  EXPECT_THAT(troubles[0].summary, HasSubstr("file /nonexistent/webhook"));
  EXPECT_EQ(sender.views()[0].pending, 1u);
}

TEST_F(Sending, ATestSendsAProblemAndItsRecovery) {
  sender.configure({slack("ops")});
  hosts["ops"].answer({http("200 OK", "ok")});
  hosts["ops"].answer({http("200 OK", "ok")});
  EXPECT_THAT(run_test("ops"), HasSubstr("receiver ops took"));
  EXPECT_THAT(hosts["ops"].sent, HasSubstr("this is a test of receiver ops"));
  EXPECT_THAT(hosts["ops"].sent, HasSubstr("Recovered:"));
  EXPECT_TRUE(delivered.empty()) << "the engine has no business with it";
}

TEST_F(Sending, ATestThatFailsSaysWhy) {
  sender.configure({slack("ops")});
  hosts["ops"].answer({http("403 Forbidden", "invalid_token")});
  EXPECT_THAT(run_test("ops"), HasSubstr("failed: receiver ops: did not take the test message: Slack answered 403"));
  EXPECT_THAT(run_test("obs"), HasSubstr("did you mean 'ops'?"));
}

TEST_F(Sending, DrainingEndsWhenNothingMoreCanGo) {
  sender.configure({slack("ops"), slack("refuser")});
  hosts["ops"].answer({http("200 OK", "ok")});
  hosts["refuser"].answer({http("410 Gone", "channel_is_archived")});
  sender.enqueue({message("ops"), message("refuser")});
  bool drained = false;
  asio::co_spawn(loop, sender.drained(clock.now().steady + 60s), [&](std::exception_ptr) { drained = true; });
  run_until([&] { return drained; });
  EXPECT_EQ(delivered.size(), 1u);
  EXPECT_EQ(troubles.size(), 1u);
}

TEST_F(Sending, DrainingEndsAtItsDeadlineWhateverHangs) {
  sender.configure({slack("silent")});
  sender.enqueue({message("silent")});
  bool drained = false;
  asio::co_spawn(loop, sender.drained(clock.now().steady + 50ms), [&](std::exception_ptr) { drained = true; });
  run_until([&] { return drained; });
  EXPECT_TRUE(delivered.empty());
}

TEST_F(Sending, AnAttemptEndsWhenItsPatienceDoes) {
  std::optional<Judgement> judgement;
  AttemptContext context{hosts, clock, slack("silent").notifier, message("silent"), "", alerting::Form::full};
  start_attempt(loop.get_executor(), std::move(context), 20ms, [&](Judgement made) { judgement = std::move(made); });
  run_until([&] { return judgement.has_value(); });
  EXPECT_EQ(judgement->kind, Judgement::Kind::retry);
  EXPECT_THAT(judgement->why, HasSubstr("no answer within 20 ms"));
  EXPECT_FALSE(judgement->perhaps_taken);
}

TEST_F(Sending, AnAddressThatCannotBeUsedIsNotRepeatedInTheSentence) {
  std::optional<Judgement> judgement;
  const auto wrong = receiver("ops", "slack", "webhook: http://ops:99999/hidden");
  start_attempt(loop.get_executor(), {hosts, clock, wrong.notifier, message("ops"), "", alerting::Form::full}, 1s,
                [&](Judgement made) { judgement = std::move(made); });
  run_until([&] { return judgement.has_value(); });
  EXPECT_EQ(judgement->kind, Judgement::Kind::refused);
  EXPECT_THAT(judgement->why, Not(HasSubstr("hidden")));
}

}  // namespace
}  // namespace vitald::daemon
