// Names to addresses, over c-ares: never blocks the loop, has a deadline of its own, and a cache.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <vector>

#include "config/clock.hpp"
#include "probes/net/address.hpp"
#include "probes/net/network.hpp"
#include "probes/net/poller.hpp"

namespace vitald::net {

class Resolver {
 public:
  Resolver(Poller& poller, const Clock& clock, const NetworkOptions& options);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  /// At least one address, with `port` in it. Throws probes::ProbeFailure: name_not_found where the name has no address
  /// (NXDOMAIN, NODATA), resolver_failed (ours) where no name server gave an answer in time.
  awaitable<std::vector<Address>> resolve(std::string name, std::uint16_t port, Family family);

  struct State;  // lives on while a lookup is out

 private:
  std::shared_ptr<State> state_;
};

}  // namespace vitald::net
