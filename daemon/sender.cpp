#include "daemon/sender.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "config/reader.hpp"
#include "config/units.hpp"
#include "daemon/attempt.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using alerting::Judgement;

namespace {

constexpr Duration attempt_patience = 15s;
constexpr Duration trouble_after = 2min;  // of nothing but failures; a receiver that refuses is told of at once

}  // namespace

struct Sender::Lane {
  Lane(const asio::any_io_executor& loop, ReceiverPlan given, std::uint64_t seed)
      : plan(std::move(given)), queue(plan.name, plan.policy, seed), timer(loop) {}

  ReceiverPlan plan;
  alerting::DeliveryQueue queue;
  asio::steady_timer timer;
  bool out = false;      // an attempt is under way
  bool removed = false;  // no longer configured; its last attempt may still be out
  std::optional<Steady> failing_since;
  bool in_trouble = false;
  bool proven = false;  // took a message since this process began
};

Sender::Sender(asio::any_io_executor loop, net::Network& network, const Clock& clock, Instruments& instruments,
               Callbacks callbacks, std::uint64_t seed)
    : loop_(std::move(loop)),
      network_(network),
      clock_(clock),
      instruments_(instruments),
      callbacks_(std::move(callbacks)),
      seed_(seed) {}

Sender::~Sender() = default;

void Sender::configure(const std::vector<ReceiverPlan>& receivers) {
  auto old = std::exchange(lanes_, {});
  for (const ReceiverPlan& plan : receivers) {
    if (const auto known = old.find(plan.name); known != old.end()) {
      known->second->plan = plan;
      known->second->queue.change(plan.policy);
      known->second->queue.resume(clock_.now());
      lanes_.insert(old.extract(known));
    } else {
      lanes_.emplace(plan.name, std::make_shared<Lane>(loop_, plan, seed_ += 0x9e3779b97f4a7c15ULL));
    }
  }
  for (const auto& [name, lane] : old) {
    lane->removed = true;
    lane->timer.cancel();
    for (auto& given_up : lane->queue.abandon("the receiver was removed from the configuration"))
      tell(std::move(given_up));
    if (lane->in_trouble) {
      asio::post(loop_, [this, name = name] {
        callbacks_.recovered({"receiver:" + name, "receiver " + name + " was removed"});
      });
    }
  }
  for (const auto& [name, lane] : lanes_) pump(lane);
}

void Sender::enqueue(std::vector<alerting::Notification> notifications) {
  const Now now = clock_.now();
  for (alerting::Notification& notification : notifications) {
    const auto lane = lanes_.find(notification.id.receiver);
    if (lane == lanes_.end()) {
      tell({notification.id, false, "the receiver is not in the configuration", ""});
      continue;
    }
    lane->second->queue.add(std::move(notification), now);
    pump(lane->second);
  }
}

/// Posted, so that the engine never hears of a delivery in the middle of the step that asked for it.
void Sender::tell(alerting::Delivered delivered) {
  asio::post(loop_, [this, delivered = std::move(delivered)]() mutable { callbacks_.delivered(std::move(delivered)); });
}

void Sender::pump(const std::shared_ptr<Lane>& lane) {
  if (lane->out || lane->removed) return;
  const Now now = clock_.now();
  for (auto& given_up : lane->queue.prune(now)) {
    instruments_.notification(lane->plan.name, "dropped");
    tell(std::move(given_up));
  }
  if (auto attempt = lane->queue.next(now)) {
    lane->out = true;
    const auto handle = callbacks_.handle ? callbacks_.handle(attempt->notification.id) : alerting::Handle();
    start_attempt(loop_,
                  {network_, clock_, lane->plan.notifier, std::move(attempt->notification), handle, attempt->form},
                  attempt_patience, [this, lane](Judgement judgement) { attempted(lane, judgement); });
    return;
  }
  const auto next = lane->queue.next_at();
  if (!next) return;
  lane->timer.expires_at(*next);
  lane->timer.async_wait([this, lane](const boost::system::error_code& error) {
    if (!error) pump(lane);
  });
}

void Sender::attempted(const std::shared_ptr<Lane>& lane, const Judgement& judgement) {
  const auto settled = lane->queue.settle(judgement, clock_.now());
  const bool accepted = judgement.kind == Judgement::Kind::accepted;
  instruments_.notification(lane->plan.name, accepted                           ? "accepted"
                                             : lane->queue.stopped() || settled ? "refused"
                                                                                : "retried");
  judge_health(*lane, judgement);
  if (settled) callbacks_.delivered(*settled);
  if (settled && !settled->accepted) tell_of_lost_message(*lane, judgement);
  if (lane->removed) {
    for (auto& given_up : lane->queue.abandon("the receiver was removed from the configuration"))
      tell(std::move(given_up));
  }
  auto go_on = [this, lane] {
    lane->out = false;
    pump(lane);
  };
  if (settled && callbacks_.when_saved) {
    callbacks_.when_saved(std::move(go_on));
  } else {
    go_on();
  }
}

void Sender::judge_health(Lane& lane, const Judgement& judgement) {
  const std::string& name = lane.plan.name;
  const std::string key = "receiver:" + name;
  if (judgement.kind ==
      Judgement::Kind::malformed) {  // it talks to us, but only a message that it takes ends a trouble
    lane.failing_since.reset();
    return;
  }
  if (judgement.kind == Judgement::Kind::accepted) {
    lane.failing_since.reset();
    // The first message that is taken may end a trouble that an earlier process had told of.
    if (std::exchange(lane.in_trouble, false) || !std::exchange(lane.proven, true))
      callbacks_.recovered({key, "receiver " + name + " takes messages again"});
    return;
  }
  const Steady now = clock_.now().steady;
  if (!lane.failing_since) lane.failing_since = now;
  if (lane.in_trouble || lane.removed) return;
  if (lane.queue.stopped()) {
    lane.in_trouble = true;
    callbacks_.trouble(
        {key, Severity::p1, "receiver " + name + " refuses every message: " + judgement.why,
         "correct receiver " + name + " in the configuration and reload; what it missed is kept and sent then", name});
  } else if (now - *lane.failing_since >= trouble_after) {
    lane.in_trouble = true;
    callbacks_.trouble({key, Severity::p1,
                        "receiver " + name + " has taken no message for " + say_duration(now - *lane.failing_since) +
                            ": " + judgement.why,
                        "vitald goes on trying; messages are kept for 7 days", name});
  }
}

/// A message that the receiver took in no form: whoever relies on it must hear of it elsewhere (docs/guarantees.md
/// R10).
void Sender::tell_of_lost_message(Lane& lane, const Judgement& judgement) {
  if (lane.in_trouble || lane.removed) return;
  lane.in_trouble = true;
  const std::string& name = lane.plan.name;
  callbacks_.trouble({"receiver:" + name, Severity::p2,
                      "receiver " + name + " could not be given a message: " + judgement.why,
                      "look at the open incidents (vitald incidents): one of them was not told there", name});
}

std::vector<ReceiverView> Sender::views() const {
  std::vector<ReceiverView> views;
  for (const auto& [name, lane] : lanes_) {
    views.push_back({name, std::string(lane->plan.kind->name), lane->queue.size(), lane->queue.stopped(),
                     lane->queue.why(), lane->queue.oldest()});
  }
  return views;
}

// --- a message to try a receiver with ---

namespace {

alerting::Notification test_message(const std::string& receiver, const std::string& instance, Wall now, bool recovery) {
  alerting::Notification message;
  message.id = {"test" + std::to_string(now.time_since_epoch().count()), recovery ? 2U : 1U, receiver};
  message.kind = recovery ? alerting::NotificationKind::recovery : alerting::NotificationKind::problem;
  message.severity = Severity::p3;
  message.status = recovery ? Status::ok : Status::warning;
  message.instance = instance;
  message.check = "test-notify";
  message.probe = "test";
  message.summary = recovery ? "the test is over" : "this is a test of receiver " + receiver + ", nothing is wrong";
  message.opened = message.at = now;
  return message;
}

struct Answer {
  explicit Answer(const asio::any_io_executor& loop) : arrived(loop, Steady::max()) {}
  asio::steady_timer arrived;  // cancelled when the judgement is there
  Judgement judgement;
};

}  // namespace

asio::awaitable<Result<std::string>> Sender::test(std::string receiver, std::string instance) {
  const auto lane = lanes_.find(receiver);
  if (lane == lanes_.end()) {
    std::vector<std::string> names;
    for (const auto& [name, known] : lanes_) names.push_back(name);
    const std::string near = config::suggestion(receiver, names);
    co_return Failure{
        "", "no receiver is named '" + receiver + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?")};
  }
  const auto notifier = lane->second->plan.notifier;
  const Wall now = clock_.now().wall;
  for (const bool recovery : {false, true}) {
    const auto answer = std::make_shared<Answer>(loop_);
    AttemptContext context{
        network_, clock_, notifier, test_message(receiver, instance, now, recovery), "", alerting::Form::full};
    start_attempt(loop_, std::move(context), attempt_patience, [answer](Judgement judgement) {
      answer->judgement = std::move(judgement);
      answer->arrived.cancel();
    });
    boost::system::error_code arrived;
    co_await answer->arrived.async_wait(asio::redirect_error(asio::use_awaitable, arrived));
    if (answer->judgement.kind != Judgement::Kind::accepted) {
      co_return Failure{
          "receiver " + receiver,
          "did not take the " + std::string(recovery ? "recovery" : "test message") + ": " + answer->judgement.why};
    }
  }
  co_return "receiver " + receiver + " took a test problem and its recovery";
}

// --- the end ---

bool Sender::busy() const {
  const Steady now = clock_.now().steady;
  return std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& entry) {
    const auto next = entry.second->queue.next_at();
    return entry.second->out || (next && *next <= now);
  });
}

asio::awaitable<void> Sender::drained(Steady until) {
  asio::steady_timer turn(loop_);
  while (busy() && clock_.now().steady < until) {
    turn.expires_after(20ms);
    boost::system::error_code ended;
    co_await turn.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  }
}

}  // namespace vitald::daemon
