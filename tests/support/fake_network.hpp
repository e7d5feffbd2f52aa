// A network that answers from a script: what each connection says, piece by piece, and what was sent to it.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probes/failure.hpp"
#include "probes/net/network.hpp"
#include "probes/net/tls.hpp"

namespace vitald::testing {

class FakeNetwork final : public net::Network {
 public:
  /// One connection: these pieces, then the orderly end.
  void answer(std::vector<std::string> pieces) { scripts_.push_back({.pieces = {pieces.begin(), pieces.end()}}); }
  void refuse(probes::ProbeFailure failure) { scripts_.push_back({.pieces = {}, .failure = std::move(failure)}); }
  /// What every connection with TLS proves.
  std::optional<net::TlsPeer> proves;
  std::vector<net::Target> targets;
  std::string sent;
  std::size_t reads = 0;

  net::awaitable<std::unique_ptr<net::Stream>> connect(const net::Target& target, net::PhaseLog& phases) override {
    targets.push_back(target);
    if (scripts_.empty()) throw std::logic_error("one connection more than the script has: " + target.text());
    Script script = std::move(scripts_.front());
    scripts_.pop_front();
    phases.mark("connect");
    if (script.failure) throw *script.failure;
    co_return std::make_unique<Connection>(*this, target, std::move(script));
  }

  net::awaitable<std::vector<std::string>> resolve(const net::Target&, net::PhaseLog& phases) override {
    phases.mark("resolve");
    std::vector<std::string> one{"192.0.2.7"};
    co_return one;
  }

 private:
  struct Script {
    std::deque<std::string> pieces;
    std::optional<probes::ProbeFailure> failure = {};
  };

  class Connection final : public net::Stream {
   public:
    Connection(FakeNetwork& network, const net::Target& target, Script script)
        : network_(network), secure_(target.tls.has_value()), script_(std::move(script)) {}

    net::awaitable<std::size_t> read_some(std::span<char> into) override {
      network_.reads += 1;
      if (script_.pieces.empty()) co_return 0;
      std::string& piece = script_.pieces.front();
      const std::size_t size = std::min(into.size(), piece.size());
      std::copy_n(piece.begin(), size, into.begin());
      piece.erase(0, size);
      if (piece.empty()) script_.pieces.pop_front();
      co_return size;
    }
    net::awaitable<void> write(std::string_view all) override {
      network_.sent += all;
      co_return;
    }
    const net::TlsPeer* tls() const override { return secure_ && network_.proves ? &*network_.proves : nullptr; }
    const std::string& peer() const override { return peer_; }

   private:
    FakeNetwork& network_;
    bool secure_;
    Script script_;
    std::string peer_ = "192.0.2.7:443";
  };

  std::deque<Script> scripts_;
};

}  // namespace vitald::testing
