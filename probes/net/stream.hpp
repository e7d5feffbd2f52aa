// A connection that carries bytes: TCP, a Unix socket, TLS over either, or a script in a test look all the same.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/clock.hpp"
#include "config/observation.hpp"

namespace vitald::net {

template <class T>
using awaitable = boost::asio::awaitable<T>;

struct TlsPeer;  // tls.hpp: what the other side proved about itself

/// Everything throws probes::ProbeFailure; cancellation (the runner's kill) passes through as Asio's own exception.
/// Destroying a stream closes it at once, without a word to the peer.
class Stream {
 public:
  virtual ~Stream() = default;
  /// At least one byte, or 0 at the peer's orderly end.
  virtual awaitable<std::size_t> read_some(std::span<char> into) = 0;
  /// All of it.
  virtual awaitable<void> write(std::string_view all) = 0;
  /// nullptr on a stream without TLS.
  virtual const TlsPeer* tls() const { return nullptr; }
  /// "192.0.2.7:443" or the socket's path: the address that was really used, for evidence.
  virtual const std::string& peer() const = 0;
};

/// Notes how long each phase of one run took: `mark("connect")` ends the phase that the previous mark began.
class PhaseLog {
 public:
  explicit PhaseLog(const Clock& clock) : clock_(&clock), last_(clock.now().steady) {}
  /// The step that begins now, for the message should the deadline come (daemon/runner.cpp has the words): resolve,
  /// connect, tls, send, first_byte, rest; login and query of the database clients; management of rabbitmq.
  void begin(std::string_view name) { step_ = name; }
  /// What begin() said last, or "".
  std::string_view step() const { return step_; }
  /// `name` must be static. Marking one name twice (a redirect) adds up.
  void mark(std::string_view name);
  /// A phase that was measured elsewhere, on a worker.
  void add(const Phase& phase);
  std::vector<Phase> take() { return std::move(phases_); }
  const std::vector<Phase>& phases() const { return phases_; }

 private:
  void keep(const Phase& phase);

  const Clock* clock_;
  Steady last_;
  std::string_view step_;
  std::vector<Phase> phases_;
};

}  // namespace vitald::net
