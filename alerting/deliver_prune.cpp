// What a queue gives up by itself: superseded, expired, no room, receiver gone.
#include <utility>

#include "alerting/deliver.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

/// How many of the oldest entries one call looks at: bounds the work of a call, not what is found in the end.
constexpr int looked_at = 64;

}  // namespace

std::vector<Delivered> DeliveryQueue::prune(const Now& now) {
  drop_superseded();
  drop_expired(now);
  return std::exchange(given_up_, {});
}

std::vector<Delivered> DeliveryQueue::abandon(const std::string& why) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = out_ == entry->first ? std::next(entry) : drop(entry, false, why);
  }
  return std::exchange(given_up_, {});
}

/// All of one incident but the message that is out.
void DeliveryQueue::drop_lane(const IncidentId& incident, const std::string& why) {
  auto entry = head(incident);
  while (entry != entries_.end() && entry->first.first == incident) {
    entry = out_ == entry->first ? std::next(entry) : drop(entry, false, why);
  }
}

void DeliveryQueue::drop_superseded() {
  for (const IncidentId& incident : std::exchange(superseded_, {})) drop_superseded(incident);
}

void DeliveryQueue::drop_superseded(const IncidentId& incident) {
  bool followed = false;           // by anything: a reminder says nothing that it does not
  bool followed_by_state = false;  // by an update or the recovery: they carry the newer state
  bool told_instead = false;       // by a digest: it says all, to somebody who has heard nothing of the incident
  auto entry = entries_.upper_bound(Key(incident, UINT32_MAX));
  while (entry != entries_.begin()) {
    --entry;
    if (entry->first.first != incident) return;
    const NotificationKind kind = entry->second.notification.kind;
    const bool pointless = (kind == NotificationKind::reminder && followed) ||
                           (kind == NotificationKind::update && followed_by_state) ||
                           (told_instead && !entry->second.notification.may_repeat);
    told_instead = told_instead || kind == NotificationKind::digest;
    followed = true;
    followed_by_state = followed_by_state || kind == NotificationKind::update || kind == NotificationKind::recovery;
    if (pointless && out_ != entry->first) {
      entry = drop(entry, true, "superseded by a newer message of the same incident");
    }
  }
}

/// Messages that were tried in vain for `keep`, or that a stopped receiver kept for so long. One that has not been
/// tried by this process gets its try first: after a long time off, or a jump of the wall clock, nothing is thrown away
/// unseen.
void DeliveryQueue::drop_expired(const Now& now) {
  std::vector<Key> expired;
  int left = looked_at;
  for (const auto& [at, key] : ages_) {
    if (now.wall - at <= policy_.keep || left-- == 0) break;
    if (out_ != key && (stopped_ || entries_.at(key).tries > 0)) expired.push_back(key);
  }
  for (const Key& key : expired) {
    const auto entry = entries_.find(key);
    if (entry == entries_.end()) continue;  // it went with the problem before it
    std::string why = "it could not be delivered for " + say_duration(policy_.keep);
    if (stopped_) why += ": " + why_;
    given_up_.push_back(give_up(entry, std::move(why)));
  }
}

/// Makes room for `incoming`, or says that there is none. First go messages that newer ones made pointless; then, of
/// the oldest incidents that the receiver has not heard of, the least severe, whole.
bool DeliveryQueue::make_room(const Notification& incoming) {
  drop_superseded();
  for (int round = 0; full() && round < looked_at; ++round) {
    if (incoming.kind == NotificationKind::recovery) return true;
    const auto incident = least_of_the_oldest(incoming);
    if (!incident) return false;
    drop_lane(*incident, "the queue of " + receiver_ + " is full and newer or worse incidents needed the room");
  }
  return !full();
}

std::optional<IncidentId> DeliveryQueue::least_of_the_oldest(const Notification& incoming) const {
  const Entry* least = nullptr;
  int left = looked_at;
  for (const auto& [at, key] : ages_) {
    if (left-- == 0) break;
    const Entry& entry = entries_.at(key);
    const Notification& note = entry.notification;
    const bool untold = note.kind == NotificationKind::problem && entry.tries == 0;
    if (!untold || key.first == incoming.id.incident || note.severity < incoming.severity) continue;
    if (least == nullptr || least->notification.severity < note.severity) least = &entry;
  }
  if (least == nullptr) return std::nullopt;
  return least->notification.id.incident;
}

}  // namespace vitald::alerting
