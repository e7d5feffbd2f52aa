// One attempt at one message: render it, put it on the wire, judge the answer. What the sender and `test-notify` share.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "alerting/notifiers/notifier.hpp"
#include "config/clock.hpp"
#include "probes/net/network.hpp"

namespace vitald::daemon {

/// Everything that an attempt needs, by value or outliving it.
struct AttemptContext {
  net::Network& network;
  const Clock& clock;
  std::shared_ptr<const alerting::Notifier> notifier;
  alerting::Notification notification;
  alerting::Handle handle;
  alerting::Form form = alerting::Form::full;
};

/// Starts the attempt; `done` is called once, from the loop, with what it came to: after `patience` at the latest, with
/// `retry`. TLS is verified, redirects are not followed, at most 64 KiB of the answer are read.
void start_attempt(const boost::asio::any_io_executor& loop, AttemptContext context, Duration patience,
                   std::function<void(alerting::Judgement)> done);

}  // namespace vitald::daemon
