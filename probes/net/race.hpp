// Happy eyeballs (RFC 8305): several addresses of one name, tried a quarter of a second apart; the first to answer
// wins.
#pragma once

#include <string>
#include <vector>

#include "probes/net/address.hpp"
#include "probes/net/socket.hpp"

namespace vitald::net {

struct Connected {
  Connected() = default;
  Connected(std::unique_ptr<Socket> socket_, std::string peer_) : socket(std::move(socket_)), peer(std::move(peer_)) {}
  std::unique_ptr<Socket> socket;
  std::string peer;
};

/// `name` is for messages. Throws probes::ProbeFailure with what each address said when all fail.
awaitable<Connected> race(Poller& poller, std::vector<Address> addresses, std::string name);

/// The order of RFC 8305 section 4: the families take turns, beginning with the first one's.
std::vector<Address> interleave(const std::vector<Address>& addresses);

}  // namespace vitald::net
