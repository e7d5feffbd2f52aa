// Conversations as scripts: `Script().expect("PING\r\n").reply("+PONG\r\n")`, and the same conversation failing at
// every step in turn (the idea of boost.mysql's check_network_errors).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "probes/failure.hpp"
#include "probes/net/network.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::testing {

/// One connection, from its first byte to its end. After the last step the peer closes in order.
class Script {
 public:
  enum class Kind { expect, expect_something, reply, hang };
  struct Step {
    Kind kind;
    std::string bytes;
  };

  /// Exactly these bytes are written next, in however many writes.
  Script& expect(std::string bytes) { return add(Kind::expect, std::move(bytes)); }
  /// One write of whatever.
  Script& expect_something() { return add(Kind::expect_something, ""); }
  Script& reply(std::string bytes) { return add(Kind::reply, std::move(bytes)); }
  Script& reply_in_pieces(const std::string& bytes, std::size_t size) {
    for (std::size_t at = 0; at < bytes.size(); at += size) reply(bytes.substr(at, size));
    return *this;
  }
  Script& hang() { return add(Kind::hang, ""); }

  std::deque<Step> steps;

 private:
  Script& add(Kind kind, std::string bytes) {
    steps.push_back({kind, std::move(bytes)});
    return *this;
  }
};

/// Hands out one scripted connection after the other. Every connect, write and read is a step that can be made to fail.
class ScriptedNetwork final : public net::Network {
 public:
  explicit ScriptedNetwork(boost::asio::io_context& loop, std::vector<Script> scripts = {}) : loop_(loop) {
    for (auto& script : scripts) scripts_.push_back(std::move(script));
  }

  void fail_at(int step) { fail_at_ = step; }
  bool failed() const { return fail_at_ >= 0 && steps_ > fail_at_; }
  int steps() const { return steps_; }

  std::vector<net::Target> targets;
  std::vector<std::string> written;  // to each connection
  std::string peer = "192.0.2.1:80";

  net::awaitable<std::unique_ptr<net::Stream>> connect(const net::Target& target, net::PhaseLog& phases) override {
    step("connect");
    targets.push_back(target);
    if (scripts_.empty()) throw std::logic_error("one connection more than there are scripts: " + target.text());
    auto script = std::move(scripts_.front());
    scripts_.pop_front();
    written.emplace_back();
    phases.mark("connect");
    co_return std::make_unique<ScriptedStream>(*this, std::move(script), written.size() - 1);
  }

  net::awaitable<std::vector<std::string>> resolve(const net::Target&, net::PhaseLog& phases) override {
    step("resolve");
    phases.mark("resolve");
    std::vector<std::string> one{"192.0.2.7"};
    co_return one;
  }

 private:
  class ScriptedStream final : public net::Stream {
   public:
    ScriptedStream(ScriptedNetwork& network, Script script, std::size_t index)
        : network_(network), left_(std::move(script.steps)), peer_(network.peer), index_(index) {}

    net::awaitable<void> write(std::string_view all) override {
      network_.step("write");
      network_.written[index_] += all;
      if (!left_.empty() && left_.front().kind == Script::Kind::expect_something) {
        left_.pop_front();
        co_return;
      }
      while (!all.empty()) {
        if (left_.empty() || left_.front().kind != Script::Kind::expect)
          throw std::logic_error("not in the script: write of \"" + std::string(all) + "\"");
        auto& expected = left_.front().bytes;
        const auto count = std::min(all.size(), expected.size());
        if (all.substr(0, count) != expected.substr(0, count))
          throw std::logic_error("the script expects \"" + expected + "\", not \"" + std::string(all) + "\"");
        all.remove_prefix(count);
        expected.erase(0, count);
        if (expected.empty()) left_.pop_front();
      }
    }

    net::awaitable<std::size_t> read_some(std::span<char> into) override {
      network_.step("read");
      if (left_.empty()) co_return 0;
      if (left_.front().kind == Script::Kind::hang) {
        boost::asio::steady_timer never(network_.loop_, boost::asio::steady_timer::time_point::max());
        co_await never.async_wait(boost::asio::use_awaitable);
      }
      if (left_.front().kind != Script::Kind::reply) throw std::logic_error("not in the script: a read");
      auto& bytes = left_.front().bytes;
      const auto count = std::min(into.size(), bytes.size());
      std::copy_n(bytes.begin(), count, into.begin());
      bytes.erase(0, count);
      if (bytes.empty()) left_.pop_front();
      co_return count;
    }

    const std::string& peer() const override { return peer_; }

   private:
    ScriptedNetwork& network_;
    std::deque<Script::Step> left_;
    std::string peer_;
    std::size_t index_;
  };

  void step(const char* what) {
    if (steps_++ == fail_at_)
      throw probes::ProbeFailure(Outcome::refused, "scripted", std::string(what) + " fails as the test wants it");
  }

  boost::asio::io_context& loop_;
  std::deque<Script> scripts_;
  int steps_ = 0;
  int fail_at_ = -1;
};

/// Runs `run(network)` again and again, failing at the first step, the second, … and then not at all. Each failure must
/// come out as it is, and the last run must succeed. Returns how many steps there were.
template <class Run>
int fails_at_every_step(const std::vector<Script>& scripts, Run run) {
  for (int step = 0;; ++step) {
    boost::asio::io_context loop;
    ScriptedNetwork network(loop, scripts);
    network.fail_at(step);
    try {
      finish(loop, run(network));
      EXPECT_FALSE(network.failed()) << "step " << step << " failed and nobody noticed";
      if (!network.failed()) return step;
    } catch (const probes::ProbeFailure& failure) {
      EXPECT_EQ(failure.reason, "scripted") << "at step " << step << ": " << failure.what();
      if (failure.reason != "scripted") return step;
    }
  }
}

}  // namespace vitald::testing
