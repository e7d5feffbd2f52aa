#include "alerting/deliver.hpp"

#include <algorithm>
#include <utility>

#include "config/units.hpp"

namespace vitald::alerting {
namespace {

/// So many passing failures in a row mean that the receiver is in trouble, and not one message.
constexpr int failures_that_mean_trouble = 3;
constexpr Duration longest_wish = std::chrono::hours(1);  // of a Retry-After (docs/guarantees.md R10)

std::size_t weight(const Notification& note) {
  std::size_t bytes =
      sizeof(Notification) + note.summary.size() + note.cause.size() + note.remedy.size() + note.runbook.size();
  for (const Evidence& piece : note.evidence) bytes += sizeof(Evidence) + piece.label.size() + piece.text.size();
  for (const std::string& name : note.affected) bytes += sizeof(std::string) + name.size();
  for (const auto& [name, value] : note.labels) bytes += 2 * sizeof(std::string) + name.size() + value.size();
  return bytes;
}

/// first, 2 × first, 4 × first … up to longest.
Duration ladder(Duration first, Duration longest, int step) {
  Duration length = std::min(first, longest);
  for (int i = 1; i < step && length < longest; ++i) length = std::min(length * 2, longest);
  return length;
}

}  // namespace

DeliveryQueue::DeliveryQueue(std::string receiver, RetryPolicy policy, std::uint64_t seed)
    : receiver_(std::move(receiver)), policy_(policy), random_(seed) {}

void DeliveryQueue::add(Notification notification, const Now& now) {
  Key key(notification.id.incident, notification.id.sequence);
  if (entries_.contains(key)) return;
  if (full() && !make_room(notification)) {
    given_up_.push_back({notification.id, false, "the queue of " + receiver_ + " is full", ""});
    return;
  }
  const auto lane = lanes_.find(key.first);
  const Steady due = lane == lanes_.end() ? now.steady : lane->second.due;
  if (lane != lanes_.end()) superseded_.insert(key.first);
  Entry entry{std::move(notification), Form::full, 0, ++arrivals_, 0};
  entry.bytes = weight(entry.notification);
  bytes_ += entry.bytes;
  ages_.emplace(entry.notification.at, key);
  entries_.emplace(key, std::move(entry));
  place(std::move(key.first), due);
}

std::optional<Attempt> DeliveryQueue::next(const Now& now) {
  if (out_ || stopped_) return std::nullopt;
  while (!waiting_.empty() && waiting_.begin()->first <= now.steady) {
    const IncidentId incident = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    Lane& lane = lanes_.at(incident);
    const Entry& first = head(incident)->second;
    lane.waiting = false;
    lane.rank = Rank(first.notification.severity, first.arrival, incident);
    due_.insert(*lane.rank);
  }
  if (due_.empty() || now.steady < not_before_) return std::nullopt;
  const auto entry = head(std::get<2>(*due_.begin()));
  unplace(entry->first.first, lanes_.at(entry->first.first));
  out_ = entry->first;
  not_before_ = now.steady + policy_.between;
  ++entry->second.tries;
  return Attempt{entry->second.notification, entry->second.form, entry->second.tries};
}

std::optional<Steady> DeliveryQueue::next_at() const {
  if (out_ || stopped_) return std::nullopt;
  if (!due_.empty()) return not_before_;
  if (waiting_.empty()) return std::nullopt;
  return std::max(not_before_, waiting_.begin()->first);
}

std::optional<Delivered> DeliveryQueue::settle(const Judgement& judgement, const Now& now) {
  if (!out_) return std::nullopt;
  const auto entry = entries_.find(*out_);
  out_.reset();
  if (judgement.perhaps_taken) entry->second.notification.may_repeat = true;
  if (judgement.kind == Judgement::Kind::retry) {
    ++failures_in_a_row_;
    if (now.wall - entry->second.notification.at > policy_.keep) {
      return give_up(entry, "it was tried for " + say_duration(policy_.keep) + "; the last answer: " + judgement.why);
    }
    back_off(entry, judgement, now);
    return std::nullopt;
  }
  const bool was_in_trouble = std::exchange(failures_in_a_row_, 0) >= failures_that_mean_trouble;
  switch (judgement.kind) {
    case Judgement::Kind::malformed:
      if (entry->second.form == Form::minimal) return give_up(entry, judgement.why);
      entry->second.form = entry->second.form == Form::full ? Form::trimmed : Form::minimal;
      place(entry->first.first, now.steady);
      return std::nullopt;
    case Judgement::Kind::refused:
      stopped_ = true;
      why_ = judgement.why;
      entry->second.form = Form::full;
      place(entry->first.first, now.steady);
      return std::nullopt;
    case Judgement::Kind::accepted:
    case Judgement::Kind::retry:
      break;
  }
  Delivered delivered{entry->second.notification.id, true, "", judgement.handle};
  const IncidentId incident = entry->first.first;
  remove(entry);
  place(incident, now.steady);
  if (was_in_trouble) wake_all();
  return delivered;
}

/// Of one message: exponential with full jitter, so that many hosts do not come back in step. Of the whole receiver:
/// what it asked for; and where failure follows failure, a pause of its own, since trying a hundred incidents in turn
/// would be no back-off at all.
void DeliveryQueue::back_off(Entries::iterator entry, const Judgement& judgement, const Now& now) {
  Steady due = now.steady + jitter(ladder(policy_.first, policy_.longest, entry->second.tries));
  if (judgement.after) {
    const Duration wish = std::clamp(*judgement.after, Duration::zero(), longest_wish);
    not_before_ = std::max(not_before_, now.steady + wish);
    due = now.steady + wish + jitter(policy_.first);
  }
  if (failures_in_a_row_ >= failures_that_mean_trouble) {
    const Duration pause =
        ladder(policy_.first, policy_.longest / 10, failures_in_a_row_ - failures_that_mean_trouble + 1);
    not_before_ = std::max(not_before_, now.steady + pause / 2 + jitter(pause / 2));
  }
  superseded_.insert(entry->first.first);  // while it was out, a newer message may have made it pointless
  place(entry->first.first, due);
}

/// A message that will never be taken. Where it was the problem itself, what is queued behind it goes as well: a
/// receiver that was never told of an incident shall not hear of its end.
Delivered DeliveryQueue::give_up(Entries::iterator entry, std::string why) {
  Delivered delivered{entry->second.notification.id, false, std::move(why), ""};
  const IncidentId incident = entry->first.first;
  const bool never_told = entry->second.notification.kind == NotificationKind::problem;
  const Steady due = lanes_.at(incident).due;
  remove(entry);
  if (never_told) drop_lane(incident, "the problem it belongs to could not be told: " + delivered.why);
  place(incident, due);
  return delivered;
}

void DeliveryQueue::resume(const Now& now) {
  if (!stopped_) return;  // what waits for its time, or for the time that the receiver asked for, goes on waiting
  stopped_ = false;
  why_.clear();
  failures_in_a_row_ = 0;
  for (auto& [incident, lane] : lanes_) {
    if (is_out(incident)) continue;
    const auto first = head(incident);
    first->second.form = Form::full;
    first->second.tries = 0;
    place(incident, now.steady);
  }
}

std::optional<Wall> DeliveryQueue::oldest() const {
  if (ages_.empty()) return std::nullopt;
  return ages_.begin()->first;
}

/// Puts the lane where its first message belongs; a lane without messages ends. By value: the caller's id may be the
/// key of what is erased here.
void DeliveryQueue::place(IncidentId incident, Steady due) {
  Lane& lane = lanes_[incident];
  unplace(incident, lane);
  const auto first = head(incident);
  if (first == entries_.end() || first->first.first != incident) {
    lanes_.erase(incident);
    superseded_.erase(incident);
    return;
  }
  lane.due = due;
  lane.waiting = true;
  waiting_.emplace(due, std::move(incident));
}

void DeliveryQueue::unplace(const IncidentId& incident, Lane& lane) {
  if (lane.rank) due_.erase(*lane.rank);
  if (lane.waiting) waiting_.erase({lane.due, incident});
  lane.rank.reset();
  lane.waiting = false;
}

/// The receiver is back: nobody waits out a back-off that was meant for its trouble. The pace still holds.
void DeliveryQueue::wake_all() {
  const auto asleep = std::exchange(waiting_, {});
  for (const auto& [due, incident] : asleep) {
    lanes_.at(incident).waiting = false;
    place(incident, Steady{});
  }
}

DeliveryQueue::Entries::iterator DeliveryQueue::remove(Entries::iterator entry) {
  bytes_ -= entry->second.bytes;
  ages_.erase({entry->second.notification.at, entry->first});
  return entries_.erase(entry);
}

DeliveryQueue::Entries::iterator DeliveryQueue::drop(Entries::iterator entry, bool accepted, const std::string& why) {
  given_up_.push_back({entry->second.notification.id, accepted, why, ""});
  const IncidentId incident = entry->first.first;
  const Steady due = lanes_.at(incident).due;
  const auto after = remove(entry);
  place(incident, due);
  return after;
}

/// 0 … most, evenly. SplitMix64 (Steele, Lea, Flood 2014): one word of state, and equal seeds give equal histories.
Duration DeliveryQueue::jitter(Duration most) {
  random_ += 0x9E3779B97F4A7C15u;
  std::uint64_t mixed = random_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  mixed ^= mixed >> 31;
  const auto range = static_cast<std::uint64_t>(std::max<Duration::rep>(most.count(), 0)) + 1;
  return Duration(static_cast<Duration::rep>(mixed % range));
}

}  // namespace vitald::alerting
