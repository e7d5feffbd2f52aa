// The sender sends: one queue for each receiver, each on its own, so that a receiver that hangs, refuses or asks for
// patience delays no other. All decisions are DeliveryQueue's (alerting/deliver.hpp); this is the I/O.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alerting/deliver.hpp"
#include "alerting/event.hpp"
#include "config/clock.hpp"
#include "daemon/configuration.hpp"
#include "daemon/instruments.hpp"
#include "daemon/operations.hpp"
#include "probes/net/network.hpp"

namespace vitald::daemon {

class Sender {
 public:
  /// Called on the loop, never from within a call of the sender's own.
  struct Callbacks {
    std::function<void(alerting::Delivered)> delivered;
    /// A receiver refuses all messages, took one of them in no form, or has failed for two minutes; and takes them
    /// again. Key "receiver:NAME".
    std::function<void(alerting::SelfTrouble)> trouble;
    std::function<void(alerting::SelfRecovered)> recovered;
    /// What an incident's receiver wants to find again (Handle), or "".
    std::function<alerting::Handle(const alerting::NotificationId&)> handle;
    /// Calls back when what `delivered` caused is saved, or will not be. A receiver's next message waits for that: a
    /// crash in between would otherwise send a problem again after its recovery (docs/guarantees.md R5). Without it
    /// nothing waits.
    std::function<void(std::function<void()>)> when_saved;
  };

  Sender(boost::asio::any_io_executor loop, net::Network& network, const Clock& clock, Instruments& instruments,
         Callbacks callbacks, std::uint64_t seed);
  ~Sender();

  /// Receivers that stay keep their queue, and one that refused is tried again. Messages for receivers that are gone
  /// are told as refused.
  void configure(const std::vector<ReceiverPlan>& receivers);
  void enqueue(std::vector<alerting::Notification> notifications);

  /// Sends a problem and its recovery, both marked as a test, straight to the receiver; the text tells how it went.
  boost::asio::awaitable<Result<std::string>> test(std::string receiver, std::string instance);

  std::vector<ReceiverView> views() const;

  /// For the shutdown: sends on what can go at once, and returns when nothing more can, at `until` at the latest. What
  /// is left stays in the store.
  boost::asio::awaitable<void> drained(Steady until);

 private:
  struct Lane;

  void pump(const std::shared_ptr<Lane>& lane);
  void attempted(const std::shared_ptr<Lane>& lane, const alerting::Judgement& judgement);
  void judge_health(Lane& lane, const alerting::Judgement& judgement);
  void tell_of_lost_message(Lane& lane, const alerting::Judgement& judgement);
  void tell(alerting::Delivered delivered);
  bool busy() const;

  boost::asio::any_io_executor loop_;
  net::Network& network_;
  const Clock& clock_;
  Instruments& instruments_;
  Callbacks callbacks_;
  std::uint64_t seed_;
  std::map<std::string, std::shared_ptr<Lane>> lanes_;
};

}  // namespace vitald::daemon
