// The queue of one receiver, without the I/O: what to send next, what an answer means for the message and for the
// queue. Pure, so that the simulator drives the same code as the sender.
//
// Order: of one incident, a message goes out only when its predecessor is settled; other incidents may overtake a
// message that waits for its next try. A `refused` receiver stops its queue (messages are kept, the daemon is told);
// a malformed message steps down through Form and is then settled as refused, and the queue flows on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "alerting/notification.hpp"
#include "alerting/notifiers/notifier.hpp"
#include "config/now.hpp"

namespace vitald::alerting {

struct RetryPolicy {
  Duration first = std::chrono::seconds(2);
  Duration longest = std::chrono::minutes(5);
  Duration between = std::chrono::seconds(1);   // the vendor's pace: at most one message in this time
  Duration keep = std::chrono::hours(24 * 7);   // after that a message that was never taken is given up
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

  void add(Notification notification, const Now& now);
  /// The message to send now, or nothing. At most one is out at a time; each must be answered by settle().
  std::optional<Attempt> next(const Now& now);
  /// When next() may have something, or nothing while it is empty, busy or stopped.
  std::optional<Steady> next_at() const;
  /// The answer to the attempt that is out. What is to be told to the engine, or nothing when it will be tried again.
  std::optional<Delivered> settle(const Judgement& judgement, const Now& now);
  /// The configuration changed: a stopped queue starts again.
  void resume(const Now& now);

  bool stopped() const;             // by `refused`; `why` tells
  const std::string& why() const;
  std::size_t size() const;         // the one that is out included
  std::optional<Wall> oldest() const;

 private:
  struct Entry;
  std::string receiver_;
  RetryPolicy policy_;
  std::uint64_t random_;
  std::vector<Entry> entries_;
  std::optional<std::size_t> out_;
  Steady not_before_{};
  bool stopped_ = false;
  std::string why_;

 public:
  ~DeliveryQueue();
  DeliveryQueue(DeliveryQueue&&) noexcept;
};

}  // namespace vitald::alerting
