// The queue of one receiver, without the I/O: what to send next, what an answer means for the message and for the
// queue. Pure, so that the simulator drives the same code as the sender.
//
// Order: of one incident, a message goes out only when its predecessor is settled; other incidents may overtake a
// message that waits for its next try. Among incidents that are due, the worse severity goes first, then the older
// message. A `refused` receiver stops its queue (messages are kept, the daemon is told); a malformed message steps down
// through Form and is then settled as refused, and the queue flows on.
//
// Nothing leaves the queue silently: settle() and prune() tell of each message exactly once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "alerting/notification.hpp"
#include "alerting/notifiers/notifier.hpp"
#include "config/now.hpp"

namespace vitald::alerting {

struct RetryPolicy {
  Duration first = std::chrono::seconds(2);
  Duration longest = std::chrono::minutes(5);
  Duration between = std::chrono::seconds(1);  // the vendor's pace: at most one message in this time
  Duration keep = std::chrono::hours(24 * 7);  // after that a message that was never taken is given up
  std::size_t most = 100'000;                  // messages; recoveries are taken beyond it, since they end something
  std::size_t most_bytes = 256u << 20;         // what they may weigh together
};

/// What to do now for one receiver.
struct Attempt {
  Notification notification;
  Form form = Form::full;
  int number = 1;  // of this message
};

class DeliveryQueue {
 public:
  /// `seed` drives the jitter.
  DeliveryQueue(std::string receiver, RetryPolicy policy, std::uint64_t seed);

  /// A message that is in the queue already (same id) is not taken twice.
  void add(Notification notification, const Now& now);
  /// The message to send now, or nothing. At most one is out at a time; each must be answered by settle().
  std::optional<Attempt> next(const Now& now);
  /// When next() may have something, or nothing while it is empty, busy or stopped.
  std::optional<Steady> next_at() const;
  /// The answer to the attempt that is out. What is to be told to the engine, or nothing when it will be tried again.
  std::optional<Delivered> settle(const Judgement& judgement, const Now& now);
  /// What the queue gives up by itself, to be told to the engine: messages that a newer one of the same incident makes
  /// pointless (`accepted`, since nothing is wrong with the receiver; `why` says "superseded"), messages that were
  /// tried for `keep` (refused), and those that had no room (refused). Never the one that is out, never a problem or an
  /// escalation that its recovery follows: a pager gets both, in order.
  std::vector<Delivered> prune(const Now& now);
  /// Gives up everything but the message that is out: the receiver is gone.
  std::vector<Delivered> abandon(const std::string& why);
  /// The configuration changed: a stopped queue starts again, each message in full. No effect on one that is not
  /// stopped.
  void resume(const Now& now);
  /// A reload changed the pace or the limits.
  void change(RetryPolicy policy) { policy_ = policy; }

  bool stopped() const { return stopped_; }  // by `refused`; `why` tells
  const std::string& why() const { return why_; }
  std::size_t size() const { return entries_.size(); }  // the one that is out included
  std::optional<Wall> oldest() const;

 private:
  using Key = std::pair<IncidentId, std::uint32_t>;  // incident and sequence: the order within an incident
  using Rank = std::tuple<Severity, std::uint64_t, IncidentId>;

  struct Entry {
    Notification notification;
    Form form = Form::full;
    int tries = 0;
    std::uint64_t arrival = 0;
    std::size_t bytes = 0;
  };
  /// One incident's messages: where its first one stands, `due_` or `waiting_`.
  struct Lane {
    Steady due{};
    std::optional<Rank> rank = {};  // in due_
    bool waiting = false;           // in waiting_
  };
  using Entries = std::map<Key, Entry>;

  Entries::iterator head(const IncidentId& incident) { return entries_.lower_bound(Key(incident, 0)); }
  bool is_out(const IncidentId& incident) const { return out_ && out_->first == incident; }
  void place(IncidentId incident, Steady due);
  void unplace(const IncidentId& incident, Lane& lane);
  void wake_all();
  Entries::iterator remove(Entries::iterator entry);
  Entries::iterator drop(Entries::iterator entry, bool accepted, const std::string& why);
  void drop_lane(const IncidentId& incident, const std::string& why);
  void drop_superseded();
  void drop_superseded(const IncidentId& incident);
  void drop_expired(const Now& now);
  bool full() const { return entries_.size() >= policy_.most || bytes_ >= policy_.most_bytes; }
  bool make_room(const Notification& incoming);
  std::optional<IncidentId> least_of_the_oldest(const Notification& incoming) const;
  Delivered give_up(Entries::iterator entry, std::string why);
  void back_off(Entries::iterator entry, const Judgement& judgement, const Now& now);
  Duration jitter(Duration most);

  std::string receiver_;
  RetryPolicy policy_;
  std::uint64_t random_;
  std::uint64_t arrivals_ = 0;
  Entries entries_;
  std::map<IncidentId, Lane> lanes_;
  std::set<Rank> due_;                               // lanes that may go out as soon as the pace allows
  std::set<std::pair<Steady, IncidentId>> waiting_;  // lanes that wait for their next try
  std::set<std::pair<Wall, Key>> ages_;              // every entry, oldest first
  std::set<IncidentId> superseded_;                  // lanes in which a newer message may make older ones pointless
  std::vector<Delivered> given_up_;                  // for prune() to hand out
  std::optional<Key> out_;
  std::size_t bytes_ = 0;
  Steady not_before_{};
  int failures_in_a_row_ = 0;
  bool stopped_ = false;
  std::string why_;
};

}  // namespace vitald::alerting
