// The second half of the road: committed effects become messages, messages are sent, answers come back.
#include <algorithm>

#include "tests/sim/simulation.hpp"

namespace vitald::sim {

using namespace std::chrono_literals;
using namespace alerting;

void Simulation::commit() {
  commit_planned_ = false;
  const std::vector<Effects> group = std::exchange(uncommitted_, {});
  std::vector<Channel*> free;
  for (const Effects& effects : group) {
    if (!commit_records_and_messages(effects)) return;
    for (const auto& channel : channels_) {
      auto& out = channel->out;
      if (!out || std::find(effects.settled.begin(), effects.settled.end(), *out) == effects.settled.end()) continue;
      out.reset();
      free.push_back(channel.get());
    }
  }
  if (may_die(4, "between committing and sending")) return;
  for (const Effects& effects : group) {
    for (const Notification& message : effects.outbox) {
      Channel* channel = channel_of(message.id.receiver);
      if (channel == nullptr) continue;  // removed since this was decided
      channel->queue->add(message, now());
      free.push_back(channel);
    }
  }
  for (Channel* channel : free) poke(*channel);
}

bool Simulation::commit_records_and_messages(const Effects& effects) {
  if (fault_ == Fault::two_transactions) {
    Effects records = effects, messages;
    std::swap(records.outbox, messages.outbox);
    store_.commit(records);
    judge_committed(records);
    if (!effects.outbox.empty() && may_die(20, "between two transactions")) return false;
    store_.commit(messages);
    judge_committed(messages);
    return true;
  }
  store_.commit(effects);
  judge_committed(effects);
  return true;
}

void Simulation::poke(Channel& channel) {
  // The settling of the message before must be safe first: else a crash would repeat an older message after a newer
  // one.
  if (!alive_ || !channel.queue || channel.out) return;
  for (const Delivered& given_up : channel.queue->prune(now())) {
    if (given_up.why.find("supersed") != std::string::npos) saw("a message was superseded");
    step(given_up);
    if (!alive_) return;
  }
  const auto attempt = channel.queue->next(now());
  if (!attempt) {
    const auto next = channel.queue->next_at();
    if (next) later(std::max(*next - agenda_.now(), Duration(1ms)), [this, &channel] { poke(channel); });
    return;
  }
  channel.out = attempt->notification.id;
  if (fault_ == Fault::mark_before_send) {
    Effects marked;
    marked.settled.push_back(attempt->notification.id);
    store_.commit(marked);
  }
  if (may_die(5, "between taking a message and sending it")) return;
  later(random_.between(Duration(1ms), Duration(300ms)),
        [this, &channel, attempt = *attempt] { send(channel, attempt); });
}

void Simulation::send(Channel& channel, const Attempt& attempt) {
  if (!channel.queue) return;  // removed meanwhile
  const Receiver::Answer answer = channel.receiver.receive(attempt, channel.mood, random_);
  log("sent " + attempt.notification.id.text() + " " + std::string(to_string(attempt.notification.kind)) + " " +
      answer.judgement.why);
  if (answer.taken) judge_receipt(channel, attempt.notification);
  switch (channel.mood) {
    case Receiver::Mood::answer_lost:
      ++excuses_[attempt.notification.id];
      saw("an answer was lost after the message was taken");
      break;
    case Receiver::Mood::too_many:
      saw("429");
      break;
    case Receiver::Mood::malformed:
      saw("a malformed message stepped down");
      break;
    case Receiver::Mood::slow:
      saw("a slow answer");
      break;
    default:
      break;
  }
  if (may_die(answer.taken ? 30 : 5, "between sending and settling")) return;
  later(answer.after, [this, &channel, judgement = answer.judgement] { answered(channel, judgement); });
}

void Simulation::answered(Channel& channel, const Judgement& judgement) {
  if (!channel.queue) return;
  const auto delivered = channel.queue->settle(judgement, now());
  if (delivered) {
    step(*delivered);  // channel.out is freed when that is committed
    return;
  }
  channel.out.reset();
  if (channel.queue->stopped()) {
    saw("a receiver refused and its queue stopped");
    step(SelfTrouble{"receiver:" + channel.name, Severity::p1, channel.name + " refuses every message", "",
                     channel.name});
  }
  poke(channel);
}

}  // namespace vitald::sim
