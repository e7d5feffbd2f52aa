// What the tests of probes/net share: a real loop with a real network on it, and ways to see how a run ended.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "probes/net/http.hpp"
#include "probes/net/network.hpp"
#include "probes/net/tls.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::testing {

struct RealClock final : Clock {
  Now now() const override {
    return {std::chrono::steady_clock::now(), std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())};
  }
};

/// How a piece of work failed; the reason is "" where it did not.
struct Failed {
  std::string reason, what, remedy;
  Outcome outcome = Outcome::answered;
};

template <class T>
Failed failure_of(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
  try {
    (void)finish(loop, std::move(work));
  } catch (const probes::ProbeFailure& failure) {
    return {failure.reason, failure.what(), failure.remedy, failure.outcome};
  }
  return {};
}

struct NetTest : ::testing::Test {
  boost::asio::io_context loop;
  RealClock clock;
  std::unique_ptr<net::Network> network = net::make_network(loop.get_executor(), clock);
  net::PhaseLog phases{clock};

  net::HttpResponse get(const net::HttpRequest& request) { return finish(loop, net::fetch(*network, request, phases)); }
  Failed get_fails(const net::HttpRequest& request) { return failure_of(loop, net::fetch(*network, request, phases)); }
  Failed connect_fails(const net::Target& target) { return failure_of(loop, network->connect(target, phases)); }
};

inline net::HttpRequest request_for(const std::string& url) {
  net::HttpRequest request;
  request.url = *net::parse_url(url);
  return request;
}

/// Work that is cancelled as the runner does it. `ended` says how: "answered", "cancelled", or a failure's reason.
class Cancellable {
 public:
  template <class T>
  Cancellable(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
    boost::asio::co_spawn(
        loop, std::move(work),
        boost::asio::bind_cancellation_slot(signal_.slot(), [this](std::exception_ptr error, T) { note(error); }));
  }
  Cancellable(const Cancellable&) = delete;

  void cancel() { signal_.emit(boost::asio::cancellation_type::terminal); }
  const std::string& ended() const { return ended_; }

 private:
  void note(std::exception_ptr error) {
    ended_ = "answered";
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const boost::system::system_error& failure) {
      ended_ = failure.code() == boost::asio::error::operation_aborted ? "cancelled" : failure.what();
    } catch (const probes::ProbeFailure& failure) {
      ended_ = failure.reason;
    } catch (const std::exception& failure) {
      ended_ = failure.what();
    }
  }

  boost::asio::cancellation_signal signal_;
  std::string ended_;
};

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace vitald::testing
